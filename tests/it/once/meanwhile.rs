//! Objects that are deleted, replaced and edited while their cluster is made.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{HeldEvents, awaits, executed, sealed, settles_on_one};
use crate::cluster::{id, living, object};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        an_object_that_is_deleted_during_the_create_leaves_no_cluster,
        an_object_that_is_deleted_while_the_outcome_is_open_leaves_no_cluster,
        an_object_that_is_deleted_between_seal_and_request_makes_no_cluster,
        an_object_that_is_deleted_and_made_anew_has_one_living_cluster,
        an_object_that_is_replaced_during_the_create_keeps_its_cluster,
        an_object_that_is_edited_during_the_create_keeps_its_cluster,
    )
}

fn leaves_nothing(scene: &Scene, name: &str) {
    scene.wait_until_gone(name);
    assert!(living(scene).is_empty(), "{:#?}", living(scene));
}

fn an_object_that_is_deleted_during_the_create_leaves_no_cluster() {
    let scene = Scene::with_operator("deleted-early");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    scene.apply(&scene.smallest("answered-late"));
    executed(&scene);
    scene.delete("answered-late");
    leaves_nothing(&scene, "answered-late");

    scene.apply(&scene.smallest("at-once"));
    scene.delete("at-once");
    leaves_nothing(&scene, "at-once");

    scene.apply(&scene.smallest("known"));
    scene.wait_for("known", "an id", |object| !id(object).is_empty());
    scene.delete("known");
    leaves_nothing(&scene, "known");
    assert!(scene.clusters_made() <= 3);
    let deletions = scene.emulator.journal(0).into_iter().filter(|call| call.operation == "DeleteCluster");
    assert!(deletions.clone().all(|call| call.took_effect), "{:#?}", deletions.collect::<Vec<_>>());
}

fn an_object_that_is_deleted_while_the_outcome_is_open_leaves_no_cluster() {
    let scene = Scene::with_operator("deleted-open");
    scene.emulator.settings(&json!({"list_lag": "1500ms"})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("made"));
    awaits(&scene, "made");
    scene.delete("made");
    leaves_nothing(&scene, "made");
    assert_eq!(scene.clusters_made(), 1);

    // Nothing was made, and a person says so, which counts once no copy can be executed any more.
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("never-made"));
    let nonce = super::intent(&awaits(&scene, "never-made"), "nonce");
    scene.delete("never-made");
    scene.annotate("never-made", "confirm-absent", &nonce);
    leaves_nothing(&scene, "never-made");
    assert_eq!(scene.clusters_made(), 1);
}

fn an_object_that_is_deleted_between_seal_and_request_makes_no_cluster() {
    let scene = Scene::with_operator("deleted-sealed");
    let held = HeldEvents::begin(&scene);
    scene.apply(&scene.smallest("demo"));
    sealed(&scene, "demo");
    scene.delete("demo");
    held.end(&scene);
    scene.wait_until_gone("demo");
    assert_eq!((scene.calls("CreateCluster"), scene.clusters_made()), (0, 0));
}

fn an_object_that_is_deleted_and_made_anew_has_one_living_cluster() {
    let scene = Scene::with_operator("made-anew");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    let first = scene.apply(&scene.smallest("demo"));
    executed(&scene);
    scene.delete("demo");
    // An apply that comes too early only touches the object that goes.
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    scene.until("the name is free again", || (uid(&scene.apply(&scene.smallest("demo"))) != uid(&first)).then_some(()));
    let object = scene.wait_for_reason("demo", "Running");
    assert_eq!(living(&scene).iter().map(|cluster| cluster.id.clone()).collect::<Vec<_>>(), [id(&object)]);
    assert_eq!(scene.clusters_made(), 2);
}

/// A manifest without status and finalizers takes the place of the object, again and again.
fn an_object_that_is_replaced_during_the_create_keeps_its_cluster() {
    let scene = Scene::with_operator("replaced");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    let manifest = scene.smallest("demo");
    scene.apply(&manifest);
    sealed(&scene, "demo");
    replace(&scene, &manifest);
    executed(&scene);
    replace(&scene, &manifest);
    scene.wait_for("demo", "an id", |object| !id(object).is_empty());
    replace(&scene, &manifest);
    settles_on_one(&scene, "demo");
    scene.wait_for("demo", "the finalizer is back", |object| {
        object["metadata"]["finalizers"] == json!(["ackoperator.dev/cluster"])
    });
    scene.delete("demo");
    leaves_nothing(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// Again where the operator wrote at the same moment.
fn replace(scene: &Scene, manifest: &Value) {
    scene.until("kubectl replace goes through", || scene.try_kubectl_with(&["replace"], manifest).ok());
}

fn an_object_that_is_edited_during_the_create_keeps_its_cluster() {
    let scene = Scene::with_operator("edited");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    scene.apply(&scene.smallest("demo"));
    sealed(&scene, "demo");
    let refusal = scene.try_apply(&object(&scene, "demo", json!({"service_cidr": "172.30.0.0/20"}))).unwrap_err();
    assert!(refusal.contains("service_cidr"), "{refusal}");
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": true})));
    settles_on_one(&scene, "demo");
    scene.until("the cloud protects the cluster", || living(&scene)[0].protected.then_some(()));
    assert_eq!(living(&scene)[0].body["service_cidr"], "172.21.0.0/20");
    assert_eq!(scene.calls("CreateCluster"), 1);
}
