//! The words by which ACK tells how far a cluster or a task is, and what they mean.

use super::super::redact::{self, Secrets};

/// A cluster's state (ack-api e.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// As ACK wrote it.
    pub word: String,
    pub kind: StateKind,
}

/// What a state's word means, whatever its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateKind {
    Initial,
    Running,
    Updating,
    UpdatingFailed,
    Upgrading,
    Scaling,
    Removing,
    Draining,
    Migrating,
    Inactive,
    Unavailable,
    Stopped,
    Failed,
    Deleting,
    DeleteFailed,
    Deleted,
    /// Of registered clusters only.
    Waiting,
    /// Of registered clusters only.
    Disconnected,
    /// A word that this operator does not know, or none: something goes on.
    Other,
}

/// ACK's words for them (ack-api e.1).
const STATES: [(&str, StateKind); 18] = [
    ("initial", StateKind::Initial),
    ("running", StateKind::Running),
    ("updating", StateKind::Updating),
    ("updating_failed", StateKind::UpdatingFailed),
    ("upgrading", StateKind::Upgrading),
    ("scaling", StateKind::Scaling),
    ("removing", StateKind::Removing),
    ("draining", StateKind::Draining),
    ("migrating", StateKind::Migrating),
    ("inactive", StateKind::Inactive),
    ("unavailable", StateKind::Unavailable),
    ("stopped", StateKind::Stopped),
    ("failed", StateKind::Failed),
    ("deleting", StateKind::Deleting),
    ("delete_failed", StateKind::DeleteFailed),
    ("deleted", StateKind::Deleted),
    ("waiting", StateKind::Waiting),
    ("disconnected", StateKind::Disconnected),
];

impl State {
    pub fn new(word: &str) -> State {
        let plain: String = word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let known = STATES.iter().find(|(known, _)| known.replace('_', "") == plain);
        let kind = known.map_or(StateKind::Other, |(_, kind)| *kind);
        State { word: redact::cut(&Secrets::default().clean(word), 63), kind }
    }
}

impl StateKind {
    /// One word for all spellings.
    pub fn word(self) -> &'static str {
        STATES.iter().find(|(_, kind)| *kind == self).map_or("other", |(word, _)| *word)
    }
}

/// How far a task is (ack-api e.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    Running,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
    /// A word that this operator does not know: something goes on.
    Other,
}

impl TaskState {
    pub fn new(word: &str) -> TaskState {
        match word.to_ascii_lowercase().as_str() {
            "running" | "pending" | "initial" => TaskState::Running,
            "paused" => TaskState::Paused,
            "success" | "succeeded" => TaskState::Succeeded,
            "fail" | "failed" | "error" => TaskState::Failed,
            "canceled" | "cancelled" => TaskState::Cancelled,
            _ => TaskState::Other,
        }
    }

    /// Nothing will change any more.
    pub fn ended(self) -> bool {
        match self {
            TaskState::Succeeded | TaskState::Failed | TaskState::Cancelled => true,
            TaskState::Running | TaskState::Paused | TaskState::Other => false,
        }
    }
}
