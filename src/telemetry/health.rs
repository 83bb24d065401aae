//! The answers to the kubelet's probes. Ready: what is to be watched is watched, or another operator leads. Alive: no pass hangs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::port;

/// A watch that has failed for so long is not one that is just begun anew.
const FAILING: Duration = Duration::from_secs(15);

/// A watch that fails is tried again within half a minute and some, so one of which no failure was heard for so long is well.
const SILENT: Duration = Duration::from_secs(180);

/// Every call of a pass is bounded by seconds and a pass is a few of them, so one that takes this long will not end.
const STUCK: Duration = Duration::from_secs(30 * 60);

/// What the probes are told. Clones are the same.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// The first list is in, or another operator leads.
    ready: bool,
    /// The first and the last of its failures in a row, by the number of the watch.
    failing: BTreeMap<usize, (Instant, Instant)>,
    /// When each pass under way began.
    passes: BTreeMap<u64, Instant>,
    begun: u64,
}

/// A pass under way, until it is dropped.
pub struct UnderWay {
    health: Health,
    number: u64,
}

impl Health {
    /// The first list of objects is in, or another operator leads.
    pub fn ready(&self) {
        self.lock().ready = true;
    }

    /// The watch of that number has told something.
    pub fn heard(&self, watch: usize) {
        self.lock().failing.remove(&watch);
    }

    /// The watch of that number has failed.
    pub fn failed(&self, watch: usize) {
        let now = Instant::now();
        let mut known = self.lock();
        let (first, last) = known.failing.entry(watch).or_insert((now, now));
        if now.duration_since(*last) > SILENT {
            *first = now;
        }
        *last = now;
    }

    /// A pass begins.
    pub fn pass(&self) -> UnderWay {
        let mut known = self.lock();
        known.begun += 1;
        let number = known.begun;
        known.passes.insert(number, Instant::now());
        drop(known);
        UnderWay { health: self.clone(), number }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.health.lock().passes.remove(&self.number);
    }
}

type Answer = (StatusCode, String);

impl Known {
    fn readiness(&self, now: Instant) -> Answer {
        if !self.ready {
            return (StatusCode::SERVICE_UNAVAILABLE, "the first list of AckClusters is not in yet".into());
        }
        let fails = |(first, last): &&(Instant, Instant)| {
            last.duration_since(*first) >= FAILING && now.duration_since(*last) <= SILENT
        };
        match self.failing.values().find(fails) {
            None => (StatusCode::OK, "ok".into()),
            Some((first, _)) => {
                let seconds = now.duration_since(*first).as_secs();
                let note = format!("AckClusters cannot be watched for {seconds} s; the log says why");
                (StatusCode::SERVICE_UNAVAILABLE, note)
            }
        }
    }

    fn liveness(&self, now: Instant) -> Answer {
        let oldest = self.passes.values().map(|begun| now.duration_since(*begun)).max();
        match oldest.filter(|age| *age >= STUCK) {
            None => (StatusCode::OK, "ok".into()),
            Some(age) => (StatusCode::INTERNAL_SERVER_ERROR, format!("a pass hangs since {} s", age.as_secs())),
        }
    }
}

/// Answers `/healthz` and `/readyz` for as long as the process lives.
///
/// # Errors
/// The address cannot be bound.
pub async fn health(address: SocketAddr, health: Health) -> std::io::Result<impl Future<Output = ()>> {
    let alive = |State(health): State<Health>| async move { health.lock().liveness(Instant::now()) };
    let ready = |State(health): State<Health>| async move { health.lock().readiness(Instant::now()) };
    let routes = Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(health);
    port::open(address, "/healthz and /readyz", routes).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_watch_that_goes_on_failing_is_not_ready_and_one_that_is_begun_anew_is() {
        let t0 = Instant::now();
        let known = |first: u64, last: u64| Known {
            ready: true,
            failing: BTreeMap::from([(0, (t0 + secs(first), t0 + secs(last)))]),
            ..Known::default()
        };
        for (what, known, at, wanted) in [
            ("before the first list", Known::default(), 0, StatusCode::SERVICE_UNAVAILABLE),
            ("no failure", Known { ready: true, ..Known::default() }, 0, StatusCode::OK),
            ("one failure", known(0, 0), 20, StatusCode::OK),
            ("failures in a row", known(0, 15), 20, StatusCode::SERVICE_UNAVAILABLE),
            ("and then none for long", known(0, 15), 196, StatusCode::OK),
        ] {
            assert_eq!(known.readiness(t0 + secs(at)).0, wanted, "{what}");
        }
    }

    #[test]
    fn a_pass_that_hangs_is_not_alive_and_one_that_ended_is_forgotten() {
        let health = Health::default();
        let later = Instant::now() + STUCK + secs(1);
        let pass = health.pass();
        assert_eq!(health.lock().liveness(Instant::now()).0, StatusCode::OK);
        assert_eq!(health.lock().liveness(later).0, StatusCode::INTERNAL_SERVER_ERROR);
        drop(pass);
        assert_eq!(health.lock().liveness(later).0, StatusCode::OK);
    }
}
