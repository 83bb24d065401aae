//! Answers that no server should give, to the whole process: whatever ACK's place says, the process lives, nothing is made
//! or deleted twice or by mistake, the object says what it met, and all is well once the answers are. The client's own
//! part, and the table of answers, are in `faults`.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, message, object};
use crate::faults::kinds::kinds;
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("hostile":
        details_that_cannot_be_read_change_nothing_and_are_never_taken_for_gone,
        lists_that_cannot_be_read_let_nothing_be_made,
        lists_that_cannot_be_read_prove_no_absence,
        answers_to_a_create_that_cannot_be_read_are_no_reason_for_another,
        answers_to_a_delete_that_cannot_be_read_are_no_reason_to_let_go,
        tasks_that_cannot_be_read_hold_nothing_up,
    )
}

/// What these do to a list leaves it one that shows every cluster.
const GOOD_LISTS: [&str; 3] = ["swapped_ids", "unknown_words", "no_state"];

/// One hostile answer. Each has a region of its own, so that all of them are tried at once.
struct Case {
    region: String,
    /// What the rule does.
    deed: Value,
    name: &'static str,
}

fn cases() -> Vec<Case> {
    let odd = kinds().into_iter().filter(|kind| kind.odd).enumerate();
    odd.map(|(number, kind)| Case { region: format!("cn-odd{number}"), deed: kind.deed, name: kind.name }).collect()
}

/// Names of objects are those of their cases.
fn name(case: &Case) -> String {
    case.name.replace('_', "-")
}

fn apply(scene: &Scene, case: &Case) {
    scene.apply(&object(scene, &name(case), json!({"region_id": case.region, "deletion_protection": false})));
}

fn spoil(scene: &Scene, case: &Case, operation: &str, when: &str, every: bool) {
    scene.fault(json!({
        "operation": operation, "region": case.region, "when": when, "do": case.deed, "every": every,
    }));
}

fn reason(object: &Value) -> &str {
    ready(object).and_then(|ready| ready["reason"].as_str()).unwrap_or_default()
}

fn struck(scene: &Scene, case: &Case, operation: &str, since: usize) -> usize {
    let call = |call: &&ack_emulator::JournalEntry| call.operation == operation && call.region == case.region;
    scene.emulator.journal(since).iter().filter(call).count()
}

fn made_in(scene: &Scene, case: &Case) -> usize {
    scene.emulator.ledger().iter().filter(|cluster| cluster.region == case.region).count()
}

/// The process that was there is there, and never panicked.
fn alive(scene: &mut Scene) {
    assert!(scene.operator_runs(0), "the operator has ended");
    assert!(!scene.logs().contains("panicked"), "something in the operator panicked");
}

/// One cluster ever for each case, which runs and is recorded.
fn settled(scene: &Scene, cases: &[Case]) {
    for case in cases {
        let object = scene.wait_for_reason(&name(case), "Running");
        assert_eq!(made_in(scene, case), 1, "{}", case.name);
        assert!(living(scene).iter().any(|cluster| cluster.id == id(&object)), "{}", case.name);
    }
}

