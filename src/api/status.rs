//! The status of an AckCluster: what the operator knows, and what it wrote down before it acted. ACK's words keep ACK's
//! names; the operator's own are camelCase. Data and conversions; nothing here decides or writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::spec::EndpointAccess;
use crate::terms::{Class, Intent, Nonce, Outcome, Region, Site, reckonable};

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

/// Key of the intent that makes the cluster itself in `createIntents`.
pub const CLUSTER_INTENT: &str = "cluster";

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
    /// When the deletion protection was first seen on in the cloud: only a later word of the spec may lift it.
    #[serde(rename = "protectionSeen")]
    pub protection_seen: Option<ProtectionSeen>,
    /// The kubeconfig that was last published.
    #[serde(rename = "kubeconfigSecretRef")]
    pub kubeconfig_secret_ref: Option<PublishedKubeconfig>,
    /// Digests of what was last applied, by field, for fields that ACK does not show back.
    #[serde(rename = "appliedHash")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 64}))]
    pub applied_hash: Option<BTreeMap<String, String>>,
    /// What was sealed before something was made that must not be made twice.
    #[serde(rename = "createIntents", default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    #[schemars(length(max = 64))]
    pub create_intents: Vec<CreateIntent>,
}

fn unobserved() -> Option<i64> {
    Some(-1)
}

/// The moment at which the deletion protection was first seen on in the cloud.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionSeen {
    /// Generation of the spec at that time.
    pub generation: i64,
    /// Whether the object was being deleted by then.
    pub going: bool,
    /// What the spec said of the protection by then.
    pub word: Option<bool>,
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

/// What was written down before CreateCluster was called (DESIGN: the sealed intent). Times are RFC 3339, gateway time.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CreateIntent {
    /// What it makes: `cluster`.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// Counted from 1; never used twice for one uid.
    #[schemars(range(min = 1))]
    pub attempt: i64,
    /// 40 hex digits; also the value of the intent tag in the cloud.
    #[schemars(length(max = 64))]
    pub nonce: String,
    /// Date under which the request is signed.
    #[schemars(length(max = 64))]
    pub date: String,
    /// A list begun before this proves no absence.
    #[schemars(length(max = 64))]
    pub believe_after: String,
    /// Account in which it was sent.
    #[schemars(length(max = 64))]
    pub account: String,
    /// Region to which it was sent.
    #[schemars(length(max = 63))]
    pub region: String,
    /// Name of the cluster that it makes.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Digest of the spec that it was made from.
    #[schemars(length(max = 64))]
    pub spec_hash: String,
    /// The try that sealed it; only that one may send.
    #[schemars(length(max = 64))]
    pub sealer: String,
    /// The installation that it was sealed for.
    #[schemars(length(max = 63))]
    pub installation: String,
    /// `Open`, `Made`, `Refused`, `Absent` or `Unsent`.
    #[schemars(extend("enum" = ["Open", "Made", "Refused", "Absent", "Unsent"]))]
    pub outcome: String,
    /// Class of the refusal.
    #[schemars(length(max = 32))]
    pub outcome_class: Option<String>,
    /// When the outcome was recorded; absent while it is open or was never sent.
    #[schemars(length(max = 64))]
    pub outcome_at: Option<String>,
    /// What ACK said where it refused.
    #[schemars(length(max = 512))]
    pub outcome_message: Option<String>,
}

