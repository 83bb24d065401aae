//! What the judgement answers: a look, an act, or why it rests. Data only.

use jiff::{SignedDuration, Timestamp};

use super::evidence::Deed;
use super::view::{Closed, Followed, Memo};
use crate::terms::{Asked, ClusterId, End, Nonce, Note, Reason, Region, Site};

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
    /// The cluster's entry in a list that is not older than `every`.
    Glance {
        id: ClusterId,
        every: SignedDuration,
    },
    Cluster(ClusterId),
    /// A list that began at that gateway time or later.
    Listing {
        began_after: Timestamp,
    },
    /// Such a list of another region, where an earlier attempt was sent.
    Elsewhere {
        region: Region,
        began_after: Timestamp,
    },
    Fence,
    Body,
    Uprooted,
    Drift,
    Progress,
    Cause,
    Trace(ClusterId),
    /// The turn of what is about to be asked for: whoever has to wait for it looks at everything afterwards.
    Turn,
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
    /// Ask ACK for something that cannot be taken back.
    Ask(Ask),
    /// Forget this cluster so that another can be made.
    Forget(ClusterId),
    /// Get a kubeconfig from ACK and put it into its Secret.
    Publish(ClusterId),
    /// Take the finalizer off.
    Release(Free),
}

/// Something that is asked of ACK about a cluster: first the guarded status write of `verdict` and `remember`, which fails if
/// the object is not what was judged, then the call, signed with the date of the read that it was decided on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    pub id: ClusterId,
    /// `Claim`, `Protect`, `Change` or `Delete`.
    pub deed: Deed,
    /// What the object says while it is asked for.
    pub verdict: Verdict,
    /// What is written down of it.
    pub remember: Vec<Asked>,
    pub date: Timestamp,
    /// Not sent after this.
    pub not_after: Timestamp,
}

/// Why the finalizer may go; made in `decide` only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Free {
    NeverSealed,
    NeverMade,
    Gone,
    /// As the user wants it. The note says how the cluster is.
    Kept(ClusterId, Note),
    /// As the user wants it, although it is not known whether a cluster with this mark exists.
    Untraced(Nonce),
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
    /// What became of what was asked for, by key; `None`: it was not taken, so it is as if it had not been asked for.
    pub ends: Vec<(String, Option<End>)>,
    /// Nothing is to be done for a cluster that looks as it does now, as far as a list shows that.
    pub by_list: Option<Box<ByList>>,
    pub lock: Lock,
}

/// As long as a list, read so often, shows a cluster as it is now, the cluster need not be read closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ByList {
    /// But then it is.
    pub until: Option<Timestamp>,
    pub every: SignedDuration,
    /// `None`: nothing is left to do for the cluster.
    pub followed: Option<Followed>,
}

/// Whether the API server refuses edits of what ACK cannot change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lock {
    /// As it is.
    #[default]
    Keep,
    /// A cluster like the spec is there.
    Hold,
    /// No cluster binds the spec any more.
    Free,
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

impl Work {
    /// `None` where nothing was learnt.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Work::Done => Some(Reason::Running),
            Work::UnderWay(reason, _) | Work::Stuck(reason, _) | Work::Held(reason, _) => Some(*reason),
            Work::Same => None,
        }
    }

    /// The sentence for people.
    pub fn note(&self) -> &str {
        match self {
            Work::Done => "the cluster is running and the spec is applied",
            Work::UnderWay(_, note) | Work::Stuck(_, note) | Work::Held(_, note) => note.as_str(),
            Work::Same => "",
        }
    }
}

impl Verdict {
    pub fn new(ready: Option<bool>, work: Work) -> Verdict {
        Verdict { ready, work, again: None, memo: None, ends: vec![], by_list: None, lock: Lock::Keep }
    }
    /// Of an object over which a pass panicked.
    pub fn defect(note: impl Into<Note>) -> Verdict {
        Verdict::stuck(None, Reason::InternalError, note)
    }
    /// Of an object from which no view can be made.
    pub fn unreadable(note: impl Into<Note>) -> Verdict {
        Verdict::stuck(None, Reason::InvalidSpec, note)
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
