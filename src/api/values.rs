//! Small types that members of the spec share: text that `Debug` must not show, numbers that ACK writes as strings,
//! free JSON. They hold and describe values; they never judge them.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A number that ACK writes as a string (`node_cidr_mask`, ack-api g.15): taken as either, sent as a string.
pub type NumberOrText = k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Text that may be secret. It serialises plainly, because the object holds it plainly and ACK must get it, but
/// `Debug` shows nothing of it, so that no log line of a whole spec can carry it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Masked(pub String);

impl Masked {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[masked]")
    }
}

/// The schema of a [`NumberOrText`]; the bound keeps rules over it cheap.
pub(super) fn number_or_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 5 })
}

/// An object whose members are ACK's business alone.
pub(super) fn free_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// A list of objects whose members are ACK's business alone.
pub(super) fn free_objects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 10,
        "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true }
    })
}

/// Any JSON value.
pub(super) fn free_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_a_masked_text() {
        assert_eq!(format!("{:?}", Masked("Hello1234".into())), "[masked]");
        assert_eq!(serde_json::to_value(Masked("Hello1234".into())).unwrap(), "Hello1234");
    }
}
