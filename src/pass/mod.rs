//! One pass over one object: read it, then decide, look or act, until there is nothing to do but rest; then report. What to do
//! is said in `decide`; each look and each act is one read, one guarded write or one call. Nothing here knows of queues,
//! watches or other passes: what a pass needs of the process is its [`Env`].
//!
//! An object is read afresh before anything is written, sent or concluded. Only a cluster that was found settled, and that the
//! region's shared list shows as it was then, is left alone without that (`glance`): nothing follows from such a look but that
//! there is nothing to look at, and an edit of the object ends it as soon as the watch tells of it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::api::{ApiResource, DynamicObject};
use kube::{Client, Resource, ResourceExt};
use kube_runtime::controller::Action;
use kube_runtime::events::{Event, EventType, Recorder, Reporter};
use kube_runtime::reflector::ObjectRef;
use serde_json::Value;

use crate::ack::{self, Accounts, Credentials, Turn, Urgency};
use crate::api::{AckCluster, AckClusterStatus};
use crate::cache::{Objects, Watched};
use crate::decide::{Rules, Step, Verdict, decide};
use crate::terms::Region;
pub use memory::Memory;
use rest::Ended;
use state::{Flow, Pass};
use store::{Store, Unreadable};

mod act;
mod ask;
mod definition;
#[doc(hidden)]
pub mod fuzz;
mod glance;
mod kubeconfig;
mod look;
mod marks;
mod memory;
pub mod report;
mod rest;
mod secrets;
mod shared;
mod state;
mod store;
mod view;

pub(crate) use look::shown;

/// A pass that has not come to rest by then has met something that was not foreseen.
const STEPS: usize = 16;

/// Who could not queue tries again after this, or a few times this where the queue is long.
const AGAIN: Duration = Duration::from_secs(30);

/// What a pass is told by the flags.
pub struct Settings {
    /// Label selector of the objects that are managed; `None`: all.
    pub selector: Option<String>,
    /// Names this installation in the tags of its clusters; stable across rebuilds of the management cluster.
    pub installation: String,
    pub rules: Rules,
    /// The operator's own credentials, for objects that name no Secret.
    pub credentials: Option<Credentials>,
    /// Who may use them.
    pub default_credentials_namespaces: Namespaces,
    /// Who may adopt clusters with them.
    pub adoption_namespaces: Namespaces,
    /// Who may bring machines, snapshots and databases that are there already into clusters made with them.
    pub attach_namespaces: Namespaces,
    /// The administrator's tags for every cluster that is created, by key.
    pub default_tags: BTreeMap<String, String>,
}

/// A choice of namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    All,
    Only(Vec<String>),
}

impl Namespaces {
    /// The word that means all of them.
    pub const ALL: &str = "*";

    /// As they are written in a flag: names, none, or `*` for all.
    pub fn named(names: &[String]) -> Namespaces {
        if names.iter().any(|name| name == Self::ALL) { Namespaces::All } else { Namespaces::Only(names.to_vec()) }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Namespaces::Only(names) if names.iter().all(String::is_empty))
    }

    fn allow(&self, namespace: &str) -> bool {
        match self {
            Namespaces::All => true,
            Namespaces::Only(names) => names.iter().any(|name| name == namespace),
        }
    }
}

impl Settings {
    /// A Secret is read at most this often.
    fn secret_interval(&self) -> Duration {
        Duration::try_from(self.rules.poll_busy.max(SignedDuration::ZERO) * 2).unwrap_or_default()
    }

    /// Whether the operator has credentials that serve nobody, as after an upgrade from a version in which they served
    /// all.
    pub fn credentials_are_idle(&self) -> bool {
        self.credentials.is_some() && self.default_credentials_namespaces.is_empty()
    }
}

/// What all passes share of the process. Losing it costs a call, never a cluster.
pub struct Env {
    client: Client,
    pub settings: Settings,
    accounts: Accounts,
    pub objects: Objects,
    credentials: secrets::Cache,
    memory: Memory,
    definition: definition::Definition,
    recorder: Recorder,
}

/// What comes after a pass.
pub enum Next {
    /// Another one then, at the latest.
    Rest(Action),
    /// Another one as soon as it is the turn of what this one wants to ask of ACK.
    Turn(Queue),
}

