//! Policies of the API server itself, on the real one, with a user's rights and with the operator's: the chart's own, in a
//! form that is bound to namespaces of these tests, and the samples for platform teams.

use std::process::Output;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::chart::{CHART, helm};
use crate::cluster::{id, object};
use crate::support::{Scene, repository, shared};
use crate::trials;

/// The platform teams' samples.
mod samples;

pub fn tests() -> Vec<Trial> {
    let mut trials = trials!("admission":
        only_a_protected_object_with_a_cluster_that_goes_with_it_is_refused,
        what_is_old_open_or_doubtful_is_warned_about_once,
        our_definition_goes_only_with_a_second_word,
        a_user_hears_no_at_once_lifts_and_deletes_again,
        a_namespace_that_holds_a_protected_cluster_stays_and_says_why,
    );
    trials.extend(samples::tests());
    trials
}

const SENTENCE: &str = "spec.deletion_protection is true";

/// The chart's policies, bound to the namespace of this scene and in force.
fn install(scene: &Scene) {
    let watching = format!("watchNamespaces={{{}}}", scene.namespace);
    let parts = ["protect", "definition", "warn"].map(|part| format!("--show-only=templates/admission-{part}.yaml"));
    let arguments = ["template", "policies", CHART, "--namespace", &scene.namespace, "--set", &watching];
    let arguments: Vec<_> = arguments.into_iter().chain(parts.iter().map(String::as_str)).collect();
    let policies = helm(&arguments).unwrap_or_else(|words| panic!("{words}"));
    shared().plane.apply(&policies).unwrap_or_else(|error| panic!("{}", error.sentence()));
    let probe = object(scene, "probe", json!({"custom_san": "a.example.com"}));
    scene.until("the policies are in force", || (!dry(scene, &probe, &[]).1.is_empty()).then_some(()));
}

/// Somebody who may edit this scene's namespace, and nothing else.
fn person(scene: &Scene) -> String {
    scene.start_controllers();
    scene.kubectl(&["create", "serviceaccount", "person"]);
    let account = format!("--serviceaccount={}:person", scene.namespace);
    scene.kubectl(&["create", "rolebinding", "edits", "--clusterrole=edit", &account]);
    let person = format!("--as=system:serviceaccount:{}:person", scene.namespace);
    // `edit` takes in what the chart adds to it moments after the controllers have begun.
    scene.until("the person may delete AckClusters", || {
        let arguments = ["auth", "can-i", "delete", "ackclusters", "--namespace", &scene.namespace, &person];
        shared().plane.run_kubectl(&arguments).ok()
    });
    person
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn kubectl(scene: &Scene, arguments: &[&str]) -> Output {
    let mut command = shared().plane.kubectl();
    command.args(["--namespace", &scene.namespace]).args(arguments).output().expect("kubectl runs")
}

/// The words of a deletion that is not carried out, and whether it would be.
fn delete(scene: &Scene, name: &str, arguments: &[&str]) -> Result<(), String> {
    let output = kubectl(scene, &[&["delete", "ack", name, "--wait=false"], arguments].concat());
    if output.status.success() { Ok(()) } else { Err(words(&output.stderr)) }
}

/// Whether a dry run of applying `object` succeeds, and what it warns of or complains about.
fn dry(scene: &Scene, object: &Value, arguments: &[&str]) -> (bool, Vec<String>) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), object.to_string()).expect("a file");
    let path = file.path().to_str().expect("UTF-8");
    let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", path];
    let output = kubectl(scene, &[&apply[..], arguments].concat());
    (output.status.success(), words(&output.stderr).lines().map(str::to_owned).collect())
}

