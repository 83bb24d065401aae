//! What the judgement is given: the object as its status tells it, and the evidence of this pass. Data only.

use jiff::{SignedDuration, Timestamp};

use crate::terms::{AccountId, Class, ClusterId, Intent, Nonce, Note, Reason, Region, Site};

/// What is known when a judgement is made. Built from the object when a pass begins; from then on only `now` and
/// `seen` grow, until an `Act` has it built anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Gateway time: the `Date` of the last answer plus what has passed since.
    pub now: Timestamp,
    /// Gateway time when the pass began, less what rounding may hide: a list begun after it counts as fresh.
    pub since: Timestamp,
    /// How far the gateway's clock is ahead of ours.
    pub offset: SignedDuration,
    pub goal: Goal,
    pub guard: Guard,
    pub finalizer: bool,
    /// When the published kubeconfig must be seen to next, as the status tells; long ago where it tells of none. `None`:
    /// none is wanted.
    pub kubeconfig: Option<Timestamp>,
    pub region: Region,
    pub standing: Standing,
    pub words: Vec<Word>,
    /// How many passes in a row ended in trouble; only sets the pace.
    pub streak: u32,
    /// What the last pass wanted to be reminded of. Losing it costs a look, never a cluster.
    pub memo: Option<Memo>,
    pub seen: Evidence,
}

impl View {
    pub(super) fn said(&self, word: &Word) -> bool {
        self.words.contains(word)
    }
}

/// What is wanted of the object: parsed once from deletionTimestamp, deletionPolicy, adoption and the annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Make it and keep it as the spec says.
    Manage,
    /// Report, change nothing.
    Observe,
    /// Do nothing but record an id.
    Pause,
    /// The object goes, and the cluster with it.
    Destroy,
    /// The object goes, the cluster stays.
    Release,
}

/// What the spec says of `deletion_protection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    pub word: Option<bool>,
    /// The word was given after the cloud's flag was first seen on. Old words never undo an emergency protection.
    pub newer: bool,
}

/// How far this object has come, by its status alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// No open intent, no id.
    New {
        attempts: u32,
        last: Option<Closed>,
        /// The status is empty although the finalizer is ours: it was lost, or the first pass died early.
        blank: bool,
    },
    /// A create request is sealed and its outcome is open. `mine`: this very process and try sealed it.
    Sealed { intent: Intent, mine: bool },
    /// The spec names a cluster to adopt and no id is recorded yet.
    Adopting(ClusterId),
    /// An id is recorded.
    Known(Known),
}

/// How the last attempt ended without a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Closed {
    /// Not executed. `mended`: the spec or the keys changed since.
    Refused { class: Class, at: Timestamp, mended: bool, note: Note },
    /// Proven absent, or declared so by a person.
    Absent { at: Timestamp },
    /// Written off by its own sealer before the first byte.
    Unsent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    pub id: ClusterId,
    /// Pinned when the id was recorded; other credentials are never believed.
    pub site: Site,
    pub adopted: bool,
    /// ACK has shown the cluster at least once since it was recorded.
    pub met: bool,
    /// Until then a cluster never met is taken for late, not for gone.
    pub believe_after: Timestamp,
}

/// An answer or an order that a person wrote into an annotation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    ConfirmAbsent(Nonce),
    Recreate(ClusterId),
    TakeOver(Nonce),
    ConfirmDelete(ClusterId),
}

/// What one pass hands to the next through memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Memo {
    /// A whole list begun then, late enough to be believed, did not show the attempt.
    Absent { nonce: Nonce, began: Timestamp },
    /// The cluster was answered as unknown, first at that time.
    Gone { id: ClusterId, at: Timestamp },
    /// Its deletion was asked for, last at that time.
    Asked { id: ClusterId, at: Timestamp },
    /// This change was asked for, last at that time, and ACK took it or refused it in these words.
    Changed { change: Change, at: Timestamp, refusal: Option<Note> },
}

/// `None`: not asked in this pass. `Err`: asked, and nothing may be concluded.
pub type Seen<T> = Option<Result<T, Trouble>>;

/// What this pass has seen. An `Act` empties all but `account`, `sent` and `acted`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Whose credentials are in use.
    pub account: Seen<AccountId>,
    /// The cluster as the shared list shows it, against what the last settled pass saw.
    pub glance: Seen<Glance>,
    /// The cluster's own detail, read just now.
    pub cluster: Seen<Existence>,
    pub listing: Seen<Listing>,
    /// Whether the gateway refuses an old date and a used nonce, probed just now.
    pub fence: Seen<bool>,
    /// Whether all that a seal needs is there: a definition that keeps it, and the whole request body, Secrets included.
    pub body: Seen<()>,
    /// Whether the CRD itself is being deleted.
    pub uprooted: Seen<bool>,
    pub drift: Seen<Drift>,
    /// How far ACK's task has come, as a sentence.
    pub progress: Seen<Note>,
    /// Why a creation or deletion failed, as ACK tells it.
    pub cause: Seen<Note>,
    /// Whether answers about the recorded cluster come from where it lives: it was shown there to this process, or its
    /// task is known there.
    pub trace: Seen<bool>,
    /// What will outlive the cluster.
    pub leftovers: Seen<Note>,
    /// What is published of the kubeconfig.
    pub kubeconfig: Seen<Published>,
    /// Which request was sent in this pass, and its outcome. The object may have come to another attempt since.
    pub sent: Option<(Nonce, Sent)>,
    /// What was last asked of ACK in this pass, and how that went.
    pub acted: Option<(Deed, Result<(), Trouble>)>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Claim,
    Protect,
    Change(Change),
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
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Made, and where: the site of the request that made it.
    Created(ClusterId, Site),
    /// Definitely not executed.
    Refused(Class, Note),
    /// Perhaps executed.
    Unknown(Note),
}

/// The cluster's entry in the shared list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glance {
    /// As when it was last looked at closely and found settled.
    Same,
    Changed,
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
    /// Its intent tag is somebody else's nonce.
    Other(Nonce),
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
    /// It shows at least one live cluster that this operator recorded there, so these credentials see ours.
    pub trusted: bool,
    /// Live clusters that carry a nonce of this uid.
    pub ours: Vec<ClusterId>,
    /// A cluster with our installation, namespace and name but somebody else's nonce.
    pub rival: Option<Rival>,
    /// A cluster of the intent's name, without tags, that could be ours.
    pub undecided: Option<ClusterId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rival {
    pub id: ClusterId,
    pub going: bool,
}

/// How the cluster differs from the spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Drift {
    /// The next change that brings it closer.
    pub change: Option<Change>,
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
    /// What changes, for people.
    pub words: Note,
    /// Tells it from every other change.
    pub key: String,
}
