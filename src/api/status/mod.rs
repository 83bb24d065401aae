//! The status of an AckCluster: what the operator knows, and what it wrote down before it acted. ACK's words keep ACK's
//! names; the operator's own are camelCase. Data and conversions; nothing here decides or writes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::spec::EndpointAccess;

mod intent;
mod request;

pub use intent::{CLUSTER_INTENT, CreateIntent, IntentError};
pub use request::Request;

/// The types of conditions. `Ready` and `Synced` are there from the first pass on, the others only while True.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// The cluster serves. Its reason is the most urgent one whatever its status.
    Ready,
    /// The cloud is as the spec says.
    Synced,
    /// The operator is at work, or waits for something that comes by itself.
    Reconciling,
    /// A person must act.
    Stalled,
}

impl ConditionType {
    pub const ALL: [ConditionType; 4] =
        [ConditionType::Ready, ConditionType::Synced, ConditionType::Reconciling, ConditionType::Stalled];

    /// The word in `conditions[].type`.
    pub fn word(self) -> &'static str {
        match self {
            ConditionType::Ready => "Ready",
            ConditionType::Synced => "Synced",
            ConditionType::Reconciling => "Reconciling",
            ConditionType::Stalled => "Stalled",
        }
    }
}

/// What is known of the cluster, and what was written down before it was made.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AckClusterStatus {
    /// Generation of the spec that the conditions speak of; -1 before the first pass.
    #[serde(rename = "observedGeneration", default = "unobserved")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Synced` and, while True, `Reconciling` and `Stalled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,

    /// Id of the cluster in ACK.
    #[schemars(length(max = 128))]
    pub cluster_id: Option<String>,
    /// Last task of ACK for this cluster.
    #[schemars(length(max = 256))]
    pub task_id: Option<String>,
    /// Request id of the call that made the cluster; ACK's support asks for it.
    #[schemars(length(max = 128))]
    pub request_id: Option<String>,
    /// State of the cluster in ACK's word, such as `running`.
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// Kubernetes version that the control plane runs.
    #[schemars(length(max = 64))]
    pub current_version: Option<String>,
    /// Number of nodes.
    pub size: Option<i64>,
    /// Public address of the API server.
    #[schemars(length(max = 1024))]
    pub api_server_endpoint: Option<String>,
    /// Address of the API server inside the VPC.
    #[schemars(length(max = 1024))]
    pub intranet_api_server_endpoint: Option<String>,

    /// Region in which the cluster was made or adopted.
    #[serde(rename = "regionId")]
    #[schemars(length(max = 63))]
    pub region_id: Option<String>,
    /// Account in which the cluster was made or adopted; other credentials change nothing.
    #[serde(rename = "accountId")]
    #[schemars(length(max = 64))]
    pub account_id: Option<String>,
    /// While true, fields that ACK cannot change on a living cluster are refused by the API server.
    #[serde(rename = "specLocked")]
    pub spec_locked: Option<bool>,
    /// Whether this object made the cluster or adopted it. Written once.
    #[serde(rename = "clusterOrigin")]
    pub cluster_origin: Option<ClusterOrigin>,
    /// How far ACK's task is.
    #[serde(rename = "taskStage")]
    pub task_stage: Option<TaskStage>,
    /// What the spec says of the deletion protection since it was first seen on in the cloud: only a word that was given after
    /// that may lift it.
    #[serde(rename = "protectionSeen")]
    pub protection_seen: Option<ProtectionSeen>,
    /// This object's mark, once ACK has shown it on the cluster: before that nothing is changed, published or deleted.
    #[serde(rename = "markSeen")]
    #[schemars(length(max = 64))]
    pub mark_seen: Option<String>,
    /// What was asked of ACK for the cluster, written down before it was asked: so nothing is asked for again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    #[schemars(length(max = 96))]
    pub changes: Vec<Request>,
    /// The kubeconfig that was last published.
    #[serde(rename = "kubeconfigSecretRef")]
    pub kubeconfig_secret_ref: Option<PublishedKubeconfig>,
    /// Digests of what was last applied, by field, for fields that ACK does not show back.
    #[serde(rename = "appliedHash")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 64}))]
    pub applied_hash: Option<BTreeMap<String, String>>,
    /// Digest of the object and of what ACK's list shows of its cluster, while there is nothing left to do: an operator that
    /// starts and finds both the same need not read the cluster.
    #[schemars(length(max = 64))]
    pub settled: Option<String>,
    /// What was sealed before something was made that must not be made twice.
    #[serde(rename = "createIntents", default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    #[schemars(length(max = 64))]
    pub create_intents: Vec<CreateIntent>,
}

fn unobserved() -> Option<i64> {
    Some(-1)
}

/// What the spec says of the deletion protection since it was first seen on in the cloud.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionSeen {
    /// Generation of the spec when that word was first seen.
    pub generation: i64,
    /// What the spec says; absent while it is silent.
    pub word: Option<bool>,
    /// Whether that word was given after the protection was first seen on.
    pub changed: Option<bool>,
}

/// A kubeconfig that was published.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PublishedKubeconfig {
    /// Name of the Secret.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Which address of the API server it holds.
    pub endpoint_access: EndpointAccess,
    /// That address.
    #[schemars(length(max = 1024))]
    pub server_url: String,
    /// When its certificate ends.
    #[schemars(length(max = 64))]
    pub expires_at: String,
    /// When it is renewed.
    #[schemars(length(max = 64))]
    pub renew_at: String,
}

/// Where the cluster comes from.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClusterOrigin {
    Created,
    Adopted,
}

/// How far ACK's task is.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskStage {
    /// Stages done.
    pub done: i64,
    /// Stages in all.
    pub total: i64,
    /// What ACK says that it does.
    #[schemars(length(max = 512))]
    pub message: String,
}

impl AckClusterStatus {
    /// The stored intent under `key`.
    pub fn intent(&self, key: &str) -> Option<&CreateIntent> {
        self.create_intents.iter().find(|intent| intent.key == key)
    }

    /// The condition of this type.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == kind.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_status_is_written_as_nothing_but_what_is_known() {
        assert_eq!(serde_json::to_value(AckClusterStatus::default()).unwrap(), serde_json::json!({}));
        let known = AckClusterStatus { spec_locked: Some(true), region_id: Some("cn-x".into()), ..Default::default() };
        assert_eq!(serde_json::to_value(known).unwrap(), serde_json::json!({"specLocked": true, "regionId": "cn-x"}));
    }
}
