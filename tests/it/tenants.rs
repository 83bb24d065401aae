//! What one tenant may write without another one noticing: objects that are nested too deep, too long, come and go by the
//! hundred, Secrets full of rubbish, and requests to the operator's own ports that never end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use kube::api::PostParams;
use kube::core::Request;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::{living, message, object};
use crate::metrics::Scrape;
use crate::support::{RUNTIME, Scene, shared};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("tenants":
        an_object_that_is_nested_too_deep_hides_no_other_and_says_so_itself,
        an_object_that_is_too_long_says_so_and_is_let_go_once_it_is_not,
        secret_values_are_bounded_before_they_are_kept,
        nothing_is_remembered_of_objects_that_are_gone,
        half_sent_requests_hold_up_neither_probes_nor_calls,
        one_object_of_a_namespace_does_not_wait_for_the_many_of_another,
    )
}

/// The API server's answer to a request, as text: what is nested too deep for the operator is so for a client library too.
fn raw(request: Result<http::Request<Vec<u8>>, kube::core::request::Error>) -> String {
    RUNTIME
        .block_on(shared().client.request_text(request.expect("a request")))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn requests(scene: &Scene) -> Request {
    Request::new(format!("/apis/ackoperator.dev/v1alpha1/namespaces/{}/ackclusters", scene.namespace))
}

fn create(scene: &Scene, name: &str, parameter: &str) {
    let mut object = object(scene, name, json!({"extraParameters": [{"name": "made_up", "value": "HERE"}]}));
    object["metadata"]["namespace"] = scene.namespace.as_str().into();
    let text = object.to_string().replace("\"HERE\"", parameter);
    raw(requests(scene).create(&PostParams::default(), text.into_bytes()));
}

/// The message of the object's `Stalled`, whatever else is in the object.
fn stalled(scene: &Scene, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Object {
        #[serde(default)]
        status: Status,
    }
    #[derive(Default, Deserialize)]
    struct Status {
        #[serde(default)]
        conditions: Vec<Value>,
    }
    let text = raw(requests(scene).get(name, &kube::api::GetParams::default()));
    let object: Object = serde_json::from_str(&text).expect("an object");
    let stalled = object.status.conditions.iter().find(|condition| condition["type"] == "Stalled");
    stalled.filter(|stalled| stalled["reason"] == "InvalidSpec")?["message"].as_str().map(str::to_owned)
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// Both found at the start of an operator, where all objects come in one list, and while it watches.
fn an_object_that_is_nested_too_deep_hides_no_other_and_says_so_itself() {
    let mut scene = Scene::new("tenants-deep");
    create(&scene, "deep-before", &nested(DEEP));
    scene.apply(&scene.smallest("beside"));
    scene.start_operator(&[]);
    scene.wait_for_reason("beside", "Running");
    create(&scene, "deep-after", &nested(DEEP));
    // The deepest that can be read by itself and not in a list.
    create(&scene, "edge", &nested(EDGE));
    scene.apply(&scene.smallest("after"));
    scene.wait_for_reason("after", "Running");
    for name in ["deep-before", "deep-after"] {
        let said = scene.until(&format!("{name} says what is wrong"), || stalled(&scene, name));
        assert!(said.contains("nested more than 120 deep"), "{said}");
    }
    let mine = |name: &str| living(&scene).iter().filter(|cluster| cluster.name == name).count();
    scene.until("the one that can be read is made", || (mine("edge") == 1).then_some(()));
    assert_eq!((mine("deep-before"), mine("deep-after")), (0, 0), "nothing is made of what cannot be read");
    assert!(scene.operator_runs(0));
    // Other tests list all objects, with clients that they would break.
    for name in ["deep-before", "deep-after", "edge"] {
        raw(requests(&scene).delete(name, &kube::api::DeleteParams::default()));
    }
    let there = |name: &str| {
        let get = requests(&scene).get(name, &kube::api::GetParams::default()).expect("a request");
        RUNTIME.block_on(shared().client.request_text(get)).is_ok()
    };
    for name in ["deep-before", "deep-after", "edge"] {
        scene.until(&format!("{name} is gone"), || (!there(name)).then_some(()));
    }
}

const DEEP: usize = 1000;
const EDGE: usize = 123;

fn an_object_that_is_too_long_says_so_and_is_let_go_once_it_is_not() {
    let scene = Scene::with_operator("tenants-long");
    let long = format!("\"{}\"", "x".repeat(600 * 1024));
    create(&scene, "long", &long);
    let said = scene.until("it says what is wrong", || stalled(&scene, "long"));
    assert!(said.contains("KiB"), "{said}");
    scene.merge("long", json!({"spec": {"extraParameters": null}}));
    scene.wait_for_reason("long", "Running");
    assert_eq!(living(&scene).len(), 1);
}

/// A value that is too long, many that are together, and keys that are none: each is told, and nothing is sent.
fn secret_values_are_bounded_before_they_are_kept() {
    let scene = Scene::with_operator("tenants-secrets");
    let secret = |name: &str, data: Value| {
        let metadata = json!({"name": name, "namespace": scene.namespace});
        scene.kubectl_apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}));
    };
    secret("too-long", json!({"value": "x".repeat(65 * 1024)}));
    secret("long", json!({"value": "x".repeat(64 * 1024)}));
    secret("rubbish", json!({"ALIBABA_CLOUD_ACCESS_KEY_ID": "k".repeat(200), "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}));
    let values = |secret: &str, count: usize| -> Value {
        let path = |number: usize| format!("nodepools/pool-{number}/user_data");
        let value = |number| json!({"path": path(number), "secretKeyRef": {"name": secret, "key": "value"}});
        (0..count).map(value).collect()
    };
    let pools = |count: usize| -> Value {
        let pool = |number| {
            json!({
                "nodepool_info": {"name": format!("pool-{number}")},
                "scaling_group": {"vswitch_ids": ["vsw-bp1playground"], "instance_types": ["ecs.g7.xlarge"],
                                  "instance_charge_type": "PostPaid"},
            })
        };
        (0..count).map(pool).collect()
    };
    let cases = [
        ("one", json!({"nodepools": pools(1), "secretValues": values("too-long", 1)}), "longer than 64 KiB"),
        ("many", json!({"nodepools": pools(9), "secretValues": values("long", 9)}), "no more than 512 KiB are sent"),
        ("keys", json!({"credentialsRef": {"name": "rubbish"}}), "longer than 128 bytes"),
    ];
    for (name, spec, _) in &cases {
        scene.apply(&object(&scene, name, spec.clone()));
    }
    for (name, _, words) in &cases {
        scene.wait_for(name, words, |object| message(object).contains(words));
    }
    assert_eq!(scene.clusters_made(), 0);
    scene.apply(&object(&scene, "good", json!({"nodepools": pools(1), "secretValues": values("long", 1)})));
    scene.wait_for_reason("good", "Running");
}

/// Objects that are held, with long annotations, so that no pass ever looks at them again when they go.
fn nothing_is_remembered_of_objects_that_are_gone() {
    let mut scene = Scene::new("tenants-gone");
    let metrics = scene.address();
    scene.operator.metrics = Some(metrics);
    scene.start_operator(&[]);
    let kept = |what: &str| Scrape::of(metrics).sum("ackoperator_objects", &[("kept", what)]);
    const CYCLES: usize = 200;
    for cycle in 0..CYCLES {
        let name = format!("short-lived-{cycle}");
        let mut held = scene.smallest(&name);
        held["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true", "note": "x".repeat(10_000)});
        scene.apply(&held);
        if cycle % 20 == 0 {
            scene.wait_for_reason(&name, "Paused");
            scene.until("it is remembered", || (kept("remembered") > 0.0).then_some(()));
        }
        scene.delete(&name);
    }
    scene.until("nothing is kept", || (kept("watched") == 0.0 && kept("remembered") == 0.0).then_some(()));
}

fn half_sent_requests_hold_up_neither_probes_nor_calls() {
    let mut scene = Scene::new("tenants-ports");
    let metrics = scene.address();
    scene.operator.metrics = Some(metrics);
    scene.start_operator(&[]);
    let health = scene.probes[0];
    let mut held = vec![];
    for address in [health, metrics] {
        for _ in 0..300 {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n").expect("half a request");
            held.push(stream);
        }
    }
    for address in [health, metrics] {
        let path = if address == health { "readyz" } else { "metrics" };
        scene.until(&format!("/{path} is answered"), || answers(address, path).then_some(()));
    }
    scene.apply(&scene.smallest("beside"));
    scene.wait_for_reason("beside", "Running");
    // Each of them was closed, none by us.
    for mut stream in held {
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let _ = stream.read(&mut [0; 1]).expect("the operator closes what is not finished");
    }
}

/// They share an access key, and one change a second or two.
fn one_object_of_a_namespace_does_not_wait_for_the_many_of_another() {
    let (mut busy, quiet) = (Scene::new("tenants-busy"), Scene::new("tenants-quiet"));
    busy.operator.namespaces.push(quiet.namespace.clone());
    busy.start_operator(&["--changes-qps", "2"]);
    for number in 0..60 {
        busy.apply(&busy.smallest(&format!("one-of-many-{number}")));
    }
    let made = || busy.clusters_made();
    busy.until("some are made, and the others wait", || (made() >= 12).then_some(()));
    let before = made();
    quiet.apply(&quiet.smallest("alone"));
    busy.until("it is made", || busy.emulator.ledger().iter().any(|cluster| cluster.name == "alone").then_some(()));
    let meanwhile = made() - before - 1;
    assert!(meanwhile <= 8, "{meanwhile} of the other namespace were made before it");
    assert!(before + meanwhile < 55, "there was no queue: {before} and {meanwhile}");
    // Nor does its deletion, nor one of the namespace that has the queue.
    quiet.wait_for_reason("alone", "Running");
    let deletions = [(&quiet, "alone"), (&busy, "one-of-many-0")];
    let before = made();
    deletions.iter().for_each(|(scene, name)| scene.delete(name));
    deletions.iter().for_each(|(scene, name)| scene.wait_until_gone(name));
    println!("{} creates during two deletions", made() - before);
    let silent = busy.get("one-of-many-59").expect("an object");
    assert!(silent["status"]["conditions"].is_null() || message(&silent).contains("queued"), "{silent:#}");
}

fn answers(address: SocketAddr, path: &str) -> bool {
    RUNTIME.block_on(async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().expect("a client");
        client.get(format!("http://{address}/{path}")).send().await.is_ok_and(|answer| answer.status().is_success())
    })
}
