//! The HTTP face: takes a request in, lets faults strike, has it admitted and carried out, keeps the journal, writes the
//! answer. Knows no operation by name.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response};
use jiff::SignedDuration;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::AccessKey;
use crate::clock::{Clock, Now, http_date};
use crate::control;
use crate::faults::{Copied, Do, Facts, Faults, Raw, ShapeWord, Status, When, Word};
use crate::journal::{self, JournalEntry};
use crate::operations::{self, Body, Call, Operation};
use crate::received::Received;
use crate::refusal::Refusal;
use crate::said::{Said, spoil};
use crate::settings::Settings;
use crate::sign::{self, Claim, Gate, hex};
use crate::world::World;

/// All that the emulator knows.
#[derive(Debug)]
pub struct State {
    pub world: World,
    pub settings: Settings,
    pub clock: Clock,
    pub gate: Gate,
    pub faults: Faults,
    pub journal: Vec<JournalEntry>,
}

impl State {
    /// This moment, with everything done that was due.
    pub fn now(&mut self) -> Now {
        let now = self.clock.now();
        self.world.tick(&self.settings, &now);
        now
    }
}

/// What all ports share.
#[derive(Debug)]
pub struct Face {
    pub keys: Vec<AccessKey>,
    state: Mutex<State>,
}

/// What becomes of a call on the wire.
enum Sent {
    Answer(Response<Said>),
    /// The connection is closed without an answer.
    Cut,
    /// The connection stays open without an answer.
    Hang,
    /// These bytes, which need be no answer.
    Raw(Raw),
}

/// The connection has to be closed, or to end as a rule says.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
pub struct Cut(pub Option<Raw>);

/// A call on its way: its place in the journal and what it claims.
struct Visit<'a> {
    number: usize,
    request: &'a Received,
    claim: Result<Claim, Refusal>,
    found: Result<(&'static Operation, Vec<String>), Refusal>,
    request_id: String,
}

impl Face {
    /// A face over an empty world.
    pub fn new(keys: Vec<AccessKey>, settings: Settings, scale: f64) -> Face {
        let state = State {
            world: World::default(),
            settings,
            clock: Clock::new(scale),
            gate: Gate::default(),
            faults: Faults::default(),
            journal: Vec::new(),
        };
        Face { keys, state: Mutex::new(state) }
    }

    /// The state, whatever became of the last one who held it.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one request. The call runs apart from the connection, so a client that goes away stops nothing.
    ///
    /// # Errors
    /// `Cut`: the connection is to be closed without an answer.
    pub async fn serve(
        self: Arc<Self>,
        region: Option<String>,
        request: Request<Incoming>,
    ) -> Result<Response<Said>, Cut> {
        let (head, body) = request.into_parts();
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = head.headers.iter().map(header).collect();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let body = Limited::new(body, 1 << 20).collect().await;
        let Ok(body) = body.map(|body| body.to_bytes()) else {
            return Ok(plain(413, "the body is longer than 1 MiB, or broken off"));
        };
        let mut received = Received::new(head.method.as_str(), target, headers, body);
        received.port_region = region;
        if received.path.starts_with(control::PREFIX) {
            return Ok(control::answer(&self, &received));
        }
        let sent = tokio::spawn(async move { self.attempt(&received, false).await }).await;
        match sent {
            Ok(Sent::Answer(response)) => Ok(response),
            Ok(Sent::Hang) => std::future::pending::<Result<_, Infallible>>().await.map_err(|_| Cut(None)),
            Ok(Sent::Raw(raw)) => Err(Cut(Some(raw))),
            Ok(Sent::Cut) | Err(_) => Err(Cut(None)),
        }
    }

