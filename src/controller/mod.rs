//! The shell around the judgement: watches AckClusters, runs passes over them, a bounded number at a time, and stops
//! gracefully. Holds no logic about clusters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{FutureExt, StreamExt, future, stream};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::Api;
use kube::core::DeserializeGuard;
use kube::{Client, ResourceExt};
use kube_runtime::controller::{self, Action, Controller};
use kube_runtime::events::{Event, EventType, Recorder, Reporter};
use kube_runtime::reflector::Store as Cache;
use kube_runtime::watcher;

use crate::ack::{Accounts, Credentials};
use crate::api::AckCluster;
use crate::decide::Rules;
use crate::sight::Recorded;

mod act;
mod ask;
mod definition;
mod flags;
mod kubeconfig;
mod lease;
mod look;
mod memory;
mod metrics;
mod orphans;
mod pass;
mod reconcile;
pub mod report;
mod secrets;
mod store;
mod turns;
mod view;

pub use flags::{FlagError, Flags};
pub use lease::Lost;
pub use metrics::Metrics;
pub use orphans::Orphans;
pub use reconcile::Error;

/// What the operator is told by its flags.
pub struct Settings {
    /// Namespaces to watch; empty: all.
    pub namespaces: Vec<String>,
    /// Label selector of the objects to watch; `None`: all.
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
    /// How many objects of one region that share their credentials are worked on at once.
    pub concurrency: u16,
    /// What is found of orphans, for whoever keeps a clone to tell it.
    pub orphans: Orphans,
    /// The administrator's tags for every cluster that is created, by key.
    pub default_tags: BTreeMap<String, String>,
    /// The lease to hold while working; `None`: work at once.
    pub election: Option<Election>,
}

/// Which lease makes one of several operators the one that works.
#[derive(Clone, Debug)]
pub struct Election {
    /// `None`: the pod's own namespace, or the kubeconfig's.
    pub namespace: Option<String>,
    pub name: String,
}

/// A choice of namespaces.
#[derive(Clone, Debug)]
pub enum Namespaces {
    All,
    Only(Vec<String>),
}

impl Namespaces {
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
}

/// The queue's bound is global, so it would be everybody's trouble when one account hangs; see [`turns`].
const UNBOUNDED: u16 = 0;

type Guarded = DeserializeGuard<AckCluster>;

/// What all passes share. Losing it costs a call, never a cluster.
struct Context {
    client: Client,
    settings: Settings,
    accounts: Accounts,
    credentials: secrets::Cache,
    memory: memory::Memory,
    turns: turns::Turns,
    definition: definition::Definition,
    recorder: Recorder,
    metrics: Metrics,
    /// Every cache has had its first list.
    complete: AtomicBool,
    /// `None`: nobody else works.
    lease: Option<Arc<lease::Lease>>,
}

impl Context {
    /// Every object that is watched; `None` before all of them are known.
    fn objects(&self) -> Option<Vec<Arc<Guarded>>> {
        let caches = self.metrics.caches.get().filter(|_| self.complete.load(Ordering::Acquire))?;
        Some(caches.iter().flat_map(Cache::state).collect())
    }

    /// Every id that a watched object records, as the caches have it.
    fn recorded(&self) -> Vec<Recorded> {
        let caches = self.metrics.caches.get().map(Vec::as_slice).unwrap_or_default();
        let objects = caches.iter().flat_map(|cache| cache.state());
        objects.filter_map(|guarded| view::recorded(guarded.0.as_ref().ok()?)).collect()
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
}

/// Runs until `stop` is ready and the passes under way have ended. `ready` is called once the first list is in, or
/// another operator is seen to lead.
///
/// # Errors
/// The lease was lost. Whoever holds it now works on, and this process must not.
pub async fn run(
    client: Client,
    accounts: Accounts,
    settings: Settings,
    metrics: Metrics,
    ready: impl Fn(),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Lost> {
    let Some(election) = settings.election.clone() else {
        work(client, accounts, settings, metrics, None, ready, stop).await;
        return Ok(());
    };
    let lease = Arc::new(lease::Lease::new(&client, &election, metrics.clone()));
    lease::lead(lease.clone(), &ready, stop.shared(), |stop| {
        work(client, accounts, settings, metrics, Some(lease), &ready, stop)
    })
    .await
}

async fn work(
    client: Client,
    accounts: Accounts,
    settings: Settings,
    metrics: Metrics,
    lease: Option<Arc<lease::Lease>>,
    watching: impl FnOnce(),
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let reporter = Reporter { controller: "ack-operator".into(), instance: std::env::var("POD_NAME").ok() };
    let apis: Vec<Api<Guarded>> = if settings.namespaces.is_empty() {
        vec![Api::all(client.clone())]
    } else {
        settings.namespaces.iter().map(|namespace| Api::namespaced(client.clone(), namespace)).collect()
    };
    let context = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        turns: turns::Turns::new(settings.concurrency),
        definition: definition::Definition::default(),
        settings,
        accounts,
        credentials: secrets::Cache::default(),
        memory: memory::Memory::default(),
        metrics,
        complete: AtomicBool::new(false),
        lease,
    });
    let closing = context.clone();
    let stop = stop.inspect(move |()| closing.turns.close()).shared();
    let selected = watcher::Config { label_selector: context.settings.selector.clone(), ..watcher::Config::default() };
    let controllers: Vec<_> = apis.into_iter().map(|api| Controller::new(api, selected.clone())).collect();
    let caches: Vec<_> = controllers.iter().map(Controller::store).collect();
    let _ = context.metrics.caches.set(caches.clone());
    let passes = stream::select_all(controllers.into_iter().map(|controller| {
        controller
            .with_config(controller::Config::default().concurrency(UNBOUNDED))
            .graceful_shutdown_on(stop.clone())
            .run(reconcile::reconcile, again, context.clone())
            .boxed()
    }));
    let begun = context.clone();
    let first_list = async move {
        let Context { definition, client, settings, .. } = &*begun;
        if let Err(trouble) = definition.keeps(client, settings.secret_interval()).await {
            tracing::error!(reason = trouble.reason.map(tracing::field::display), "{}", trouble.note);
        }
        let known = future::join_all(caches.iter().map(Cache::wait_until_ready)).await;
        begun.complete.store(known.iter().all(Result::is_ok), Ordering::Release);
        watching();
    };
    let work = passes.for_each(|result| async move {
        match result {
            Ok((object, _)) => tracing::trace!(%object, "passed"),
            Err(error @ controller::Error::ObjectNotFound(_)) => tracing::trace!(%error),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a pass failed"),
        }
    });
    let (work, first_list) = (std::pin::pin!(work), std::pin::pin!(first_list));
    if let future::Either::Left(((), work)) = future::select(first_list, work).await {
        work.await;
    }
}

/// When to try again after a pass that could not end: soon, then ever more slowly, for what the API server refuses once
/// it may refuse for hours. A trouble of ACK is a verdict, not an error, and never gets here.
fn again(object: Arc<Guarded>, error: &Error, context: Arc<Context>) -> Action {
    let (Error::Store(_) | Error::Restless) = error;
    let streak = context.memory.stumble(&object.uid().unwrap_or_default());
    Action::requeue(Duration::from_secs(2 << streak.min(7)))
}
