//! The two clocks. The gateway's is real time plus a skew that can be set: dates, nonces and every time that is shown.
//! The world's drives states, tasks and list lag; it can run faster and be moved on. Only this file reads a real clock.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, tz};

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub world: Timestamp,
    pub gateway: Timestamp,
    /// Seconds of the world in one second of the gateway.
    pub scale: f64,
}

impl Now {
    /// What the gateway's clock showed when the world's showed `world`.
    pub fn stamp(&self, world: Timestamp) -> Timestamp {
        let ago = self.world.duration_since(world).as_secs_f64() / self.scale;
        self.gateway.checked_sub(SignedDuration::from_secs_f64(ago)).unwrap_or(self.gateway)
    }
}

/// How far the world's clock can come: further than any test, and far from the end of all calendars.
const FAR: SignedDuration = SignedDuration::from_hours(1000 * 366 * 24);

/// Both clocks and the levers on them.
#[derive(Debug)]
pub struct Clock {
    begun: Instant,
    origin: Timestamp,
    scale: f64,
    advanced: SignedDuration,
    skew: SignedDuration,
}

impl Clock {
    /// Both clocks start at the real time; the world's runs `scale` times as fast.
    pub fn new(scale: f64) -> Clock {
        let zero = SignedDuration::ZERO;
        Clock { begun: Instant::now(), origin: Timestamp::now(), scale, advanced: zero, skew: zero }
    }

    /// This moment.
    pub fn now(&self) -> Now {
        let run = SignedDuration::try_from_secs_f64(self.begun.elapsed().as_secs_f64() * self.scale).unwrap_or(FAR);
        Now {
            world: self.origin.saturating_add(run.saturating_add(self.advanced).min(FAR)).unwrap_or(Timestamp::MAX),
            gateway: Timestamp::now().saturating_add(self.skew).unwrap_or(Timestamp::MAX),
            scale: self.scale,
        }
    }

    /// Moves the world on.
    pub fn advance(&mut self, by: Duration) {
        self.advanced = self.advanced.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX));
    }

    /// Sets how far the gateway's clock is ahead (negative: behind) of real time.
    pub fn set_skew(&mut self, skew: SignedDuration) {
        self.skew = skew;
    }

    /// How far the gateway's clock is ahead of real time.
    pub fn skew(&self) -> SignedDuration {
        self.skew
    }
}

/// RFC 3339 with China's offset, as ACK writes `created` and `updated` (ack-api a.3).
pub fn rfc3339(at: Timestamp) -> String {
    china(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The form of task stages: no zone, China's time.
pub fn stage_time(at: Timestamp) -> String {
    china(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Whole seconds in UTC, as events write them.
pub fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The form of the `Date` header.
pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn china(at: Timestamp) -> jiff::Zoned {
    at.to_zoned(TimeZone::fixed(tz::offset(8)))
}
