//! Answers that get lost, errors that lie, requests that come late or twice: one cluster.

use libtest_mimic::Trial;
use serde_json::json;

use super::{awaits, creates, executed, settles_on_one};
use crate::cluster::message;
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        an_answer_that_is_lost_is_looked_for,
        an_answer_that_does_not_come_in_time_is_looked_for,
        an_error_answer_to_a_cluster_that_was_made_is_not_believed,
        a_request_that_never_arrived_is_made_again_only_when_that_is_proven,
        a_request_that_is_delivered_twice_makes_one_cluster,
        a_request_that_is_delivered_twice_and_throttled_once_makes_one_cluster,
        a_request_that_is_delivered_after_the_client_gave_up_makes_one_cluster,
        a_request_that_is_delivered_after_its_window_makes_nothing,
        a_throttled_request_is_made_again_in_time,
        nothing_is_sealed_that_would_have_to_wait_for_its_turn,
        a_request_that_is_lost_after_an_earlier_one_was_refused_is_looked_for,
    )
}

fn an_answer_that_is_lost_is_looked_for() {
    let scene = Scene::with_operator("lost-answer");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// The client gives up after half a minute, and ACK has long made the cluster by then.
fn an_answer_that_does_not_come_in_time_is_looked_for() {
    let scene = Scene::with_operator("timeout");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "hang"}));
    scene.apply(&scene.smallest("demo"));
    executed(&scene);
    assert_eq!(ready(&scene.wait_for_reason("demo", "Creating")).unwrap()["status"], "False");
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn an_error_answer_to_a_cluster_that_was_made_is_not_believed() {
    let scene = Scene::with_operator("error-but-made");
    scene.fault(
        json!({"operation": "CreateCluster", "when": "after", "do": {"status": 503, "code": "ServiceUnavailable"}}),
    );
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn a_request_that_never_arrived_is_made_again_only_when_that_is_proven() {
    let mut scene = Scene::new("never-arrived");
    scene.start_operator(&["--lists-are-complete"]);
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    awaits(&scene, "demo");
    let first = creates(&scene).remove(0);
    settles_on_one(&scene, "demo");
    let calls = creates(&scene);
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[1].nonce, first.nonce);
    // W + L + S after the sealed date at the earliest, which lies S before the first request.
    let at = |call: &ack_emulator::JournalEntry| call.received.parse::<jiff::Timestamp>().expect("a time");
    assert!(at(&calls[1]).duration_since(at(&first)).as_secs() >= 11, "{:#?}", calls);
}

fn a_request_that_is_delivered_twice_makes_one_cluster() {
    let scene = Scene::with_operator("delivered-twice");
    scene.fault(json!({"operation": "CreateCluster", "do": "duplicate"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 2, "both copies arrived");
}

/// ACK carries out one copy and throttles the other, and the client hears only of the second. The list lags as it does
/// in reality, measured by these scaled times.
fn a_request_that_is_delivered_twice_and_throttled_once_makes_one_cluster() {
    let throttled = json!({"status": 400, "code": "Throttling.User"});
    for (name, nth, answer) in [("throttled-first", 1, "first"), ("throttled-second", 2, "second")] {
        let scene = Scene::with_operator(name);
        scene.emulator.settings(&json!({"list_lag": "100ms"})).unwrap();
        scene.fault(json!({"operation": "CreateCluster", "do": {"duplicate": answer}}));
        scene.fault(json!({"operation": "CreateCluster", "nth": nth, "do": throttled}));
        scene.apply(&scene.smallest("demo"));
        settles_on_one(&scene, "demo");
        assert_eq!(scene.calls("CreateCluster"), 2, "{name}: both copies arrived, and nothing else");
    }
}

fn a_request_that_is_delivered_after_the_client_gave_up_makes_one_cluster() {
    let mut scene = Scene::with_operator("delivered-late");
    scene.fault(json!({"operation": "CreateCluster", "do": {"hold": "4s"}}));
    scene.apply(&scene.smallest("demo"));
    scene.until("the request is on its way", || (scene.calls("CreateCluster") == 1).then_some(()));
    scene.kill_operator(0);
    scene.start_operator(&[]);
    awaits(&scene, "demo");
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

fn a_request_that_is_delivered_after_its_window_makes_nothing() {
    let mut scene = Scene::with_operator("window-over");
    scene.fault(json!({"operation": "CreateCluster", "do": {"hold": "12s"}}));
    scene.apply(&scene.smallest("demo"));
    scene.until("the request is on its way", || (scene.calls("CreateCluster") == 1).then_some(()));
    scene.kill_operator(0);
    scene.start_operator(&["--lists-are-complete"]);
    awaits(&scene, "demo");
    settles_on_one(&scene, "demo");
    let calls = creates(&scene);
    assert_eq!(calls.iter().map(|call| call.took_effect).collect::<Vec<_>>(), [false, true], "{calls:#?}");
}

fn a_throttled_request_is_made_again_in_time() {
    for (name, wait) in [("throttled", None), ("throttled-with-wait", Some("3000"))] {
        let scene = Scene::with_operator(name);
        let headers = wait.map_or(json!({}), |wait| json!({"x-acs-retry-after": wait}));
        let answer = json!({"status": 400, "code": "Throttling.User", "headers": headers});
        scene.fault(json!({"operation": "CreateCluster", "do": answer}));
        scene.apply(&scene.smallest("demo"));
        settles_on_one(&scene, "demo");
        let calls = creates(&scene);
        assert_eq!(calls.len(), 2, "{name}: {calls:#?}");
        let at = |number: usize| calls[number].received.parse::<jiff::Timestamp>().expect("a time");
        let waited = at(1).duration_since(at(0)).as_secs();
        assert!(wait.is_none() || waited >= 3, "{name}: {waited} s");
    }
}

/// ACK asked to be left alone for a minute, so nobody's request could be sent now.
fn nothing_is_sealed_that_would_have_to_wait_for_its_turn() {
    let scene = Scene::with_operator("turn-first");
    let answer = json!({"status": 400, "code": "Throttling.User", "headers": {"x-acs-retry-after": "60000"}});
    scene.fault(json!({"operation": "CreateCluster", "do": answer}));
    scene.apply(&scene.smallest("first"));
    scene.until("ACK has asked for a rest", || (creates(&scene).first()?.status == 400).then_some(()));
    scene.apply(&scene.smallest("second"));
    let waiting = scene.wait_for_reason("second", "Throttled");
    assert!(waiting["status"]["createIntents"].is_null(), "{waiting:#}");
    assert!(waiting["status"]["specLocked"].is_null(), "the spec can still be mended");
    assert!(waiting["metadata"]["finalizers"].is_null(), "it can be deleted by anybody at once");
    assert_eq!(scene.calls("CreateCluster"), 1);
    scene.delete("second");
    scene.wait_until_gone("second");
}

/// The nonces of all attempts are looked for, and attempt 2 is not taken for attempt 1, which was refused.
fn a_request_that_is_lost_after_an_earlier_one_was_refused_is_looked_for() {
    let scene = Scene::with_operator("second-lost");
    let refusal = json!({"status": 400, "code": "InvalidParameter.VswitchIds", "message": "no such vSwitch"});
    scene.fault(json!({"operation": "CreateCluster", "do": refusal}));
    scene.fault(json!({"operation": "CreateCluster", "nth": 2, "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    let refused = scene.wait_for_reason("demo", "InvalidSpec");
    assert!(message(&refused).contains("no such vSwitch"), "{}", message(&refused));
    scene.merge("demo", json!({"spec": {"vswitch_ids": ["vsw-mended"]}}));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 2);
}
