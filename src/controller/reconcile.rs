//! One pass over one object: read it, then decide, look or act, until there is nothing to do but rest; then report.
//! The only I/O here is reading the object; looks are in `look`, acts in `act`, and what to do in `decide`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::api::{ApiResource, DynamicObject};
use kube::core::DeserializeGuard;
use kube::{Resource, ResourceExt};
use kube_runtime::controller::Action;
use serde_json::Value;

use super::memory::{Rest, Settled};
use super::pass::{Flow, Pass};
use super::report;
use super::store::{self, Store, Unreadable};
use super::view::{fresh_from, spoken};
use super::{Context, act, lease, look};
use crate::ack::Detail;
use crate::api::{AckCluster, AckClusterStatus};
use crate::decide::{Step, Verdict, Work, decide};
use crate::terms::Reason;

/// A pass that has not come to rest by then has met something that was not foreseen.
const STEPS: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the pass took {STEPS} steps without coming to rest")]
    Restless,
}

/// Reconciles one object; the action says when to look again at the latest.
pub(super) async fn reconcile(
    object: Arc<DeserializeGuard<AckCluster>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    let store = Store::new(context.client.clone(), &object.namespace().unwrap_or_default(), &object.name_any());
    let uid = object.uid().unwrap_or_default();
    let _turn = match &object.0 {
        Ok(cached) => {
            if let Some(left) = resting(&context, cached, &uid) {
                return Ok(Action::requeue(left));
            }
            let Some(turn) = context.turns.take(cached).await else { return Ok(Action::await_change()) };
            Some(turn)
        }
        // What is wrong with it is told by the object itself, read afresh.
        Err(_) => None,
    };
    // A process that slept through the end of its lease finds its timers due before it finds that out. It may also turn
    // out that nobody else has taken it, so the object is not forgotten.
    if context.lease.as_ref().is_some_and(|lease| !lease.held()) {
        return Ok(Action::requeue(lease::RETRY));
    }
    let work = async {
        match pass(&context, store.clone(), &uid).await {
            Err(Error::Store(store::Error::Unreadable(unreadable))) => complain(&context, &store, *unreadable).await,
            outcome => outcome,
        }
    };
    // On the heap, so that those who wait for their turn take no room.
    Box::pin(context.metrics.measure(work)).await
}

/// How long this object may still be left alone.
fn resting(context: &Context, cached: &AckCluster, uid: &str) -> Option<Duration> {
    let rest = context.memory.get(uid).rest?;
    if rest.words == spoken(cached) { rest.until.checked_duration_since(Instant::now()) } else { None }
}

async fn pass(context: &Context, store: Store, uid: &str) -> Result<Action, Error> {
    // The judgement of another pass may have come while this one waited for its turn.
    let entry = context.memory.get(uid);
    let Some(object) = store.read().await?.filter(|fresh| fresh.uid().as_deref() == Some(uid)) else {
        context.memory.forget(uid);
        return Ok(Action::await_change());
    };
    let mut pass = Pass::begin(context, store, object, entry)?;
    for _ in 0..STEPS {
        match decide(&pass.view, &context.settings.rules) {
            Step::Look(wanted) => {
                tracing::debug!(look = ?wanted);
                look::look(&mut pass, wanted).await;
            }
            Step::Act(wanted) => {
                tracing::debug!(act = ?wanted);
                match act::act(&mut pass, wanted).await? {
                    Flow::On => {}
                    Flow::End => {
                        context.memory.forget(uid);
                        return Ok(Action::await_change());
                    }
                }
            }
            Step::Rest(verdict) => {
                if let Some(action) = pass.rest(verdict).await? {
                    return Ok(action);
                }
            }
        }
    }
    Err(Error::Restless)
}

