//! Look -> one read, whose answer goes into the evidence. What is asked was decided; what it means is said by `sight`, from what
//! is filled in here.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::glance;
use super::kubeconfig;
use super::marks::Marks;
use super::secrets;
use super::shared;
use super::state::Pass;
use crate::ack::{Code, Detail, ListedCluster, Secrets, StateKind, TaskState, Urgency};
use crate::api::{AckCluster, TaskStage, body, tag};
use crate::cache::Edition;
use crate::decide::{
    Answer, Change, Cluster, Drift, Existence, Glance, Listing, Look, Owner, Progress, State, Trouble, Via,
};
use crate::drift;
use crate::sight::{self, List, Shown, Sought};
use crate::terms::{AccountId, Class, ClusterId, Note, Region, Site, TaskId};

/// Answers `look` into the evidence of the pass.
pub(super) async fn look(pass: &mut Pass<'_>, look: Look) {
    let answer = match look {
        Look::Account => Answer::Account(account(pass).await),
        Look::Glance { id, every } => Answer::Glance(glance(pass, &id, every).await),
        Look::Cluster(id) => Answer::Cluster(cluster(pass, &id).await),
        Look::Listing { began_after } => Answer::Listing(listing(pass, began_after).await),
        Look::Elsewhere { region, began_after } => Answer::Elsewhere(elsewhere(pass, region, began_after).await),
        Look::Fence => Answer::Fence(fence(pass).await),
        Look::Body => Answer::Body(prepare(pass).await),
        Look::Uprooted => Answer::Uprooted(uprooted(pass).await),
        Look::Drift => Answer::Drift(drift(pass)),
        Look::Progress => {
            let secrets = secrets_of(pass);
            Answer::Progress(progress(pass, &secrets).await)
        }
        Look::Cause => {
            let mut secrets = secrets_of(pass);
            // Of a body that another process sent, nothing is remembered.
            if let Ok(values) = secrets::values(pass.env, &pass.object).await {
                values.values().for_each(|value| secrets.add(value.expose_secret()));
            }
            Answer::Cause(cause(pass).await.map(|note| secrets.clean(note.as_str()).into()))
        }
        Look::Trace(id) => Answer::Trace(trace(pass, &id).await),
        Look::Kubeconfig => Answer::Kubeconfig(kubeconfig::look(pass).await),
        Look::Turn => Answer::Turn(turn(pass).await),
        Look::Leftovers(id) => Answer::Leftovers(leftovers(pass, &id).await),
    };
    pass.view.seen.take(answer);
    pass.tell_time();
}

/// What this object wants to be kept secret, as far as that is at hand: ACK's words may repeat it.
fn secrets_of(pass: &Pass<'_>) -> Secrets {
    let mut secrets = pass.entry.secrets.clone();
    secrets.add_body(&serde_json::to_value(&pass.object.spec).unwrap_or_default());
    secrets
}

async fn account(pass: &mut Pass<'_>) -> Result<AccountId, Trouble> {
    let account = pass.account().await?;
    let id = account.id().await?;
    pass.seen_by(account.identity());
    Ok(id)
}

/// A list that is no older than asked for shows as much, so that all objects of a region share one.
async fn glance(pass: &mut Pass<'_>, id: &ClusterId, every: SignedDuration) -> Result<Glance, Trouble> {
    let now = pass.now();
    let before = pass.entry.listed.clone().filter(|before| {
        before.edition == Edition::of(&pass.object) && before.by_list.until.is_none_or(|until| until > now)
    });
    let age = glance::age(&pass.env.settings.rules, every);
    let list = match pass.account().await?.recent(&pass.region(), age).await {
        Ok(list) => list,
        // The cluster is read closely anyway, and what may not be read is told.
        Err(error) if before.is_none() && error.class() != Class::Permission => return Ok(Glance::Changed),
        Err(error) => return Err(error.into()),
    };
    let cluster = list.clusters.iter().find(|cluster| cluster.id == *id);
    let same = |_: &ClusterId| cluster.map(Marks::of) == before.as_ref().map(|before| before.marks);
    pass.learnt.listed = cluster.cloned();
    Ok(sight::glance(&shown(&list.clusters), id, &pass.me, same))
}

