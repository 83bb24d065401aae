//! Another management cluster, a status of yesterday, an object of another uid, another account.

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{awaits, intent, settles_on_one};
use crate::cluster::{id, living, message, object, tag};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        a_cluster_of_an_earlier_object_is_not_built_beside,
        a_rebuilt_management_cluster_takes_its_cluster_over_where_it_is_told_to,
        a_drill_with_a_restored_status_owns_nothing_and_takes_nothing_with_it,
        an_object_that_a_backup_brings_back_with_its_status_takes_its_cluster_over_where_it_is_told_to,
        a_status_of_an_earlier_day_finds_its_cluster_again,
        keys_of_another_account_change_nothing_there,
        keys_of_another_account_answer_no_open_question,
    )
}

/// The object of a management cluster that was lost, and one of the same name in the new one. Answers the lost one.
fn rebuilt(scene: &mut Scene) -> Value {
    scene.apply(&scene.smallest("demo"));
    let lost = scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    scene.merge("demo", json!({"metadata": {"finalizers": null}}));
    scene.delete("demo");
    scene.wait_until_gone("demo");
    scene.apply(&scene.smallest("demo"));
    lost
}

fn a_cluster_of_an_earlier_object_is_not_built_beside() {
    let mut scene = Scene::with_operator("not-beside");
    let cluster = id(&rebuilt(&mut scene));
    scene.start_operator(&[]);
    let conflict = scene.wait_for_reason("demo", "OwnershipConflict");
    assert!(message(&conflict).contains(&cluster), "{}", message(&conflict));
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!(living(&scene).len(), 1, "it was never this object's");
}

fn a_rebuilt_management_cluster_takes_its_cluster_over_where_it_is_told_to() {
    let mut scene = Scene::with_operator("taken-over");
    let cluster = id(&rebuilt(&mut scene));
    scene.start_operator(&["--adopt-owned"]);
    let object = scene.wait_for_reason("demo", "Running");
    assert_eq!(id(&object), cluster);
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty(), "it is this object's now");
}

/// Applied anew with the status of another uid, as a restore brings it.
fn restored(scene: &Scene, lost: &Value) {
    let mut manifest = scene.smallest("demo");
    manifest["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
    scene.apply(&manifest);
    scene.merge_status("demo", json!({"status": lost["status"]}));
    scene.merge("demo", json!({"metadata": {"annotations": {"ackoperator.dev/paused": null}}}));
}

/// A drill beside production: in another namespace, or for another installation. The status says whose cluster it was, and
/// that is not enough.
fn a_drill_with_a_restored_status_owns_nothing_and_takes_nothing_with_it() {
    let production = Scene::with_operator("drilled");
    production.apply(&object(&production, "demo", json!({"kubeconfigSecretRef": {"name": "kube"}})));
    let lost = production.wait_for_reason("demo", "Running");
    for (name, same) in [("drill-space", true), ("drill-installation", false)] {
        let mut drill = Scene::new(name);
        drill.operator.endpoint = production.emulator.url();
        if same {
            drill.operator.installation = production.operator.installation.clone();
        }
        drill.start_operator(&["--adopt-owned"]);
        restored(&drill, &lost);
        let conflict = drill.wait_for_reason("demo", "OwnershipConflict");
        let mark = intent(&lost, "nonce");
        assert!(message(&conflict).contains(&format!("take-over={mark}")), "{name}: {}", message(&conflict));
        drill.delete("demo");
        drill.wait_for("demo", "the deletion is seen", |object| {
            let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            object["metadata"]["deletionTimestamp"].is_string() && seen
        });
        assert_eq!(crate::support::ready(&drill.get("demo").unwrap()).unwrap()["reason"], "OwnershipConflict");
        drill.merge("demo", json!({"spec": {"deletionPolicy": "Retain"}}));
        drill.wait_until_gone("demo");
    }
    let calls = |operation| production.calls(operation);
    assert_eq!((living(&production).len(), calls("DeleteCluster"), calls("TagResources")), (1, 0, 0));
    assert_eq!(calls("CreateCluster"), 1);
}

/// In its own place: by a person's word, or by the administrator's.
fn an_object_that_a_backup_brings_back_with_its_status_takes_its_cluster_over_where_it_is_told_to() {
    for (name, flags) in [("backup-word", &[][..]), ("backup-flag", &["--adopt-owned"][..])] {
        let mut scene = Scene::with_operator(name);
        let lost = rebuilt(&mut scene);
        scene.merge_status("demo", json!({"status": lost["status"]}));
        scene.start_operator(flags);
        if flags.is_empty() {
            let conflict = scene.wait_for_reason("demo", "OwnershipConflict");
            assert_ne!(conflict["metadata"]["uid"], lost["metadata"]["uid"]);
            scene.annotate("demo", "take-over", &intent(&lost, "nonce"));
        }
        scene.until("it carries this object's mark", || {
            let mark = tag(&living(&scene)[0], "ackoperator.dev/intent")?.to_owned();
            (mark != intent(&lost, "nonce")).then_some(())
        });
        settles_on_one(&scene, "demo");
        scene.delete("demo");
        scene.wait_until_gone("demo");
        assert!(living(&scene).is_empty(), "{name}: it is this object's now");
        assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 1));
    }
}

