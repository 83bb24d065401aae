//! The kubeconfig that a user gets: published where it reaches a real API server, renewed, never written into a Secret of
//! somebody else's, and never told. The oracles are the Secret, the audit log and a request with what was published.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{message, object};
use crate::support::{OPERATOR_USER, Scene, audit, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("kubeconfig":
        a_published_kubeconfig_serves_a_real_request_and_is_told_to_nobody,
        it_is_renewed_before_it_ends_and_written_only_then,
        a_secret_of_somebody_else_is_never_written,
        the_address_is_the_public_one_where_there_is_one,
        what_cannot_be_got_is_tried_until_it_can,
        it_goes_with_its_object,
        a_removed_wish_leaves_the_secret_and_forgets_it,
    )
}

fn wanting(scene: &Scene, reference: Value, more: Value) -> Value {
    let mut wanted = object(scene, "demo", more);
    wanted["spec"]["kubeconfigSecretRef"] = reference;
    wanted
}

fn secret(scene: &Scene) -> Option<Value> {
    let text = scene.kubectl(&["get", "secret", "demo-kubeconfig", "--ignore-not-found", "-o", "json"]);
    serde_json::from_str(&text).ok()
}

fn text(secret: &Value) -> String {
    let value = secret["data"]["value"].as_str().expect("the key `value`");
    String::from_utf8(BASE64.decode(value).expect("base64")).expect("UTF-8")
}

/// What the operator wrote of Secrets in this scene.
fn secret_writes(scene: &Scene) -> usize {
    audit(|entry| {
        let reference = &entry["objectRef"];
        entry["user"]["username"] == OPERATOR_USER
            && reference["resource"] == "secrets"
            && reference["namespace"] == *scene.namespace
            && entry["verb"] != "get"
    })
    .len()
}

fn a_published_kubeconfig_serves_a_real_request_and_is_told_to_nobody() {
    let mut scene = Scene::new("kubeconfig-served");
    scene.operator.more = vec!["--log-level".into(), "trace".into()];
    scene.start_operator(&[]);
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({})));
    let object = scene.wait_for_ready("demo");
    let secret = secret(&scene).expect("the Secret is there once the cluster is ready");
    assert_eq!(secret["type"], "cluster.x-k8s.io/secret");
    assert_eq!(secret["metadata"]["labels"]["cluster.x-k8s.io/cluster-name"], "demo");
    let owner = &secret["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["uid"], &owner["controller"]), (&object["metadata"]["uid"], &json!(true)));
    let status = &object["status"]["kubeconfigSecretRef"];
    assert_eq!((&status["name"], &status["endpointAccess"]), (&json!("demo-kubeconfig"), &json!("Private")));
    assert!(status["expiresAt"].as_str() > status["renewAt"].as_str() && status["renewAt"].is_string(), "{status}");

    let config = text(&secret);
    assert!(config.contains(status["serverUrl"].as_str().expect("a server")), "{status}");
    let file = scene.dir().join("kubeconfig-served.kubeconfig");
    fs::write(&file, &config).expect("written");
    let spaces = scene.kubectl(&["--kubeconfig", file.to_str().expect("UTF-8"), "get", "namespaces", "-o", "name"]);
    assert!(spaces.contains("namespace/kubeconfig-served"), "{spaces}");

    let token = config.lines().find_map(|line| line.trim().strip_prefix("token: ")).expect("a token").trim();
    let told = [scene.logs(), object.to_string(), scene.kubectl(&["get", "events", "-o", "json"])].concat();
    assert!(told.contains("demo-kubeconfig") && scene.logs().len() > 10_000, "nothing was told at all");
    for mark in [token.to_owned(), BASE64.encode(token), BASE64.encode(&config)[..200].to_owned()] {
        assert!(!told.contains(&mark), "a part of the kubeconfig was told");
    }
}

fn it_is_renewed_before_it_ends_and_written_only_then() {
    let scene = Scene::with_operator("kubeconfig-renewed");
    // 15 minutes last 24 s.
    scene.emulator.settings(&json!({"kubeconfig_minute": "1600ms"})).expect("a setting");
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig", "validMinutes": 15}), json!({})));
    let object = scene.wait_for_ready("demo");
    let ends = |object: &Value| object["status"]["kubeconfigSecretRef"]["expiresAt"].as_str().unwrap_or("").to_owned();
    let first = ends(&object);
    let renewed = scene.wait_for("demo", "its kubeconfig is renewed", |object| ends(object) != first);
    let now = jiff::Timestamp::now();
    assert!(first.parse::<jiff::Timestamp>().expect("a time") > now, "renewed after its end");
    assert_eq!(ready(&renewed).expect("Ready")["status"], "True");
    let asked = scene.calls("DescribeClusterUserKubeconfig");
    assert_eq!((asked, secret_writes(&scene)), (2, 2), "got and written once each time");

    // One that lasts is left alone over many polls.
    scene.emulator.settings(&json!({"kubeconfig_minute": "60s"})).expect("a setting");
    let lasting = scene.wait_for("demo", "it is renewed once more, for a quarter of an hour", |object| {
        let ends = ends(object).parse::<jiff::Timestamp>().expect("a time");
        ends > now + jiff::SignedDuration::from_mins(5)
    });
    let gotten = (scene.calls("DescribeClusterUserKubeconfig"), secret_writes(&scene));
    let (writes, calls) = (scene.operator_writes().len(), scene.calls("DescribeClustersForRegion"));
    scene.until("four polls", || (scene.calls("DescribeClustersForRegion") >= calls + 4).then_some(()));
    assert_eq!((scene.calls("DescribeClusterUserKubeconfig"), secret_writes(&scene)), gotten);
    assert_eq!(scene.operator_writes().len(), writes);
    assert_eq!(scene.get("demo"), Some(lasting));
}

