//! Values, as Helm alone can judge them: slips are refused with their path, and every value turns something.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{CHART, FULL, helm, identity, objects, read_yaml};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("chart":
        it_is_clean_by_lint_with_default_full_and_namespaced_values,
        bad_values_are_refused_with_their_path,
        every_value_turns_something,
        a_budget_that_would_never_let_a_node_be_drained_is_refused,
        own_credentials_need_a_word_on_whom_they_serve,
        it_works_as_a_dependency,
        two_releases_in_one_cluster_do_not_collide,
        what_the_cluster_does_not_know_is_left_out_and_told,
        a_namespaced_release_has_nothing_of_the_cluster,
    )
}

/// Values of a release into one namespace by somebody who is no administrator.
pub const NAMESPACED: [&str; 3] = ["crds.enabled=false", "admissionPolicy.enabled=false", "watchNamespaces={chart-a}"];
const KNOWN: [&str; 4] = [
    "--api-versions=monitoring.coreos.com/v1/ServiceMonitor",
    "--api-versions=monitoring.coreos.com/v1/PrometheusRule",
    "--namespace=chart-a",
    "--skip-tests",
];

fn sets<'a>(values: &[&'a str]) -> Vec<&'a str> {
    values.iter().flat_map(|value| ["--set", value]).collect()
}

/// What the chart renders with `values` as its file.
fn rendered(values: &Value) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), values.to_string()).expect("a file");
    let path = file.path().to_str().expect("UTF-8");
    helm(&[&["template", "x", CHART, "--values", path][..], &KNOWN].concat())
}

fn it_is_clean_by_lint_with_default_full_and_namespaced_values() {
    for arguments in [vec![], vec!["--values", FULL], sets(&NAMESPACED)] {
        let words = helm(&[&["lint", "--strict", CHART][..], &arguments].concat());
        words.unwrap_or_else(|words| panic!("{arguments:?}: {words}"));
    }
}

fn bad_values_are_refused_with_their_path() {
    let bad = [
        (json!({"watchNamespace": "a"}), "watchNamespace"),
        (json!({"watchNamespaces": "a"}), "/watchNamespaces"),
        (json!({"watchNamespaces": ["a", "a"]}), "/watchNamespaces"),
        (json!({"watchNamespaces": ["Upper"]}), "/watchNamespaces/0"),
        (json!({"replicaCount": "1"}), "/replicaCount"),
        (json!({"replicaCount": -1}), "/replicaCount"),
        (json!({"image": "ack-operator"}), "/image"),
        (json!({"image": {"repository": ""}}), "/image/repository"),
        (json!({"image": {"repository": "ack-operator:1.0"}}), "/image/repository"),
        (json!({"image": {"tag": 1.1}}), "/image/tag"),
        (json!({"image": {"tag": "a b"}}), "/image/tag"),
        (json!({"image": {"digest": "sha256:12"}}), "/image/digest"),
        (json!({"image": {"pullPolicy": "Sometimes"}}), "/image/pullPolicy"),
        (json!({"image": {"pullSecrets": ["my-registry"]}}), "/image/pullSecrets/0"),
        (json!({"imagePullSecrets": []}), "imagePullSecrets"),
        (json!({"installation": "no blanks"}), "/installation"),
        (json!({"installation": ""}), "/installation"),
        (json!({"selector": {"track": "canary"}}), "/selector"),
        (json!({"readOnly": "yes"}), "/readOnly"),
        (json!({"credentials": {"accessKeyId": "LTAI"}}), "/credentials"),
        (json!({"credentials": {"accessKeySecret": "x"}}), "accessKeySecret"),
        (json!({"credentials": {"existingSecret": "My_Secret"}}), "/credentials/existingSecret"),
        (json!({"credentials": {"namespaces": "team-a"}}), "/credentials/namespaces"),
        (json!({"credentials": {"namespaces": ["team-*"]}}), "/credentials/namespaces/0"),
        (json!({"adoption": {"owned": "true"}}), "/adoption/owned"),
        (json!({"attach": {"namespaces": true}}), "/attach/namespaces"),
        (json!({"defaults": {"tags": {"ackoperator.dev/name": "x"}}}), "/defaults/tags"),
        (json!({"defaults": {"tags": {"a": "b,c"}}}), "/defaults/tags/a"),
        (json!({"defaults": {"tags": {"a": 1}}}), "/defaults/tags/a"),
        (
            json!({"defaults": {"tags": (0..17).map(|n| (format!("t{n}"), json!("x"))).collect::<serde_json::Map<_, _>>()}}),
            "/defaults/tags",
        ),
        (json!({"api": {"endpoint": "cs.aliyuncs.com"}}), "/api/endpoint"),
        (json!({"api": {"regionEndpoints": {"Hangzhou": "https://a"}}}), "/api/regionEndpoints"),
        (json!({"api": {"caBundle": "ca.pem"}}), "/api/caBundle"),
        (json!({"api": {"signature": "v2"}}), "/api/signature"),
        (json!({"api": {"qps": 0}}), "/api/qps"),
        (json!({"proxy": {"https": "http://user:password@proxy.example.com:3128"}}), "/proxy/https"),
        (json!({"reconcile": {"concurrency": 0}}), "/reconcile/concurrency"),
        (json!({"reconcile": {"pollIdle": 300}}), "/reconcile/pollIdle"),
        (json!({"reconcile": {"pollBusy": "soon"}}), "/reconcile/pollBusy"),
        (json!({"logging": {"format": "xml"}}), "/logging/format"),
        (json!({"crds": {"keep": "no"}}), "/crds/keep"),
        (json!({"rbac": {"clusterAdmin": true}}), "/rbac"),
        (json!({"serviceAccount": {"annotations": {"a": 1}}}), "/serviceAccount/annotations/a"),
        (json!({"metrics": {"serviceMonitor": {"interval": 30}}}), "/metrics/serviceMonitor/interval"),
        (json!({"networkPolicy": {"egressPorts": [70000]}}), "/networkPolicy/egressPorts/0"),
        (json!({"podDisruptionBudget": {"minAvailable": "half"}}), "/podDisruptionBudget/minAvailable"),
        (json!({"probes": {"liveness": {"periodSeconds": 0}}}), "/probes/liveness/periodSeconds"),
        (json!({"probes": {"liveness": {"httpGet": {}}}}), "/probes/liveness"),
        (json!({"terminationGracePeriodSeconds": "60"}), "/terminationGracePeriodSeconds"),
        (json!({"extraArgs": "--allow-http"}), "/extraArgs"),
        (json!({"extraEnv": [{"value": "x"}]}), "/extraEnv/0"),
        (json!({"tolerations": {"key": "x"}}), "/tolerations"),
    ];
    for (values, path) in &bad {
        let words = rendered(values).expect_err(&format!("{values} is taken"));
        assert!(words.contains(path), "{values}: {words}");
    }
    println!("{} bad values are refused", bad.len());
    // What the chart does not own is open.
    let open = json!({
        "global": {"anything": {"deep": 1}}, "enabled": "whatever", "affinity": {"new": {}}, "resources": {"claims": []},
        "podAnnotations": {"a/b": "c"}, "extraEnv": [{"name": "A", "valueFrom": {}}],
    });
    rendered(&open).unwrap_or_else(|words| panic!("{words}"));
}