async fn cluster(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Existence, Trouble> {
    let account = pass.account().await?;
    let read = account.gateway_now();
    let detail = match pass.client(&account).cluster(&pass.region(), id).await {
        Ok(answer) => answer.value,
        Err(error) if error.kind() == Some(Code::ClusterNotFound) => return Ok(Existence::Unknown),
        Err(error) => return Err(error.into()),
    };
    let Some(state) = state(detail.listed.state.kind) else { return Ok(Existence::Unknown) };
    let owner =
        sight::owner(&as_shown(&detail.listed), &pass.me, &pass.env.objects.recording(std::iter::once(id.as_str())));
    if owner == Owner::Mine {
        pass.learnt.mark = detail.listed.tags.get(tag::INTENT).cloned();
    }
    let (word, guarded) = (detail.listed.state.word.as_str().into(), detail.listed.deletion_protection);
    pass.learnt.detail = Some(detail);
    pass.entry.shown = Some(id.clone());
    Ok(Existence::Here(Cluster { state, word, guarded, owner, read }))
}

/// What may be done in a state (ack-api e.1). `None`: ACK says that the cluster is gone.
fn state(kind: StateKind) -> Option<State> {
    Some(match kind {
        StateKind::Deleted => return None,
        StateKind::Initial => State::Making,
        StateKind::Running => State::Running,
        StateKind::UpdatingFailed => State::ChangeFailed,
        StateKind::Inactive
        | StateKind::Unavailable
        | StateKind::Stopped
        | StateKind::Waiting
        | StateKind::Disconnected => State::Down,
        StateKind::Failed => State::Failed,
        StateKind::Deleting => State::Deleting,
        StateKind::DeleteFailed => State::DeleteFailed,
        StateKind::Updating
        | StateKind::Upgrading
        | StateKind::Scaling
        | StateKind::Removing
        | StateKind::Draining
        | StateKind::Migrating
        | StateKind::Other => State::Busy,
    })
}

/// Whether ACK is at work in that state.
pub(super) fn moving(kind: StateKind) -> bool {
    matches!(state(kind), Some(State::Making | State::Busy | State::Deleting))
}

/// A cluster of ACK's answers as `sight` asks for it.
fn as_shown(cluster: &ListedCluster) -> Shown<'_> {
    let ListedCluster {
        id,
        name,
        state: of,
        tags,
        created,
        updated: _,
        deletion_protection: _,
        current_version: _,
        size: _,
        resource_group_id,
    } = cluster;
    Shown { id, name, state: state(of.kind), tags, created: *created, group: resource_group_id.as_deref() }
}

pub(crate) fn shown(clusters: &[ListedCluster]) -> Vec<Shown<'_>> {
    clusters.iter().map(as_shown).collect()
}

async fn listing(pass: &mut Pass<'_>, began_after: Timestamp) -> Result<Listing, Trouble> {
    let wanted = pass.wanted().ok_or_else(unasked)?;
    let sought = sight::sought(&pass.view.standing, &pass.status, &wanted);
    listed(pass, &sought, began_after).await
}

async fn elsewhere(pass: &mut Pass<'_>, region: Region, began_after: Timestamp) -> Result<Listing, Trouble> {
    let account = pass.wanted().ok_or_else(unasked)?.site.account;
    let sought = sight::sought_elsewhere(&pass.status, &Site { account, region });
    listed(pass, &sought, began_after).await
}

/// A list is asked for with an account that is known, or not at all.
fn unasked() -> Trouble {
    Trouble::new(Class::Unknown, "the account is not known yet")
}

