//! Serves what others have registered, as OpenMetrics text. Measures nothing itself but which build this is.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use futures::future::{self, FutureExt};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
pub use prometheus_client::registry::Registry;

use super::port;

/// Where metrics are served: an address, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(Option<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        match text {
            "off" => Ok(Listen(None)),
            _ => text.parse().map(|address| Listen(Some(address))).map_err(|_| "give ADDRESS:PORT, or off".into()),
        }
    }
}

/// Answers `/metrics` for as long as the process lives.
///
/// # Errors
/// The address cannot be bound.
pub async fn metrics(listen: Listen, mut registry: Registry) -> std::io::Result<impl Future<Output = ()>> {
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("ackoperator_build", "Which build of the operator this is", build);
    let answer = |State(registry): State<Arc<Registry>>| async move {
        let mut text = String::new();
        match encode(&mut text, &registry) {
            Ok(()) => Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)),
            Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
        }
    };
    let routes = Router::new().route("/metrics", get(answer)).with_state(Arc::new(registry));
    Ok(match listen {
        Listen(None) => future::pending().left_future(),
        Listen(Some(address)) => port::open(address, "/metrics", routes).await?.right_future(),
    })
}
