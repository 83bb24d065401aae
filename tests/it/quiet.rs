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
        a_fleet_is_made_found_again_and_deleted_for_what_the_page_says,
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
    let reads = || reads(&scene, "ackclusters");
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

/// How often an operator has read one such object of this scene.
fn reads(scene: &Scene, resource: &str) -> usize {
    asked(scene, "get", resource)
}

fn asked(scene: &Scene, verb: &str, resource: &str) -> usize {
    let read = |entry: &Value| {
        let object = &entry["objectRef"];
        entry["user"]["username"] == OPERATOR_USER
            && entry["verb"] == verb
            && object["resource"] == resource
            && object["namespace"] == *scene.namespace
    };
    audit(read).len()
}

/// The figures of docs/performance.md, an object: polls of a fifth of the real length, so a task is read after 6 s.
fn a_fleet_is_made_found_again_and_deleted_for_what_the_page_says() {
    const FLEET: usize = 20;
    let mut scene = Scene::new("quiet-fleet");
    let flags = ["--poll-busy", "3s", "--poll-idle", "60s"];
    // What confirms each other lies 2 s apart, so that dates of whole seconds can tell.
    scene.operator.protocol_times = Some("60s,2s,1s".into());
    scene.emulator.settings(&json!({"create_time": "10s", "delete_time": "2s"})).unwrap();
    scene.start_operator(&flags);
    let names: Vec<_> = (0..FLEET).map(|n| format!("demo-{n}")).collect();
    let began = std::time::Instant::now();
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_reason(name, "Running")));
    let ready = std::time::Instant::now();

    let calls = |scene: &Scene| {
        ["CreateCluster", "DeleteCluster", "DescribeClusterDetail", "DescribeTaskInfo", "DescribeClusterResources"]
            .map(|operation| scene.calls(operation))
    };
    let lists = |scene: &Scene| scene.calls("DescribeClustersForRegion");
    assert_eq!(calls(&scene), [FLEET, 0, FLEET, FLEET, 0], "one detail and one look at the task each");
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!(lists(&scene) <= seconds + 5, "{} lists in {seconds} s", lists(&scene));
    // The finalizer, the seal, the record, the task's stage, and that it runs.
    let writes = scene.operator_writes();
    assert_eq!((writes.len(), asked(&scene, "create", "events")), (5 * FLEET, 2 * FLEET), "{writes:#?}");

    // A time of change has whole seconds: for some of them it could be changed once more without that this shows.
    scene.until("the clusters to be as they are for a while", || (ready.elapsed().as_secs() >= 7).then_some(()));
    assert!(scene.stop_operator(0));
    let (listed, read, secrets) = (lists(&scene), reads(&scene, "ackclusters"), reads(&scene, "secrets"));
    scene.start_operator(&flags);
    let mut since = std::time::Instant::now();
    let mut number = scene.emulator.journal(0).len();
    scene.until("three seconds without a call", || {
        let now = scene.emulator.journal(0).len();
        if now != number {
            (number, since) = (now, std::time::Instant::now());
        }
        (lists(&scene) > listed && since.elapsed().as_secs() >= 3).then_some(())
    });
    assert_eq!(calls(&scene), [FLEET, 0, FLEET, FLEET, 0], "a new process believes the list");
    assert_eq!(
        (lists(&scene), reads(&scene, "ackclusters"), reads(&scene, "secrets")),
        (listed + 1, read, secrets + 1)
    );

    names.iter().for_each(|name| scene.delete(name));
    names.iter().for_each(|name| scene.wait_until_gone(name));
    // Before the request, and once the list shows it no more.
    assert_eq!(calls(&scene), [FLEET, FLEET, 3 * FLEET, FLEET, FLEET]);
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
