//! Words that every room shares: ids, site, intent, error class, reason. Data only; imports nothing of ours, does
//! nothing but hold and print.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

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

/// Where a cluster lives. A 404 from anywhere else proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    pub account: AccountId,
    pub region: Region,
}

/// What was written down before CreateCluster was called (DESIGN: the sealed intent). All times are gateway time.
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
    pub outcome: Outcome,
}

/// What is known of a sealed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Sealed; perhaps sent, perhaps executed.
    Open,
    /// It made the cluster whose id is, or was, recorded.
    Made,
    /// Definitely not executed: ACK said so before execution, or nothing reached it. `at` is when that was recorded.
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
            Outcome::Made => "Made",
            Outcome::Refused { .. } => "Refused",
            Outcome::Absent { .. } => "Absent",
            Outcome::Unsent => "Unsent",
        }
    }
}

/// What sort of trouble an error is (ack-api f.2). Decides pace and reason, never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The cluster is not known at the endpoint that was asked.
    NotFound,
    /// Too many calls; nothing was done.
    Throttled,
    /// Network, 5xx, unreadable answers: conclude nothing, try again.
    Transient,
    /// The cluster is in a state that does not allow the call.
    Busy,
    /// Unknown, inactive or wrong key; expired token.
    Credentials,
    /// RAM does not allow the call.
    Permission,
    /// ACK refuses what the spec says.
    User,
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
            Class::Transient => "Transient",
            Class::Busy => "Busy",
            Class::Credentials => "Credentials",
            Class::Permission => "Permission",
            Class::User => "User",
            Class::Quota => "Quota",
            Class::Account => "Account",
            Class::Clock => "Clock",
            Class::Unknown => "Unknown",
        }
    }

    /// The class stored under `word`; an unknown word is `Unknown`.
    pub fn from_word(word: &str) -> Class {
        use Class::*;
        [NotFound, Throttled, Transient, Busy, Credentials, Permission, User, Quota, Account, Clock]
            .into_iter()
            .find(|class| class.word() == word)
            .unwrap_or(Unknown)
    }

    /// Whether a refusal of this class depends on the moment, so that a copy of the same request may fare otherwise.
    pub fn momentary(self) -> bool {
        use Class::*;
        match self {
            Throttled | Transient | Busy | Credentials | Permission | Quota | Account | Clock | Unknown => true,
            NotFound | User => false,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The reason of a condition: fixed words, each with what it means and what the reader can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            pub const ALL: &[Reason] = &[$(Reason::$name),*];
        }
    };
}

reasons! {
    /// ACK is making the cluster.
    Creating,
    /// The create request was sent and its outcome is not known yet; the message says until when it waits.
    AwaitingOutcome,
    /// ACK is changing the cluster.
    Updating,
    /// ACK is deleting the cluster.
    Deleting,
    /// ACK throttles this account; the operator waits as long as it was told.
    Throttled,
    /// ACK or the network does not answer usefully; nothing is concluded from that.
    Unreachable,
    /// The cluster is busy with something else; the operator waits.
    ClusterBusy,
    /// The clock of this machine or of the gateway is too far off to sign safely. Mend the clock.
    ClockSkew,
    /// The cluster serves.
    Running,
    /// The spec is applied.
    Applied,
    /// The `/paused` annotation is set.
    Paused,
    /// The `/observe` annotation is set: reported, never changed.
    Observed,
    /// The object goes, the cluster stays.
    Retained,
    /// ACK or the operator refuses what the spec says. Change the spec.
    InvalidSpec,
    /// The key is unknown, inactive or wrong. Mend the Secret.
    InvalidCredentials,
    /// There is no Secret, or a key is missing in it.
    CredentialsMissing,
    /// RAM does not allow a call. Grant the action that the message names.
    PermissionDenied,
    /// A quota of the account is used up.
    QuotaExceeded,
    /// Payment, activation or a service role is missing.
    AccountProblem,
    /// The credentials belong to another account than the cluster.
    AccountChanged,
    /// ACK could not make the cluster.
    CreateFailed,
    /// The cluster vanished although nobody here asked for that.
    ClusterGone,
    /// The cluster belongs to another object.
    OwnershipConflict,
    /// More than one live cluster carries this object's marks. Neither is touched.
    DuplicateDetected,
    /// The gateway accepts what it must refuse, so absence cannot be proven. A person must answer.
    FenceInert,
    /// These credentials may not see every cluster, so absence cannot be proven. A person must answer.
    ListNotTrusted,
    /// ACK could not apply a change.
    UpdateFailed,
    /// The cluster came up without the workers that the spec asks for.
    WorkersMissing,
    /// The cluster differs from the spec in fields that are not changed.
    SpecDiffers,
    /// Deletion waits until the protection is lifted.
    DeletionProtected,
    /// Deletion waits for a person's word.
    DeletionHeld,
    /// ACK could not delete the cluster.
    DeleteFailed,
    /// ACK says that the cluster is inactive, unavailable or stopped.
    ClusterUnavailable,
    /// The Secret for the kubeconfig exists and is not this object's. Name another one, or delete that one.
    SecretConflict,
    /// The cluster has no API server address of the kind that the kubeconfig shall hold.
    EndpointMissing,
    /// The CustomResourceDefinition would drop what the operator must write down. Apply the operator's own.
    DefinitionOutdated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<Class> for Reason {
    fn from(class: Class) -> Reason {
        match class {
            Class::Throttled => Reason::Throttled,
            Class::Transient | Class::Unknown | Class::NotFound => Reason::Unreachable,
            Class::Busy => Reason::ClusterBusy,
            Class::Credentials => Reason::InvalidCredentials,
            Class::Permission => Reason::PermissionDenied,
            Class::User => Reason::InvalidSpec,
            Class::Quota => Reason::QuotaExceeded,
            Class::Account => Reason::AccountProblem,
            Class::Clock => Reason::ClockSkew,
        }
    }
}
