//! Look -> one read, into the evidence. No `if` on the object: what is asked was decided, and what it means will be.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::Recorded;
use super::kubeconfig;
use super::pass::Pass;
use super::secrets;
use super::view::{nonce, nonces, spoken};
use crate::ack::{Code, Detail, ListedCluster, RegionList, Secrets, StateKind, TaskState};
use crate::api::{self, CLUSTER_INTENT, TaskStage, body};
use crate::decide::{Change, Cluster, Drift, Existence, Glance, Listing, Look, Owner, Rival, Standing, State, Trouble};
use crate::drift;
use crate::terms::{AccountId, Class, ClusterId, Nonce, Note, TaskId};

/// Answers `look` into the evidence of the pass.
pub(super) async fn look(pass: &mut Pass<'_>, look: Look) {
    match look {
        Look::Account => pass.view.seen.account = Some(account(pass).await),
        Look::Glance(id) => pass.view.seen.glance = Some(glance(pass, &id).await),
        Look::Cluster(id) => pass.view.seen.cluster = Some(cluster(pass, &id).await),
        Look::Listing { began_after } => pass.view.seen.listing = Some(listing(pass, began_after).await),
        Look::Fence => pass.view.seen.fence = Some(fence(pass).await),
        Look::Body => pass.view.seen.body = Some(prepare(pass).await),
        Look::Uprooted => pass.view.seen.uprooted = Some(uprooted(pass).await),
        Look::Drift => pass.view.seen.drift = Some(drift(pass)),
        Look::Progress => {
            let secrets = secrets_of(pass);
            pass.view.seen.progress = Some(progress(pass, &secrets).await);
        }
        Look::Cause => {
            let mut secrets = secrets_of(pass);
            // Of a body that another process sent, nothing is remembered.
            if let Ok(values) = secrets::values(pass.context, &pass.object).await {
                values.values().for_each(|value| secrets.add(value.expose_secret()));
            }
            pass.view.seen.cause = Some(cause(pass).await.map(|note| secrets.clean(note.as_str()).into()));
        }
        Look::Trace(id) => pass.view.seen.trace = Some(trace(pass, &id).await),
        Look::Kubeconfig => pass.view.seen.kubeconfig = Some(kubeconfig::look(pass).await),
        Look::Leftovers(id) => pass.view.seen.leftovers = Some(leftovers(pass, &id).await),
    }
    pass.tell_time();
}

/// What this object wants to be kept secret, as far as that is at hand: ACK's words may repeat it.
fn secrets_of(pass: &Pass<'_>) -> Secrets {
    let mut secrets = pass.entry.secrets.clone();
    secrets.add_body(&serde_json::to_value(&pass.object.spec).unwrap_or_default());
    secrets
}

async fn account(pass: &mut Pass<'_>) -> Result<AccountId, Trouble> {
    pass.account().await?.id().await.map_err(Trouble::from)
}

