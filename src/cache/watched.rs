//! What is kept of each AckCluster that is watched: what a queue, a metric or another object's pass asks about it. All else is
//! skipped while it is read, in a loop that no depth ends, and nothing that a user can write makes the reading fail: one
//! object that cannot be understood must not hide all others in the same list.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::de::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::lenient::{Lenient, Many, Text, Whole};
use crate::api::{AckCluster, CLUSTER_INTENT, ConditionType, FINALIZER};
use crate::sight::{Group, Me, Recorded};
use crate::terms::{AccountId, Nonce, Outcome, Region};

/// An AckCluster, as far as it is kept. What is absent or of another type than it should be is `None`.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Name, namespace, uid, resourceVersion and generation only.
    meta: ObjectMeta,
    pub edition: Edition,
    /// Carries the operator's finalizer.
    pub held: bool,
    pub region: String,
    /// The Secret with its credentials.
    pub secret: Option<String>,
    pub adopts: Option<String>,
    /// A resource group is named in the spec.
    grouped: bool,
    pub cluster_id: Option<String>,
    pub account: Option<String>,
    pub place: Option<String>,
    created: bool,
    pub intent: Option<Intent>,
    /// ACK's word for the cluster's state.
    pub state: Option<String>,
    /// By what another process knew that there is nothing to do.
    pub settled: Option<String>,
    /// When the published kubeconfig must be checked next; long ago where none is published. `None`: the spec names none.
    pub renew: Option<Timestamp>,
    /// The reason of `Stalled` while that is true.
    pub stalled: Option<String>,
}

/// What is kept of the intent to create the cluster.
#[derive(Clone, Debug)]
pub struct Intent {
    pub installation: String,
    pub attempt: u32,
    pub nonce: String,
    /// What it made is not known yet.
    pub open: bool,
    group: Option<String>,
}

/// A digest of what people wrote: another one after each edit of spec, annotations or finalizers, and after the deletion was
/// asked for; the same after a write of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edition(u64);

impl Edition {
    /// Of an object that was read whole.
    pub fn of(object: &AckCluster) -> Edition {
        let annotations = object.annotations().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let finalizers = object.finalizers().iter().map(String::as_str);
        let going = object.metadata.deletion_timestamp.is_some();
        Edition::new(object.metadata.generation, annotations, finalizers, going)
    }

    fn new<'a>(
        generation: Option<i64>,
        annotations: impl Iterator<Item = (&'a str, &'a str)>,
        finalizers: impl Iterator<Item = &'a str>,
        going: bool,
    ) -> Edition {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        };
        annotations.for_each(|(key, value)| {
            add(key);
            add(value);
        });
        add("");
        finalizers.for_each(add);
        digest.update(generation.unwrap_or_default().to_le_bytes());
        digest.update([u8::from(going)]);
        let bytes = digest.finalize();
        Edition(bytes.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

impl Watched {
    /// The cluster that this object records, for those who find it in a list.
    pub fn recorded(&self) -> Option<Recorded> {
        Some(Recorded {
            uid: self.uid()?,
            name: format!("{}/{}", self.namespace().unwrap_or_default(), self.name_any()),
            id: self.cluster_id.as_deref()?.into(),
            account: self.account.as_deref().map(AccountId::from),
            region: self.place.as_deref().map(Region::from),
            group: match self.intent.as_ref().filter(|_| self.created).map(|intent| &intent.group) {
                Some(Some(group)) => Group::Named(group.clone()),
                // An earlier version did not write it down.
                Some(None) if self.grouped => Group::Unknown,
                Some(None) => Group::Default,
                None => Group::Unknown,
            },
        })
    }
}

impl Watched {
    /// Who the object is in the cloud.
    pub fn me(&self, installation: &str) -> Me {
        let nonce = self.intent.as_ref().map(|intent| Nonce::from(intent.nonce.as_str()));
        let stored = self.intent.as_ref().zip(nonce.as_ref());
        let stored = stored.map(|(intent, nonce)| (intent.installation.as_str(), intent.attempt, nonce));
        let (uid, namespace) = (self.uid().unwrap_or_default(), self.namespace().unwrap_or_default());
        Me::new(&uid, installation, &namespace, &self.name_any(), stored)
    }
}

impl Resource for Watched {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        AckCluster::kind(&())
    }
    fn group((): &()) -> Cow<'_, str> {
        AckCluster::group(&())
    }
    fn version((): &()) -> Cow<'_, str> {
        AckCluster::version(&())
    }
    fn plural((): &()) -> Cow<'_, str> {
        AckCluster::plural(&())
    }
    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

