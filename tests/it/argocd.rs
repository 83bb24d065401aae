//! Argo CD's view of an AckCluster: the bundle in deploy/argocd, run in a Lua as closed as Argo CD's, over real objects
//! and over every status that the operator can write. Argo CD itself is tried by `make e2e-argocd`.

use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::repository;

/// What is generated from the scripts: the ConfigMap patch, the Helm values.
mod bundle;
/// What GitOps tools need of us: no foreign writes, no differences.
mod contract;
/// Real objects in each state, kept as fixtures.
mod fixtures;
/// Every status that can be written, and the health and kstatus that it means.
pub mod health;
/// A Lua as closed as Argo CD's.
mod lua;

pub fn pure() -> Vec<Trial> {
    [bundle::tests(), health::tests(), fixtures::pure()].into_iter().flatten().collect()
}

pub fn tests() -> Vec<Trial> {
    [fixtures::tests(), contract::tests()].into_iter().flatten().collect()
}

pub use contract::afterwards;
pub use fixtures::{STATES, fixture};

/// A file of the bundle.
fn bundled(path: &str) -> PathBuf {
    repository().join("deploy/argocd").join(path)
}

/// A file of the scripts for AckCluster, in upstream's layout.
fn customization(path: &str) -> PathBuf {
    bundled("resource_customizations/ackoperator.dev/AckCluster").join(path)
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_yaml(path: PathBuf) -> Value {
    let text = read(path.clone());
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).expect("YAML")
}

/// `{status, message}` as Argo CD shows it from 3.6 on.
fn health_of(object: &Value) -> Value {
    lua::run(&read(customization("health.lua")), object).unwrap_or_else(|error| panic!("{error}\n{object:#}"))
}
