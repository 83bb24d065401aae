//! The last look: what a person says while a deletion is on its way is heard, up to the very call.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::gone;
use crate::cluster::{id, living, message, object};
use crate::kubectl::{paste, printed};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        a_word_that_comes_while_a_deletion_is_under_way_stops_it,
        a_protection_that_is_said_while_it_is_being_lowered_stays_on,
        only_the_word_itself_lifts_a_protection_from_the_console_and_the_printed_cure_works,
    )
}

/// Holds the answers to this question about the cluster for some seconds, and comes back once it has been asked.
pub fn held(scene: &Scene, operation: &str, cluster: &str, when: &str, meanwhile: impl FnOnce()) {
    let before = asked(scene, operation, cluster);
    scene.fault(json!({"operation": operation, "path_contains": cluster, "when": when, "do": {"delay": "3s"}}));
    meanwhile();
    scene.until(&format!("{operation} is asked"), || (asked(scene, operation, cluster) > before).then_some(()));
}

fn asked(scene: &Scene, operation: &str, cluster: &str) -> usize {
    let such = |call: &&ack_emulator::JournalEntry| call.operation == operation && call.path.contains(cluster);
    scene.emulator.journal(0).iter().filter(such).count()
}

fn changes(scene: &Scene, operation: &str, cluster: &str) -> Vec<Value> {
    let such = |call: &ack_emulator::JournalEntry| call.operation == operation && call.cluster == cluster;
    scene.emulator.journal(0).into_iter().filter(such).map(|call| call.body).collect()
}

/// Said after the pass has read the detail, between its last read and the call.
fn a_word_that_comes_while_a_deletion_is_under_way_stops_it() {
    let scene = Scene::with_operator("last-word");
    let words = [
        ("protected", json!({"spec": {"deletion_protection": true}}), Some("DeletionProtected")),
        ("paused", json!({"metadata": {"annotations": {"ackoperator.dev/paused": "true"}}}), Some("Paused")),
        ("retained", json!({"spec": {"deletionPolicy": "Retain"}}), None),
    ];
    // What is read in between, and what is read last.
    let reads = [("before", "DescribeClusterResources", "before"), ("last", "DescribeClusterDetail", "after")];
    let cases: Vec<_> = words.iter().flat_map(|word| reads.iter().map(move |read| (word, read))).collect();
    let name = |word: &str, read: &str| format!("{word}-{read}");
    for ((word, ..), (read, ..)) in &cases {
        scene.apply(&object(&scene, &name(word, read), json!({"deletion_protection": false})));
    }
    for ((word, patch, reason), (read, operation, when)) in cases {
        let name = name(word, read);
        let cluster = id(&scene.wait_for_reason(&name, "Running"));
        held(&scene, "DescribeClusterResources", &cluster, "before", || scene.delete(&name));
        if *operation != "DescribeClusterResources" {
            held(&scene, operation, &cluster, when, || {});
        }
        scene.merge(&name, patch.clone());
        match reason {
            Some(reason) => drop(scene.wait_for_reason(&name, reason)),
            None => scene.wait_until_gone(&name),
        }
        assert!(changes(&scene, "DeleteCluster", &cluster).is_empty(), "{name}");
        assert!(living(&scene).iter().any(|living| living.id == cluster), "{name}");
    }
}

fn a_protection_that_is_said_while_it_is_being_lowered_stays_on() {
    let scene = Scene::with_operator("last-lowered");
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": true})));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    // While it is paused nothing is read, so the first read is that of the pass that lowers.
    let paused = |word: Value| json!({"annotations": {"ackoperator.dev/paused": word}});
    scene.merge("demo", json!({"metadata": paused("true".into())}));
    scene.wait_for_reason("demo", "Paused");
    held(&scene, "DescribeClusterDetail", &cluster, "after", || {
        scene.merge("demo", json!({"metadata": paused(Value::Null), "spec": {"deletion_protection": false}}));
    });
    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene.wait_for("demo", "the word is seen", |object| {
        let running = ready(object).is_some_and(|ready| ready["reason"] == "Running");
        running && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    });
    let asked = changes(&scene, "ModifyCluster", &cluster);
    assert!(asked.is_empty(), "{asked:?}");
}

/// The console raises the flag under a spec that says false already. Edits of anything else say nothing of it.
fn only_the_word_itself_lifts_a_protection_from_the_console_and_the_printed_cure_works() {
    let scene = Scene::with_operator("old-words");
    let retained = json!({"deleteOptions": {"retainResources": ["sg-kept"]}});
    let edits = [("before", json!({"timezone": "Europe/Berlin"}), json!({})), ("while", json!({}), retained)];
    for (name, ..) in &edits {
        scene.apply(&object(&scene, name, json!({"deletion_protection": false, "timezone": "Asia/Shanghai"})));
    }
    for (name, first, then) in &edits {
        let cluster = id(&scene.wait_for_reason(name, "Running"));
        scene.emulator.outside(&cluster, &json!({"deletion_protection": true})).unwrap();
        scene.wait_for_reason(name, "SpecDiffers");
        scene.merge(name, json!({ "spec": first }));
        scene.until("the edit is applied", || {
            let wanted = first["timezone"].as_str().unwrap_or("Asia/Shanghai");
            living(&scene).iter().any(|at| at.id == cluster && at.shown["timezone"] == wanted).then_some(())
        });
        scene.delete(name);
        scene.wait_for_reason(name, "DeletionProtected");
        scene.merge(name, json!({ "spec": then }));
        let waiting = scene.wait_for(name, "the edit is seen", |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
        });
        assert_eq!(ready(&waiting).unwrap()["reason"], "DeletionProtected");
        let lowered = |body: &Value| body["deletion_protection"] == false;
        let modified = changes(&scene, "ModifyCluster", &cluster);
        assert!(!modified.iter().any(lowered), "{name}: {modified:?}");
        assert!(changes(&scene, "DeleteCluster", &cluster).is_empty(), "{name}");

        paste(printed(message(&waiting)));
        gone(&scene, name, &cluster);
        let modified = changes(&scene, "ModifyCluster", &cluster);
        assert_eq!(modified.iter().filter(|body| lowered(body)).count(), 1, "{name}: {modified:?}");
    }
}
