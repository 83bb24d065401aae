//! Keys that are wrong, without rights, of another account, of another region's endpoint: none of them proves that a cluster
//! is gone, and with the right ones it goes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use ack_emulator::{AccessKey, Config, Emulator};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::gone;
use crate::cluster::{id, living, message, object};
use crate::support::{RUNTIME, Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("delete":
        keys_that_are_refused_do_not_prove_that_a_cluster_is_gone,
        keys_of_another_account_do_not_see_that_a_cluster_is_gone,
        an_account_that_only_the_secret_states_is_believed_by_nobody,
        what_other_keys_have_seen_does_not_make_these_see_that_a_cluster_is_gone,
        the_endpoint_of_another_region_does_not_prove_that_a_cluster_is_gone,
        a_cluster_that_vanished_while_nobody_looked_is_known_by_its_task,
        what_left_no_trace_is_let_go_by_a_person_only,
        a_retained_cluster_needs_no_credentials,
    )
}

fn keys_that_are_refused_do_not_prove_that_a_cluster_is_gone() {
    let scene = Scene::with_operator("keys-refused");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    let ours = Key::default();
    let unknown = Key { id: "LTAI5tNobodys".into(), ..ours.clone() };
    let wrong = Key { secret: "another-secret-that-opens-nothing".into(), ..ours.clone() };
    // What is held against our own keys is in force before they are in use again.
    let inactive = json!({"inactive_keys": [ours.id]});
    let blind = json!({"inactive_keys": [], "visible_only": {&ours.id: []}});
    for (key, settings, code, reason) in [
        (&unknown, json!({}), "InvalidAccessKeyId.NotFound", "InvalidCredentials"),
        (&wrong, json!({}), "SignatureDoesNotMatch", "InvalidCredentials"),
        (&ours, inactive, "InvalidAccessKeyId.Inactive", "InvalidCredentials"),
        (&ours, blind, "StatusForbidden", "PermissionDenied"),
    ] {
        scene.emulator.settings(&settings).unwrap();
        let before = scene.emulator.journal(0).len();
        scene.secret(ACCESS_SECRET, key);
        scene.wait_for_reason("demo", reason);
        scene.delete("demo");
        scene.until(&format!("two calls end with {code}"), || {
            let refused = scene.emulator.journal(before).into_iter().filter(|call| call.code == code);
            (refused.count() >= 2).then_some(())
        });
        let waiting = scene.wait_for_reason("demo", reason);
        assert!(waiting["metadata"]["deletionTimestamp"].is_string());
        assert_eq!((living(&scene).len(), scene.calls("DeleteCluster")), (1, 0), "{code}");
    }
    scene.emulator.settings(&json!({"visible_only": {}})).unwrap();
    gone(&scene, "demo", &cluster);
}

fn keys_of_another_account_do_not_see_that_a_cluster_is_gone() {
    let ours = Key::default();
    let other = Key { id: "LTAI5tOtherAccount".into(), account: "77".into(), ..Key::default() };
    let mut scene = Scene::with_keys("keys-of-others", &[(ACCESS_SECRET, ours.clone()), ("other", other.clone())]);
    scene.start_operator(&[]);
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    scene.secret(ACCESS_SECRET, &other);
    scene.wait_for_reason("demo", "AccountChanged");
    scene.delete("demo");
    let waiting = scene.wait_for("demo", "the deletion is seen", |object| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    });
    assert_eq!(ready(&waiting).unwrap()["reason"], "AccountChanged");
    assert!(message(&waiting).contains(&format!("give credentials of account {}", ours.account)), "{waiting}");
    let mut theirs = scene.emulator.journal(0).into_iter().filter(|call| call.access_key == other.id);
    assert!(theirs.all(|call| call.operation == "GetCallerIdentity"), "with their keys nothing else is asked");
    assert_eq!((living(&scene).len(), scene.calls("DeleteCluster")), (1, 0));
    scene.secret(ACCESS_SECRET, &ours);
    gone(&scene, "demo", &cluster);
}

/// The Secret states the cluster's account, and its keys belong to another; or it states a wrong one from the start.
/// A Secret with this key that says whose it is.
fn states(scene: &Scene, secret: &str, key: &Key, account: &str) {
    let mut manifest: Value = serde_json::from_str(&key.secret_manifest(secret, &scene.namespace)).unwrap();
    manifest["stringData"]["ALIBABA_CLOUD_ACCOUNT_ID"] = account.into();
    scene.kubectl_apply(&manifest);
}

fn an_account_that_only_the_secret_states_is_believed_by_nobody() {
    let ours = Key::default();
    let other = Key { id: "LTAI5tOtherAccount".into(), account: "77".into(), ..Key::default() };
    let mut scene = Scene::with_keys("stated", &[(ACCESS_SECRET, ours.clone()), ("other", other.clone())]);
    states(&scene, ACCESS_SECRET, &ours, &ours.account);
    states(&scene, "misstated", &ours, &other.account);
    scene.start_operator(&[]);
    scene.apply(&scene.smallest("demo"));
    scene.apply(&object(&scene, "wrong", json!({"credentialsRef": {"name": "misstated"}})));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    let told = scene.wait_for_reason("wrong", "InvalidCredentials");
    assert!(message(&told).contains(&ours.account) && message(&told).contains(&other.account), "{}", message(&told));

    states(&scene, ACCESS_SECRET, &other, &ours.account);
    scene.wait_for_reason("demo", "InvalidCredentials");
    scene.delete("demo");
    let waiting = scene.wait_for("demo", "the deletion is seen", |object| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    });
    assert_eq!(ready(&waiting).unwrap()["reason"], "InvalidCredentials", "{waiting:#}");
    let mut theirs = scene.emulator.journal(0).into_iter().filter(|call| call.access_key == other.id);
    assert!(theirs.all(|call| call.operation == "GetCallerIdentity"), "with their keys nothing else is asked");
    assert_eq!((scene.clusters_made(), living(&scene).len()), (1, 1));

    states(&scene, "misstated", &ours, &ours.account);
    scene.wait_for_reason("wrong", "Running");
    states(&scene, ACCESS_SECRET, &ours, &ours.account);
    gone(&scene, "demo", &cluster);
}

