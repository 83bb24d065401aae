//! The worst kinds at every call of a life, with the whole process: each run is an object in a region of its own, struck
//! once, or until it is healed. In the end there is one cluster that runs, or none and no object.

use std::time::{Duration, Instant};

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use ack_operator::terms::Reason;
use serde_json::{Value, json};

use super::kinds::{Kind, Met, named};
use crate::cluster::{id, living, message, object};
use crate::isolation::key;
use crate::support::{Scene, ready};

/// When in a life a call is struck.
#[derive(Clone, Copy, PartialEq)]
enum Moment {
    /// From the start.
    Making,
    /// After the answer to a create was lost, while it is found out that it made nothing.
    Lost,
    /// When a settled cluster is changed.
    Serving,
    /// When object and cluster are to go.
    Going,
    /// When an adopted cluster is to go.
    Adopted,
}

use Moment::{Adopted, Going, Lost, Making, Serving};

/// A call of a life.
#[derive(Clone, Copy)]
struct Slot {
    moment: Moment,
    operation: &'static str,
    /// On which side of the effect it is struck.
    when: &'static str,
}

const LIST: &str = "DescribeClustersForRegion";
const DETAIL: &str = "DescribeClusterDetail";

const SLOTS: [Slot; 10] = [
    Slot { moment: Making, operation: LIST, when: "before" },
    Slot { moment: Making, operation: "CreateCluster", when: "before" },
    Slot { moment: Making, operation: "CreateCluster", when: "after" },
    Slot { moment: Making, operation: DETAIL, when: "before" },
    Slot { moment: Lost, operation: "DescribeUserQuota", when: "before" },
    Slot { moment: Serving, operation: "ModifyCluster", when: "before" },
    Slot { moment: Going, operation: DETAIL, when: "before" },
    Slot { moment: Going, operation: "DeleteCluster", when: "before" },
    Slot { moment: Going, operation: LIST, when: "before" },
    Slot { moment: Adopted, operation: "TagResources", when: "before" },
];

/// Tried at every call, once.
const ONCE: [&str; 7] =
    ["reset", "reset_midway", "a_TLS_alert", "an_error_as_200", "dated_9999", "Forbidden.RAM", "ErrorClusterState"];

/// Tried at every call until it is healed.
const STANDING: [&str; 4] = ["reset", "an_error_as_200", "dated_9999", "Forbidden.RAM"];

/// What strikes some calls only, and the reason that it shows as long as it stays.
const MORE: [(Moment, &str, &str, &str); 6] = [
    (Making, LIST, "overcount_of_nothing", "Unreachable"),
    (Lost, LIST, "torn_of_nothing", "Unreachable"),
    (Going, LIST, "overcount_of_nothing", "Deleting"),
    (Going, DETAIL, "no_tags", "UpdateFailed"),
    (Going, DETAIL, "twice", "Unreachable"),
    (Serving, DETAIL, "wrong_types", "Unreachable"),
];

struct Run {
    name: String,
    region: String,
    slot: Slot,
    kind: Kind,
    /// As long as it stays.
    reason: String,
    /// Of the runs whose calls name no region.
    key: Option<Key>,
}

pub fn a_fault_at_any_call_of_a_life_is_lived_through() {
    let mut runs = runs(&ONCE);
    // Each takes as long as a call may.
    let lasting =
        SLOTS.iter().filter(|slot| slot.moment == Making && ["CreateCluster", DETAIL].contains(&slot.operation));
    runs.extend(lasting.map(|slot| (*slot, named("a_chunk_stalls"), String::new())));
    play("faults-once", runs, false);
}

pub fn a_fault_that_stays_is_named_and_asked_about_with_measure() {
    play("faults-standing", runs(&STANDING), true);
}

type Planned = (Slot, Kind, String);

fn runs(kinds: &[&str]) -> Vec<Planned> {
    let of_slot = |slot: Slot| kinds.iter().map(move |kind| (slot, named(kind), reason(slot, &named(kind))));
    let more = MORE.into_iter().map(|(moment, operation, kind, reason)| {
        (Slot { moment, operation, when: "before" }, misleading(kind), reason.to_owned())
    });
    SLOTS.into_iter().flat_map(of_slot).chain(more).collect()
}

/// A kind of the table, or a list that shows nothing and cannot be whole.
fn misleading(name: &'static str) -> Kind {
    let list = |total: u32| {
        json!({"clusters": [], "page_info": {"page_number": 1, "page_size": 50, "total_count": total}}).to_string()
    };
    match name {
        "overcount_of_nothing" => Kind { deed: json!({"status": 200, "body": list(3)}), says: "", ..named("torn") },
        "torn_of_nothing" => Kind { deed: json!({"status": 200, "body": list(1)}), says: "", ..named("torn") },
        name => named(name),
    }
}

