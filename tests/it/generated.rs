//! What is generated is what the code says: `cargo test generated` checks, `UPDATE=1 cargo test generated` writes.

use std::path::Path;

use ack_operator::api;
use libtest_mimic::{Failed, Trial};

const PATHS: [&str; 2] = ["crds/ackclusters.yaml", "charts/ack-operator/files/ackclusters.yaml"];

/// The API server takes no object above this size in one request from `kubectl apply` with its annotation.
const LIMIT: usize = 262_144;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("generated::the_CRD_in_the_repository_and_in_the_chart_is_the_one_that_the_types_make", files),
        Trial::test("generated::the_CRD_stays_below_the_size_that_kubectl_apply_can_carry", size),
    ]
}

fn yaml() -> Result<String, Failed> {
    Ok(serde_saphyr::to_string(&api::crd())?)
}

fn files() -> Result<(), Failed> {
    let want = yaml()?;
    PATHS.into_iter().try_for_each(|path| hold(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &want))
}

/// Whether `file` holds what the code makes of it. With UPDATE set it is written first.
pub fn hold(file: &Path, want: &str) -> Result<(), Failed> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        std::fs::write(file, want)?;
    }
    if std::fs::read_to_string(file).unwrap_or_default() != want {
        return Err(format!("{} is out of date; run: UPDATE=1 cargo test generated", file.display()).into());
    }
    Ok(())
}

fn size() -> Result<(), Failed> {
    let size = yaml()?.len();
    println!("crds/ackclusters.yaml: {size} bytes of {LIMIT}");
    if size < LIMIT { Ok(()) } else { Err(format!("{size} bytes, {LIMIT} is the limit").into()) }
}
