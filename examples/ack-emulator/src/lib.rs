//! A stand-in for Alibaba Cloud ACK's API, and for STS, over HTTP or HTTPS: built from the fact sheet (`ack-api`), apart
//! from the operator, so that the two are second opinions of each other. It shares no code with it.
//!
//! ```text
//! port --> http: arrival, journal, faults --> sign: who, when, once --> operations: a row a call --> world
//!            \-> control: /_emulator                                                                   ^ tasks, clusters,
//!                                                                                   clock, settings ---/   tags, sts
//! ```
//!
//! * `world` (with `cluster`, `task`, `tags`) is pure: requests and moments in, answers out. It has no clock, no I/O and
//!   no randomness; equal calls at equal moments give equal answers.
//! * There are two clocks (`clock`): the gateway's is real time plus a skew (dates, nonces, every time that is shown), the
//!   world's may run faster and be moved on (states, tasks, list lag).
//! * What the fact sheet does not know is a switch (`settings`), its default the reading that is worst for a client.
//! * One lock holds all state; nothing waits while it is held. A call runs apart from its connection, so that a client
//!   which goes away stops nothing that ACK would have gone on with.
//! * There are no redirects, no background jobs and nothing on disk but the certificates of `tls`.

mod clock;
mod cluster;
mod control;
mod fields;
mod http;
mod journal;
mod kubeconfig;
mod operations;
mod raw;
mod received;
mod refusal;
mod resources;
mod said;
mod settings;
mod sign;
mod sts;
mod tags;
mod task;
mod world;

pub mod faults;
pub mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use faults::Rule;
pub use journal::JournalEntry;
pub use sign::judge;
pub use world::LedgerEntry;

use http::Face;
use settings::Settings;

/// The account of an access key that names none.
pub const DEFAULT_ACCOUNT: &str = "1234567890123456";

/// A key pair that may call, with its account; with a token it is a temporary one (STS).
#[derive(Clone)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub account: String,
    pub token: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).field("account", &self.account).finish_non_exhaustive()
    }
}

impl FromStr for AccessKey {
    type Err = Error;

    /// Reads `ID:SECRET[:ACCOUNT]`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split(':');
        let (id, secret) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let account = parts.next().unwrap_or(DEFAULT_ACCOUNT);
        if id.is_empty() || secret.is_empty() || account.is_empty() || parts.next().is_some() {
            return Err(Error::AccessKey);
        }
        Ok(AccessKey { id: id.into(), secret: secret.into(), account: account.into(), token: None })
    }
}

/// How an emulator is started. The times are the first values of the settings of the same name; a change to a cluster
/// takes 5 s, or the create time where that is less.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ports: the one region that it serves (`None`: all) and its address; port 0 picks a free one.
    pub listen: Vec<(Option<String>, SocketAddr)>,
    /// Serve HTTPS, and write `ca.pem` and `server.pem` there.
    pub tls_dir: Option<PathBuf>,
    pub access_keys: Vec<AccessKey>,
    /// How much faster than real time the world's clock runs.
    pub time_scale: f64,
    pub list_lag: Duration,
    pub create_time: Duration,
    pub delete_time: Duration,
    pub detail_lag: Duration,
    pub date_window: Duration,
    /// The text of a kubeconfig for a real API server, which every cluster hands out as its own; `None`: made-up ones.
    pub kubeconfig_server: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: vec![(None, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))],
            tls_dir: None,
            access_keys: Vec::new(),
            time_scale: 1.0,
            list_lag: Duration::from_secs(2),
            create_time: Duration::from_secs(90),
            delete_time: Duration::from_secs(60),
            detail_lag: Duration::ZERO,
            date_window: Duration::from_secs(900),
            kubeconfig_server: None,
        }
    }
}

/// Why an emulator cannot start, or does not understand what it is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Pick another address.
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    /// Pick another folder.
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot serve TLS")]
    Tls(#[from] rustls::Error),
    #[error("an access key has the form ID:SECRET[:ACCOUNT]")]
    AccessKey,
    #[error("the configuration is not usable: {0}")]
    Config(String),
    /// The text says which word was wrong; nothing was changed.
    #[error("not understood: {0}")]
    NotUnderstood(String),
}

impl From<control::Misunderstood> for Error {
    fn from(control::Misunderstood(_, message): control::Misunderstood) -> Self {
        Error::NotUnderstood(message)
    }
}

/// A running emulator. It stops when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    face: Arc<Face>,
    urls: Vec<(Option<String>, String)>,
    ca: Option<PathBuf>,
    /// Dropping it ends the ports and their connections.
    _ports: JoinSet<()>,
}

