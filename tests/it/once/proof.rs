//! What an absence is believed from, and what not: lists that lag, hide, tear and refuse, gateways that let everything
//! in, clocks that are wrong, persons who err.

use jiff::SignedDuration;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{awaits, creates, executed, intent, settles_on_one};
use crate::cluster::{id, living, message, object};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        an_empty_list_is_not_trusted_and_a_person_may_answer,
        a_credential_that_cannot_see_everything_proves_nothing,
        a_neighbour_of_another_resource_group_vouches_for_nothing,
        a_list_that_lags_and_hides_tags_is_waited_for,
        a_cluster_that_slips_between_two_pages_is_not_taken_for_absent,
        lists_that_miscount_or_are_throttled_prove_nothing,
        a_gateway_that_lets_old_or_repeated_requests_in_waits_for_a_person,
        a_person_who_errs_is_told_of_both_clusters_and_neither_is_touched,
        a_wrong_clock_seals_nothing,
        an_hour_that_the_gateways_clock_jumps_settles_no_open_outcome,
    )
}

fn an_empty_list_is_not_trusted_and_a_person_may_answer() {
    let scene = Scene::with_operator("not-trusted");
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    let stuck = scene.wait_for_reason("demo", "ListNotTrusted");
    assert_eq!(scene.calls("CreateCluster"), 1, "nothing is sealed");
    let nonce = stuck["status"]["createIntents"][0]["nonce"].as_str().unwrap().to_owned();
    assert!(message(&stuck).contains(&nonce), "{}", message(&stuck));
    scene.annotate("demo", "confirm-absent", &nonce);
    settles_on_one(&scene, "demo");
}

fn a_credential_that_cannot_see_everything_proves_nothing() {
    let scene = Scene::with_operator("sees-little");
    let key = ::playground::emulated::Key::default().id;
    scene.emulator.settings(&json!({"visible_only": {key.as_str(): ["another"]}})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    awaits(&scene, "demo");
    let stuck = scene.wait_for_reason("demo", "ListNotTrusted");
    assert!(message(&stuck).contains(&intent(&stuck, "nonce")), "{}", message(&stuck));
    assert_eq!(stuck["status"]["createIntents"][0]["attempt"], 1, "nothing else is sealed");
    scene.emulator.settings(&json!({"visible_only": {}})).unwrap();
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// The keys see the clusters of one resource group. In it there is one of this operator's, which the list shows.
fn a_neighbour_of_another_resource_group_vouches_for_nothing() {
    let scene = Scene::with_operator("groups");
    let key = ::playground::emulated::Key::default().id;
    scene.apply(&object(&scene, "neighbour", json!({"resource_group_id": "rg-seen"})));
    scene.wait_for_reason("neighbour", "Running");
    scene.emulator.settings(&json!({"visible_groups": {key.as_str(): ["rg-seen"]}})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop", "every": true}));
    let groups = [("named", json!({"resource_group_id": "rg-hidden"})), ("default", json!({}))];
    let names = |group: &str| [format!("{group}-stays"), format!("{group}-goes")];
    for (group, spec) in &groups {
        names(group).iter().for_each(|name| drop(scene.apply(&object(&scene, name, spec.clone()))));
    }
    for name in groups.iter().flat_map(|(group, _)| names(group)) {
        let stuck = scene.wait_for_reason(&name, "ListNotTrusted");
        assert!(message(&stuck).contains(&intent(&stuck, "nonce")), "{}", message(&stuck));
        if name.ends_with("goes") {
            scene.delete(&name);
            scene.wait_for(&name, "the deletion is seen", going_and_observed);
        }
    }
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (5, 5), "nothing else is sealed");
    assert_eq!(living(&scene).len(), 5, "and nothing let go");
    scene.emulator.settings(&json!({"visible_groups": {}})).unwrap();
    for (group, _) in &groups {
        let [stays, goes] = names(group);
        scene.wait_for_reason(&stays, "Running");
        scene.wait_until_gone(&goes);
    }
    let mut left: Vec<_> = living(&scene).into_iter().map(|cluster| cluster.name).collect();
    left.sort();
    assert_eq!(
        (left, scene.calls("CreateCluster")),
        (["default-stays", "named-stays", "neighbour"].map(String::from).to_vec(), 5)
    );
}

fn a_list_that_lags_and_hides_tags_is_waited_for() {
    let scene = Scene::with_operator("late-tags");
    scene.emulator.settings(&json!({"tags_visible": "late", "list_lag": "1500ms", "detail_lag": "1s"})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    settles_on_one(&scene, "demo");
    assert_eq!(scene.calls("CreateCluster"), 1);
}

/// Another operator's clusters push the one that is looked for to the border of two pages, where it slips away.
fn a_cluster_that_slips_between_two_pages_is_not_taken_for_absent() {
    let mut scene = Scene::with_operator("slips");
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "hang"}));
    scene.apply(&scene.smallest("demo"));
    executed(&scene);
    scene.kill_operator(0);
    let mut others = Scene::new("slips-others");
    others.operator.endpoint = scene.emulator.url();
    others.start_operator(&[]);
    ["one", "two"].iter().for_each(|name| drop(others.apply(&others.smallest(name))));
    ["one", "two"].iter().for_each(|name| drop(others.wait_for_reason(name, "Running")));
    // Newest first: `demo` is the first of the second page.
    scene.emulator.settings(&json!({"lists": "torn", "page_size_default": 2, "page_size_max": 2})).unwrap();

    scene.start_operator(&["--lists-are-complete"]);
    let torn = scene.wait_for_reason("demo", "Unreachable");
    assert!(message(&torn).contains("did not come whole"), "{}", message(&torn));
    stays(&scene, "demo", "Unreachable", 3);
    assert_eq!(scene.calls("CreateCluster"), 3, "nothing is sealed");
    scene.emulator.settings(&json!({"lists": "whole"})).unwrap();
    let object = scene.wait_for_reason("demo", "Running");
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (3, 3));
    assert_eq!(living(&scene).iter().find(|cluster| cluster.name == "demo").unwrap().id, id(&object));
}

