//! Act -> one guarded write, one call, or for what cannot be taken back the one and then the other. Whether a thing may be done
//! was decided, and what came of it goes into the evidence.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::Value;

use super::Queue;
use super::ask;
use super::kubeconfig;
use super::report;
use super::state::{Flow, Pass};
use super::store;
use super::view::spec_hash;
use crate::ack::{Client, Created, Stamp, Turn, Urgency};
use crate::api::{AckCluster, AckClusterStatus, CLUSTER_INTENT, ClusterOrigin, ConditionType, CreateIntent};
use crate::decide::{self, Act, Closed, Deed, Free, Sent, Standing, Trouble};
use crate::drift;
use crate::sight;
use crate::terms::{Class, ClusterId, Intent, Outcome, Sealer, Site};

/// How long an id that ACK answered is tried to be stored before the list has to find it again.
const PERSISTENCE: Duration = Duration::from_secs(120);

/// A turn that takes this long is told.
const WONDER: Duration = Duration::from_secs(15);

/// What was seen longer ago than this is no ground for a seal.
const STALE: Duration = Duration::from_secs(5);

/// Does `act`. What it left in the evidence, and the object as it is now, is what the next judgement sees.
pub(super) async fn act(pass: &mut Pass<'_>, act: Act) -> Result<Flow, store::Error> {
    match act {
        Act::AddFinalizer => hold(pass).await,
        Act::Seal { attempt } => seal(pass, attempt).await,
        Act::Send { not_after } => {
            send(pass, not_after).await;
            Ok(Flow::On)
        }
        Act::Record { id, site, adopted } => record(pass, &id, &site, adopted).await,
        Act::Close(closed) => close(pass, &closed).await,
        Act::Ask(wanted) => ask::ask(pass, wanted).await,
        Act::Forget(id) => forget(pass, &id).await,
        Act::Publish(id) => {
            kubeconfig::publish(pass, &id).await;
            Ok(Flow::On)
        }
        Act::Release(free) => release(pass, &free).await,
    }
}

/// Puts the finalizer on. What the API server refuses for good, such as a policy does, is told by the object itself.
async fn hold(pass: &mut Pass<'_>) -> Result<Flow, store::Error> {
    // An object that only waits for its turn has asked for nothing, so that it can be deleted by anybody at once.
    let evidence = &pass.view.seen;
    let seals = matches!((&evidence.body, &evidence.listing),
        (Some(Ok(())), Some(Ok(list))) if list.ours.is_empty() && list.rival.is_none());
    if seals && let Some(flow) = in_turn(pass).await? {
        return Ok(flow);
    }
    match pass.store.add_finalizer(&pass.object).await {
        Err(error) if error.is_forbidden() || error.is_invalid() => {
            let note = format!("the Kubernetes API does not take this operator's finalizer: {}", error.cause());
            pass.done(Deed::Hold, Err(Trouble::new(Class::Permission, note))).await
        }
        Ok(_) => pass.done(Deed::Hold, Ok(())).await,
        Err(error) => pass.after(Err(error)).await,
    }
}

