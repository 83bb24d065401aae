//! A look at a settled cluster by what is kept of its object: no read of the object, no write, and no call but the region's shared
//! list. Whatever is not as it was when the cluster was found settled is left to a whole pass.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use kube::ResourceExt;
use kube_runtime::reflector::ObjectRef;

use super::Env;
use super::look::{marks_of, shown};
use super::memory::Rest;
use super::secrets::{self, Holder};
use crate::cache::Watched;
use crate::decide::Glance;
use crate::sight;
use crate::terms::{ClusterId, Region};

/// How long the object may be left alone again; `None`: a pass has to find out.
pub(super) async fn still(env: &Env, object: &Watched) -> Option<Duration> {
    let uid = object.uid()?;
    let mut entry = env.memory.get(&uid);
    let settled = entry.settled.as_ref().filter(|settled| settled.edition == object.edition)?;
    let (id, region) = (ClusterId::from(object.cluster_id.as_deref()?), Region::from(object.place.as_deref()?));
    let account = secrets::account(env, &Holder::from(object)).await.ok()?;
    if entry.identity.as_deref() != Some(account.identity()) {
        return None;
    }
    let idle = env.settings.rules.poll_idle;
    let wait = match settled.due {
        Some(due) => idle.min(due.duration_since(account.gateway_now())),
        None => idle,
    };
    if wait <= SignedDuration::ZERO {
        return None;
    }
    let list = account.recent(&region, Duration::try_from(idle).ok()?).await.ok()?;
    let same = |id: &ClusterId| {
        list.clusters.iter().find(|cluster| cluster.id == *id).is_some_and(|cluster| marks_of(cluster) == settled.marks)
    };
    if sight::glance(&shown(&list.clusters), &id, &object.me(&env.settings.installation), same) != Glance::Same {
        return None;
    }
    let wait = Duration::try_from(wait).ok()?;
    entry.account = Some(account);
    entry.rest = Some(Rest { edition: object.edition, until: Instant::now() + wait });
    // What was last kept is kept, only longer.
    env.memory.put(&uid, entry, || env.objects.has(&ObjectRef::from_obj(object), &uid));
    Some(wait)
}
