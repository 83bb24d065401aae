//! One object, one cluster: answers that get lost, requests that arrive late, processes that are killed at the worst
//! moments. The ledger says how many clusters there ever were.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, message};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        killed_after_the_request_was_received_and_before_its_answer,
        killed_after_the_answer_and_before_the_record,
        an_answer_that_is_lost_is_looked_for,
        an_error_answer_to_a_cluster_that_was_made_is_not_believed,
        a_request_that_never_arrived_is_made_again_only_when_that_is_proven,
        a_request_that_is_delivered_twice_makes_one_cluster,
        a_request_that_is_delivered_after_the_client_gave_up_makes_one_cluster,
        two_operators_make_one_cluster,
        an_empty_list_is_not_trusted_and_a_person_may_answer,
        a_list_that_lags_and_hides_tags_is_waited_for,
        a_cluster_of_an_earlier_object_is_not_built_beside,
        a_rebuilt_management_cluster_takes_its_cluster_over_where_it_is_told_to,
    )
}

fn fault(scene: &Scene, rule: Value) {
    scene.emulator.fault(serde_json::from_value(rule).expect("a rule")).expect("a fault");
}

/// Waits until a CreateCluster had its effect.
fn executed(scene: &Scene) {
    scene.until("CreateCluster was executed", || {
        scene.emulator.journal(0).iter().any(|c| c.operation == "CreateCluster" && c.took_effect).then_some(())
    });
}

/// One cluster ever, and the object has it.
fn settles_on_one(scene: &Scene, name: &str) {
    let object = scene.wait_for_reason(name, "Running");
    assert_eq!(scene.clusters_made(), 1, "{:#?}", scene.emulator.ledger());
    assert_eq!(living(scene)[0].id, id(&object));
}

fn killed_after_the_request_was_received_and_before_its_answer() {
    let mut scene = Scene::with_operator("killed-before-answer");
    fault(&scene, json!({"operation": "CreateCluster", "when": "after", "do": "hang"}));
    scene.apply(&scene.smallest("demo"));
    executed(&scene);
    scene.kill_operator(0);
    scene.start_operator(&[]);
    settles_on_one(&scene, "demo");
}

/// The API server refuses to store an id, so the answer is in the operator's hands and nowhere else when it is killed.
fn killed_after_the_answer_and_before_the_record() {
    let mut scene = Scene::with_operator("killed-before-record");
    let policy = "records-nothing";
    scene.kubectl_apply(&json!({
        "apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
                "metadata": {"name": policy},
                "spec": {
                    "failurePolicy": "Fail",
                    "matchConstraints": {"resourceRules": [{
                        "apiGroups": ["ackoperator.dev"], "apiVersions": ["*"], "operations": ["UPDATE"],
                        "resources": ["ackclusters/status"],
                    }]},
                    "validations": [{"expression": "!has(object.status.cluster_id)", "message": "the test stores no id"}],
                },
            },
            {
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": policy},
                "spec": {
                    "policyName": policy, "validationActions": ["Deny"],
                    "matchResources": {"namespaceSelector": {"matchLabels": {
                        "kubernetes.io/metadata.name": scene.namespace,
                    }}},
                },
            },
        ],
    }));
    // The policy takes a moment to be in force; an object that is only written to shows when it is.
    let mut probe = scene.smallest("probe");
    probe["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
    scene.apply(&probe);
    scene.until("the policy is in force", || {
        let refused = scene.try_merge_status("probe", json!({"status": {"cluster_id": "c0"}})).is_err();
        if !refused {
            scene.merge_status("probe", json!({"status": {"cluster_id": null}}));
        }
        refused.then_some(())
    });

    scene.apply(&scene.smallest("demo"));
    scene.until("the operator holds an id that it cannot store", || {
        scene.logs().contains("the id is not stored yet").then_some(())
    });
    scene.kill_operator(0);
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        scene.kubectl(&["delete", kind, policy]);
    }
    scene.start_operator(&[]);
    settles_on_one(&scene, "demo");
}

