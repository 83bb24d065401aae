//! Definitions that are older or newer than what is stored, with the operator as a process: old objects are served, broken
//! ones are told of, and nothing is asked of ACK that could not be written down. These change the definition that all
//! tests share, so they run alone, one after the other.

use ack_operator::api;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, message, object};
use crate::leaks::NUMBER_PASSWORD;
use crate::support::{RUNTIME, Scene, ready, shared};
use crate::{rules, trials};

pub fn tests() -> Vec<Trial> {
    trials!("upgrade":
        objects_older_than_a_rule_are_recorded_lifted_and_released,
        an_object_that_cannot_be_read_says_so_and_stops_no_other,
        a_status_that_cannot_be_understood_says_so,
        an_operator_newer_than_its_definition_says_so_and_asks_nothing_of_ack,
        a_definition_that_goes_back_while_the_operator_runs_loses_no_cluster,
        an_intent_that_was_dropped_is_no_reason_to_let_go,
    )
}

/// A definition in the place of ours, until this is dropped.
pub struct Replaced<'a>(&'a Scene);

/// A member that only a replaced definition has: an object that may hold it shows that the definition is in force.
const SIGN: &str = "testSign";

impl Replaced<'_> {
    /// Ours, changed by `change`, which gets the schema of the whole object.
    pub fn by(scene: &Scene, change: impl FnOnce(&mut Value)) -> Replaced<'_> {
        let mut crd = serde_json::to_value(api::crd()).expect("JSON");
        let version = &mut crd["spec"]["versions"][0];
        version["selectableFields"] = json!([]);
        let schema = &mut version["schema"]["openAPIV3Schema"];
        if schema["properties"]["spec"]["properties"].is_object() {
            schema["properties"]["spec"]["properties"][SIGN] = json!({"type": "boolean"});
        }
        change(schema);
        let replaced = Replaced(scene);
        replaced.put(crd, true);
        replaced
    }

    /// One that takes everything.
    fn permissive(scene: &Scene) -> Replaced<'_> {
        let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        Replaced::by(scene, |schema| *schema = json!({"type": "object", "properties": {"spec": free, "status": free}}))
    }

    fn put(&self, crd: Value, signed: bool) {
        let definitions: Api<CustomResourceDefinition> = Api::all(shared().client.clone());
        let wanted: CustomResourceDefinition = serde_json::from_value(crd).expect("a definition");
        let name = wanted.metadata.name.clone().expect("a name");
        RUNTIME.block_on(async {
            let mut live = definitions.get(&name).await.expect("the definition");
            live.spec = wanted.spec;
            definitions.replace(&name, &PostParams::default(), &live).await.expect("the definition is replaced");
        });
        let mut probe = object(self.0, "probe", json!({SIGN: true}));
        probe["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
        self.0.until("the definition is in force", || {
            let taken = self.0.try_apply(&probe).is_ok_and(|stored| stored["spec"][SIGN] == true);
            (taken == signed).then_some(())
        });
        if self.0.get("probe").is_some() {
            self.0.delete("probe");
        }
    }
}

impl Drop for Replaced<'_> {
    /// Ours again, also when a test has failed.
    fn drop(&mut self) {
        self.put(serde_json::to_value(api::crd()).expect("JSON"), false);
    }
}

fn reason(object: &Value) -> &str {
    ready(object).and_then(|ready| ready["reason"].as_str()).unwrap_or_default()
}