impl Emulator {
    /// Binds all ports and begins to serve. Needs a tokio runtime, on which it runs.
    ///
    /// # Errors
    /// See [`Error`]; nothing runs then.
    pub async fn start(config: Config) -> Result<Emulator, Error> {
        let Config {
            listen,
            tls_dir,
            access_keys,
            time_scale,
            list_lag,
            create_time,
            delete_time,
            detail_lag,
            date_window,
            kubeconfig_server,
        } = config;
        if !(time_scale.is_finite() && time_scale > 0.0) {
            return Err(Error::Config("the time scale must be above zero".into()));
        }
        let time = |time: Duration| SignedDuration::try_from(time).map_err(|error| Error::Config(error.to_string()));
        let settings = Settings {
            list_lag: time(list_lag)?,
            create_time: time(create_time)?,
            modify_time: time(create_time)?.min(Settings::default().modify_time),
            delete_time: time(delete_time)?,
            detail_lag: time(detail_lag)?,
            date_window: time(date_window)?,
            ..Settings::default()
        };
        let settings = settings.checked().map_err(Error::Config)?;
        let face = Arc::new(Face::new(access_keys, settings, time_scale));
        face.lock().world.kubeconfig = kubeconfig_server;
        let mut bound = Vec::new();
        for (region, address) in listen {
            if let Some(region) = region.as_ref().filter(|region| !fields::is_region(region)) {
                return Err(Error::Config(format!("{region} is no region id")));
            }
            let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
            let address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
            bound.push((region, address, listener));
        }
        let addresses: Vec<_> = bound.iter().map(|(_, address, _)| address.ip()).collect();
        let (tls, ca) = match tls_dir.map(|dir| tls::make(&dir, &addresses)).transpose()? {
            Some((tls, ca)) => (Some(tls), Some(ca)),
            None => (None, None),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let urls = bound.iter().map(|(region, address, _)| (region.clone(), format!("{scheme}://{address}"))).collect();
        let mut ports = JoinSet::new();
        for (region, _, listener) in bound {
            ports.spawn(serve_port(listener, face.clone(), region, tls.clone()));
        }
        Ok(Emulator { face, urls, ca, _ports: ports })
    }

    /// The first port's base URL; empty when there is none.
    pub fn url(&self) -> String {
        self.urls.first().map(|(_, url)| url.clone()).unwrap_or_default()
    }

    /// Region (`None`: all) and base URL of each port.
    pub fn urls(&self) -> Vec<(Option<String>, String)> {
        self.urls.clone()
    }

    /// The authority that signed the certificate, as a PEM file.
    pub fn ca(&self) -> Option<PathBuf> {
        self.ca.clone()
    }

    /// `GET /_emulator/ledger`.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.face.ledger()
    }

    /// `GET /_emulator/journal?since=N`: the calls numbered above `since`.
    pub fn journal(&self, since: usize) -> Vec<JournalEntry> {
        self.face.journal(since)
    }

    /// `POST /_emulator/faults`.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`]: an unknown operation or an impossible number.
    pub fn fault(&self, rule: Rule) -> Result<(), Error> {
        Ok(self.face.fault(rule)?)
    }

    /// `DELETE /_emulator/faults`.
    pub fn clear_faults(&self) {
        self.face.lock().faults.clear();
    }

    /// `POST /_emulator/clusters/{id}`.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`]: no such living cluster, or a member of `change` that means nothing.
    pub fn outside(&self, id: &str, change: &Value) -> Result<(), Error> {
        Ok(self.face.outside(id, change)?)
    }

    /// Moves the world's clock on.
    pub fn advance(&self, by: Duration) {
        self.face.advance(by);
    }

    /// Sets how far the gateway's clock is ahead (negative: behind) of real time.
    pub fn skew(&self, skew: SignedDuration) {
        self.face.lock().clock.set_skew(skew);
    }

    /// `POST /_emulator/settings`: changes the settings named in `change`; answers all of them. `{}` only reads.
    ///
    /// # Errors
    /// [`Error::NotUnderstood`]: an unknown setting or word.
    pub fn settings(&self, change: &Value) -> Result<Value, Error> {
        Ok(self.face.change_settings(change)?)
    }
}

async fn serve_port(listener: TcpListener, face: Arc<Face>, region: Option<String>, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (face, region, tls) = (face.clone(), region.clone(), tls.clone());
                    connections.spawn(async move {
                        match tls {
                            None => serve_connection(stream, face, region).await,
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve_connection(stream, face, region).await;
                                }
                            }
                        }
                    });
                }
                // Too many open files, as a rule: a pause lets some close.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Serves until the client closes or a call is cut. Whatever ends a connection is the client's affair.
async fn serve_connection(stream: impl raw::Wire, face: Arc<Face>, region: Option<String>) {
    let service = service_fn(|request| face.clone().serve(region.clone(), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else { return };
    let cut = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
    if let Some(http::Cut(Some(raw))) = cut {
        raw::send(connection.into_parts().io.into_inner(), raw).await;
    }
}

#[cfg(test)]
mod tests;
