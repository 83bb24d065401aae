//! The main job on the real API server, with the operator as a process: create, follow, protect, delete, keep, adopt,
//! recreate. The oracles are the emulator's ledger and the API server; the operator's words come last.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{Scene, ready};
use crate::trials;

/// Whose the cluster is.
mod owner;
/// What `Ready` says.
mod ready;

pub fn tests() -> Vec<Trial> {
    let all = trials!("cluster":
        an_object_becomes_one_cluster_that_is_what_the_user_wrote,
        progress_and_task_are_shown_while_a_cluster_is_made,
        protection_follows_the_spec_and_a_deletion_waits_for_it,
        an_emergency_protection_from_the_console_is_not_undone_by_old_words,
        a_retained_cluster_outlives_its_object_and_another_object_can_take_it_over,
        an_adopted_cluster_is_never_created_and_stays_by_default,
        an_adopted_cluster_is_marked_before_it_is_deleted,
        a_failed_creation_shows_its_cause_and_waits_for_a_person,
        a_vanished_cluster_is_reported_and_not_made_again,
        a_refused_spec_can_be_mended,
        a_paused_object_is_left_alone,
        an_observed_object_makes_nothing,
        workers_that_ack_ignores_are_missed,
        a_missing_secret_is_named_and_its_coming_is_noticed,
    );
    [all, owner::tests(), ready::tests()].into_iter().flatten().collect()
}

/// The smallest object with these members of the spec.
pub fn object(scene: &Scene, name: &str, spec: Value) -> Value {
    let mut object = scene.smallest(name);
    for (key, value) in spec.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    object
}

pub fn message(object: &Value) -> &str {
    ready(object).and_then(|ready| ready["message"].as_str()).unwrap_or_default()
}

pub fn tag<'a>(cluster: &'a ack_emulator::LedgerEntry, key: &str) -> Option<&'a str> {
    cluster.tags.iter().find(|tag| tag["key"] == *key).and_then(|tag| tag["value"].as_str())
}

pub fn living(scene: &Scene) -> Vec<ack_emulator::LedgerEntry> {
    scene.emulator.ledger().into_iter().filter(|cluster| cluster.deleted.is_empty()).collect()
}

pub fn id(object: &Value) -> String {
    object["status"]["cluster_id"].as_str().unwrap_or_default().to_owned()
}

fn protected_in_the_cloud(scene: &Scene) -> bool {
    living(scene)[0].protected
}

fn an_object_becomes_one_cluster_that_is_what_the_user_wrote() {
    let scene = Scene::with_operator("one-cluster");
    let wanted = scene.smallest("demo");
    scene.apply(&wanted);
    let object = scene.wait_for_ready("demo");

    let ledger = scene.emulator.ledger();
    assert_eq!(ledger.len(), 1);
    let cluster = &ledger[0];
    let status = &object["status"];
    assert_eq!(status["cluster_id"], *cluster.id);
    assert_eq!(status["state"], "running");
    assert_eq!(status["accountId"], *cluster.account);
    assert_eq!(status["regionId"], *cluster.region);
    assert_eq!(status["specLocked"], true);
    assert_eq!(status["clusterOrigin"], "Created");
    assert!(status["task_id"].as_str().is_some_and(|task| task.starts_with("T-")));
    assert!(status["request_id"].is_string());
    assert_eq!(object["metadata"]["finalizers"], json!(["ackoperator.dev/cluster"]));
    assert_eq!(object["spec"], wanted["spec"], "the operator writes nothing into the spec");

    // Sent as written: the body less our four tags is the spec less the operator's own fields, and the name.
    let mut body = cluster.body.clone();
    let tags = body.as_object_mut().and_then(|body| body.remove("tags"));
    assert_eq!(tags.as_ref().and_then(Value::as_array).map(Vec::len), Some(4));
    let mut spec = wanted["spec"].clone();
    spec.as_object_mut().expect("a spec").retain(|key, _| !key.contains(char::is_uppercase));
    spec["name"] = "demo".into();
    assert_eq!(body, spec);
    assert_eq!(tag(cluster, "ackoperator.dev/namespace"), Some("one-cluster"));
    assert_eq!(tag(cluster, "ackoperator.dev/name"), Some("demo"));
    assert_eq!(tag(cluster, "ackoperator.dev/installation"), Some("one-cluster"));
    assert_eq!(tag(cluster, "ackoperator.dev/intent"), status["createIntents"][0]["nonce"].as_str());

    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 1));
}

