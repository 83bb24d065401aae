//! Whose the cluster is: another object's is neither adopted nor deleted without a person's word.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::gone;
use crate::cluster::{id, living, message, object, stray, tag};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_cluster_that_another_object_records_is_not_taken,
        a_cluster_with_another_objects_mark_is_not_adopted_without_a_word,
        an_adopted_cluster_that_got_another_objects_mark_is_not_deleted_without_a_word,
    )
}

fn a_cluster_that_another_object_records_is_not_taken() {
    let scene = Scene::with_operator("twice-recorded");
    scene.apply(&scene.smallest("first"));
    let cluster = id(&scene.wait_for_reason("first", "Running"));
    scene.apply(&object(&scene, "second", json!({"adoptClusterId": cluster, "deletionPolicy": "Delete"})));
    let conflict = scene.wait_for_reason("second", "OwnershipConflict");
    assert!(message(&conflict).contains("first"), "{}", message(&conflict));
    scene.delete("second");
    scene.wait_until_gone("second");
    assert_eq!((scene.calls("TagResources"), scene.calls("DeleteCluster")), (0, 0));
    assert_eq!(ready(&scene.get("first").unwrap()).unwrap()["status"], "True");
}

fn adopting(scene: &Scene, name: &str, cloud_name: &str, cluster: &str) -> Value {
    let spec = json!({
        "name": cloud_name, "adoptClusterId": cluster, "deletionPolicy": "Delete", "deletion_protection": false,
    });
    object(scene, name, spec)
}

fn a_cluster_with_another_objects_mark_is_not_adopted_without_a_word() {
    let scene = Scene::with_operator("foreign-mark");
    scene.apply(&object(&scene, "first", json!({"deletionPolicy": "Retain"})));
    let cluster = id(&scene.wait_for_reason("first", "Running"));
    scene.delete("first");
    scene.wait_until_gone("first");
    let mark = |scene: &Scene| tag(&living(scene)[0], "ackoperator.dev/intent").unwrap_or_default().to_owned();
    let theirs = mark(&scene);

    scene.apply(&adopting(&scene, "second", "first", &cluster));
    let conflict = scene.wait_for_reason("second", "OwnershipConflict");
    assert!(message(&conflict).contains(&format!("take-over={theirs}")), "{}", message(&conflict));
    scene.delete("second");
    scene.wait_until_gone("second");
    assert_eq!((living(&scene).len(), scene.calls("TagResources"), scene.calls("DeleteCluster")), (1, 0, 0));

    scene.apply(&adopting(&scene, "third", "first", &cluster));
    scene.wait_for_reason("third", "OwnershipConflict");
    scene.annotate("third", "take-over", &theirs);
    scene.wait_for_reason("third", "Running");
    assert_ne!(mark(&scene), theirs, "the proof is in the cloud");
    scene.delete("third");
    gone(&scene, "third", &cluster);
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 1));
}

fn an_adopted_cluster_that_got_another_objects_mark_is_not_deleted_without_a_word() {
    let scene = Scene::with_operator("mark-changed");
    let cluster = stray(&scene, "before");
    scene.apply(&adopting(&scene, "demo", "before", &cluster));
    scene.wait_for_reason("demo", "Running");
    let theirs = "0123456789abcdef0123456789abcdef01234567";
    let tags = json!([{"key": "ackoperator.dev/intent", "value": theirs}, {"key": "team", "value": "theirs"}]);
    scene.emulator.outside(&cluster, &json!({"tags": tags})).unwrap();
    scene.delete("demo");
    let conflict = scene.wait_for_reason("demo", "OwnershipConflict");
    assert!(message(&conflict).contains(&format!("take-over={theirs}")), "{}", message(&conflict));
    // It was marked when it was adopted, and is not marked over another's mark.
    assert_eq!((living(&scene).len(), scene.calls("TagResources"), scene.calls("DeleteCluster")), (1, 1, 0));
    scene.annotate("demo", "take-over", theirs);
    gone(&scene, "demo", &cluster);
    let journal = scene.emulator.journal(0);
    let at = |operation: &str| journal.iter().rposition(|call| call.operation == operation).expect("called");
    assert!(at("TagResources") < at("DeleteCluster"), "the proof is in the cloud first");
    assert_eq!(scene.calls("TagResources"), 2);
    let ledger = scene.emulator.ledger();
    assert_eq!(tag(&ledger[0], "team"), Some("theirs"), "other people's tags stay");
}
