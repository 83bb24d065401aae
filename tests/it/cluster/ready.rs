//! Ready is the cluster's truth: trouble of keys, rights, quotas and accounts, and answers that only failed, leave it as it was
//! last known. Whoever must act is told by Stalled and Synced.

use ::playground::emulated::Key;
use ::playground::objects::condition;
use ::playground::stage::ACCESS_SECRET;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{message, object, stray};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("cluster":
        what_goes_wrong_with_keys_and_rights_does_not_make_a_serving_cluster_unready,
        an_answer_that_no_table_knows_to_a_read_blames_no_spec,
        a_list_that_may_not_be_read_is_told_steadily_of_an_adopted_cluster_that_serves,
    )
}

/// What `Ready` was at every write of the operator since, and its reasons.
fn told(scene: &Scene, name: &str, since: usize) -> Vec<(Value, Value)> {
    let of = |write: &Value| {
        let conditions = write["requestObject"]["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        Some((ready["status"].clone(), ready["reason"].clone()))
    };
    let writes = scene.operator_writes().into_iter().skip(since);
    writes.filter(|write| write["objectRef"]["name"] == name).filter_map(|write| of(&write)).collect()
}

/// Has the object looked at closely several times, whatever becomes of the calls.
fn looked_at(scene: &Scene, name: &str) {
    for _ in 0..3 {
        let before = scene.emulator.journal(0).len();
        scene.annotate(name, "reconcile-at", &before.to_string());
        scene.until("a call", || (scene.emulator.journal(0).len() > before).then_some(()));
    }
}

fn what_goes_wrong_with_keys_and_rights_does_not_make_a_serving_cluster_unready() {
    let scene = Scene::with_operator("unready");
    scene.apply(&scene.smallest("demo"));
    let since = scene.wait_for_reason("demo", "Running")["status"]["conditions"].clone();
    let (ours, unknown) = (Key::default(), Key { id: "LTAI5tNobodys".into(), ..Key::default() });
    let refused = |code: &str| json!({"every": true, "do": {"status": 403, "body": {"code": code, "message": "no"}}});
    let written = scene.operator_writes().len();
    let inactive = || drop(scene.emulator.settings(&json!({"inactive_keys": [ours.id]})).unwrap());
    let fault = |code: &str| {
        scene.emulator.settings(&json!({"inactive_keys": []})).unwrap();
        scene.emulator.clear_faults();
        scene.fault(refused(code));
    };
    let other = || {
        scene.emulator.clear_faults();
        scene.secret(ACCESS_SECRET, &unknown);
    };
    let cases: [(&str, &dyn Fn(), &str); 6] = [
        ("the key is switched off", &inactive, "InvalidCredentials"),
        ("a right is lost", &|| fault("Forbidden.RAM"), "PermissionDenied"),
        ("a role is lost", &|| fault("EntityNotExist.Role"), "AccountProblem"),
        ("a quota is met", &|| fault("QuotaExceeded"), "QuotaExceeded"),
        ("another key", &other, "InvalidCredentials"),
        ("no Secret", &|| drop(scene.kubectl(&["delete", "secret", ACCESS_SECRET])), "CredentialsMissing"),
    ];
    for (what, does, reason) in cases {
        does();
        scene.annotate("demo", "reconcile-at", what);
        let object = scene.wait_for_reason("demo", reason);
        let truth = |kind| condition(&object, kind).map(|condition| condition["status"].clone());
        let (synced, stalled) = (truth("Synced"), truth("Stalled"));
        assert_eq!((synced, stalled), (Some("False".into()), Some("True".into())), "{what}: {object:#}");
        let before = since.as_array().unwrap().iter().find(|condition| condition["type"] == "Ready").unwrap();
        assert_eq!(ready(&object).unwrap()["lastTransitionTime"], before["lastTransitionTime"], "{what}");
    }
    let told = told(&scene, "demo", written);
    assert!(!told.is_empty() && told.iter().all(|(truth, _)| truth == "True"), "{told:?}");
    scene.emulator.clear_faults();
    scene.secret(ACCESS_SECRET, &ours);
    scene.wait_for_reason("demo", "Running");
}

fn an_answer_that_no_table_knows_to_a_read_blames_no_spec() {
    let scene = Scene::with_operator("unblamed");
    let mut with_kubeconfig = scene.smallest("demo");
    with_kubeconfig["spec"]["kubeconfigSecretRef"] = json!({"name": "kube"});
    scene.apply(&with_kubeconfig);
    scene.wait_for_reason("demo", "Running");
    let written = scene.operator_writes().len();
    for (operation, code) in [
        ("DescribeClusterDetail", "ErrClusterNotReady"),
        ("DescribeClusterDetail", "ErrorSomething.Novel"),
        ("DescribeClustersForRegion", "ErrorSomething.Novel"),
        ("DescribeClusterUserKubeconfig", "InvalidParameter.Novel"),
    ] {
        let answer = json!({"status": 400, "body": {"code": code, "message": "please retry later"}});
        scene.fault(json!({"operation": operation, "every": true, "do": answer}));
        if operation == "DescribeClusterUserKubeconfig" {
            scene.kubectl(&["delete", "secret", "kube"]);
            scene.merge("demo", json!({"spec": {"kubeconfigSecretRef": {"name": "another"}}}));
        }
        let before = scene.calls(operation);
        scene.until(&format!("{operation} fails"), || {
            scene.annotate("demo", "reconcile-at", &scene.emulator.journal(0).len().to_string());
            (scene.calls(operation) >= before + 2).then_some(())
        });
        scene.emulator.clear_faults();
        let well = scene.wait_for_reason("demo", "Running");
        assert_eq!(ready(&well).unwrap()["status"], "True");
    }
    let told = told(&scene, "demo", written);
    let wrong = |(truth, reason): &&(Value, Value)| truth != "True" || reason == "InvalidSpec";
    assert!(told.iter().filter(wrong).count() == 0, "{told:?}");
}

fn a_list_that_may_not_be_read_is_told_steadily_of_an_adopted_cluster_that_serves() {
    let scene = Scene::with_operator("listless");
    let cluster = stray(&scene, "before");
    scene.apply(&object(&scene, "demo", json!({"name": "before", "adoptClusterId": cluster})));
    scene.wait_for_reason("demo", "Running");
    let answer = json!({"status": 403, "body": {"code": "Forbidden.RAM", "message": "no right to list"}});
    scene.fault(json!({"operation": "DescribeClustersForRegion", "every": true, "do": answer}));
    let told_so = scene.wait_for_reason("demo", "PermissionDenied");
    assert_eq!(ready(&told_so).unwrap()["status"], "True", "{told_so:#}");
    assert!(message(&told_so).contains("no right to list"), "{}", message(&told_so));
    let written = scene.operator_writes().len();
    looked_at(&scene, "demo");
    let before = scene.calls("DescribeClusterDetail");
    scene.until("three polls", || (scene.calls("DescribeClusterDetail") >= before + 3).then_some(()));
    let told = told(&scene, "demo", written);
    assert_eq!(told, [], "nothing flips");
    let now = scene.get("demo").unwrap();
    assert_eq!(ready(&now).unwrap()["reason"], "PermissionDenied");
    // What the spec wants of it is still done.
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    scene.until("the change", || (scene.emulator.ledger()[0].shown["timezone"] == "Europe/Berlin").then_some(()));
}