fn a_secret_of_somebody_else_is_never_written() {
    let scene = Scene::with_operator("kubeconfig-foreign");
    scene.kubectl(&["create", "secret", "generic", "demo-kubeconfig", "--from-literal=value=mine"]);
    let before = secret(&scene);
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({"deletion_protection": true})));
    let object = scene.wait_for_reason("demo", "SecretConflict");
    assert_eq!(ready(&object).expect("Ready")["status"], "True", "the cluster serves");
    assert!(message(&object).contains("demo-kubeconfig"), "{}", message(&object));
    assert!(object["status"]["kubeconfigSecretRef"].is_null());
    assert_eq!(secret(&scene), before);
    assert_eq!((secret_writes(&scene), scene.calls("DescribeClusterUserKubeconfig")), (0, 0));
    scene.kubectl(&["delete", "secret", "demo-kubeconfig"]);
    scene.wait_for_reason("demo", "Running");
    assert_eq!(text(&secret(&scene).expect("ours")).lines().next(), Some("apiVersion: v1"));
}

fn the_address_is_the_public_one_where_there_is_one() {
    let scene = Scene::with_operator("kubeconfig-address");
    let access = |object: &Value| object["status"]["kubeconfigSecretRef"]["endpointAccess"].clone();
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({"endpoint_public_access": true})));
    assert_eq!(access(&scene.wait_for_ready("demo")), "Public");
    scene.merge("demo", json!({"spec": {"kubeconfigSecretRef": {"endpointAccess": "Private"}}}));
    scene.wait_for("demo", "the address in the VPC", |object| access(object) == "Private");

    // One that asks for what its cluster lacks is told so, until it asks no more.
    let mut other = wanting(&scene, json!({"name": "other-kubeconfig", "endpointAccess": "Public"}), json!({}));
    other["metadata"]["name"] = "other".into();
    scene.apply(&other);
    let stuck = scene.wait_for_reason("other", "EndpointMissing");
    assert!(message(&stuck).contains("endpointAccess"), "{}", message(&stuck));
    assert_eq!(ready(&stuck).expect("Ready")["status"], "True", "the cluster serves");
    scene.merge("other", json!({"spec": {"kubeconfigSecretRef": {"endpointAccess": null}}}));
    assert_eq!(access(&scene.wait_for_reason("other", "Running")), "Private");
}

fn what_cannot_be_got_is_tried_until_it_can() {
    let scene = Scene::with_operator("kubeconfig-trouble");
    let down = json!({
        "operation": "DescribeClusterUserKubeconfig", "when": "before", "do": {"status": 503, "code": "ServiceUnavailable"},
        "every": true,
    });
    scene.fault(down);
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({})));
    let object = scene.wait_for_reason("demo", "Unreachable");
    assert_eq!(ready(&object).expect("Ready")["status"], "True", "the cluster serves");
    assert!(message(&object).contains("the kubeconfig is not published"), "{}", message(&object));
    scene.emulator.clear_faults();
    scene.wait_for_reason("demo", "Running");
    // A person takes the Secret away and says so.
    scene.kubectl(&["delete", "secret", "demo-kubeconfig"]);
    scene.annotate("demo", "reconcile-at", "now");
    scene.until("the Secret is there again", || secret(&scene));
}

fn it_goes_with_its_object() {
    let scene = Scene::with_operator("kubeconfig-goes");
    scene.start_controllers();
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({})));
    scene.wait_for_ready("demo");
    assert!(secret(&scene).is_some());
    scene.delete("demo");
    scene.wait_until_gone("demo");
    scene.until("the Secret is collected", || secret(&scene).is_none().then_some(()));
}

fn a_removed_wish_leaves_the_secret_and_forgets_it() {
    let scene = Scene::with_operator("kubeconfig-unwanted");
    scene.apply(&wanting(&scene, json!({"name": "demo-kubeconfig"}), json!({})));
    scene.wait_for_ready("demo");
    let before = secret(&scene);
    scene.merge("demo", json!({"spec": {"kubeconfigSecretRef": null}}));
    scene.wait_for("demo", "the status tells of none", |object| object["status"]["kubeconfigSecretRef"].is_null());
    assert_eq!(secret(&scene), before, "it goes with the object, not before");
}
