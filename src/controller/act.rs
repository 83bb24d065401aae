//! Act -> one guarded write or one call. No judgement here: whether a thing may be done was decided, and what came of
//! it goes into the evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Map, Value};

use super::kubeconfig;
use super::look::marks;
use super::pass::{Flow, Pass};
use super::report;
use super::store;
use super::view::spec_hash;
use crate::ack::{self, Account, Created, DeleteOptions, Stamp, Turn};
use crate::api::{AckCluster, AckClusterStatus, CLUSTER_INTENT, ClusterOrigin, CreateIntent};
use crate::decide::{Act, Change, Closed, Deed, Free, Sent, Standing, Trouble, Verdict, Work};
use crate::drift;
use crate::terms::{Class, ClusterId, Intent, Outcome, Reason, Sealer, Site};

/// How long an id that ACK answered is tried to be stored before the list has to find it again.
const PERSISTENCE: Duration = Duration::from_secs(120);

/// Does `act`. What it left in the evidence, and the object as it is now, is what the next judgement sees.
pub(super) async fn act(pass: &mut Pass<'_>, act: Act) -> Result<Flow, store::Error> {
    match act {
        Act::AddFinalizer => {
            let written = pass.store.add_finalizer(&pass.object).await.map(Some);
            pass.after(written).await
        }
        Act::Seal { attempt } => seal(pass, attempt).await,
        Act::Send { not_after } => {
            send(pass, not_after).await;
            Ok(Flow::On)
        }
        Act::Record { id, site, adopted } => record(pass, &id, &site, adopted).await,
        Act::Close(closed) => close(pass, &closed).await,
        Act::Claim(id) => claim(pass, &id).await,
        Act::Protect { id, on } => protect(pass, &id, on).await,
        Act::Change { id, change: wanted } => change(pass, &id, wanted).await,
        Act::Delete { id, not_after } => delete(pass, &id, not_after).await,
        Act::Forget(id) => forget(pass, &id).await,
        Act::Publish(id) => {
            kubeconfig::publish(pass, &id).await;
            Ok(Flow::On)
        }
        Act::Release(free) => release(pass, &free).await,
    }
}

/// Writes the intent down, together with the lock on the spec, once it is this request's turn: what is sealed waits for
/// nobody and is not refused here for others' sake. Whatever the answer, the object is read again with a
/// plain `get`: only if it carries this token may the request be sent.
async fn seal(pass: &mut Pass<'_>, attempt: u32) -> Result<Flow, store::Error> {
    let Some(Ok(id)) = pass.view.seen.account.clone() else { return Ok(Flow::End) };
    let region = pass.view.region.clone();
    let turn = match pass.account().await {
        Ok(account) => account.client().turn(&region).await.map_err(Trouble::from),
        Err(trouble) => Err(trouble),
    };
    match turn {
        Ok(turn) => pass.turn = Some(turn),
        Err(trouble) => {
            pass.view.seen.body = Some(Err(trouble));
            return Ok(Flow::On);
        }
    }
    let rules = &pass.context.settings.rules;
    let now = pass.now();
    // Signed dates have whole seconds.
    let date = Timestamp::from_second((now - rules.skew).as_second()).unwrap_or(now);
    let sealer = Sealer::from(Stamp::fresh(now, now).nonce.as_str());
    let intent = Intent {
        attempt,
        nonce: marks(pass, attempt)[3].1.as_str().into(),
        date,
        believe_after: date + rules.believable(),
        site: Site { account: id, region },
        outcome: Outcome::Open,
    };
    let intent = CreateIntent {
        name: pass.cluster_name(),
        spec_hash: spec_hash(&pass.object, &pass.context.settings),
        sealer: sealer.to_string(),
        installation: pass.context.settings.installation.clone(),
        ..CreateIntent::of(CLUSTER_INTENT, &intent)
    };
    let mut status = pass.object.status.clone().unwrap_or_default();
    status.create_intents.retain(|stored| stored.key != intent.key);
    status.create_intents.push(intent);
    status.spec_locked = Some(true);
    if pass.object.spec.deletion_protection == Some(true) {
        status.protection_seen = Some(report::seen_now(&pass.object));
    }
    let verdict = Verdict {
        ready: Some(false),
        work: Work::UnderWay(Reason::Creating, "asking ACK for the cluster".into()),
        again: None,
        memo: None,
    };
    let generation = pass.object.metadata.generation.unwrap_or_default();
    report::judge(&mut status, generation, &verdict, Reason::Creating, "asking ACK for the cluster", now);
    let written = pass.store.write_status(&pass.object, &status).await;
    // Sealing once more in this pass would fare no better, except after a conflict.
    let futile = match &written {
        Ok(Some(stored)) if !sealed_by(stored, &sealer) => {
            Some(pass.context.definition.dropped("status.createIntents"))
        }
        Ok(_) => {
            pass.announce(&status).await;
            None
        }
        Err(error) => {
            tracing::info!(%error, "the seal was not acknowledged; reading again whose seal the object carries");
            (!error.is_conflict()).then(|| unsealed(error))
        }
    };
    pass.sealer = Some(sealer);
    let flow = pass.reread().await;
    if let Some(trouble) = futile
        && !matches!(pass.view.standing, Standing::Sealed { mine: true, .. })
    {
        pass.view.seen.body = Some(Err(trouble));
    }
    flow
}