    /// One delivery of a request: arrival, what strikes before, the call itself, what strikes after.
    async fn attempt(&self, request: &Received, copy: bool) -> Sent {
        let (visit, fired) = self.arrive(request, copy);
        let (before, after): (Vec<_>, Vec<_>) = fired.into_iter().partition(|(when, _)| *when == When::Before);
        let mut slow = SignedDuration::ZERO;
        let (mut answer_of, mut spoilt) = (None, None);
        for (_, action) in before {
            match action {
                Do::Word(Word::Drop) => return Sent::Cut,
                Do::Word(Word::Hang) => return Sent::Hang,
                Do::Word(Word::Duplicate) => answer_of = Some(Copied::Second),
                Do::Duplicate(choice) => answer_of = Some(choice.duplicate),
                Do::Hold(hold) => sleep(hold.hold).await,
                Do::Delay(delay) => slow = slow.max(delay.delay),
                Do::Mangle(mangle) => spoilt = Some(mangle.mangle),
                Do::Raw(raw) => return Sent::Raw(raw),
                Do::Status(status) => return Sent::Answer(self.instead(&visit, &status)),
            }
        }
        let mut sent = self.carry_out(&visit, slow).await;
        for (_, action) in after {
            match action {
                Do::Word(word @ (Word::Drop | Word::Hang)) => {
                    self.close(visit.number, 0, "", None);
                    sent = if word == Word::Drop { Sent::Cut } else { Sent::Hang };
                }
                Do::Word(Word::Duplicate) => answer_of = Some(Copied::Second),
                Do::Duplicate(choice) => answer_of = Some(choice.duplicate),
                Do::Delay(wait) => sleep(wait.delay).await,
                Do::Hold(wait) => sleep(wait.hold).await,
                Do::Mangle(mangle) => spoilt = Some(mangle.mangle),
                Do::Raw(raw) => {
                    self.close(visit.number, 0, "", None);
                    sent = Sent::Raw(raw);
                }
                Do::Status(status) => sent = Sent::Answer(self.instead(&visit, &status)),
            }
        }
        sent = match (sent, spoilt) {
            (Sent::Answer(answer), Some(way)) => Sent::Answer(spoil(answer, way)),
            (sent, _) => sent,
        };
        match answer_of {
            None => sent,
            Some(choice) => {
                let second = Box::pin(self.attempt(request, true)).await;
                if choice == Copied::First { sent } else { second }
            }
        }
    }

    /// Writes the call into the journal and asks what strikes it.
    fn arrive<'r>(&self, request: &'r Received, copy: bool) -> (Visit<'r>, Vec<(When, Do)>) {
        let claim = sign::claim(request);
        let found = operations::find(&request.method, &request.path, request.action().as_deref());
        let mut state = self.lock();
        let now = state.now();
        let number = state.journal.len() + 1;
        let access_key = claim.as_ref().map(|claim| claim.access_key.clone()).unwrap_or_default();
        let account = self.keys.iter().find(|key| key.id == access_key).map(|key| key.account.clone());
        let (operation, path) = (found.as_ref().map_or("", |(row, _)| row.name), request.target());
        let (account, region) = (account.unwrap_or_default(), region_of(request, &state.world));
        let facts = Facts { operation, region: &region, account: &account, access_key: &access_key, path: &path };
        let fired = state.faults.strike(&facts, copy);
        let request_id = request_id(number, now);
        let claimed = claim.as_ref().ok();
        let (cluster, body) = found.as_ref().map(|(row, ids)| journal::subject(row, ids, request)).unwrap_or_default();
        state.journal.push(JournalEntry {
            number,
            operation: operation.into(),
            cluster,
            body,
            status: 0,
            code: String::new(),
            took_effect: false,
            method: request.method.clone(),
            signature: claimed.map(|claim| claim.scheme.word()).unwrap_or_default().into(),
            nonce: claimed.and_then(|claim| claim.nonce.clone()).unwrap_or_default(),
            date: claimed.and_then(|claim| claim.date.clone()).unwrap_or_default(),
            request_id: request_id.clone(),
            received: now.gateway.to_string(),
            world: now.world.to_string(),
            account,
            region,
            access_key,
            path,
        });
        (Visit { number, request, claim, found, request_id }, fired)
    }

    /// The gateway's checks, then, `slow` later, the operation.
    async fn carry_out(&self, visit: &Visit<'_>, slow: SignedDuration) -> Sent {
        let key = match self.admit(visit) {
            Ok(key) => key,
            Err(refusal) => return Sent::Answer(self.refuse(visit, &refusal)),
        };
        sleep(slow).await;
        let outcome = self.run(visit, key);
        Sent::Answer(match outcome {
            Ok((body, changes)) => {
                self.close(visit.number, 200, "", Some(changes));
                if let Some(made) = body["cluster_id"].as_str().filter(|_| changes) {
                    self.lock().journal[visit.number - 1].cluster = made.into();
                }
                self.respond(visit, 200, body.to_string())
            }
            Err(refusal) => self.refuse(visit, &refusal),
        })
    }

    fn admit(&self, visit: &Visit<'_>) -> Result<&AccessKey, Refusal> {
        let claim = visit.claim.as_ref().map_err(Clone::clone)?;
        let mut state = self.lock();
        let now = state.now();
        let State { gate, settings, .. } = &mut *state;
        gate.admit(visit.request, claim, &self.keys, settings, now.gateway)
    }

    fn run(&self, visit: &Visit<'_>, key: &AccessKey) -> Result<(Value, bool), Refusal> {
        let (row, ids) = visit.found.as_ref().map_err(Clone::clone)?;
        let request = visit.request;
        let version = request.header("x-acs-version").or(request.query("Version"));
        let wanted = if row.path == "/" { "2015-04-01" } else { "2015-12-15" };
        if version.is_some_and(|version| version != wanted) {
            return Err(Refusal::gateway(400, "InvalidVersion", format!("the version must be {wanted}")));
        }
        let body = match row.body {
            Body::None => Value::Null,
            Body::Object => serde_json::from_slice(&request.body)
                .map_err(|error| Refusal::invalid(format!("the body is not JSON: {error}")))?,
        };
        let mut state = self.lock();
        let now = state.now();
        let State { world, settings, .. } = &mut *state;
        let call = Call {
            now,
            settings,
            key,
            port_region: request.port_region.as_deref(),
            ids: ids.clone(),
            query: &request.query,
            body: &body,
            request_id: &visit.request_id,
        };
        let clusters = world.clusters.len();
        let answer = (row.run)(world, &call)?;
        // A create request that a client token makes a repetition gives the first answer and changes nothing.
        let repeated = row.name == "CreateCluster" && world.clusters.len() == clusters;
        Ok((answer, row.changes && !repeated))
    }

    fn refuse(&self, visit: &Visit<'_>, refusal: &Refusal) -> Response<Said> {
        self.close(visit.number, refusal.status, &refusal.code, None);
        let operation = visit.found.as_ref().map_or("", |(row, _)| row.name);
        let host = visit.request.header("host").unwrap_or_default();
        let body = refusal.body(operation, &visit.request_id, host);
        self.respond(visit, refusal.status, body.to_string())
    }

    /// The answer that a fault puts in the place of the true one.
    fn instead(&self, visit: &Visit<'_>, status: &Status) -> Response<Said> {
        self.close(visit.number, status.status, &status.code, None);
        let mut refusal = Refusal::gateway(status.status, &status.code, &status.message);
        if status.shape == Some(ShapeWord::Ack) {
            refusal = Refusal::ack(status.status, &status.code, &status.message);
        }
        let operation = visit.found.as_ref().map_or("", |(row, _)| row.name);
        let host = visit.request.header("host").unwrap_or_default();
        let made = || refusal.body(operation, &visit.request_id, host);
        let mut response = self.respond(visit, status.status, status.text(&visit.request_id, made));
        for (name, value) in &status.headers {
            let (name, value) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().insert(name, value);
            }
        }
        match status.headers.keys().any(|name| name.eq_ignore_ascii_case("content-length")) {
            true => response.map(Said::unmeasured),
            false => response,
        }
    }

    /// Completes a journal entry; `took_effect` stays what it was when it is `None`.
    fn close(&self, number: usize, status: u16, code: &str, took_effect: Option<bool>) {
        let mut state = self.lock();
        let entry = &mut state.journal[number - 1];
        entry.status = status;
        entry.code = code.into();
        entry.took_effect = took_effect.unwrap_or(entry.took_effect);
    }

    fn respond(&self, visit: &Visit<'_>, status: u16, body: String) -> Response<Said> {
        let date = http_date(self.lock().clock.now().gateway);
        let kind = if body.trim_start().starts_with('<') { "text/html" } else { "application/json" };
        let response = Response::builder()
            .status(status)
            .header("content-type", format!("{kind};charset=utf-8"))
            .header("date", date)
            .header("x-acs-request-id", &visit.request_id)
            .body(Said::new(body));
        response.expect("the status of a rule is checked when it is set, the rest is plain ASCII")
    }
}