/// Several more lists are read, and the object says the same.
fn stays(scene: &Scene, name: &str, reason: &str, lists: usize) {
    let before = scene.calls("DescribeClustersForRegion");
    scene.until("more lists were read", || (scene.calls("DescribeClustersForRegion") >= before + lists).then_some(()));
    let object = scene.get(name).expect("the object");
    assert_eq!(ready(&object).unwrap()["reason"], reason, "{object:#}");
}

fn lists_that_miscount_or_are_throttled_prove_nothing() {
    let mut scene = Scene::new("miscounts");
    scene.start_operator(&["--lists-are-complete"]);
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    awaits(&scene, "demo");
    scene.emulator.settings(&json!({"lists": "overcount"})).unwrap();
    scene.wait_for_reason("demo", "Unreachable");
    stays(&scene, "demo", "Unreachable", 2);
    let throttled = json!({"status": 400, "code": "Throttling.User"});
    scene.fault(json!({"operation": "DescribeClustersForRegion", "every": true, "do": throttled}));
    scene.emulator.settings(&json!({"lists": "whole"})).unwrap();
    let waiting = scene.wait_for_reason("demo", "Throttled");
    assert!(message(&waiting).contains("Throttling.User"), "{}", message(&waiting));
    stays(&scene, "demo", "Throttled", 3);
    assert_eq!(scene.calls("CreateCluster"), 1, "nothing is sealed");
    scene.emulator.clear_faults();
    settles_on_one(&scene, "demo");
}

