//! The answers to the kubelet's probes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

/// Whether the first list of objects is in, or another operator leads; `/readyz` answers by it.
#[derive(Clone, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers `/healthz` and `/readyz` for as long as the process lives.
///
/// # Errors
/// The address cannot be bound.
pub async fn health(address: SocketAddr, ready: Ready) -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "answering /healthz and /readyz");
    let readiness = |State(ready): State<Ready>| async move {
        match ready.0.load(Ordering::Relaxed) {
            true => (StatusCode::OK, "ok"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "the first list of AckClusters is not in yet"),
        }
    };
    let routes =
        Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(readiness)).with_state(ready);
    Ok(async move { axum::serve(listener, routes).await })
}
