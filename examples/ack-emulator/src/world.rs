//! The world behind the API: all clusters and tasks. Pure: the time and the settings are given to it, answers come out; no
//! I/O, no clock and no randomness of its own.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::clock::Now;
use crate::cluster::Cluster;
use crate::settings::{Early, Settings};
use crate::sign::hex;
use crate::task::{End, Kind, Task};

/// One cluster that was ever created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub id: String,
    pub account: String,
    pub region: String,
    pub name: String,
    /// The user's tags of now: objects of `key` and `value`.
    pub tags: Vec<Value>,
    /// The create request's body as received.
    pub body: Value,
    /// The members that DescribeClusterDetail shows, as they are now, whatever lags.
    pub shown: Map<String, Value>,
    pub state: String,
    /// The deletion protection of now.
    pub protected: bool,
    /// RFC 3339, gateway time.
    pub created: String,
    /// Empty while the cluster lives.
    pub deleted: String,
    /// The query of the last accepted DeleteCluster.
    pub delete_options: Map<String, Value>,
}

/// The answer to a create request that carried a `client_token`, and the hash of its body.
pub type Remembered = (String, Value);

/// Clusters and tasks.
#[derive(Debug, Default)]
pub struct World {
    pub clusters: Vec<Cluster>,
    pub tasks: Vec<Task>,
    /// By account and token.
    pub tokens: HashMap<(String, String), Remembered>,
    minted: u64,
    /// What each cluster hands out as its kubeconfig; `None`: made up.
    pub kubeconfig: Option<String>,
}

impl World {
    /// A new id: `prefix` and `digits` hex digits, different each time.
    pub fn mint(&mut self, prefix: &str, digits: usize, now: &Now) -> String {
        self.minted += 1;
        let seed = format!("{prefix} {} {}", self.minted, now.gateway.as_nanosecond());
        format!("{prefix}{}", &hex(&Sha256::digest(seed))[..digits])
    }

    /// Lets everything happen whose time has come. Called before every look and every change.
    pub fn tick(&mut self, settings: &Settings, now: &Now) {
        for at in 0..self.tasks.len() {
            let words = self.tasks[at].tick(now);
            let task = &self.tasks[at];
            let (cluster, ends, over) = (task.cluster, task.ends, task.end.is_none() && task.ends <= now.world);
            for (stamp, line) in words {
                self.clusters[cluster].log(stamp, line);
            }
            if over {
                self.finish(at, End::Success, ends, settings, now);
            }
        }
    }

    /// Starts a task on a cluster; `takes` is world time. Answers the task's id.
    pub fn start(&mut self, kind: Kind, cluster: usize, takes: SignedDuration, change: Value, now: &Now) -> String {
        let id = self.mint("T-", 24, now);
        self.tasks.push(Task::new(id.clone(), kind, cluster, takes, change, *now));
        let task = self.tasks.len() - 1;
        let cluster = &mut self.clusters[cluster];
        cluster.task = Some(task);
        cluster.stick(None);
        let state = match kind {
            Kind::Create => "initial",
            Kind::Modify => "updating",
            Kind::Delete => "deleting",
        };
        cluster.set("state", state);
        cluster.event(kind, "info", "Started", &format!("started {}", kind.word()), now.gateway);
        cluster.log(now.gateway, format!("start {}", kind.word()));
        cluster.changed(now.world, now);
        id
    }

    /// Ends a task at world time `at`, with what that means for its cluster.
    fn finish(&mut self, task: usize, end: End, at: Timestamp, settings: &Settings, now: &Now) {
        let task = &mut self.tasks[task];
        let cluster = &mut self.clusters[task.cluster];
        let kind = task.kind;
        let stamp = now.stamp(at).max(cluster.created);
        cluster.task = None;
        match &end {
            End::Success => {
                cluster.event(kind, "info", "Succeeded", &format!("{} succeeded", kind.word()), stamp);
                match kind {
                    Kind::Create => cluster.run(),
                    Kind::Modify => {
                        cluster.modify(&task.change);
                        cluster.set("state", "running");
                    }
                    Kind::Delete => {
                        cluster.set("state", "deleted");
                        cluster.deleted = Some(stamp);
                    }
                }
            }
            End::Failed { message, .. } => {
                cluster.event(kind, "error", "Failed", &format!("{} failed: {message}", kind.word()), stamp);
                cluster.log(stamp, message.clone());
                cluster.stick(Some(kind));
                match kind {
                    Kind::Create => {
                        cluster.set("state", "failed");
                        cluster.set("current_version", "");
                    }
                    Kind::Modify => cluster.set("state", "updating_failed"),
                    Kind::Delete => cluster.set("state", "delete_failed"),
                }
            }
            End::Canceled => {}
        }
        task.finish(end, stamp);
        cluster.changed(at, now);
        if cluster.deleted.is_some() {
            cluster.vanish(at + settings.deleted_visible);
        }
    }

