//! Words that every room shares: ids, site, intent, error class, reason. Data only; imports nothing of ours, does
//! nothing but hold and print.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

mod reason;

pub use reason::Reason;

/// The group of the custom resource; also the prefix of annotations, of the finalizer and of the tags in the cloud.
pub const GROUP: &str = "ackoperator.dev";

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl From<&str> for $name {
            fn from(word: &str) -> Self { Self(word.into()) }
        }
        impl From<String> for $name {
            fn from(word: String) -> Self { Self(word.into()) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )* };
}

words! {
    /// An ACK cluster id: `c` and 32 hex digits, never checked strictly.
    ClusterId,
    /// An ACK task id, `T-...`.
    TaskId,
    /// An Alibaba Cloud account (the number that STS GetCallerIdentity answers).
    AccountId,
    /// A region id of the form `^[a-z]{2}-[a-z0-9-]+$`.
    Region,
    /// The nonce of one create attempt: 40 hex digits, also the value of the `/intent` tag in the cloud.
    Nonce,
    /// Names the process and the try that sealed an intent; kept in memory only, consumed before the first byte is sent.
    Sealer,
    /// A sentence or a part of one, meant for people.
    Note,
}

impl Region {
    /// `cn-hangzhou`, `ap-southeast-1`: the form is checked, membership never (ack-api a.1).
    pub fn parse(word: &str) -> Option<Region> {
        let (head, tail) = word.split_once('-')?;
        let plain =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (head.len() == 2 && head.bytes().all(|b| b.is_ascii_lowercase()) && plain(tail) && word.len() <= 63)
            .then(|| Region::from(word))
    }
}

/// Whether a time can be reckoned with: whatever wait is added to it or taken from it, the outcome is a time too. Others
/// are not believed, whoever tells them; they would end the process.
pub fn reckonable(time: Timestamp) -> bool {
    (Timestamp::UNIX_EPOCH..Timestamp::constant(253_370_764_800, 0)).contains(&time)
}

/// The four tags that the operator puts on a cluster, under [`GROUP`]. Each value is a legal Kubernetes label value, since ACK
/// may put cluster tags on nodes as labels.
pub mod tag {
    /// Everything under this prefix is the operator's.
    pub const PREFIX: &str = "ackoperator.dev/";
    /// Name of the installation.
    pub const INSTALLATION: &str = "ackoperator.dev/installation";
    /// Namespace of the object.
    pub const NAMESPACE: &str = "ackoperator.dev/namespace";
    /// Name of the object.
    pub const NAME: &str = "ackoperator.dev/name";
    /// Nonce of the intent that made the cluster.
    pub const INTENT: &str = "ackoperator.dev/intent";
}

/// Where a cluster lives. A 404 from anywhere else proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    pub account: AccountId,
    pub region: Region,
}

/// What was written down before CreateCluster was called . All times are gateway time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    /// Counted from 1; never used twice for one uid.
    pub attempt: u32,
    pub nonce: Nonce,
    /// The date under which the request is signed. The gateway refuses it `W` later.
    pub date: Timestamp,
    /// A list begun before this proves no absence: `date + W + L + S`.
    pub believe_after: Timestamp,
    pub site: Site,
    /// The resource group that it asks for; `None`: the account's default one.
    pub group: Option<Arc<str>>,
    pub outcome: Outcome,
}

/// What is known of a sealed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Sealed; perhaps sent, perhaps executed.
    Open,
    /// It made the cluster whose id is, or was, recorded; `at` is when that was recorded.
    Made { at: Timestamp },
    /// ACK refused it, or nothing reached ACK. `at` is when that was recorded.
    Refused { class: Class, at: Timestamp },
    /// Proven absent: two whole lists and a working fence, or a person's word.
    Absent { at: Timestamp },
    /// Its sealer saw the object deleted before the first byte was sent.
    Unsent,
}

impl Outcome {
    /// The word under which this outcome is stored in the status.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Open => "Open",
            Outcome::Made { .. } => "Made",
            Outcome::Refused { .. } => "Refused",
            Outcome::Absent { .. } => "Absent",
            Outcome::Unsent => "Unsent",
        }
    }
}

