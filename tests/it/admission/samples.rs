//! The samples of examples/policies, each applied as it stands and tried from both sides.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{dry, kubectl, pool, sample, words};
use crate::cluster::object;
use crate::support::{Scene, shared};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("admission":
        the_samples_for_platform_teams_bound_regions_types_and_nodes,
        a_quota_bounds_the_number_of_clusters_of_a_namespace,
    )
}

fn the_samples_for_platform_teams_bound_regions_types_and_nodes() {
    let scene = Scene::new("admission-samples");
    // An object from before the policies, which no policy would take now.
    let scaling = |most: u32| {
        let mut spec = pool(json!({"instance_types": ["ecs.g6.large"]}));
        spec["nodepools"][0]["auto_scaling"] = json!({"enable": true, "min_instances": 0, "max_instances": most});
        spec
    };
    scene.apply(&object(&scene, "older", json!({"region_id": "cn-beijing"})));
    for name in ["allowed-regions.yaml", "allowed-types.yaml", "node-count.yaml"] {
        shared().plane.apply(&sample(name)).unwrap_or_else(|error| panic!("{}", error.sentence()));
    }
    let namespace = format!("namespace/{}", scene.namespace);
    scene.kubectl(&["label", &namespace, "platform.example.com/ack=limited"]);
    scene.kubectl(&["annotate", &namespace, "platform.example.com/ack-nodes=3"]);
    let refused = |spec: &Value, part: &str| {
        let (taken, words) = dry(&scene, &object(&scene, "sample", spec.clone()), &[]);
        (!taken && words.iter().any(|line| line.contains(part))).then_some(()).ok_or(words)
    };
    let bad = [
        (json!({"region_id": "cn-beijing"}), "region_id is one of cn-hangzhou, cn-shanghai here"),
        (json!({"cluster_spec": "ack.pro.4xlarge"}), "cluster_spec is one of ack.standard, ack.pro.small here"),
        (
            json!({"num_of_nodes": 1, "key_pair": "mine", "worker_instance_types": ["ecs.g6.large", "ecs.gn7.large"]}),
            "machines are of the families ecs.g6.*, ecs.g7.*, ecs.c7.* here, not ecs.gn7.large",
        ),
        (pool(json!({"instance_types": ["ecs.gn7.large"]})), "not ecs.gn7.large"),
        (pool(json!({"instance_types": ["ecs.g6.large"], "desired_size": 4})), "up to 4 nodes are asked for"),
        (scaling(9), "up to 9 nodes are asked for"),
        (
            json!({"num_of_nodes": 4, "key_pair": "mine", "worker_instance_types": ["ecs.g6.large"]}),
            "up to 4 nodes are asked for, and an AckCluster of this namespace may have 3",
        ),
    ];
    for (spec, part) in &bad[..] {
        let last = std::cell::RefCell::new(vec![]);
        // Labels and policies come into force moments after they are written.
        crate::support::eventually(
            &format!("{spec} is refused"),
            crate::support::DEADLINE,
            || refused(spec, part).map_err(|words| last.replace(words)).ok(),
            || format!("{:#?}", last.borrow()),
        );
    }
    for spec in [
        json!({}),
        json!({"region_id": "cn-shanghai", "cluster_spec": "ack.pro.small"}),
        pool(json!({"instance_types": ["ecs.g6.large"], "desired_size": 3})),
        scaling(3),
    ] {
        let (taken, words) = dry(&scene, &object(&scene, "sample", spec.clone()), &[]);
        assert!(taken, "{spec}: {words:#?}");
    }
    // What was there before is served all the same: the operator's patches are taken.
    let operator = format!("--kubeconfig={}", shared().operator_kubeconfig.display());
    let finalizer = r#"--patch={"metadata":{"finalizers":["ackoperator.dev/cluster"]}}"#;
    let output = kubectl(&scene, &["patch", "ack", "older", "--type=merge", finalizer, &operator]);
    assert!(output.status.success(), "{}", words(&output.stderr));
}

fn a_quota_bounds_the_number_of_clusters_of_a_namespace() {
    let scene = Scene::new("admission-quota");
    kubectl(&scene, &["apply", "-f", "examples/policies/quota.yaml"]);
    // The controller that counts what was there before does not run here; from zero on the API server counts by itself.
    let counted = r#"--patch={"status":{"hard":{"count/ackclusters.ackoperator.dev":"2"},"used":{"count/ackclusters.ackoperator.dev":"0"}}}"#;
    scene.kubectl(&["patch", "resourcequota", "ack-clusters", "--subresource=status", "--type=merge", counted]);
    scene.until("the quota is in force", || {
        let quota = scene.kubectl(&["get", "resourcequota", "ack-clusters", "-o", "jsonpath={.status.hard}"]);
        quota.contains('2').then_some(())
    });
    let mut refused = None;
    // A quota's cache may be a moment behind the first ones.
    for number in 0..20 {
        match scene.try_apply(&scene.smallest(&format!("demo-{number}"))) {
            Ok(_) => {}
            Err(words) => {
                refused = Some(words);
                break;
            }
        }
    }
    let words = refused.expect("no more than two are taken");
    assert!(words.contains("exceeded quota: ack-clusters"), "{words}");
}