/// Writes the intent down, together with the lock on the spec, once it is this request's turn: what is sealed waits for
/// nobody and is not refused here for others' sake. Whatever the answer, the object is read again with a
/// plain `get`: only if it carries this token may the request be sent.
async fn seal(pass: &mut Pass<'_>, attempt: u32) -> Result<Flow, store::Error> {
    let Some(wanted) = pass.wanted() else { return Ok(Flow::End) };
    let begun = Instant::now();
    if let Some(flow) = in_turn(pass).await? {
        return Ok(flow);
    }
    // What was seen before a long wait is looked at again. The turn is kept meanwhile.
    if begun.elapsed() > STALE {
        return pass.reread().await;
    }
    let (status, sealer) = sealed_status(pass, attempt, wanted);
    let written = pass.store.write_status(&pass.object, &status).await;
    // Sealing once more in this pass would fare no better, except after a conflict.
    let futile = match &written {
        Ok(Some(stored)) if !sealed_by(stored, &sealer) => Some(pass.env.definition.dropped("status.createIntents")),
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

/// `None` once it is the turn of the next request, which the pass then holds. Where it is not, what stands against that counts
/// as trouble with the body.
async fn in_turn(pass: &mut Pass<'_>) -> Result<Option<Flow>, store::Error> {
    let region = pass.view.region.clone();
    match pass.turn(&region, Urgency::Create).await {
        Ok(Some((_, turn))) => pass.turn = Some(turn),
        Ok(None) => {
            let wait = pass.queue.as_ref().map_or(Duration::ZERO, Queue::expected);
            tell_queued(pass, wait).await?;
            return Ok(Some(Flow::Turn));
        }
        Err(trouble) => {
            pass.view.seen.body = Some(Err(trouble));
            return Ok(Some(Flow::On));
        }
    }
    Ok(None)
}

/// An object of which nothing is said yet says why it waits, where that takes long enough to be wondered at.
async fn tell_queued(pass: &mut Pass<'_>, wait: Duration) -> Result<(), store::Error> {
    let silent = pass.object.status.as_ref().is_none_or(|status| status.condition(ConditionType::Ready).is_none());
    if wait < WONDER || !silent {
        return Ok(());
    }
    let mut status = pass.object.status.clone().unwrap_or_default();
    let verdict = decide::queued(SignedDuration::try_from(wait).unwrap_or_default());
    report::conditions(&mut status, &pass.object.metadata, &verdict, Timestamp::now());
    match pass.store.write_status(&pass.object, &status).await {
        Ok(Some(stored)) => pass.object = stored,
        Ok(None) => {}
        Err(error) if error.is_conflict() || error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The status with the intent of this attempt in it, and the token by which this try may send.
fn sealed_status(pass: &Pass<'_>, attempt: u32, wanted: sight::Wanted) -> (AckClusterStatus, Sealer) {
    let rules = &pass.env.settings.rules;
    let now = pass.now();
    // Signed dates have whole seconds.
    let date = Timestamp::from_second((now - rules.skew).as_second()).unwrap_or(now);
    let sealer = Sealer::from(Stamp::fresh(now, now).nonce.as_str());
    let sight::Wanted { name, group, site } = wanted;
    let intent = Intent {
        attempt,
        nonce: pass.me.nonce(attempt),
        date,
        believe_after: date + rules.believable(),
        site,
        group: group.as_deref().map(Into::into),
        outcome: Outcome::Open,
    };
    let intent = CreateIntent {
        name,
        spec_hash: spec_hash(&pass.object, &pass.env.settings),
        sealer: sealer.to_string(),
        installation: pass.env.settings.installation.clone(),
        ..CreateIntent::of(CLUSTER_INTENT, &intent)
    };
    let mut status = pass.object.status.clone().unwrap_or_default();
    status.create_intents.retain(|stored| stored.key != intent.key);
    status.create_intents.push(intent);
    status.spec_locked = Some(true);
    report::sealed(&mut status, &pass.object);
    if let Some(verdict) = decide::asking(&pass.view) {
        report::conditions(&mut status, &pass.object.metadata, &verdict, now);
    }
    (status, sealer)
}

/// What it means that the API server did not take a seal.
fn unsealed(error: &store::Error) -> Trouble {
    let class = if error.is_forbidden() { Class::Permission } else { Class::Transient };
    let note = format!("the Kubernetes API did not store what must be stored before ACK is asked: {}", error.cause());
    Trouble::new(class, note)
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
            post(&pass.client(&account), turn, &body, &intent, not_after, &mut pass.created).await
        }
        ((Some(_token), Some(_), Some(_)), Err(trouble)) => Sent::Refused(trouble.class, trouble.note),
        _ => Sent::Unknown("the sealed body is not at hand any more".into()),
    };
    if let Sent::Unknown(said) = &sent {
        pass.learnt.said = Some((intent.nonce.clone(), said.clone()));
    }
    pass.view.seen.sent = Some((intent.nonce, sent));
    pass.tell_time();
}

async fn post(
    client: &Client,
    turn: Turn,
    body: &Value,
    intent: &Intent,
    not_after: Timestamp,
    created: &mut Option<Created>,
) -> Sent {
    let stamp = Stamp { date: intent.date, nonce: intent.nonce.clone(), not_after };
    match client.create_cluster(turn, body, &stamp).await {
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
    let (uid, started) = (pass.object.uid(), Instant::now());
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
    // Of another cluster's: what was asked for this one begins anew.
    (status.changes, status.mark_seen) = (vec![], None);
    if !adopted {
        report::conditions(&mut status, &object.metadata, &decide::making(), Timestamp::now());
    }
    let at = Timestamp::from_second(pass.now().as_second()).unwrap_or_default();
    sealed(&mut status).filter(|_| !adopted).for_each(|intent| intent.record(Outcome::Made { at }));
    status
}

/// Notes how an attempt ended and frees the spec, so that it can be corrected.
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
        Free::Kept(id, how) => format!("cluster {id} is no longer looked at: {how}"),
        Free::Untraced(nonce) => format!(
            "whether a cluster was made is not known; if there is one, it carries the tag ackoperator.dev/intent={nonce}"
        ),
    };
    pass.event(false, "Released", "Finalize", &note).await;
    match pass.store.remove_finalizer(&pass.object).await {
        Ok(_) => Ok(Flow::End),
        Err(error) if error.is_conflict() => pass.reread().await,
        Err(error) if error.is_not_found() => Ok(Flow::End),
        Err(error) => Err(error),
    }
}
