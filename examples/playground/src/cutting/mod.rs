//! Two doors between an operator and the world, one to the Kubernetes API and one to ACK, at which calls are cut: lost,
//! withheld, doubled, delayed, and their caller killed. The operator is not told; it has another kubeconfig and another
//! endpoint, that is all.
//!
//! ```text
//! operator --TLS--> Door --TLS--> kube-apiserver      views.rs: lists and watches may show the past
//!          --HTTP->      --HTTP-> emulator            book.rs:  numbers the calls, knows the cuts
//! ```
//!
//! A door decides nothing, keeps nothing and repeats nothing by itself.

mod book;
mod call;
mod views;

use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::config::Kubeconfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::{Error, Result};
use crate::keeper::write_private;

pub use book::{Blow, Book, Cut, ON_ITS_WAY};
pub use call::Call;
use views::Views;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Whom a door leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Kubernetes,
    Ack,
}

/// An operator's way to both. Closed when it is dropped.
pub struct Door {
    /// For `--kubeconfig`.
    pub kubeconfig: PathBuf,
    /// For `--ack-endpoint` and `--sts-endpoint`.
    pub endpoint: String,
    front: Arc<Front>,
    _ports: JoinSet<()>,
}

struct Front {
    whose: usize,
    book: Arc<Book>,
    kubernetes: String,
    ack: String,
    client: reqwest::Client,
    views: Views,
}

/// Makes hyper break the connection.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Broken;

impl Door {
    /// A door for operator number `whose` of the run that `book` is about: it has the rights of `kubeconfig`, its cloud
    /// is at `ack`, and its files go to `dir`.
    pub async fn open(book: &Arc<Book>, whose: usize, kubeconfig: &Path, ack: &str, dir: &Path) -> Result<Door> {
        let text = fs::read_to_string(kubeconfig).map_err(Error::io("cannot read", kubeconfig))?;
        let cluster = Kubeconfig::read_from(kubeconfig)?.clusters.first().and_then(|named| named.cluster.clone());
        let cluster = cluster.ok_or_else(|| Error::Unexpected("a kubeconfig without a cluster".into()))?;
        let (server, authority) =
            (cluster.server.unwrap_or_default(), cluster.certificate_authority_data.unwrap_or_default());
        let pem = BASE64.decode(&authority).map_err(|error| Error::Unexpected(error.to_string()))?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tls_certs_only([reqwest::Certificate::from_pem(&pem)?])
            .build()?;
        let front = Front {
            whose,
            book: book.clone(),
            kubernetes: server.clone(),
            ack: ack.to_owned(),
            client,
            views: Views::default(),
        };
        let front = Arc::new(front);
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (acceptor, ca) = ack_emulator::tls::make(dir, &[anywhere.ip()])?;
        let mut ports = JoinSet::new();
        let mut urls = [String::new(), String::new()];
        for (side, url) in [Side::Kubernetes, Side::Ack].into_iter().zip(&mut urls) {
            let failed = |error| Error::Unexpected(format!("no port for a door: {error}"));
            let listener = TcpListener::bind(anywhere).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            let tls = (side == Side::Kubernetes).then(|| acceptor.clone());
            *url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
            ports.spawn(serve_port(listener, front.clone(), side, tls));
        }
        let [door, endpoint] = urls;
        let ours = fs::read(&ca).map_err(Error::io("cannot read", &ca))?;
        let kubeconfig = dir.join("kubeconfig");
        write_private(&kubeconfig, &text.replace(&server, &door).replace(&authority, &BASE64.encode(ours)))?;
        Ok(Door { kubeconfig, endpoint, front, _ports: ports })
    }

    /// Keeps the list of objects as it is now, for [`Door::freeze`].
    pub async fn look(&self) {
        self.front.take_picture().await;
    }

    /// From now on the list of objects is the one that was kept, and watches are silent.
    pub fn freeze(&self) {
        self.front.views.freeze(true);
    }

    /// Lists are true again, and watches go on from where each reader is.
    pub fn thaw(&self) {
        self.front.views.freeze(false);
    }