fn reason(slot: Slot, kind: &Kind) -> String {
    match kind.create {
        // The list shows what the answer hides, even a refusal that is not true.
        _ if slot.operation == "CreateCluster" && slot.when == "after" => "Running".into(),
        _ if slot.operation == "CreateCluster" && !kind.refuses => "AwaitingOutcome".into(),
        // What ACK refuses of a change is told with its words, as what came of the change.
        Met::Trouble(class) if ["ModifyCluster", "TagResources"].contains(&slot.operation) && class.refuses() => {
            "UpdateFailed".into()
        }
        Met::Trouble(class) if slot.operation == "DeleteCluster" && class.refuses() => "DeleteFailed".into(),
        Met::Trouble(class) => Reason::from(class).to_string(),
        Met::Good | Met::Torn => unreachable!("{} is no trouble everywhere", kind.name),
    }
}

impl Run {
    fn spec(&self, more: Value) -> Value {
        let mut spec = json!({"region_id": self.region, "deletion_protection": false});
        spec.as_object_mut().into_iter().for_each(|spec| spec.extend(more.as_object().cloned().unwrap_or_default()));
        if self.key.is_some() {
            spec["credentialsRef"] = json!({"name": self.name});
        }
        spec
    }

    fn rule(&self, operation: &str, rest: Value) -> Value {
        let mut rule = json!({"operation": operation});
        match &self.key {
            Some(key) => rule["access_key"] = json!(key.id),
            None => rule["region"] = json!(self.region),
        }
        rule.as_object_mut().into_iter().for_each(|rule| rule.extend(rest.as_object().cloned().unwrap_or_default()));
        rule
    }

    fn strike(&self, scene: &Scene, every: bool) {
        let Slot { operation, when, .. } = self.slot;
        scene.fault(self.rule(operation, json!({"when": when, "do": self.kind.deed, "every": every})));
    }

    fn calls(&self, scene: &Scene, since: usize, operation: Option<&str>) -> usize {
        let mine = |call: &&ack_emulator::JournalEntry| {
            let of_key = self.key.as_ref().is_some_and(|key| key.id == call.access_key);
            (of_key || call.region == self.region) && operation.is_none_or(|operation| call.operation == operation)
        };
        scene.emulator.journal(since).iter().filter(mine).count()
    }

    fn is(&self, moments: &[Moment]) -> bool {
        moments.contains(&self.slot.moment)
    }

    fn what(&self) -> String {
        format!("{} of {} ({})", self.kind.name, self.slot.operation, self.name)
    }
}

/// Runs all of them side by side: what comes before the fault, the fault, its end, and what must be so then.
fn play(name: &str, planned: Vec<Planned>, every: bool) {
    let runs: Vec<_> = planned
        .into_iter()
        .enumerate()
        .map(|(number, (slot, kind, reason))| {
            let key = (slot.moment == Lost).then(|| key(500 + number));
            Run { name: format!("run-{number}"), region: format!("cn-run{number}"), slot, kind, reason, key }
        })
        .collect();
    let mut keys = vec![(ACCESS_SECRET, Key::default())];
    keys.extend(runs.iter().filter_map(|run| Some((run.name.as_str(), run.key.clone()?))));
    let mut scene = Scene::with_keys(name, &keys);
    scene.start_operator(&["--lists-are-complete"]);

    for run in &runs {
        if run.slot.moment == Lost {
            scene.fault(run.rule("CreateCluster", json!({"do": "drop"})));
        }
        match run.slot.moment {
            // The first list is the owner check.
            Lost if run.slot.operation == LIST => {
                let deed = json!({"do": run.kind.deed, "nth": 2, "every": every});
                scene.fault(run.rule(LIST, deed));
            }
            Making | Lost => run.strike(&scene, every),
            Serving | Going | Adopted => {}
        }
        let more = if run.slot.moment == Adopted { json!({"deletionPolicy": "Retain"}) } else { json!({}) };
        scene.apply(&object(&scene, &run.name, run.spec(more)));
    }
    adopt(&scene, &runs, every);
    for run in runs.iter().filter(|run| run.is(&[Serving, Going, Adopted])) {
        // What is adopted is marked at once, so it is struck before.
        if run.slot.moment == Adopted {
            scene.wait_for(&run.name, "an id", |object| object["status"]["cluster_id"].is_string());
        } else {
            scene.wait_for_reason(&run.name, "Running");
            run.strike(&scene, every);
        }
        match run.slot.moment {
            Serving => drop(scene.merge(&run.name, json!({"spec": {"deletion_protection": true}}))),
            _ => scene.delete(&run.name),
        }
    }
    if every {
        stay(&scene, &runs);
        scene.emulator.clear_faults();
    }
    runs.iter().for_each(|run| ended(&scene, run, every));
    println!("{} runs", runs.len());
    assert!(runs.len() >= 40);
    assert!(scene.operator_runs(0), "the operator has ended");
    assert!(!scene.logs().contains("panicked"), "something in the operator panicked");
}

