//! What the command line offers beside running the operator. Changes nothing, neither here nor in the cloud.

mod doctor;
mod rights;

pub use doctor::{Check, Outcome, Patient, doctor};
pub use rights::{For, Place, RIGHTS, Right};

use crate::api;

/// The CustomResourceDefinition as YAML, the same bytes as in `crds/`.
pub fn crd() -> String {
    serde_saphyr::to_string(&api::crd()).expect("a definition of plain data serialises")
}
