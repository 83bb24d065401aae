//! Verdict -> status and events: what people read. Pure. Nothing in it changes when nothing was learnt, so a report
//! that equals the last one is never written.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};

use super::view;
use crate::ack::{Detail, ListedCluster, StateKind};
use crate::api::{
    AckCluster, AckClusterStatus, ConditionType, CreateIntent, ProtectionSeen, PublishedKubeconfig, Request, TaskStage,
};
use crate::decide::{Ask, Lock, Verdict, Work};
use crate::sight::{self, Flag};
use crate::terms::{Nonce, Note, Reason};

/// A message in a condition is a few sentences, never a page.
const MESSAGE: usize = 1024;

/// What a pass learnt beside its verdict.
#[derive(Default)]
pub(super) struct Learnt {
    pub detail: Option<Detail>,
    /// The cluster's entry in the list.
    pub listed: Option<ListedCluster>,
    pub task_id: Option<String>,
    /// The Secret was looked at: the kubeconfig of ours that it holds, if it does.
    pub kubeconfig: Option<Option<PublishedKubeconfig>>,
    pub stage: Option<TaskStage>,
    /// ACK shows this mark of the object's own on the cluster.
    pub mark: Option<String>,
    /// ACK took a request to switch the protection so.
    pub switched: Option<bool>,
    /// What came back instead of the outcome of the attempt with that nonce.
    pub said: Option<(Nonce, Note)>,
}

/// The status after this verdict.
pub(super) fn status(object: &AckCluster, verdict: &Verdict, learnt: &Learnt, now: Timestamp) -> AckClusterStatus {
    let mut status = object.status.clone().unwrap_or_default();
    if let Some(detail) = &learnt.detail {
        show(&mut status, object, detail, learnt.switched);
    }
    if let Some(task) = &learnt.task_id {
        status.task_id = Some(task.clone());
    }
    if let Some(mark) = &learnt.mark {
        status.mark_seen = Some(mark.clone());
    }
    if let Some((nonce, said)) = &learnt.said {
        let open = |intent: &&mut CreateIntent| intent.outcome == "Open" && intent.nonce == nonce.as_str();
        let message = said.as_str().chars().take(512).collect();
        status
            .create_intents
            .iter_mut()
            .filter(open)
            .for_each(|intent| intent.outcome_message = Some(String::clone(&message)));
    }
    for (key, end) in &verdict.ends {
        match end {
            Some(end) => {
                let asked = status.changes.iter_mut().filter(|asked| asked.key == *key);
                asked.for_each(|asked| asked.end(Some(end)));
            }
            None => status.changes.retain(|asked| asked.key != *key),
        }
    }
    if let Some(kubeconfig) = &learnt.kubeconfig {
        status.kubeconfig_secret_ref = kubeconfig.clone();
    }
    let wanted = object.spec.kubeconfig_secret_ref.as_ref().map(|wanted| &wanted.name);
    status.kubeconfig_secret_ref = status.kubeconfig_secret_ref.filter(|published| wanted == Some(&published.name));
    let Some(reason) = verdict.work.reason() else { return status };
    status.settled = None;
    match reason {
        Reason::Creating | Reason::Deleting | Reason::Updating => {
            if learnt.stage.is_some() {
                status.task_stage = learnt.stage.clone();
                // Worth telling, and no write of its own.
                if let (None, Some(listed)) = (&learnt.detail, &learnt.listed) {
                    status.state = Some(listed.state.word.clone()).filter(|state| !state.is_empty());
                }
            }
        }
        _ => status.task_stage = None,
    }
    match verdict.lock {
        Lock::Keep => {}
        Lock::Hold => status.spec_locked = Some(true),
        Lock::Free => status.spec_locked = None,
    }
    conditions(&mut status, &object.metadata, verdict, now);
    status
}

