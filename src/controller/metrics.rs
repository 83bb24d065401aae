//! What the operator tells of its work in numbers: its passes under controller-runtime's names, and the clusters as the
//! caches have them at the moment of a scrape, so that nothing is told of an object that is gone. A label is a closed word
//! or the name of an object, never a text of ACK.

use std::fmt;
use std::time::Instant;

use kube::ResourceExt;
use kube_runtime::controller::Action;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Error, Orphans};
use crate::ack::State;
use crate::cache::{Objects, Watched};
use crate::pass::{Memory, Next};

type Words<const N: usize> = [(&'static str, &'static str); N];

/// What is told of an object, if anything: a label beside its name, and the value.
type Told = Option<(Option<(&'static str, String)>, i64)>;

/// Buckets of controller-runtime, so that dashboards made for it fit.
const SECONDS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5,
    1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0,
];

/// Numbers about passes, the lease and the clusters. Clones count together.
#[derive(Clone)]
pub(super) struct Metrics {
    passes: Family<Words<1>, Counter>,
    failed: Counter,
    seconds: Histogram,
    active: Gauge,
    watches_failed: Counter,
    leads: Family<[(&'static str, String); 1], Gauge>,
}

impl Metrics {
    /// All at nought, and known to `registry`. Two of controller-runtime's are left out, because they would not mean the
    /// same here: max_concurrent_reconciles, since the bound is one for each account and region, and workqueue_depth.
    pub fn new(registry: &mut Registry, objects: &Objects, memory: &Memory, orphans: &Orphans) -> Metrics {
        let metrics = Metrics {
            passes: Family::default(),
            failed: Counter::default(),
            seconds: Histogram::new(SECONDS),
            active: Gauge::default(),
            watches_failed: Counter::default(),
            leads: Family::default(),
        };
        for result in ["success", "error", "requeue", "requeue_after"] {
            let _ = metrics.passes.get_or_create(&[("result", result)]);
        }
        let ours = registry.sub_registry_with_labels([("controller".into(), "ackcluster".into())].into_iter());
        ours.register("controller_runtime_reconcile", "Reconciliations by result", metrics.passes.clone());
        ours.register("controller_runtime_reconcile_errors", "Reconciliations that failed", metrics.failed.clone());
        ours.register("controller_runtime_reconcile_time_seconds", "How long one took", metrics.seconds.clone());
        ours.register("controller_runtime_active_workers", "Reconciliations under way", metrics.active.clone());
        registry.register("leader_election_master_status", "1 for who holds the lease", metrics.leads.clone());
        let help = "Failures of the watches of AckClusters; while they go on, changes are not seen";
        registry.register("ackoperator_watch_failures", help, metrics.watches_failed.clone());
        registry.register_collector(Box::new(Clusters(objects.clone(), memory.clone())));
        registry.register_collector(Box::new(orphans.clone()));
        metrics
    }

    /// Counts one pass and the time it took.
    pub(super) async fn measure(&self, pass: impl Future<Output = Result<Next, Error>>) -> Result<Next, Error> {
        let begun = Instant::now();
        self.active.inc();
        let outcome = pass.await;
        self.active.dec();
        self.seconds.observe(begun.elapsed().as_secs_f64());
        let result = match &outcome {
            Ok(Next::Rest(action)) if *action == Action::await_change() => "success",
            Ok(Next::Rest(_)) => "requeue_after",
            Ok(Next::Turn(_)) => "requeue",
            Err(_) => {
                self.failed.inc();
                "error"
            }
        };
        self.passes.get_or_create(&[("result", result)]).inc();
        outcome
    }

    pub(super) fn watch_failed(&self) {
        self.watches_failed.inc();
    }

    /// Whether this process holds the lease of that name.
    pub(super) fn leads(&self, name: &str, yes: bool) {
        self.leads.get_or_create(&[("name", name.to_owned())]).set(yes.into());
    }
}

/// Told at each scrape from what the watches have cached; a process that waits for the lease has nothing to tell.
struct Clusters(Objects, Memory);

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clusters")
    }
}

impl Collector for Clusters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let objects = self.0.all();
        let mut family = |name, help, told: &dyn Fn(&Watched) -> Told| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for object in &objects {
                let Some((more, value)) = told(object) else { continue };
                let whose = [("namespace", object.namespace().unwrap_or_default()), ("name", object.name_any())];
                let labels: Vec<_> = whose.into_iter().chain(more).collect();
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
            Ok(())
        };
        family(
            "ackoperator_cluster_state",
            "The state of ACK that each cluster is in, none before there is one",
            &|o| Some((Some(("state", state(o).to_owned())), 1)),
        )?;
        family("ackoperator_cluster_stalled", "AckClusters for which a person must act, and why", &|o| {
            Some((Some(("reason", o.stalled.clone()?)), 1))
        })?;
        family("ackoperator_create_unconfirmed", "1 while it is not known what a request to create has made", &|o| {
            Some((None, o.intent.as_ref().is_some_and(|intent| intent.open).into()))
        })?;
        let kept = [("watched", objects.len()), ("remembered", self.1.count())];
        let help = "AckClusters that the process watches, and of which it remembers something";
        let mut family = encoder.encode_descriptor("ackoperator_objects", help, None, MetricType::Gauge)?;
        for (what, count) in kept {
            let count = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            count.encode(family.encode_family(&[("kept", what)])?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Orphans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Orphans")
    }
}

impl Collector for Orphans {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Living clusters with this installation's marks that belong to no AckCluster";
        let mut family = encoder.encode_descriptor("ackoperator_orphans", help, None, MetricType::Gauge)?;
        for (region, count) in self.counts() {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(family.encode_family(&[("region", region.to_string())])?)?;
        }
        Ok(())
    }
}

fn state(object: &Watched) -> &'static str {
    object.state.as_deref().map_or("none", |word| State::new(word).kind.word())
}
