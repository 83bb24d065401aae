//! What is generated is what the code says: `cargo test generated` checks, `UPDATE=1 cargo test generated` writes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ack_operator::api;
use libtest_mimic::{Failed, Trial};

use crate::chart::{CHART, helm};
use crate::support::repository;

/// Pages for users that are made from the code's own descriptions.
mod reference;

/// A file of the repository, and the text that belongs into it.
type Made = (&'static str, fn() -> Result<String, Failed>);

const COPY: &str = "charts/ack-operator/files/ackclusters.yaml";

const FILES: [Made; 6] = [
    ("crds/ackclusters.yaml", definition),
    (COPY, definition),
    ("deploy/kustomize/install.yaml", manifest),
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

/// Whether a file of the repository holds what the code makes of it. With UPDATE set it is written first.
pub fn check(path: impl AsRef<Path>, want: &str) -> Result<(), Failed> {
    let file = repository().join(&path);
    match fs::read_to_string(&file) {
        Ok(text) if text == want => Ok(()),
        _ if std::env::var_os("UPDATE").is_some() => {
            let folder = file.parent().unwrap_or(repository());
            fs::create_dir_all(folder)?;
            // Whole or not at all: helm may be reading it.
            let whole = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(whole.path(), want)?;
            fs::set_permissions(whole.path(), fs::Permissions::from_mode(0o644))?;
            whole.persist(&file)?;
            Ok(())
        }
        _ => Err(format!("{} is out of date; run: UPDATE=1 cargo test generated", path.as_ref().display()).into()),
    }
}

fn definition() -> Result<String, Failed> {
    Ok(serde_saphyr::to_string(&api::crd())?)
}

/// The release `ack-operator` with default values, and the namespace that Helm would not render.
fn manifest() -> Result<String, Failed> {
    check(COPY, &definition()?)?;
    let release = ["template", "ack-operator", CHART, "--namespace", "ack-operator-system", "--skip-tests"];
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ack-operator-system\n";
    Ok(format!("{namespace}{}", helm(&release)?))
}

fn size() -> Result<(), Failed> {
    let size = definition()?.len();
    println!("crds/ackclusters.yaml: {size} bytes of {LIMIT}");
    if size < LIMIT { Ok(()) } else { Err(format!("{size} bytes, {LIMIT} is the limit").into()) }
}
