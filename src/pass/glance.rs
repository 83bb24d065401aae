//! A look at a cluster by what is kept of its object: no read of the object, no write, and no call but the region's shared list.
//! Whatever is not as it was when that was found to be enough is left to a whole pass.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube_runtime::reflector::ObjectRef;

use super::Env;
use super::look::shown;
use super::marks::{self, Marks};
use super::memory::{Listed, Rest};
use super::secrets::{self, Holder};
use crate::ack::Age;
use crate::cache::Watched;
use crate::decide::{ByList, Glance, Rules};
use crate::sight;
use crate::terms::{ClusterId, Region};

/// Within so many polls of its start a process has read every cluster once, although the list showed nothing new.
const ANEW: i32 = 12;

/// How long the object may be left alone again; `None`: a pass has to find out.
pub(super) async fn still(env: &Env, object: &Watched) -> Option<Duration> {
    let uid = object.uid()?;
    let mut entry = env.memory.get(&uid);
    let before = entry.listed.as_ref().filter(|listed| listed.edition == object.edition);
    // What this process has judged is not known from another one.
    let settled = object.settled.as_ref().filter(|_| entry.rest.is_none());
    if before.is_none() && settled.is_none() {
        return None;
    }
    let (id, region) = (ClusterId::from(object.cluster_id.as_deref()?), Region::from(object.place.as_deref()?));
    let account = secrets::account(env, &Holder::from(object)).await.ok()?;
    let whose = account.id().await.ok()?;
    if before.is_some() && entry.identity.as_ref() != Some(&account.identity()) {
        return None;
    }
    let (rules, now) = (&env.settings.rules, account.gateway_now());
    let by_list = before.map_or_else(|| anew(object, &uid, rules, now), |before| before.by_list);
    let wait = by_list.until.map_or(by_list.every, |until| by_list.every.min(until.duration_since(now)));
    if wait <= SignedDuration::ZERO {
        return None;
    }
    let list = account.recent(&region, age(rules, by_list.every)).await.ok()?;
    let cluster = list.clusters.iter().find(|cluster| cluster.id == id)?;
    let marks = match before {
        Some(before) => Some(before.marks).filter(|marks| Marks::of(cluster) == *marks),
        None if Some(whose.as_str()) != object.account.as_deref() => None,
        None => Marks::seen(cluster, now).filter(|_| {
            settled.is_some_and(|told| *told == marks::settled(&uid, object.edition, cluster, &env.settings))
        }),
    }?;
    let me = object.me(&env.settings.installation);
    if sight::glance(&shown(&list.clusters), &id, &me, |_| true) == Glance::Crowded {
        return None;
    }
    let wait = Duration::try_from(wait).ok()?;
    entry.identity = Some(account.identity());
    entry.account = Some(account);
    entry.listed = Some(Listed { edition: object.edition, marks, by_list });
    entry.rest = Some(Rest { edition: object.edition, until: Instant::now() + wait });
    // What was last kept is kept, only longer.
    env.memory.put(&uid, entry, || env.objects.has(&ObjectRef::from_obj(object), &uid));
    Some(wait)
}

/// How old a list may be by which a cluster is followed: two pages are read in the time of a look, and no more.
pub(super) fn age(rules: &Rules, every: SignedDuration) -> Age {
    let time = |time| Duration::try_from(time).unwrap_or_default();
    Age { most: time(every), a_page: time(rules.follow() / 2) }
}

/// What another process found settled is believed as long as the list shows it so, and read once all the same: a list does
/// not show everything that may have been changed while no operator ran. Spread by the uid.
fn anew(object: &Watched, uid: &str, rules: &Rules, now: Timestamp) -> ByList {
    let part = uid.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    let read = now + rules.poll_idle + rules.poll_idle * ANEW / 256 * i32::from(part);
    let until = object.renew.map_or(read, |renew| renew.min(read));
    ByList { until: Some(until), every: rules.poll_idle, followed: None }
}
