//! One signed attempt over HTTP: bytes out, status, date and bounded bytes in. Never retries, never follows a redirect,
//! never reads what the bytes mean.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Method, redirect, retry};
use serde_json::Value;

use super::code::{Code, Op};
use super::endpoints::{Base, ConfigError, Endpoints};
use super::error::{Error, Refusal};
use super::gate::Budgets;
use super::redact::Secrets;
use super::refusal::header;
use super::sign::{Algorithm, Keys, Scheme, Unsigned, percent_encode};
use crate::terms::{Region, reckonable};

/// The longest answer that is read. A list page of 50 clusters has some 100 KiB.
const LONGEST_ANSWER: usize = 4 << 20;

/// The place of all calls to STS, which is asked in no region.
pub(super) const STS: &str = "sts";

/// Who is asked.
#[derive(Clone, Copy)]
pub(super) enum Service<'a> {
    Ack(&'a Region),
    Sts,
}

/// What is asked, before it is signed.
pub(super) struct Call<'a> {
    pub operation: &'static str,
    pub service: Service<'a>,
    pub op: Op,
    pub method: Method,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub body: Option<Value>,
    /// Its turn was waited for before it was made.
    pub in_turn: bool,
}

impl<'a> Call<'a> {
    /// With the method that calls of this sort have.
    pub fn new(operation: &'static str, op: Op, region: &'a Region, path: &[&str]) -> Self {
        let path = path.iter().map(|segment| format!("/{}", percent_encode(segment))).collect();
        Self::of(operation, op, Service::Ack(region), path)
    }

    pub fn caller_identity() -> Self {
        Self::of("GetCallerIdentity", Op::Read, Service::Sts, "/".to_owned())
    }

    fn of(operation: &'static str, op: Op, service: Service<'a>, path: String) -> Self {
        let method = match op {
            Op::Read => Method::GET,
            Op::Create => Method::POST,
            Op::Change => Method::PUT,
            Op::Delete => Method::DELETE,
        };
        Self { operation, service, op, method, path, query: BTreeMap::new(), body: None, in_turn: false }
    }

    pub fn query(mut self, key: &str, value: impl ToString) -> Self {
        self.query.insert(key.to_owned(), value.to_string());
        self
    }

    pub fn in_turn(mut self) -> Self {
        self.in_turn = true;
        self
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub fn changes(&self) -> bool {
        self.op != Op::Read
    }

    /// The region, or `sts`: for budgets and logs.
    pub fn place(&self) -> &str {
        match self.service {
            Service::Ack(region) => region.as_str(),
            Service::Sts => STS,
        }
    }
}

/// A whole answer with a 2xx status.
pub(super) struct Reply {
    pub status: u16,
    /// Gateway time, whole seconds, at which the answer was made.
    pub date: Option<Timestamp>,
    /// From the moment before the request to the arrival of the answer's head.
    pub elapsed: Duration,
    pub request_id: Option<String>,
    pub body: Vec<u8>,
    pub host: String,
}

impl Reply {
    /// An answer that says nothing usable.
    pub fn unreadable(&self, what: impl Into<String>) -> Error {
        Error::Unreadable {
            host: self.host.clone(),
            status: self.status,
            what: what.into(),
            request_id: self.request_id.clone(),
        }
    }
}

/// What came of one attempt, and the gateway's time where an answer by ACK itself told it.
pub(super) struct Attempt {
    pub outcome: Result<Reply, Error>,
    pub date: Option<Timestamp>,
    pub elapsed: Duration,
}

/// Attempts by operation, and by what became of them: `OK` or the error's class.
pub(super) type Calls = Family<[(&'static str, &'static str); 2], Counter>;

/// The HTTP clients, shared by all accounts.
pub(super) struct Wire {
    pub endpoints: Endpoints,
    pub calls: Calls,
    pub budgets: Budgets,
    proxied: Pair,
    direct: Pair,
}

#[derive(Clone)]
struct Pair {
    pooled: Client,
    /// Opens a connection for each request, so that no stale one decides the fate of a change.
    fresh: Client,
}

impl Wire {
    pub fn new(endpoints: Endpoints) -> Result<Self, ConfigError> {
        endpoints.check()?;
        let certificates = match &endpoints.ca_file {
            None => Vec::new(),
            Some(path) => {
                let pem = std::fs::read(path).map_err(|source| ConfigError::CaFile { path: path.clone(), source })?;
                let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
                if certificates.is_empty() {
                    return Err(ConfigError::NoCertificate(path.clone()));
                }
                certificates
            }
        };
        let pair = |adapt: fn(ClientBuilder) -> ClientBuilder| {
            let builder = || {
                let builder = Client::builder()
                    .user_agent(concat!("ack-operator/", env!("CARGO_PKG_VERSION")))
                    .redirect(redirect::Policy::none())
                    .retry(retry::never())
                    .http1_only()
                    .connect_timeout(endpoints.connect_timeout)
                    .timeout(endpoints.timeout)
                    .tls_certs_merge(certificates.iter().cloned());
                adapt(builder)
            };
            let pooled = builder().build().map_err(ConfigError::Tls)?;
            let fresh = builder().pool_max_idle_per_host(0).build().map_err(ConfigError::Tls)?;
            Ok::<_, ConfigError>(Pair { pooled, fresh })
        };
        // Proxies come from the environment, but calls to this machine never leave it. Each pair holds the system's
        // certificates twice, so a second one is made only where both kinds of endpoints are given.
        let (some, all) = (endpoints.some_loopback(), endpoints.all_loopback());
        let proxied = pair(if all { ClientBuilder::no_proxy } else { |builder| builder })?;
        let direct = if some && !all { pair(ClientBuilder::no_proxy)? } else { proxied.clone() };
        Ok(Self { endpoints, calls: Calls::default(), budgets: Budgets::default(), proxied, direct })
    }

