//! One small HTTP port that no peer can hold up: few connections, one request each, and little time for it. What is asked here
//! is answered at once, and what is left open costs file descriptors that calls of ACK need.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once. The next one waits until one of these ends.
const CONNECTIONS: usize = 256;

/// By then a request's header must be there.
const HEADER: Duration = Duration::from_secs(2);

/// By then it must be answered.
const WHOLE: Duration = Duration::from_secs(10);

/// Serves `routes` at `address`, which is bound when this returns, for as long as the process lives.
///
/// # Errors
/// The address cannot be bound.
pub(super) async fn open(address: SocketAddr, what: &str, routes: Router) -> io::Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "answering {what}");
    Ok(serve(listener, routes))
}

async fn serve(listener: TcpListener, routes: Router) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(one) = free.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Of this connection, or of a process that has no more file descriptors.
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let routes = TowerToHyperService::new(routes.clone());
        let mut connection = http1::Builder::new();
        connection.timer(TokioTimer::new()).header_read_timeout(HEADER).keep_alive(false);
        tokio::spawn(async move {
            let _one = one;
            let _ = tokio::time::timeout(WHOLE, connection.serve_connection(TokioIo::new(stream), routes)).await;
        });
    }
}
