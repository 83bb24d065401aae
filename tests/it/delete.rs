//! Letting go under trouble, with the operator as a process: what looks like gone and is not, what refuses to go, and who
//! may say so. The finalizer goes only when ACK's own ledger says that the cluster is gone, or when it is to be kept.

use libtest_mimic::Trial;
use serde_json::json;

use crate::cluster::{id, living, message, object};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_flag_that_the_answer_does_not_show_counts_as_on,
        a_cluster_that_another_object_records_is_not_taken,
        a_failed_deletion_shows_its_cause_and_is_tried_again_slowly,
        a_record_that_lags_behind_the_create_is_not_taken_for_gone,
        a_protected_failed_cluster_is_not_let_go,
        a_retained_cluster_needs_no_credentials,
    )
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
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
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

fn a_failed_deletion_shows_its_cause_and_is_tried_again_slowly() {
    let scene = Scene::with_operator("delete-failed");
    scene.emulator.settings(&json!({"delete_time": "3s"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.delete("demo");
    scene.until("the deletion is under way", || (scene.calls("DeleteCluster") == 1).then_some(()));
    let cause = json!({"fail_task": {"code": "DependencyViolation.Resource", "message": "vsw-x is still in use"}});
    scene.emulator.outside(&cluster, &cause).unwrap();
    let failed = scene.wait_for_reason("demo", "DeleteFailed");
    assert!(message(&failed).contains("vsw-x is still in use"), "{}", message(&failed));
    assert_eq!(living(&scene).len(), 1);
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
    assert_eq!(scene.calls("DeleteCluster"), 2);
}

fn a_record_that_lags_behind_the_create_is_not_taken_for_gone() {
    let scene = Scene::with_operator("lagging-detail");
    scene.emulator.settings(&json!({"detail_lag": "3s", "list_lag": "1500ms"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    scene.wait_for("demo", "an id", |object| !id(object).is_empty());
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!(scene.clusters_made(), 1);
    assert!(living(&scene).is_empty(), "the finalizer waited until it could be seen, and then deleted");
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
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
}

fn a_retained_cluster_needs_no_credentials() {
    let mut scene = Scene::with_operator("retain-keyless");
    scene.apply(&object(&scene, "demo", json!({"deletionPolicy": "Retain"})));
    scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    scene.kubectl(&["delete", "secret", ::playground::stage::ACCESS_SECRET]);
    scene.start_operator(&[]);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!(living(&scene).len(), 1);
    assert_eq!(scene.calls("DeleteCluster"), 0);
}
