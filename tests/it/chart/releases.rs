//! Releases over time, on a control plane of their own, since they change the definition that others use.

use std::sync::Arc;

use ::playground::ControlPlane;
use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{CHART, helm};
use crate::cluster::{id, living};
use crate::support::{RUNTIME, Scene, Shared, repository};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("chart": an_upgrade_from_the_first_chart_loses_nothing_and_a_definition_that_goes_takes_no_cluster)
}

const SYSTEM: &str = "ack-operator-system";
const DEFINITION: &str = "crd/ackclusters.ackoperator.dev";

/// A control plane with releases made by Helm.
struct Cluster(Arc<Shared>);

impl Cluster {
    fn start() -> Cluster {
        let shared = RUNTIME.block_on(async {
            let plane = ControlPlane::start().await?;
            let (operator_kubeconfig, client) = (plane.dir().join("operator.kubeconfig"), plane.client().await?);
            Ok::<_, ::playground::Error>(Shared { plane, operator_kubeconfig, client })
        });
        Cluster(Arc::new(shared.unwrap_or_else(|error| panic!("{}", error.sentence()))))
    }

    fn helm(&self, namespace: &str, arguments: &[&str]) {
        let kubeconfig = self.0.plane.kubeconfig().display().to_string();
        let more = ["--kubeconfig", &kubeconfig, "--namespace", namespace];
        helm(&[arguments, &more[..]].concat()).unwrap_or_else(|words| panic!("{arguments:?}: {words}"));
    }

    /// What operators of this scene are from now on.
    fn rights(&self, namespace: &str, account: &str) {
        let path = self.0.operator_kubeconfig.clone();
        self.0.plane.kubeconfig_of(namespace, account, path).unwrap_or_else(|error| panic!("{}", error.sentence()));
    }

    fn get(&self, what: &[&str]) -> Value {
        let arguments = [&["get", "-o", "json"][..], what].concat();
        let text = self.0.plane.run_kubectl(&arguments).unwrap_or_else(|error| panic!("{}", error.sentence()));
        serde_json::from_str(&text).expect("JSON")
    }

    fn knows_kubeconfigs(&self) -> bool {
        let version = &self.get(&[DEFINITION])["spec"]["versions"][0];
        version.pointer("/schema/openAPIV3Schema/properties/spec/properties/kubeconfigSecretRef").is_some()
    }
}

fn an_upgrade_from_the_first_chart_loses_nothing_and_a_definition_that_goes_takes_no_cluster() {
    let cluster = Cluster::start();
    let mut scene = Scene::on(cluster.0.clone(), "chart-releases", &[(ACCESS_SECRET, Key::default())]);
    upgraded(&cluster, &mut scene);
    definition_goes(&cluster, &mut scene);
}

/// From the first chart to this one, off and on again, with a cluster that runs.
fn upgraded(cluster: &Cluster, scene: &mut Scene) {
    let first = repository().join("tests/data/first-chart").display().to_string();
    let uid = |object: &Value| object["metadata"]["uid"].clone();
    let deployment = || uid(&cluster.get(&["deployment", "ack-operator", "-n", SYSTEM]));
    cluster.helm(SYSTEM, &["install", "ack-operator", &first, "--create-namespace"]);
    let (definition, pods) = (uid(&cluster.get(&[DEFINITION])), deployment());
    assert!(!cluster.knows_kubeconfigs());

    // The first operator is not at hand, so this one makes the cluster, and then the first definition is put back.
    cluster.helm(SYSTEM, &["upgrade", "ack-operator", CHART]);
    cluster.rights(SYSTEM, "ack-operator");
    scene.start_operator(&[]);
    scene.apply(&scene.smallest("demo"));
    let before = scene.wait_for_reason("demo", "Running");
    scene.kill_operator(0);
    cluster.helm(SYSTEM, &["upgrade", "ack-operator", &first, "--reset-values"]);
    assert!(!cluster.knows_kubeconfigs());

    cluster.helm(SYSTEM, &["upgrade", "ack-operator", CHART, "--reset-values"]);
    assert!(cluster.knows_kubeconfigs(), "the definition is upgraded with the release");
    let live = |scene: &Scene| {
        let (looks, mut object) = (scene.calls("DescribeClusterDetail"), Value::Null);
        scene.annotate("demo", "reconcile-at", &looks.to_string());
        scene.until("the cluster is looked at", || (scene.calls("DescribeClusterDetail") > looks).then_some(()));
        object.clone_from(&scene.wait_for_reason("demo", "Running"));
        for path in ["/metadata/uid", "/spec", "/status/cluster_id", "/status/createIntents", "/metadata/finalizers"] {
            assert_eq!(object.pointer(path), before.pointer(path), "{path}");
        }
        assert_eq!((uid(&cluster.get(&[DEFINITION])), living(scene).len()), (definition.clone(), 1));
        assert_eq!(
            (scene.calls("CreateCluster"), scene.calls("ModifyCluster"), scene.calls("DeleteCluster")),
            (1, 0, 0)
        );
    };
    cluster.rights(SYSTEM, "ack-operator");
    scene.start_operator(&[]);
    live(scene);
    assert_eq!(deployment(), pods, "not made anew");
    scene.kill_operator(1);

    cluster.helm(SYSTEM, &["uninstall", "ack-operator"]);
    assert_eq!(id(&scene.get("demo").expect("the object stays")), id(&before));
    cluster.helm(SYSTEM, &["install", "ack-operator", CHART]);
    cluster.rights(SYSTEM, "ack-operator");
    scene.start_operator(&[]);
    live(scene);
    scene.kill_operator(2);
}

/// Before the eyes of an operator that may not even read the definition.
fn definition_goes(cluster: &Cluster, scene: &mut Scene) {
    let namespace = scene.namespace.clone();
    let watching = format!("crds.enabled=false,admissionPolicy.enabled=false,watchNamespaces={{{namespace}}}");
    cluster.helm(&namespace, &["install", "mine", CHART, "--set", &watching]);
    cluster.rights(&namespace, "mine-ack-operator");
    scene.start_operator(&[]);
    let plane = &cluster.0.plane;
    let refused =
        plane.run_kubectl(&["delete", DEFINITION, "--wait=false"]).expect_err("the policy of the other release");
    assert!(refused.sentence().contains("allow-delete"), "{}", refused.sentence());
    let kubectl =
        |arguments: &[&str]| plane.run_kubectl(arguments).unwrap_or_else(|error| panic!("{}", error.sentence()));
    kubectl(&["annotate", DEFINITION, "ackoperator.dev/allow-delete=true"]);
    // The policy may have the definition from its own cache for a moment.
    scene.until("the definition may go", || plane.run_kubectl(&["delete", DEFINITION, "--wait=false"]).ok());
    let held = scene.wait_for_reason("demo", "DeletionHeld");
    assert_eq!((scene.calls("DeleteCluster"), living(scene).len()), (0, 1));
    scene.merge("demo", json!({"metadata": {"annotations": {"ackoperator.dev/confirm-delete": id(&held)}}}));
    scene.until("the cluster goes", || living(scene).is_empty().then_some(()));
    scene.until("the definition goes", || {
        let left = plane.run_kubectl(&["get", DEFINITION, "--ignore-not-found", "-o", "name"]);
        left.is_ok_and(|left| left.is_empty()).then_some(())
    });
}
