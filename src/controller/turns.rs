//! Whose turn it is. The queue itself is unbounded: a bound over everybody would be filled by one account that hangs, and
//! then no other object came to its turn. So objects wait only for those that share their credentials and region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use kube::ResourceExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cache::Watched;

/// Namespace and name of the Secret (both empty for the operator's own credentials), and the region.
type Circle = (String, String, String);

/// So many passes at once in each circle; `None` once the operator stops.
pub(super) struct Turns {
    each: usize,
    circles: Mutex<Option<HashMap<Circle, Weak<Semaphore>>>>,
    /// Closed with them, and without a permit until then.
    open: Semaphore,
}

impl Turns {
    pub fn new(each: u16) -> Turns {
        Turns { each: each.into(), circles: Mutex::new(Some(HashMap::new())), open: Semaphore::new(0) }
    }

    /// Waits for this object's turn, which lasts as long as the permit. `None`: the operator stops, begin nothing.
    pub async fn take(&self, object: &Watched) -> Option<OwnedSemaphorePermit> {
        let region = object.region.clone();
        let circle = match &object.secret {
            Some(secret) => (object.namespace().unwrap_or_default(), secret.clone(), region),
            None => (String::new(), String::new(), region),
        };
        self.circle(circle)?.acquire_owned().await.ok()
    }

    fn circle(&self, circle: Circle) -> Option<Arc<Semaphore>> {
        let mut circles = self.circles.lock().expect("turns");
        let circles = circles.as_mut()?;
        if let Some(known) = circles.get(&circle).and_then(Weak::upgrade) {
            return Some(known);
        }
        circles.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.each));
        circles.insert(circle, Arc::downgrade(&new));
        Some(new)
    }

    /// Comes back when nobody gets a turn any more.
    pub async fn closed(&self) {
        let _ = self.open.acquire().await;
    }

    /// From now on nobody gets a turn, and those who wait for one are sent away.
    pub fn close(&self) {
        self.open.close();
        let circles = self.circles.lock().expect("turns").take();
        circles.into_iter().flatten().filter_map(|(_, circle)| circle.upgrade()).for_each(|circle| circle.close());
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use serde_json::json;

    use super::*;

    fn object(secret: Option<&str>, region: &str) -> Watched {
        let mut object = json!({
            "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster",
            "metadata": {"name": "demo", "namespace": "a"},
            "spec": {"region_id": region, "cluster_type": "ManagedKubernetes"},
        });
        if let Some(name) = secret {
            object["spec"]["credentialsRef"] = json!({"name": name});
        }
        serde_json::from_value(object).unwrap()
    }

    #[tokio::test]
    async fn objects_wait_only_for_those_that_share_credentials_and_region() {
        let turns = Turns::new(1);
        let now = |object: Watched| turns.take(&object).now_or_never().flatten();
        let held = now(object(Some("bad"), "cn-x")).expect("the first one");
        assert!(now(object(Some("bad"), "cn-x")).is_none(), "the circle is full");
        for other in [object(Some("good"), "cn-x"), object(Some("bad"), "cn-y"), object(None, "cn-x")] {
            assert!(now(other).is_some());
        }
        drop(held);
        assert!(now(object(Some("bad"), "cn-x")).is_some());
    }

    #[tokio::test]
    async fn nobody_waits_once_the_operator_stops() {
        let turns = Turns::new(1);
        let _held = turns.take(&object(None, "cn-x")).await.expect("the first one");
        let other = object(None, "cn-x");
        let waiting = turns.take(&other);
        turns.close();
        assert!(waiting.await.is_none());
        assert!(turns.take(&object(None, "cn-y")).await.is_none());
    }
}