fn an_answer_that_is_lost_is_looked_for() {
    let scene = Scene::with_operator("lost-answer");
    fault(&scene, json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn an_error_answer_to_a_cluster_that_was_made_is_not_believed() {
    let scene = Scene::with_operator("error-but-made");
    fault(
        &scene,
        json!({"operation": "CreateCluster", "when": "after", "do": {"status": 503, "code": "ServiceUnavailable"}}),
    );
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn a_request_that_never_arrived_is_made_again_only_when_that_is_proven() {
    let mut scene = Scene::new("never-arrived");
    scene.start_operator(&["--lists-are-complete"]);
    fault(&scene, json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    let waiting = scene.wait_for_reason("demo", "AwaitingOutcome");
    let nonce = waiting["status"]["createIntents"][0]["nonce"].as_str().unwrap().to_owned();
    assert!(message(&waiting).contains(&format!("confirm-absent={nonce}")), "{}", message(&waiting));
    let first = scene.until("the first attempt is in the journal", || {
        scene.emulator.journal(0).into_iter().find(|call| call.operation == "CreateCluster")
    });
    settles_on_one(&scene, "demo");
    let calls: Vec<_> =
        scene.emulator.journal(0).into_iter().filter(|call| call.operation == "CreateCluster").collect();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[1].nonce, first.nonce);
    // W + L + S after the sealed date at the earliest, which lies S before the first request.
    let at = |call: &ack_emulator::JournalEntry| call.received.parse::<jiff::Timestamp>().expect("a time");
    assert!(at(&calls[1]).duration_since(at(&first)).as_secs() >= 11, "{:#?}", calls);
}

fn a_request_that_is_delivered_twice_makes_one_cluster() {
    let scene = Scene::with_operator("delivered-twice");
    fault(&scene, json!({"operation": "CreateCluster", "do": "duplicate"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 2, "both copies arrived");
}

fn a_request_that_is_delivered_after_the_client_gave_up_makes_one_cluster() {
    let mut scene = Scene::with_operator("delivered-late");
    fault(&scene, json!({"operation": "CreateCluster", "do": {"hold": "4s"}}));
    scene.apply(&scene.smallest("demo"));
    scene.until("the request is on its way", || (scene.calls("CreateCluster") == 1).then_some(()));
    scene.kill_operator(0);
    scene.start_operator(&[]);
    scene.wait_for_reason("demo", "AwaitingOutcome");
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn two_operators_make_one_cluster() {
    let mut scene = Scene::with_operator("two-operators");
    scene.start_operator(&[]);
    let names: Vec<_> = (0..5).map(|n| format!("demo-{n}")).collect();
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_reason(name, "Running")));
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (5, 5));
    names.iter().for_each(|name| scene.delete(name));
    names.iter().for_each(|name| scene.wait_until_gone(name));
    assert!(living(&scene).is_empty());
}

fn an_empty_list_is_not_trusted_and_a_person_may_answer() {
    let scene = Scene::with_operator("not-trusted");
    fault(&scene, json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    let stuck = scene.wait_for_reason("demo", "ListNotTrusted");
    assert_eq!(scene.calls("CreateCluster"), 1, "nothing is sealed");
    let nonce = stuck["status"]["createIntents"][0]["nonce"].as_str().unwrap().to_owned();
    assert!(message(&stuck).contains(&nonce), "{}", message(&stuck));
    scene.annotate("demo", "confirm-absent", &nonce);
    settles_on_one(&scene, "demo");
}

fn a_list_that_lags_and_hides_tags_is_waited_for() {
    let scene = Scene::with_operator("late-tags");
    scene.emulator.settings(&json!({"tags_visible": "late", "list_lag": "1500ms", "detail_lag": "1s"})).unwrap();
    fault(&scene, json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// The object of a management cluster that was lost, and one of the same name in the new one.
fn rebuilt(scene: &mut Scene) -> String {
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.kill_operator(0);
    scene.merge("demo", json!({"metadata": {"finalizers": null}}));
    scene.delete("demo");
    scene.wait_until_gone("demo");
    scene.apply(&scene.smallest("demo"));
    cluster
}

fn a_cluster_of_an_earlier_object_is_not_built_beside() {
    let mut scene = Scene::with_operator("not-beside");
    let cluster = rebuilt(&mut scene);
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
    let cluster = rebuilt(&mut scene);
    scene.start_operator(&["--adopt-owned"]);
    let object = scene.wait_for_reason("demo", "Running");
    assert_eq!(id(&object), cluster);
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty(), "it is this object's now");
}
