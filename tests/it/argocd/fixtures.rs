//! The states of an AckCluster, each a real object of a real run under `testdata/`. The whole trials drive an object into
//! each state and hold it against its fixture; with UPDATE=1 they write it. What differs from run to run is masked.

use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::{customization, health_of, read_yaml, yaml};
use crate::cluster::{id, object};
use crate::generated::check;
use crate::support::{Scene, ready};
use crate::trials;

/// Each state and its health.
pub const STATES: &[(&str, &str)] = &[
    ("unseen", "Progressing"),
    ("creating", "Progressing"),
    ("running", "Healthy"),
    ("updating", "Progressing"),
    ("edited", "Progressing"),
    ("paused", "Suspended"),
    ("deletion-protected", "Degraded"),
    ("deleting", "Progressing"),
    ("refused", "Degraded"),
    ("credentials-missing", "Degraded"),
    ("create-failed", "Degraded"),
    ("observed-without-cluster", "Suspended"),
    ("workers-missing", "Degraded"),
    ("unreachable", "Progressing"),
    ("unavailable", "Degraded"),
    ("vanished", "Degraded"),
];

/// Long enough that nothing ends by itself while it is looked at; the emulator's clock is moved on instead.
const LONG: &str = "1h";

pub fn pure() -> Vec<Trial> {
    let name = "generated::the_health_tests_for_argo_cd_are_what_the_script_says_of_each_fixture";
    vec![Trial::test(name, health_tests)]
}

pub fn tests() -> Vec<Trial> {
    trials!("argocd":
        the_fixtures_of_a_life_are_real,
        the_fixtures_of_a_creation_that_fails_are_real,
        the_fixtures_of_a_cluster_in_trouble_are_real,
    )
}

/// A real object in that state.
pub fn fixture(state: &str) -> Value {
    read_yaml(customization(&format!("testdata/{state}.yaml")))
}

/// What upstream's harness runs.
fn health_tests() -> Result<(), Failed> {
    let mut tests = Vec::new();
    for (state, want) in STATES {
        let health = health_of(&fixture(state));
        if health["status"] != *want {
            return Err(format!("{state} is {health}, not {want}").into());
        }
        tests.push(json!({"inputPath": format!("testdata/{state}.yaml"), "healthStatus": health}));
    }
    check(customization("health_test.yaml"), &yaml(&json!({"tests": tests})))
}

