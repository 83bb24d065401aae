//! By what a list shows of a cluster it is known that the cluster is as it was. Digests, so that ten thousand of them take no room.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Settings;
use super::look::moving;
use crate::ack::ListedCluster;
use crate::cache::Edition;
use crate::decide::Rules;

/// A digest of a cluster's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    /// Of a cluster that was seen at `now`. `None` where it may change once more without that this shows: a time of change has
    /// whole seconds.
    pub fn seen(cluster: &ListedCluster, now: Timestamp) -> Option<Marks> {
        let updated = cluster.updated.as_ref().and_then(|updated| updated.parse::<Timestamp>().ok());
        let still = updated.is_none_or(|at| at + SignedDuration::from_secs(1) < now);
        (still || moving(cluster.state.kind)).then(|| Marks::of(cluster))
    }

    /// While ACK is at work at it, only that and whose it is count: the rest changes meanwhile, and is read once it is over.
    pub fn of(cluster: &ListedCluster) -> Marks {
        let ListedCluster { id, state, tags, updated, .. } = cluster;
        Marks(digest(&if moving(state.kind) {
            format!("{id} {} {tags:?}", state.word)
        } else {
            format!("{} {updated:?}", lasting(cluster))
        }))
    }
}

/// A digest of an object and its cluster, by which another process of this version knows that there is nothing to do. What
/// last changed it is not in it: ACK changes that, too.
pub(super) fn settled(uid: &str, edition: Edition, cluster: &ListedCluster, settings: &Settings) -> String {
    let Settings { installation, default_tags, rules: Rules { read_only, .. }, .. } = settings;
    let version = env!("CARGO_PKG_VERSION");
    let by = format!("{version} {installation} {default_tags:?} {read_only}");
    format!("{:016x}", digest(&format!("{by} {uid} {edition:?} {}", lasting(cluster))))
}

/// What a list shows of a cluster, but for when it last changed.
fn lasting(cluster: &ListedCluster) -> String {
    let ListedCluster {
        id,
        name,
        state,
        tags,
        created: _,
        updated: _,
        deletion_protection,
        current_version,
        size,
        resource_group_id: _,
    } = cluster;
    format!("{id} {name} {} {tags:?} {deletion_protection:?} {current_version:?} {size:?}", state.word)
}

fn digest(text: &str) -> u64 {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