/// A list that is no older than a poll shows as much as is asked here, so that all objects of a region share one.
async fn glance(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Glance, Trouble> {
    let settled = pass.entry.settled.clone().filter(|settled| settled.words == spoken(&pass.object));
    let age = Duration::try_from(pass.context.settings.rules.poll_idle).unwrap_or_default();
    let list = match (pass.account().await?.recent(&pass.region(), age).await, &settled) {
        (Ok(list), _) => list,
        // The cluster is read closely anyway.
        (Err(_), None) => return Ok(Glance::Changed),
        (Err(error), Some(_)) => return Err(error.into()),
    };
    judge_orphans(pass, &list);
    let ours = ours(pass);
    let beside = |item: &&ListedCluster| marked(item, &ours) && item.id != *id && state(item.state.kind).is_some();
    if list.clusters.iter().any(|item| beside(&item)) {
        return Ok(Glance::Crowded);
    }
    let marks = settled.map(|settled| settled.marks);
    let same = list.clusters.iter().any(|item| item.id == *id && Some(marks_of(item)) == marks);
    Ok(if same { Glance::Same } else { Glance::Changed })
}

async fn cluster(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Existence, Trouble> {
    let account = pass.account().await?;
    let detail = match account.client().cluster(&pass.region(), id).await {
        Ok(answer) => answer.value,
        Err(error) if error.kind() == Some(Code::ClusterNotFound) => return Ok(Existence::Unknown),
        Err(error) => return Err(error.into()),
    };
    let Some(state) = state(detail.listed.state.kind) else { return Ok(Existence::Unknown) };
    let cluster = Cluster {
        state,
        word: detail.listed.state.word.as_str().into(),
        guarded: detail.listed.deletion_protection,
        owner: owner(pass, id, &detail),
    };
    pass.learnt.detail = Some(detail);
    pass.entry.shown = Some(id.clone());
    Ok(Existence::Here(cluster))
}

/// What may be done in a state (ack-api e.1). `None`: ACK says that the cluster is gone.
pub(super) fn state(kind: StateKind) -> Option<State> {
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

/// By these a list shows that a cluster is as it was when it was last read closely.
pub(super) fn marks_of(cluster: &ListedCluster) -> String {
    let ListedCluster {
        id,
        name,
        state,
        tags,
        created: _,
        updated,
        deletion_protection,
        current_version,
        size,
        resource_group_id: _,
    } = cluster;
    format!("{id} {name} {} {tags:?} {updated:?} {deletion_protection:?} {current_version:?} {size:?}", state.word)
}

pub(super) fn tag<'a>(cluster: &'a ListedCluster, key: &str) -> Option<&'a str> {
    cluster.tags.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

/// Whether the cluster carries one of these nonces.
fn marked(cluster: &ListedCluster, ours: &[Nonce]) -> bool {
    tag(cluster, api::tag::INTENT).is_some_and(|mark| ours.iter().any(|nonce| nonce.as_str() == mark))
}

/// Nothing but what ACK itself puts on clusters (ack-api d.2).
fn untagged(cluster: &ListedCluster) -> bool {
    let system = |key: &String| ["acs:", "aliyun", "ack.aliyun.com"].iter().any(|prefix| key.starts_with(prefix));
    cluster.tags.keys().all(system)
}

fn owner(pass: &Pass<'_>, id: &ClusterId, detail: &Detail) -> Owner {
    let me = pass.object.uid().unwrap_or_default();
    let claimed = pass.context.recorded().into_iter().find(|other| other.uid != me && other.cluster_id == id.as_str());
    if let Some(other) = claimed {
        return Owner::Claimed(format!("AckCluster {}", other.name).into());
    }
    match tag(&detail.listed, api::tag::INTENT) {
        None => Owner::Nobody,
        Some(_) if marked(&detail.listed, &ours(pass)) => Owner::Mine,
        Some(mark) => Owner::Other(mark.into()),
    }
}

fn ours(pass: &Pass<'_>) -> Vec<Nonce> {
    nonces(&pass.object, &pass.context.settings.installation)
}

async fn listing(pass: &mut Pass<'_>, began_after: Timestamp) -> Result<Listing, Trouble> {
    let region = pass.region();
    let list = pass.account().await?.listing(&region, began_after).await?;
    judge_orphans(pass, &list);
    let context = pass.context;
    let ours = ours(pass);
    let recorded = context.recorded();
    let namespace = pass.object.namespace().unwrap_or_default();
    let object_name = pass.object.name_any();
    let sealed = match &pass.view.standing {
        Standing::Sealed { intent, .. } => {
            let stored = pass.object.status.as_ref().and_then(|status| status.intent(CLUSTER_INTENT));
            stored.map(|stored| (stored.name.clone(), intent.date))
        }
        _ => None,
    };
    let living = |item: &&ListedCluster| state(item.state.kind).is_some();
    let here = |item: &ListedCluster| {
        let same = |r: &Recorded| r.cluster_id == item.id.as_str() && r.region_id.as_deref() == Some(region.as_str());
        recorded.iter().any(same)
    };
    let mine = |item: &&ListedCluster| marked(item, &ours);
    let rival = |item: &&ListedCluster| {
        tag(item, api::tag::INSTALLATION) == Some(context.settings.installation.as_str())
            && tag(item, api::tag::NAMESPACE) == Some(namespace.as_str())
            && tag(item, api::tag::NAME) == Some(object_name.as_str())
            && !mine(item)
    };
    // Not dated, or dated since: what a lagging list shows without its tags could be the one that was asked for.
    let undecided = |item: &&ListedCluster| {
        sealed.as_ref().is_some_and(|(name, date)| {
            item.name == *name && untagged(item) && item.created.is_none_or(|created| created >= *date)
        })
    };
    let found = |which: &dyn Fn(&&ListedCluster) -> bool| list.clusters.iter().filter(living).find(|c| which(c));
    Ok(Listing {
        began: list.began,
        ahead: list.began.duration_since(list.here),
        whole: list.whole,
        trusted: list.clusters.iter().filter(living).any(here),
        ours: list.clusters.iter().filter(living).filter(mine).map(|c| c.id.clone()).collect(),
        rival: found(&rival).map(|c| Rival { id: c.id.clone(), going: state(c.state.kind) == Some(State::Deleting) }),
        undecided: found(&undecided).map(|c| c.id.clone()),
    })
}

/// Every list that is read for any reason is also looked through for clusters that belong to nobody.
fn judge_orphans(pass: &Pass<'_>, list: &RegionList) {
    if let Some(Ok(account)) = &pass.view.seen.account {
        pass.context.settings.orphans.judge(pass.context, account, &pass.region(), list);
    }
}

async fn fence(pass: &mut Pass<'_>) -> Result<bool, Trouble> {
    let (region, rules) = (pass.region(), &pass.context.settings.rules);
    pass.account().await?.fence(&region, rules.window + rules.skew).await.map_err(Trouble::from)
}

/// Everything that can fail before the request is sealed: a definition that would not keep the seal, Secrets,
/// conversions, the size of the tags.
async fn prepare(pass: &mut Pass<'_>) -> Result<(), Trouble> {
    let context = pass.context;
    context.definition.keeps(&context.client, context.settings.secret_interval()).await?;
    let values = secrets::values(pass.context, &pass.object).await?;
    let attempt = match &pass.view.standing {
        Standing::New { attempts, .. } => attempts + 1,
        _ => 1,
    };
    let tags = marks(pass, attempt);
    let defaults = context.settings.default_tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let tags: Vec<_> = defaults.chain(tags.iter().map(|(key, value)| (*key, value.as_str()))).collect();
    let body = body::body(&pass.object.name_any(), &pass.object.spec, &values, &tags).map_err(|e| Trouble {
        class: Class::User,
        reason: None,
        note: e.to_string().into(),
        wait: None,
    })?;
    pass.entry.secrets.add_body(&body);
    pass.body = Some(body);
    Ok(())
}

/// The four tags that say in the cloud whose a cluster is. Each value is a legal label value, for ACK may put it on nodes.
pub(super) fn marks(pass: &Pass<'_>, attempt: u32) -> [(&'static str, String); 4] {
    let installation = &pass.context.settings.installation;
    [
        (api::tag::INSTALLATION, installation.clone()),
        (api::tag::NAMESPACE, pass.object.namespace().unwrap_or_default()),
        (api::tag::NAME, pass.object.name_any()),
        (api::tag::INTENT, nonce(installation, &pass.object.uid().unwrap_or_default(), attempt).to_string()),
    ]
}

async fn uprooted(pass: &mut Pass<'_>) -> Result<bool, Trouble> {
    // Where the object itself is not going, a person has asked for the deletion, and it waits for nothing.
    let seen_for = match pass.object.metadata.deletion_timestamp {
        Some(_) => pass.entry.going.get_or_insert_with(Instant::now).elapsed(),
        None => Duration::MAX,
    };
    pass.context.definition.is_going(&pass.context.client, seen_for).await
}

fn drift(pass: &mut Pass<'_>) -> Result<Drift, Trouble> {
    let Some(detail) = &pass.learnt.detail else { return Ok(Drift::default()) };
    let spec = &pass.object.spec;
    let applied = pass.object.status.as_ref().and_then(|s| s.applied_hash.clone()).unwrap_or_default();
    let differences = drift::compare(spec, &pass.object.name_any(), &detail.body, &applied);
    let fixed = differences.iter().any(|d| d.is_fixed());
    pass.learnt.fixed_differ = Some(fixed);
    let next = drift::next(&differences);
    let change = next.as_ref().map(|next| Change { words: next.words.clone(), key: next.key.clone() });
    pass.change = next.map(|next| next.call);
    Ok(Drift {
        change,
        differs: drift::sentence(&differences),
        workers: drift::workers_missing(spec, detail.listed.size),
        fixed,
    })
}

/// How far the task at work has come. A task id that was lost between call and record is looked up.
async fn progress(pass: &mut Pass<'_>, secrets: &Secrets) -> Result<Note, Trouble> {
    let Some(id) = pass.cluster_id() else { return Ok("ACK is at work".into()) };
    let region = pass.region();
    let account = pass.account().await?;
    // A deletion of this very pass has a task of its own, which is not stored yet.
    let stored = pass.object.status.as_ref().and_then(|s| s.task_id.clone());
    let known = pass.learnt.task_id.clone().or(stored).map(TaskId::from);
    let id = match known {
        Some(task) => task,
        None => {
            let tasks = account.client().tasks(&region, &id).await?.value;
            let Some(newest) = tasks.into_iter().next() else { return Ok("ACK is at work".into()) };
            pass.learnt.task_id = Some(newest.id.to_string());
            newest.id
        }
    };
    let Some(answer) = account.client().task(&region, &id).await? else {
        return Ok("ACK is at work".into());
    };
    let (done, total) = answer.value.progress();
    let message = match answer.value.doing() {
        Some(doing) if !doing.is_empty() => secrets.clean(doing),
        _ => "finishing".to_owned(),
    };
    let note = format!("{done} of {total} stages done: {message}");
    pass.learnt.stage = Some(TaskStage { done: done as i64, total: total as i64, message });
    Ok(note.into())
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
    Ok(pass.account().await?.client().task(&region, &task).await?.is_some())
}

/// Why ACK failed: the task's error, else the cluster's newest bad event, else its newest log line.
async fn cause(pass: &mut Pass<'_>) -> Result<Note, Trouble> {
    let Some(id) = pass.cluster_id() else { return Ok("ACK gives no cause".into()) };
    let region = pass.region();
    let account = pass.account().await?;
    let client = account.client();
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

/// What a deletion leaves behind, named in an event before it is asked for.
async fn leftovers(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Note, Trouble> {
    let region = pass.region();
    let account = pass.account().await?;
    let resources = account.client().resources(&region, id).await?.value;
    let kept: Vec<String> = resources
        .iter()
        .filter(|resource| resource.delete_by_default == Some(false))
        .map(|resource| format!("{} {}", resource.kind, resource.id))
        .collect();
    let note: Note = kept.join(", ").into();
    if !kept.is_empty() {
        pass.event(true, "Leftovers", "DeleteCluster", &format!("these outlive the cluster: {note}")).await;
    }
    Ok(note)
}
