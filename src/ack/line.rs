//! One account's line to the cloud: its keys, its turn (budget and slots of each region), its notion of the gateway's clock, and the
//! retries of reads. Never repeats a change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::SemaphorePermit;

use super::budget::{TooLong, Turn, Urgency};
use super::code::Code;
use super::credentials::Credentials;
use super::error::Error;
use super::gate::{Budget, Gate, lock};
use super::http::{Call, Reply, STS, Wire};
use super::redact::{self, Secrets};
use super::{Answer, Stamp, json, refusal};
use crate::terms::{Class, Region};

/// Attempts after the first that a read may take.
const RETRIES: u32 = 2;

/// A wait that a read still sits out inside a pass; a longer one is the caller's to plan.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// How long a change may wait for its turn in the queue, where its place is its own.
const LONG_WAIT: Duration = Duration::from_secs(120);

/// Regions that are remembered for one set of keys. Nobody has so many; a spec can name any number.
const PLACES: usize = 64;

/// The operation whose refusals say nothing of the keys in general.
const KUBECONFIG: &str = "DescribeClusterUserKubeconfig";

pub(super) struct Line {
    wire: Arc<Wire>,
    pub credentials: Credentials,
    pub secrets: Secrets,
    /// Whose budget is used up by calls: once ACK has taken any, that of the access key.
    identity: String,
    fingerprint: String,
    proven: AtomicBool,
    /// Whose keys these are, once it is known.
    caller: OnceLock<String>,
    clock: Mutex<Arc<Clock>>,
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// Gateway minus local, from the last answer that told.
#[derive(Debug, Default)]
pub(super) struct Clock(Mutex<Option<SignedDuration>>);

/// One region, or STS, for these keys.
struct Place {
    budget: Arc<Budget>,
    /// The keys were not accepted here, at that moment and with that error.
    barred: Mutex<Option<(Instant, Error)>>,
}

impl Place {
    /// Why the keys are not tried here for now.
    fn bar(&self, lasts: Duration) -> Result<(), Error> {
        match &*self.barred.lock().expect("nothing panics while it holds this lock") {
            Some((since, error)) if since.elapsed() < lasts => Err(error.clone()),
            Some(_) | None => Ok(()),
        }
    }

    /// Notes whether the keys were accepted. What says nothing of them leaves what was known.
    fn note(&self, call: &Call<'_>, outcome: &Result<Reply, Error>) {
        let barred = match outcome {
            // A cluster may refuse a kubeconfig in words that are used for keys; the region knows these all the same.
            _ if call.operation == KUBECONFIG => return,
            Ok(_) => None,
            Err(error) => match error.kind() {
                Some(code) if code.blames_keys() => Some((Instant::now(), error.clone())),
                Some(Code::Absent) | None => return,
                Some(_) => None,
            },
        };
        *self.barred.lock().expect("nothing panics while it holds this lock") = barred;
    }

    fn gate(&self, call: &Call<'_>) -> &Gate {
        if call.changes() { &self.budget.changes } else { &self.budget.reads }
    }
}

impl Line {
    pub fn new(wire: Arc<Wire>, credentials: Credentials) -> Self {
        let (secrets, identity) = (credentials.secrets(), credentials.identity());
        let fingerprint = credentials.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let (clock, places, proven, caller) = Default::default();
        Self { wire, credentials, secrets, identity, fingerprint, proven, caller, clock, places }
    }

    pub fn clock(&self) -> Arc<Clock> {
        lock(&self.clock).clone()
    }

    /// From now on calls use up the budget of that caller, and go by his clock.
    pub fn belongs_to(&self, caller: &str, clock: &Arc<Clock>) {
        if !Arc::ptr_eq(clock, &self.clock()) {
            let ours = self.clock_offset();
            let mut theirs = lock(&clock.0);
            *theirs = ours.or(*theirs);
            drop(theirs);
            *lock(&self.clock) = clock.clone();
        }
        if self.caller.set(caller.to_owned()).is_ok() {
            self.prove();
        }
    }

    pub fn clock_offset(&self) -> Option<SignedDuration> {
        *lock(&self.clock().0)
    }

    /// Whose budget is used up.
    fn whose(&self) -> &str {
        match self.caller.get() {
            Some(caller) => caller,
            None if self.proven.load(Ordering::Acquire) => &self.identity,
            None => &self.fingerprint,
        }
    }

