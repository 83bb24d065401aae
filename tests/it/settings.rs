//! What an administrator's flags change: which objects are looked after, whether anything is changed at all, which tags
//! every cluster gets, and who may do what with the operator's own keys. The oracles are the emulator's ledger and journal.

use ::playground::emulated::Key;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, message, object, stray};
use crate::delete::last_look::held;
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("settings":
        only_selected_objects_are_looked_after,
        a_reader_makes_changes_deletes_and_releases_nothing,
        default_tags_are_added_and_a_users_own_wins,
        tags_beyond_twenty_are_told_and_mended,
        nobody_buys_with_the_operators_own_keys_unless_the_administrator_says_so,
        own_keys_serve_the_namespaces_that_are_named_or_all,
        what_is_there_already_is_attached_with_shared_keys_only_where_that_is_allowed,
        what_is_there_already_is_attached_with_keys_of_ones_own,
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
    // One that leaves the selection is kept, also in the middle of its deletion, which waits for who looks after it.
    let cluster = id(&scene.merge("demo", json!({"spec": {"deletion_protection": false}})));
    held(&scene, "DescribeClusterResources", &cluster, "before", || scene.delete("demo"));
    scene.merge("demo", json!({"metadata": {"labels": {"track": "old"}}}));
    scene.apply(&labelled("last", "new"));
    scene.wait_for_reason("last", "Running");
    scene.delete("later");
    scene.wait_until_gone("later");
    assert!(scene.get("demo").is_some_and(|object| object["metadata"]["deletionTimestamp"].is_string()));
    assert_eq!(living(&scene).len(), 2);
    scene.start_operator(&["--selector", "track=old"]);
    scene.wait_until_gone("demo");
    assert_eq!((living(&scene).len(), scene.clusters_made()), (2, 4), "the new operator looks after what is old, too");
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

/// One that names no Secret, so that it is left to the operator's own keys.
fn keyless(scene: &Scene, name: &str, more: Value) -> Value {
    let mut object = object(scene, name, more);
    object["spec"].as_object_mut().expect("a spec").remove("credentialsRef");
    object
}

/// A scene whose next operator has keys of its own. Its namespace has a Secret too, for those who name it.
fn with_own_keys(name: &str) -> Scene {
    let mut scene = Scene::new(name);
    scene.operator.key = Some(Key::default());
    scene
}

/// Says that nothing was sent in the name of anybody.
fn nothing_was_sent(scene: &Scene) {
    assert_eq!((changes(scene), scene.clusters_made()), (vec![], 0));
}

fn nobody_buys_with_the_operators_own_keys_unless_the_administrator_says_so() {
    let mut scene = with_own_keys("own-keys-of-nobody");
    scene.start_operator(&[]);
    scene.apply(&keyless(&scene, "demo", json!({})));
    let told = scene.wait_for_reason("demo", "CredentialsMissing");
    let (said, namespace) = (message(&told).to_owned(), &scene.namespace);
    assert_eq!(told["metadata"]["finalizers"], Value::Null);
    let patch = r#"'{"spec":{"credentialsRef":{"name":"ack-credentials"}}}'"#;
    for words in [
        format!("kubectl --namespace {namespace} patch ackcluster demo --type merge -p {patch}"),
        format!("add {namespace} to --default-credentials-namespaces (chart: credentials.namespaces)"),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
    nothing_was_sent(&scene);
    assert_eq!(scene.emulator.journal(0).len(), 0, "its keys are not even looked at");
    assert!(scene.logs().contains("no namespace may use them"), "the administrator is told at the start");
    // The first way out, as it is printed.
    let pasted = ["patch", "ackcluster", "demo", "--type", "merge", "-p", patch.trim_matches('\'')];
    scene.kubectl(&pasted);
    scene.wait_for_ready("demo");
    assert_eq!(scene.clusters_made(), 1);
}

fn own_keys_serve_the_namespaces_that_are_named_or_all() {
    let mut scene = with_own_keys("own-keys-of-some");
    let named = format!("elsewhere,{}", scene.namespace);
    scene.start_operator(&["--default-credentials-namespaces", "elsewhere,own-keys"]);
    scene.apply(&keyless(&scene, "demo", json!({})));
    scene.wait_for_reason("demo", "CredentialsMissing");
    nothing_was_sent(&scene);
    // The second way out.
    for (number, (names, name)) in [(named.as_str(), "demo"), ("*", "another")].into_iter().enumerate() {
        assert!(scene.stop_operator(number));
        scene.start_operator(&["--default-credentials-namespaces", names]);
        scene.apply(&keyless(&scene, name, json!({})));
        scene.wait_for_ready(name);
        assert_eq!(scene.clusters_made(), number + 1);
    }
    // What they adopt with them is said by itself, and all by the same word.
    let cluster = stray(&scene, "stray");
    let adopting = keyless(&scene, "adopting", json!({"name": "stray", "adoptClusterId": cluster}));
    scene.apply(&adopting);
    let told = scene.wait_for_reason("adopting", "CredentialsMissing");
    assert!(message(&told).contains("to --adoption-namespaces (chart: adoption.namespaces)"), "{}", message(&told));
    assert!(scene.stop_operator(2));
    scene.start_operator(&["--default-credentials-namespaces", "*", "--adoption-namespaces", "*"]);
    scene.wait_for("adopting", "it is adopted", |object| object["status"]["clusterOrigin"] == "Adopted");
}

/// A spec for each way of bringing in what is there already, and the word for it in the refusal.
fn attaching() -> Vec<(&'static str, Value, &'static str)> {
    let pool = json!({
        "nodepool_info": {"name": "p"},
        "scaling_group": {
            "vswitch_ids": ["vsw-1"], "instance_types": ["ecs.g7.large"], "instance_charge_type": "PostPaid",
            "rds_instances": ["rm-1"],
        },
    });
    let machines = json!({"instances": ["i-1"], "format_disk": true, "keep_instance_name": false});
    vec![
        ("machines", machines, "(spec: format_disk, instances, keep_instance_name)"),
        ("databases", json!({"rds_instances": ["rm-1"]}), "(spec: rds_instances)"),
        ("pool", json!({"nodepools": [pool]}), "(spec: rds_instances in nodepools)"),
        (
            "extra",
            json!({"extraParameters": [{"name": "newer", "value": {"instances": ["i-1"]}}]}),
            "(spec: instances in extraParameters newer)",
        ),
    ]
}

fn what_is_there_already_is_attached_with_shared_keys_only_where_that_is_allowed() {
    let mut scene = with_own_keys("attach-shared");
    let own = ["--default-credentials-namespaces", "*"];
    scene.start_operator(&[&own[..], &["--attach-namespaces", "elsewhere"]].concat());
    for (name, spec, _) in attaching() {
        scene.apply(&keyless(&scene, name, spec));
    }
    for (name, _, words) in attaching() {
        let told = scene.wait_for_reason(name, "InvalidSpec");
        assert!(message(&told).contains(words), "{words}: {}", message(&told));
        assert!(message(&told).contains("to --attach-namespaces (chart: attach.namespaces)"), "{}", message(&told));
        let nothing_sealed = (&told["status"]["createIntents"], &told["metadata"]["finalizers"]);
        assert_eq!(nothing_sealed, (&Value::Null, &Value::Null));
    }
    nothing_was_sent(&scene);
    // A cluster of nothing but new machines is made meanwhile.
    scene.apply(&keyless(&scene, "plain", json!({})));
    scene.wait_for_ready("plain");
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (1, 1));
    assert!(scene.stop_operator(0));
    scene.start_operator(&[&own[..], &["--attach-namespaces", &scene.namespace.clone()]].concat());
    attached_as_written(&scene);
}

fn what_is_there_already_is_attached_with_keys_of_ones_own() {
    let mut scene = with_own_keys("attach-own");
    scene.start_operator(&["--default-credentials-namespaces", "*"]);
    for (name, spec, _) in attaching() {
        scene.apply(&object(&scene, name, spec));
    }
    attached_as_written(&scene);
}

/// Waits until all that attach something are sent, with each member as it was written.
fn attached_as_written(scene: &Scene) {
    for (name, spec, _) in attaching() {
        scene.wait_for(name, "it has a cluster", |object| object["status"]["cluster_id"].is_string());
        let made = scene.emulator.ledger().into_iter().find(|cluster| cluster.name == name).expect("a cluster");
        for (member, value) in spec.as_object().expect("members") {
            match value.pointer("/0/name").and_then(Value::as_str) {
                Some(extra) => assert_eq!(made.body[extra], value[0]["value"], "{name}"),
                None => assert_eq!(made.body[member], *value, "{name}"),
            }
        }
    }
}

fn flags_that_cannot_be_used_are_refused_at_once() {
    for (flag, value, words) in [
        ("--default-tags", "cost-centre", "write it like cost-centre=42"),
        ("--default-tags", "=42", "a key has 1 to 64 characters"),
        ("--default-tags", "ackoperator.dev/name=x", "ackoperator.dev/ is ours"),
        ("--default-tags", "acs:owner=x", "acs:"),
        ("--default-tags", "site=https://example", "https://"),
        ("--metrics-addr", "everywhere", "give ADDRESS:PORT, or off"),
        ("--default-credentials-namespaces", "team-*", "or * alone for all of them"),
        ("--adoption-namespaces", "a,Team", "give names of namespaces"),
        ("--attach-namespaces", "a-", "give names of namespaces"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ack-operator")).args(["run", flag, value]).output();
        let output = output.expect("the operator runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(words), "{flag} {value}: {told}");
    }
}