/// An object that cannot be understood says so, and nothing else is done for it. Where it is so broken that the API
/// server takes no status for it (a rule meets a wrong type), the event remains.
async fn complain(context: &Context, store: &Store, unreadable: Unreadable) -> Result<Action, Error> {
    let Unreadable { metadata, conditions, why } = unreadable;
    let note = format!("this object cannot be understood, so nothing is done for it: {why}");
    tracing::warn!(namespace = metadata.namespace, name = metadata.name, note);
    let mut status = AckClusterStatus { conditions: conditions.clone(), ..AckClusterStatus::default() };
    let work = Work::Stuck(Reason::InvalidSpec, note.as_str().into());
    let verdict = Verdict { ready: None, work, again: None, memo: None, ends: vec![], settled: false };
    let generation = metadata.generation.unwrap_or_default();
    report::judge(&mut status, generation, &verdict, Reason::InvalidSpec, &note, Timestamp::now());
    if status.conditions != conditions {
        match store.write_conditions(&metadata, &status.conditions).await {
            Ok(()) => {}
            Err(error) if error.is_invalid() => tracing::debug!(%error, "the object takes no status"),
            Err(error) => return Err(error.into()),
        }
        let kind = ApiResource::erase::<AckCluster>(&());
        let regarding = DynamicObject { types: None, metadata, data: Value::Null }.object_ref(&kind);
        let reason = Reason::InvalidSpec.to_string();
        if let Err(error) = context.publish(&regarding, true, &reason, "Reconcile", &note).await {
            tracing::debug!(%error, "the event was not taken");
        }
    }
    let idle = context.settings.rules.poll_idle;
    Ok(Action::requeue(Duration::try_from(idle).unwrap_or(Duration::from_secs(300))))
}

impl Pass<'_> {
    /// Ends the pass: one status write if the status differs, an event if the reason changed, and when to look again. `None`:
    /// somebody wrote in between, so the object is judged anew, with what this pass asked of ACK still known.
    async fn rest(&mut self, verdict: Verdict) -> Result<Option<Action>, Error> {
        let rules = &self.context.settings.rules;
        let now = self.now();
        let mut status = report::status(&self.object, &verdict, &self.learnt, Timestamp::now());
        // The task of a request is worth no write of its own.
        if self.object.status.as_ref() != Some(&status)
            && let Some((_, task)) = self.entry.task.as_ref().filter(|(of, _)| Some(of) == self.cluster_id().as_ref())
        {
            status.task_id = Some(task.to_string());
        }
        match self.store.write_status(&self.object, &status).await {
            Ok(None) => {}
            Ok(Some(_)) => {
                self.entry.task = None;
                self.announce(&status).await;
            }
            Err(error) if error.is_conflict() => {
                return Ok(match self.reread().await? {
                    Flow::On => None,
                    Flow::End => Some(Action::await_change()),
                });
            }
            Err(error) if error.is_not_found() => return Ok(Some(Action::await_change())),
            Err(error) => return Err(error.into()),
        }
        // However it was judged, no object is looked at without a pause.
        let again = verdict.again.unwrap_or(now + rules.poll_idle).max(now + rules.apart / 10);
        let mut wait = until(now, again);
        let reason = report::words(&verdict.work).map(|(reason, _)| reason);
        let credentials = matches!(reason, Some(Reason::InvalidCredentials | Reason::CredentialsMissing));
        if credentials {
            // The Secret may be mended at any time, and reading it costs ACK nothing.
            wait = wait.min(self.context.settings.secret_interval());
        }
        let troubled =
            matches!(reason, Some(Reason::Throttled | Reason::Unreachable | Reason::ClusterBusy | Reason::ClockSkew));
        let entry = &mut self.entry;
        entry.streak = if troubled { entry.streak.saturating_add(1) } else { 0 };
        entry.memo = verdict.memo;
        if verdict.work != Work::Same {
            // What changes once more within the second of its last change would look the same in a list.
            let updated = |detail: &Detail| detail.listed.updated.as_ref()?.parse::<Timestamp>().ok();
            let still = |detail: &&Detail| updated(detail).is_none_or(|at| at < fresh_from(now));
            let detail = self.learnt.detail.as_ref().filter(|_| verdict.settled).filter(still);
            entry.settled =
                detail.map(|detail| Settled { words: spoken(&self.object), marks: look::marks_of(&detail.listed) });
        }
        entry.rest = Some(Rest { words: spoken(&self.object), until: Instant::now() + wait });
        let uid = self.object.uid().unwrap_or_default();
        self.context.memory.put(&uid, std::mem::take(&mut self.entry));
        Ok(Some(Action::requeue(wait)))
    }
}

/// Between now and `at`, never negative.
fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now).max(SignedDuration::ZERO)).unwrap_or_default()
}