/// The members that are read, named as they are stored.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Stored {
    metadata: Lenient<Meta>,
    spec: Lenient<Spec>,
    status: Lenient<Status>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    name: Text,
    namespace: Text,
    uid: Text,
    resource_version: Text,
    generation: Whole,
    deletion_timestamp: Text,
    annotations: Lenient<BTreeMap<String, Text>>,
    finalizers: Many<Text>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Spec {
    region_id: Text,
    resource_group_id: Text,
    #[serde(rename = "adoptClusterId")]
    adopts: Text,
    #[serde(rename = "credentialsRef")]
    credentials: Lenient<Reference>,
    #[serde(rename = "kubeconfigSecretRef")]
    kubeconfig: Lenient<Reference>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Reference {
    name: Text,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    #[serde(rename = "cluster_id")]
    cluster_id: Text,
    account_id: Text,
    region_id: Text,
    cluster_origin: Text,
    state: Text,
    settled: Text,
    kubeconfig_secret_ref: Lenient<Published>,
    conditions: Many<Lenient<Condition>>,
    create_intents: Many<Lenient<StoredIntent>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Published {
    name: Text,
    renew_at: Text,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Condition {
    r#type: Text,
    status: Text,
    reason: Text,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StoredIntent {
    key: Text,
    installation: Text,
    attempt: Whole,
    nonce: Text,
    outcome: Text,
    resource_group: Text,
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Watched, D::Error> {
        let Stored { metadata: Lenient(meta), spec: Lenient(spec), status: Lenient(status) } =
            Stored::deserialize(deserializer)?;
        let annotations = meta.annotations.0.iter().map(|(key, Text(value))| (key.as_str(), value.as_deref()));
        let annotations = annotations.map(|(key, value)| (key, value.unwrap_or_default()));
        let finalizers = || meta.finalizers.0.iter().filter_map(|Text(name)| name.as_deref());
        let going = meta.deletion_timestamp.0.is_some();
        let intent = status.create_intents.0.into_iter().map(|Lenient(intent)| intent);
        let intent = intent.into_iter().find(|intent| intent.key.is(CLUSTER_INTENT));
        let stalled = status.conditions.0.into_iter().map(|Lenient(condition)| condition);
        let mut stalled = stalled.filter(|condition| condition.r#type.is(ConditionType::Stalled.word()));
        Ok(Watched {
            edition: Edition::new(meta.generation.0, annotations, finalizers(), going),
            held: finalizers().any(|name| name == FINALIZER),
            meta: ObjectMeta {
                name: meta.name.short(),
                namespace: meta.namespace.short(),
                uid: meta.uid.short(),
                resource_version: meta.resource_version.short(),
                generation: meta.generation.0,
                ..ObjectMeta::default()
            },
            region: spec.region_id.short().unwrap_or_default(),
            secret: spec.credentials.0.name.short(),
            adopts: spec.adopts.short(),
            grouped: spec.resource_group_id.0.is_some(),
            cluster_id: status.cluster_id.short(),
            account: status.account_id.short(),
            place: status.region_id.short(),
            created: status.cluster_origin.is("Created"),
            intent: intent.map(|intent| Intent {
                open: intent.outcome.is(Outcome::Open.word()),
                installation: intent.installation.short().unwrap_or_default(),
                attempt: intent.attempt.0.and_then(|attempt| attempt.try_into().ok()).unwrap_or_default(),
                nonce: intent.nonce.short().unwrap_or_default(),
                group: intent.resource_group.short(),
            }),
            state: status.state.short(),
            settled: status.settled.short(),
            renew: spec.kubeconfig.0.name.0.map(|wanted| {
                let Published { name, renew_at } = status.kubeconfig_secret_ref.0;
                let renew = renew_at.0.filter(|_| name.is(&wanted)).and_then(|renew| renew.parse().ok());
                renew.unwrap_or(Timestamp::UNIX_EPOCH)
            }),
            stalled: stalled.find(|stalled| stalled.status.is("True")).and_then(|stalled| stalled.reason.short()),
        })
    }
}

#[cfg(test)]
mod tests;
