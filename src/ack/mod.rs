//! Alibaba Cloud's side: ACK and STS over HTTP, one method an operation. Knows nothing of Kubernetes, decides nothing,
//! and never repeats a change.
//!
//! ```text
//! Accounts -> Account -> Client -> Line (turn, clock, retries of reads) -> Wire (sign, send once) -> ACK
//!               |                     `-- json, model: what the answer says; error, code, refusal: what went wrong
//!               `-- RegionList: the one shared look at a region
//! ```

mod account;
mod budget;
mod code;
mod credentials;
mod endpoints;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod http;
mod json;
mod line;
mod listing;
pub mod model;
mod redact;
mod refusal;
mod shared;
pub mod sign;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub use account::{Account, Accounts};
pub use budget::{Limits, Rate, Turn, Urgency};
pub use code::Code;
pub use credentials::{ACCESS_KEY_ID, Credentials, CredentialsError};
pub use endpoints::{ConfigError, Endpoints};
pub use error::{Error, Refusal};
pub use listing::{Age, RegionList};
pub use model::{
    Accepted, Created, Detail, Event, Identity, ListedCluster, LogLine, Quota, Resource, State, StateKind, Task,
    TaskState, UserKubeconfig,
};
pub use redact::Secrets;

use code::Op;
use http::Call;
use line::Line;

use crate::terms::{ClusterId, Nonce, Region, TaskId};

/// What ACK said, and when by its own clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    pub value: T,
    /// Gateway time in whole seconds: the answer's `Date`.
    pub date: Timestamp,
    pub request_id: Option<String>,
}

/// What a request is signed with where that is decided before it is sent. All times are gateway time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The gateway refuses the request when this is too long ago, whatever delays it meets.
    pub date: Timestamp,
    pub nonce: Nonce,
    /// Changes are not sent after this.
    pub not_after: Timestamp,
}

impl Stamp {
    /// A stamp with a new random nonce.
    pub fn fresh(date: Timestamp, not_after: Timestamp) -> Stamp {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Stamp { date, nonce: Nonce::from(format!("{:032x}", u128::from_ne_bytes(bytes))), not_after }
    }
}

/// The query of DeleteCluster, one to one (ack-api d.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    pub retain_all_resources: Option<bool>,
    /// Ids of resources to keep.
    pub retain_resources: Vec<String>,
    /// `(resource_type, delete_mode)`
    pub options: Vec<(String, String)>,
}

/// ACK, as one set of keys sees it. Cheap to clone; every clone shares budget, slots and clock.
///
/// Every call waits for its turn, and for its answer at most the configured time. Reads are tried up to three times,
/// changes once. Every error is an [`Error`]; `never_executed` says what may be concluded from it.
#[derive(Clone)]
pub struct Client {
    line: Arc<Line>,
    /// For whom it calls. Those who wait for the same budget take turns by this.
    lane: Arc<str>,
}

impl Client {
    fn new(line: Line) -> Self {
        Self { line: Arc::new(line), lane: "".into() }
    }

    /// The same client for one namespace.
    pub fn within(&self, namespace: &str) -> Self {
        Self { line: self.line.clone(), lane: namespace.into() }
    }

    /// The turn of a change, waited for in the queue. It is taken before the last look, so that what cannot be taken back
    /// never waits after it was allowed.
    pub async fn turn(&self, region: &Region, urgency: Urgency, patience: Duration) -> Result<Turn, Error> {
        self.line.turn(region, &self.lane, urgency, patience).await
    }

    /// The same, where nobody waits for one.
    pub fn turn_at_once(&self, region: &Region) -> Option<Turn> {
        self.line.turn_at_once(region)
    }

    /// Why no turn is to be had: ACK wants to be left alone for longer than is worth waiting.
    pub fn held(&self, region: &Region) -> Option<Error> {
        self.line.held(region)
    }

    /// About how long that would take.
    pub fn expected(&self, region: &Region, urgency: Urgency) -> Duration {
        self.line.expected(region, &self.lane, urgency)
    }

