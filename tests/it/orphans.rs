//! Clusters that carry our marks and belong to no object: told once in the log, and never touched.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, object};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("orphans": a_cluster_without_its_object_is_told_once_and_never_deleted)
}

/// The lines of the log that tell of an orphan.
fn told(scene: &Scene) -> Vec<String> {
    scene.logs().lines().filter(|line| line.contains("orphan: ")).map(str::to_owned).collect()
}

/// Takes the object away by force, so that its cluster stays.
fn force(scene: &Scene, name: &str) {
    scene.annotate(name, "paused", "true");
    scene.delete(name);
    scene.merge(name, json!({"metadata": {"finalizers": null}}));
    scene.wait_until_gone(name);
}

/// The tags of that cluster, with another value for one of ours.
fn retagged(scene: &Scene, cluster: &str, key: &str, value: &str) {
    let mut tags = living(scene).into_iter().find(|one| one.id == cluster).expect("a cluster").tags;
    let key = format!("ackoperator.dev/{key}");
    tags.iter_mut().filter(|tag| tag["key"] == *key).for_each(|tag| tag["value"] = value.into());
    scene.emulator.outside(cluster, &json!({"tags": tags})).expect("a cluster");
}

/// Waits for so many more readings of the list.
fn polls(scene: &Scene, more: usize) {
    let before = scene.calls("DescribeClustersForRegion");
    scene.until("the list is read again", || (scene.calls("DescribeClustersForRegion") >= before + more).then_some(()));
}

fn a_cluster_without_its_object_is_told_once_and_never_deleted() {
    let mut scene = Scene::new("orphans");
    scene.start_operator(&["--poll-idle", "500ms"]);
    let names = ["kept", "lost", "foreign", "elsewhere", "renamed"];
    names.iter().for_each(|name| drop(scene.apply(&object(&scene, name, json!({"deletion_protection": false})))));
    let ids = names.map(|name| id(&scene.wait_for_reason(name, "Running")));
    let [_, lost, foreign, elsewhere, renamed] = &ids;
    // Marks that are not this installation's, or of a namespace that it does not watch; and one whose object still
    // records it, whatever its marks say.
    retagged(&scene, foreign, "installation", "another");
    retagged(&scene, elsewhere, "namespace", "not-watched");
    retagged(&scene, renamed, "name", "nobody");
    ["foreign", "elsewhere", "lost"].iter().for_each(|name| force(&scene, name));

    scene.until("the orphan is told", || told(&scene).first().cloned());
    polls(&scene, 20);
    let lines = told(&scene);
    assert!(lines.len() == 1 && lines[0].contains(lost.as_str()) && lines[0].contains("take-over"), "{lines:#?}");
    assert_eq!((scene.calls("DeleteCluster"), living(&scene).len()), (0, names.len()));
    assert!(!scene.emulator.journal(0).iter().any(|call| call.method != "GET" && call.path.contains(lost.as_str())));

    // What the line says to do ends it.
    let nonce =
        lines[0].split("take-over=").nth(1).and_then(|rest| rest.split('.').next()).expect("a nonce").to_owned();
    let mut heir = object(&scene, "heir", json!({"name": "lost", "adoptClusterId": lost, "deletionPolicy": "Delete"}));
    heir["spec"]["deletion_protection"] = Value::Bool(false);
    heir["metadata"]["annotations"] = json!({"ackoperator.dev/take-over": nonce});
    scene.apply(&heir);
    assert_eq!(id(&scene.wait_for_reason("heir", "Running")), *lost);
    scene.delete("heir");
    scene.wait_until_gone("heir");
    polls(&scene, 5);
    assert_eq!((told(&scene).len(), living(&scene).len()), (1, names.len() - 1));
    assert!(scene.operator_runs(0));
}