fn progress_and_task_are_shown_while_a_cluster_is_made() {
    let scene = Scene::with_operator("progress");
    scene.apply(&scene.smallest("demo"));
    let object = scene.wait_for("demo", "a stage is shown", |o| o["status"]["taskStage"]["total"].is_number());
    assert_eq!(ready(&object).unwrap()["reason"], "Creating");
    assert!(message(&object).contains("stages done"), "{}", message(&object));
    let reconciling = ::playground::objects::condition(&object, "Reconciling").expect("Reconciling");
    assert_eq!(reconciling["message"], message(&object));
    scene.wait_for_ready("demo");
}

fn protection_follows_the_spec_and_a_deletion_waits_for_it() {
    let scene = Scene::with_operator("protection");
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": false})));
    scene.wait_for_ready("demo");
    assert!(!protected_in_the_cloud(&scene));

    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene.until("the cloud protects the cluster", || protected_in_the_cloud(&scene).then_some(()));
    scene.delete("demo");
    let waiting = scene.wait_for_reason("demo", "DeletionProtected");
    assert_eq!(ready(&waiting).unwrap()["status"], "True", "the cluster still serves");
    let text = message(&waiting);
    assert!(text.find("Retain").unwrap() < text.find("kubectl patch").unwrap(), "{text}");
    assert_eq!(scene.calls("DeleteCluster"), 0);

    // Switched off behind our back: it is raised again, while deleting too.
    let cluster = id(&waiting);
    scene.emulator.outside(&cluster, &json!({"deletion_protection": false})).unwrap();
    scene.until("protection is raised again", || protected_in_the_cloud(&scene).then_some(()));
    assert_eq!(scene.calls("DeleteCluster"), 0);

    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
    assert_eq!(scene.calls("DeleteCluster"), 1);
}

fn an_emergency_protection_from_the_console_is_not_undone_by_old_words() {
    let scene = Scene::with_operator("emergency");
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": false})));
    let cluster = id(&scene.wait_for_ready("demo"));
    scene.emulator.outside(&cluster, &json!({"deletion_protection": true})).unwrap();
    scene.delete("demo");
    scene.wait_for_reason("demo", "DeletionProtected");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("DeleteCluster")), (0, 0));
    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene
        .wait_for("demo", "the new word is seen", |o| o["status"]["observedGeneration"] == o["metadata"]["generation"]);
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
}