fn only_a_protected_object_with_a_cluster_that_goes_with_it_is_refused() {
    let scene = Scene::new("admission-table");
    install(&scene);
    let person = person(&scene);
    let intent = |outcome: &str| {
        let mut intent =
            json!({"key": "cluster", "attempt": 1, "outcome": outcome, "outcomeAt": "2026-01-01T00:00:00Z"});
        for member in
            ["account", "believeAfter", "date", "installation", "name", "nonce", "region", "sealer", "specHash"]
        {
            intent[member] = "x".into();
        }
        json!({"createIntents": [intent]})
    };
    let made = json!({"cluster_id": "c1", "clusterOrigin": "Created"});
    let adopted = json!({"cluster_id": "c1", "clusterOrigin": "Adopted"});
    let on = json!({"deletion_protection": true});
    let with = |member: &str, value: &str| json!({"deletion_protection": true, member: value});
    let cases = [
        ("made", on.clone(), made.clone(), Some("its cluster c1")),
        ("sealed", on.clone(), intent("Open"), Some("the cluster that is being made")),
        ("unsaid-origin", on.clone(), json!({"cluster_id": "c1"}), Some("c1")),
        ("explicit", with("deletionPolicy", "Delete"), made.clone(), Some("c1")),
        ("adopted-to-delete", with("deletionPolicy", "Delete"), adopted.clone(), Some("c1")),
        ("new", on.clone(), json!({}), None),
        ("refused", on.clone(), intent("Refused"), None),
        ("absent", on.clone(), intent("Absent"), None),
        ("kept", with("deletionPolicy", "Retain"), made.clone(), None),
        ("adopted", on.clone(), adopted.clone(), None),
        ("adopting", with("adoptClusterId", "c1"), json!({"cluster_id": "c1"}), None),
        ("lifted", json!({"deletion_protection": false}), made.clone(), None),
        ("silent", json!({}), made.clone(), None),
    ];
    for (name, spec, status, _) in &cases {
        scene.apply(&object(&scene, name, spec.clone()));
        scene.merge_status(name, json!({"status": status}));
    }
    for (name, spec, status, refused) in &cases {
        for who in [&[&*person, "--dry-run=server"][..], &["--dry-run=server"]] {
            match (delete(&scene, name, who), refused) {
                (Ok(()), None) => {}
                (Err(words), Some(part)) => {
                    assert!(words.contains(SENTENCE) && words.contains(part) && words.contains("Retain"), "{words}");
                    let cure = format!("kubectl -n {} patch ackcluster {name} --type merge", scene.namespace);
                    assert!(words.contains(&cure), "{words}");
                }
                (outcome, _) => panic!("{name}: {spec} {status}: {outcome:?}"),
            }
        }
    }
    // All at once is refused too, and takes those that may go.
    let output = kubectl(&scene, &["delete", "ack", "--all", "--wait=false"]);
    assert!(!output.status.success() && words(&output.stderr).contains(SENTENCE));
    for (name, _, _, refused) in &cases {
        assert_eq!(scene.get(name).is_some(), refused.is_some(), "{name}");
    }
}

fn what_is_old_open_or_doubtful_is_warned_about_once() {
    let scene = Scene::new("admission-warns");
    install(&scene);
    let person = person(&scene);
    let workers = json!({
        "num_of_nodes": 1, "worker_instance_types": ["ecs.g6.large"], "key_pair": "mine",
        "worker_instance_charge_type": "PostPaid",
    });
    let with = |mut spec: Value, member: &str, value: Value| {
        spec[member] = value;
        spec
    };
    let mut repaired = pool(json!({"instance_types": ["ecs.g6.large"], "desired_size": 1}));
    repaired["nodepools"][0]["management"] = json!({"enable": true});
    for (spec, expected) in [
        (json!({}), &[][..]),
        (pool(json!({"instance_types": ["ecs.g6.large"], "desired_size": 1})), &[]),
        (pool(json!({"login_password": "Hello1234"})), &["secretValues"]),
        (pool(json!({"instance_charge_type": "PrePaid", "period": 1, "period_unit": "Month"})), &["outlive"]),
        (
            workers.clone(),
            &[
                "sent as the node pool default-nodepool; in brackets what replaces it in nodepools[]: num_of_nodes (scaling_group.desired_size), worker_instance_types",
            ],
        ),
        (with(workers.clone(), "workerFields", "Verbatim".into()), &["ignores or refuses it since"]),
        (json!({"runtime": {"name": "containerd"}}), &["ignores or refuses it since"]),
        (with(workers.clone(), "workerFields", "AsNodePool".into()), &[]),
        (
            json!({"num_of_nodes": 1, "worker_instance_types": ["ecs.g6.large"], "login_password": "Hello1234"}),
            &["secretValues", "login_password (scaling_group.login_password)"],
        ),
        (
            [
                ("worker_instance_charge_type", json!("PrePaid")),
                ("worker_period", json!(1)),
                ("worker_period_unit", json!("Month")),
            ]
            .into_iter()
            .fold(with(workers.clone(), "workerFields", "AsNodePool".into()), |spec, (k, v)| with(spec, k, v)),
            &["outlive"],
        ),
        (with(workers.clone(), "rds_instances", json!(["rm-1"])), &["rds_instances (scaling_group.rds_instances)"]),
        (json!({"custom_san": "a.example.com"}), &["custom_san (extra_sans)"]),
        (json!({"disable_rollback": true, "timeout_mins": 60}), &["disable_rollback (none: "]),
        (
            with(workers.clone(), "instances", json!(["i-1"])),
            &["num_of_nodes (", "instances (attach", "one or the other"],
        ),
        (json!({"pod_vswitch_ids": ["vsw-1"]}), &["pod_vswitch_ids (PodVswitchId in", "is for Terway"]),
        (repaired.clone(), &["ack-node-problem-detector"]),
        (with(repaired, "addons", json!([{"name": "flannel"}, {"name": "ack-node-problem-detector"}])), &[]),
    ] {
        let (taken, warnings) = dry(&scene, &object(&scene, "warned", spec.clone()), &[&person]);
        assert!(taken, "{spec}: {warnings:#?}");
        assert_eq!(warnings.len(), expected.len(), "{spec}: {warnings:#?}");
        for part in expected {
            assert!(warnings.iter().any(|warning| warning.contains(part)), "{spec}: {part}: {warnings:#?}");
        }
    }
    // What is stored warns again only where its spec is changed, and never the operator.
    scene.apply(&object(&scene, "stored", json!({"custom_san": "a.example.com"})));
    let operator = format!("--kubeconfig={}", shared().operator_kubeconfig.display());
    for (who, patch, warned) in [
        (&*person, json!({"spec": {"timezone": "Asia/Shanghai"}}), true),
        (&*person, json!({"metadata": {"labels": {"a": "b"}}}), false),
        (&*operator, json!({"metadata": {"finalizers": ["ackoperator.dev/cluster"]}}), false),
    ] {
        let output = kubectl(&scene, &["patch", "ack", "stored", "--type=merge", who, "-p", &patch.to_string()]);
        assert!(output.status.success(), "{patch}: {}", words(&output.stderr));
        assert_eq!(words(&output.stderr).contains("extra_sans"), warned, "{patch}: {}", words(&output.stderr));
    }
}

