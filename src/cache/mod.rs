//! What the process keeps of the objects that it watches, for everybody who asks about another object than his own: the queue,
//! the metrics, and passes that find somebody's cluster in a list. Fed by the watches; never trusted for anything that is
//! written or sent, for which the object is read afresh.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use kube::ResourceExt;
use kube_runtime::reflector::{ObjectRef, Store};
use kube_runtime::watcher::Event;

use crate::sight::Recorded;

#[doc(hidden)]
pub mod fuzz;
mod lenient;
mod watched;

pub use watched::{Edition, Intent, Watched};

/// Every object that is watched. Clones are the same.
#[derive(Clone, Default)]
pub struct Objects(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// One for each watch.
    stores: OnceLock<Vec<Store<Watched>>>,
    /// Which objects may record a cluster, by its id. What stands here is looked up again, so it may be out of date.
    index: Mutex<HashMap<String, Vec<ObjectRef<Watched>>>>,
    complete: AtomicBool,
}

impl Objects {
    /// From now on these are asked.
    pub fn set(&self, stores: Vec<Store<Watched>>) {
        let _ = self.0.stores.set(stores);
    }

    /// Every watch has had its first list.
    pub fn complete(&self) {
        self.0.complete.store(true, Ordering::Release);
    }

    /// Every object; `None` before all of them are known.
    pub fn all_known(&self) -> Option<Vec<Arc<Watched>>> {
        self.0.complete.load(Ordering::Acquire).then(|| self.all())
    }

    /// Every object that is known so far.
    pub fn all(&self) -> Vec<Arc<Watched>> {
        self.stores().iter().flat_map(Store::state).collect()
    }

    /// Whether an object of that uid is known.
    pub fn has(&self, object: &ObjectRef<Watched>, uid: &str) -> bool {
        self.get(object).is_some_and(|found| found.uid().as_deref() == Some(uid))
    }

    /// The objects that record one of these clusters.
    pub fn recording<'a>(&self, clusters: impl Iterator<Item = &'a str>) -> Vec<Recorded> {
        let mut index = self.0.index.lock().expect("index");
        let mut found = vec![];
        for id in clusters {
            let Some(objects) = index.get_mut(id) else { continue };
            objects.retain(|object| match self.get(object).filter(|kept| kept.cluster_id.as_deref() == Some(id)) {
                Some(kept) => {
                    found.extend(kept.recorded());
                    true
                }
                None => false,
            });
            if objects.is_empty() {
                index.remove(id);
            }
        }
        found
    }

    /// Takes an event in, after its store has.
    pub fn heed(&self, event: &Event<Watched>) {
        let mut index = self.0.index.lock().expect("index");
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let Some(id) = &object.cluster_id else { return };
                let object = ObjectRef::from_obj(object);
                let objects = index.entry(id.clone()).or_default();
                if !objects.contains(&object) {
                    objects.push(object);
                }
            }
            Event::Delete(object) => {
                let (Some(id), object) = (&object.cluster_id, ObjectRef::from_obj(object)) else { return };
                if let Some(objects) = index.get_mut(id) {
                    objects.retain(|other| *other != object);
                    if objects.is_empty() {
                        index.remove(id);
                    }
                }
            }
            // Objects may have gone unseen.
            Event::InitDone => index.retain(|id, objects| {
                objects.retain(|object| self.get(object).is_some_and(|kept| kept.cluster_id.as_ref() == Some(id)));
                !objects.is_empty()
            }),
            Event::Init => {}
        }
    }

    fn get(&self, object: &ObjectRef<Watched>) -> Option<Arc<Watched>> {
        self.stores().iter().find_map(|store| store.get(object))
    }

    fn stores(&self) -> &[Store<Watched>] {
        self.0.stores.get().map(Vec::as_slice).unwrap_or_default()
    }
}
