//! How often an account may call: a token bucket for each region, reads and changes apart, so that no object and no
//! account uses up another's calls (ack-api f.4). Knows time only as an argument.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::terms::Region;

/// Bounds of one account. The real ones are not published; these stay below what is known to be borne (ack-api f.4).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub reads: Rate,
    pub changes: Rate,
    /// Calls under way at once in one region.
    pub slots: usize,
    /// How long keys that ACK did not accept are not tried again. Other keys are another account, and tried at once.
    pub barred: Duration,
}

/// So many calls a second in the long run, `burst` at once after a silence.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads: Rate { per_second: 5, burst: 20 },
            changes: Rate { per_second: 1, burst: 10 },
            slots: 4,
            barred: Duration::from_secs(300),
        }
    }
}

/// A change's turn in one region, waited for before the request was made. It is used up by one attempt.
#[derive(Debug)]
pub struct Turn(pub(super) Region);

impl Turn {
    /// Where the request may be sent.
    pub fn region(&self) -> &Region {
        &self.0
    }
}

/// A bucket, kept as the one moment at which it will be full again.
pub(super) struct Bucket {
    every: Duration,
    /// How far that moment may lie ahead before a call has to wait.
    depth: Duration,
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    pub fn new(rate: Rate) -> Self {
        let every = Duration::from_secs(1) / rate.per_second.max(1);
        Self { every, depth: every * rate.burst.saturating_sub(1), full_at: Mutex::new(None) }
    }

    /// Takes a token: how long the call must wait for its turn. Where that is longer than `patience`, nothing is taken
    /// and the wait is the error.
    pub fn take(&self, now: Instant, patience: Duration) -> Result<Duration, Duration> {
        let mut full_at = self.full_at.lock().expect("nothing panics while it holds this lock");
        let ahead = full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let wait = ahead.saturating_sub(self.depth);
        if wait > patience {
            return Err(wait);
        }
        *full_at = Some(now + ahead + self.every);
        Ok(wait)
    }

    /// No call before `wait` has passed, since the server said so. Afterwards they come one by one.
    pub fn hold(&self, now: Instant, wait: Duration) {
        let mut full_at = self.full_at.lock().expect("nothing panics while it holds this lock");
        *full_at = (*full_at).max(Some(now + wait + self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_turn() {
        let (bucket, now) = (Bucket::new(Rate { per_second: 1, burst: 3 }), Instant::now());
        let waits: Vec<_> = (0..5).map(|_| bucket.take(now, PATIENCE).unwrap()).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2].map(seconds));
        assert_eq!(bucket.take(now + seconds(60), PATIENCE), Ok(seconds(0)), "a silence fills it again");
    }

    #[test]
    fn a_wait_beyond_patience_takes_nothing() {
        let (bucket, now) = (Bucket::new(Rate { per_second: 1, burst: 1 }), Instant::now());
        assert_eq!(bucket.take(now, seconds(0)), Ok(seconds(0)));
        for _ in 0..3 {
            assert_eq!(bucket.take(now, seconds(0)), Err(seconds(1)));
        }
        assert_eq!(bucket.take(now, seconds(1)), Ok(seconds(1)));
    }

    #[test]
    fn the_servers_wait_holds_everybody() {
        let (bucket, now) = (Bucket::new(Rate { per_second: 1, burst: 3 }), Instant::now());
        bucket.hold(now, seconds(20));
        assert_eq!(bucket.take(now, seconds(5)), Err(seconds(20)));
        assert_eq!(bucket.take(now + seconds(15), seconds(5)), Ok(seconds(5)));
        bucket.hold(now, seconds(1));
        assert_eq!(bucket.take(now + seconds(15), seconds(5)), Err(seconds(6)), "a shorter wait does not shorten it");
    }
}
