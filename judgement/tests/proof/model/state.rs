//! What there is: the object, its clusters, requests on their way, and operators in the middle of a pass. Data only; all
//! times are ages.

use ack_judgement::sight::Flag;

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
    /// The spec's value of a field that can be changed.
    pub spec: u8,
    /// The spec's region.
    pub region: u8,
    /// The cluster that the spec names to be adopted.
    pub adopt: Option<u8>,
    /// What the annotations name: a nonce, a cluster, a nonce.
    pub confirmed: Option<u8>,
    pub recreate: Option<u8>,
    pub take_over: Option<u8>,
    pub status: Status,
    /// How often a person had a cluster forgotten. No part of the object: the promise counts by it.
    pub forgotten: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Status {
    pub intent: Option<Sealed>,
    pub known: Option<Recorded>,
    pub flag: Option<Flag>,
    /// By key, as `calls` numbers them.
    pub asked: [Option<Wish>; 4],
}

pub(super) const NO_STATUS: Status = Status { intent: None, known: None, flag: None, asked: [None; 4] };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    Plain,
    Paused,
    Observed,
    Retain,
}

/// Where a cluster lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub account: u8,
    pub region: u8,
}

/// Whatever the credentials are, they may be less than they seem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Keys {
    Whole,
    /// They see one resource group only.
    Narrow,
    /// They are another account's, and it is not known.
    False,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sealed {
    pub attempt: u8,
    pub nonce: u8,
    pub date: Tick,
    pub place: Place,
    pub sealer: u8,
    /// What the spec was, and with it the request.
    pub spec: u8,
    pub guarded: bool,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Open,
    Made { at: Tick },
    Refused { class: Class, at: Tick },
    Absent,
    Unsent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recorded {
    pub id: u8,
    pub place: Place,
    pub adopted: bool,
    pub met: bool,
    /// The mark that ACK has shown on it.
    pub mark: Option<u8>,
}

/// What was asked of ACK for the recorded cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wish {
    pub digest: u8,
    pub at: Tick,
    /// Four stands for more.
    pub times: u8,
    pub end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Shown,
    Refused,
    Unshown,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cluster {
    /// Who made it, or has taken it over since; 2: a stranger.
    pub uid: u8,
    pub attempt: u8,
    /// Whose nonce its tags hold.
    pub mark: Option<u8>,
    /// That was this uid's own at some time.
    pub marked: bool,
    pub place: Place,
    pub born: Tick,
    /// ACK lists it.
    pub shown: bool,
    /// And its tags.
    pub tagged: bool,
    pub state: State,
    pub guarded: bool,
    /// The console switched that on, and the spec has said nothing of it since.
    pub upheld: bool,
    /// The field that can be changed.
    pub value: u8,
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
    pub value: u8,
    pub waiter: Option<u8>,
    /// Its twin was delivered already.
    pub twin: bool,
    /// Its twin was refused, so it does not outlive this many ticks.
    pub fading: Option<Tick>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub memo: Option<Kept>,
    /// The last list that the process read. It outlives a pass.
    pub shared: Option<Listed>,
    pub at: At,
}

pub(super) const IDLE: Worker = Worker { memo: None, shared: None, at: At::Idle };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kept {
    Absent {
        nonce: u8,
        began: Tick,
    },
    Gone {
        id: u8,
        at: Tick,
    },
    /// By key, the digest.
    Taken([Option<u8>; 4]),
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
    /// Whose credentials it took when it began; [`given::NOBODY`]: there were none.
    pub account: u8,
    pub keys: Keys,
    /// How far its clock is ahead.
    pub skew: Tick,
    pub token: bool,
    /// The object as read; `None`: to be read again.
    pub object: Option<Object>,
    /// Somebody has written since, so a guarded write gets a 409.
    pub stale: bool,
    pub list: Option<Listed>,
    /// Of the site of an earlier attempt.
    pub elsewhere: Option<Listed>,
    /// `Some(None)`: a 404.
    pub cluster: Option<Option<Detail>>,
    /// That was read last.
    pub fresh: bool,
    pub sent: Option<(u8, Answer)>,
    /// By key: which digest, and how it went.
    pub acted: [Option<(u8, How)>; 4],
    /// Written down, and about to be asked for.
    pub call: Option<Call>,
}

/// A call about a cluster that is there. The status says already that it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub key: u8,
    pub digest: u8,
    pub id: u8,
    pub place: Place,
    /// It is not sent after this.
    pub not_after: Tick,
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum How {
    Took,
    /// ACK took it, and nothing comes of it.
    Void,
    /// It took effect, and the answer is lost.
    Lost,
    /// It never got there, which nobody learns.
    Dropped,
    Refused,
    /// The cluster's state does not allow it.
    Busy,
    /// It was refused here, being late.
    Unsent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Detail {
    pub state: State,
    pub guarded: Option<bool>,
    pub mark: Option<u8>,
    pub value: u8,
    pub read: Tick,
}

/// A list as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Listed {
    pub place: Place,
    pub began: Tick,
    pub whole: bool,
    /// Which of the neighbours are in it.
    pub keys: Keys,
    pub items: [Option<Item>; CLUSTERS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Item {
    pub going: bool,
    pub mark: Option<u8>,
    pub born: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Created(u8),
    Refused(Class),
    Unknown,
}

/// How often the same thing was asked for; by this the promise of the pace is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asks {
    pub digest: u8,
    pub times: u8,
    pub last: Tick,
    pub refused: bool,
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
    /// How many ids were given.
    pub ids: u8,
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
    pub keys: Keys,
    /// The kubeconfig of the recorded cluster is published.
    pub published: bool,
    /// When another operator saw the stranger without a mark.
    pub rival: Option<Tick>,
    /// A person let the object go although nobody knew whether it has a cluster.
    pub left: bool,
    /// A cluster slipped out of a list; it happens once.
    pub slipped: bool,
    /// A detail was not found although it is there; it happens once.
    pub missed: bool,
    /// How long ago what is stored last allowed each of what `promises` numbers.
    pub allowed: [Tick; 5],
    pub asks: [Asks; 4],
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
    /// The next step is a call.
    Call(u8, How),
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
    /// Lost, and answered with the id of the stranger.
    Mislead(usize),
    Tick,
    Appear(usize),
    Work(usize),
    Fail(usize),
    Vanish(usize),
    Raise(usize),
    Strip(usize),
    Undo(usize),
    Delete,
    Guard(bool),
    Edit,
    Move,
    Mode(Mode),
    Swap,
    Keys(Keys),
    Keyless,
    Confirm,
    Recreate(u8),
    Adopt,
    TakeOver(u8),
    RivalReads,
    RivalMarks,
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
