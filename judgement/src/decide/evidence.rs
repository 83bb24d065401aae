//! What a pass has seen, and what was done in it. Data, and the one way in which an answer is filed.

use jiff::{SignedDuration, Timestamp};

use crate::terms::{AccountId, Class, ClusterId, Nonce, Note, Reason, Site};

/// `None`: not asked in this pass. `Err`: asked, and nothing may be concluded.
pub type Seen<T> = Option<Result<T, Trouble>>;

/// What this pass has seen. It is filled by [`Evidence::take`] alone, and an act leaves of it what
/// [`Evidence::after_act`] says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Whose credentials are in use.
    pub account: Seen<AccountId>,
    /// The cluster as the shared list shows it, against what was seen when it was last read closely.
    pub glance: Seen<Glance>,
    /// The cluster's own detail, read just now.
    pub cluster: Seen<Existence>,
    /// Nothing was read since that detail was.
    pub fresh: bool,
    /// The list of the region in which the cluster is, or is wanted.
    pub listing: Seen<Listing>,
    /// The list of the site of an earlier attempt, where that is another one.
    pub elsewhere: Seen<Listing>,
    /// Whether the gateway refuses an old date and a used nonce, probed just now.
    pub fence: Seen<bool>,
    /// Whether all that a seal needs is there: a definition that keeps it, and the whole request body, Secrets included.
    pub body: Seen<()>,
    /// Whether the CRD itself is being deleted.
    pub uprooted: Seen<bool>,
    pub drift: Seen<Drift>,
    /// How far ACK's task has come.
    pub progress: Seen<Progress>,
    /// Why a creation or deletion failed, as ACK tells it.
    pub cause: Seen<Note>,
    /// Whether answers about the recorded cluster come from where it lives: it was shown there to this process, or its
    /// task is known there.
    pub trace: Seen<bool>,
    /// Whether it is this object's turn to ask for something that cannot be taken back.
    pub turn: Seen<()>,
    /// What will outlive the cluster.
    pub leftovers: Seen<Note>,
    /// What is published of the kubeconfig.
    pub kubeconfig: Seen<Published>,
    /// Which request was sent in this pass, and its outcome. The object may have come to another attempt since.
    pub sent: Option<(Nonce, Sent)>,
    /// What was done in this pass, in its order, and how that went.
    pub acted: Vec<(Deed, Result<(), Trouble>)>,
}

/// The answer to one [`Look`](super::Look), whose variant it shares.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Account(Result<AccountId, Trouble>),
    Glance(Result<Glance, Trouble>),
    Cluster(Result<Existence, Trouble>),
    Listing(Result<Listing, Trouble>),
    Elsewhere(Result<Listing, Trouble>),
    Fence(Result<bool, Trouble>),
    Body(Result<(), Trouble>),
    Uprooted(Result<bool, Trouble>),
    Drift(Result<Drift, Trouble>),
    Progress(Result<Progress, Trouble>),
    Cause(Result<Note, Trouble>),
    Trace(Result<bool, Trouble>),
    Turn(Result<(), Trouble>),
    Leftovers(Result<Note, Trouble>),
    Kubeconfig(Result<Published, Trouble>),
}

impl Evidence {
    /// Files an answer. Whether the detail was read last is told here, so that nobody else has to remember it: the drift
    /// is made of that detail and reads nothing, so a new detail needs a new one.
    pub fn take(&mut self, answer: Answer) {
        self.fresh = match &answer {
            Answer::Cluster(_) => true,
            Answer::Drift(_) => self.fresh,
            _ => false,
        };
        match answer {
            Answer::Account(answer) => self.account = Some(answer),
            Answer::Glance(answer) => self.glance = Some(answer),
            Answer::Cluster(answer) => (self.cluster, self.drift) = (Some(answer), None),
            Answer::Listing(answer) => self.listing = Some(answer),
            Answer::Elsewhere(answer) => self.elsewhere = Some(answer),
            Answer::Fence(answer) => self.fence = Some(answer),
            Answer::Body(answer) => self.body = Some(answer),
            Answer::Uprooted(answer) => self.uprooted = Some(answer),
            Answer::Drift(answer) => self.drift = Some(answer),
            Answer::Progress(answer) => self.progress = Some(answer),
            Answer::Cause(answer) => self.cause = Some(answer),
            Answer::Trace(answer) => self.trace = Some(answer),
            Answer::Turn(answer) => self.turn = Some(answer),
            Answer::Leftovers(answer) => self.leftovers = Some(answer),
            Answer::Kubeconfig(answer) => self.kubeconfig = Some(answer),
        }
    }

    /// What is still true after an act: whose credentials these are, what was sent, and what was done.
    pub fn after_act(self) -> Evidence {
        Evidence { account: self.account, sent: self.sent, acted: self.acted, ..Evidence::default() }
    }
}

