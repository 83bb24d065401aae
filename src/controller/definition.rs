//! Whether the API server keeps what this operator writes. A CustomResourceDefinition that is older than the operator
//! drops members of a status in silence, and a seal that is not stored seals nothing. Reads the definition, never writes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use kube::{Client, CustomResourceExt, Resource};
use serde_json::Value;

use super::secrets::unread;
use super::store::within;
use crate::api::{self, AckCluster};
use crate::decide::Trouble;
use crate::terms::{Class, Reason};

/// How many members a message names.
const NAMED: usize = 4;

/// The last answer. A good one holds until the API server shows otherwise.
#[derive(Default)]
pub(super) struct Definition(Mutex<Option<(Instant, Result<(), Trouble>)>>);

impl Definition {
    /// `Ok` where every member of a status that this operator writes is kept. Asked again every `interval` until it is.
    pub async fn keeps(&self, client: &Client, interval: Duration) -> Result<(), Trouble> {
        if let Some((asked, answer)) = self.0.lock().expect("definition").as_ref()
            && (answer.is_ok() || asked.elapsed() < interval)
        {
            return answer.clone();
        }
        let answer = look(client).await;
        *self.0.lock().expect("definition") = Some((Instant::now(), answer.clone()));
        answer
    }

    /// A write came back without what was written: whatever was known of the definition is out of date.
    pub fn dropped(&self, member: &str) -> Trouble {
        *self.0.lock().expect("definition") = None;
        outdated(&[member.to_owned()])
    }
}

async fn look(client: &Client) -> Result<(), Trouble> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = AckCluster::crd_name();
    let served = match within(definitions.get(name)).await {
        Ok(served) => served,
        // Then it shows only when a seal comes back without what was written.
        Err(error) if error.is_forbidden() => {
            tracing::warn!("the operator may not read the CustomResourceDefinition {name}; grant it `get`");
            return Ok(());
        }
        Err(error) => return Err(unread(&error, &format!("the CustomResourceDefinition {name}"))),
    };
    let lost = lost(&status(&api::crd()), &status(&served), "status");
    if lost.is_empty() { Ok(()) } else { Err(outdated(&lost)) }
}

fn outdated(lost: &[String]) -> Trouble {
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = lost[..lost.len().min(NAMED)].join(", ");
    let note = format!(
        "the API server drops {named}{more}: its CustomResourceDefinition is not the one of this operator. Nothing is \
         asked of ACK before that is mended: ack-operator crd | kubectl apply --server-side -f -"
    );
    Trouble { class: Class::Permission, reason: Some(Reason::DefinitionOutdated), note: note.into(), wait: None }
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
        let ours = status(&api::crd());
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
