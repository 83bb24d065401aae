//! What the operators asked of ACK about the object's clusters: what ACK's journal says of each call, with what the doors saw
//! of it, of the look at the cluster that came before, and of the guarded write. It judges nothing.

use std::time::Duration;

use ::playground::cutting::{Call, Cut};
use ack_emulator::JournalEntry;
use serde_json::Value;

use super::world::{NAME, World};

/// How long after the look the call is sent at most: what docs/guarantees.md calls 60 s, as `--protocol-times` scales it, of
/// which 5 s are always left.
pub const ALLOWED: Duration = Duration::from_secs(5);

/// After a lost answer the same is asked for again after this: `L` of `--protocol-times`.
pub const LISTED: Duration = Duration::from_secs(2);

/// What ACK answered is not asked for again before this: what docs/guarantees.md calls 10 min, two thirds of `W`.
pub const SLOW: Duration = Duration::from_millis(6600);

/// One call that came to ACK and that may change a cluster.
pub struct Ask {
    pub entry: JournalEntry,
    /// As its door saw it, and its place among all calls.
    pub call: Call,
    pub place: usize,
    /// The cluster's detail, read last before by the same operator.
    pub look: Option<Call>,
    /// The status write of the object that was stored last before by the same operator.
    pub write: Option<Call>,
}

impl Ask {
    pub fn deletes(&self) -> bool {
        self.entry.operation == "DeleteCluster"
    }

    /// To what it switches the deletion protection.
    pub fn protects(&self) -> Option<bool> {
        let modifies = self.entry.operation == "ModifyCluster";
        self.entry.body["deletion_protection"].as_bool().filter(|_| modifies)
    }

    /// ACK took it, whether or not it did anything with it.
    pub fn taken(&self) -> bool {
        self.entry.took_effect || (200..300).contains(&self.entry.status)
    }

    /// What is asked for; two that are the same in this ask for the same.
    pub fn content(&self) -> (&str, &str, &str, &Value) {
        (&self.entry.operation, &self.entry.cluster, &self.entry.path, &self.entry.body)
    }

    /// The operator cannot have learnt what came of it. The second answer of what comes twice says that its nonce was used.
    pub fn unread(&self) -> bool {
        matches!(self.call.cut, Some(Cut::Withheld | Cut::Killed | Cut::Twice | Cut::Late | Cut::Stopped))
    }
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.call.number.map_or_else(String::new, |number| format!(" ({number})"));
        write!(f, "{}{number} {}", self.entry.operation, self.entry.body)
    }
}

/// A status write of the object, as it was stored.
pub fn is_stored(call: &Call) -> bool {
    call.is("PATCH", "ackclusters/status") && call.path.ends_with(&format!("/{NAME}/status")) && call.status == 200
}

/// All of them since the calls were counted, in the order in which they came to ACK.
pub fn asks(world: &World, calls: &[Call]) -> Vec<Ask> {
    let ours = world.clusters();
    let ask = |entry: JournalEntry| {
        let place = calls.iter().position(|call| !call.nonce.is_empty() && call.nonce == entry.nonce)?;
        let call = calls[place].clone();
        let before = |seen: &dyn Fn(&Call) -> bool| {
            calls[..place].iter().rev().find(|before| before.whose == call.whose && seen(before)).cloned()
        };
        let detail = format!("/clusters/{}", entry.cluster);
        let look = before(&|call| call.kind == "DescribeClusterDetail" && call.path == detail && call.status == 200);
        Some(Ask { look, write: before(&is_stored), call: call.clone(), place, entry })
    };
    let changing = ["ModifyCluster", "TagResources", "UntagResources", "DeleteCluster"];
    let about = |entry: &JournalEntry| {
        changing.contains(&entry.operation.as_str()) && ours.iter().any(|cluster| cluster.id == entry.cluster)
    };
    world.scene.emulator.journal(0).into_iter().filter(about).filter_map(ask).collect()
}