/// A stored intent that cannot be read. Nothing may be sent or concluded from it: a person must look at the status.
#[derive(Debug, thiserror::Error)]
pub enum IntentError {
    #[error("createIntents `{key}`: {member} holds `{value}`, which is no time")]
    Time {
        key: String,
        member: &'static str,
        value: String,
        #[source]
        source: jiff::Error,
    },
    #[error("createIntents `{key}`: {member} holds `{value}`, which cannot be")]
    Far { key: String, member: &'static str, value: String },
    #[error("createIntents `{key}`: attempt {attempt} is out of range")]
    Attempt { key: String, attempt: i64 },
    #[error("createIntents `{key}`: `{region}` is no region")]
    Region { key: String, region: String },
    #[error("createIntents `{key}`: outcome `{outcome}` is not known, or lacks outcomeAt")]
    Outcome { key: String, outcome: String },
    #[error("createIntents `{key}`: {member} is empty")]
    Empty { key: String, member: &'static str },
}

impl CreateIntent {
    /// The stored form of `intent`. The other members are left empty for the caller to fill:
    /// `CreateIntent { name, spec_hash, sealer, installation, ..CreateIntent::of(key, &intent) }`.
    pub fn of(key: &str, intent: &Intent) -> CreateIntent {
        let Intent { attempt, nonce, date, believe_after, site: Site { account, region }, outcome } = intent;
        let mut stored = CreateIntent {
            key: key.to_owned(),
            attempt: i64::from(*attempt),
            nonce: nonce.to_string(),
            date: date.to_string(),
            believe_after: believe_after.to_string(),
            account: account.to_string(),
            region: region.to_string(),
            ..CreateIntent::default()
        };
        stored.record(*outcome);
        stored
    }

    /// Writes what became of the request.
    pub fn record(&mut self, outcome: Outcome) {
        let (class, at) = match outcome {
            Outcome::Open | Outcome::Made | Outcome::Unsent => (None, None),
            Outcome::Refused { class, at } => (Some(class), Some(at)),
            Outcome::Absent { at } => (None, Some(at)),
        };
        self.outcome = outcome.word().to_owned();
        self.outcome_class = class.map(|class| class.word().to_owned());
        self.outcome_at = at.map(|at| at.to_string());
    }

    fn time(&self, member: &'static str, value: &str) -> Result<Timestamp, IntentError> {
        let (key, text) = (|| self.key.clone(), || value.to_owned());
        let time = value.parse().map_err(|source| IntentError::Time { key: key(), member, value: text(), source })?;
        if reckonable(time) { Ok(time) } else { Err(IntentError::Far { key: key(), member, value: text() }) }
    }
}

impl TryFrom<&CreateIntent> for Intent {
    type Error = IntentError;

    fn try_from(stored: &CreateIntent) -> Result<Intent, IntentError> {
        let key = || stored.key.clone();
        for (member, value) in [("nonce", &stored.nonce), ("account", &stored.account)] {
            if value.is_empty() {
                return Err(IntentError::Empty { key: key(), member });
            }
        }
        let at = stored.outcome_at.as_deref().map(|at| stored.time("outcomeAt", at)).transpose()?;
        let outcome = match (stored.outcome.as_str(), at) {
            ("Open", _) => Outcome::Open,
            ("Made", _) => Outcome::Made,
            ("Unsent", _) => Outcome::Unsent,
            ("Absent", Some(at)) => Outcome::Absent { at },
            ("Refused", Some(at)) => {
                Outcome::Refused { class: Class::from_word(stored.outcome_class.as_deref().unwrap_or_default()), at }
            }
            (outcome, _) => return Err(IntentError::Outcome { key: key(), outcome: outcome.to_owned() }),
        };
        Ok(Intent {
            attempt: u32::try_from(stored.attempt)
                .ok()
                .filter(|attempt| *attempt > 0)
                .ok_or_else(|| IntentError::Attempt { key: key(), attempt: stored.attempt })?,
            nonce: Nonce::from(stored.nonce.as_str()),
            date: stored.time("date", &stored.date)?,
            believe_after: stored.time("believeAfter", &stored.believe_after)?,
            site: Site {
                account: stored.account.as_str().into(),
                region: Region::parse(&stored.region)
                    .ok_or_else(|| IntentError::Region { key: key(), region: stored.region.clone() })?,
            },
            outcome,
        })
    }
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
    fn a_time_that_cannot_be_reckoned_with_is_none() {
        let stored = CreateIntent::of("cluster", &intent(Outcome::Open));
        for far in ["9999-12-30T21:59:59Z", "-009999-01-02T01:59:59Z"] {
            let stored = CreateIntent { date: far.into(), ..stored.clone() };
            assert!(matches!(Intent::try_from(&stored), Err(IntentError::Far { .. })), "{far}");
        }
    }

    fn intent(outcome: Outcome) -> Intent {
        Intent {
            attempt: 3,
            nonce: "4f".into(),
            date: "2026-11-24T10:00:00Z".parse().unwrap(),
            believe_after: "2026-11-24T10:21:00Z".parse().unwrap(),
            site: Site { account: "1234".into(), region: "cn-hangzhou".into() },
            outcome,
        }
    }

    #[test]
    fn a_stored_intent_reads_back_as_it_was() {
        let at = "2026-11-24T10:30:00Z".parse().unwrap();
        for outcome in [
            Outcome::Open,
            Outcome::Made,
            Outcome::Unsent,
            Outcome::Absent { at },
            Outcome::Refused { class: Class::Quota, at },
            Outcome::Refused { class: Class::Unknown, at },
        ] {
            let intent = intent(outcome);
            let stored = CreateIntent::of(CLUSTER_INTENT, &intent);
            let json = serde_json::to_value(&stored).unwrap();
            let back: CreateIntent = serde_json::from_value(json).unwrap();
            assert_eq!(Intent::try_from(&back).unwrap(), intent);
        }
    }

    #[test]
    fn a_broken_intent_is_refused_with_the_member_that_is_broken() {
        let whole = CreateIntent::of(CLUSTER_INTENT, &intent(Outcome::Open));
        for (broken, want) in [
            (CreateIntent { date: "yesterday".into(), ..whole.clone() }, "date holds `yesterday`"),
            (CreateIntent { attempt: 0, ..whole.clone() }, "attempt 0"),
            (CreateIntent { region: "moon".into(), ..whole.clone() }, "`moon` is no region"),
            (CreateIntent { nonce: String::new(), ..whole.clone() }, "nonce is empty"),
            (CreateIntent { outcome: "Refused".into(), ..whole.clone() }, "outcome `Refused`"),
            (CreateIntent { outcome: "Maybe".into(), ..whole.clone() }, "outcome `Maybe`"),
        ] {
            let error = Intent::try_from(&broken).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn an_empty_status_is_written_as_nothing_but_what_is_known() {
        assert_eq!(serde_json::to_value(AckClusterStatus::default()).unwrap(), serde_json::json!({}));
        let known = AckClusterStatus { spec_locked: Some(true), region_id: Some("cn-x".into()), ..Default::default() };
        assert_eq!(serde_json::to_value(known).unwrap(), serde_json::json!({"specLocked": true, "regionId": "cn-x"}));
    }
}