    pub fn gateway_now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.clock_offset().unwrap_or_default()).unwrap_or(now)
    }

    /// Reads, at most three times; `decode` gets whole answers only. With a stamp it is one attempt, signed with that.
    pub async fn read<T>(
        &self,
        lane: &Arc<str>,
        call: &Call<'_>,
        stamp: Option<&Stamp>,
        decode: impl Fn(&Reply, &Value) -> Result<T, &'static str>,
    ) -> Result<Answer<T>, Error> {
        let mut retries = 0;
        loop {
            let outcome = match self.attempt(lane, call, stamp).await {
                Err(error) => Err(error),
                Ok(reply) => self.read_whole(&reply, &decode),
            };
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match pause(&error, retries) {
                Some(pause) if stamp.is_none() && retries < RETRIES => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
            retries += 1;
        }
    }

    /// Changes something: one attempt. An empty answer is `null` for `decode`.
    pub async fn change<T>(
        &self,
        lane: &Arc<str>,
        call: &Call<'_>,
        stamp: Option<&Stamp>,
        decode: impl Fn(&Value) -> Result<T, &'static str>,
    ) -> Result<Answer<T>, Error> {
        let reply = self.attempt(lane, call, stamp).await?;
        let empty = reply.body.trim_ascii().is_empty();
        let body = match empty {
            true => Value::Null,
            false => self.parse(&reply)?,
        };
        let value = decode(&body).map_err(|what| reply.unreadable(if empty { "it is empty" } else { what }))?;
        // The change is made, whether the answer tells the time or not.
        Ok(Answer { value, date: reply.date.unwrap_or_else(|| self.gateway_now()), request_id: id_of(&reply, &body) })
    }

    fn read_whole<T>(
        &self,
        reply: &Reply,
        decode: impl Fn(&Reply, &Value) -> Result<T, &'static str>,
    ) -> Result<Answer<T>, Error> {
        let body = self.parse(reply)?;
        let value = decode(reply, &body).map_err(|what| reply.unreadable(what))?;
        // What is read proves something only together with the gateway's time.
        let date = reply.date.ok_or_else(|| reply.unreadable("it has no date"))?;
        Ok(Answer { value, date, request_id: id_of(reply, &body) })
    }

    /// The answer's JSON. One that holds an error's code and names no cluster is no good answer, whatever its status.
    fn parse(&self, reply: &Reply) -> Result<Value, Error> {
        let body = json::parse(&reply.body).map_err(|error| reply.unreadable(not_json(&error)))?;
        match body.as_object().and_then(refusal::disguised) {
            None => Ok(body),
            Some((code, message)) => {
                let said = self.secrets.clean(&format!("it is the error {code}: {message}"));
                Err(reply.unreadable(redact::cut(&said, 300)))
            }
        }
    }

    async fn attempt(&self, lane: &Arc<str>, call: &Call<'_>, stamp: Option<&Stamp>) -> Result<Reply, Error> {
        let place = self.place(call.place());
        // One region may not know a key that another serves: only STS speaks for all.
        for place in [&place, &self.place(STS)] {
            place.bar(self.wire.endpoints.limits.barred)?;
        }
        let _slot = self.slot(lane, call, &place).await?;
        let now = self.gateway_now();
        if let Some(stamp) = stamp.filter(|stamp| call.changes() && now > stamp.not_after) {
            return Err(Error::TooLate { not_after: stamp.not_after });
        }
        let fresh;
        let stamp = match stamp {
            Some(stamp) => stamp,
            None => {
                fresh = Stamp::fresh(now, now);
                &fresh
            }
        };
        let begun = Timestamp::now();
        let keys = self.credentials.keys();
        let attempt = self.wire.attempt(call, keys, &self.secrets, stamp.date, stamp.nonce.as_str()).await;
        if let Some(date) = attempt.date {
            self.learn(date, begun, attempt.elapsed);
        }
        trace(call, &attempt.outcome, begun);
        let code = attempt.outcome.as_ref().map_or_else(|error| error.class().word(), |_| "OK");
        self.wire.calls.get_or_create(&[("action", call.operation), ("code", code)]).inc();
        place.note(call, &attempt.outcome);
        if attempt.outcome.is_ok() && !self.proven.swap(true, Ordering::AcqRel) {
            self.prove();
        }
        if let Err(error) = &attempt.outcome
            && error.class() == Class::Throttled
        {
            let wait = error.retry_after().unwrap_or_default();
            lock(&place.gate(call).queue).throttled(Instant::now(), wait);
        }
        attempt.outcome
    }

    /// Waits for the turn of a change, and takes it.
    pub async fn turn(
        &self,
        region: &Region,
        lane: &Arc<str>,
        urgency: Urgency,
        patience: Duration,
    ) -> Result<Turn, Error> {
        let place = self.place(region.as_str());
        let turn = place.budget.changes.pass(lane, urgency, patience.min(LONG_WAIT)).await;
        turn.map_err(|late| too_long(region.as_str(), late))?;
        Ok(Turn(region.clone()))
    }

    /// The turn of a change, where nobody waits for one.
    pub fn turn_at_once(&self, region: &Region) -> Option<Turn> {
        let free = lock(&self.place(region.as_str()).budget.changes.queue).at_once(Instant::now());
        free.then(|| Turn(region.clone()))
    }

    /// The error that a change meets while ACK wants to be left alone for long.
    pub fn held(&self, region: &Region) -> Option<Error> {
        let held = lock(&self.place(region.as_str()).budget.changes.queue).held(Instant::now());
        held.map(|wait| Error::Held { place: region.to_string(), wait })
    }

    /// About how long a change would wait for its turn.
    pub fn expected(&self, region: &Region, lane: &Arc<str>, urgency: Urgency) -> Duration {
        lock(&self.place(region.as_str()).budget.changes.queue).expected(Instant::now(), lane, urgency)
    }

    /// Waits for a token, where the call does not have its turn yet, and then for a slot, so that nobody holds a slot while
    /// waiting.
    async fn slot<'p>(&self, lane: &Arc<str>, call: &Call<'_>, place: &'p Place) -> Result<SemaphorePermit<'p>, Error> {
        if !call.in_turn {
            let turn = place.gate(call).pass(lane, Urgency::Read, self.wire.endpoints.timeout).await;
            turn.map_err(|late| too_long(call.place(), late))?;
        }
        match tokio::time::timeout(self.wire.endpoints.timeout, place.gate(call).slots.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::Slots),
        }
    }

    /// More is known of whose budget it is.
    fn prove(&self) {
        for (name, place) in &mut *lock(&self.places) {
            let budget = self.wire.budgets.of(self.whose(), name, self.wire.endpoints.limits);
            let barred = lock(&place.barred).clone();
            *place = Arc::new(Place { budget, barred: Mutex::new(barred) });
        }
    }

    fn place(&self, name: &str) -> Arc<Place> {
        let mut places = lock(&self.places);
        if places.len() >= PLACES && !places.contains_key(name) {
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let budget = || self.wire.budgets.of(self.whose(), name, self.wire.endpoints.limits);
        let new = || Arc::new(Place { budget: budget(), barred: Mutex::default() });
        places.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// The date was made at some time between `begun` and the answer's arrival, and had its fraction cut off: the middle
    /// of both is the best guess, off by at most half a second and half of `elapsed`.
    fn learn(&self, date: Timestamp, begun: Timestamp, elapsed: Duration) {
        let half = SignedDuration::try_from(elapsed / 2).unwrap_or_default();
        let offset = date.duration_since(begun) - half + SignedDuration::from_millis(500);
        *lock(&self.clock().0) = Some(offset);
    }
}

fn too_long(place: &str, late: TooLong) -> Error {
    let place = place.to_owned();
    match late {
        TooLong::Queued(wait) => Error::Queued { place, wait },
        TooLong::Held(wait) => Error::Held { place, wait },
    }
}

fn id_of(reply: &Reply, body: &Value) -> Option<String> {
    super::model::request_id(body).or_else(|| reply.request_id.clone())
}

fn not_json(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "it is empty or ends too early".to_owned(),
        serde_json::error::Category::Data => format!("in its JSON, {error}"),
        _ => "it is not JSON".to_owned(),
    }
}

