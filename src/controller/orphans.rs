//! Clusters that carry this installation's marks and belong to no object, as the shared lists show them: counted, told in
//! the log, never touched. There is no object that could carry a condition or an event, so log and metric are the place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::ResourceExt;

use super::look::shown;
use super::view::who;
use super::{Context, Guarded};
use crate::ack::RegionList;
use crate::api::tag;
use crate::sight::{self, Shown};
use crate::terms::{AccountId, ClusterId, Region};

/// An orphan that stays is told again after that long.
const TOLD_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of orphans. Clones share it.
#[derive(Clone, Default)]
pub struct Orphans(Arc<Mutex<BTreeMap<(AccountId, Region), Place>>>);

/// One region, as one account sees it.
#[derive(Default)]
struct Place {
    /// When the list was asked for that was judged last.
    judged: Option<Instant>,
    seen: HashMap<ClusterId, Sighting>,
}

struct Sighting {
    /// The first list that showed it without an object began then.
    since: Timestamp,
    told: Option<Instant>,
}

impl Orphans {
    /// How many there are, by region; a region in which there was never one is absent. It is as of the last list, and a
    /// region is listed only as long as an object there is looked at.
    pub fn counts(&self) -> BTreeMap<Region, usize> {
        let mut counts = BTreeMap::new();
        for ((_, region), place) in &*self.0.lock().expect("orphans") {
            *counts.entry(region.clone()).or_default() += place.seen.values().filter(|one| one.told.is_some()).count();
        }
        counts
    }

    /// Judges a list, once however many objects share it. A cluster counts when a list begun `L` after the first one
    /// still shows it without an object: caches and lists lag, and an object may just be coming or going.
    pub(super) fn judge(&self, context: &Context, account: &AccountId, region: &Region, list: &RegionList) {
        // Behind a selector there are objects that are not seen here, whose clusters would look like nobody's.
        let all = context.settings.selector.is_none();
        let Some(objects) = context.objects().filter(|_| all && list.whole) else { return };
        let mut places = self.0.lock().expect("orphans");
        let place = places.entry((account.clone(), region.clone())).or_default();
        if place.judged.is_some_and(|judged| judged >= list.asked) {
            return;
        }
        place.judged = Some(list.asked);
        let clusters = shown(&list.clusters);
        let found = orphaned(context, &objects, &clusters);
        place.seen.retain(|id, _| found.iter().any(|cluster| cluster.id == id));
        for cluster in found {
            let first = Sighting { since: list.began, told: None };
            let sighting = place.seen.entry(cluster.id.clone()).or_insert(first);
            let late = list.began.duration_since(sighting.since) >= context.settings.rules.listed;
            if late && sighting.told.is_none_or(|told| told.elapsed() >= TOLD_AGAIN) {
                sighting.told = Some(Instant::now());
                tell(region, cluster);
            }
        }
    }
}

fn tell(region: &Region, cluster: &Shown<'_>) {
    let word = |key| cluster.tags.get(key).map(String::as_str).unwrap_or_default();
    let (namespace, name, nonce) = (word(tag::NAMESPACE), word(tag::NAME), word(tag::INTENT));
    tracing::warn!(
        cluster_id = %cluster.id, %region, namespace, name,
        "orphan: this cluster was made for an AckCluster that does not exist any more; nothing is done about it, and it \
         costs money. To take it over: an AckCluster with spec.adoptClusterId: {} and the annotation \
         ackoperator.dev/take-over={nonce}. If nobody needs it, delete it in the console",
        cluster.id
    );
}

/// Living clusters of this installation, made for namespaces that are watched, which no object knows as its own.
fn orphaned<'a, 'b>(context: &Context, objects: &[Arc<Guarded>], clusters: &'b [Shown<'a>]) -> Vec<&'b Shown<'a>> {
    let settings = &context.settings;
    let watched =
        |namespace: &str| settings.namespaces.is_empty() || settings.namespaces.iter().any(|n| n == namespace);
    let readable = || objects.iter().filter_map(|object| object.0.as_ref().ok());
    let recorded = readable().filter_map(|object| object.status.as_ref()?.cluster_id.as_deref());
    let adopted = readable().filter_map(|object| object.spec.adopt_cluster_id.as_deref());
    let known: HashSet<&str> = recorded.chain(adopted).collect();
    let names: HashMap<_, _> =
        objects.iter().map(|object| ((object.namespace().unwrap_or_default(), object.name_any()), object)).collect();
    let made = |namespace: &str, name: &str, mark: &str| {
        // An object that cannot be read may own the cluster.
        names.get(&(namespace.to_owned(), name.to_owned())).is_some_and(|object| {
            let me = object.0.as_ref().ok().and_then(|object| who(object, settings));
            me.is_none_or(|me| me.made(mark))
        })
    };
    sight::orphans(clusters, &settings.installation, &known, watched, made)
}
