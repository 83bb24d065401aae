//! Bytes instead of an answer, and every way in which a connection can end. Knows nothing of HTTP.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::faults::{Raw, Then};

/// A connection that knows its socket.
pub trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Sends the bytes and ends the connection as it is told. The client may leave at any time.
pub async fn send(mut stream: impl Wire, raw: &Raw) {
    let bytes = raw.raw.as_bytes();
    let at_once = if raw.then == Then::Drip { bytes.len() / 2 } else { bytes.len() };
    if stream.write_all(&bytes[..at_once]).await.and(stream.flush().await).is_err() {
        return;
    }
    match raw.then {
        Then::Close => drop(stream.shutdown().await),
        // What was sent may be lost with it, as in life.
        Then::Reset => drop(stream.socket().set_zero_linger()),
        Then::Stall => while stream.read_u8().await.is_ok() {},
        Then::Drip => {
            for byte in &bytes[at_once..] {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if stream.write_u8(*byte).await.and(stream.flush().await).is_err() {
                    return;
                }
            }
        }
    }
}