fn a_gateway_that_lets_old_or_repeated_requests_in_waits_for_a_person() {
    for (name, setting) in [("inert-date", "date_check"), ("inert-nonce", "nonce_check")] {
        let mut scene = Scene::new(name);
        scene.start_operator(&["--lists-are-complete"]);
        scene.emulator.settings(&json!({setting: "off"})).unwrap();
        scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
        scene.apply(&scene.smallest("demo"));
        awaits(&scene, "demo");
        let stuck = scene.wait_for_reason("demo", "FenceInert");
        let nonce = intent(&stuck, "nonce");
        assert!(message(&stuck).contains(&format!("confirm-absent={nonce}")), "{}", message(&stuck));
        stays(&scene, "demo", "FenceInert", 1);
        assert_eq!(scene.calls("CreateCluster"), 1, "{name}: nothing is sealed");
        scene.annotate("demo", "confirm-absent", &nonce);
        settles_on_one(&scene, "demo");
    }
}

/// ACK shows the first cluster much later than it ever should, and meanwhile a person says that there is none.
fn a_person_who_errs_is_told_of_both_clusters_and_neither_is_touched() {
    let scene = Scene::with_operator("errs");
    scene.emulator.settings(&json!({"list_lag": "10m"})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    let nonce = intent(&awaits(&scene, "demo"), "nonce");
    scene.annotate("demo", "confirm-absent", &nonce);
    scene.wait_for_reason("demo", "Running");
    assert_eq!(scene.clusters_made(), 2, "the person's word is taken");
    scene.emulator.settings(&json!({"list_lag": "0s"})).unwrap();
    let double = scene.wait_for_reason("demo", "DuplicateDetected");
    living(&scene).iter().for_each(|cluster| assert!(message(&double).contains(&cluster.id), "{}", message(&double)));
    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene.delete("demo");
    let held = scene.wait_for("demo", "the deletion is seen", going_and_observed);
    assert_eq!(ready(&held).unwrap()["reason"], "DuplicateDetected");
    assert_eq!((living(&scene).len(), scene.calls("DeleteCluster"), scene.calls("ModifyCluster")), (2, 0, 0));

    // The person takes the wrong one away, and all goes on.
    let wrong = living(&scene).into_iter().find(|cluster| cluster.id != id(&held)).unwrap();
    scene.emulator.outside(&wrong.id, &json!({"delete": true})).unwrap();
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.wait_until_gone("demo");
    assert!(living(&scene).is_empty());
}

fn going_and_observed(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

fn a_wrong_clock_seals_nothing() {
    for (name, skew) in [("clock-slow", 60), ("clock-fast", -60)] {
        let scene = Scene::with_operator(name);
        scene.emulator.skew(SignedDuration::from_mins(skew));
        scene.apply(&scene.smallest("demo"));
        let wrong = scene.wait_for_reason("demo", "ClockSkew");
        assert!(message(&wrong).contains("clock"), "{}", message(&wrong));
        stays(&scene, "demo", "ClockSkew", 1);
        assert!(creates(&scene).is_empty());
        assert!(intent(&scene.get("demo").unwrap(), "nonce").is_empty(), "nothing is sealed");
        scene.emulator.skew(SignedDuration::ZERO);
        settles_on_one(&scene, "demo");
    }
}

/// A list dated an hour ahead would be late enough to prove that there is no cluster, though none has been waited for.
fn an_hour_that_the_gateways_clock_jumps_settles_no_open_outcome() {
    let scene = Scene::with_operator("clock-jumps");
    // A second cluster, so that the list is one that shows ours.
    scene.apply(&scene.smallest("other"));
    scene.wait_for_ready("other");
    scene.emulator.settings(&json!({"list_lag": "10m"})).unwrap();
    scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": "drop"}));
    scene.apply(&scene.smallest("demo"));
    awaits(&scene, "demo");
    scene.emulator.skew(SignedDuration::from_hours(1));
    scene.delete("demo");
    let wrong = scene.wait_for_reason("demo", "ClockSkew");
    assert!(message(&wrong).contains("clock"), "{}", message(&wrong));
    stays(&scene, "demo", "ClockSkew", 2);
    assert_eq!(living(&scene).len(), 2);
    scene.emulator.skew(SignedDuration::ZERO);
    scene.emulator.settings(&json!({"list_lag": "0s"})).unwrap();
    scene.wait_until_gone("demo");
    assert_eq!((living(&scene).len(), scene.clusters_made()), (1, 2), "nothing was let go, and nothing made again");
}