/// How long to wait before a read is tried again; `None`: that would not help now.
fn pause(error: &Error, retries: u32) -> Option<Duration> {
    // The refusal itself told the gateway's time, so the next attempt is signed with it.
    if error.kind() == Some(Code::DateExpired) {
        return (retries == 0).then_some(Duration::ZERO);
    }
    let again = match error {
        Error::Refused(_) => [Class::Transient, Class::Throttled].contains(&error.class()),
        // After a timeout the next attempt would hold its slot just as long.
        Error::Connect { source, .. } | Error::Lost { source, .. } => !source.is_timeout(),
        Error::Unreadable { .. } => true,
        Error::TooLate { .. }
        | Error::Queued { .. }
        | Error::Held { .. }
        | Error::Slots
        | Error::Region(_)
        | Error::Misstated { .. }
        | Error::Unstated => false,
    };
    let asked = error.retry_after().unwrap_or_default();
    (again && asked <= SHORT_WAIT).then(|| {
        let base = Duration::from_millis(200 << retries);
        // A system without random numbers could not sign either; without jitter it is merely less polite.
        let jitter = getrandom::u32().unwrap_or_default();
        asked.max(base) + base.mul_f64(f64::from(jitter) / f64::from(u32::MAX))
    })
}

fn trace(call: &Call<'_>, outcome: &Result<Reply, Error>, begun: Timestamp) {
    let (status, code, request_id) = match outcome {
        Ok(reply) => (Some(reply.status), None, reply.request_id.as_deref()),
        Err(Error::Refused(refusal)) => (Some(refusal.status), Some(refusal.code.as_str()), outcome_id(outcome)),
        Err(Error::Unreadable { status, .. }) => (Some(*status), Some("unreadable"), outcome_id(outcome)),
        Err(Error::Connect { .. }) => (None, Some("connect"), None),
        Err(_) => (None, Some("lost"), None),
    };
    let ms = Timestamp::now().duration_since(begun).as_millis();
    tracing::trace!(
        operation = call.operation,
        region = call.place(),
        status,
        code,
        request_id,
        ms = ms as i64,
        "call"
    );
}

fn outcome_id(outcome: &Result<Reply, Error>) -> Option<&str> {
    outcome.as_ref().err().and_then(Error::request_id)
}
