//! ACK's answers, decoded leniently (ack-api a.3, d, e, g): unknown members are ignored, odd ones are absent, and only what
//! an answer is asked for must be there. Texts that may reach a status are cleaned here. No I/O, no clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::json::{self, Object};
use super::redact::{self, Secrets};
mod state;

pub use state::{State, StateKind, TaskState};

use crate::terms::{AccountId, ClusterId, TaskId};

/// Why an answer cannot be used, to go on after "cannot be used: ".
pub(super) type Decoded<T> = Result<T, &'static str>;

/// The answer to CreateCluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub cluster_id: ClusterId,
    pub task_id: Option<TaskId>,
    pub request_id: Option<String>,
}

/// The answer to a change that goes on as a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub task_id: Option<TaskId>,
    pub request_id: Option<String>,
}

/// What a list says of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCluster {
    pub id: ClusterId,
    pub name: String,
    pub state: State,
    pub tags: BTreeMap<String, String>,
    pub created: Option<Timestamp>,
    /// As ACK wrote it; moves whenever anything of the cluster does.
    pub updated: Option<String>,
    /// `None`: the answer does not say.
    pub deletion_protection: Option<bool>,
    pub current_version: Option<String>,
    /// Number of nodes.
    pub size: Option<i64>,
    pub resource_group_id: Option<String>,
}

/// One page of a list.
pub(super) struct Page {
    pub clusters: Vec<ListedCluster>,
    /// Items of the page, those without an id included.
    pub items: usize,
    pub total: Option<i64>,
}

/// Everything that ACK says of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    pub listed: ListedCluster,
    pub region_id: Option<String>,
    pub api_server_endpoint: Option<String>,
    pub intranet_api_server_endpoint: Option<String>,
    /// All members as received, but `master_url` and `meta_data`, which are JSON in a string, as objects.
    pub body: Object,
}

/// A task, and its cause where it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub state: TaskState,
    /// Free text: never branch on it.
    pub current_stage: Option<String>,
    pub stages: Vec<Stage>,
    pub error: Option<TaskError>,
    /// `(what, state)` of its parts; a task can succeed although parts of it failed.
    pub results: Vec<(String, TaskState)>,
    pub created: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    pub state: TaskState,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    pub code: Option<String>,
    pub message: String,
}

impl Task {
    /// Stages that are done, and all that are known by now; ACK adds stages as it comes to them.
    pub fn progress(&self) -> (usize, usize) {
        (self.stages.iter().filter(|stage| stage.state == TaskState::Succeeded).count(), self.stages.len())
    }

    /// What it is doing: the first stage that is not done, else what ACK calls the current one.
    pub fn doing(&self) -> Option<&str> {
        let open = self.stages.iter().find(|stage| stage.state != TaskState::Succeeded);
        open.map(|stage| stage.message.as_str()).filter(|m| !m.is_empty()).or(self.current_stage.as_deref())
    }
}

/// An event of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As ACK wrote it; newest first.
    pub time: Option<String>,
    pub level: Option<String>,
    pub reason: Option<String>,
    pub message: String,
}

/// A line of a cluster's log, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub time: Option<String>,
    pub text: String,
}

/// A thing in the cloud that belongs to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// For `retain_resources`.
    pub id: String,
    /// ROS type, e.g. `ALIYUN::SLB::LoadBalancer`.
    pub kind: String,
    pub state: Option<String>,
    /// Made by ACK; `false`: it existed before.
    pub auto_create: Option<bool>,
    pub creator_type: Option<String>,
    pub delete_by_default: Option<bool>,
}

/// The account's limits, as far as they are used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub clusters: Option<i64>,
}

/// A kubeconfig. It has no `Debug`, so that nothing can print it by accident.
#[derive(Clone)]
pub struct UserKubeconfig {
    /// YAML.
    pub config: SecretString,
    pub expiration: Option<Timestamp>,
}

pub(super) fn user_kubeconfig(value: &Value) -> Decoded<UserKubeconfig> {
    let of = value.as_object().ok_or("it is no object")?;
    let config = of.get("config").and_then(Value::as_str).filter(|config| !config.trim().is_empty());
    let config = SecretString::from(config.ok_or("it has no config")?.to_owned());
    Ok(UserKubeconfig { config, expiration: json::time(of, "expiration") })
}

const REQUEST_ID: &[&str] = &["request_id", "requestId", "RequestId"];

