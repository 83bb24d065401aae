//! The deletion protection: in the spec, only in the cloud, missing from the answer, on a cluster that failed.

use libtest_mimic::Trial;
use serde_json::json;

use super::gone;
use crate::cluster::{id, living, message, object};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_protection_that_only_the_cloud_knows_holds_until_a_newer_word,
        a_flag_that_the_answer_does_not_show_counts_as_on,
        a_protected_failed_cluster_is_not_let_go,
    )
}

fn a_protection_that_only_the_cloud_knows_holds_until_a_newer_word() {
    let scene = Scene::with_operator("cloud-protected");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.emulator.outside(&cluster, &json!({"deletion_protection": true})).unwrap();
    scene.delete("demo");
    let waiting = scene.wait_for_reason("demo", "DeletionProtected");
    assert!(message(&waiting).contains("protection is on in ACK"), "{}", message(&waiting));
    assert_eq!(ready(&waiting).unwrap()["status"], "True", "the cluster still serves");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("DeleteCluster")), (0, 0));
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    gone(&scene, "demo", &cluster);
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("DeleteCluster")), (1, 1));
}

fn a_flag_that_the_answer_does_not_show_counts_as_on() {
    let scene = Scene::with_operator("flagless");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.emulator.outside(&cluster, &json!({"deletion_protection": null})).unwrap();
    scene.delete("demo");
    scene.wait_for_reason("demo", "DeletionProtected");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("DeleteCluster")), (0, 0));
    // The spec's own word is one; ACK itself refuses a protected cluster.
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    gone(&scene, "demo", &cluster);
}

fn a_protected_failed_cluster_is_not_let_go() {
    let scene = Scene::with_operator("failed-protected");
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": true})));
    let cluster = id(&scene.wait_for("demo", "an id", |object| !id(object).is_empty()));
    scene.emulator.outside(&cluster, &json!({"fail_task": true})).unwrap();
    scene.wait_for_reason("demo", "CreateFailed");
    scene.delete("demo");
    scene.wait_for_reason("demo", "DeletionProtected");
    assert_eq!(scene.calls("DeleteCluster"), 0);
    // ACK changes no failed cluster, so the deletion is tried, and refused by ACK itself: nothing is let go.
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.until("ACK refused a deletion", || (scene.calls("DeleteCluster") >= 1).then_some(()));
    assert_eq!(living(&scene).len(), 1);
    assert!(scene.get("demo").is_some());
    scene.emulator.outside(&cluster, &json!({"deletion_protection": false})).unwrap();
    gone(&scene, "demo", &cluster);
}
