//! Processes that are killed, frozen and doubled at the worst moments make one cluster.

use ::playground::keeper::Signal;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{
    HeldEvents, accept_status, awaits, creates, executed, intent, refuse, refuse_status, sealed, settles_on_one,
};
use crate::cluster::{living, message};
use crate::support::Scene;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        killed_after_the_seal_and_before_the_request,
        killed_after_the_request_was_received_and_before_its_answer,
        killed_after_the_answer_and_before_the_record,
        a_seal_that_is_not_stored_sends_nothing,
        a_finalizer_that_is_refused_is_told_and_nothing_is_sealed,
        a_process_that_slept_through_its_window_sends_nothing,
        a_process_that_wakes_beside_its_successor_makes_no_second_cluster,
        a_process_with_a_stale_cache_makes_no_second_cluster,
        two_operators_make_one_cluster,
    )
}

fn killed_after_the_seal_and_before_the_request() {
    let mut scene = Scene::with_operator("killed-before-request");
    let held = HeldEvents::begin(&scene);
    scene.apply(&scene.smallest("demo"));
    let first = intent(&sealed(&scene, "demo"), "nonce");
    scene.kill_operator(0);
    held.end(&scene);
    assert_eq!(scene.calls("CreateCluster"), 0);
    scene.start_operator(&["--lists-are-complete"]);
    awaits(&scene, "demo");
    settles_on_one(&scene, "demo");
    let calls = creates(&scene);
    assert_eq!(calls.len(), 1, "what was sealed by a process that died is never sent");
    assert_ne!(calls[0].nonce, first);
}

fn killed_after_the_request_was_received_and_before_its_answer() {
    let mut scene = Scene::with_operator("killed-before-answer");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "hang"}));
    scene.apply(&scene.smallest("demo"));
    executed(&scene);
    scene.kill_operator(0);
    scene.start_operator(&[]);
    settles_on_one(&scene, "demo");
}

/// The API server refuses to store an id, so the answer is in the operator's hands and nowhere else when it is killed.
fn killed_after_the_answer_and_before_the_record() {
    let mut scene = Scene::with_operator("killed-before-record");
    refuse_status(&scene, "!has(object.status.cluster_id)", &json!({"cluster_id": "c0"}));
    scene.apply(&scene.smallest("demo"));
    scene.until("the operator holds an id that it cannot store", || {
        scene.logs().contains("the id is not stored yet").then_some(())
    });
    scene.kill_operator(0);
    accept_status(&scene);
    scene.start_operator(&[]);
    settles_on_one(&scene, "demo");
}

fn a_seal_that_is_not_stored_sends_nothing() {
    let scene = Scene::with_operator("seal-refused");
    refuse_status(&scene, "!has(object.status.specLocked)", &json!({"specLocked": true}));
    scene.apply(&scene.smallest("demo"));
    let refusals = || {
        let writes = scene.operator_writes();
        // A conflict is no refusal: somebody else wrote first.
        let code = |write: &Value| write["responseStatus"]["code"].as_u64().unwrap_or_default();
        writes.iter().filter(|write| code(write) >= 400 && code(write) != 409).count()
    };
    let began = std::time::Instant::now();
    scene.until("two seals were refused", || (refusals() >= 2).then_some(()));
    assert_eq!(scene.calls("CreateCluster"), 0);
    // What the API server does not take is not offered to it without a pause.
    scene.until("some seconds have passed", || (began.elapsed().as_secs() >= 8).then_some(()));
    // The doubling pace has room for eight, and a pass that met a conflict begins anew.
    assert!(refusals() <= 12, "{} refused seals within {} s", refusals(), began.elapsed().as_secs());
    let waiting = scene.wait_for_reason("demo", "Unreachable");
    assert!(message(&waiting).contains("the test does not store that"), "{}", message(&waiting));
    accept_status(&scene);
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn a_finalizer_that_is_refused_is_told_and_nothing_is_sealed() {
    let scene = Scene::with_operator("finalizer-refused");
    refuse(&scene, "ackclusters", "!has(object.metadata.finalizers)", || {
        let mut probe = scene.get("probe").expect("the probe");
        probe["metadata"]["finalizers"] = json!(["example.com/probe"]);
        match scene.try_kubectl_with(&["replace"], &probe) {
            Ok(_) => {
                scene.merge("probe", json!({"metadata": {"finalizers": null}}));
                false
            }
            // Or the operator wrote in between.
            Err(why) => why.contains("the test does not store that"),
        }
    });
    scene.apply(&scene.smallest("demo"));
    let told = scene.wait_for_reason("demo", "PermissionDenied");
    assert!(message(&told).contains("finalizer") && message(&told).contains("does not store"), "{}", message(&told));
    assert_eq!((scene.calls("CreateCluster"), intent(&told, "nonce").as_str()), (0, ""));
    let events = scene.kubectl(&["get", "events", "--field-selector=reason=PermissionDenied", "-o", "name"]);
    assert!(!events.is_empty(), "an event says so, too");
    accept_status(&scene);
    settles_on_one(&scene, "demo");
}

fn a_process_that_slept_through_its_window_sends_nothing() {
    let mut scene = Scene::new("slept");
    scene.start_operator(&[]);
    let held = HeldEvents::begin(&scene);
    scene.apply(&scene.smallest("demo"));
    let object = sealed(&scene, "demo");
    scene.signal_operator(0, Signal::STOP);
    held.end(&scene);
    assert_eq!(scene.calls("CreateCluster"), 0);
    let date: jiff::Timestamp = intent(&object, "date").parse().expect("a time");
    let window = date + jiff::SignedDuration::from_secs(10);
    scene.until("the window is over", || (jiff::Timestamp::now() > window).then_some(()));
    scene.signal_operator(0, Signal::CONT);
    settles_on_one(&scene, "demo");
    let calls = creates(&scene);
    assert_eq!(calls.len(), 1);
    assert_ne!(calls[0].nonce, intent(&object, "nonce"), "the old request was never sent");
}

fn a_process_that_wakes_beside_its_successor_makes_no_second_cluster() {
    let mut scene = Scene::with_operator("wakes");
    let held = HeldEvents::begin(&scene);
    scene.apply(&scene.smallest("demo"));
    sealed(&scene, "demo");
    scene.signal_operator(0, Signal::STOP);
    held.end(&scene);
    let second = scene.start_operator(&["--lists-are-complete"]);
    settles_on_one(&scene, "demo");
    // The old process, alone again, must know about the cluster of its successor.
    scene.kill_operator(second);
    scene.signal_operator(0, Signal::CONT);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster"), living(&scene).len()), (1, 1, 0));
}

fn a_process_with_a_stale_cache_makes_no_second_cluster() {
    let mut scene = Scene::with_operator("stale");
    let mut object = scene.smallest("demo");
    object["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
    scene.apply(&object);
    scene.wait_for_reason("demo", "Paused");
    scene.signal_operator(0, Signal::STOP);
    let second = scene.start_operator(&[]);
    scene.merge("demo", json!({"metadata": {"annotations": {"ackoperator.dev/paused": null}}}));
    let running = scene.wait_for_reason("demo", "Running");
    assert!(message(&running).contains("running"));
    scene.kill_operator(second);
    // Its cache knows the object as it was before the seal, and hears of every change since one after the other.
    scene.signal_operator(0, Signal::CONT);
    scene.delete("demo");
    scene.wait_until_gone("demo");
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster"), living(&scene).len()), (1, 1, 0));
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