fn objects_older_than_a_rule_are_recorded_lifted_and_released() {
    let mut scene = Scene::new("old-objects");
    let old = rules::broken();
    let permissive = Replaced::permissive(&scene);
    for (name, spec) in &old {
        let mut spec = spec.clone();
        if spec["credentialsRef"].is_null() {
            spec["credentialsRef"] = json!({"name": "ack-credentials"});
        }
        let metadata = json!({"name": name});
        scene.apply(&json!({
            "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster", "metadata": metadata, "spec": spec,
        }));
    }
    drop(permissive);

    scene.start_operator(&[]);
    // A busy API server may leave one unanswered for a moment; none stays like that.
    let passing = ["", "Creating", "Unreachable"];
    let mut reasons = std::collections::BTreeMap::new();
    for (name, _) in &old {
        let told =
            scene.wait_for(name, "it has come to a word that stays", |object| !passing.contains(&reason(object)));
        *reasons.entry(reason(&told).to_owned()).or_insert(0) += 1;
    }
    println!("{} objects, each with a rule broken: {reasons:?}", old.len());
    let recorded: Vec<_> = old.iter().filter(|(name, _)| scene.get(name).is_some_and(|o| !id(&o).is_empty())).collect();
    assert!(recorded.len() * 2 > old.len(), "only {} of {} are recorded", recorded.len(), old.len());
    assert_eq!(scene.clusters_made(), recorded.len(), "one for each that is recorded");

    let protect = |on: bool| {
        for (name, _) in &recorded {
            scene.merge(name, json!({"spec": {"deletion_protection": on, "deletionPolicy": "Delete"}}));
        }
    };
    let protected = |scene: &Scene| living(scene).iter().filter(|cluster| cluster.protected).count();
    protect(true);
    scene.until("all are protected", || (protected(&scene) == recorded.len()).then_some(()));
    for (name, _) in &old {
        scene.delete(name);
    }
    for (name, _) in &recorded {
        scene.wait_for_reason(name, "DeletionProtected");
    }
    assert_eq!(scene.calls("DeleteCluster"), 0);
    protect(false);
    for (name, _) in &old {
        scene.wait_until_gone(name);
    }
    assert!(living(&scene).is_empty());
}

fn an_object_that_cannot_be_read_says_so_and_stops_no_other() {
    let mut scene = Scene::new("broken-objects");
    let permissive = Replaced::permissive(&scene);
    let number: u64 = NUMBER_PASSWORD.parse().expect("a number");
    scene.apply(&object(&scene, "number", json!({"login_password": number})));
    scene.apply(&object(&scene, "several", json!({"tags": {"a": "b"}, "vswitch_ids": "vsw-1", "addons": [7]})));
    scene.apply(&object(&scene, "policy", json!({"deletionPolicy": "Keep"})));
    drop(permissive);
    scene.start_operator(&[]);
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_ready("demo");
    let told = scene.wait_for_reason("policy", "InvalidSpec");
    assert!(message(&told).contains("spec.deletionPolicy"), "{}", message(&told));
    let stalled = ::playground::objects::condition(&told, "Stalled").expect("Stalled");
    assert_eq!(stalled["status"], "True");
    // The API server itself takes no status for an object whose members have wrong types: rules over them fail.
    for (name, names) in [("number", "spec.login_password"), ("several", "spec.addons, spec.tags, spec.vswitch_ids")] {
        let told = scene.until(&format!("an event tells of {name}"), || {
            let events = scene.kubectl(&["get", "events.v1.events.k8s.io", "-o", "json"]);
            let events: Value = serde_json::from_str(&events).expect("JSON");
            let mut events = events["items"].as_array().expect("events").iter();
            events.find(|event| event["regarding"]["name"] == name && event["reason"] == "InvalidSpec").cloned()
        });
        assert!(told["note"].as_str().is_some_and(|note| note.contains(names)), "{told:#}");
    }
    let writes = scene.operator_writes().len();
    scene.merge("number", json!({"spec": {"login_password": "Mended-123"}}));
    scene.wait_for_ready("number");
    let quiet = |write: &Value| write["objectRef"]["name"] == "policy";
    assert!(!scene.operator_writes()[writes..].iter().any(quiet), "what was said is not said again");
    assert_eq!(scene.clusters_made(), 2);
    for name in ["several", "policy"] {
        scene.delete(name);
        scene.wait_until_gone(name);
    }
}