/// A place to wait for a turn at.
pub struct Queue {
    client: ack::Client,
    region: Region,
    urgency: Urgency,
}

impl Queue {
    /// Waits, holding nothing.
    ///
    /// # Errors
    /// When to queue again.
    pub async fn turn(self) -> Result<Turn, Duration> {
        let turn = self.client.turn(&self.region, self.urgency, Duration::MAX).await;
        turn.map_err(|error| error.retry_after().unwrap_or_default().clamp(AGAIN, 10 * AGAIN))
    }

    fn expected(&self) -> Duration {
        self.client.expected(&self.region, self.urgency)
    }
}

/// Why a pass could not come to its end. A trouble of ACK is a verdict, not an error, and never gets here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the pass took {STEPS} steps without coming to rest")]
    Restless,
}

impl Env {
    pub fn new(client: Client, accounts: Accounts, objects: Objects, memory: Memory, settings: Settings) -> Env {
        let reporter = Reporter { controller: "ack-operator".into(), instance: std::env::var("POD_NAME").ok() };
        Env {
            recorder: Recorder::new(client.clone(), reporter),
            client,
            settings,
            accounts,
            objects,
            credentials: secrets::Cache::default(),
            memory,
            definition: definition::Definition::default(),
        }
    }

    /// Looks whether the API server keeps what passes write, and says so in the log where it does not.
    pub async fn check_definition(&self) {
        if let Err(trouble) = self.definition.keeps(&self.client, self.settings.secret_interval()).await {
            tracing::error!(reason = trouble.reason.map(tracing::field::display), "{}", trouble.note);
        }
    }

    /// How long this object may still be left alone: it is as people wrote it when its last pass came to rest.
    pub fn resting(&self, object: &Watched) -> Option<Duration> {
        let rest = self.memory.get(&object.uid()?).rest?;
        if rest.edition == object.edition { rest.until.checked_duration_since(Instant::now()) } else { None }
    }

    /// A pass could not end: counts it, and answers how many did so before in a row.
    pub fn stumble(&self, object: &Watched) -> u32 {
        let uid = object.uid().unwrap_or_default();
        self.memory.stumble(&uid, || self.objects.has(&ObjectRef::from_obj(object), &uid))
    }

    /// The object is gone.
    pub fn forget(&self, uid: &str) {
        self.memory.forget(uid);
    }

    /// Keeps what is known of these objects, and forgets all others.
    pub fn keep_only(&self, known: impl Fn(&str) -> bool) {
        self.memory.retain(known);
    }

    async fn publish(
        &self,
        regarding: &ObjectReference,
        warning: bool,
        reason: &str,
        action: &str,
        note: &str,
    ) -> Result<(), store::Error> {
        let event = Event {
            type_: if warning { EventType::Warning } else { EventType::Normal },
            reason: reason.to_owned(),
            note: Some(note.chars().take(1000).collect()),
            action: action.to_owned(),
            secondary: None,
        };
        store::within(self.recorder.publish(&event, regarding)).await
    }

    /// One pass over this object, with the turn that the last one queued for.
    pub async fn pass(&self, object: &Watched, turn: Option<Turn>) -> Result<Next, Error> {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        if turn.is_none()
            && let Some(wait) = glance::still(self, object).await
        {
            return Ok(Next::Rest(Action::requeue(wait)));
        }
        let store = Store::new(self.client.clone(), &namespace, &name, self.settings.selector.clone());
        let uid = object.uid().unwrap_or_default();
        // Large, and only here: the many that only look at a list hold nothing of it.
        let steps = Box::pin(self.steps(store.clone(), &uid, turn));
        match survive(steps).await {
            Ok(Err(Error::Store(store::Error::Unreadable(unreadable)))) => {
                let Unreadable { metadata, conditions, why } = *unreadable;
                let note = format!("this object cannot be understood, so nothing is done for it: {why}");
                let verdict = Verdict::unreadable(note.as_str());
                Box::pin(self.complain(&store, metadata, conditions, verdict)).await
            }
            Ok(outcome) => outcome,
            Err(Panicked) => {
                self.memory.forget(&uid);
                let Some(object) = store.select().await?.filter(|fresh| fresh.uid().as_deref() == Some(&uid)) else {
                    return Ok(Next::Rest(Action::await_change()));
                };
                let note = "this operator has a defect that shows at this object, so nothing is done for it until the \
                            next try; the log says where, report that";
                let conditions = object.status.map(|status| status.conditions).unwrap_or_default();
                Box::pin(self.complain(&store, object.metadata, conditions, Verdict::defect(note))).await
            }
        }
    }

