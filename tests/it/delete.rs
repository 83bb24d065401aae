//! Letting go under trouble, with the operator as a process: what looks like gone and is not, what refuses to go, and who
//! may say so. The finalizer goes only when ACK's own ledger says that the cluster is gone, or when it is to be kept.

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::json;

use crate::support::Scene;

/// Keys that are wrong, or somebody else's, or of the wrong region.
mod credentials;
/// Ways out of what cannot go by itself.
mod exits;
/// Deletions that fail, clusters that vanish or show late.
mod failed;
/// What is said while a deletion is on its way.
pub mod last_look;
/// Whose the cluster is.
mod owner;
/// The deletion protection, wherever it is said.
mod protection;
/// Namespaces and the definition itself, with all that is in them.
mod whole;

pub fn tests() -> Vec<Trial> {
    [
        credentials::tests(),
        exits::tests(),
        failed::tests(),
        last_look::tests(),
        owner::tests(),
        protection::tests(),
        whole::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Waits until the object is gone, and shows that its cluster had ended before the finalizer went: the ledger's time against
/// the audit log's.
fn gone(scene: &Scene, name: &str, cluster: &str) {
    scene.wait_until_gone(name);
    let release = scene.until("the release is in the audit log", || {
        let releases = |write: &serde_json::Value| {
            write["objectRef"]["name"] == name && write["requestObject"]["metadata"]["finalizers"] == json!([])
        };
        scene.operator_writes().into_iter().rfind(releases)
    });
    let time = |text: &str| text.parse::<Timestamp>().unwrap_or_else(|_| panic!("{name}: no time: {text:?}"));
    let released = time(release["requestReceivedTimestamp"].as_str().unwrap_or_default());
    let entry = scene.emulator.ledger().into_iter().find(|entry| entry.id == cluster).expect("it is in the ledger");
    assert!(time(&entry.deleted) <= released, "{name} went at {released}, its cluster at {}", entry.deleted);
}

/// How many deletions ACK began.
fn begun(scene: &Scene) -> usize {
    let begun = |call: &ack_emulator::JournalEntry| call.operation == "DeleteCluster" && call.took_effect;
    scene.emulator.journal(0).into_iter().filter(begun).count()
}
