//! The chart as Helm and a real API server see it. Cheapest first: what Helm alone can judge, what the API server takes,
//! and whole lives of releases. Nothing here runs a pod; the operator runs as a process with the release's rights.

use std::process::Command;
use std::sync::LazyLock;
use std::{fs, path::PathBuf};

use ::playground::access::run;
use ::playground::tools::{Tool, Toolbox};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// What the API server takes, and at which level of pod security.
mod accepted;
/// Releases over time: upgrade from the first chart, uninstall, a definition that goes.
mod releases;
/// Rights: somebody who is no administrator, and nothing granted that is not used.
mod rights;
/// Values: what is refused, and what each of them turns.
mod values;

/// What needs no API server.
pub fn pure() -> Vec<Trial> {
    values::tests()
}

pub fn tests() -> Vec<Trial> {
    [accepted::tests(), releases::tests(), rights::tests()].into_iter().flatten().collect()
}

static HELM: LazyLock<PathBuf> = LazyLock::new(|| match Toolbox::default().ready([Tool::Helm]) {
    Ok([helm]) => helm,
    Err(error) => panic!("helm, which this test needs, is not there: {}", error.sentence()),
});

/// Runs helm; the words of a failure are the error.
pub fn helm(arguments: &[&str]) -> Result<String, String> {
    run(Command::new(&*HELM).args(arguments).env_remove("KUBECONFIG"), None).map_err(|error| error.sentence())
}

pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/ack-operator");
/// Another value for each that the chart has.
const FULL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/chart/full.yaml");

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn read_yaml(path: &str) -> Value {
    yaml(&fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// The objects of what helm rendered.
pub fn objects(manifests: &str) -> Vec<Value> {
    let documents = manifests.split("\n---").map(|document| document.trim_start_matches("---"));
    let content = |line: &str| !line.is_empty() && !line.starts_with('#');
    documents.filter(|document| document.lines().any(content)).map(yaml).collect()
}

/// `kind namespace/name`.
fn identity(object: &Value) -> String {
    let (kind, metadata) = (&object["kind"], &object["metadata"]);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}/{}", word(kind), word(&metadata["namespace"]), word(&metadata["name"]))
}

/// A pod as the Deployment would make it.
fn pod(deployment: &Value) -> Value {
    let template = &deployment["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = "from-the-template".into();
    metadata["namespace"] = deployment["metadata"]["namespace"].clone();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}
