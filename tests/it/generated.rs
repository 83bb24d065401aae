//! What is generated is what the code says: `cargo test generated` checks, `UPDATE=1 cargo test generated` writes.

use std::fs;

use ack_operator::api;
use libtest_mimic::{Failed, Trial};

use crate::chart::{CHART, helm};
use crate::support::repository;

/// Pages for users that are made from the code's own descriptions.
mod reference;

/// A file of the repository, and the text that belongs into it.
type Made = (&'static str, fn() -> Result<String, Failed>);

const FILES: [Made; 6] = [
    ("crds/ackclusters.yaml", definition),
    ("charts/ack-operator/files/ackclusters.yaml", definition),
    ("deploy/kustomize/install.yaml", install),
    ("docs/reference/fields.md", reference::fields),
    ("docs/reference/conditions.md", reference::conditions),
    ("docs/reference/settings.md", reference::settings),
];

/// The API server takes no object above this size in one request from `kubectl apply` with its annotation.
const LIMIT: usize = 262_144;

pub fn tests() -> Vec<Trial> {
    let files = FILES.map(|(path, make)| {
        Trial::test(format!("generated::{path} is what the code says"), move || check(path, &make()?))
    });
    let size = Trial::test("generated::the_CRD_stays_below_the_size_that_kubectl_apply_can_carry", size);
    files.into_iter().chain([size]).collect()
}

fn check(path: &str, want: &str) -> Result<(), Failed> {
    let file = repository().join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap_or(repository()))?;
        fs::write(&file, want)?;
    }
    match fs::read_to_string(&file) {
        Ok(text) if text == want => Ok(()),
        _ => Err(format!("{path} is out of date; run: UPDATE=1 cargo test generated").into()),
    }
}

fn definition() -> Result<String, Failed> {
    Ok(serde_saphyr::to_string(&api::crd())?)
}

/// The release `ack-operator` with default values, and the namespace that Helm would not render.
fn install() -> Result<String, Failed> {
    check("charts/ack-operator/files/ackclusters.yaml", &definition()?)?;
    let release = ["template", "ack-operator", CHART, "--namespace", "ack-operator-system", "--skip-tests"];
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ack-operator-system\n";
    Ok(format!("{namespace}{}", helm(&release)?))
}

fn size() -> Result<(), Failed> {
    let size = definition()?.len();
    println!("crds/ackclusters.yaml: {size} bytes of {LIMIT}");
    if size < LIMIT { Ok(()) } else { Err(format!("{size} bytes, {LIMIT} is the limit").into()) }
}