/// Something that was asked of ACK.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// What: a field's name, or one of `decide::keys`.
    pub key: String,
    /// Of what was wanted. Another one is another request.
    pub digest: String,
    /// When last.
    pub at: Timestamp,
    /// How often, for this digest.
    pub times: u32,
    /// `None`: it was asked for, and perhaps got there.
    pub end: Option<End>,
}

/// What became of something that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// ACK has shown it at least once.
    Shown,
    /// ACK refused it, in these words.
    Refused(Note),
    /// ACK took it and did not show it in time.
    Unshown,
    /// Whether it got there is not known; this is what came instead of an answer.
    Lost(Note),
}

/// What sort of trouble an error is (ack-api f.2). Decides pace and reason, never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The cluster is not known at the endpoint that was asked.
    NotFound,
    /// Too many calls; nothing was done.
    Throttled,
    /// Not sent yet: its turn among the calls of the account has not come.
    Queued,
    /// Network, 5xx, unreadable answers: conclude nothing, try again.
    Transient,
    /// The cluster is in a state that does not allow the call.
    Busy,
    /// Unknown, inactive or wrong key; expired token.
    Credentials,
    /// RAM does not allow the call.
    Permission,
    /// ACK checked the request and refuses what it says: nothing was executed.
    User,
    /// Something that the request would make or take is there or taken already, perhaps by another copy of it.
    Taken,
    /// ACK refuses in its own words, with a code that is not known here: whether a copy fared otherwise is not known.
    Refused,
    /// A quota is used up.
    Quota,
    /// Payment, activation, service roles.
    Account,
    /// The signed date was more than the window off.
    Clock,
    /// Neither of these, a removed API or our own mistake: conclude nothing.
    Unknown,
}

impl Class {
    /// The word under which this class is stored in the status.
    pub fn word(self) -> &'static str {
        match self {
            Class::NotFound => "NotFound",
            Class::Throttled => "Throttled",
            Class::Queued => "Queued",
            Class::Transient => "Transient",
            Class::Busy => "Busy",
            Class::Credentials => "Credentials",
            Class::Permission => "Permission",
            Class::User => "User",
            Class::Taken => "Taken",
            Class::Refused => "Refused",
            Class::Quota => "Quota",
            Class::Account => "Account",
            Class::Clock => "Clock",
            Class::Unknown => "Unknown",
        }
    }

    /// The class stored under `word`; an unknown word is `Unknown`.
    pub fn from_word(word: &str) -> Class {
        use Class::*;
        [
            NotFound,
            Throttled,
            Queued,
            Transient,
            Busy,
            Credentials,
            Permission,
            User,
            Taken,
            Refused,
            Quota,
            Account,
            Clock,
        ]
        .into_iter()
        .find(|class| class.word() == word)
        .unwrap_or(Unknown)
    }

    /// Whether a refusal of this class depends on the moment, or is not understood: a copy of the same request may fare, or
    /// have fared, otherwise.
    pub fn momentary(self) -> bool {
        use Class::*;
        match self {
            NotFound | Throttled | Queued | Transient | Busy | Credentials | Permission | Taken | Refused | Quota
            | Account | Clock | Unknown => true,
            User => false,
        }
    }

    /// Whether only a person gets further.
    pub fn for_a_person(self) -> bool {
        self.refuses() || self == Class::Credentials
    }

    /// Whether ACK understood the request and would refuse it again.
    pub fn refuses(self) -> bool {
        use Class::*;
        match self {
            User | Taken | Refused | Permission | Quota | Account => true,
            NotFound | Throttled | Queued | Transient | Busy | Credentials | Clock | Unknown => false,
        }
    }

    /// Whether a refused create request is tried again by itself: not where only another request can fare better.
    pub fn repeats(self) -> bool {
        use Class::*;
        match self {
            User | Refused => false,
            NotFound | Throttled | Queued | Transient | Busy | Credentials | Permission | Taken | Quota | Account
            | Clock | Unknown => true,
        }
    }
}
