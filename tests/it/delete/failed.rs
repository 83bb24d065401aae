//! Deletions that fail, once and for ever, and records that lag.

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::json;

use super::{begun, gone};
use crate::cluster::{id, living, message, object};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_failed_deletion_shows_its_cause_and_is_tried_again_slowly,
        a_deletion_that_fails_for_ever_lets_nothing_go,
        a_record_that_lags_behind_the_create_is_not_taken_for_gone,
        a_deletion_that_ack_refuses_is_told_with_what_stands_against_it_and_asked_for_slowly,
    )
}

const CAUSE: &str = "vsw-x is still in use";

/// Waits for the deletion of this number, and has ACK fail it.
fn fails(scene: &Scene, cluster: &str, number: usize) {
    scene.until("the deletion is under way", || (begun(scene) == number).then_some(()));
    let cause = json!({"fail_task": {"code": "DependencyViolation.Resource", "message": CAUSE}});
    scene.emulator.outside(cluster, &cause).unwrap();
    let failed = scene.wait_for_reason("demo", "DeleteFailed");
    assert!(message(&failed).contains(CAUSE), "{}", message(&failed));
    assert_eq!(living(scene).len(), 1);
}

fn a_failed_deletion_shows_its_cause_and_is_tried_again_slowly() {
    let scene = Scene::with_operator("delete-failed");
    scene.emulator.settings(&json!({"delete_time": "3s"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.delete("demo");
    fails(&scene, &cluster, 1);
    gone(&scene, "demo", &cluster);
    assert_eq!(scene.calls("DeleteCluster"), 2);
}

fn a_deletion_that_fails_for_ever_lets_nothing_go() {
    let mut scene = Scene::with_operator("delete-failed-ever");
    scene.emulator.settings(&json!({"delete_time": "10m"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.delete("demo");
    for number in 1..=4 {
        fails(&scene, &cluster, number);
        // Whoever comes new has no memory of the last try, and is no faster for it.
        if number == 2 {
            scene.kill_operator(0);
            scene.start_operator(&[]);
        }
    }
    let calls: Vec<_> =
        scene.emulator.journal(0).into_iter().filter(|call| call.operation == "DeleteCluster").collect();
    let at: Vec<Timestamp> = calls.iter().map(|call| call.received.parse().expect("a time")).collect();
    // The slow pace is two thirds of the window; the operator knows the gateway's time to about a second.
    let pauses: Vec<_> = at.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
    println!("4 tries, with pauses of {pauses:?}");
    assert!(calls.len() == 4 && pauses.iter().all(|pause| *pause > SignedDuration::from_secs(5)), "{pauses:?}");
    assert!(scene.get("demo").is_some());
    scene.emulator.settings(&json!({"delete_time": "1s"})).unwrap();
    gone(&scene, "demo", &cluster);
    assert_eq!(scene.calls("DeleteCluster"), 5);
}

fn a_record_that_lags_behind_the_create_is_not_taken_for_gone() {
    let scene = Scene::with_operator("lagging-detail");
    scene.emulator.settings(&json!({"detail_lag": "3s", "list_lag": "1500ms"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for("demo", "an id", |object| !id(object).is_empty()));
    scene.delete("demo");
    gone(&scene, "demo", &cluster);
    assert_eq!((scene.clusters_made(), scene.calls("DeleteCluster")), (1, 1));
}

/// What depends on the cluster, and a code of ECS that comes through with a 404 and does not mean that the cluster is gone.
fn a_deletion_that_ack_refuses_is_told_with_what_stands_against_it_and_asked_for_slowly() {
    let mut scene = Scene::with_operator("delete-refused");
    let cases = [
        ("depends", 400, "DependencyViolation.Resource"),
        ("group", 404, "InvalidSecurityGroupId.NotFound"),
        ("novel", 400, "ErrorSomething.Novel"),
    ];
    for (name, status, code) in cases {
        let region = format!("cn-{name}");
        let refusal = json!({"status": status, "body": {"code": code, "message": CAUSE}});
        scene.fault(json!({"operation": "DeleteCluster", "region": region, "every": true, "do": refusal}));
        scene.apply(&object(&scene, name, json!({ "region_id": region })));
    }
    let clusters = cases.map(|(name, ..)| id(&scene.wait_for_reason(name, "Running")));
    cases.iter().for_each(|(name, ..)| scene.delete(name));
    let asked = |scene: &Scene, cluster: &str| -> Vec<Timestamp> {
        let such = |call: &ack_emulator::JournalEntry| call.operation == "DeleteCluster" && call.cluster == cluster;
        let calls = scene.emulator.journal(0).into_iter().filter(such);
        calls.map(|call| call.received.parse().expect("a time")).collect()
    };
    let told = |scene: &Scene| {
        for (name, _, code) in cases {
            let failed = scene.wait_for_reason(name, "DeleteFailed");
            assert!(message(&failed).contains(code) && message(&failed).contains(CAUSE), "{}", message(&failed));
            let stalled = ::playground::objects::condition(&failed, "Stalled").expect("a person must act");
            assert_eq!(stalled["status"], "True", "{code}");
        }
    };
    told(&scene);
    scene.kill_operator(0);
    scene.start_operator(&[]);
    for (cluster, (name, ..)) in clusters.iter().zip(cases) {
        scene.until("it is asked for again", || (asked(&scene, cluster).len() >= 3).then_some(()));
        let at = asked(&scene, cluster);
        let slowly = |pair: &[Timestamp]| pair[1].duration_since(pair[0]) > SignedDuration::from_secs(5);
        assert!(at.windows(2).all(slowly), "{name}: {at:?}");
    }
    told(&scene);
    assert_eq!(living(&scene).len(), 3);
    scene.emulator.clear_faults();
    cases.iter().zip(&clusters).for_each(|((name, ..), cluster)| gone(&scene, name, cluster));
}