/// Holds a real object against the fixture of its state, or writes that.
fn keep(scene: &Scene, state: &str, object: &Value) {
    let (_, health) = STATES.iter().find(|(name, _)| *name == state).expect("a state of the table");
    let object = masked(scene, object);
    assert_eq!(health_of(&object)["status"], *health, "{state}: {object:#}");
    if std::env::var_os("UPDATE").is_some() {
        let path = customization(&format!("testdata/{state}.yaml"));
        std::fs::write(&path, yaml(&object)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert_eq!(
        shape(&object),
        shape(&fixture(state)),
        "{state} has changed: UPDATE=1 cargo test argocd writes it anew"
    );
}

/// What a reader of the object goes by; sentences may be worded anew.
fn shape(object: &Value) -> Value {
    let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    let condition = |c: &Value| json!([c["type"], c["status"], c["reason"]]);
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten().map(condition);
    json!({
        "metadata": keys(&object["metadata"]),
        "annotations": object["metadata"]["annotations"],
        "finalizers": object["metadata"]["finalizers"],
        "spec": object["spec"],
        "status": keys(&object["status"]),
        "conditions": conditions.collect::<Vec<_>>(),
        "seen": object["status"]["observedGeneration"] == object["metadata"]["generation"],
    })
}

/// The object without what differs from run to run.
fn masked(scene: &Scene, object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    object["metadata"]["resourceVersion"] = "1".into();
    let status = &object["status"];
    let intent = &status["createIntents"][0];
    let words = [
        (&object["metadata"]["uid"], "00000000-0000-4000-8000-000000000000".to_owned()),
        (&status["cluster_id"], format!("c{}", "0".repeat(32))),
        (&status["request_id"], "00000000-0000-0000-0000-000000000000".to_owned()),
        (&status["task_id"], format!("T-{}", "0".repeat(24))),
        (&intent["nonce"], "0".repeat(40)),
        (&intent["sealer"], "0".repeat(32)),
        (&intent["specHash"], "0".repeat(16)),
    ];
    let mut text = object.to_string().replace(&scene.namespace, "clusters");
    for (word, mask) in words.iter().filter_map(|(value, mask)| Some((value.as_str()?, mask))) {
        text = text.replace(word, mask);
    }
    serde_json::from_str(&without_times(&text)).expect("still JSON")
}

/// RFC 3339 times give way to one and the same.
fn without_times(text: &str) -> String {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let is_time = |at: usize| {
        let fits = |(shape, byte): (&u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { shape == byte };
        bytes.get(at..at + SHAPE.len()).is_some_and(|bytes| SHAPE.iter().zip(bytes).all(fits))
    };
    let (mut masked, mut from, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if !is_time(at) {
            at += 1;
            continue;
        }
        masked += &text[from..at];
        masked += "2026-01-01T00:00:00Z";
        let fraction = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'Z');
        at += SHAPE.len() + bytes[at + SHAPE.len()..].iter().take_while(|byte| fraction(byte)).count();
        from = at;
    }
    masked + &text[from..]
}

fn seen(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// The object, once the operator has seen its last edit and says this of it.
fn wait(scene: &Scene, name: &str, reason: &str, state: &str) -> Value {
    scene.wait_for(name, &format!("{reason} while {state:?}"), |object| {
        let says = ready(object).is_some_and(|ready| ready["reason"] == reason);
        says && seen(object) && (state.is_empty() || object["status"]["state"] == state)
    })
}

fn much_later(scene: &Scene) {
    scene.emulator.advance(Duration::from_secs(2 * 3600));
}

fn the_fixtures_of_a_life_are_real() {
    let mut scene = Scene::new("argocd-life");
    scene.emulator.settings(&json!({"create_time": LONG, "modify_time": LONG, "delete_time": LONG})).expect("settings");
    let unseen = scene.apply(&object(&scene, "demo", json!({"deletion_protection": false})));
    keep(&scene, "unseen", &scene.get(unseen["metadata"]["name"].as_str().expect("a name")).expect("it is there"));

    let first = scene.start_operator(&[]);
    let creating = scene.wait_for("demo", "a stage is shown", |o| o["status"]["taskStage"]["total"].is_number());
    keep(&scene, "creating", &creating);
    much_later(&scene);
    keep(&scene, "running", &wait(&scene, "demo", "Running", "running"));

    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    keep(&scene, "updating", &wait(&scene, "demo", "Updating", "updating"));
    much_later(&scene);
    wait(&scene, "demo", "Running", "running");

    scene.kill_operator(first);
    let edited = scene.merge("demo", json!({"spec": {"tags": [{"key": "team", "value": "platform"}]}}));
    keep(&scene, "edited", &edited);
    scene.merge("demo", json!({"spec": {"tags": null}}));
    scene.start_operator(&[]);
    wait(&scene, "demo", "Running", "running");

    scene.annotate("demo", "paused", "true");
    keep(&scene, "paused", &wait(&scene, "demo", "Paused", "running"));
    scene.merge("demo", json!({"metadata": {"annotations": null}}));
    wait(&scene, "demo", "Running", "running");

    scene.delete("demo");
    keep(&scene, "deletion-protected", &wait(&scene, "demo", "DeletionProtected", "running"));
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    wait(&scene, "demo", "Deleting", "updating");
    much_later(&scene);
    let deleting = scene.wait_for("demo", "a stage of the deletion is shown", |o| {
        o["status"]["state"] == "deleting" && o["status"]["taskStage"]["total"].is_number()
    });
    keep(&scene, "deleting", &deleting);
    much_later(&scene);
    scene.wait_until_gone("demo");
}

fn the_fixtures_of_a_creation_that_fails_are_real() {
    let scene = Scene::with_operator("argocd-making");
    scene.apply(&object(&scene, "keyless", json!({"credentialsRef": {"name": "nowhere"}})));
    keep(&scene, "credentials-missing", &wait(&scene, "keyless", "CredentialsMissing", ""));

    let mut observed = scene.smallest("observed");
    observed["metadata"]["annotations"] = json!({"ackoperator.dev/observe": "true"});
    scene.apply(&observed);
    keep(&scene, "observed-without-cluster", &wait(&scene, "observed", "Observed", ""));

    scene.emulator.settings(&json!({"create_time": LONG})).expect("settings");
    scene.apply(&scene.smallest("failed"));
    let cluster = id(&scene.wait_for("failed", "an id", |o| o["status"]["cluster_id"].is_string()));
    scene.emulator.outside(&cluster, &json!({"fail_task": true})).expect("it fails");
    keep(&scene, "create-failed", &wait(&scene, "failed", "CreateFailed", "failed"));

    let body = r#"{"code":"InvalidParameter.VswitchIds","message":"no such vSwitch","requestId":"R","status":400}"#;
    let answer = json!({"status": 400, "code": "InvalidParameter.VswitchIds", "body": body});
    scene.fault(json!({"operation": "CreateCluster", "every": true, "do": answer}));
    scene.apply(&scene.smallest("refused"));
    keep(&scene, "refused", &wait(&scene, "refused", "InvalidSpec", ""));
}

fn the_fixtures_of_a_cluster_in_trouble_are_real() {
    let scene = Scene::with_operator("argocd-trouble");
    let names = ["unreachable", "unavailable", "vanished"];
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    let [_, unavailable, vanished] = names.map(|name| id(&wait(&scene, name, "Running", "running")));
    let workers = json!({
        "num_of_nodes": 2, "worker_instance_types": ["ecs.g7.large"], "worker_system_disk_category": "cloud_essd",
        "worker_system_disk_size": 120, "key_pair": "demo", "workerFields": "Verbatim",
    });
    scene.apply(&object(&scene, "workers-missing", workers));
    keep(&scene, "workers-missing", &wait(&scene, "workers-missing", "WorkersMissing", "running"));
    scene.emulator.outside(&unavailable, &json!({"state": "unavailable"})).expect("it is down");
    keep(&scene, "unavailable", &wait(&scene, "unavailable", "ClusterUnavailable", "unavailable"));
    scene.emulator.outside(&vanished, &json!({"delete": true})).expect("it goes");
    keep(&scene, "vanished", &wait(&scene, "vanished", "ClusterGone", ""));
    scene.fault(json!({"every": true, "do": {"status": 503, "code": "ServiceUnavailable"}}));
    scene.annotate("unreachable", "reconcile-at", "now");
    keep(&scene, "unreachable", &wait(&scene, "unreachable", "Unreachable", "running"));
}