    async fn steps(&self, store: Store, uid: &str, turn: Option<Turn>) -> Result<Next, Error> {
        // The judgement of another pass may have come while this one waited for its turn.
        let entry = self.memory.get(uid);
        let Some((object, _room)) = store.open().await?.filter(|(fresh, _)| fresh.uid().as_deref() == Some(uid)) else {
            self.memory.forget(uid);
            return Ok(Next::Rest(Action::await_change()));
        };
        let mut pass = Pass::begin(self, store, object, entry, turn)?;
        for _ in 0..STEPS {
            let flow = match decide(&pass.view, &self.settings.rules) {
                Step::Look(wanted) => {
                    tracing::debug!(look = ?wanted);
                    look::look(&mut pass, wanted).await;
                    if pass.queue.is_some() { Flow::Turn } else { Flow::On }
                }
                Step::Act(wanted) => {
                    tracing::debug!(act = ?wanted);
                    act::act(&mut pass, wanted).await?
                }
                Step::Rest(verdict) => match pass.rest(verdict).await? {
                    Ended::Resting(wait) => return Ok(Next::Rest(Action::requeue(wait))),
                    Ended::Overtaken(flow) => flow,
                },
            };
            match flow {
                Flow::On => {}
                Flow::End => {
                    self.memory.forget(uid);
                    return Ok(Next::Rest(Action::await_change()));
                }
                Flow::Turn => {
                    if let Some(queue) = pass.queue.take() {
                        pass.keep();
                        return Ok(Next::Turn(queue));
                    }
                }
            }
        }
        Err(Error::Restless)
    }

    /// An object for which nothing can be done says so. Where it is so broken that the API
    /// server takes no status for it (a rule meets a wrong type), the event remains.
    async fn complain(
        &self,
        store: &Store,
        metadata: ObjectMeta,
        conditions: Vec<Condition>,
        verdict: Verdict,
    ) -> Result<Next, Error> {
        let note = verdict.work.note();
        tracing::warn!(namespace = metadata.namespace, name = metadata.name, note);
        let mut status = AckClusterStatus { conditions: conditions.clone(), ..AckClusterStatus::default() };
        report::conditions(&mut status, &metadata, &verdict, Timestamp::now());
        if status.conditions != conditions {
            match store.write_conditions(&metadata, &status.conditions).await {
                Ok(()) => {}
                Err(error) if error.is_invalid() => tracing::debug!(%error, "the object takes no status"),
                Err(error) => return Err(error.into()),
            }
            let kind = ApiResource::erase::<AckCluster>(&());
            let regarding = DynamicObject { types: None, metadata, data: Value::Null }.object_ref(&kind);
            let reason = verdict.work.reason().map(|reason| reason.to_string()).unwrap_or_default();
            if let Err(error) = self.publish(&regarding, true, &reason, "Reconcile", note).await {
                tracing::debug!(%error, "the event was not taken");
            }
        }
        let idle = self.settings.rules.poll_idle;
        Ok(Next::Rest(Action::requeue(Duration::try_from(idle).unwrap_or(Duration::from_secs(300)))))
    }
}

/// A pass panicked; the panic hook has logged where.
#[derive(Debug)]
struct Panicked;

/// A defect that one object brings out must not end the process for all others.
async fn survive<T>(pass: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(pass).catch_unwind().await.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pass_that_panics_ends_nothing_but_itself() {
        assert_eq!(survive(async { 7 }).await.expect("no panic"), 7);
        let defect = async {
            tokio::task::yield_now().await;
            panic!("a defect");
        };
        survive::<()>(defect).await.expect_err("it panicked");
    }
}