    /// CreateCluster in the turn's region, signed with the sealed date and nonce: one POST on a connection of its own,
    /// never repeated.
    pub async fn create_cluster(&self, turn: Turn, body: &Value, stamp: &Stamp) -> Result<Answer<Created>, Error> {
        let Turn(region) = turn;
        let call = Call::new("CreateCluster", Op::Create, &region, &["clusters"]).in_turn().body(body.clone());
        let mut answer = self.line.change(&self.lane, &call, Some(stamp), model::created).await?;
        // Swapped ids are put right in the value (ack-api g.5).
        answer.request_id = answer.value.request_id.clone().or(answer.request_id);
        Ok(answer)
    }

    /// DescribeClusterDetail.
    pub async fn cluster(&self, region: &Region, id: &ClusterId) -> Result<Answer<Detail>, Error> {
        let call = Call::new("DescribeClusterDetail", Op::Read, region, &["clusters", id.as_str()]);
        self.line.read(&self.lane, &call, None, |_, body| model::detail(body, id)).await
    }

    /// One page of DescribeClustersForRegion, and a lower bound of the gateway's time at which it was asked for.
    async fn page(&self, region: &Region, number: usize, size: usize) -> Result<(model::Page, Timestamp), Error> {
        let call = Call::new("DescribeClustersForRegion", Op::Read, region, &["regions", region.as_str(), "clusters"])
            .query("page_number", number)
            .query("page_size", size);
        let answer =
            self.line.read(&self.lane, &call, None, |reply, body| Ok((model::page(body)?, reply.elapsed))).await?;
        let (page, elapsed) = answer.value;
        // The date was made after the request had begun, and its fraction is cut off: both err to the early side.
        let began = answer.date.checked_sub(elapsed).unwrap_or(Timestamp::MIN);
        Ok((page, began))
    }