fn details_that_cannot_be_read_change_nothing_and_are_never_taken_for_gone() {
    let (mut scene, cases) = (Scene::with_operator("hostile-details"), cases());
    cases.iter().for_each(|case| apply(&scene, case));
    settled(&scene, &cases);
    let since = scene.emulator.journal(0).len();
    for case in &cases {
        spoil(&scene, case, "DescribeClusterDetail", "before", true);
        scene.annotate(&name(case), "reconcile-at", "now");
    }
    for case in &cases {
        let shown = scene.wait_for(&name(case), "it was looked at", |_| {
            struck(&scene, case, "DescribeClusterDetail", since) >= 3 || case.name == "swapped_ids"
        });
        match case.name {
            "unknown_words" => {
                let shown = scene.wait_for_reason(&name(case), "Updating");
                assert!(message(&shown).contains("hibernating"), "{}", message(&shown));
                assert!(!shown.to_string().contains('\u{7f}'), "a control character of ACK's");
                assert_eq!(ready(&shown).unwrap()["status"], "True", "it served, and nothing says that it does not");
            }
            "swapped_ids" => assert_eq!(reason(&shown), "Running"),
            "bare_403" | "page_404" | "xml_404" => {
                let shown = scene.wait_for_reason(&name(case), "Unreachable");
                assert!(message(&shown).contains("HTTP 40"), "{}", message(&shown));
            }
            _ => {
                let shown = scene.wait_for_reason(&name(case), "Unreachable");
                let says = message(&shown);
                assert!(says.contains("cannot be used") || says.contains("no whole answer"), "{}: {says}", case.name);
            }
        }
    }
    // Nor does a deletion take them for an answer.
    let before = scene.emulator.journal(0).len();
    let deleted = |case: &&Case| !["swapped_ids", "unknown_words"].contains(&case.name);
    cases.iter().filter(deleted).for_each(|case| scene.delete(&name(case)));
    for case in cases.iter().filter(deleted) {
        scene.until(&format!("{} is looked at while it goes", case.name), || {
            (struck(&scene, case, "DescribeClusterDetail", before) >= 6).then_some(())
        });
        assert!(scene.get(&name(case)).is_some(), "{} was let go", case.name);
    }
    let changes = |scene: &Scene| scene.emulator.journal(since).into_iter().filter(|call| call.method != "GET").count();
    assert_eq!((changes(&scene), living(&scene).len()), (0, cases.len()));
    alive(&mut scene);

    scene.emulator.clear_faults();
    cases.iter().filter(deleted).for_each(|case| scene.wait_until_gone(&name(case)));
    assert_eq!(living(&scene).len(), 2);
    alive(&mut scene);
}

fn lists_that_cannot_be_read_let_nothing_be_made() {
    let (mut scene, cases) = (Scene::with_operator("hostile-lists"), cases());
    // A list that shows nothing cannot be spoilt in every way.
    cases.iter().for_each(|case| apply(&scene, case));
    settled(&scene, &cases);
    let spoilt: Vec<_> = cases.iter().filter(|case| !GOOD_LISTS.contains(&case.name)).collect();
    let second = |case: &Case| format!("second-{}", name(case));
    spoilt.iter().for_each(|case| spoil(&scene, case, "DescribeClustersForRegion", "before", true));
    // A good list of some seconds ago would still be good enough to begin with.
    let began = Instant::now();
    scene.until("the last good list is too old", || (began.elapsed() > Duration::from_secs(7)).then_some(()));
    let since = scene.emulator.journal(0).len();
    for case in &spoilt {
        scene.until(&format!("{} strikes", case.name), || {
            (struck(&scene, case, "DescribeClustersForRegion", since) > 0).then_some(())
        });
        scene.apply(&object(&scene, &second(case), json!({"region_id": case.region})));
    }
    for case in &spoilt {
        let shown = scene.wait_for_reason(&second(case), "Unreachable");
        assert!(!message(&shown).is_empty());
    }
    // The first ones rest on the same lists.
    let since = scene.emulator.journal(0).len();
    for case in &spoilt {
        scene.until(&format!("{} is asked for again", case.name), || {
            (struck(&scene, case, "DescribeClustersForRegion", since) >= 4).then_some(())
        });
        assert_eq!(made_in(&scene, case), 1, "{}", case.name);
        assert!(scene.get(&second(case)).unwrap()["status"]["createIntents"].is_null(), "{}", case.name);
    }
    assert_eq!(scene.calls("DeleteCluster"), 0);
    alive(&mut scene);
    scene.emulator.clear_faults();
    for case in &spoilt {
        scene.wait_for_reason(&second(case), "Running");
        scene.wait_for_reason(&name(case), "Running");
        assert_eq!(made_in(&scene, case), 2, "{}", case.name);
    }
    alive(&mut scene);
}