fn a_status_that_cannot_be_understood_says_so() {
    let mut scene = Scene::with_operator("broken-status");
    scene.apply(&scene.smallest("demo"));
    let before = scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    let intent = &before["status"]["createIntents"][0];
    let spoilt = |member: &str, value: Value| {
        let mut intent = intent.clone();
        intent[member] = value;
        scene.merge_status("demo", json!({"status": {"cluster_id": null, "createIntents": [intent]}}));
    };
    spoilt("date", json!("yesterday"));
    scene.start_operator(&[]);
    let told = scene.wait_for_reason("demo", "InvalidSpec");
    assert!(message(&told).contains("date holds `yesterday`"), "{}", message(&told));
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.merge_status("demo", json!({"status": {"createIntents": [intent]}}));
    scene.annotate("demo", "reconcile-at", "now");
    assert_eq!(id(&scene.wait_for_reason("demo", "Running")), id(&before), "found again by its mark");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// Takes a member of the status out of a schema, wherever `path` leads.
fn without(schema: &mut Value, path: &str, member: &str) {
    let parent = schema.pointer_mut(&format!("/properties/status{path}")).expect("a schema");
    parent["properties"].as_object_mut().expect("properties").remove(member);
    if let Some(required) = parent["required"].as_array_mut() {
        required.retain(|name| name != member);
    }
}

fn an_operator_newer_than_its_definition_says_so_and_asks_nothing_of_ack() {
    for (name, path, member, says) in [
        ("no-intents", "", "createIntents", "status.createIntents"),
        ("no-sealer", "/properties/createIntents/items", "sealer", "status.createIntents[].sealer"),
        ("no-hash", "", "appliedHash", "status.appliedHash"),
    ] {
        let mut scene = Scene::new(&format!("newer-{name}"));
        let older = scene.namespace.clone();
        let world = Scene::new(&format!("{older}-definition"));
        let replaced = Replaced::by(&world, |schema| without(schema, path, member));
        scene.start_operator(&[]);
        assert!(
            scene.logs().contains(says) && scene.logs().contains("kubectl apply --server-side"),
            "{}",
            scene.logs()
        );
        scene.apply(&scene.smallest("demo"));
        let told = scene.wait_for_reason("demo", "DefinitionOutdated");
        assert!(message(&told).contains(says), "{}", message(&told));
        scene.annotate("demo", "reconcile-at", "now");
        let asked = scene.emulator.journal(0).iter().filter(|call| call.method != "GET").count();
        assert_eq!(asked, 0);
        drop(replaced);
        scene.wait_for_reason("demo", "Running");
        assert_eq!((scene.calls("CreateCluster"), scene.clusters_made()), (1, 1));
    }
}

fn a_definition_that_goes_back_while_the_operator_runs_loses_no_cluster() {
    let scene = Scene::with_operator("definition-back");
    scene.apply(&scene.smallest("before"));
    let cluster = id(&scene.wait_for_reason("before", "Running"));
    let replaced = Replaced::by(&scene, |schema| without(schema, "", "createIntents"));
    scene.apply(&scene.smallest("demo"));
    let told = scene.wait_for_reason("demo", "DefinitionOutdated");
    assert!(message(&told).contains("status.createIntents"), "{}", message(&told));
    let writes = scene.operator_writes().len();
    // It looks again, and has nothing new to say but that an object as it is now was found settled.
    let settled = scene.get("before").expect("it is there")["status"]["settled"].clone();
    scene.annotate("demo", "reconcile-at", "now");
    scene.annotate("before", "reconcile-at", "now");
    scene.wait_for("before", "it looks again", |before| before["status"]["settled"] != settled);
    let written = &scene.operator_writes()[writes..];
    assert!(written.len() == 1 && written[0]["objectRef"]["name"] == "before", "{written:#?}");
    assert_eq!((id(&scene.wait_for_reason("before", "Running")), scene.calls("CreateCluster")), (cluster, 1));
    // What exists can still be deleted.
    scene.delete("before");
    scene.wait_until_gone("before");
    assert!(living(&scene).is_empty());
    drop(replaced);
    scene.wait_for_reason("demo", "Running");
    assert_eq!((scene.calls("CreateCluster"), living(&scene).len()), (2, 1));
}

/// The answer to the create is lost, then the intent that tells of it: only the list still shows whose the cluster is.
fn an_intent_that_was_dropped_is_no_reason_to_let_go() {
    let scene = Scene::with_operator("intent-dropped");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    let busy = json!({"status": 503, "code": "ServiceUnavailable"});
    scene.fault(json!({"operation": "DescribeClustersForRegion", "do": busy, "nth": 2, "every": true}));
    scene.apply(&scene.smallest("demo"));
    scene.until("the cluster is made", || (scene.clusters_made() == 1).then_some(()));
    scene.wait_for_reason("demo", "Unreachable");
    let replaced = Replaced::by(&scene, |schema| without(schema, "", "createIntents"));
    let lists = scene.calls("DescribeClustersForRegion");
    scene.delete("demo");
    scene.until("it is looked for", || (scene.calls("DescribeClustersForRegion") >= lists + 6).then_some(()));
    assert!(scene.get("demo").is_some(), "it was let go without a look");
    scene.emulator.clear_faults();
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
    assert_eq!(scene.calls("CreateCluster"), 1);
    drop(replaced);
}
