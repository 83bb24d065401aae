//! AckCluster -> View: reads the object's metadata, spec and status into the words of the judgement. Pure.

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use super::Settings;
use super::memory::Entry;
use crate::api::{self, AckCluster, CLUSTER_INTENT, ClusterOrigin, CreateIntent, DeletionPolicy, annotation};
use crate::decide::{Closed, Evidence, Goal, Guard, Known, Standing, View, Word};
use crate::terms::{ClusterId, Intent, Nonce, Outcome, Region, Sealer, Site};

/// How many attempts of one object are looked for even if its status forgot them.
const ATTEMPTS_LOOKED_FOR: u32 = 64;

/// A date of an answer has whole seconds and may be a little older than the answer.
const ROUNDING: SignedDuration = SignedDuration::from_secs(5);

/// What the status says cannot be understood; nothing is done with such an object.
#[derive(Debug, thiserror::Error)]
#[error("the status cannot be understood: {0}; mend it or restore it from a backup")]
pub struct Unreadable(String);

/// The view with which a pass begins.
pub(super) fn view(
    object: &AckCluster,
    memory: &Entry,
    sealer: Option<&Sealer>,
    clock: (Timestamp, SignedDuration),
    settings: &Settings,
) -> Result<View, Unreadable> {
    let (now, offset) = clock;
    let goal = goal(object, settings.rules.read_only);
    Ok(View {
        now,
        since: fresh_from(now),
        offset,
        goal,
        guard: guard(object),
        finalizer: object.finalizers().iter().any(|f| f == api::FINALIZER),
        kubeconfig: kubeconfig(object),
        region: Region::from(object.spec.region_id.as_str()),
        standing: standing(object, sealer, settings)?,
        words: words(object),
        streak: memory.streak,
        memo: memory.memo.clone(),
        seen: Evidence::default(),
    })
}

/// What was read at or after that time is as good as read `now`.
pub(super) fn fresh_from(now: Timestamp) -> Timestamp {
    now - ROUNDING
}

/// When the published kubeconfig must be seen to. What is not understood is due.
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

/// Lowering needs a word that is younger than the flag. Marking an object for deletion raises its generation by one
/// although nobody said anything, so that step does not count.
fn guard(object: &AckCluster) -> Guard {
    let word = object.spec.deletion_protection;
    let going = object.metadata.deletion_timestamp.is_some();
    let newer = object.status.as_ref().and_then(|s| s.protection_seen.as_ref()).is_some_and(|seen| {
        let silent = i64::from(going && !seen.going);
        let younger = object.metadata.generation.unwrap_or_default() > seen.generation + silent;
        // A living object's protection is never lowered as a repair, only because the word itself changed.
        younger && (going || seen.word != Some(false))
    });
    Guard { word, newer }
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

fn standing(object: &AckCluster, sealer: Option<&Sealer>, settings: &Settings) -> Result<Standing, Unreadable> {
    let rules = &settings.rules;
    let status = object.status.clone().unwrap_or_default();
    let stored = status.intent(CLUSTER_INTENT);
    let intent = stored.map(Intent::try_from).transpose().map_err(|e| Unreadable(e.to_string()))?;
    if let Some(id) = &status.cluster_id {
        let (Some(account), Some(region)) = (&status.account_id, &status.region_id) else {
            return Err(Unreadable("it has a cluster_id without accountId and regionId".into()));
        };
        return Ok(Standing::Known(Known {
            id: id.as_str().into(),
            site: Site { account: account.as_str().into(), region: region.as_str().into() },
            adopted: status.cluster_origin == Some(ClusterOrigin::Adopted),
            met: status.state.is_some(),
            believe_after: intent.map_or(Timestamp::UNIX_EPOCH, |i| i.believe_after.max(i.date + rules.believable())),
        }));
    }
    Ok(match intent {
        Some(intent) if intent.outcome == Outcome::Open => {
            let mine = sealer.is_some_and(|token| stored.is_some_and(|s| s.sealer == token.as_str()));
            Standing::Sealed { intent, mine }
        }
        _ if object.spec.adopt_cluster_id.is_some() => {
            Standing::Adopting(ClusterId::from(object.spec.adopt_cluster_id.as_deref().unwrap_or_default()))
        }
        Some(intent) => {
            Standing::New { attempts: intent.attempt, last: closed(object, &intent, stored, settings), blank: false }
        }
        // The lock is written together with an intent: where it stands alone, part of the status was lost.
        None => {
            let blank = status.conditions.is_empty() || status.spec_locked == Some(true);
            Standing::New { attempts: 0, last: None, blank }
        }
    })
}

fn closed(object: &AckCluster, intent: &Intent, stored: Option<&CreateIntent>, settings: &Settings) -> Option<Closed> {
    match intent.outcome {
        // Made, and no id is recorded: a person had it forgotten.
        Outcome::Open | Outcome::Made => None,
        Outcome::Refused { class, at } => Some(Closed::Refused {
            class,
            at,
            mended: stored.is_some_and(|s| s.spec_hash != spec_hash(object, settings)),
            note: stored.and_then(|s| s.outcome_message.as_deref()).unwrap_or("ACK refused the request").into(),
        }),
        Outcome::Absent { at } => Some(Closed::Absent { at }),
        Outcome::Unsent => Some(Closed::Unsent),
    }
}

/// A short hash of the spec and of what the administrator adds to it: tells whether they changed since a refusal. It
/// covers references to Secrets, not their content.
pub(super) fn spec_hash(object: &AckCluster, settings: &Settings) -> String {
    let mut text = serde_json::to_string(&object.spec).unwrap_or_default();
    for (key, value) in &settings.default_tags {
        text.push_str(&format!("\n{key}={value}"));
    }
    hex(&Sha256::digest(text.as_bytes()))[..16].to_owned()
}

/// 40 hex digits that anybody can compute again from the object: the nonce of an attempt and the cluster's mark.
pub(super) fn nonce(installation: &str, uid: &str, attempt: u32) -> Nonce {
    let text = format!("v1\n{installation}\n{uid}\n{CLUSTER_INTENT}\n{attempt}");
    Nonce::from(&hex(&Sha256::digest(text.as_bytes()))[..40])
}

/// The nonces of every attempt that this object may ever have made, under the installation of now and of then.
pub(super) fn nonces(object: &AckCluster, installation: &str) -> Vec<Nonce> {
    let uid = object.uid().unwrap_or_default();
    let stored = object.status.as_ref().and_then(|status| status.intent(CLUSTER_INTENT));
    let last = stored.map_or(0, |i| u32::try_from(i.attempt).unwrap_or(0)).max(ATTEMPTS_LOOKED_FOR);
    let before = stored.map(|i| i.installation.as_str()).filter(|before| *before != installation);
    [Some(installation), before]
        .into_iter()
        .flatten()
        .flat_map(|installation| (1..=last).map(|attempt| nonce(installation, &uid, attempt)).collect::<Vec<_>>())
        .chain(stored.map(|i| Nonce::from(i.nonce.as_str())))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What people said through the object. As long as it stays the same, a resting object is left alone.
pub(super) fn spoken(object: &AckCluster) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        object.metadata.generation,
        object.annotations(),
        object.finalizers(),
        object.metadata.deletion_timestamp.is_some()
    )
}
