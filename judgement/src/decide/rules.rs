//! The constants by which the judgement waits: ACK's properties and the pace of looking. Numbers only.

use jiff::SignedDuration;

use crate::terms::Class;

/// The protocol's times and the operator's paces. `Rules::default()` is what ships; tests scale it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `W`: the gateway refuses a request whose signed date is further off than this (ack-api b.5).
    pub window: SignedDuration,
    /// `L`: an accepted create shows in the list after this at the latest (ack-api d.3 says 1 to 10 s).
    pub listed: SignedDuration,
    /// `S`: clocks agree within this. Also how far back a sealed request is dated.
    pub skew: SignedDuration,
    /// Between two looks that shall confirm each other.
    pub apart: SignedDuration,
    /// The administrator vouches that these credentials list every cluster.
    pub lists_complete: bool,
    /// Clusters of this installation, namespace and name with a foreign nonce are taken over.
    pub adopt_owned: bool,
    /// This operator changes nothing in the cloud: every object is only observed, and none is let go.
    pub read_only: bool,
    /// Between looks while ACK is at work.
    pub poll_busy: SignedDuration,
    /// Between looks at a settled cluster.
    pub poll_idle: SignedDuration,
    /// Between tries where only a person or much time helps.
    pub slow: SignedDuration,
}

impl Default for Rules {
    fn default() -> Rules {
        let minutes = SignedDuration::from_mins;
        Rules::timed(minutes(15), minutes(5), minutes(1))
    }
}

impl Rules {
    /// Between looks at the region's list while something moves there.
    pub fn follow(&self) -> SignedDuration {
        self.poll_busy / 3
    }

    /// Rules with these protocol times. Every pace is a part of the window, so that scaling it scales all of them: with
    /// the real 15 minutes, what confirms each other lies 30 s apart, and polls come every 15 s and 5 min.
    pub fn timed(window: SignedDuration, listed: SignedDuration, skew: SignedDuration) -> Rules {
        Rules {
            window,
            listed,
            skew,
            apart: window / 30,
            lists_complete: false,
            adopt_owned: false,
            read_only: false,
            poll_busy: window / 60,
            poll_idle: window / 3,
            slow: window * 2 / 3,
        }
    }

    /// How long after its date an accepted copy of a request is surely listed: `W + L + S`.
    pub fn believable(&self) -> SignedDuration {
        self.window + self.listed + self.skew
    }

    /// How long a look allows what was decided on it: `S`. A write and a call need some seconds on a busy machine, also where
    /// the protocol's times are scaled down.
    pub fn allowed(&self) -> SignedDuration {
        self.skew.max(SignedDuration::from_secs(5))
    }

    /// How long after a refusal of the moment another copy of that request, which came beside it, is surely listed:
    /// `L + S`.
    pub fn copied(&self) -> SignedDuration {
        self.listed + self.skew
    }

    /// How long to leave a troubled object alone: what the server asked for, else by the class (ack-api f.2).
    pub fn pace(&self, class: Class, asked: Option<SignedDuration>, streak: u32) -> SignedDuration {
        let doubling = (self.window / 180 * (1 << streak.min(6))).min(self.window / 3);
        match class {
            Class::Throttled => asked.unwrap_or(doubling),
            Class::Queued => asked.unwrap_or(self.poll_busy).min(self.slow),
            Class::Transient | Class::NotFound | Class::Unknown | Class::Clock => asked.unwrap_or(doubling),
            Class::Busy => self.poll_busy,
            Class::Credentials | Class::Permission => self.slow / 2,
            Class::User | Class::Taken | Class::Refused | Class::Quota | Class::Account => self.slow,
        }
    }
}