/// Gives the scene an ACK with an endpoint for each of two regions. Answers the one that is not for its objects.
fn regions(scene: &mut Scene) -> String {
    let port = |region: &str| (Some(region.to_owned()), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let Key { id, secret, account, token } = Key::default();
    let config = Config {
        listen: vec![port("cn-hangzhou"), port("cn-beijing")],
        access_keys: vec![AccessKey { id, secret, account, token }],
        list_lag: Duration::from_millis(500),
        create_time: Duration::from_secs(2),
        delete_time: Duration::from_secs(1),
        date_window: Duration::from_secs(10),
        ..Config::default()
    };
    scene.emulator = RUNTIME.block_on(Emulator::start(config)).expect("an emulator");
    scene.operator.endpoint = scene.emulator.url();
    scene.emulator.urls().pop().expect("two ports").1
}

/// It answers every question about the cluster with 404, and lists none.
/// Where there is no STS, both keys say the same account, and the second ones see nothing.
fn what_other_keys_have_seen_does_not_make_these_see_that_a_cluster_is_gone() {
    let ours = Key::default();
    let other = Key { id: "LTAI5tOtherAccount".into(), account: "77".into(), ..Key::default() };
    let mut scene = Scene::with_keys("keys-blind", &[(ACCESS_SECRET, ours.clone()), ("other", other.clone())]);
    states(&scene, ACCESS_SECRET, &ours, &ours.account);
    scene.start_operator(&["--without-sts"]);
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    states(&scene, ACCESS_SECRET, &other, &ours.account);
    scene.wait_for_reason("demo", "ListNotTrusted");
    scene.delete("demo");
    let began = std::time::Instant::now();
    scene.until("an absence would be believed by now", || (began.elapsed() > Duration::from_secs(8)).then_some(()));
    assert_eq!(living(&scene).iter().filter(|alive| alive.id == cluster).count(), 1);
    assert!(scene.get("demo").is_some(), "the object was let go while its cluster lives");
}

fn the_endpoint_of_another_region_does_not_prove_that_a_cluster_is_gone() {
    let mut scene = Scene::new("wrong-region");
    let elsewhere = format!("cn-hangzhou={}", regions(&mut scene));
    scene.start_operator(&[]);
    let [stays, goes] = ["stays", "goes"].map(|name| {
        scene.apply(&scene.smallest(name));
        id(&scene.wait_for_reason(name, "Running"))
    });
    scene.kill_operator(0);
    scene.start_operator(&["--ack-endpoint", &elsewhere]);
    scene.delete("goes");
    for name in ["stays", "goes"] {
        let told = scene.wait_for_reason(name, "ListNotTrusted");
        assert!(message(&told).contains("--ack-endpoint"), "{}", message(&told));
    }
    let counts = |scene: &Scene| (living(scene).len(), scene.calls("DeleteCluster"), scene.calls("CreateCluster"));
    assert_eq!(counts(&scene), (2, 0, 2));
    scene.kill_operator(1);
    scene.start_operator(&[]);
    gone(&scene, "goes", &goes);
    assert_eq!(id(&scene.wait_for_reason("stays", "Running")), stays);
    assert_eq!(counts(&scene), (1, 1, 2));
}

/// One cluster, gone while no operator ran: no list of its region shows anything of ours.
fn vanished(scene: &mut Scene) -> Value {
    scene.apply(&scene.smallest("demo"));
    let object = scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    scene.emulator.outside(&id(&object), &json!({"delete": true})).unwrap();
    object
}

fn a_cluster_that_vanished_while_nobody_looked_is_known_by_its_task() {
    let mut scene = Scene::with_operator("vanished-unseen");
    let cluster = id(&vanished(&mut scene));
    scene.start_operator(&[]);
    let told = scene.wait_for_reason("demo", "ClusterGone");
    assert!(message(&told).contains(&format!("recreate={cluster}")), "{}", message(&told));
    scene.delete("demo");
    gone(&scene, "demo", &cluster);
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 0));
}

fn what_left_no_trace_is_let_go_by_a_person_only() {
    let mut scene = Scene::with_operator("traceless");
    vanished(&mut scene);
    // Tasks are not kept for ever; ACK answers a task that it does not know with a 400.
    scene.merge_status("demo", json!({"status": {"task_id": "T-forgotten"}}));
    scene.start_operator(&[]);
    scene.delete("demo");
    let told = scene.wait_for_reason("demo", "ListNotTrusted");
    assert!(message(&told).contains("deletionPolicy: Retain"), "{}", message(&told));
    scene.merge("demo", json!({"spec": {"deletionPolicy": "Retain"}}));
    scene.wait_until_gone("demo");
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 0));
}

fn a_retained_cluster_needs_no_credentials() {
    let mut scene = Scene::with_operator("retain-keyless");
    scene.apply(&object(&scene, "demo", json!({"deletionPolicy": "Retain"})));
    scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    scene.kubectl(&["delete", "secret", ACCESS_SECRET]);
    scene.start_operator(&[]);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!(living(&scene).len(), 1);
    assert_eq!(scene.calls("DeleteCluster"), 0);
}
