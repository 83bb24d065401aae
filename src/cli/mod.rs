//! What the command line offers beside running the operator. Reads nothing from the cloud.

use crate::api;

/// The CustomResourceDefinition as YAML, the same bytes as in `crds/`.
pub fn crd() -> String {
    serde_saphyr::to_string(&api::crd()).expect("a definition of plain data serialises")
}
