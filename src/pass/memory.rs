//! What the process remembers of an object between two passes. All of it only spares calls and writes: losing it costs
//! a look, never a cluster, and nothing here is trusted for safety.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::marks::Marks;
use crate::ack::{Account, Secrets};
use crate::cache::Edition;
use crate::decide::{ByList, Memo};
use crate::terms::{ClusterId, TaskId};

/// By the object's uid. Clones are the same.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<String, Entry>>>);

#[derive(Clone, Default)]
pub(super) struct Entry {
    /// The last pass came to rest: nothing needs doing until then, unless people write to the object.
    pub rest: Option<Rest>,
    pub memo: Option<Memo>,
    /// How many passes in a row ended in trouble.
    pub streak: u32,
    /// How things were when it was last found that the list is enough.
    pub listed: Option<Listed>,
    /// The cluster that ACK last showed closely to this process.
    pub shown: Option<ClusterId>,
    /// Who saw that, and what the memo holds: a digest of who calls.
    pub identity: Option<String>,
    /// The task of the last request, until a write that is made anyway stores it.
    pub task: Option<(ClusterId, TaskId)>,
    /// When the object was first seen to go.
    pub going: Option<Instant>,
    /// What the request body kept secret, and ACK may repeat.
    pub secrets: Secrets,
    /// The account last used, kept so that a namespace which takes its Secrets first can still be emptied.
    pub account: Option<Arc<Account>>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Rest {
    /// What people had written by then. Our own writes are not in it.
    pub edition: Edition,
    pub until: Instant,
}

#[derive(Clone, PartialEq)]
pub(super) struct Listed {
    /// What people had written by then.
    pub edition: Edition,
    /// What a list shows of such a cluster.
    pub marks: Marks,
    pub by_list: ByList,
}

impl Memory {
    pub(super) fn get(&self, uid: &str) -> Entry {
        self.0.lock().expect("memory").get(uid).cloned().unwrap_or_default()
    }

    /// Keeps the entry of an object that is `known`; of one that is gone meanwhile nobody would take it away again.
    pub(super) fn put(&self, uid: &str, entry: Entry, known: impl FnOnce() -> bool) {
        let mut entries = self.0.lock().expect("memory");
        if known() {
            entries.insert(uid.to_owned(), entry);
        }
    }

    /// A pass could not end: counts it, and answers how many did so before in a row.
    pub(super) fn stumble(&self, uid: &str, known: impl FnOnce() -> bool) -> u32 {
        let mut entries = self.0.lock().expect("memory");
        if !known() {
            return 0;
        }
        let entry = entries.entry(uid.to_owned()).or_default();
        let before = entry.streak;
        entry.streak = before.saturating_add(1);
        before
    }

    pub(super) fn forget(&self, uid: &str) {
        self.0.lock().expect("memory").remove(uid);
    }

    pub(super) fn retain(&self, known: impl Fn(&str) -> bool) {
        self.0.lock().expect("memory").retain(|uid, _| known(uid));
    }

    /// How many objects something is remembered of.
    pub fn count(&self) -> usize {
        self.0.lock().expect("memory").len()
    }
}