/// What it means that the API server did not take a seal.
fn unsealed(error: &store::Error) -> Trouble {
    let class = if error.is_forbidden() { Class::Permission } else { Class::Transient };
    let note = format!("the Kubernetes API did not store what must be stored before ACK is asked: {}", error.cause());
    Trouble { class, reason: None, note: note.into(), wait: None }
}

fn sealed_by(stored: &AckCluster, sealer: &Sealer) -> bool {
    let intent = stored.status.as_ref().and_then(|status| status.intent(CLUSTER_INTENT));
    intent.is_some_and(|intent| intent.sealer == sealer.as_str())
}

/// The cluster's own intent in the status.
fn sealed(status: &mut AckClusterStatus) -> impl Iterator<Item = &mut CreateIntent> {
    status.create_intents.iter_mut().filter(|intent| intent.key == CLUSTER_INTENT)
}

/// The one POST. The token is consumed before the first byte, so nothing can send this attempt again.
async fn send(pass: &mut Pass<'_>, not_after: Timestamp) {
    let Standing::Sealed { intent, .. } = pass.view.standing.clone() else { return };
    let ready = (pass.sealer.take(), pass.turn.take(), pass.body.take());
    let sent = match (ready, pass.account().await) {
        ((Some(_token), Some(turn), Some(body)), Ok(account)) => {
            post(&account, turn, &body, &intent, not_after, &mut pass.created).await
        }
        ((Some(_token), Some(_), Some(_)), Err(trouble)) => Sent::Refused(trouble.class, trouble.note),
        _ => Sent::Unknown("the sealed body is not at hand any more".into()),
    };
    pass.view.seen.sent = Some((intent.nonce, sent));
    pass.tell_time();
}

async fn post(
    account: &Account,
    turn: Turn,
    body: &Value,
    intent: &Intent,
    not_after: Timestamp,
    created: &mut Option<Created>,
) -> Sent {
    let stamp = Stamp { date: intent.date, nonce: intent.nonce.clone(), not_after };
    match account.client().create_cluster(turn, body, &stamp).await {
        Ok(answer) => {
            let id = answer.value.cluster_id.clone();
            tracing::info!(cluster_id = %id, request_id = answer.request_id.as_deref(), "CreateCluster was accepted");
            *created = Some(answer.value);
            Sent::Created(id, intent.site.clone())
        }
        Err(error) => {
            let refused = error.never_executed();
            tracing::warn!(%error, request_id = error.request_id(), refused, "CreateCluster failed");
            let note = error.to_string().into();
            if refused { Sent::Refused(error.class(), note) } else { Sent::Unknown(note) }
        }
    }
}