/// What was done beside writing the status.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Our finalizer was put on the object.
    Hold,
    /// Our tags were put on the cluster.
    Claim,
    /// The deletion protection was switched.
    Protect(bool),
    /// These changes were asked for, in one call.
    Change(Vec<Change>),
    Delete,
    Publish,
}

/// The Secret that shall hold the kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Published {
    /// There is none, or ours was made for something else than what is wanted now.
    Absent,
    /// Ours, and as it is wanted until then.
    Fresh { renew: Timestamp },
    /// There is one that this object does not own. The note names it.
    Foreign(Note),
    /// The cluster has no address of the wanted kind. The note says which.
    NoEndpoint(Note),
}

/// Why an answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trouble {
    pub class: Class,
    /// The reason where it says more than the class does.
    pub reason: Option<Reason>,
    pub note: Note,
    /// How long the server asked to be left alone.
    pub wait: Option<SignedDuration>,
    /// What was asked for certainly took no effect.
    pub unsent: bool,
}

impl Trouble {
    pub fn new(class: Class, note: impl Into<Note>) -> Trouble {
        Trouble { class, reason: None, note: note.into(), wait: None, unsent: false }
    }

    /// With a reason that says more than the class does.
    pub fn because(self, reason: Reason) -> Trouble {
        Trouble { reason: Some(reason), ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Made, and where: the site of the request that made it.
    Created(ClusterId, Site),
    /// Refused by ACK, or never left.
    Refused(Class, Note),
    /// Perhaps executed.
    Unknown(Note),
}

/// How far a task of ACK has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// In a sentence.
    pub note: Note,
    /// It has ended, well or not.
    pub over: bool,
}

/// The cluster's entry in the shared list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glance {
    /// As when it was last read closely.
    Same,
    /// ACK is at work at it: as when it was last read closely, or with this object's mark.
    Moving(State),
    Changed,
    Absent,
    /// Another living cluster with a nonce of this uid stands beside it.
    Crowded,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Existence {
    Here(Cluster),
    /// `ErrorClusterNotFound`, or the state `deleted`.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    pub state: State,
    /// ACK's own word for the state.
    pub word: Note,
    /// The deletion protection; `None` where the answer does not tell.
    pub guarded: Option<bool>,
    pub owner: Owner,
    /// Gateway time just before this was asked for.
    pub read: Timestamp,
}

/// ACK's states, sorted by what may be done (ack-api e.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Being created.
    Making,
    Running,
    /// Runs, but the last change failed.
    ChangeFailed,
    /// Something is at work on it. Unknown words land here.
    Busy,
    /// Inactive, unavailable, stopped.
    Down,
    /// The creation failed.
    Failed,
    Deleting,
    DeleteFailed,
}

/// Whose marks a cluster carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Its intent tag is one of this uid's nonces.
    Mine,
    Nobody,
    /// Its intent tag is a nonce of another uid. `namesake`: the other three tags are this object's.
    Other {
        nonce: Nonce,
        namesake: bool,
    },
    /// Another AckCluster, named here, records its id.
    Claimed(Note),
}

/// What a list of the whole region shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// Gateway time just before its first page was asked for, at the latest.
    pub began: Timestamp,
    /// How far that date is ahead of our own clock's at that moment; of what came from the past, less.
    pub ahead: SignedDuration,
    /// All pages agreed on the count and held as many distinct ids.
    pub whole: bool,
    /// It shows a living cluster that this operator recorded in the same account, region and resource group as the one that
    /// is looked for, so these credentials would see that one too.
    pub trusted: bool,
    /// Live clusters that carry a nonce of this uid.
    pub ours: Vec<ClusterId>,
    /// A cluster with our installation, namespace and name but another uid's nonce, or with the nonce that was found in this
    /// object's status and is another uid's.
    pub rival: Option<Rival>,
    /// A cluster of the name that was asked for, without tags, that could be ours.
    pub undecided: Option<Undecided>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    pub id: ClusterId,
    pub nonce: Nonce,
    /// It carries our installation, namespace and name.
    pub namesake: bool,
    pub going: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Undecided {
    pub id: ClusterId,
    /// A list begun from then on would show the tags of ours. `None`: ACK does not tell when it was made.
    pub until: Option<Timestamp>,
}

/// How the cluster differs from the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Drift {
    /// All changes that would bring it closer, in the order in which they are asked for.
    pub changes: Vec<Change>,
    /// What differs and is not changed here, in a sentence.
    pub differs: Option<Note>,
    /// The workers that the spec asks for and the cluster lacks.
    pub workers: Option<Note>,
    /// A field differs that ACK cannot change. An adopted cluster's spec is not locked before they agree.
    pub fixed: bool,
}

/// A change that the spec wants of the running cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The field.
    pub key: String,
    /// Of what the spec wants of it.
    pub digest: String,
    /// What changes, for people.
    pub words: Note,
    pub via: Via,
}

/// The call that makes a change. Changes of one call are asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    Tags,
    Modify,
}
