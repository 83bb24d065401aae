//! What takes many objects at once: a namespace that ends, and the definition itself.

use std::collections::BTreeSet;

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use libtest_mimic::Trial;
use serde_json::json;

use super::gone;
use crate::cluster::{id, living, message, object};
use crate::support::{Scene, Shared};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_namespace_that_ends_waits_for_what_is_protected,
        a_namespace_that_ends_waits_for_a_person_where_the_keys_are_lost,
        a_definition_that_ends_takes_no_cluster_without_a_word_for_each,
    )
}

/// A namespace that ends, its Secret gone, its unprotected object gone with its cluster. Answers the other's cluster.
fn ending(scene: &Scene) -> String {
    scene.start_controllers();
    scene.apply(&scene.smallest("free"));
    scene.apply(&object(scene, "kept", json!({"deletion_protection": true})));
    let [free, kept] = ["free", "kept"].map(|name| id(&scene.wait_for_reason(name, "Running")));
    scene.kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"]);
    gone(scene, "free", &free);
    scene.wait_for_reason("kept", "DeletionProtected");
    scene.until("the Secret is gone", || {
        scene.kubectl(&["get", "secret", ACCESS_SECRET, "--ignore-not-found"]).is_empty().then_some(())
    });
    assert_eq!(phase(scene), "Terminating");
    kept
}

/// Empty once it is gone.
fn phase(scene: &Scene) -> String {
    let namespace = format!("namespace/{}", scene.namespace);
    scene.kubectl(&["get", &namespace, "--ignore-not-found", "--output=jsonpath={.status.phase}"])
}

fn ends(scene: &Scene) {
    scene.until("the namespace is gone", || phase(scene).is_empty().then_some(()));
}

fn a_namespace_that_ends_waits_for_what_is_protected() {
    let scene = Scene::with_operator("namespace-waits");
    let kept = ending(&scene);
    assert_eq!(scene.calls("DeleteCluster"), 1);
    scene.merge("kept", json!({"spec": {"deletion_protection": false}}));
    gone(&scene, "kept", &kept);
    ends(&scene);
    assert_eq!((scene.clusters_made(), scene.calls("DeleteCluster")), (2, 2));
}

fn a_namespace_that_ends_waits_for_a_person_where_the_keys_are_lost() {
    let mut scene = Scene::with_operator("namespace-keyless");
    let kept = ending(&scene);
    scene.kill_operator(0);
    scene.start_operator(&[]);
    scene.merge("kept", json!({"spec": {"deletion_protection": false}}));
    let stuck = scene.wait_for_reason("kept", "CredentialsMissing");
    for exit in ["restore the Secret", "remove spec.credentialsRef", "deletionPolicy: Retain"] {
        assert!(message(&stuck).contains(exit), "{}", message(&stuck));
    }
    assert_eq!((phase(&scene).as_str(), scene.calls("DeleteCluster")), ("Terminating", 1));
    scene.merge("kept", json!({"spec": {"deletionPolicy": "Retain"}}));
    ends(&scene);
    let living: Vec<_> = living(&scene).into_iter().map(|cluster| cluster.id).collect();
    assert_eq!((living, scene.calls("DeleteCluster")), (vec![kept], 1));
}

/// On a control plane of its own, for no other test could go on without the definition.
fn a_definition_that_ends_takes_no_cluster_without_a_word_for_each() {
    let shared = Shared::start().unwrap_or_else(|cause| panic!("a second control plane is not there: {cause}"));
    let mut scene = Scene::on(shared, "uprooted", &[(ACCESS_SECRET, Key::default())]);
    scene.start_operator(&[]);
    let names = ["one", "two", "three"];
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    let ids = names.map(|name| id(&scene.wait_for_reason(name, "Running")));
    let definition = "crd/ackclusters.ackoperator.dev";
    // Where a policy guards the definition, this is the word for it.
    scene.kubectl(&["annotate", definition, "ackoperator.dev/allow-delete=true"]);
    scene.kubectl(&["delete", definition, "--wait=false"]);
    for (name, id) in names.iter().zip(&ids) {
        let held = scene.wait_for_reason(name, "DeletionHeld");
        assert!(message(&held).contains(&format!("confirm-delete={id}")), "{}", message(&held));
    }
    // The word for one cluster is none for another.
    scene.annotate("one", "confirm-delete", &ids[1]);
    let looks = scene.calls("DescribeClusterDetail");
    scene.until("each is looked at again", || (scene.calls("DescribeClusterDetail") >= looks + 6).then_some(()));
    let deletions = |scene: &Scene| scene.emulator.journal(0).iter().filter(|call| call.method == "DELETE").count();
    assert_eq!((deletions(&scene), living(&scene).len()), (0, 3));

    for (number, (name, id)) in names.iter().zip(&ids).enumerate() {
        scene.annotate(name, "confirm-delete", id);
        scene.wait_until_gone(name);
        let left: BTreeSet<_> = living(&scene).into_iter().map(|cluster| cluster.id).collect();
        assert_eq!((left, deletions(&scene)), (ids[number + 1..].iter().cloned().collect(), number + 1));
    }
    scene.until("the definition is gone", || {
        scene.kubectl(&["get", definition, "--ignore-not-found"]).is_empty().then_some(())
    });
}
