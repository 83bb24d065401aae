//! What there is: the object, its clusters, requests on their way, and operators in the middle of a pass. Data only; all
//! times are ages.

use super::*;

/// A time in ticks, seen from now.
pub(super) type Tick = i8;

pub(super) const CLUSTERS: usize = 3;
pub(super) const WORKERS: usize = 3;
pub(super) const FORGOTTEN: Tick = Tick::MIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Object {
    pub uid: u8,
    pub deleting: bool,
    pub finalizer: bool,
    /// Somebody wiped the metadata, and the finalizer is not back yet.
    pub wiped: bool,
    pub mode: Mode,
    /// The spec's word on protection.
    pub guard: Option<bool>,
    /// It was given after the console's.
    pub newer: bool,
    /// The spec's region.
    pub region: u8,
    pub confirmed: Option<u8>,
    pub recreate: Option<u8>,
    pub attempts: u8,
    pub intent: Option<Sealed>,
    pub last: Option<Last>,
    pub known: Option<Recorded>,
    pub forgotten: u8,
    /// The status is that of an earlier uid, and with it the nonce of this attempt.
    pub inherited: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    Plain,
    Paused,
    Retain,
}

/// Where a cluster lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub account: u8,
    pub region: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sealed {
    pub attempt: u8,
    pub date: Tick,
    pub place: Place,
    pub sealer: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Last {
    Refused { momentary: bool, at: Tick },
    Absent,
    Unsent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recorded {
    pub id: u8,
    pub place: Place,
    pub met: bool,
    pub believe_after: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cluster {
    pub uid: u8,
    pub attempt: u8,
    pub place: Place,
    pub born: Tick,
    /// ACK lists it.
    pub shown: bool,
    pub state: State,
    pub guarded: bool,
    pub kept: bool,
}

/// A copy of a create request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Post {
    pub uid: u8,
    pub attempt: u8,
    pub date: Tick,
    pub place: Place,
    pub guarded: bool,
    pub waiter: Option<u8>,
    /// Its twin was delivered already.
    pub twin: bool,
    /// Its twin was refused, so it does not outlive this many ticks.
    pub fading: Option<Tick>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub memo: Option<Kept>,
    /// The last list that the process read, of which place. It outlives a pass.
    pub shared: Option<(Place, Listed)>,
    pub at: At,
}

pub(super) const IDLE: Worker = Worker { memo: None, shared: None, at: At::Idle };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kept {
    Absent { attempt: u8, began: Tick },
    Gone { id: u8, at: Tick },
    Asked { id: u8, at: Tick },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    Idle,
    Pass(Pass),
    /// The POST is out; the sealer's token is spent.
    Waiting {
        uid: u8,
        account: u8,
        skew: Tick,
        attempt: u8,
    },
}

/// A pass between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pass {
    pub uid: u8,
    /// Whose credentials it took when it began.
    pub account: u8,
    /// How far its clock is ahead.
    pub skew: Tick,
    pub token: bool,
    /// The object as read; `None`: to be read again.
    pub object: Option<Object>,
    /// Somebody has written since, so a guarded write gets a 409.
    pub stale: bool,
    pub list: Option<Listed>,
    /// `Some(None)`: a 404.
    pub cluster: Option<Option<Detail>>,
    pub sent: Option<(u8, Answer)>,
    pub acted: Option<(Asked, bool)>,
}

/// What was asked of ACK beside the cluster itself. Other changes lose and double nothing: `views` covers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    Protection,
    Deletion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Detail {
    pub state: State,
    pub guarded: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Listed {
    pub began: Tick,
    pub whole: bool,
    pub trusted: bool,
    pub ours: [bool; CLUSTERS],
    pub rival: Option<(u8, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Answer {
    Created(u8),
    Refused { momentary: bool },
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub object: Option<Object>,
    /// The object before its last write, as a stale cache shows it.
    pub past: Option<Object>,
    /// A backup.
    pub copy: Option<Object>,
    /// By id, which is never used twice.
    pub clusters: [Option<Cluster>; CLUSTERS],
    /// How many were made, for each uid.
    pub made: [u8; 2],
    /// The highest attempt ever sealed, for each uid, as far as a status tells.
    pub sealed: [u8; 2],
    /// When the gateway saw each nonce.
    pub nonces: [Tick; 4],
    pub wire: [Option<Post>; 3],
    pub workers: [Worker; WORKERS],
    /// Whose credentials the Secret holds.
    pub account: u8,
    /// A cluster slipped out of a list; it happens once.
    pub slipped: bool,
    /// A detail was not found although it is there; it happens once.
    pub missed: bool,
    pub wrong: Option<&'static str>,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    Start(u8),
    /// By a clock that is so far ahead.
    StartSkewed(u8, Tick),
    StartStale(u8),
    Go(u8),
    /// The next step is a look, and its answer is not what it should be.
    Look(u8, Fault),
    Crash(u8),
    /// The answer is lost or late.
    Timeout(u8),
    Deliver(usize),
    /// Delivered, but the answer of a twin is the one that comes.
    DeliverTwin(usize),
    Refuse {
        copy: usize,
        momentary: bool,
        twin: bool,
    },
    Tick,
    Appear(usize),
    Work(usize),
    Fail(usize),
    Vanish(usize),
    Raise(usize),
    Delete,
    Guard,
    Move,
    Mode(Mode),
    Swap,
    Confirm,
    Recreate(u8),
    Renew,
    LoseStatus,
    Wipe,
    Backup,
    Restore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Throttled, refused, unreadable.
    Trouble,
    /// The pages of the list do not fit together.
    Torn,
    /// These credentials do not see our clusters.
    Filtered,
    /// An item slipped between two pages although the counts fit.
    Slipped,
    /// The detail is not found although it is there.
    Missed,
    /// The detail does not tell the protection.
    Mute,
}
