//! The shell around the judgement: watches AckClusters, runs passes over them, a bounded number at a time, and stops
//! gracefully. Holds no logic about clusters.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt, future, stream};
use kube::api::Api;
use kube::{Client, ResourceExt};
use kube_runtime::controller::{self, Action, Controller};
use kube_runtime::reflector::{self, ObjectRef, Store};
use kube_runtime::watcher::{self, Event, watcher};
use kube_runtime::{WatchStreamExt, reflector::store::Writer};

use crate::ack::Accounts;
use crate::cache::{Objects, Watched};
use crate::pass::{self, Env, Error, Memory, Next};
use crate::telemetry::{Health, Registry};

mod flags;
mod lease;
mod metrics;
mod orphans;
mod turns;

pub use flags::{FlagError, Flags};
pub use lease::Lost;
use metrics::Metrics;
use orphans::Orphans;

/// What the process is told by its flags.
pub struct Settings {
    /// Namespaces to watch; empty: all.
    pub namespaces: Vec<String>,
    /// How many objects of one region that share their credentials are worked on at once.
    pub concurrency: u16,
    /// The lease to hold while working; `None`: work at once.
    pub election: Option<Election>,
    /// What its passes are told.
    pub pass: pass::Settings,
}

/// Which lease makes one of several operators the one that works.
#[derive(Clone, Debug)]
pub struct Election {
    /// `None`: the pod's own namespace, or the kubeconfig's.
    pub namespace: Option<String>,
    pub name: String,
}

/// The queue's bound is global, so it would be everybody's trouble when one account hangs; see [`turns`].
const UNBOUNDED: u16 = 0;

/// How many objects a page of a list has. One may be 1.5 MB, and a page is in memory as a whole.
const PAGE: u32 = 16;

/// The operator: what it is told, and the figures that it makes known. [`Operator::run`] starts it.
pub struct Operator {
    settings: Settings,
    accounts: Accounts,
    objects: Objects,
    memory: Memory,
    orphans: Orphans,
    metrics: Metrics,
}

/// What the queue needs beside the passes.
struct Context {
    env: Env,
    turns: turns::Turns,
    metrics: Metrics,
    health: Health,
    /// `None`: nobody else works.
    lease: Option<Arc<lease::Lease>>,
}

impl Operator {
    /// All its figures at nought, and known to `registry`.
    pub fn new(settings: Settings, accounts: Accounts, registry: &mut Registry) -> Self {
        accounts.register(registry);
        let (objects, memory, orphans) = (Objects::default(), Memory::default(), Orphans::default());
        let metrics = Metrics::new(registry, &objects, &memory, &orphans);
        Operator { settings, accounts, objects, memory, orphans, metrics }
    }

