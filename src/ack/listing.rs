//! The list of one region's clusters: read page by page, judged whole or torn. Never concludes from it that something is
//! absent.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::Client;
use super::error::Error;
use super::model::ListedCluster;
use super::shared::{Serves, Shared};
use crate::terms::Region;

/// Default and maximum of the service are not known (ack-api d.3).
const PAGE_SIZE: usize = 50;

/// 10,000 clusters; an answer that has more pages is not believed to end.
const MOST_PAGES: usize = 200;

/// A list that takes longer is taken as it is, which is not whole.
const LONGEST_READING: Duration = Duration::from_secs(300);

/// The longest sleep for a list that shows to have begun after the moment that was asked for.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_millis(2500);

/// All clusters of a region that these keys may see, as one reading of all pages showed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionList {
    /// No later than the gateway's time just before the first page was asked for.
    pub began: Timestamp,
    /// That moment by the clock of this process, as time and for measuring ages.
    pub here: Timestamp,
    pub asked: Instant,
    /// The gateway's time when the last page had come, by our reckoning.
    pub finished: Timestamp,
    /// Every page named the same total, and that many different clusters were seen. A list that is not whole may lack
    /// clusters, because one slipped from one page to another.
    pub whole: bool,
    pub clusters: Vec<ListedCluster>,
}

/// How old a list may be.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    pub most: Duration,
    /// But so much for each of its pages: a long list is not read as often as a short one.
    pub a_page: Duration,
}

impl Age {
    fn of(self, list: &RegionList) -> Duration {
        let pages = u32::try_from(list.clusters.len().div_ceil(PAGE_SIZE)).unwrap_or(u32::MAX);
        self.most.max(self.a_page.saturating_mul(pages))
    }
}

/// One region's reader: the last list, and the queue for the next.
#[derive(Default)]
pub(super) struct Reader(Shared<Arc<RegionList>>);

impl Reader {
    /// The last list, whole or torn, if it is young enough, whoever reads another meanwhile; else that other one as it
    /// comes, or a new one. Cheaper than a list that began at a given moment.
    pub async fn recent(&self, client: &Client, region: &Region, age: Age) -> Result<Arc<RegionList>, Error> {
        let serves = |list: &Arc<RegionList>| match list.asked.elapsed() <= age.of(list) {
            true => Serves::Always,
            false => Serves::WhoWaited,
        };
        self.0.get(serves, async { read(client, region).await.map(Arc::new) }).await
    }

    /// A list that began at or after `begun_after`, the last whole one if it did. At most one is read at a time, and
    /// whoever waited for it takes it, torn as it may be: each would else read all pages again, one after the other.
    pub async fn list(
        &self,
        client: &Client,
        region: &Region,
        begun_after: Timestamp,
    ) -> Result<Arc<RegionList>, Error> {
        // One from the future was dated by a clock that was wrong, and would seem good for as long.
        let serves = |list: &Arc<RegionList>| match (begun_after..=client.gateway_now()).contains(&list.began) {
            true if list.whole => Serves::Always,
            true => Serves::WhoWaited,
            false => Serves::Nobody,
        };
        self.0
            .get(serves, async {
                // The date has whole seconds: a list begun in the second of `begun_after` could not show that it began
                // after it. Waiting for the next second is cheaper than a second list.
                let early = begun_after.duration_since(client.gateway_now()) + SignedDuration::from_millis(1100);
                if early.is_positive() && early <= LONGEST_SLEEP {
                    tokio::time::sleep(Duration::try_from(early).unwrap_or_default()).await;
                }
                read(client, region).await.map(Arc::new)
            })
            .await
    }
}

async fn read(client: &Client, region: &Region) -> Result<RegionList, Error> {
    let (here, asked) = (Timestamp::now(), Instant::now());
    let (mut page, began) = client.page(region, 1, PAGE_SIZE).await?;
    let total = page.total;
    let (mut seen, mut clusters, mut items, mut whole) = (HashSet::new(), Vec::new(), 0, total.is_some());
    let mut number = 1;
    loop {
        items += page.items;
        whole &= page.total == total;
        let ended = page.items == 0;
        clusters.extend(page.clusters.into_iter().filter(|cluster: &ListedCluster| seen.insert(cluster.id.clone())));
        let enough = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX);
        if ended || items >= enough {
            whole &= seen.len() == enough;
            break;
        }
        if number == MOST_PAGES || asked.elapsed() > LONGEST_READING {
            whole = false;
            break;
        }
        number += 1;
        (page, _) = client.page(region, number, PAGE_SIZE).await?;
    }
    Ok(RegionList { began, here, asked, finished: client.gateway_now(), whole, clusters })
}
