//! What an administrator's flags change: which objects are looked after, whether anything is changed at all, and which
//! tags every cluster gets. The oracles are the emulator's ledger and journal.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{living, message, object};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("settings":
        only_selected_objects_are_looked_after,
        a_reader_makes_changes_deletes_and_releases_nothing,
        default_tags_are_added_and_a_users_own_wins,
        tags_beyond_twenty_are_told_and_mended,
        flags_that_cannot_be_used_are_refused_at_once,
    )
}

/// Every call that is not a read, by the emulator's own account.
fn changes(scene: &Scene) -> Vec<String> {
    let calls = scene.emulator.journal(0).into_iter().filter(|call| call.method != "GET");
    calls.map(|call| call.operation).collect()
}

fn only_selected_objects_are_looked_after() {
    let mut scene = Scene::new("selected");
    scene.start_operator(&["--selector", "track in (new)"]);
    let labelled = |name: &str, track: &str| {
        let mut object = scene.smallest(name);
        object["metadata"]["labels"] = json!({"track": track});
        object
    };
    scene.apply(&labelled("other", "old"));
    scene.apply(&scene.smallest("plain"));
    scene.apply(&labelled("demo", "new"));
    scene.wait_for_ready("demo");
    // Two more for which the others had the time that it took.
    scene.apply(&labelled("later", "new"));
    scene.wait_for_ready("later");
    assert_eq!(scene.clusters_made(), 2);
    for name in ["other", "plain"] {
        let left_alone = scene.get(name).expect("it is there");
        assert_eq!(
            (&left_alone["status"]["conditions"], &left_alone["metadata"]["finalizers"]),
            (&Value::Null, &Value::Null)
        );
    }
    // One that leaves the selection is kept, and its deletion waits for who looks after it.
    scene.merge("demo", json!({"metadata": {"labels": {"track": "old"}}, "spec": {"deletion_protection": false}}));
    scene.delete("demo");
    scene.delete("later");
    scene.wait_until_gone("later");
    assert!(scene.get("demo").is_some_and(|object| object["metadata"]["deletionTimestamp"].is_string()));
    assert_eq!(living(&scene).len(), 1);
    scene.start_operator(&["--selector", "track=old"]);
    scene.wait_until_gone("demo");
    assert_eq!((living(&scene).len(), scene.clusters_made()), (1, 3), "the new operator looks after what is old, too");
}

fn a_reader_makes_changes_deletes_and_releases_nothing() {
    let mut scene = Scene::with_operator("read-only");
    for name in ["kept", "loose"] {
        scene.apply(&object(&scene, name, json!({"deletion_protection": false})));
        scene.wait_for_ready(name);
    }
    assert!(scene.stop_operator(0));
    let before = changes(&scene);
    let keep = json!({"spec": {"deletionPolicy": "Retain"}});
    scene.merge("loose", keep);
    scene.start_operator(&["--read-only"]);

    scene.apply(&scene.smallest("fresh"));
    let fresh = scene.wait_for_reason("fresh", "Observed");
    assert_eq!(fresh["metadata"]["finalizers"], Value::Null);
    scene.merge("kept", json!({"spec": {"deletion_protection": true}}));
    let observed = scene.wait_for("kept", "the new generation is observed", |o| {
        ready(o).is_some_and(|ready| {
            ready["reason"] == "SpecDiffers" && ready["observedGeneration"] == o["metadata"]["generation"]
        })
    });
    assert!(message(&observed).contains("deletion_protection: false -> true"), "{}", message(&observed));
    scene.merge("kept", json!({"spec": {"deletion_protection": false}}));
    for name in ["kept", "loose"] {
        scene.delete(name);
        let held = scene.wait_for_reason(name, "Paused");
        assert!(message(&held).contains("--read-only"), "{}", message(&held));
        assert_eq!(held["metadata"]["finalizers"], json!(["ackoperator.dev/cluster"]));
    }
    // What was never made holds nobody up.
    scene.delete("fresh");
    scene.wait_until_gone("fresh");
    assert_eq!((changes(&scene), living(&scene).len()), (before, 2));

    assert!(scene.stop_operator(1));
    scene.start_operator(&[]);
    scene.wait_until_gone("kept");
    scene.wait_until_gone("loose");
    assert_eq!((living(&scene).len(), scene.clusters_made()), (1, 2));
}

fn tags(scene: &Scene, name: &str) -> Vec<(String, String)> {
    let cluster = scene.emulator.ledger().into_iter().find(|cluster| cluster.name == name).expect("a cluster");
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    let pairs = cluster.body["tags"].as_array().into_iter().flatten().map(|tag| (text(tag, "key"), text(tag, "value")));
    pairs.filter(|(key, _)| !key.starts_with("ackoperator.dev/")).collect()
}

fn default_tags_are_added_and_a_users_own_wins() {
    let mut scene = Scene::new("default-tags");
    scene.start_operator(&["--default-tags", "cost-centre=42,team=platform"]);
    scene.apply(&scene.smallest("plain"));
    scene.apply(&object(
        &scene,
        "own",
        json!({"tags": [{"key": "team", "value": "shop"}, {"key": "a", "value": "b"}]}),
    ));
    scene.wait_for_reason("plain", "Running");
    let own = scene.wait_for_reason("own", "Running");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(tags(&scene, "plain"), [pair("cost-centre", "42"), pair("team", "platform")]);
    assert_eq!(tags(&scene, "own"), [pair("team", "shop"), pair("a", "b"), pair("cost-centre", "42")]);
    assert_eq!(own["spec"]["tags"].as_array().map(Vec::len), Some(2), "nothing is written into the spec");
}

fn tags_beyond_twenty_are_told_and_mended() {
    let mut scene = Scene::new("many-tags");
    scene.start_operator(&["--default-tags", "t0=default,cost-centre=42"]);
    let many: Vec<_> = (0..16).map(|number| json!({"key": format!("t{number}"), "value": "x"})).collect();
    scene.apply(&object(&scene, "demo", json!({"tags": many})));
    let refused = scene.wait_for_reason("demo", "InvalidSpec");
    assert!(message(&refused).contains("they are 21, and ACK takes 20; drop 1 of spec.tags"), "{}", message(&refused));
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (0, 0));
    scene.merge("demo", json!({"spec": {"tags": many[..15]}}));
    scene.wait_for_ready("demo");
    assert_eq!(tags(&scene, "demo").len(), 16);
}

fn flags_that_cannot_be_used_are_refused_at_once() {
    for (flag, value, words) in [
        ("--default-tags", "cost-centre", "write it like cost-centre=42"),
        ("--default-tags", "=42", "a key has 1 to 64 characters"),
        ("--default-tags", "ackoperator.dev/name=x", "ackoperator.dev/ is ours"),
        ("--default-tags", "acs:owner=x", "acs:"),
        ("--default-tags", "site=https://example", "https://"),
        ("--metrics-addr", "everywhere", "give ADDRESS:PORT, or off"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ack-operator")).args(["run", flag, value]).output();
        let output = output.expect("the operator runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(words), "{flag} {value}: {told}");
    }
}
