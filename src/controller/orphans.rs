//! Clusters that carry this installation's marks and belong to no object, as the shared lists show them: counted, told in
//! the log, never touched. There is no object that could carry a condition or an event, so log and metric are the place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::Settings;
use crate::ack::RegionList;
use crate::api::tag;
use crate::cache::{Objects, Watched};
use crate::pass::shown;
use crate::sight::{self, Shown};
use crate::terms::{AccountId, ClusterId, Region};

/// An orphan that stays is told again after that long.
const TOLD_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of orphans. Clones share it.
#[derive(Clone, Default)]
pub struct Orphans(Arc<Mutex<BTreeMap<(AccountId, Region), Sightings>>>);

/// Whose clusters are looked for.
pub(super) struct Place {
    installation: String,
    /// Empty: all.
    namespaces: Vec<String>,
    objects: Objects,
    /// A list is so late at most.
    listed: SignedDuration,
}

impl Place {
    pub fn new(settings: &Settings, objects: Objects) -> Place {
        Place {
            installation: settings.pass.installation.clone(),
            namespaces: settings.namespaces.clone(),
            objects,
            listed: settings.pass.rules.listed,
        }
    }
}

/// One region, as one account sees it.
#[derive(Default)]
struct Sightings {
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
    pub(super) fn judge(&self, place: &Place, account: &AccountId, region: &Region, list: &RegionList) {
        if !list.whole {
            return;
        }
        let mut places = self.0.lock().expect("orphans");
        let sightings = places.entry((account.clone(), region.clone())).or_default();
        if sightings.judged.is_some_and(|judged| judged >= list.asked) {
            return;
        }
        let Some(objects) = place.objects.all_known() else { return };
        sightings.judged = Some(list.asked);
        let clusters = shown(&list.clusters);
        let found = orphaned(place, &objects, &clusters);
        sightings.seen.retain(|id, _| found.iter().any(|cluster| cluster.id == id));
        for cluster in found {
            let first = Sighting { since: list.began, told: None };
            let sighting = sightings.seen.entry(cluster.id.clone()).or_insert(first);
            let late = list.began.duration_since(sighting.since) >= place.listed;
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
fn orphaned<'a, 'b>(place: &Place, objects: &[Arc<Watched>], clusters: &'b [Shown<'a>]) -> Vec<&'b Shown<'a>> {
    let watched = |namespace: &str| place.namespaces.is_empty() || place.namespaces.iter().any(|n| n == namespace);
    let recorded = objects.iter().filter_map(|object| object.cluster_id.as_deref());
    let adopted = objects.iter().filter_map(|object| object.adopts.as_deref());
    let known: HashSet<&str> = recorded.chain(adopted).collect();
    let names: HashMap<_, _> =
        objects.iter().map(|object| ((object.namespace().unwrap_or_default(), object.name_any()), object)).collect();
    let made = |namespace: &str, name: &str, mark: &str| {
        let object = names.get(&(namespace.to_owned(), name.to_owned()));
        object.is_some_and(|object| object.me(&place.installation).made(mark))
    };
    sight::orphans(clusters, &place.installation, &known, watched, made)
}
