//! The endpoints beside the API, for tests and demos: look at ledger and journal, set faults, settings and clocks, do what
//! happens outside. Unsigned; never in the journal.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::header::{HeaderName, HeaderValue};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::{Do, Rule};
use crate::http::Face;
use crate::journal::JournalEntry;
use crate::operations;
use crate::received::Received;
use crate::said::Said;
use crate::world::LedgerEntry;

/// All paths of this file begin so.
pub const PREFIX: &str = "/_emulator/";

/// A control request that is refused, with its HTTP status.
#[derive(Debug)]
pub struct Misunderstood(pub u16, pub String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    advance: Option<SignedDuration>,
    skew: Option<SignedDuration>,
}

impl Face {
    /// Every cluster ever created, oldest first.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        let mut state = self.lock();
        state.now();
        state.world.ledger()
    }

    /// The calls with a number above `since`.
    pub fn journal(&self, since: usize) -> Vec<JournalEntry> {
        self.lock().journal.iter().skip(since).cloned().collect()
    }

    /// Puts a rule in force.
    pub fn fault(&self, rule: Rule) -> Result<(), Misunderstood> {
        let known = rule.operation == "*" || operations::TABLE.iter().any(|row| row.name == rule.operation);
        if !known {
            return Err(bad(format!("the operation {} is not known", rule.operation)));
        }
        let wait = match &rule.action {
            Do::Delay(wait) => wait.delay,
            Do::Hold(wait) => wait.hold,
            _ => SignedDuration::ZERO,
        };
        if rule.nth == 0 || wait.is_negative() {
            return Err(bad("nth counts from 1, times are not negative"));
        }
        if let Do::Status(answer) = &rule.action {
            if !(200..=599).contains(&answer.status) {
                return Err(bad("a status is 200 to 599"));
            }
            if answer.body.as_ref().is_some_and(|body| !body.is_string() && !body.is_object()) {
                return Err(bad("a body is text or an object"));
            }
            let legal = |(name, value): (&String, &String)| {
                HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::try_from(value.as_str()).is_ok()
            };
            if !answer.headers.iter().all(legal) {
                return Err(bad("a header's name or value is not legal"));
            }
        }
        self.lock().faults.add(rule);
        Ok(())
    }

    /// Changes a cluster from outside.
    pub fn outside(&self, id: &str, change: &Value) -> Result<(), Misunderstood> {
        let mut state = self.lock();
        let now = state.now();
        let settings = state.settings.clone();
        state.world.outside(id, change, &settings, &now).map_err(bad)
    }

    /// Moves the world's clock on.
    pub fn advance(&self, by: Duration) {
        self.lock().clock.advance(by);
    }

    /// Changes settings; answers all of them.
    pub fn change_settings(&self, change: &Value) -> Result<Value, Misunderstood> {
        let mut state = self.lock();
        // What was due under the old settings happens under them.
        state.now();
        state.settings = state.settings.changed(change).map_err(bad)?;
        Ok(json!(state.settings))
    }

    fn clock_now(&self) -> Value {
        let mut state = self.lock();
        let now = state.now();
        let (skew, scale) = (format!("{:#}", state.clock.skew()), now.scale);
        json!({"world": now.world.to_string(), "gateway": now.gateway.to_string(), "skew": skew, "time_scale": scale})
    }

    fn set_clock(&self, change: &Value) -> Result<Value, Misunderstood> {
        let change: ClockChange = understood(change)?;
        if change.advance.is_none() && change.skew.is_none() {
            return Err(bad("a clock takes advance or skew"));
        }
        if let Some(by) = change.advance {
            self.advance(by.try_into().map_err(|_| bad("the world's clock goes forward only"))?);
        }
        if let Some(skew) = change.skew {
            self.lock().clock.set_skew(skew);
        }
        Ok(self.clock_now())
    }
}

/// Answers a control request.
pub fn answer(face: &Arc<Face>, request: &Received) -> Response<Said> {
    let (status, body) = match route(face, request) {
        Ok(body) => (200, body),
        Err(Misunderstood(status, message)) => (status, json!({"error": message})),
    };
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Said::new(body.to_string())).expect("a status and a header that are always legal")
}

fn route(face: &Arc<Face>, request: &Received) -> Result<Value, Misunderstood> {
    let body = || serde_json::from_slice::<Value>(&request.body).map_err(|error| bad(format!("not JSON: {error}")));
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), path.split_once('/').unwrap_or((path, ""))) {
        ("GET", ("ledger", "")) => Ok(json!(face.ledger())),
        ("GET", ("journal", "")) => {
            let since = request.query("since").unwrap_or("0").parse();
            Ok(json!(face.journal(since.map_err(|_| bad("since is a number"))?)))
        }
        ("GET", ("faults", "")) => Ok(json!(face.lock().faults.rules())),
        ("POST", ("faults", "")) => {
            let rule: Rule = understood(&body()?)?;
            face.fault(rule.clone())?;
            written(&rule)
        }
        ("DELETE", ("faults", "")) => {
            face.lock().faults.clear();
            Ok(json!({}))
        }
        ("POST", ("clusters", id)) if !id.is_empty() => {
            if !face.lock().world.clusters.iter().any(|cluster| cluster.id == id) {
                return Err(Misunderstood(404, format!("there is no cluster {id}")));
            }
            face.outside(id, &body()?)?;
            let entry = face.ledger().into_iter().find(|entry| entry.id == id);
            written(&entry)
        }
        ("GET", ("clock", "")) => Ok(face.clock_now()),
        ("POST", ("clock", "")) => face.set_clock(&body()?),
        ("GET", ("settings", "")) => written(&face.lock().settings),
        ("POST", ("settings", "")) => face.change_settings(&body()?),
        (_, ("ledger" | "journal" | "faults" | "clock" | "settings" | "clusters", _)) => {
            Err(Misunderstood(405, "the method is not for this path".into()))
        }
        _ => Err(Misunderstood(404, "paths: ledger, journal, faults, clusters/{id}, clock, settings".into())),
    }
}

fn understood<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, Misunderstood> {
    T::deserialize(value).map_err(|error| bad(error.to_string()))
}

fn written<T: Serialize>(value: &T) -> Result<Value, Misunderstood> {
    serde_json::to_value(value).map_err(|error| Misunderstood(500, error.to_string()))
}

fn bad(message: impl Into<String>) -> Misunderstood {
    Misunderstood(400, message.into())
}
