//! One account's line to the cloud: its keys, its turn (budget and slots of each region), its notion of the gateway's clock, and the
//! retries of reads. Never repeats a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use super::budget::{Limits, Queue, Rate, TooLong, Turn, Urgency};
use super::code::Code;
use super::credentials::Credentials;
use super::error::Error;
use super::http::{Call, Reply, STS, Wire};
use super::redact::{self, Secrets};
use super::{Answer, Stamp, json, refusal};
use crate::terms::{Class, Region};

/// Attempts after the first that a read may take.
const RETRIES: u32 = 2;

/// A wait that a read still sits out inside a pass; a longer one is the caller's to plan.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// How long a change may wait for its turn. It waits in the queue, where its place is its own, and not again and again.
const LONG_WAIT: Duration = Duration::from_secs(600);

/// The operation whose refusals say nothing of the keys in general.
const KUBECONFIG: &str = "DescribeClusterUserKubeconfig";

pub(super) struct Line {
    wire: Arc<Wire>,
    pub credentials: Credentials,
    pub secrets: Secrets,
    /// Whose budget is used up by calls.
    identity: String,
    /// Gateway minus local, from the last answer that told.
    offset: Mutex<Option<SignedDuration>>,
    places: Mutex<HashMap<String, Arc<Place>>>,
}

/// What one region, or STS, bears of one identity. Each has its own, so that one that hangs or throttles holds up no other.
struct Budget {
    reads: Gate,
    changes: Gate,
    slots: Semaphore,
}

/// Budgets of every identity, by that and the place. An access key has one, whatever else a Secret says beside it.
#[derive(Default)]
pub(super) struct Budgets(Mutex<HashMap<(String, String), Weak<Budget>>>);

impl Budgets {
    fn of(&self, identity: &str, place: &str, limits: Limits) -> Arc<Budget> {
        let mut known = self.0.lock().expect("nothing panics while it holds this lock");
        let key = (identity.to_owned(), place.to_owned());
        if let Some(budget) = known.get(&key).and_then(Weak::upgrade) {
            return budget;
        }
        known.retain(|_, budget| budget.strong_count() > 0);
        let budget = Arc::new(Budget {
            reads: Gate::new(limits.reads),
            changes: Gate::new(limits.changes),
            slots: Semaphore::new(limits.slots.max(1)),
        });
        known.insert(key, Arc::downgrade(&budget));
        budget
    }
}

/// Lets calls through one after the other, each in its turn.
struct Gate(Arc<Mutex<Queue<oneshot::Sender<()>>>>);

impl Gate {
    fn new(rate: Rate) -> Gate {
        Gate(Arc::new(Mutex::new(Queue::new(rate))))
    }

    async fn pass(&self, lane: &Arc<str>, urgency: Urgency, patience: Duration) -> Result<(), TooLong> {
        let turn = {
            let mut queue = lock(&self.0);
            let now = Instant::now();
            if queue.at_once(now) {
                return Ok(());
            }
            let (call, turn) = oneshot::channel();
            queue.join(now, lane, urgency, patience, call)?;
            if !std::mem::replace(&mut queue.served, true) {
                tokio::spawn(serve(self.0.clone()));
            }
            turn
        };
        // The one who hands out turns ends only when nobody waits.
        let _ = turn.await;
        Ok(())
    }
}

/// Hands out turns until nobody waits for one.
async fn serve(queue: Arc<Mutex<Queue<oneshot::Sender<()>>>>) {
    loop {
        let wait = {
            let mut queue = lock(&queue);
            match queue.next(Instant::now(), |call| call.send(()).is_ok()) {
                Ok(Some(())) => continue,
                Ok(None) => {
                    queue.served = false;
                    return;
                }
                Err(wait) => wait,
            }
        };
        // A timer may be early by its own fineness.
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}

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
        let (offset, places) = Default::default();
        Self { wire, credentials, secrets, identity, offset, places }
    }

    pub fn clock_offset(&self) -> Option<SignedDuration> {
        *self.offset.lock().expect("nothing panics while it holds this lock")
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
        if let Err(error) = &attempt.outcome
            && error.class() == Class::Throttled
        {
            let wait = error.retry_after().unwrap_or_default();
            lock(&place.gate(call).0).throttled(Instant::now(), wait);
        }
        attempt.outcome
    }

    /// Waits for the turn of a change, and takes it.
    pub async fn turn(&self, region: &Region, lane: &Arc<str>, urgency: Urgency) -> Result<Turn, Error> {
        let place = self.place(region.as_str());
        let turn = place.budget.changes.pass(lane, urgency, LONG_WAIT).await;
        turn.map_err(|late| too_long(region.as_str(), late))?;
        Ok(Turn(region.clone()))
    }

    /// About how long a change would wait for its turn.
    pub fn expected(&self, region: &Region, lane: &Arc<str>, urgency: Urgency) -> Duration {
        lock(&self.place(region.as_str()).budget.changes.0).expected(Instant::now(), lane, urgency)
    }

    /// Waits for a token, where the call does not have its turn yet, and then for a slot, so that nobody holds a slot while
    /// waiting.
    async fn slot<'p>(&self, lane: &Arc<str>, call: &Call<'_>, place: &'p Place) -> Result<SemaphorePermit<'p>, Error> {
        if !call.in_turn {
            let turn = place.gate(call).pass(lane, Urgency::Read, self.wire.endpoints.timeout).await;
            turn.map_err(|late| too_long(call.place(), late))?;
        }
        match tokio::time::timeout(self.wire.endpoints.timeout, place.budget.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::Slots),
        }
    }

    fn place(&self, name: &str) -> Arc<Place> {
        let mut places = self.places.lock().expect("nothing panics while it holds this lock");
        let budget = || self.wire.budgets.of(&self.identity, name, self.wire.endpoints.limits);
        let new = || Arc::new(Place { budget: budget(), barred: Mutex::default() });
        places.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// The date was made at some time between `begun` and the answer's arrival, and had its fraction cut off: the middle
    /// of both is the best guess, off by at most half a second and half of `elapsed`.
    fn learn(&self, date: Timestamp, begun: Timestamp, elapsed: Duration) {
        let half = SignedDuration::try_from(elapsed / 2).unwrap_or_default();
        let offset = date.duration_since(begun) - half + SignedDuration::from_millis(500);
        *self.offset.lock().expect("nothing panics while it holds this lock") = Some(offset);
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
