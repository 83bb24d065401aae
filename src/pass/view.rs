//! AckCluster -> View: fills what `sight` asks for, from metadata, spec and status. Pure, and without an opinion: what a member
//! means is said in `sight`.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use super::Settings;
use super::look;
use super::memory::Entry;
use crate::ack;
use crate::api::{self, AckCluster, AckClusterStatus, CLUSTER_INTENT, ClusterOrigin, DeletionPolicy, annotation};
use crate::cache::Edition;
use crate::decide::{Evidence, Goal, View, Word};
use crate::sight::{self, Flag, Me, StoredIntent, Unclear, Wanted};
use crate::terms::{AccountId, Intent, Region, Sealer, Site};

/// A date of an answer has whole seconds and may be a little older than the answer.
const ROUNDING: SignedDuration = SignedDuration::from_secs(5);

/// What the status says cannot be understood; nothing is done with such an object.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the status cannot be understood: {0}; restore it from a backup")]
    Intent(#[from] api::IntentError),
    #[error(transparent)]
    Unclear(#[from] Unclear),
}

/// What is known of an object before anything is asked.
pub(super) struct Start {
    pub view: View,
    /// Who it is in the cloud.
    pub me: Me,
    pub status: sight::Status,
}

/// What a pass begins with.
pub(super) fn start(
    object: &AckCluster,
    memory: &Entry,
    sealer: Option<&Sealer>,
    (now, offset): (Timestamp, SignedDuration),
    settings: &Settings,
) -> Result<Start, Unreadable> {
    let status = stored(object)?;
    let me = me(object, status.intent.as_ref(), settings);
    let seen = sight::Object {
        finalizer: object.finalizers().iter().any(|f| f == api::FINALIZER),
        adopt: object.spec.adopt_cluster_id.clone(),
        spec_hash: spec_hash(object, settings),
        sealer: sealer.cloned(),
    };
    let followed = memory.listed.as_ref().filter(|listed| listed.edition == Edition::of(object));
    let followed = followed.and_then(|listed| listed.by_list.followed);
    let view = View {
        now,
        since: fresh_from(now),
        offset,
        goal: goal(object, settings.rules.read_only),
        guard: sight::guard(object.spec.deletion_protection, flag(object)),
        finalizer: seen.finalizer,
        kubeconfig: kubeconfig(object),
        region: Region::from(object.spec.region_id.as_str()),
        nonce: sight::mark(&status, &me),
        delete_options: digest(&serde_json::to_string(&object.spec.delete_options).unwrap_or_default()),
        standing: sight::standing(&seen, &status, &me, &settings.rules)?,
        words: words(object),
        streak: memory.streak,
        memo: memory.memo.clone(),
        followed: followed.unwrap_or_default(),
        seen: Evidence::default(),
    };
    Ok(Start { view, me, status })
}

/// What was read at or after that time is as good as read `now`.
pub(super) fn fresh_from(now: Timestamp) -> Timestamp {
    now - ROUNDING
}

/// The status as `sight` asks for it: every member is named, and none is judged.
fn stored(object: &AckCluster) -> Result<sight::Status, api::IntentError> {
    let AckClusterStatus {
        observed_generation: _,
        conditions: _,
        cluster_id,
        task_id: _,
        request_id: _,
        state,
        current_version: _,
        size: _,
        api_server_endpoint: _,
        intranet_api_server_endpoint: _,
        region_id,
        account_id,
        spec_locked: _,
        cluster_origin,
        task_stage: _,
        protection_seen: _,
        mark_seen,
        changes,
        kubeconfig_secret_ref: _,
        applied_hash: _,
        settled: _,
        create_intents,
    } = object.status.clone().unwrap_or_default();
    let intent = create_intents.into_iter().find(|intent| intent.key == CLUSTER_INTENT);
    let intent = intent.map(|stored| {
        let intent = Intent::try_from(&stored)?;
        let api::CreateIntent { spec_hash, sealer, installation, name, outcome_message: message, .. } = stored;
        Ok::<_, api::IntentError>(StoredIntent { intent, spec_hash, sealer, installation, name, message })
    });
    Ok(sight::Status {
        cluster_id,
        account_id,
        region_id,
        adopted: cluster_origin == Some(ClusterOrigin::Adopted),
        moving: state.as_deref().is_some_and(|word| look::moving(ack::State::new(word).kind)),
        state,
        mark_seen,
        intent: intent.transpose()?,
        asked: changes.iter().filter_map(api::Request::read).collect(),
    })
}

fn me(object: &AckCluster, stored: Option<&StoredIntent>, settings: &Settings) -> Me {
    let stored = stored.map(|stored| (stored.installation.as_str(), stored.intent.attempt, &stored.intent.nonce));
    let (uid, namespace) = (object.uid().unwrap_or_default(), object.namespace().unwrap_or_default());
    Me::new(&uid, &settings.installation, &namespace, &object.name_any(), stored)
}

/// What the object asks for by its spec as it is now, of that account.
pub(super) fn wanted(object: &AckCluster, account: AccountId) -> Wanted {
    let (name, group) = (cluster_name(object), object.spec.resource_group_id.clone());
    Wanted { name, group, site: Site { account, region: object.spec.region_id.as_str().into() } }
}

/// The name under which ACK knows the cluster, or is asked for it.
pub(super) fn cluster_name(object: &AckCluster) -> String {
    object.spec.name.clone().unwrap_or_else(|| object.name_any())
}

/// What the status keeps of the cloud's protection.
pub(super) fn flag(object: &AckCluster) -> Option<Flag> {
    let seen = object.status.as_ref()?.protection_seen.as_ref()?;
    Some(Flag { word: seen.word, changed: seen.changed == Some(true) })
}

/// When the published kubeconfig must be looked at. What is not understood is due.
fn kubeconfig(object: &AckCluster) -> Option<Timestamp> {
    let wanted = object.spec.kubeconfig_secret_ref.as_ref()?;
    let published = object.status.as_ref().and_then(|status| status.kubeconfig_secret_ref.as_ref());
    let published = published.filter(|published| published.name == wanted.name);
    Some(published.and_then(|published| published.renew_at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// An operator that only reads takes every object as if it said `/observe`.
fn goal(object: &AckCluster, read_only: bool) -> Goal {
    let says = |name: &str| object.annotations().get(name).is_some_and(|value| value == "true");
    let observed = read_only || says(annotation::OBSERVE);
    let going = object.metadata.deletion_timestamp.is_some();
    // What goes without our finalizer does not wait for us, so there is nothing left to hold.
    let held = !going || object.finalizers().iter().any(|finalizer| finalizer == api::FINALIZER);
    if held && (says(annotation::PAUSED) || going && observed) {
        Goal::Pause
    } else if !going {
        if observed { Goal::Observe } else { Goal::Manage }
    } else {
        match policy(object) {
            DeletionPolicy::Delete => Goal::Destroy,
            DeletionPolicy::Retain => Goal::Release,
        }
    }
}

/// What the user chose; else a cluster that this object made goes with it, and an adopted one stays.
fn policy(object: &AckCluster) -> DeletionPolicy {
    let adopted = match object.status.as_ref().and_then(|s| s.cluster_origin) {
        Some(ClusterOrigin::Adopted) => true,
        Some(ClusterOrigin::Created) => false,
        None => object.spec.adopt_cluster_id.is_some(),
    };
    object.spec.deletion_policy.unwrap_or(if adopted { DeletionPolicy::Retain } else { DeletionPolicy::Delete })
}

fn words(object: &AckCluster) -> Vec<Word> {
    let said = |name: &str| object.annotations().get(name).map(String::as_str).filter(|value| !value.is_empty());
    let mut words = Vec::new();
    words.extend(said(annotation::CONFIRM_ABSENT).map(|nonce| Word::ConfirmAbsent(nonce.into())));
    words.extend(said(annotation::RECREATE).map(|id| Word::Recreate(id.into())));
    words.extend(said(annotation::TAKE_OVER).map(|nonce| Word::TakeOver(nonce.into())));
    words.extend(said(annotation::CONFIRM_DELETE).map(|id| Word::ConfirmDelete(id.into())));
    words
}

/// A short hash of the spec and of what the administrator adds to it: tells whether they changed since a refusal. It
/// covers references to Secrets, not their content.
pub(super) fn spec_hash(object: &AckCluster, settings: &Settings) -> String {
    let mut text = serde_json::to_string(&object.spec).unwrap_or_default();
    for (key, value) in &settings.default_tags {
        text.push_str(&format!("\n{key}={value}"));
    }
    digest(&text)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A going object with our finalizer, changed by a JSON merge patch.
    fn going(patch: Value) -> AckCluster {
        fn merge(into: &mut Value, patch: Value) {
            match patch {
                Value::Object(members) => {
                    members.into_iter().for_each(|(key, value)| merge(&mut into[key.as_str()], value));
                }
                value => *into = value,
            }
        }
        let mut object = json!({
            "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster",
            "metadata": {
                "name": "demo", "finalizers": [api::FINALIZER], "deletionTimestamp": "2026-01-01T00:00:00Z", "annotations": {},
            },
            "spec": {"region_id": "cn-x", "cluster_type": "ManagedKubernetes"},
        });
        merge(&mut object, patch);
        serde_json::from_value(object).expect("an AckCluster")
    }

    fn says(words: Value) -> Value {
        json!({"metadata": {"annotations": words}})
    }

    #[test]
    fn what_is_wanted_of_an_object_follows_from_deletion_policy_origin_and_annotations() {
        let observed = json!({annotation::OBSERVE: "true"});
        let paused = json!({annotation::PAUSED: "true"});
        let alive = |mut patch: Value| {
            patch["metadata"]["deletionTimestamp"] = Value::Null;
            patch
        };
        let adopted = json!({"status": {"clusterOrigin": "Adopted"}});
        for (what, patch, wanted) in [
            ("alive", alive(json!({})), Goal::Manage),
            ("alive and observed", alive(says(observed.clone())), Goal::Observe),
            ("alive and paused", alive(says(paused.clone())), Goal::Pause),
            ("another word than true", alive(says(json!({annotation::PAUSED: "yes"}))), Goal::Manage),
            ("going", json!({}), Goal::Destroy),
            ("going and observed", says(observed), Goal::Pause),
            ("going and paused", says(paused.clone()), Goal::Pause),
            ("going and retained", json!({"spec": {"deletionPolicy": "Retain"}}), Goal::Release),
            ("going and adopted", adopted.clone(), Goal::Release),
            ("going and to be adopted", json!({"spec": {"adoptClusterId": "c1"}}), Goal::Release),
            (
                "made, and named for adoption later",
                json!({
                    "spec": {"adoptClusterId": "c1"}, "status": {"clusterOrigin": "Created"},
                }),
                Goal::Destroy,
            ),
            (
                "adopted, and to be deleted with it",
                json!({
                    "spec": {"deletionPolicy": "Delete"}, "status": adopted["status"].clone(),
                }),
                Goal::Destroy,
            ),
            (
                "paused without our finalizer",
                json!({
                    "metadata": {"annotations": paused, "finalizers": ["somebody/else"]},
                }),
                Goal::Destroy,
            ),
        ] {
            assert_eq!(goal(&going(patch), false), wanted, "{what}");
        }
    }

    #[test]
    fn an_operator_that_only_reads_changes_nothing_and_lets_nothing_go() {
        let alive = json!({"metadata": {"deletionTimestamp": null}});
        assert_eq!(goal(&going(alive), true), Goal::Observe);
        assert_eq!(goal(&going(json!({})), true), Goal::Pause);
    }
}