    fn base(&self, service: Service<'_>) -> Result<Base, Error> {
        match service {
            Service::Ack(region) => self.endpoints.ack(region).ok_or_else(|| Error::Region(region.clone())),
            Service::Sts => Ok(self.endpoints.sts()),
        }
    }

    /// Asks for nothing in particular, and answers the time that whoever answers tells.
    pub async fn reach(&self, region: &Region) -> Result<Option<Timestamp>, Error> {
        let base = self.base(Service::Ack(region))?;
        let pair = if base.loopback { &self.direct } else { &self.proxied };
        let answer = pair.pooled.get(format!("{}/", base.origin)).send().await;
        answer.map(|answer| gateway_date(answer.headers())).map_err(|error| broken(&base.host, error))
    }

    /// Signs `call` with `date` and `nonce`, and sends it once.
    pub async fn attempt(
        &self,
        call: &Call<'_>,
        keys: Keys<'_>,
        secrets: &Secrets,
        date: Timestamp,
        nonce: &str,
    ) -> Attempt {
        let begun = Instant::now();
        let sent = match self.base(call.service) {
            Err(error) => Err(error),
            Ok(base) => {
                let answer = self.request(call, keys, &base, date, nonce).send().await;
                answer.map(|answer| (base.host.clone(), answer)).map_err(|error| broken(&base.host, error))
            }
        };
        let elapsed = begun.elapsed();
        let (outcome, date) = match sent {
            Err(error) => (Err(error), None),
            Ok((host, answer)) => read(host, answer, elapsed, call, secrets).await,
        };
        Attempt { outcome, date, elapsed }
    }

    fn request(
        &self,
        call: &Call<'_>,
        keys: Keys<'_>,
        base: &Base,
        date: Timestamp,
        nonce: &str,
    ) -> reqwest::RequestBuilder {
        let (scheme, version) = match (self.endpoints.signature, call.service) {
            (Algorithm::Acs3, Service::Ack(_)) => (Scheme::Acs3, "2015-12-15"),
            (Algorithm::Acs3, Service::Sts) => (Scheme::Acs3, "2015-04-01"),
            (Algorithm::Roa, Service::Ack(_)) => (Scheme::Roa, "2015-12-15"),
            (Algorithm::Roa, Service::Sts) => (Scheme::Rpc, "2015-04-01"),
        };
        let body = call.body.as_ref().map(Value::to_string);
        let unsigned = Unsigned {
            scheme,
            action: call.operation,
            version,
            method: call.method.as_str(),
            host: &base.host,
            path: &call.path,
            query: &call.query,
            body: body.as_deref().map(str::as_bytes),
            date,
            nonce,
        };
        let signed = unsigned.sign(keys);
        let query = if signed.query.is_empty() { String::new() } else { format!("?{}", signed.query) };
        let pair = if base.loopback { &self.direct } else { &self.proxied };
        let client = if call.changes() { &pair.fresh } else { &pair.pooled };
        let mut request = client.request(call.method.clone(), format!("{}{}{query}", base.origin, call.path));
        for (name, value) in signed.headers {
            let secret = ["authorization", "x-acs-security-token", "x-acs-accesskey-id"].contains(&name.as_str());
            request = match HeaderValue::from_str(&value) {
                Ok(mut value) => {
                    value.set_sensitive(secret);
                    request.header(name, value)
                }
                // The builder keeps the error and gives it when the request is sent.
                Err(_) => request.header(name, value),
            };
        }
        match body {
            Some(body) => request.body(body),
            None => request,
        }
    }
}

async fn read(
    host: String,
    mut answer: reqwest::Response,
    elapsed: Duration,
    call: &Call<'_>,
    secrets: &Secrets,
) -> (Result<Reply, Error>, Option<Timestamp>) {
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let date = gateway_date(&headers);
    let request_id = header(&headers, "x-acs-request-id").map(|id| super::redact::cut(&id, 100));
    let mut reply = Reply { status: status.as_u16(), date, elapsed, request_id, body: Vec::new(), host };
    loop {
        match answer.chunk().await {
            Ok(None) => break,
            Ok(Some(bytes)) => reply.body.extend_from_slice(&bytes),
            Err(error) => return (Err(broken(&reply.host, error)), None),
        }
        if reply.body.len() > LONGEST_ANSWER {
            return (Err(reply.unreadable("it is longer than 4 MiB")), None);
        }
    }
    if status.is_success() {
        return (Ok(reply), date);
    }
    if status.is_redirection() {
        return (Err(reply.unreadable("it is a redirect, and those are not followed")), None);
    }
    let mut secrets = secrets.clone();
    secrets.add_body(call.body.as_ref().unwrap_or(&Value::Null));
    let refusal = Refusal::read(call.op, reply.status, &headers, &reply.body, &secrets);
    // A proxy's clock is not the gateway's: only who names a code is believed.
    let date = date.filter(|_| refusal.kind != Code::Absent);
    (Err(Error::Refused(Box::new(refusal))), date)
}

pub(super) fn gateway_date(headers: &HeaderMap) -> Option<Timestamp> {
    const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(header(headers, "date")?).ok().filter(|date| reckonable(*date))
}

/// Only a failure to connect is certain to have come before the first byte of the request. A request that could not be
/// built counts as one: it never left.
fn broken(host: &str, error: reqwest::Error) -> Error {
    let never_left = error.is_connect() || error.is_builder();
    // The URL may hold the signature of a request to STS.
    let (host, source) = (host.to_owned(), Arc::new(error.without_url()));
    match never_left {
        true => Error::Connect { host, source },
        false => Error::Lost { host, source },
    }
}