/// The paths of all values; a mapping that is empty by default is one.
fn leaves(values: &Value, path: &str) -> Vec<String> {
    match values.as_object() {
        Some(members) if !members.is_empty() => {
            members.iter().flat_map(|(key, value)| leaves(value, &format!("{path}/{key}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}

fn every_value_turns_something() {
    let defaults = read_yaml(&format!("{}/values.yaml", CHART));
    // Some count only where another one that goes before them is not given.
    let before = [
        ("/image/tag", "/image/digest", json!("")),
        ("/podDisruptionBudget/maxUnavailable", "/podDisruptionBudget/minAvailable", json!("")),
        ("/leaderElection/enabled", "/replicaCount", json!(1)),
        ("/admissionPolicy/enabled", "/watchNamespaces", json!([])),
        ("/credentials/namespaces", "/credentials/existingSecret", json!("")),
        ("/proxy/http", "/proxy/existingSecret", json!("")),
        ("/proxy/https", "/proxy/existingSecret", json!("")),
        ("/proxy/noProxy", "/proxy/existingSecret", json!("")),
    ];
    let full = read_yaml(FULL);
    let whole = rendered(&full).unwrap_or_else(|words| panic!("{words}"));
    let known = leaves(&defaults, "");
    for path in &known {
        let mut base = full.clone();
        for (_, first, value) in before.iter().filter(|(second, ..)| second == path) {
            *base.pointer_mut(first).expect("a value") = value.clone();
        }
        if ["/leaderElection/enabled", "/replicaCount"].contains(&path.as_str()) {
            base["podDisruptionBudget"]["enabled"] = false.into();
        }
        let mut other = base.clone();
        let default = defaults.pointer(path).expect("a default").clone();
        let value = other.pointer_mut(path).unwrap_or_else(|| panic!("full.yaml lacks {path}"));
        *value = match value.as_bool() {
            Some(on) if *value == default => (!on).into(),
            _ => {
                assert_ne!(*value, default, "full.yaml has nothing of its own at {path}");
                default
            }
        };
        // Alerts come with their own file.
        if path.starts_with("/metrics/rules") && !fs::exists(format!("{}/files/alerts.yaml", CHART)).unwrap_or(false) {
            continue;
        }
        let render = |values: &Value| rendered(values).unwrap_or_else(|words| panic!("{path}: {words}"));
        let usual = (base != full).then(|| render(&base));
        assert_ne!(usual.as_ref().unwrap_or(&whole), &render(&other), "{path} turns nothing");
    }
    println!("{} values, and each turns something", known.len());
}

fn a_budget_that_would_never_let_a_node_be_drained_is_refused() {
    for (replicas, budget, refused) in [
        (1, json!({"minAvailable": 1}), true),
        (1, json!({"minAvailable": "100%"}), true),
        (1, json!({"minAvailable": "1%"}), true),
        (1, json!({"minAvailable": 0}), false),
        (1, json!({}), false),
        (2, json!({"minAvailable": 2}), true),
        (2, json!({"minAvailable": "60%"}), true),
        (2, json!({"minAvailable": "50%"}), false),
        (2, json!({"maxUnavailable": 0}), true),
        (2, json!({"maxUnavailable": "0%"}), true),
        (2, json!({"maxUnavailable": "1%"}), false),
        (0, json!({"minAvailable": 1}), false),
    ] {
        let mut values = json!({"replicaCount": replicas, "podDisruptionBudget": budget});
        values["podDisruptionBudget"]["enabled"] = true.into();
        match rendered(&values) {
            Ok(_) => assert!(!refused, "{values} is taken"),
            Err(words) => assert!(refused && words.contains("podDisruptionBudget"), "{values}: {words}"),
        }
    }
}

fn own_credentials_need_a_word_on_whom_they_serve() {
    let key = || json!([{"name": "ALIBABA_CLOUD_ACCESS_KEY_ID", "value": "x"}]);
    let flag = |names: &str| json!([format!("--default-credentials-namespaces={names}")]);
    let secret = |namespaces: Value| json!({"credentials": {"existingSecret": "keys", "namespaces": namespaces}});
    let ways = [
        (json!({"credentials": {"existingSecret": "keys"}}), "take the credentials out of credentials.existingSecret"),
        (secret(json!([])), "take the credentials out of credentials.existingSecret"),
        // As the values of a release are, which are reused by an upgrade.
        (json!({"credentials": {"existingSecret": "keys"}, "attach": null}), "credentials.existingSecret gives"),
        (json!({"extraEnv": key()}), "take the credentials out of extraEnv"),
    ];
    for (values, way) in ways {
        let words = rendered(&values).expect_err(&format!("{values} is taken"));
        for words_of in ["credentials.namespaces: ", "[team-a, team-b]", r#"["*"] lets every namespace"#, way] {
            assert!(words.contains(words_of), "{words_of}: {words}");
        }
    }
    for (values, flag) in [
        (json!({}), None),
        (secret(json!(["*"])), Some("*")),
        (secret(json!("*")), Some("*")),
        (secret(json!(["a", "b"])), Some("a,b")),
        (json!({"extraEnv": key(), "credentials": {"namespaces": ["a"]}}), Some("a")),
        (json!({"extraEnv": key(), "extraArgs": flag("a")}), Some("a")),
        (json!({"extraEnv": [{"name": "TZ", "value": "UTC"}]}), None),
    ] {
        let all = rendered(&values).unwrap_or_else(|words| panic!("{values}: {words}"));
        let flags: Vec<_> =
            all.lines().filter_map(|line| line.split_once("--default-credentials-namespaces=")).collect();
        assert_eq!(flags.iter().map(|(_, names)| *names).collect::<Vec<_>>(), Vec::from_iter(flag), "{values}");
    }
    let notes = |namespaces: &str| {
        let set = format!("credentials.existingSecret=keys,credentials.namespaces={namespaces}");
        helm(&["install", "x", CHART, "--dry-run=client", "--set", &set]).unwrap()
    };
    assert!(notes("{a,b}").contains("AckClusters in a, b may\n"));
    assert!(
        notes("{*}").contains("AckClusters in every namespace may\n") && notes("*").contains("every namespace may\n")
    );
}

fn it_works_as_a_dependency() {
    let folder = tempfile::tempdir().expect("a folder");
    let umbrella = folder.path().join("umbrella");
    for part in ["charts", "templates"] {
        fs::create_dir_all(umbrella.join(part)).expect("a folder");
    }
    fs::write(umbrella.join("templates/NOTES.txt"), "A site.").expect("a file");
    let dependency = r#"{"name": "ack-operator", "version": "*", "condition": "ack-operator.enabled"}"#;
    let definition = format!("apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies: [{dependency}]\n");
    fs::write(umbrella.join("Chart.yaml"), definition).expect("a file");
    let values = r#"{"global": {"region": "x"}, "ack-operator": {"enabled": true, "replicaCount": 2, "commonLabels": {"a": "b"}}}"#;
    fs::write(umbrella.join("values.yaml"), values).expect("a file");
    let path = umbrella.to_str().expect("UTF-8");
    let charts = umbrella.join("charts");
    helm(&["package", CHART, "--destination", charts.to_str().expect("UTF-8")]).unwrap();
    helm(&["lint", "--strict", path]).unwrap();
    let template = |more: &[&str]| helm(&[&["template", "site", path][..], more].concat());
    let whole = objects(&template(&[]).unwrap());
    let deployment = whole.iter().find(|object| object["kind"] == "Deployment").expect("a Deployment");
    assert_eq!(deployment["metadata"]["name"], "site-ack-operator");
    assert_eq!((&deployment["spec"]["replicas"], &deployment["metadata"]["labels"]["a"]), (&json!(2), &json!("b")));
    assert!(whole.iter().any(|object| object["kind"] == "CustomResourceDefinition"));
    assert!(objects(&template(&["--set", "ack-operator.enabled=false"]).unwrap()).is_empty());
    let words = template(&["--set", "ack-operator.replicas=2"]).unwrap_err();
    assert!(words.contains("ack-operator") && words.contains("replicas"), "{words}");
}

fn two_releases_in_one_cluster_do_not_collide() {
    let identities = |release: &str, namespace: &str, more: &[&str]| -> BTreeSet<String> {
        let arguments = [&["template", release, CHART, "--namespace", namespace][..], more].concat();
        objects(&helm(&arguments).unwrap()).iter().map(identity).collect()
    };
    let first = identities("ack-operator", "one", &[]);
    let watching = ["--set", "watchNamespaces={shared}"];
    for (left, right) in [
        (first.clone(), identities("ack-operator", "two", &["--set", "crds.enabled=false"])),
        (first, identities("other", "one", &["--set", "crds.enabled=false"])),
        // Both watch one namespace, where their Roles meet.
        (
            identities("ack-operator", "one", &watching),
            identities("ack-operator", "two", &[&watching[..], &["--set", "crds.enabled=false"]].concat()),
        ),
    ] {
        assert!(left.len() > 8 && right.len() > 7, "{left:?} {right:?}");
        let both: Vec<_> = left.intersection(&right).collect();
        assert!(both.is_empty(), "{both:?}");
    }
}

fn what_the_cluster_does_not_know_is_left_out_and_told() {
    let set = ["--set", "metrics.serviceMonitor.enabled=true"];
    let kinds = |more: &[&str]| -> Vec<String> {
        let all = helm(&[&["template", "x", CHART][..], &set, more].concat()).unwrap();
        objects(&all).iter().map(|object| object["kind"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert!(!kinds(&[]).contains(&"ServiceMonitor".into()));
    assert!(kinds(&KNOWN[..1]).contains(&"ServiceMonitor".into()));
    let notes = |more: &[&str]| {
        let all = helm(&[&["install", "x", CHART, "--dry-run=client"][..], more].concat()).unwrap();
        all.split_once("NOTES:").expect("NOTES").1.to_owned()
    };
    let said = notes(&set);
    assert!(said.contains("Left out: the ServiceMonitor"), "{said}");
    let plain = notes(&[]);
    assert!(!plain.contains("Left out"), "{plain}");
    for words in ["rollout status", "test x", "kubectl create secret", "CredentialsMissing", "kind: AckCluster"] {
        assert!(plain.contains(words), "{words}: {plain}");
    }
    assert!(plain.contains("kubectl wait --for=condition=Ready"), "{plain}");
}

fn a_namespaced_release_has_nothing_of_the_cluster() {
    let arguments = [vec!["template", "x", CHART, "--namespace", "chart-a"], sets(&NAMESPACED)].concat();
    for object in objects(&helm(&arguments).unwrap()) {
        assert!(object["metadata"]["namespace"].is_string(), "{}", identity(&object));
    }
    // An administrator who narrows an installation keeps the one right that is not of a namespace.
    let arguments = ["template", "x", CHART, "--set", "watchNamespaces={a,b}"];
    let all = objects(&helm(&arguments).unwrap());
    let count = |kind: &str| all.iter().filter(|object| object["kind"] == kind).count();
    assert_eq!((count("Role"), count("RoleBinding"), count("ClusterRoleBinding")), (2, 2, 1));
}
