//! Silence costs nothing: writes counted from the API server's audit log, calls from the emulator's journal.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{OPERATOR_USER, Scene, audit};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("quiet":
        a_life_takes_at_most_nine_writes_and_one_a_stage,
        a_ready_cluster_causes_no_write_over_a_hundred_polls,
        fifty_ready_clusters_cost_one_list_page_a_poll_and_no_read,
    )
}

/// What must hold of the audit log of the whole run; `main` runs it after all others.
pub fn afterwards() -> Vec<Trial> {
    trials!("quiet": no_request_of_an_operator_was_refused_and_no_secret_was_listed)
}

fn a_life_takes_at_most_nine_writes_and_one_a_stage() {
    let scene = Scene::with_operator("quiet-life");
    scene.emulator.settings(&json!({"create_time": "6s", "delete_time": "3s"})).unwrap();
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_reason("demo", "Running");
    // A creation of the emulator has four stages, a deletion two.
    let stages = 6;
    let made = scene.operator_writes();
    scene.delete("demo");
    scene.wait_until_gone("demo");
    let writes = scene.operator_writes();
    let list: Vec<String> = writes.iter().map(|w| format!("{} {}", w["verb"], w["requestURI"])).collect();
    println!("{} writes to Ready, {} in all, with {stages} stages", made.len(), writes.len());
    assert!(writes.len() <= 9 + stages, "{list:#?}");
    assert_eq!((scene.calls("CreateCluster"), scene.calls("DeleteCluster")), (1, 1));
}

fn a_ready_cluster_causes_no_write_over_a_hundred_polls() {
    let mut scene = Scene::new("quiet-ready");
    scene.start_operator(&["--poll-idle", "50ms"]);
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_reason("demo", "Running");
    let (writes, object, polls) =
        (scene.operator_writes().len(), scene.get("demo"), scene.calls("DescribeClustersForRegion"));
    scene.until("a hundred polls", || (scene.calls("DescribeClustersForRegion") >= polls + 100).then_some(()));
    assert_eq!(scene.operator_writes().len(), writes);
    assert_eq!(scene.get("demo"), object);
}

fn fifty_ready_clusters_cost_one_list_page_a_poll_and_no_read() {
    let mut scene = Scene::new("quiet-fifty");
    scene.start_operator(&["--poll-idle", "2s"]);
    let names: Vec<_> = (0..50).map(|n| format!("demo-{n}")).collect();
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_reason(name, "Running")));
    // Each object is looked at closely once more before it counts as settled.
    let details = |scene: &Scene| scene.calls("DescribeClusterDetail");
    let mut before = details(&scene);
    let mut since = std::time::Instant::now();
    scene.until("three seconds without a close look", || {
        if details(&scene) != before {
            (before, since) = (details(&scene), std::time::Instant::now());
        }
        (since.elapsed().as_secs() >= 3).then_some(())
    });
    let reads = || {
        let read = |entry: &Value| {
            let object = &entry["objectRef"];
            entry["user"]["username"] == OPERATOR_USER
                && entry["verb"] == "get"
                && object["resource"] == "ackclusters"
                && object["namespace"] == *scene.namespace
        };
        audit(read).len()
    };
    let (number, read) = (scene.emulator.journal(0).len(), reads());
    let began = std::time::Instant::now();
    scene.until("five polls", || (began.elapsed().as_secs() >= 10).then_some(()));
    let calls = scene.emulator.journal(number);
    let polls = began.elapsed().as_secs_f64() / 2.0;
    println!("{} calls in {polls:.1} polls of 50 clusters", calls.len());
    assert_eq!(reads(), read, "an object was read");
    assert!(calls.iter().all(|call| call.operation == "DescribeClustersForRegion"), "{calls:#?}");
    assert!((calls.len() as f64) <= polls.ceil() + 1.0 && calls.len() >= 3, "{} calls", calls.len());
}

fn no_request_of_an_operator_was_refused_and_no_secret_was_listed() {
    let of_operator = |entry: &Value| entry["user"]["username"] == OPERATOR_USER;
    let all = audit(of_operator);
    assert!(!all.is_empty(), "the audit log saw no operator at all");
    let refused = audit(|e| of_operator(e) && e["annotations"]["authorization.k8s.io/decision"] == "forbid");
    assert!(refused.is_empty(), "{:#?}", &refused[..refused.len().min(3)]);
    let by_name = |e: &Value| ["get", "create", "patch"].iter().any(|verb| e["verb"] == *verb);
    let secrets = audit(|e| of_operator(e) && e["objectRef"]["resource"] == "secrets" && !by_name(e));
    assert!(secrets.is_empty(), "{:#?}", &secrets[..secrets.len().min(3)]);
    println!("{} requests of operators", all.len());
}