    /// Runs until `stop` is ready and the passes under way have ended. `health` is told of the first list, of
    /// watches that fail, and of passes.
    ///
    /// # Errors
    /// The lease was lost. Whoever holds it now works on, and this process must not.
    pub async fn run(
        self,
        client: Client,
        health: Health,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Lost> {
        let Some(election) = self.settings.election.clone() else {
            self.work(client, None, health, stop).await;
            return Ok(());
        };
        let lease = Arc::new(lease::Lease::new(&client, &election, self.metrics.clone()));
        let waits = health.clone();
        let waits = move || waits.ready();
        lease::lead(lease.clone(), waits, stop.shared(), |stop| self.work(client, Some(lease), health, stop)).await
    }

    async fn work(
        self,
        client: Client,
        lease: Option<Arc<lease::Lease>>,
        health: Health,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let Operator { settings, accounts, objects, memory, orphans, metrics } = self;
        if settings.pass.credentials_are_idle() {
            tracing::warn!(
                "the operator has credentials of its own, and no namespace may use them: name some in \
                 --default-credentials-namespaces, or give * for all"
            );
        }
        // Behind a selector there are objects that are not seen here, whose clusters would look like nobody's.
        if settings.pass.selector.is_none() {
            let place = orphans::Place::new(&settings, objects.clone());
            accounts.show_lists_to(move |account, region, list| orphans.judge(&place, account, region, list));
        }
        let apis = apis(&client, &settings.namespaces);
        let turns = turns::Turns::new(settings.concurrency);
        let selected = watcher::Config { label_selector: settings.pass.selector.clone(), ..watcher::Config::default() };
        let selected = selected.page_size(PAGE);
        let env = Env::new(client, accounts, objects.clone(), memory, settings.pass);
        let context = Arc::new(Context { env, turns, metrics, health: health.clone(), lease });
        let closing = context.clone();
        let stop = stop.inspect(move |()| closing.turns.close()).shared();
        let (readers, writers): (Vec<_>, Vec<_>) = apis.iter().map(|_| reflector::store()).unzip();
        objects.set(readers.clone());
        let streams = apis.into_iter().zip(writers);
        let passes = stream::select_all(streams.zip(&readers).enumerate().map(|(number, ((api, writer), reader))| {
            let objects = watch(number, watcher(api, selected.clone()), writer, context.clone());
            Controller::for_stream(objects, reader.clone())
                .with_config(controller::Config::default().concurrency(UNBOUNDED))
                .graceful_shutdown_on(stop.clone())
                .run(reconcile, again, context.clone())
                .boxed()
        }));
        let first_list = async move {
            context.env.check_definition().await;
            let known = future::join_all(readers.iter().map(Store::wait_until_ready)).await;
            if known.iter().all(Result::is_ok) {
                objects.complete();
            }
            health.ready();
        };
        let work = passes.for_each(|result| async move { tell(result) });
        let (work, first_list) = (std::pin::pin!(work), std::pin::pin!(first_list));
        if let future::Either::Left(((), work)) = future::select(first_list, work).await {
            work.await;
        }
    }
}

/// One for each namespace; without one, one for all.
fn apis(client: &Client, namespaces: &[String]) -> Vec<Api<Watched>> {
    match namespaces {
        [] => vec![Api::all(client.clone())],
        some => some.iter().map(|namespace| Api::namespaced(client.clone(), namespace)).collect(),
    }
}

/// What became of a pass, or of a watch, for the log.
fn tell(result: Result<(ObjectRef<Watched>, Action), controller::Error<Error, watcher::Error>>) {
    match result {
        Ok((object, _)) => tracing::trace!(%object, "passed"),
        Err(error @ controller::Error::ObjectNotFound(_)) => tracing::trace!(%error),
        Err(controller::Error::QueueError(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "AckClusters cannot be watched; trying again");
        }
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a pass failed"),
    }
}

/// The objects that changed. What is kept of them, and of those that go, follows each event.
fn watch(
    number: usize,
    events: impl Stream<Item = watcher::Result<Event<Watched>>> + Send + 'static,
    writer: Writer<Watched>,
    context: Arc<Context>,
) -> impl Stream<Item = watcher::Result<Watched>> + Send + 'static {
    let kept = events.default_backoff().reflect(writer).inspect(move |event| {
        let event = match event {
            Ok(event) => event,
            Err(_) => {
                context.metrics.watch_failed();
                return context.health.failed(number);
            }
        };
        // That one is told before a list is asked for, whether or not it can be had.
        if !matches!(event, Event::Init) {
            context.health.heard(number);
        }
        let env = &context.env;
        env.objects.heed(event);
        match event {
            Event::Delete(object) => env.forget(&object.uid().unwrap_or_default()),
            // Some may have gone while nobody watched. Before all watches have their first list nothing is remembered.
            Event::InitDone => {
                if let Some(known) = env.objects.all_known() {
                    let known: std::collections::HashSet<_> = known.iter().filter_map(|object| object.uid()).collect();
                    env.keep_only(|uid| known.contains(uid));
                }
            }
            Event::Apply(_) | Event::Init | Event::InitApply(_) => {}
        }
    });
    kept.applied_objects()
}

/// Reconciles one object; the action says when to look again at the latest.
async fn reconcile(object: Arc<Watched>, context: Arc<Context>) -> Result<Action, Error> {
    if let Some(left) = context.env.resting(&object) {
        return Ok(Action::requeue(left));
    }
    let mut turn = None;
    loop {
        let Some(permit) = context.turns.take(&object).await else { return Ok(Action::await_change()) };
        // A process that slept through the end of its lease finds its timers due before it finds that out. It may also turn
        // out that nobody else has taken it, so the object is not forgotten.
        if context.lease.as_ref().is_some_and(|lease| !lease.held()) {
            return Ok(Action::requeue(lease::RETRY));
        }
        let under_way = context.health.pass();
        // On the heap, so that those who wait for their turn take no room.
        let queue = match Box::pin(context.metrics.measure(context.env.pass(&object, turn.take()))).await? {
            Next::Rest(action) => return Ok(action),
            Next::Turn(queue) => queue,
        };
        // Whoever waits for a turn holds nothing that others wait for.
        drop((permit, under_way));
        let (waiting, closed) = (std::pin::pin!(queue.turn()), std::pin::pin!(context.turns.closed()));
        turn = match future::select(waiting, closed).await {
            future::Either::Left((Ok(turn), _)) => Some(turn),
            future::Either::Left((Err(again), _)) => return Ok(Action::requeue(again)),
            future::Either::Right(_) => return Ok(Action::await_change()),
        };
    }
}

/// When to try again after a pass that could not end: soon, then ever more slowly, for what the API server refuses once
/// it may refuse for hours.
fn again(object: Arc<Watched>, error: &Error, context: Arc<Context>) -> Action {
    let (Error::Store(_) | Error::Restless) = error;
    Action::requeue(Duration::from_secs(2 << context.env.stumble(&object).min(7)))
}