    /// DescribeTaskInfo. `None`: ACK does not know the task (any more); tasks are not kept for ever, and of the code of
    /// that answer only one is recorded, "400" (ack-api d.4, k), so whatever blames something else is an error.
    pub async fn task(&self, region: &Region, id: &TaskId) -> Result<Option<Answer<Task>>, Error> {
        let call = Call::new("DescribeTaskInfo", Op::Read, region, &["tasks", id.as_str()]);
        match self.line.read(&self.lane, &call, None, |_, body| model::task(body, &self.line.secrets)).await {
            Err(Error::Refused(refusal)) if refusal.has_none() => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// DescribeClusterTasks: the newest ones, without stages.
    pub async fn tasks(&self, region: &Region, id: &ClusterId) -> Result<Answer<Vec<Task>>, Error> {
        let call = Call::new("DescribeClusterTasks", Op::Read, region, &["clusters", id.as_str(), "tasks"]);
        self.line.read(&self.lane, &call, None, |_, body| model::tasks(body, &self.line.secrets)).await
    }

    /// DescribeClusterEvents: the newest 50.
    pub async fn events(&self, region: &Region, id: &ClusterId) -> Result<Answer<Vec<Event>>, Error> {
        let call = Call::new("DescribeClusterEvents", Op::Read, region, &["clusters", id.as_str(), "events"])
            .query("page_number", 1)
            .query("page_size", 50);
        self.line.read(&self.lane, &call, None, |_, body| model::events(body, &self.line.secrets)).await
    }

    /// DescribeClusterLogs.
    pub async fn logs(&self, region: &Region, id: &ClusterId) -> Result<Answer<Vec<LogLine>>, Error> {
        let call = Call::new("DescribeClusterLogs", Op::Read, region, &["clusters", id.as_str(), "logs"]);
        self.line.read(&self.lane, &call, None, |_, body| model::logs(body, &self.line.secrets)).await
    }

    /// DescribeClusterResources, those of addons included.
    pub async fn resources(&self, region: &Region, id: &ClusterId) -> Result<Answer<Vec<Resource>>, Error> {
        let call = Call::new("DescribeClusterResources", Op::Read, region, &["clusters", id.as_str(), "resources"])
            .query("with_addon_resources", true);
        self.line.read(&self.lane, &call, None, |_, body| model::resources(body)).await
    }

    /// ModifyCluster with changed members only (ack-api d.7), in the turn's region. Signed with the stamp's date, that of
    /// the read which allowed it, so that no delayed copy of it can be executed much later.
    pub async fn modify_cluster(
        &self,
        turn: Turn,
        id: &ClusterId,
        members: &Map<String, Value>,
        stamp: &Stamp,
    ) -> Result<Answer<Accepted>, Error> {
        let Turn(region) = turn;
        let path = ["api", "v2", "clusters", id.as_str()];
        let call = Call::new("ModifyCluster", Op::Change, &region, &path).in_turn();
        let call = call.body(Value::Object(members.clone()));
        self.line.change(&self.lane, &call, Some(stamp), |body| Ok(model::accepted(body))).await
    }

    /// TagResources: adds or overwrites these keys and leaves all others (ack-api d.8), likewise.
    pub async fn tag(
        &self,
        turn: Turn,
        ids: &[ClusterId],
        tags: &BTreeMap<String, String>,
        stamp: &Stamp,
    ) -> Result<Answer<()>, Error> {
        let Turn(region) = turn;
        let ids: Vec<&str> = ids.iter().map(ClusterId::as_str).collect();
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        let body = json!({
            "region_id": region.as_str(), "resource_type": "CLUSTER", "resource_ids": ids, "tags": tags,
        });
        let call = Call::new("TagResources", Op::Change, &region, &["tags"]).in_turn().body(body);
        self.line.change(&self.lane, &call, Some(stamp), |_| Ok(())).await
    }

    /// DeleteCluster, likewise.
    pub async fn delete_cluster(
        &self,
        turn: Turn,
        id: &ClusterId,
        options: &DeleteOptions,
        stamp: &Stamp,
    ) -> Result<Answer<Accepted>, Error> {
        let Turn(region) = turn;
        let mut call = Call::new("DeleteCluster", Op::Delete, &region, &["clusters", id.as_str()]).in_turn();
        let DeleteOptions { retain_all_resources, retain_resources, options } = options;
        if let Some(all) = retain_all_resources {
            call = call.query("retain_all_resources", all);
        }
        if !retain_resources.is_empty() {
            call = call.query("retain_resources", json!(retain_resources));
        }
        if !options.is_empty() {
            let option = |(kind, mode): &(String, String)| json!({"resource_type": kind, "delete_mode": mode});
            call = call.query("delete_options", Value::Array(options.iter().map(option).collect()));
        }
        self.line.change(&self.lane, &call, Some(stamp), |body| Ok(model::accepted(body))).await
    }

    /// DescribeClusterUserKubeconfig (ack-api d.11): a kubeconfig of the calling identity, with the address in the VPC
    /// where `private`. Without `minutes` it is valid as long as ACK likes.
    pub async fn kubeconfig(
        &self,
        region: &Region,
        id: &ClusterId,
        private: bool,
        minutes: Option<i64>,
    ) -> Result<Answer<UserKubeconfig>, Error> {
        let path = ["k8s", id.as_str(), "user_config"];
        let mut call =
            Call::new("DescribeClusterUserKubeconfig", Op::Read, region, &path).query("PrivateIpAddress", private);
        if let Some(minutes) = minutes {
            call = call.query("TemporaryDurationMinutes", minutes);
        }
        self.line.read(&self.lane, &call, None, |_, body| model::user_kubeconfig(body)).await
    }

    /// DescribeUserQuota, a free read. With a stamp it is the probe of the fence: one attempt, signed exactly so,
    /// whatever `not_after` says.
    pub async fn quota(&self, region: &Region, stamp: Option<&Stamp>) -> Result<Answer<Quota>, Error> {
        let call = Call::new("DescribeUserQuota", Op::Read, region, &["quota"]);
        self.line.read(&self.lane, &call, stamp, |_, body| model::quota(body)).await
    }

    /// STS GetCallerIdentity: whose keys these are.
    pub async fn caller(&self) -> Result<Answer<Identity>, Error> {
        self.line.read(&self.lane, &Call::caller_identity(), None, |_, body| model::identity(body)).await
    }

    /// The gateway's time: the local clock, put right by what the last answer said.
    pub fn gateway_now(&self) -> Timestamp {
        self.line.gateway_now()
    }

    /// Gateway minus local clock. `None` until an answer of ACK has told its time.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        self.line.clock_offset()
    }

    /// What must not be shown of these keys; add to it what a request's body hides.
    pub fn secrets(&self) -> Secrets {
        self.line.secrets.clone()
    }
}
