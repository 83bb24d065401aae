//! What is generated is what the code says: `cargo test generated` checks, `UPDATE=1 cargo test generated` writes.

use std::path::Path;

use ack_operator::api;
use libtest_mimic::{Failed, Trial};

use crate::chart::{CHART, helm};

const PATHS: [&str; 2] = ["crds/ackclusters.yaml", "charts/ack-operator/files/ackclusters.yaml"];

/// The API server takes no object above this size in one request from `kubectl apply` with its annotation.
const LIMIT: usize = 262_144;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test(
            "generated::the_CRD_is_the_one_that_the_types_make_and_the_plain_manifest_is_what_the_chart_renders",
            files,
        ),
        Trial::test("generated::the_CRD_stays_below_the_size_that_kubectl_apply_can_carry", size),
    ]
}

fn yaml() -> Result<String, Failed> {
    Ok(serde_saphyr::to_string(&api::crd())?)
}

fn files() -> Result<(), Failed> {
    let want = yaml()?;
    PATHS.iter().try_for_each(|path| holds(path, &want))?;
    // The release `ack-operator` with default values, and the namespace that Helm would not render.
    let release = ["template", "ack-operator", CHART, "--namespace", "ack-operator-system", "--skip-tests"];
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ack-operator-system\n";
    holds("deploy/kustomize/install.yaml", &format!("{namespace}{}", helm(&release)?))
}

/// The file is `want`; with `UPDATE` it becomes so.
fn holds(path: &str, want: &str) -> Result<(), Failed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        std::fs::write(&file, want)?;
    }
    if std::fs::read_to_string(&file).unwrap_or_default() != want {
        return Err(format!("{path} is out of date; run: UPDATE=1 cargo test generated").into());
    }
    Ok(())
}

fn size() -> Result<(), Failed> {
    let size = yaml()?.len();
    println!("crds/ackclusters.yaml: {size} bytes of {LIMIT}");
    if size < LIMIT { Ok(()) } else { Err(format!("{size} bytes, {LIMIT} is the limit").into()) }
}