    /// Why a cluster cannot be deleted now, if so: the state that stands against it.
    pub fn undeletable(&self, cluster: usize, settings: &Settings) -> Option<String> {
        let state = self.clusters[cluster].state();
        let early = state == "initial" && settings.delete_while_initial == Early::Allow;
        let states = ["running", "failed", "delete_failed", "updating_failed", "inactive", "unavailable", "stopped"];
        (!early && !states.contains(&state)).then(|| state.to_owned())
    }

    /// Cancels the cluster's task, if it has one.
    pub fn cancel(&mut self, cluster: usize, settings: &Settings, now: &Now) {
        if let Some(task) = self.clusters[cluster].task {
            self.finish(task, End::Canceled, now.world, settings, now);
        }
    }

    /// Every cluster ever created, oldest first.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        let entry = |cluster: &Cluster| LedgerEntry {
            id: cluster.id.clone(),
            account: cluster.account.clone(),
            region: cluster.region.clone(),
            name: cluster.text("name").into(),
            tags: cluster.tags().to_vec(),
            body: cluster.body.clone(),
            shown: cluster.shown.clone(),
            state: cluster.state().into(),
            protected: cluster.protected(),
            created: cluster.created.to_string(),
            deleted: cluster.deleted.map(|at| at.to_string()).unwrap_or_default(),
            delete_options: cluster.delete_options.clone(),
        };
        self.clusters.iter().map(entry).collect()
    }

    /// What happens outside the API: `fail_task`, `delete`, or members of the detail with new values (`null` takes a
    /// member out of the answers). A new `state` ends a task that is under way. `tags` as an object sets these tags and
    /// leaves the others; `null` for a tag takes it off.
    ///
    /// # Errors
    /// Says what is not understood; nothing is changed then.
    pub fn outside(&mut self, id: &str, change: &Value, settings: &Settings, now: &Now) -> Result<(), String> {
        let Some(at) = self.clusters.iter().position(|cluster| cluster.id == id) else {
            return Err(format!("there is no cluster {id}"));
        };
        if self.clusters[at].deleted.is_some() {
            return Err(format!("the cluster {id} is deleted"));
        }
        let Some(change) = change.as_object().filter(|change| !change.is_empty()) else {
            return Err("a change is a JSON object with at least one member".into());
        };
        let cluster = &self.clusters[at];
        for (name, value) in change {
            let same_kind = |known: &Value| std::mem::discriminant(known) == std::mem::discriminant(value);
            let legal = match name.as_str() {
                "delete" => value == true,
                "fail_task" if cluster.task.is_none() => return Err("no task is under way".into()),
                "fail_task" => value == true || (value["code"].is_string() && value["message"].is_string()),
                "cluster_id" | "region_id" => false,
                "state" => value.is_string(),
                "tags" if value.is_object() => values_or_nulls(value),
                _ => {
                    cluster.shown.get(name).is_some_and(|known| value.is_null() || known.is_null() || same_kind(known))
                }
            };
            if !legal {
                return Err(format!("{name}: {value} is not understood"));
            }
        }
        if let (Some(wish), Some(task)) = (change.get("fail_task"), cluster.task) {
            let (code, message) = match (wish["code"].as_str(), wish["message"].as_str()) {
                (Some(code), Some(message)) => (code.to_owned(), message.to_owned()),
                _ => self.tasks[task].kind.mishap(),
            };
            self.finish(task, End::Failed { code, message }, now.world, settings, now);
        }
        if let (Some(state), Some(task)) = (change.get("state"), self.clusters[at].task) {
            let end = if state == "running" { End::Success } else { End::Canceled };
            self.finish(task, end, now.world, settings, now);
        }
        let delete = change.contains_key("delete");
        if delete {
            self.cancel(at, settings, now);
        }
        let cluster = &mut self.clusters[at];
        for (name, value) in change.iter().filter(|(name, _)| !["delete", "fail_task"].contains(&name.as_str())) {
            match value.as_object().filter(|_| name == "tags") {
                Some(tags) => tags.iter().for_each(|(key, value)| cluster.retag(key, value.as_str())),
                None => cluster.set(name, value.clone()),
            }
        }
        if delete {
            cluster.set("state", "deleted");
            cluster.deleted = Some(now.gateway);
        }
        cluster.changed(now.world, now);
        if delete {
            cluster.vanish(now.world);
        }
        Ok(())
    }
}

fn values_or_nulls(tags: &Value) -> bool {
    tags.as_object().is_some_and(|tags| tags.values().all(|value| value.is_string() || value.is_null()))
}
