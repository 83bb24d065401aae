//! Whether a run came out right. The oracles are ACK's ledger, the stored object and what the doors counted; what the
//! operator says of itself comes last.

use std::ops::RangeInclusive;

use ack_emulator::LedgerEntry;

use super::world::{World, has_reason};
use crate::cluster::{id, living};

/// What must be so at the end of a scenario, whatever was cut in it.
pub struct End {
    /// `Ready`'s reason; without one the object is gone.
    pub reason: Option<&'static str>,
    /// How many clusters ACK has ever made.
    pub made: RangeInclusive<usize>,
    /// How many of them live.
    pub living: usize,
    /// Clusters may live without an object that records them.
    pub kept: bool,
}

impl End {
    /// One object, one cluster.
    pub const RUNNING: End = End { reason: Some("Running"), made: 1..=1, living: 1, kept: false };
    /// Its cluster is gone with it.
    pub const GONE: End = End { reason: None, made: 1..=1, living: 0, kept: false };
}

/// What a run has cost.
#[derive(Clone, Copy)]
pub struct Counts {
    /// Writes to its objects, refused ones too.
    pub writes: usize,
    /// All calls.
    pub calls: usize,
}

impl Counts {
    pub const MAX: Counts = Counts { writes: usize::MAX, calls: usize::MAX };
}

/// What a run may cost more than the reference, for each thing that goes wrong: an unknown outcome is told, closed and
/// sealed anew, a trouble is told and taken back, and a write that was refused is made again; and until an outcome is
/// known the lists are read for half a minute.
pub const SLACK: Counts = Counts { writes: 8, calls: 400 };

/// Whether the object is as it should be in the end.
pub fn arrived(world: &World, end: &End) -> bool {
    match (world.get(), end.reason) {
        (None, None) => true,
        (Some(object), Some(reason)) => {
            has_reason(&object, reason) && object["status"]["observedGeneration"] == object["metadata"]["generation"]
        }
        _ => false,
    }
}

/// Every sentence is something that is wrong, once the object has arrived.
pub fn judge(world: &World, end: &End, counts: Counts, allowed: Counts) -> Vec<String> {
    let mut wrong = vec![];
    let (ledger, alive) = (world.scene.emulator.ledger(), living(&world.scene));
    let ids = |clusters: &[LedgerEntry]| clusters.iter().map(|cluster| cluster.id.clone()).collect::<Vec<_>>();
    if !end.made.contains(&ledger.len()) {
        wrong.push(format!("{} clusters were made, not {:?}: {:?}", ledger.len(), end.made, ids(&ledger)));
    }
    if alive.len() != end.living {
        wrong.push(format!("{} clusters live, not {}: {:?}", alive.len(), end.living, ids(&alive)));
    }
    for (older, younger) in
        ledger.iter().enumerate().flat_map(|(n, older)| ledger[n + 1..].iter().map(move |y| (older, y)))
    {
        let same = older.name == younger.name;
        if same && (older.deleted.is_empty() || younger.created < older.deleted) {
            wrong.push(format!("{} was made while {} lived", younger.id, older.id));
        }
    }
    let recorded: Vec<_> = world.all().iter().map(id).collect();
    if !end.kept {
        for orphan in alive.iter().filter(|cluster| !recorded.contains(&cluster.id)) {
            wrong.push(format!("no object records {}", orphan.id));
        }
    }
    for (what, count, allowed) in [("writes", counts.writes, allowed.writes), ("calls", counts.calls, allowed.calls)] {
        if count > allowed {
            wrong.push(format!("{count} {what}, where {allowed} are allowed"));
        }
    }
    wrong
}
