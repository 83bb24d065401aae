//! What the judgement answers: a look, an act, or why it rests. Data only.

use jiff::Timestamp;

use super::view::{Change, Closed, Memo};
use crate::terms::{ClusterId, Note, Reason, Site};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Look(Look),
    Act(Act),
    Rest(Verdict),
}

/// One read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    Account,
    Glance(ClusterId),
    Cluster(ClusterId),
    /// A list that began at that gateway time or later.
    Listing {
        began_after: Timestamp,
    },
    Fence,
    Body,
    Uprooted,
    Drift,
    Progress,
    Cause,
    Trace(ClusterId),
    Leftovers(ClusterId),
    /// The Secret with the kubeconfig, against what is wanted of it now.
    Kubeconfig,
}

/// One guarded write or one call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    AddFinalizer,
    /// Write the intent of this attempt into the status.
    Seal {
        attempt: u32,
    },
    /// The one POST, signed with the sealed date and refused locally after `not_after`.
    Send {
        not_after: Timestamp,
    },
    /// Store the id, and whose and where the cluster is.
    Record {
        id: ClusterId,
        site: Site,
        adopted: bool,
    },
    /// Store how the open attempt ended.
    Close(Closed),
    /// Put our four tags on the cluster.
    Claim(ClusterId),
    /// Switch the deletion protection.
    Protect {
        id: ClusterId,
        on: bool,
    },
    /// Ask for this change of the cluster.
    Change {
        id: ClusterId,
        change: Change,
    },
    /// Ask for the deletion, refused locally after `not_after`.
    Delete {
        id: ClusterId,
        not_after: Timestamp,
    },
    /// Forget this cluster so that another can be made.
    Forget(ClusterId),
    /// Get a kubeconfig from ACK and put it into its Secret.
    Publish(ClusterId),
    /// Take the finalizer off.
    Release(Free),
}

/// Why the finalizer may go; made in `decide` only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Free {
    NeverSealed,
    NeverMade,
    Gone,
    Kept(ClusterId),
}

/// Why a pass ends. `Synced`, `Reconciling` and `Stalled` follow from the arm of `work`, so they cannot contradict
/// each other; `Ready` has the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// `None`: as last known.
    pub ready: Option<bool>,
    pub work: Work,
    /// Look again then; `None`: only when the object changes.
    pub again: Option<Timestamp>,
    pub memo: Option<Memo>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// The cluster serves and the spec is applied.
    Done,
    /// It goes on by itself.
    UnderWay(Reason, Note),
    /// A person must act.
    Stuck(Reason, Note),
    /// A person holds it, or ACK says that the cluster is down; nothing to do here.
    Held(Reason, Note),
    /// Nothing was learnt: leave the status as it is.
    Same,
}

impl Verdict {
    pub(super) fn new(ready: Option<bool>, work: Work) -> Verdict {
        Verdict { ready, work, again: None, memo: None }
    }
    pub(super) fn done() -> Verdict {
        Verdict::new(Some(true), Work::Done)
    }
    pub(super) fn under_way(ready: Option<bool>, reason: Reason, note: impl Into<Note>) -> Verdict {
        Verdict::new(ready, Work::UnderWay(reason, note.into()))
    }
    pub(super) fn stuck(ready: Option<bool>, reason: Reason, note: impl Into<Note>) -> Verdict {
        Verdict::new(ready, Work::Stuck(reason, note.into()))
    }
    pub(super) fn held(ready: Option<bool>, reason: Reason, note: impl Into<Note>) -> Verdict {
        Verdict::new(ready, Work::Held(reason, note.into()))
    }
    pub(super) fn at(mut self, again: Timestamp) -> Verdict {
        self.again = Some(again);
        self
    }
    /// Reminds the next pass of what this one was reminded of, where nothing was learnt that could take it back.
    pub(super) fn still(mut self, memo: &Option<Memo>) -> Verdict {
        self.memo = memo.clone();
        self
    }
    pub(super) fn keeping(mut self, memo: Memo) -> Verdict {
        self.memo = Some(memo);
        self
    }
}