fn lists_that_cannot_be_read_prove_no_absence() {
    let (mut scene, cases) = (Scene::new("hostile-proofs"), cases());
    scene.start_operator(&["--lists-are-complete"]);
    for case in &cases {
        scene.fault(json!({
            "operation": "CreateCluster", "region": case.region, "when": "after", "do": "drop",
        }));
        // The first list is the owner check; all that come after it are spoilt.
        scene.fault(json!({
            "operation": "DescribeClustersForRegion", "region": case.region, "do": case.deed, "nth": 2, "every": true,
        }));
        apply(&scene, case);
    }
    // W + L + S, and what must lie between two lists, and some more.
    let began = std::time::Instant::now();
    scene.until("an absence would be believed", || (began.elapsed().as_secs() >= 20).then_some(()));
    assert_eq!(scene.calls("CreateCluster"), cases.len(), "none is sent again");
    for case in &cases {
        assert!(struck(&scene, case, "DescribeClustersForRegion", 0) > 1, "{} was not asked for", case.name);
        let shown = scene.get(&name(case)).expect("the object");
        // In these the cluster is still to be seen.
        let seen = GOOD_LISTS.contains(&case.name);
        let said = reason(&shown);
        assert!(
            seen && said == "Running" || ["Unreachable", "AwaitingOutcome"].contains(&said),
            "{}: {said}",
            case.name
        );
    }
    alive(&mut scene);
    scene.emulator.clear_faults();
    settled(&scene, &cases);
    assert_eq!(scene.calls("CreateCluster"), cases.len());
    alive(&mut scene);
}

fn answers_to_a_create_that_cannot_be_read_are_no_reason_for_another() {
    let mut scene = Scene::new("hostile-creates");
    scene.start_operator(&["--lists-are-complete"]);
    let (made, mut lost) = (cases(), cases());
    for case in &made {
        spoil(&scene, case, "CreateCluster", "after", false);
        apply(&scene, case);
    }
    // The same answers to requests that were not executed: another one may follow only when that is proven.
    lost.retain(|case| case.deed["mangle"].is_null());
    for case in &mut lost {
        case.region = case.region.replace("odd", "lost");
        spoil(&scene, case, "CreateCluster", "before", false);
        scene.apply(&object(&scene, &format!("lost-{}", name(case)), json!({"region_id": case.region})));
    }
    settled(&scene, &made);
    for case in &made {
        assert_eq!(struck(&scene, case, "CreateCluster", 0), 1, "{}", case.name);
    }
    let swapped = scene.get("swapped-ids").unwrap();
    assert!(swapped["status"]["task_id"].as_str().is_some_and(|task| task.starts_with("T-")), "{swapped:#}");
    assert!(swapped["status"]["request_id"].as_str().is_some_and(|id| id.len() == 36), "{swapped:#}");
    for case in &lost {
        scene.wait_for_reason(&format!("lost-{}", name(case)), "Running");
        assert_eq!((made_in(&scene, case), struck(&scene, case, "CreateCluster", 0)), (1, 2), "{}", case.name);
        let sent: Vec<_> = scene.emulator.journal(0).into_iter().filter(|c| c.operation == "CreateCluster").collect();
        let at: Vec<jiff::Timestamp> =
            sent.iter().filter(|c| c.region == case.region).map(|c| c.received.parse().unwrap()).collect();
        assert!(at[1].duration_since(at[0]).as_secs() >= 11, "{}: too early", case.name);
    }
    alive(&mut scene);
}

fn answers_to_a_delete_that_cannot_be_read_are_no_reason_to_let_go() {
    let (mut scene, cases) = (Scene::with_operator("hostile-deletes"), cases());
    cases.iter().for_each(|case| apply(&scene, case));
    settled(&scene, &cases);
    let half = cases.len() / 2;
    for (number, case) in cases.iter().enumerate() {
        spoil(&scene, case, "DeleteCluster", if number < half { "after" } else { "before" }, false);
        scene.delete(&name(case));
    }
    for case in &cases {
        scene.wait_until_gone(&name(case));
        assert!(!living(&scene).iter().any(|cluster| cluster.region == case.region), "{} was let go early", case.name);
    }
    assert_eq!(scene.clusters_made(), cases.len());
    alive(&mut scene);
}

fn tasks_that_cannot_be_read_hold_nothing_up() {
    let (mut scene, cases) = (Scene::with_operator("hostile-tasks"), cases());
    // Long enough that a busy machine looks at each cluster while it is still being made.
    scene.emulator.settings(&serde_json::json!({"create_time": "8s"})).unwrap();
    for case in &cases {
        spoil(&scene, case, "DescribeTaskInfo", "before", true);
        apply(&scene, case);
    }
    settled(&scene, &cases);
    for case in &cases {
        assert!(struck(&scene, case, "DescribeTaskInfo", 0) > 0, "{}", case.name);
    }
    assert_eq!(scene.calls("CreateCluster"), cases.len());
    alive(&mut scene);
}