pub(super) fn request_id(value: &Value) -> Option<String> {
    json::text(value.as_object()?, REQUEST_ID).map(|id| redact::cut(&id, 100))
}

/// A task id begins with `T-` in every sample; the XML sample has it where the request id belongs (ack-api g.5).
fn task_and_request(of: &Object) -> (Option<TaskId>, Option<String>) {
    let (task, request) = (json::text(of, &["task_id"]), json::text(of, REQUEST_ID));
    let is_task = |id: &Option<String>| id.as_ref().is_some_and(|id| id.starts_with("T-"));
    let (task, request) = match is_task(&request) && !is_task(&task) {
        true => (request, task),
        false => (task, request),
    };
    let plain = |id: &String| id.bytes().all(|b| b.is_ascii_graphic());
    (task.filter(|id| is_id(id)).map(TaskId::from), request.filter(plain).map(|id| redact::cut(&id, 100)))
}

/// The one id that is stored for ever: a number, or what no status could hold, is not believed to be one.
pub(super) fn created(value: &Value) -> Decoded<Created> {
    let of = value.as_object().ok_or("it is no object")?;
    let cluster_id = ["cluster_id", "ClusterId"].iter().find_map(|name| of.get(*name)?.as_str());
    let cluster_id = cluster_id.filter(|id| is_id(id)).ok_or("it has no cluster_id")?;
    let (task_id, request_id) = task_and_request(of);
    Ok(Created { cluster_id: cluster_id.into(), task_id, request_id })
}

