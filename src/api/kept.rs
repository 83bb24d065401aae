//! What of a status a CustomResourceDefinition keeps. One that is older than the operator drops members in silence. Pure.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Resource;
use serde_json::Value;

use super::{AckCluster, crd};

/// The members of a status that this operator writes and an API server with the definition `served` drops.
pub fn dropped_by(served: &CustomResourceDefinition) -> Vec<String> {
    lost(&status(&crd()), &status(served), "status")
}

/// The schema of the status, `null` where this version has none.
fn status(crd: &CustomResourceDefinition) -> Value {
    let ours = AckCluster::version(&());
    let version = crd.spec.versions.iter().find(|version| version.name == ours && version.served);
    let schema = version.and_then(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let properties = schema.and_then(|schema| schema.properties.as_ref());
    properties.and_then(|properties| serde_json::to_value(properties.get("status")?).ok()).unwrap_or_default()
}

/// The members of `ours` that an object stored under `served` does not keep.
fn lost(ours: &Value, served: &Value, path: &str) -> Vec<String> {
    if served["x-kubernetes-preserve-unknown-fields"] == true {
        return vec![];
    }
    if served.is_null() {
        return vec![path.to_owned()];
    }
    let mut found = vec![];
    for (name, member) in ours["properties"].as_object().into_iter().flatten() {
        found.extend(lost(member, &served["properties"][name], &format!("{path}.{name}")));
    }
    for (part, shown) in [("items", "[]"), ("additionalProperties", ".*")] {
        if !ours[part].is_null() {
            found.extend(lost(&ours[part], &served[part], &format!("{path}{shown}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_an_older_schema_drops_are_named() {
        let ours = status(&crd());
        assert_eq!(lost(&ours, &ours, "status"), Vec::<String>::new());
        assert_eq!(lost(&ours, &Value::Null, "status"), ["status"]);
        assert!(lost(&ours, &json!({"x-kubernetes-preserve-unknown-fields": true}), "status").is_empty());
        let mut older = ours.clone();
        let properties = older["properties"].as_object_mut().unwrap();
        properties.remove("appliedHash");
        properties["createIntents"]["items"]["properties"].as_object_mut().unwrap().remove("sealer");
        assert_eq!(lost(&ours, &older, "status"), ["status.appliedHash", "status.createIntents[].sealer"]);
    }
}
