//! Other hands in the cloud, and ours that were cut off: what was asked of ACK is written down before it is asked, so each
//! request is made once, set back a few times, and then told; whoever restarts the operator changes nothing in that.

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{SLOW, applied, looked_at_again, looked_at_again_by_hand, running, shown};
use crate::cluster::{id, message, tag};
use crate::once::{accept_status, refuse_status};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("change":
        what_another_hand_undoes_is_put_back_a_few_times_and_then_told,
        a_change_that_is_never_shown_is_not_asked_for_once_more_at_each_restart,
        what_cannot_be_written_down_is_not_asked_for,
        a_mark_of_another_object_stops_all_changes,
    )
}

/// What another hand does, by which call it is put back, and whether it is.
struct Hand {
    name: &'static str,
    does: fn(&Scene, &str),
    call: &'static str,
    key: &'static str,
    undone: fn(&Scene) -> bool,
}

fn outside(scene: &Scene, cluster: &str, change: Value) {
    scene.emulator.outside(cluster, &change).unwrap();
}

fn marked(scene: &Scene) -> bool {
    tag(&scene.emulator.ledger()[0], "ackoperator.dev/intent").is_some()
}

const HANDS: [Hand; 2] = [
    Hand {
        name: "hand-field",
        does: |scene, cluster| outside(scene, cluster, json!({"timezone": "Asia/Tokyo"})),
        call: "ModifyCluster",
        key: "timezone",
        undone: |scene| shown(scene)["timezone"] == "Asia/Shanghai" && shown(scene)["state"] == "running",
    },
    Hand {
        name: "hand-marks",
        // As Terraform does, which writes the whole set.
        does: |scene, cluster| outside(scene, cluster, json!({"tags": [{"key": "team", "value": "theirs"}]})),
        call: "TagResources",
        key: "marks",
        undone: marked,
    },
];

/// What is stored of the request with that key.
fn asked(object: &Value, key: &str) -> Value {
    let changes = object["status"]["changes"].as_array().into_iter().flatten();
    changes.into_iter().find(|change| change["key"] == key).cloned().unwrap_or_default()
}

fn times(scene: &Scene, call: &str) -> Vec<Timestamp> {
    let calls = scene.emulator.journal(0).into_iter().filter(|entry| entry.operation == call);
    calls.map(|entry| entry.received.parse().expect("a time")).collect()
}

fn what_another_hand_undoes_is_put_back_a_few_times_and_then_told() {
    for Hand { name, does, call, key, undone } in HANDS {
        let mut scene = running(name, json!({"timezone": "Asia/Shanghai"}));
        let cluster = id(&scene.wait_for_reason("demo", "Running"));
        for number in 1..=3 {
            does(&scene, &cluster);
            scene.until("it is put back", || (times(&scene, call).len() == number && undone(&scene)).then_some(()));
            scene.wait_for("demo", "that was seen", |object| {
                let asked = asked(object, key);
                asked["changeOutcome"] == "Shown" && asked["timesAsked"] == number
            });
        }
        let at = times(&scene, call);
        assert!(at[2].duration_since(at[1]) >= SLOW, "{name}: {at:?}");
        does(&scene, &cluster);
        let told = scene.wait_for_reason("demo", "SpecDiffers");
        assert!(message(&told).contains("somebody else"), "{}", message(&told));
        assert_eq!(ready(&told).unwrap()["status"], "True", "the cluster serves");
        for operator in 0..2 {
            looked_at_again_by_hand(&scene, "demo");
            scene.kill_operator(operator);
            scene.start_operator(&[]);
            looked_at_again_by_hand(&scene, "demo");
        }
        assert_eq!(times(&scene, call).len(), 3, "{name}: a restart is no reason to ask once more");
        let theirs = scene.emulator.ledger().remove(0).tags.iter().filter(|tag| tag["key"] == "team").count();
        assert_eq!(theirs, usize::from(key == "marks"), "tags of others stay");
    }
}

/// ACK answers well and does nothing. A process that died may have died before it asked, so its successors ask twice more.
fn a_change_that_is_never_shown_is_not_asked_for_once_more_at_each_restart() {
    let mut scene = running("hand-restarts", json!({"timezone": "Asia/Shanghai"}));
    let answer = json!({"status": 202, "body": r#"{"task_id":"T-0","request_id":"R-0"}"#});
    scene.fault(json!({"operation": "ModifyCluster", "when": "before", "every": true, "do": answer}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    scene.until("it is asked for", || (scene.calls("ModifyCluster") == 1).then_some(()));
    for operator in 0..4 {
        scene.kill_operator(operator);
        scene.start_operator(&[]);
        looked_at_again(&scene);
    }
    let told = scene.wait_for_reason("demo", "SpecDiffers");
    assert!(message(&told).contains("does not show it"), "{}", message(&told));
    assert_eq!(asked(&told, "timezone")["changeOutcome"], "Unshown", "{told:#}");
    assert!(scene.calls("ModifyCluster") <= 3, "{} requests", scene.calls("ModifyCluster"));
    assert_eq!(asked(&told, "timezone")["timesAsked"], scene.calls("ModifyCluster"), "each was written down");
}

fn what_cannot_be_written_down_is_not_asked_for() {
    let scene = running("hand-unwritten", json!({"timezone": "Asia/Shanghai"}));
    let request = json!({"key": "probe", "digest": "0", "askedAt": "2026-01-01T00:00:00Z", "timesAsked": 1,
                         "changeOutcome": "Asked"});
    refuse_status(&scene, "!has(object.status.changes)", &json!({"changes": [request]}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin", "tags": [{"key": "team", "value": "blue"}]}}));
    let refused = || {
        let writes = scene.operator_writes();
        writes.iter().filter(|write| write["responseStatus"]["code"].as_u64().is_some_and(|code| code >= 400)).count()
    };
    scene.until("two writes were refused", || (refused() >= 2).then_some(()));
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("TagResources")), (0, 0));
    accept_status(&scene);
    applied(&scene);
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("TagResources")), (1, 1));
}

fn a_mark_of_another_object_stops_all_changes() {
    let scene = running("hand-another", json!({"timezone": "Asia/Shanghai"}));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    let theirs = "0123456789abcdef0123456789abcdef01234567";
    outside(&scene, &cluster, json!({"tags": {"ackoperator.dev/intent": theirs}}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    let conflict = scene.wait_for_reason("demo", "OwnershipConflict");
    assert!(message(&conflict).contains(&format!("take-over={theirs}")), "{}", message(&conflict));
    looked_at_again_by_hand(&scene, "demo");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("TagResources")), (0, 0));
    scene.annotate("demo", "take-over", theirs);
    applied(&scene);
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("TagResources")), (1, 1));
}
