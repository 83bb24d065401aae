//! Clusters that carry this installation's marks and belong to no object, as the shared lists show them: counted, told in
//! the log, never touched. There is no object that could carry a condition or an event, so log and metric are the place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::ResourceExt;

use super::look::{state, tag};
use super::view::nonces;
use super::{Context, Guarded};
use crate::ack::{ListedCluster, RegionList, StateKind};
use crate::api;
use crate::decide::State;
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
        let found = orphaned(context, &objects, list);
        place.seen.retain(|id, _| found.iter().any(|cluster| cluster.id == *id));
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

fn tell(region: &Region, cluster: &ListedCluster) {
    let word = |key| tag(cluster, key).unwrap_or_default();
    let (namespace, name, nonce) = (word(api::tag::NAMESPACE), word(api::tag::NAME), word(api::tag::INTENT));
    tracing::warn!(
        cluster_id = %cluster.id, %region, namespace, name,
        "orphan: this cluster was made for an AckCluster that does not exist any more; nothing is done about it, and it \
         costs money. To take it over: an AckCluster with spec.adoptClusterId: {} and the annotation \
         ackoperator.dev/take-over={nonce}. If nobody needs it, delete it in the console",
        cluster.id
    );
}

/// Living clusters of this installation, made for namespaces that are watched, which no object knows as its own.
fn orphaned<'a>(context: &Context, objects: &[Arc<Guarded>], list: &'a RegionList) -> Vec<&'a ListedCluster> {
    let settings = &context.settings;
    let watched =
        |namespace: &str| settings.namespaces.is_empty() || settings.namespaces.iter().any(|n| n == namespace);
    let readable = || objects.iter().filter_map(|object| object.0.as_ref().ok());
    let recorded = readable().filter_map(|object| object.status.as_ref()?.cluster_id.as_deref());
    let adopted = readable().filter_map(|object| object.spec.adopt_cluster_id.as_deref());
    let known: HashSet<&str> = recorded.chain(adopted).collect();
    let names: HashMap<_, _> =
        objects.iter().map(|object| ((object.namespace().unwrap_or_default(), object.name_any()), object)).collect();
    let made_by_an_object = |cluster: &ListedCluster, namespace: &str| {
        let name = tag(cluster, api::tag::NAME).unwrap_or_default();
        names.get(&(namespace.to_owned(), name.to_owned())).is_some_and(|object| match &object.0 {
            Ok(object) => {
                let ours = nonces(object, &settings.installation);
                tag(cluster, api::tag::INTENT).is_some_and(|mark| ours.iter().any(|nonce| nonce.as_str() == mark))
            }
            // Of one that cannot be read nobody can say what is not its own.
            Err(_) => true,
        })
    };
    let stays = |kind: StateKind| state(kind).is_some_and(|state| state != State::Deleting);
    let orphan = |cluster: &&ListedCluster| {
        stays(cluster.state.kind)
            && tag(cluster, api::tag::INSTALLATION) == Some(settings.installation.as_str())
            && tag(cluster, api::tag::NAMESPACE)
                .is_some_and(|namespace| watched(namespace) && !made_by_an_object(cluster, namespace))
            && !known.contains(cluster.id.as_str())
    };
    list.clusters.iter().filter(orphan).collect()
}