    /// The watch event of that number, counted from now, and those that come within [`ON_ITS_WAY`] are withheld; of
    /// each object only the last is then told.
    pub fn withhold(&self, event: usize) {
        self.front.views.withhold(event);
    }

    /// How many watch events came since [`Door::withhold`].
    pub fn events(&self) -> usize {
        self.front.views.events()
    }
}

async fn serve_port(listener: TcpListener, front: Arc<Front>, side: Side, tls: Option<tokio_rustls::TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (front, tls) = (front.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve_connection(stream, front, side).await,
                        Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                            serve_connection(stream, front, side).await;
                        },
                    }
                });
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// What ends a connection is the matter of a cut or of the operator.
async fn serve_connection(stream: impl AsyncRead + AsyncWrite + Unpin, front: Arc<Front>, side: Side) {
    let service = service_fn(|request: Request<Incoming>| {
        let front = front.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
            // Apart from its connection: what is on its way arrives, whether or not its sender still lives.
            let answer = tokio::spawn(front.serve(side, parts, body)).await;
            answer.ok().flatten().ok_or(Broken)
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A whole answer.
struct Answer {
    status: hyper::StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn pass(self) -> Response<Body> {
        let mut response = Response::new(Full::new(self.body).boxed_unsync());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl Front {
    /// `None` breaks the connection.
    async fn serve(self: Arc<Front>, side: Side, parts: Parts, body: Bytes) -> Option<Response<Body>> {
        if side == Side::Kubernetes && views::is_watch(&parts) {
            return self.watch(&parts).await;
        }
        if side == Side::Kubernetes && views::is_list(&parts) {
            self.views.remember(&parts);
            if let Some(picture) = self.views.picture() {
                return Some(picture.pass());
            }
        }
        let entry = self.book.enter(Call::of(self.whose, &parts)).await;
        let forward = async || {
            let answer = self.forward(side, &parts, body.clone()).await;
            self.book.answered(&entry, answer.as_ref().map_or(0, |answer| answer.status.as_u16()));
            answer
        };
        let answer = match entry.cut {
            None => forward().await,
            Some(Cut::Lost) => None,
            Some(Cut::Withheld) => {
                forward().await;
                None
            }
            Some(Cut::Killed) => {
                forward().await;
                self.strike(Blow::Kill).await;
                None
            }
            Some(Cut::Stopped) => {
                let answer = forward().await;
                self.strike(Blow::Stop).await;
                answer
            }
            Some(Cut::Twice) => {
                forward().await;
                forward().await
            }
            Some(Cut::Held) => {
                tokio::time::sleep(ON_ITS_WAY).await;
                forward().await
            }
            Some(Cut::Late) => {
                let front = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(ON_ITS_WAY).await;
                    let answer = front.forward(side, &parts, body).await;
                    front.book.answered(&entry, answer.map_or(0, |answer| answer.status.as_u16()));
                    front.book.leave();
                });
                return None;
            }
        };
        self.book.leave();
        Some(answer?.pass())
    }

    async fn strike(self: &Arc<Front>, blow: Blow) {
        let front = self.clone();
        let _ = tokio::task::spawn_blocking(move || front.book.strike(front.whose, blow)).await;
    }

    /// Sends the call on as it came, its Host too: that is signed.
    async fn send(&self, side: Side, parts: &Parts, body: Bytes) -> Option<reqwest::Response> {
        let base = if side == Side::Kubernetes { &self.kubernetes } else { &self.ack };
        let url = format!("{base}{}", parts.uri.path_and_query().map_or("/", |path| path.as_str()));
        let request = self.client.request(parts.method.clone(), url).headers(end_to_end(&parts.headers)).body(body);
        request.send().await.ok()
    }

    async fn forward(&self, side: Side, parts: &Parts, body: Bytes) -> Option<Answer> {
        let answer = self.send(side, parts, body).await?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        Some(Answer { status, headers, body: answer.bytes().await.ok()? })
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for hop in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(hop);
    }
    headers
}
