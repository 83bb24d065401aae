//! What the process tells of itself: logs, and the answers to the kubelet's probes. Knows nothing of clusters.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use clap::ValueEnum;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends log lines to standard error, as `filter` chooses them (`info`, `ack_operator=debug`, ...).
///
/// # Errors
/// A filter that cannot be parsed.
pub fn logs(format: LogFormat, filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    // The client for Kubernetes logs whole answers that it cannot decode, and an answer may hold a password.
    let filter = EnvFilter::try_new(filter)?.add_directive("kube_client::client=error".parse()?);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people who watch, not for files.
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Whether the first list of objects is in; `/readyz` answers by it.
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
