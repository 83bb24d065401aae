//! Ways out: an object that cannot go by itself names commands that let it go, and each works when it is typed.

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use super::gone;
use crate::cluster::{id, living, message, object};
use crate::kubectl::{paste, printed};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        an_object_that_never_asked_for_a_cluster_goes_at_once_without_operator_and_keys,
        a_namespace_that_ends_during_a_create_has_exits_that_work,
        a_refused_create_whose_keys_are_switched_off_has_exits_that_work,
        a_status_from_before_the_seal_leaves_no_orphan,
        what_is_kept_while_ack_deletes_it_is_told_as_being_deleted,
    )
}

fn deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn nonce(object: &Value) -> String {
    object["status"]["createIntents"][0]["nonce"].as_str().unwrap_or_default().to_owned()
}

/// The words of the event by which the object was let go.
fn released(scene: &Scene, name: &str) -> String {
    scene.until("the release is told", || {
        let field = format!("--field-selector=reason=Released,involvedObject.name={name}");
        let note = scene.kubectl(&["get", "events", &field, "--output=jsonpath={.items[*].message}"]);
        (!note.is_empty()).then_some(note)
    })
}

fn an_object_that_never_asked_for_a_cluster_goes_at_once_without_operator_and_keys() {
    let mut scene = Scene::with_operator("never-asked");
    let wrong = Key { id: "LTAI5tNobodys".into(), ..Key::default() };
    scene.secret("wrong", &wrong);
    let cases = [
        ("keyless", json!({"credentialsRef": {"name": "none"}}), "CredentialsMissing"),
        ("unknown", json!({"credentialsRef": {"name": "wrong"}}), "InvalidCredentials"),
    ];
    for (name, spec, reason) in &cases {
        scene.apply(&object(&scene, name, spec.clone()));
        scene.wait_for_reason(name, reason);
    }
    scene.kill_operator(0);
    for (name, ..) in &cases {
        let object = scene.get(name).unwrap();
        assert!(object["metadata"]["finalizers"].is_null(), "{object:#}");
        scene.kubectl(&["delete", "ackcluster", name, "--timeout=10s"]);
        assert!(scene.get(name).is_none(), "{name}");
    }
    assert_eq!(scene.calls("CreateCluster"), 0);
}

/// The Secret went with the namespace, and nobody can bring it back.
fn a_namespace_that_ends_during_a_create_has_exits_that_work() {
    let mut scene = Scene::with_operator("ends-open");
    scene.start_controllers();
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop", "every": true}));
    let names = ["confirmed", "retained"];
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_reason(name, "AwaitingOutcome")));
    scene.kill_operator(0);
    scene.kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"]);
    scene.until("the Secret is gone", || {
        scene.kubectl(&["get", "secret", ACCESS_SECRET, "--ignore-not-found"]).is_empty().then_some(())
    });
    scene.start_operator(&[]);
    for name in names {
        let stuck = scene.wait_for_reason(name, "CredentialsMissing");
        let said = message(&stuck);
        assert!(
            said.contains(&format!("intent={}", nonce(&stuck))) && said.contains("deletionPolicy: Retain"),
            "{said}"
        );
        if name == "confirmed" {
            paste(printed(said));
        } else {
            scene.merge(name, json!({"spec": {"deletionPolicy": "Retain"}}));
        }
        scene.wait_until_gone(name);
        assert!(scene.logs().contains(&nonce(&stuck)), "{name}: the mark of what may be left is told");
    }
}

/// Refused for want of a permission: another copy may have fared better. Then the key is switched off.
fn a_refused_create_whose_keys_are_switched_off_has_exits_that_work() {
    let scene = Scene::with_operator("refused-off");
    let refusal = json!({"status": 403, "body": {"code": "Forbidden.RAM", "message": "no right"}});
    scene.fault(json!({"operation": "CreateCluster", "do": refusal, "every": true}));
    let names = ["confirmed", "retained"];
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    for name in names {
        scene.wait_for(name, "a refusal is stored", |object| {
            object["status"]["createIntents"][0]["outcome"] == "Refused"
        });
    }
    scene.emulator.settings(&json!({"inactive_keys": [Key::default().id]})).unwrap();
    names.iter().for_each(|name| scene.delete(name));
    for name in names {
        let stuck = scene.wait_for(name, "the keys are told", |object| {
            deleting(object) && ready(object).is_some_and(|ready| ready["reason"] == "InvalidCredentials")
        });
        let (said, nonce) = (message(&stuck), nonce(&stuck));
        assert!(said.contains(&format!("confirm-absent={nonce}")) && said.contains("deletionPolicy: Retain"), "{said}");
        if name == "confirmed" {
            paste(printed(said));
            scene.wait_until_gone(name);
        } else {
            scene.merge(name, json!({"spec": {"deletionPolicy": "Retain"}}));
            scene.wait_until_gone(name);
            assert!(released(&scene, name).contains(&nonce), "the mark of what may be left is told");
        }
    }
}

/// A backup from before the seal is put back, conditions and all, and the object deleted while no operator runs. Where the
/// list shows the cluster it goes; where it does not, only a person lets go.
fn a_status_from_before_the_seal_leaves_no_orphan() {
    let mut scene = Scene::with_operator("before-seal");
    let names = ["shown", "hidden"];
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    let clusters = names.map(|name| id(&scene.wait_for_reason(name, "Running")));
    scene.kill_operator(0);
    for name in names {
        let status = scene.get(name).unwrap()["status"].clone();
        let earlier: Map<_, _> = status.as_object().unwrap().keys().map(|key| (key.clone(), Value::Null)).collect();
        let earlier = Map::from_iter(earlier.into_iter().filter(|(key, _)| key != "conditions"));
        scene.merge_status(name, json!({ "status": earlier }));
        scene.delete(name);
    }
    let key = Key::default().id;
    scene.emulator.settings(&json!({"visible_only": {key.as_str(): ["shown"]}})).unwrap();
    scene.start_operator(&[]);
    gone(&scene, "shown", &clusters[0]);
    let stuck = scene.wait_for_reason("hidden", "ListNotTrusted");
    assert!(message(&stuck).contains("deletionPolicy: Retain"), "{}", message(&stuck));
    assert_eq!(living(&scene).len(), 1);
    let mark = living(&scene).remove(0).tags.into_iter().find(|tag| tag["key"] == "ackoperator.dev/intent").unwrap();
    scene.merge("hidden", json!({"spec": {"deletionPolicy": "Retain"}}));
    scene.wait_until_gone("hidden");
    assert!(released(&scene, "hidden").contains(mark["value"].as_str().unwrap()));
}

fn what_is_kept_while_ack_deletes_it_is_told_as_being_deleted() {
    let scene = Scene::with_operator("kept-late");
    scene.emulator.settings(&json!({"delete_time": "10m"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.delete("demo");
    scene.until("ACK is deleting it", || (super::begun(&scene) == 1).then_some(()));
    scene.merge("demo", json!({"spec": {"deletionPolicy": "Retain"}}));
    scene.wait_until_gone("demo");
    let told = released(&scene, "demo");
    assert!(told.contains(&cluster) && told.contains("deleting"), "{told}");
    assert!(!told.contains("stays") && !told.contains("is kept"), "{told}");
}
