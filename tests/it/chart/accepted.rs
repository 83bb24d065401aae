//! What the API server takes: every object that the chart can render, and its pods at the level `restricted`.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::values::NAMESPACED;
use super::{CHART, FULL, helm, identity, objects, pod};
use crate::support::shared;
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("chart": every_object_is_accepted_and_every_pod_is_restricted)
}

fn every_object_is_accepted_and_every_pod_is_restricted() {
    let plane = &shared().plane;
    let admit =
        |object: &Value| plane.apply(&object.to_string()).unwrap_or_else(|error| panic!("{}", error.sentence()));
    for namespace in ["chart-a", "chart-b"] {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let metadata = json!({"name": namespace, "labels": labels});
        admit(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
    }
    // Pods are taken only where their ServiceAccount is there.
    for name in ["ack-operator", "my-operator"] {
        admit(
            &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "chart-a"}}),
        );
    }
    for kind in ["ServiceMonitor", "PrometheusRule"] {
        admit(&foreign(kind));
        let name = format!("crd/{}s.monitoring.coreos.com", kind.to_lowercase());
        plane.run_kubectl(&["wait", "--for=condition=Established", "--timeout=30s", &name]).expect("it is served");
    }
    let dry = |object: &Value| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), object.to_string()).expect("a file");
        let path = file.path().to_str().expect("UTF-8");
        let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", path];
        plane.run_kubectl(&apply).map_err(|error| error.sentence())
    };
    let namespaced: Vec<_> = NAMESPACED.iter().flat_map(|value| ["--set", value]).collect();
    let known =
        ["ServiceMonitor", "PrometheusRule"].map(|kind| format!("--api-versions=monitoring.coreos.com/v1/{kind}"));
    let (mut accepted, mut pods) = (0, 0);
    for values in [vec![], vec!["--values", FULL], namespaced, vec!["--set", "replicaCount=2,crds.keep=false"]] {
        let first = ["template", "ack-operator", CHART, "--namespace=chart-a", &known[0], &known[1]];
        for object in objects(&helm(&[&first[..], &values].concat()).unwrap()) {
            dry(&object).unwrap_or_else(|words| panic!("{}: {words}", identity(&object)));
            accepted += 1;
            if object["kind"] == "Deployment" {
                dry(&pod(&object)).unwrap_or_else(|words| panic!("the pod: {words}"));
                pods += 1;
            }
            pods += usize::from(object["kind"] == "Pod");
        }
    }
    println!("{accepted} objects are accepted, {pods} pods are restricted");
    assert_eq!(pods, 8, "the operator's and the doctor's, for each set of values");
    let root = json!({"name": "c", "image": "x", "securityContext": {"runAsUser": 0}});
    let lax = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lax", "namespace": "chart-a"},
        "spec": {"serviceAccountName": "ack-operator", "containers": [root]},
    });
    assert!(dry(&lax).unwrap_err().contains("restricted"), "the level is enforced");
}

/// A kind of the Prometheus operator that takes anything.
fn foreign(kind: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced", "versions": [version],
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
        },
    })
}