async fn listed(pass: &mut Pass<'_>, sought: &Sought, began_after: Timestamp) -> Result<Listing, Trouble> {
    let region = &sought.site.region;
    let list = pass.account().await?.listing(region, began_after).await?;
    let clusters = shown(&list.clusters);
    let recorded = pass.env.objects.recording(clusters.iter().map(|cluster| cluster.id.as_str()));
    let list = List { began: list.began, here: list.here, whole: list.whole, clusters: &clusters };
    Ok(sight::listing(&list, &pass.me, &recorded, sought, &pass.env.settings.rules))
}

async fn fence(pass: &mut Pass<'_>) -> Result<bool, Trouble> {
    let (region, rules) = (pass.region(), &pass.env.settings.rules);
    pass.account().await?.fence(&region, rules.window + rules.skew).await.map_err(Trouble::from)
}

/// Everything that can fail before the request is sealed: a definition that would not keep the seal, what shared
/// credentials may not bring along, Secrets, conversions, the size of the tags.
async fn prepare(pass: &mut Pass<'_>) -> Result<(), Trouble> {
    let env = pass.env;
    pass.account().await?;
    if pass.shared {
        shared::check(&pass.object, &env.settings.attach_namespaces)?;
    }
    env.definition.keeps(&env.client, env.settings.secret_interval()).await?;
    let values = secrets::values(pass.env, &pass.object).await?;
    let tags = pass.me.tags(&pass.view.nonce);
    let defaults = env.settings.default_tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let tags: Vec<_> = defaults.chain(tags.iter().map(|(key, value)| (*key, value.as_str()))).collect();
    let body = body::body(&pass.object.name_any(), &pass.object.spec, &values, &tags)
        .map_err(|e| Trouble::new(Class::User, e.to_string()))?;
    pass.entry.secrets.add_body(&body);
    pass.body = Some(body);
    Ok(())
}

async fn uprooted(pass: &mut Pass<'_>) -> Result<bool, Trouble> {
    // Where the object itself is not going, a person has asked for the deletion, and it waits for nothing.
    let seen_for = match pass.object.metadata.deletion_timestamp {
        Some(_) => pass.entry.going.get_or_insert_with(Instant::now).elapsed(),
        None => Duration::MAX,
    };
    pass.env.definition.is_going(&pass.env.client, seen_for).await
}

fn drift(pass: &mut Pass<'_>) -> Result<Drift, Trouble> {
    let Some(detail) = &pass.learnt.detail else { return Ok(Drift::default()) };
    let spec = &pass.object.spec;
    let differences = differences(&pass.object, detail);
    let fixed = differences.iter().any(|d| d.is_fixed());
    let changes = drift::changes(&differences).into_iter().map(|change| Change {
        key: change.field.to_owned(),
        digest: change.digest,
        words: change.words,
        via: match change.call {
            drift::Call::Tag(_) => Via::Tags,
            drift::Call::Modify(_) => Via::Modify,
        },
    });
    Ok(Drift {
        changes: changes.collect(),
        differs: drift::sentence(&differences),
        workers: drift::workers_missing(spec, detail.listed.size),
        fixed,
    })
}

/// How the cluster that the detail shows differs from the object's spec.
pub(super) fn differences(object: &AckCluster, detail: &Detail) -> Vec<drift::Difference> {
    let applied = object.status.as_ref().and_then(|s| s.applied_hash.clone()).unwrap_or_default();
    drift::compare(&object.spec, &object.name_any(), &detail.body, &applied)
}