/// Restored from before the seal, from between seal and record, and from before the refusal that came first.
fn a_status_of_an_earlier_day_finds_its_cluster_again() {
    let mut scene = Scene::with_operator("earlier");
    let refusal = json!({"status": 400, "code": "InvalidParameter.VswitchIds", "message": "no such vSwitch"});
    scene.fault(json!({"operation": "CreateCluster", "do": refusal}));
    scene.apply(&scene.smallest("demo"));
    let refused = scene.wait_for_reason("demo", "InvalidSpec")["status"].clone();
    scene.merge("demo", json!({"spec": {"vswitch_ids": ["vsw-mended"]}}));
    let running = scene.wait_for_reason("demo", "Running");
    let mut open = running["status"].clone();
    open["cluster_id"] = Value::Null;
    open["createIntents"][0]["outcome"] = "Open".into();
    let nothing = running["status"].as_object().unwrap().keys().map(|key| (key.clone(), Value::Null));
    let earlier =
        [("nothing", nothing.clone().collect()), ("refused", merged(nothing.collect(), &refused)), ("open", open)];
    for (operator, (what, status)) in earlier.into_iter().enumerate() {
        scene.kill_operator(operator);
        scene.merge_status("demo", json!({"status": status}));
        scene.start_operator(&[]);
        let found = scene.wait_for("demo", what, |object| id(object) == id(&running));
        settles_on_one(&scene, "demo");
        assert_eq!(found["status"]["clusterOrigin"], "Created", "{what}");
        scene.wait_for("demo", "the spec is locked again", |object| object["status"]["specLocked"] == true);
    }
    assert_eq!(scene.calls("CreateCluster"), 2);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
}

fn merged(mut old: Value, new: &Value) -> Value {
    new.as_object().into_iter().flatten().for_each(|(key, value)| old[key] = value.clone());
    old
}

/// Two accounts, and the Secret `ack-credentials` of the first.
fn two_accounts(name: &str) -> (Scene, Key, Key) {
    let (ours, other) =
        (Key::default(), Key { id: "LTAI5tOtherAccount".into(), account: "77".into(), ..Key::default() });
    let mut scene = Scene::with_keys(name, &[(ACCESS_SECRET, ours.clone()), ("other", other.clone())]);
    scene.start_operator(&["--lists-are-complete"]);
    (scene, ours, other)
}

fn keys_of_another_account_change_nothing_there() {
    let (scene, ours, other) = two_accounts("account-changed");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.secret(ACCESS_SECRET, &other);
    let changed = scene.wait_for_reason("demo", "AccountChanged");
    let both = [&ours.account, &other.account];
    both.iter().for_each(|account| assert!(message(&changed).contains(account.as_str()), "{}", message(&changed)));
    assert_eq!(id(&changed), cluster);
    scene.secret(ACCESS_SECRET, &ours);
    settles_on_one(&scene, "demo");
    assert!(scene.emulator.ledger().iter().all(|cluster| cluster.account == ours.account));
}

/// The request was lost, and the list of the other account does not show what it made.
fn keys_of_another_account_answer_no_open_question() {
    let (scene, ours, other) = two_accounts("account-open");
    scene.emulator.settings(&json!({"list_lag": "10m"})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    awaits(&scene, "demo");
    scene.secret(ACCESS_SECRET, &other);
    scene.wait_for_reason("demo", "AccountChanged");
    scene.emulator.settings(&json!({"list_lag": "0s"})).unwrap();
    let date: jiff::Timestamp = super::intent(&scene.get("demo").unwrap(), "believeAfter").parse().expect("a time");
    let over = date + jiff::SignedDuration::from_secs(2);
    scene.until("an absence would be believed", || (jiff::Timestamp::now() > over).then_some(()));
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.secret(ACCESS_SECRET, &ours);
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}