/// Where a call wants to go: the port's region, else the one that the request names or its cluster lives in.
fn region_of(request: &Received, world: &World) -> String {
    if let Some(region) = &request.port_region {
        return region.clone();
    }
    let segments: Vec<&str> = request.path.split('/').collect();
    let named = segments.iter().position(|part| *part == "regions").and_then(|at| segments.get(at + 1));
    let body = || serde_json::from_slice::<Value>(&request.body).ok()?["region_id"].as_str().map(str::to_owned);
    let cluster = || world.clusters.iter().find(|cluster| segments.contains(&cluster.id.as_str()));
    let task = || world.tasks.iter().find(|task| segments.contains(&task.id.as_str()));
    let region = named.map(|region| (*region).to_owned()).or_else(|| request.query("region_id").map(str::to_owned));
    let region = region.or_else(|| cluster().map(|cluster| cluster.region.clone())).or_else(body);
    region.or_else(|| task().map(|task| world.clusters[task.cluster].region.clone())).unwrap_or_default()
}

/// An upper-case UUID by form.
fn request_id(number: usize, now: Now) -> String {
    let digits = hex(&Sha256::digest(format!("{number} {}", now.gateway.as_nanosecond()))).to_uppercase();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..32]].join("-")
}

fn plain(status: u16, text: &'static str) -> Response<Said> {
    let mut response = Response::new(Said::new(text));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}

async fn sleep(time: SignedDuration) {
    if let Ok(time) = Duration::try_from(time)
        && !time.is_zero()
    {
        tokio::time::sleep(time).await;
    }
}