/// At most 64 letters, digits, `-` and `_`.
fn is_id(word: &str) -> bool {
    (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A word that goes into a status: cleaned, and cut to the bound that the status has for it.
fn word(of: &Object, name: &str, bound: usize) -> Option<String> {
    json::text(of, &[name]).map(|text| redact::cut(&Secrets::default().clean(&text), bound))
}

pub(super) fn accepted(value: &Value) -> Accepted {
    let (task_id, request_id) = value.as_object().map(task_and_request).unwrap_or_default();
    Accepted { task_id, request_id }
}

fn listed(of: &Object) -> Decoded<ListedCluster> {
    Ok(ListedCluster {
        id: json::text(of, &["cluster_id", "ClusterId"]).ok_or("a cluster has no cluster_id")?.into(),
        name: json::text(of, &["name"]).unwrap_or_default(),
        // A list that lacks it shows a cluster all the same, of which nothing is known; a detail must tell.
        state: State::new(&json::text(of, &["state"]).unwrap_or_default()),
        tags: json::objects(of, "tags")
            .into_iter()
            .filter_map(|tag| Some((json::text(tag, &["key"])?, json::text(tag, &["value"]).unwrap_or_default())))
            .collect(),
        created: json::time(of, "created"),
        updated: json::text(of, &["updated"]),
        deletion_protection: json::flag(of, "deletion_protection"),
        current_version: word(of, "current_version", 64),
        size: json::int(of, "size"),
        resource_group_id: word(of, "resource_group_id", 64),
    })
}

pub(super) fn page(value: &Value) -> Decoded<Page> {
    let of = value.as_object().ok_or("it is no object")?;
    let items = match of.get("clusters") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(Value::Null) => &[],
        _ => return Err("it has no list of clusters"),
    };
    let total = ["page_info", "page"].iter().find_map(|name| json::int(&json::object(of, name)?, "total_count"));
    let clusters = items.iter().filter_map(|item| listed(item.as_object()?).ok()).collect();
    Ok(Page { clusters, items: items.len(), total })
}

pub(super) fn detail(value: &Value, asked: &ClusterId) -> Decoded<Detail> {
    let of = value.as_object().ok_or("it is no object")?;
    let listed = listed(of)?;
    json::text(of, &["state"]).ok_or("a cluster has no state")?;
    if listed.id != *asked {
        return Err("it speaks of another cluster than the one that was asked for");
    }
    let mut body = of.clone();
    for name in ["master_url", "meta_data"] {
        if let Some(object) = json::object(of, name) {
            body.insert(name.to_owned(), Value::Object(object));
        }
    }
    let address = |name: &str| word(&json::object(of, "master_url")?, name, 1024);
    Ok(Detail {
        listed,
        region_id: json::text(of, &["region_id"]),
        api_server_endpoint: address("api_server_endpoint"),
        intranet_api_server_endpoint: address("intranet_api_server_endpoint"),
        body,
    })
}

pub(super) fn task(value: &Value, secrets: &Secrets) -> Decoded<Task> {
    task_of(value.as_object().ok_or("it is no object")?, secrets)
}

fn task_of(of: &Object, secrets: &Secrets) -> Decoded<Task> {
    let clean = |of: &Object, name: &str| json::text(of, &[name]).map(|text| secrets.clean(&text));
    let state = |of: &Object, name: &str| TaskState::new(&json::text(of, &[name]).unwrap_or_default());
    let error = json::object(of, "error")
        .map(|error| TaskError { code: clean(&error, "code"), message: clean(&error, "message").unwrap_or_default() });
    Ok(Task {
        id: json::text(of, &["task_id"]).filter(|id| is_id(id)).ok_or("a task has no task_id")?.into(),
        state: state(of, "state"),
        current_stage: clean(of, "current_stage"),
        stages: json::objects(of, "stages")
            .into_iter()
            .map(|stage| Stage { state: state(stage, "state"), message: clean(stage, "message").unwrap_or_default() })
            .collect(),
        error: error.filter(|error| error.code.is_some() || !error.message.is_empty()),
        results: json::objects(of, "task_result")
            .into_iter()
            .map(|part| (clean(part, "data").unwrap_or_default(), state(part, "status")))
            .collect(),
        created: json::time(of, "created"),
    })
}

pub(super) fn tasks(value: &Value, secrets: &Secrets) -> Decoded<Vec<Task>> {
    let of = value.as_object().ok_or("it is no object")?;
    json::objects(of, "tasks").into_iter().map(|task| task_of(task, secrets)).collect()
}

pub(super) fn events(value: &Value, secrets: &Secrets) -> Decoded<Vec<Event>> {
    let of = value.as_object().ok_or("it is no object")?;
    let event = |event: &Object| {
        let data = json::object(event, "data").unwrap_or_default();
        let clean = |name: &str| json::text(&data, &[name]).map(|text| secrets.clean(&text));
        Event {
            time: json::text(event, &["time"]),
            level: clean("level"),
            reason: clean("reason"),
            message: clean("message").unwrap_or_default(),
        }
    };
    Ok(json::objects(of, "events").into_iter().map(event).collect())
}

pub(super) fn logs(value: &Value, secrets: &Secrets) -> Decoded<Vec<LogLine>> {
    let line = |line: &Object| LogLine {
        time: json::text(line, &["created"]),
        text: secrets.clean(&json::text(line, &["cluster_log"]).unwrap_or_default()),
    };
    Ok(array(value)?.iter().filter_map(Value::as_object).map(line).collect())
}

pub(super) fn resources(value: &Value) -> Decoded<Vec<Resource>> {
    let resource = |of: &Object| {
        let behaviour = json::object(of, "delete_behavior").unwrap_or_default();
        Some(Resource {
            id: json::text(of, &["instance_id"])?,
            kind: json::text(of, &["resource_type"]).unwrap_or_default(),
            state: json::text(of, &["state"]),
            auto_create: json::flag(of, "auto_create"),
            creator_type: json::text(of, &["creator_type"]),
            delete_by_default: json::flag(&behaviour, "delete_by_default"),
        })
    };
    Ok(array(value)?.iter().filter_map(Value::as_object).filter_map(resource).collect())
}

/// `null` is an empty list.
fn array(value: &Value) -> Decoded<&[Value]> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => Err("it is no list"),
    }
}

pub(super) fn quota(value: &Value) -> Decoded<Quota> {
    let of = value.as_object().ok_or("it is no object")?;
    Ok(Quota { clusters: json::int(of, "cluster_quota") })
}

/// Who calls, as STS tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    /// Names the user or role in all accounts.
    pub arn: Option<String>,
    /// Such a caller may have other rights than the same one with other keys.
    pub session: bool,
}

pub(super) fn identity(value: &Value) -> Decoded<Identity> {
    let of = value.as_object().ok_or("it is no object")?;
    let account = json::text(of, &["AccountId"]).filter(|id| is_id(id)).map(AccountId::from);
    let kind = json::text(of, &["IdentityType"]);
    Ok(Identity {
        account: account.ok_or("it has no AccountId")?,
        arn: json::text(of, &["Arn"]).filter(|arn| !arn.is_empty()),
        session: !kind.is_some_and(|kind| ["RAMUser", "Account"].contains(&&*kind)),
    })
}

#[cfg(test)]
mod tests;