fn a_retained_cluster_outlives_its_object_and_another_object_can_take_it_over() {
    let scene = Scene::with_operator("retain");
    scene.apply(&object(&scene, "first", json!({"deletionPolicy": "Retain", "deletion_protection": true})));
    let cluster = id(&scene.wait_for_ready("first"));
    scene.delete("first");
    scene.wait_until_gone("first");
    assert_eq!(living(&scene).len(), 1);
    assert_eq!(scene.calls("DeleteCluster"), 0);
    assert!(tag(&living(&scene)[0], "ackoperator.dev/intent").is_some(), "the tags stay");

    // Its mark is another object's, so adoption asks for a person's word.
    scene.apply(&object(&scene, "second", json!({"adoptClusterId": cluster, "deletion_protection": true})));
    let conflict = scene.wait_for_reason("second", "OwnershipConflict");
    let mark = tag(&living(&scene)[0], "ackoperator.dev/intent").unwrap().to_owned();
    assert!(message(&conflict).contains(&mark), "{}", message(&conflict));
    scene.annotate("second", "take-over", &mark);
    let object = scene.wait_for("second", "it is adopted", |o| o["status"]["clusterOrigin"] == "Adopted");
    assert_eq!(id(&object), cluster);
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// A cluster in the cloud that nobody's marks are on.
pub fn stray(scene: &Scene, name: &str) -> String {
    scene.apply(&object(scene, name, json!({"deletionPolicy": "Retain"})));
    let cluster = id(&scene.wait_for_ready(name));
    scene.delete(name);
    scene.wait_until_gone(name);
    scene.emulator.outside(&cluster, &json!({"tags": []})).unwrap();
    cluster
}

fn an_adopted_cluster_is_never_created_and_stays_by_default() {
    let scene = Scene::with_operator("adopt");
    let cluster = stray(&scene, "before");
    scene.apply(&object(&scene, "demo", json!({"name": "before", "adoptClusterId": cluster})));
    let adopted = scene.wait_for_ready("demo");
    assert_eq!((id(&adopted), adopted["status"]["clusterOrigin"].as_str()), (cluster, Some("Adopted")));
    assert_eq!(adopted["status"]["specLocked"], true, "the fields that can be read agree");
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!(living(&scene).len(), 1);
    // Marked as this object's own, so that nobody else adopts it as well.
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster"), scene.calls("TagResources")), (1, 0, 1));
}

fn an_adopted_cluster_is_marked_before_it_is_deleted() {
    let scene = Scene::with_operator("adopt-delete");
    let cluster = stray(&scene, "before");
    let spec = json!({
        "name": "before", "adoptClusterId": cluster, "deletionPolicy": "Delete", "deletion_protection": false
    });
    scene.apply(&object(&scene, "demo", spec));
    scene.wait_for_ready("demo");
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
    let journal = scene.emulator.journal(0);
    let at = |operation: &str| journal.iter().position(|call| call.operation == operation).expect("called");
    assert!(at("TagResources") < at("DeleteCluster"), "the proof is in the cloud first");
}

fn a_failed_creation_shows_its_cause_and_waits_for_a_person() {
    let scene = Scene::with_operator("failed");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for("demo", "an id", |o| o["status"]["cluster_id"].is_string()));
    scene.emulator.outside(&cluster, &json!({"fail_task": true})).unwrap();
    let failed = scene.wait_for_reason("demo", "CreateFailed");
    let said = message(&failed);
    assert!(said.contains("quota of NAT gateways") && said.contains(&format!("recreate={cluster}")), "{said}");
    assert!(failed["status"]["specLocked"].is_null(), "the spec can be mended");
    assert_eq!(scene.clusters_made(), 1, "nothing is made again by itself");

    scene.annotate("demo", "recreate", &cluster);
    let again = scene.wait_for("demo", "another cluster runs", |o| {
        id(o) != cluster && ready(o).is_some_and(|ready| ready["status"] == "True")
    });
    assert_eq!(living(&scene).len(), 1, "the failed one was deleted first");
    assert_eq!(living(&scene)[0].id, id(&again));
    assert_eq!(scene.clusters_made(), 2);
}

fn a_vanished_cluster_is_reported_and_not_made_again() {
    let scene = Scene::with_operator("vanished");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_ready("demo"));
    scene.emulator.outside(&cluster, &json!({"delete": true})).unwrap();
    let gone = scene.wait_for_reason("demo", "ClusterGone");
    assert!(message(&gone).contains(&format!("recreate={cluster}")), "{}", message(&gone));
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.annotate("demo", "recreate", &cluster);
    scene.wait_for("demo", "another cluster runs", |o| {
        id(o) != cluster && ready(o).is_some_and(|ready| ready["status"] == "True")
    });
    assert_eq!(scene.clusters_made(), 2);
}

fn a_refused_spec_can_be_mended() {
    let scene = Scene::with_operator("refused");
    let refusal = json!({
        "operation": "CreateCluster", "every": true, "do": {
            "status": 400, "code": "InvalidParameter.VswitchIds", "body": "{\"code\":\"InvalidParameter.VswitchIds\",\"message\":\"no such vSwitch\",\"requestId\":\"R\",\"status\":400}"
        }
    });
    scene.emulator.fault(serde_json::from_value(refusal).unwrap()).unwrap();
    scene.apply(&scene.smallest("demo"));
    let refused = scene.wait_for_reason("demo", "InvalidSpec");
    assert!(message(&refused).contains("no such vSwitch"), "{}", message(&refused));
    assert!(refused["status"]["specLocked"].is_null());
    assert_eq!(refused["status"]["createIntents"][0]["outcome"], "Refused");
    assert_eq!(scene.calls("CreateCluster"), 1);

    scene.emulator.clear_faults();
    scene.merge("demo", json!({"spec": {"vswitch_ids": ["vsw-mended"]}}));
    let object = scene.wait_for_ready("demo");
    assert_eq!(object["status"]["createIntents"][0]["attempt"], 2, "another attempt is another nonce");
    assert_eq!(scene.clusters_made(), 1);
    assert_eq!(living(&scene)[0].body["vswitch_ids"], json!(["vsw-mended"]));
}

