//! Whether a run came out right. The oracles are ACK's ledger, the stored object and what the doors counted; what the
//! operator says of itself comes last.

use std::ops::RangeInclusive;
use std::time::Duration;

use ::playground::cutting::{Call, Cut};
use ack_emulator::LedgerEntry;
use serde_json::Value;

use super::asks::asks;
use super::campaign::Reference;
use super::plan::{Plan, Sight};
use super::world::{NEIGHBOUR, World, has_reason};
use super::{protection, repeats};
use crate::cluster::id;

/// What must be so at the end of a scenario, whatever was cut in it. The neighbour is not counted.
pub struct End {
    /// `Ready`'s reason is one of these; without any the object is gone.
    pub reasons: &'static [&'static str],
    /// How many clusters ACK has ever made.
    pub made: RangeInclusive<usize>,
    /// How many of them live.
    pub living: RangeInclusive<usize>,
    /// Clusters may live without an object that records them.
    pub kept: bool,
}

impl End {
    /// One object, one cluster.
    pub const RUNNING: End = End { reasons: &["Running"], made: 1..=1, living: 1..=1, kept: false };
    /// Its cluster is gone with it.
    pub const GONE: End = End { reasons: &[], living: 0..=0, ..End::RUNNING };
    /// It waits for its deletion, and its cluster with it.
    pub const PROTECTED: End = End { reasons: &["DeletionProtected"], ..End::RUNNING };
    /// One cluster, or none where its answer was lost and nothing proves that there is none.
    pub const UNKNOWN: End = End { reasons: &["Running", "ListNotTrusted"], made: 0..=1, living: 0..=1, kept: false };
}

/// Whether the object is as it should be in the end, and the neighbour is as it was.
pub fn arrived(world: &World, end: &End) -> bool {
    let neighbour = world.scene.get(NEIGHBOUR).is_none_or(|object| has_reason(&object, "Running"));
    neighbour
        && match world.get() {
            None => end.reasons.is_empty(),
            Some(object) => {
                end.reasons.iter().any(|reason| has_reason(&object, reason))
                    && object["status"]["observedGeneration"] == object["metadata"]["generation"]
            }
        }
}

/// Every sentence is something that is wrong, once the object has arrived.
pub fn judge(world: &World, plan: &Plan, reference: Option<&Reference>) -> Vec<String> {
    let mut wrong = clusters(world, &plan.scenario.end);
    wrong.extend(neighbour(world));
    wrong.extend(asked(world));
    if let Some(reference) = reference {
        wrong.extend(too_costly(Counts::of(&world.book.calls()), allowed(plan, reference)));
    }
    wrong
}

/// What is wrong with what was asked of ACK, whether or not the object has arrived.
pub fn asked(world: &World) -> Vec<String> {
    let calls = world.book.calls();
    let asks = asks(world, &calls);
    [protection::broken(world, &calls, &asks), repeats::repeated(world, &calls, &asks)].concat()
}

/// How many clusters there are and were, and whose.
fn clusters(world: &World, end: &End) -> Vec<String> {
    let mut wrong = vec![];
    let (ledger, alive) = (world.clusters(), world.living());
    let ids = |clusters: &[LedgerEntry]| clusters.iter().map(|cluster| cluster.id.clone()).collect::<Vec<_>>();
    if !end.made.contains(&ledger.len()) {
        wrong.push(format!("{} clusters were made, not {:?}: {:?}", ledger.len(), end.made, ids(&ledger)));
    }
    if !end.living.contains(&alive.len()) {
        wrong.push(format!("{} clusters live, not {:?}: {:?}", alive.len(), end.living, ids(&alive)));
    }
    let pairs = ledger.iter().enumerate().flat_map(|(n, older)| ledger[n + 1..].iter().map(move |y| (older, y)));
    for (older, younger) in pairs.filter(|(older, younger)| older.name == younger.name) {
        if older.deleted.is_empty() || younger.created < older.deleted {
            wrong.push(format!("{} was made while {} lived", younger.id, older.id));
        }
    }
    let objects = world.all();
    let recorded: Vec<_> = objects.iter().map(id).collect();
    let lives =
        |object: &&Value| object["metadata"]["name"] == NEIGHBOUR || alive.iter().any(|one| one.id == id(object));
    let claims = objects.iter().filter(|object| has_reason(object, "Running") && !lives(object));
    wrong.extend(claims.map(|object| format!("{} runs, says its object, and does not live", id(object))));
    let orphans = alive.iter().filter(|cluster| !end.kept && !recorded.contains(&cluster.id));
    wrong.extend(orphans.map(|orphan| format!("no object records {}", orphan.id)));
    wrong
}

/// The neighbour, where there is one, has the cluster that it had.
fn neighbour(world: &World) -> Option<String> {
    let object = world.scene.get(NEIGHBOUR)?;
    let all: Vec<_> = world.scene.emulator.ledger().into_iter().filter(|cluster| cluster.name == NEIGHBOUR).collect();
    let alone = matches!(&all[..], [one] if one.deleted.is_empty() && one.id == id(&object));
    (!alone).then(|| format!("the neighbour records {}, and of its clusters there were {}", id(&object), all.len()))
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
    pub fn of(calls: &[Call]) -> Counts {
        let writes = calls.iter().filter(|call| call.changes() && call.kind.starts_with("ackclusters")).count();
        Counts { writes, calls: calls.len() }
    }
}

// Measured over two runs of `--some 300` and one of `--some 220`: one trouble cost at most 6 writes, once 13 where two processes
// worked on the same object, and at most 95 calls, where a process slept. A loop at the pace of the looks makes 27 writes.

/// What one trouble may cost: a trouble is told and taken back (2), an attempt whose outcome is unknown is told, told to be
/// absent so far, closed and sealed anew (4), and a write that was refused is made again (1).
const WRITES: usize = 7;

/// How long an outcome may stay open by `--protocol-times`: `W + L + S`, and twice what lies between two looks; and how many
/// calls a look then makes: the object, its Secret, the list, the cluster. The looks are half a second apart.
const OPEN: Duration = Duration::from_millis(13_700);
const LOOKS: Duration = Duration::from_millis(500);
const LOOK: usize = 4;

/// What a run may cost: the reference, and something for each thing that goes wrong; twice that where two processes work
/// on the same object.
fn allowed(plan: &Plan, reference: &Reference) -> Counts {
    let troubles = plan.cuts.len() + usize::from(plan.sight.is_some());
    let two = matches!(plan.sight, Some(Sight::Two { .. })) || plan.cuts.iter().any(|(_, cut)| *cut == Cut::Stopped);
    let times = if two { 2 } else { 1 };
    let looks = usize::try_from(OPEN.as_millis() / LOOKS.as_millis()).unwrap_or_default();
    let Counts { writes, calls } = Counts::of(&reference.calls);
    Counts { writes: (writes + WRITES * troubles) * times, calls: (calls + looks * LOOK * troubles) * times }
}

fn too_costly(counts: Counts, allowed: Counts) -> Vec<String> {
    let kinds = [("writes", counts.writes, allowed.writes), ("calls", counts.calls, allowed.calls)];
    let too_many = kinds.into_iter().filter(|(_, count, allowed)| count > allowed);
    too_many.map(|(what, count, allowed)| format!("{count} {what}, where {allowed} are allowed")).collect()
}
