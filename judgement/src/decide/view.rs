//! What the judgement is given: the object as its status tells it. Data only.

use jiff::{SignedDuration, Timestamp};

use super::evidence::{Deed, Evidence, Trouble};
use crate::terms::{Asked, Class, ClusterId, Intent, Nonce, Note, Region, Site};

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
    /// Where the spec wants the cluster.
    pub region: Region,
    /// The mark of the attempt that is open, else of the one that a seal would make next.
    pub nonce: Nonce,
    /// Tells one wish for a deletion from another: the spec's deleteOptions.
    pub delete_options: String,
    pub standing: Standing,
    pub words: Vec<Word>,
    /// How many passes in a row ended in trouble; only sets the pace.
    pub streak: u32,
    /// What the last pass wanted to be reminded of. Losing it costs a look, never a cluster.
    pub memo: Option<Memo>,
    pub followed: Followed,
    pub seen: Evidence,
}

/// Of a cluster at which ACK works, and which was last judged by the list: what was read beside it, and when. Losing it costs
/// a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Followed {
    /// The detail, in this state.
    pub closely: Option<Timestamp>,
    /// ACK's task.
    pub task: Option<Timestamp>,
}

impl View {
    pub(super) fn said(&self, word: &Word) -> bool {
        self.words.contains(word)
    }

    /// What became of the last such deed of this pass.
    pub(super) fn did(&self, such: impl Fn(&Deed) -> bool) -> Option<&Result<(), Trouble>> {
        self.seen.acted.iter().rev().find(|(deed, _)| such(deed)).map(|(_, outcome)| outcome)
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
        /// The cluster that the spec names to be adopted, instead of making one.
        adopt: Option<ClusterId>,
        attempts: u32,
        last: Option<Ended>,
        /// The finalizer is ours and no intent is stored: the status was lost, or the pass that was about to seal died.
        blank: bool,
    },
    /// A create request is sealed and its outcome is open. `mine`: this very process and try sealed it. `said`: what came
    /// back instead of an outcome.
    Sealed { intent: Intent, mine: bool, said: Option<Note> },
    /// An id is recorded.
    Known(Known),
}

/// The last attempt, which left no cluster that is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ended {
    pub nonce: Nonce,
    /// Where its request was sent. What became of it can be seen there only, wherever the spec points now.
    pub site: Site,
    pub how: Closed,
}

/// How an attempt ended without a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Closed {
    /// Refused. `corrected`: the spec or the keys changed since.
    Refused { class: Class, at: Timestamp, corrected: bool, note: Note },
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
    /// ACK was at work at it when it was last seen.
    pub moving: bool,
    pub mark: Mark,
    pub recorded: Timestamp,
    /// Until then a cluster never met is taken for late, not for gone.
    pub believe_after: Timestamp,
    /// What was asked of ACK for this cluster, written down before it was asked.
    pub asked: Vec<Asked>,
}

/// What the status knows of the mark on the recorded cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// ACK has never shown a mark of this object on it.
    Unseen,
    /// ACK has shown this object's own at least once.
    Seen,
    /// The status is another uid's, as after a restore: it proves nothing for this object.
    Another,
}

/// The keys of what is asked for beside the fields of the spec.
pub mod keys {
    pub const MARKS: &str = "marks";
    pub const PROTECTION: &str = "deletion_protection";
    pub const DELETION: &str = "deletion";
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
    /// ACK took these, each by its key and digest.
    Taken(Vec<(String, String)>),
}