fn a_paused_object_is_left_alone() {
    let scene = Scene::with_operator("paused");
    let mut object = scene.smallest("demo");
    object["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
    scene.apply(&object);
    scene.wait_for_reason("demo", "Paused");
    assert_eq!(scene.calls("CreateCluster"), 0);
    scene.merge("demo", json!({"metadata": {"annotations": {"ackoperator.dev/paused": null}}}));
    scene.wait_for_ready("demo");
    scene.annotate("demo", "paused", "true");
    scene.wait_for_reason("demo", "Paused");
    scene.delete("demo");
    let paused = scene.wait_for("demo", "the deletion is seen", |o| {
        o["metadata"]["deletionTimestamp"].is_string()
            && o["status"]["observedGeneration"] == o["metadata"]["generation"]
    });
    assert_eq!(ready(&paused).unwrap()["reason"], "Paused", "a deletion is held, too");
    assert_eq!(scene.calls("DeleteCluster"), 0);
    scene.merge("demo", json!({"metadata": {"annotations": {"ackoperator.dev/paused": null}}}));
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
}

fn an_observed_object_makes_nothing() {
    let scene = Scene::with_operator("observed");
    let mut object = scene.smallest("demo");
    object["metadata"]["annotations"] = json!({"ackoperator.dev/observe": "true"});
    scene.apply(&object);
    scene.wait_for_reason("demo", "Observed");
    assert_eq!(scene.calls("CreateCluster"), 0);
    scene.delete("demo");
    scene.wait_until_gone("demo");
}

fn workers_that_ack_ignores_are_missed() {
    let scene = Scene::with_operator("workers");
    let spec = json!({
        "num_of_nodes": 2, "worker_instance_types": ["ecs.g7.large"], "worker_system_disk_category": "cloud_essd",
        "worker_system_disk_size": 120, "key_pair": "demo",
    });
    let mut verbatim = spec.clone();
    verbatim["workerFields"] = "Verbatim".into();
    scene.apply(&object(&scene, "demo", verbatim));
    let missing = scene.wait_for_reason("demo", "WorkersMissing");
    assert_eq!(ready(&missing).unwrap()["status"], "True", "the cluster itself serves");
    assert!(message(&missing).contains("AsNodePool"), "{}", message(&missing));
    scene.apply(&object(&scene, "pools", spec));
    let running = scene.wait_for_reason("pools", "Running");
    assert_eq!(running["status"]["size"], 2);
    let pools = scene.emulator.ledger().into_iter().find(|cluster| cluster.name == "pools").unwrap();
    let group = &pools.body["nodepools"][0]["scaling_group"];
    assert_eq!((&group["desired_size"], &group["instance_charge_type"]), (&json!(2), &json!("PostPaid")));
    assert!(pools.body["num_of_nodes"].is_null());
}

fn a_missing_secret_is_named_and_its_coming_is_noticed() {
    let scene = Scene::with_operator("secretless");
    scene.apply(&object(&scene, "demo", json!({"credentialsRef": {"name": "later"}})));
    let missing = scene.wait_for_reason("demo", "CredentialsMissing");
    assert!(message(&missing).contains("secretless/later"), "{}", message(&missing));
    let key = ::playground::emulated::Key::default();
    scene.kubectl(&[
        "create",
        "secret",
        "generic",
        "later",
        &format!("--from-literal=ALIBABA_CLOUD_ACCESS_KEY_ID={}", key.id),
        &format!("--from-literal=ALIBABA_CLOUD_ACCESS_KEY_SECRET={}", key.secret),
    ]);
    scene.wait_for_ready("demo");
}
