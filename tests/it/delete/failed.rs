//! Deletions that fail, once and for ever, and records that lag.

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::json;

use super::{begun, gone};
use crate::cluster::{id, living, message};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_failed_deletion_shows_its_cause_and_is_tried_again_slowly,
        a_deletion_that_fails_for_ever_lets_nothing_go,
        a_record_that_lags_behind_the_create_is_not_taken_for_gone,
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