/// How far the task at work has come. A task id that was lost between call and record is looked up.
async fn progress(pass: &mut Pass<'_>, secrets: &Secrets) -> Result<Progress, Trouble> {
    let unknown = || Ok(Progress { note: "ACK is at work".into(), over: false });
    let Some(id) = pass.cluster_id() else { return unknown() };
    let region = pass.region();
    let account = pass.account().await?;
    // The last request has a task of its own, which may not be stored yet.
    let newest = pass.entry.task.clone().filter(|(of, _)| *of == id).map(|(_, task)| task);
    let stored = pass.object.status.as_ref().and_then(|s| s.task_id.clone()).map(TaskId::from);
    let id = match newest.or(stored) {
        Some(task) => task,
        None => {
            let tasks = pass.client(&account).tasks(&region, &id).await?.value;
            let Some(newest) = tasks.into_iter().next() else { return unknown() };
            pass.learnt.task_id = Some(newest.id.to_string());
            newest.id
        }
    };
    let Some(answer) = pass.client(&account).task(&region, &id).await? else { return unknown() };
    let (done, total) = answer.value.progress();
    let message = match answer.value.doing() {
        Some(doing) if !doing.is_empty() => secrets.clean(doing),
        _ => "finishing".to_owned(),
    };
    let note = format!("{done} of {total} stages done: {message}");
    pass.learnt.stage = Some(TaskStage { done: done as i64, total: total as i64, message });
    let over = answer.value.state.ended();
    Ok(Progress { note: note.into(), over })
}

/// Where this process saw the cluster, or where its task is known, is where it lives: another region's endpoint knows
/// neither. Tasks are not kept for ever, so `false` proves nothing.
async fn trace(pass: &mut Pass<'_>, id: &ClusterId) -> Result<bool, Trouble> {
    if pass.entry.shown.as_ref() == Some(id) {
        return Ok(true);
    }
    let Some(task) = pass.object.status.as_ref().and_then(|status| status.task_id.clone()).map(TaskId::from) else {
        return Ok(false);
    };
    let region = pass.region();
    let account = pass.account().await?;
    Ok(pass.client(&account).task(&region, &task).await?.is_some())
}

/// Why ACK failed: the task's error, else the cluster's newest bad event, else its newest log line.
async fn cause(pass: &mut Pass<'_>) -> Result<Note, Trouble> {
    let Some(id) = pass.cluster_id() else { return Ok("ACK gives no cause".into()) };
    let region = pass.region();
    let account = pass.account().await?;
    let client = pass.client(&account);
    let task = pass.object.status.as_ref().and_then(|s| s.task_id.clone()).map(TaskId::from);
    if let Some(task) = task
        && let Ok(Some(answer)) = client.task(&region, &task).await
        && answer.value.state == TaskState::Failed
        && let Some(error) = answer.value.error
    {
        return Ok(match error.code {
            Some(code) => format!("{code}: {}", error.message).into(),
            None => error.message.into(),
        });
    }
    if let Ok(answer) = client.events(&region, &id).await
        && let Some(event) = answer.value.into_iter().find(|event| is_bad(event.level.as_deref()))
    {
        return Ok(event.message.into());
    }
    let logs = client.logs(&region, &id).await?.value;
    Ok(logs.into_iter().next().map_or_else(|| "ACK gives no cause".into(), |line| line.text.into()))
}

fn is_bad(level: Option<&str>) -> bool {
    level.is_some_and(|level| level.eq_ignore_ascii_case("error") || level.eq_ignore_ascii_case("warning"))
}

/// Where others are before it, the pass is to end, so that nothing is held meanwhile.
async fn turn(pass: &mut Pass<'_>) -> Result<(), Trouble> {
    let region = pass.region();
    if let Some((_, turn)) = pass.turn(&region, Urgency::Change).await? {
        pass.turn = Some(turn);
    }
    Ok(())
}

/// What a deletion leaves behind.
async fn leftovers(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Note, Trouble> {
    let region = pass.region();
    let account = pass.account().await?;
    let resources = pass.client(&account).resources(&region, id).await?.value;
    let kept: Vec<String> = resources
        .iter()
        .filter(|resource| resource.delete_by_default == Some(false))
        .map(|resource| format!("{} {}", resource.kind, resource.id))
        .collect();
    Ok(kept.join(", ").into())
}
