//! What of an object cannot be read, where all of it cannot. Names members and never what they hold: a password written
//! as a number must not get into a log by the error that complains of it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{AckClusterSpec, AckClusterStatus};

/// The members of `spec` and `status` that do not have the type that they must have, as `spec.addons`; empty where all is
/// well. An absent status is fine, an absent spec is not.
pub fn misfits(spec: &Value, status: &Value) -> Vec<String> {
    let least = json!({"region_id": "", "cluster_type": "ManagedKubernetes"});
    let mut found = part::<AckClusterSpec>("spec", spec, least);
    if !status.is_null() {
        found.extend(part::<AckClusterStatus>("status", status, json!({})));
    }
    found
}

/// Tries each member beside the least that a `T` must have.
fn part<T: DeserializeOwned>(name: &str, value: &Value, least: Value) -> Vec<String> {
    let fits = |value: &Value| T::deserialize(value).is_ok();
    if fits(value) {
        return vec![];
    }
    let none = Map::new();
    let misfit = |(member, value): (&String, &Value)| {
        let mut object = least.clone();
        object[member] = value.clone();
        (!fits(&object)).then(|| format!("{name}.{member}"))
    };
    let found: Vec<_> = value.as_object().unwrap_or(&none).iter().filter_map(misfit).collect();
    if found.is_empty() { vec![name.to_owned()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misfits_are_named_and_never_shown() {
        let well = json!({"region_id": "cn-x", "cluster_type": "ManagedKubernetes", "unknown": 1});
        for (spec, status, wanted) in [
            (well.clone(), Value::Null, vec![]),
            (well.clone(), json!({"conditions": []}), vec![]),
            (
                json!({"region_id": "cn-x", "cluster_type": "ManagedKubernetes", "login_password": 12345678, "tags": {}}),
                Value::Null,
                vec!["spec.login_password", "spec.tags"],
            ),
            (json!({"region_id": "cn-x"}), Value::Null, vec!["spec"]),
            (Value::Null, Value::Null, vec!["spec"]),
            (
                well,
                json!({"createIntents": [{"key": "cluster"}], "size": "two"}),
                vec!["status.createIntents", "status.size"],
            ),
        ] {
            assert_eq!(misfits(&spec, &status), wanted, "{spec} {status}");
        }
    }
}