/// The conditions alone, as they shall be written together with a seal.
pub fn conditions(status: &mut AckClusterStatus, object: &ObjectMeta, verdict: &Verdict, now: Timestamp) {
    let Some(reason) = verdict.work.reason() else { return };
    // A command in a message is one that can be pasted.
    let this = |name: &Option<String>| name.clone().unwrap_or_default();
    let this = format!("-n {} ackcluster {}", this(&object.namespace), this(&object.name));
    let message = verdict.work.note().replace("ackcluster NAME", &this);
    let generation = object.generation.unwrap_or_default();
    let known = |kind| status.condition(kind).map(|c| c.status.clone());
    let truth = |value: bool| if value { "True" } else { "False" }.to_owned();
    let ready = verdict.ready.map(truth).or_else(|| known(ConditionType::Ready)).unwrap_or_else(|| truth(false));
    let synced = match (&verdict.work, reason) {
        (Work::Done, _) => truth(true),
        (_, reason) if reason.passes_by_itself() => "Unknown".into(),
        (_, Reason::ClusterUnavailable) => known(ConditionType::Synced).unwrap_or_else(|| "Unknown".into()),
        (Work::UnderWay(..) | Work::Stuck(..), _) => truth(false),
        (Work::Held(..) | Work::Same, _) => "Unknown".into(),
    };
    let synced_reason = if verdict.work == Work::Done { Reason::Applied } else { reason };
    let mut wanted = vec![(ConditionType::Ready, ready, reason), (ConditionType::Synced, synced, synced_reason)];
    match verdict.work {
        Work::UnderWay(..) => wanted.push((ConditionType::Reconciling, truth(true), reason)),
        Work::Stuck(..) => wanted.push((ConditionType::Stalled, truth(true), reason)),
        Work::Done | Work::Held(..) | Work::Same => {}
    }
    let before = std::mem::take(&mut status.conditions);
    let ours = wanted.into_iter().map(|(kind, value, reason)| {
        let old = before.iter().find(|c| c.type_ == kind.word() && c.status == value);
        Condition {
            type_: kind.word().to_owned(),
            status: value,
            reason: reason.to_string(),
            message: message.chars().take(MESSAGE).collect(),
            observed_generation: Some(generation),
            last_transition_time: old.map_or_else(|| whole_second(now), |c| c.last_transition_time.clone()),
        }
    });
    // What others say of the object in conditions of their own is theirs.
    let theirs = before.iter().filter(|c| ConditionType::ALL.iter().all(|kind| kind.word() != c.type_)).cloned();
    status.conditions = ours.chain(theirs).collect();
    status.observed_generation = Some(generation);
}

/// Kubernetes stores times in whole seconds; one with a fraction would differ from itself once read back.
fn whole_second(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// What ACK shows of the cluster.
fn show(status: &mut AckClusterStatus, object: &AckCluster, detail: &Detail, switched: Option<bool>) {
    status.state = Some(detail.listed.state.word.clone()).filter(|state| !state.is_empty());
    status.current_version = detail.listed.current_version.clone();
    status.size = detail.listed.size;
    status.api_server_endpoint = detail.api_server_endpoint.clone();
    status.intranet_api_server_endpoint = detail.intranet_api_server_endpoint.clone();
    let (flag, quiet) = (detail.listed.deletion_protection, detail.listed.state.kind == StateKind::Running);
    let seen = sight::seen(view::flag(object), object.spec.deletion_protection, flag, quiet, switched);
    protection(status, object, seen);
}

/// Keeps what is known of the cloud's protection.
fn protection(status: &mut AckClusterStatus, object: &AckCluster, seen: Option<Flag>) {
    if seen != view::flag(object) {
        let generation = object.metadata.generation.unwrap_or_default();
        let keep = |Flag { word, changed }| ProtectionSeen { generation, word, changed: changed.then_some(true) };
        status.protection_seen = seen.map(keep);
    }
}

/// What of the protection a seal writes down.
pub(super) fn sealed(status: &mut AckClusterStatus, object: &AckCluster) {
    protection(status, object, sight::sealed(object.spec.deletion_protection));
}

/// The status with which something is asked of ACK: what the object says meanwhile, and what is remembered.
pub(super) fn asking(object: &AckCluster, wanted: &Ask, learnt: &Learnt, now: Timestamp) -> AckClusterStatus {
    let mut status = status(object, &wanted.verdict, learnt, now);
    for asked in &wanted.remember {
        status.changes.retain(|before| before.key != asked.key);
        status.changes.push(Request::of(asked));
    }
    status
}

/// The event that a change of reason is worth: never one a poll, since the reason then stays.
pub(super) fn transition(object: &AckCluster, status: &AckClusterStatus) -> Option<(bool, String, String)> {
    let ready = |status: &AckClusterStatus| status.condition(ConditionType::Ready).cloned();
    let now = ready(status)?;
    let before = object.status.as_ref().and_then(ready);
    if before.is_some_and(|before| before.reason == now.reason) {
        return None;
    }
    let warning = status.condition(ConditionType::Stalled).is_some();
    Some((warning, now.reason, now.message))
}