fn our_definition_goes_only_with_a_second_word() {
    let scene = Scene::new("admission-crd");
    install(&scene);
    let definition = "crd/ackclusters.ackoperator.dev";
    let delete = || kubectl(&scene, &["delete", definition, "--dry-run=server"]);
    let refused = delete();
    assert!(
        !refused.status.success() && words(&refused.stderr).contains("deletes every AckCluster of every namespace")
    );
    for (word, taken) in [("false", false), ("true", true)] {
        scene.kubectl(&["annotate", definition, "--overwrite", &format!("ackoperator.dev/allow-delete={word}")]);
        assert_eq!(delete().status.success(), taken, "{word}");
    }
    scene.kubectl(&["annotate", definition, "ackoperator.dev/allow-delete-"]);
    assert!(!delete().status.success());
}

fn a_user_hears_no_at_once_lifts_and_deletes_again() {
    let scene = Scene::with_operator("admission-life");
    install(&scene);
    let person = person(&scene);
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": true})));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    let words = delete(&scene, "demo", &[&person]).expect_err("it is protected");
    assert!(words.contains(SENTENCE) && words.contains(&cluster), "{words}");
    assert!(scene.get("demo").expect("it stays")["metadata"]["deletionTimestamp"].is_null(), "it is not even marked");
    let lift = r#"--patch={"spec":{"deletion_protection":false}}"#;
    assert!(kubectl(&scene, &["patch", "ackcluster", "demo", "--type=merge", lift, &person]).status.success());
    delete(&scene, "demo", &[&person]).expect("it may go now");
    scene.wait_until_gone("demo");
    assert!(scene.emulator.ledger().iter().all(|cluster| !cluster.deleted.is_empty()));
}

fn a_namespace_that_holds_a_protected_cluster_stays_and_says_why() {
    let scene = Scene::with_operator("admission-ends");
    install(&scene);
    scene.start_controllers();
    scene.apply(&object(&scene, "demo", json!({"deletion_protection": true})));
    scene.wait_for_reason("demo", "Running");
    scene.kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"]);
    let name = format!("namespace/{}", scene.namespace);
    scene.until("the namespace says why it stays", || {
        let namespace: Value = serde_json::from_str(&scene.kubectl(&["get", &name, "-o", "json"])).ok()?;
        namespace["status"]["conditions"].to_string().contains(SENTENCE).then_some(())
    });
    assert!(scene.get("demo").expect("it stays")["metadata"]["deletionTimestamp"].is_null(), "it is not even marked");
    assert_eq!(scene.calls("DeleteCluster"), 0);
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.wait_until_gone("demo");
    let gone = || scene.kubectl(&["get", &name, "--ignore-not-found", "--output=name"]).is_empty().then_some(());
    scene.until("the namespace is gone", gone);
    assert!(scene.emulator.ledger().iter().all(|cluster| !cluster.deleted.is_empty()));
}

/// The spec of one node pool: what each needs, and these members of its group.
fn pool(group: Value) -> Value {
    let mut whole =
        json!({"instance_types": ["ecs.g6.large"], "instance_charge_type": "PostPaid", "vswitch_ids": ["vsw-1"]});
    for (member, value) in group.as_object().into_iter().flatten() {
        whole[member] = value.clone();
    }
    json!({"nodepools": [{"nodepool_info": {"name": "a"}, "scaling_group": whole}]})
}

/// A file of examples/policies.
fn sample(name: &str) -> String {
    let path = repository().join("examples/policies").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