/// Stores the id, guarded by the uid and by "no other id is stored", again and again until it is stored.
async fn record(pass: &mut Pass<'_>, id: &ClusterId, site: &Site, adopted: bool) -> Result<Flow, store::Error> {
    let (uid, started) = (pass.object.uid(), std::time::Instant::now());
    let mut pause = Duration::from_millis(50);
    let mut object = pass.object.clone();
    loop {
        let stored = object.status.as_ref().and_then(|status| status.cluster_id.as_deref());
        if stored.is_some() {
            break;
        }
        let status = recorded(pass, &object, id, site, adopted);
        match pass.store.write_status(&object, &status).await {
            Ok(_) => break,
            Err(error) if started.elapsed() > PERSISTENCE => return Err(error),
            Err(error) => tracing::warn!(%error, cluster_id = %id, "the id is not stored yet; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
        match pass.store.read().await {
            Ok(Some(fresh)) if fresh.uid() == uid => object = fresh,
            Ok(_) => {
                tracing::error!(cluster_id = %id, "the object is gone; its cluster carries its mark and is left alone");
                return Ok(Flow::End);
            }
            Err(error) => tracing::warn!(%error, "the object could not be read; trying again"),
        }
    }
    pass.reread().await
}

fn recorded(pass: &Pass<'_>, object: &AckCluster, id: &ClusterId, site: &Site, adopted: bool) -> AckClusterStatus {
    let mut status = object.status.clone().unwrap_or_default();
    status.cluster_id = Some(id.to_string());
    status.account_id = Some(site.account.to_string());
    status.region_id = Some(site.region.to_string());
    status.cluster_origin = Some(if adopted { ClusterOrigin::Adopted } else { ClusterOrigin::Created });
    status.applied_hash = Some(drift::applied(&object.spec)).filter(|applied| !applied.is_empty());
    if let Some(created) = &pass.created {
        status.task_id = created.task_id.as_ref().map(ToString::to_string);
        status.request_id = created.request_id.clone();
    }
    sealed(&mut status).for_each(|intent| intent.record(Outcome::Made));
    status
}

/// Notes how an attempt ended and frees the spec, so that it can be mended.
async fn close(pass: &mut Pass<'_>, closed: &Closed) -> Result<Flow, store::Error> {
    let mut status = pass.object.status.clone().unwrap_or_default();
    status.spec_locked = None;
    for intent in sealed(&mut status) {
        intent.record(match closed {
            Closed::Refused { class, at, .. } => Outcome::Refused { class: *class, at: *at },
            Closed::Absent { at } => Outcome::Absent { at: *at },
            Closed::Unsent => Outcome::Unsent,
        });
        if let Closed::Refused { note, .. } = closed {
            intent.outcome_message = Some(note.as_str().chars().take(512).collect());
        }
    }
    let written = pass.store.write_status(&pass.object, &status).await;
    pass.after(written).await
}

async fn claim(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Flow, store::Error> {
    let attempt = match &pass.view.standing {
        Standing::New { attempts, .. } => (*attempts).max(1),
        _ => 1,
    };
    let tags = marks(pass, attempt);
    let tags: BTreeMap<_, _> = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let result = match pass.account().await {
        Ok(account) => {
            let ready = ready(pass, &account).await;
            let tag = async |(turn, stamp)| account.client().tag(turn, std::slice::from_ref(id), &tags, &stamp).await;
            async { tag(ready?).await }.await.map(drop).map_err(Trouble::from)
        }
        Err(trouble) => Err(trouble),
    };
    done(pass, Deed::Claim, result).await
}

async fn protect(pass: &mut Pass<'_>, id: &ClusterId, on: bool) -> Result<Flow, store::Error> {
    let members = Map::from_iter([("deletion_protection".to_owned(), Value::Bool(on))]);
    let result = match pass.account().await {
        Ok(account) => {
            let ready = ready(pass, &account).await;
            let modify = async |(turn, stamp)| account.client().modify_cluster(turn, id, &members, &stamp).await;
            async { modify(ready?).await }.await.map_err(Trouble::from)
        }
        Err(trouble) => Err(trouble),
    };
    if result.is_ok() {
        let note = format!("deletion_protection: {} -> {on}", !on);
        // Events of one reason and one action are told as one, with the first one's words.
        pass.event(false, "Modified", "SwitchProtection", &note).await;
        // Switched on by this word: whatever the spec says later is a new one.
        if on {
            let mut status = pass.object.status.clone().unwrap_or_default();
            status.protection_seen = Some(report::seen_now(&pass.object));
            if let Err(error) = pass.store.write_status(&pass.object, &status).await {
                tracing::info!(%error, "when the protection was switched on is not stored; it is noted when it is seen");
            }
        }
    }
    done(pass, Deed::Protect, result.map(drop)).await
}

/// The call that the look at the drift prepared.
async fn change(pass: &mut Pass<'_>, id: &ClusterId, wanted: Change) -> Result<Flow, store::Error> {
    let call = pass.change.take();
    let action = if let Some(drift::Call::Tag(_)) = &call { "TagResources" } else { "ModifyCluster" };
    let asked = match (call, pass.account().await) {
        (Some(drift::Call::Tag(tags)), Ok(account)) => {
            let ready = ready(pass, &account).await;
            let tag = async |(turn, stamp)| account.client().tag(turn, std::slice::from_ref(id), &tags, &stamp).await;
            async { tag(ready?).await }.await.map(|_| None).map_err(Trouble::from)
        }
        (Some(drift::Call::Modify(members)), Ok(account)) => {
            let ready = ready(pass, &account).await;
            let modify = async |(turn, stamp)| account.client().modify_cluster(turn, id, &members, &stamp).await;
            async { modify(ready?).await }.await.map(|answer| answer.value.task_id).map_err(Trouble::from)
        }
        (None, Ok(_)) => return pass.reread().await,
        (_, Err(trouble)) => Err(trouble),
    };
    if let Ok(task) = &asked {
        pass.event(false, "Modified", action, wanted.words.as_str()).await;
        pass.learnt.task_id = task.as_ref().map(ToString::to_string).or(pass.learnt.task_id.take());
    }
    done(pass, Deed::Change(wanted), asked.map(drop)).await
}

async fn delete(pass: &mut Pass<'_>, id: &ClusterId, not_after: Timestamp) -> Result<Flow, store::Error> {
    let options = options(&pass.object);
    let stamp = Stamp::fresh(pass.view.now, not_after);
    let result = match pass.account().await {
        Ok(account) => {
            let ready = ready(pass, &account).await;
            let delete = async |turn| account.client().delete_cluster(turn, id, &options, &stamp).await;
            async { delete(ready?.0).await }.await.map_err(Trouble::from)
        }
        Err(trouble) => Err(trouble),
    };
    if let Ok(answer) = &result {
        pass.learnt.task_id = answer.value.task_id.as_ref().map(ToString::to_string);
    }
    done(pass, Deed::Delete, result.map(drop)).await
}

/// The turn of a change where the cluster lives, and what to sign it with: the time as it is once the turn has come.
async fn ready(pass: &mut Pass<'_>, account: &Account) -> Result<(Turn, Stamp), ack::Error> {
    let turn = account.client().turn(&pass.region()).await?;
    pass.tell_time();
    Ok((turn, Stamp::fresh(pass.view.now, pass.view.now + pass.context.settings.rules.skew)))
}

/// The query of DeleteCluster, one to one from the spec.
fn options(object: &AckCluster) -> DeleteOptions {
    let Some(wanted) = &object.spec.delete_options else { return DeleteOptions::default() };
    DeleteOptions {
        retain_all_resources: wanted.retain_all_resources,
        retain_resources: wanted.retain_resources.clone().unwrap_or_default(),
        options: wanted
            .options
            .iter()
            .flatten()
            .map(|option| (option.resource_type.clone(), option.delete_mode.clone()))
            .collect(),
    }
}

/// Keeps what came of a change, and looks at the object afresh.
async fn done(pass: &mut Pass<'_>, deed: Deed, result: Result<(), Trouble>) -> Result<Flow, store::Error> {
    pass.view.seen.acted = Some((deed, result));
    pass.reread().await
}

/// A person named the cluster that is gone: the object starts over, with the attempt count it has.
async fn forget(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Flow, store::Error> {
    let old = pass.object.status.clone().unwrap_or_default();
    let status = AckClusterStatus {
        observed_generation: old.observed_generation,
        conditions: old.conditions,
        create_intents: old.create_intents,
        ..AckClusterStatus::default()
    };
    let written = pass.store.write_status(&pass.object, &status).await;
    if written.is_ok() {
        pass.event(false, "Recreating", "Reconcile", &format!("cluster {id} is gone; another one is made")).await;
    }
    pass.after(written).await
}

async fn release(pass: &mut Pass<'_>, free: &Free) -> Result<Flow, store::Error> {
    let note = match free {
        Free::NeverSealed => "no cluster was ever asked for".to_owned(),
        Free::NeverMade => "no cluster was made".to_owned(),
        Free::Gone => "the cluster is gone".to_owned(),
        Free::Kept(id) => format!("cluster {id} is kept, with its tags; from now on nobody here looks after it"),
    };
    pass.event(false, "Released", "Finalize", &note).await;
    match pass.store.remove_finalizer(&pass.object).await {
        Ok(_) => Ok(Flow::End),
        Err(error) if error.is_conflict() => pass.reread().await,
        Err(error) if error.is_not_found() => Ok(Flow::End),
        Err(error) => Err(error),
    }
}