/// Lets go of the clusters that are to be adopted, and adopts them.
fn adopt(scene: &Scene, runs: &[Run], every: bool) {
    let runs: Vec<_> = runs.iter().filter(|run| run.is(&[Adopted])).collect();
    let clusters: Vec<_> = runs.iter().map(|run| id(&scene.wait_for_reason(&run.name, "Running"))).collect();
    runs.iter().for_each(|run| scene.delete(&run.name));
    for (run, cluster) in runs.iter().zip(&clusters) {
        scene.wait_until_gone(&run.name);
        scene.emulator.outside(cluster, &json!({"tags": []})).expect("a cluster");
        let spec = run.spec(json!({"adoptClusterId": cluster, "deletionPolicy": "Delete"}));
        run.strike(scene, every);
        scene.apply(&object(scene, &run.name, spec));
    }
}

/// As long as the fault stays: the condition names it, and calls and writes are few.
fn stay(scene: &Scene, runs: &[Run]) {
    for run in runs {
        let told = |object: &Value| {
            ready(object).is_some_and(|ready| ready["reason"] == *run.reason)
                && (["AwaitingOutcome", "Running"].contains(&run.reason.as_str())
                    || message(object).contains(run.kind.says))
        };
        scene.wait_for(&run.name, &format!("{} is told as {}: {}", run.what(), run.reason, run.kind.says), told);
    }
    let (since, written, began) = (scene.emulator.journal(0).len(), scene.operator_writes(), Instant::now());
    scene.until("a while has passed", || (began.elapsed() >= Duration::from_secs(8)).then_some(()));
    let (seconds, writes) = (began.elapsed().as_secs_f64(), scene.operator_writes());
    let writes = &writes[written.len()..];
    for run in runs {
        let calls = run.calls(scene, since, None);
        let wrote = writes.iter().filter(|write| write["objectRef"]["name"] == *run.name).count();
        println!("{}: {calls} calls, {wrote} writes in {seconds:.0} s", run.what());
        // Looks at a busy cluster come six a second here; a pass takes a few calls, of which reads are tried three times.
        assert!((calls as f64) <= 6.0 * seconds + 12.0, "{}: {calls} calls in {seconds} s", run.what());
        assert!((wrote as f64) <= 1.0 * seconds + 4.0, "{}: {wrote} writes in {seconds} s", run.what());
    }
}

fn ended(scene: &Scene, run: &Run, every: bool) {
    let lives = run.is(&[Making, Lost, Serving]);
    if lives {
        let object = scene.wait_for_reason(&run.name, "Running");
        let cluster = scene.until(&format!("{}: its cluster is as it shall be", run.what()), || {
            let mut here = living(scene).into_iter().filter(|cluster| cluster.region == run.region);
            here.next().filter(|cluster| cluster.protected == (run.slot.moment == Serving))
        });
        assert_eq!(cluster.id, id(&object), "{}", run.what());
    } else {
        scene.wait_until_gone(&run.name);
        assert!(!living(scene).iter().any(|cluster| cluster.region == run.region), "{} was let go early", run.what());
    }
    let made = scene.emulator.ledger().iter().filter(|cluster| cluster.region == run.region).count();
    assert_eq!(made, 1, "{}", run.what());
    let creates = run.calls(scene, 0, Some("CreateCluster"));
    match (run.slot.moment, run.slot.operation, run.slot.when) {
        (_, "CreateCluster", "after") => assert_eq!(creates, 1, "{}", run.what()),
        // One that was refused or lost is made up for by one more, when that is known.
        (_, "CreateCluster", "before") | (Lost, ..) if !every => assert_eq!(creates, 2, "{}", run.what()),
        (_, "CreateCluster", _) | (Lost, ..) => assert!(creates >= 2, "{}", run.what()),
        _ => assert_eq!(creates, 1, "{}", run.what()),
    }
}
