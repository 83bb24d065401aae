//! The operations of the API, one row each: how a call is recognised and which function answers it. The functions see the
//! world, the settings and the call; they do no I/O and check no signature.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::AccessKey;
use crate::clock::Now;
use crate::cluster::Cluster;
use crate::fields;
use crate::received::decoded;
use crate::refusal::Refusal;
use crate::settings::{Lists, Names, Settings, Switch, Token, Workers};
use crate::sign::hex;
use crate::task::Kind;
use crate::world::World;
use crate::{kubeconfig, sts, tags};

/// What the body of a request must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Not looked at.
    None,
    Object,
}

/// An admitted request, taken apart.
#[derive(Debug)]
pub struct Call<'a> {
    pub now: Now,
    pub settings: &'a Settings,
    pub key: &'a AccessKey,
    /// The region of the port; `None`: all regions.
    pub port_region: Option<&'a str>,
    /// The values of the path's `{}`, decoded.
    pub ids: Vec<String>,
    pub query: &'a [(String, String)],
    /// `null` where the row wants none.
    pub body: &'a Value,
    pub request_id: &'a str,
}

/// A good answer, or a refusal that changed nothing.
pub type Outcome = Result<Value, Refusal>;

/// One operation.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// Upper case; `*`: any.
    pub verb: &'static str,
    pub path: &'static str,
    pub body: Body,
    /// Whether a good answer means that the world was changed.
    pub changes: bool,
    pub run: fn(&mut World, &Call<'_>) -> Outcome,
}

macro_rules! table {
    ($($name:ident $verb:literal $path:literal $body:ident $changes:literal $run:path;)*) => {
        &[$(Operation {
            name: stringify!($name), verb: $verb, path: $path, body: Body::$body, changes: $changes, run: $run,
        }),*]
    };
}

/// All operations.
pub const TABLE: &[Operation] = table! {
    CreateCluster             "POST"   "/clusters"              Object true  create;
    DescribeClusterDetail     "GET"    "/clusters/{}"           None   false detail;
    DescribeClustersForRegion "GET"    "/regions/{}/clusters"   None   false list_of_region;
    DescribeClustersV1        "GET"    "/api/v1/clusters"       None   false list;
    DescribeTaskInfo          "GET"    "/tasks/{}"              None   false task;
    DescribeClusterTasks      "GET"    "/clusters/{}/tasks"     None   false tasks;
    DescribeClusterEvents     "GET"    "/clusters/{}/events"    None   false events;
    DescribeClusterLogs       "GET"    "/clusters/{}/logs"      None   false logs;
    DescribeClusterResources  "GET"    "/clusters/{}/resources" None   false resources;
    ModifyCluster             "PUT"    "/api/v2/clusters/{}"    Object true  modify;
    DeleteCluster             "DELETE" "/clusters/{}"           None   true  delete;
    TagResources              "PUT"    "/tags"                  Object true  tags::tag;
    UntagResources            "DELETE" "/tags"                  None   true  tags::untag;
    ListTagResources          "GET"    "/tags"                  None   false tags::list;
    DescribeUserQuota         "GET"    "/quota"                 None   false quota;
    DescribeClusterUserKubeconfig "GET" "/k8s/{}/user_config" None  false kubeconfig::user_config;
    GetCallerIdentity         "*"      "/"                      None   false sts::get_caller_identity;
};

/// Finds the operation of a request and the values of its path. RPC calls, all on `/`, are told apart by `action`.
///
/// # Errors
/// 404 or 405, in the gateway's words.
pub fn find(method: &str, path: &str, action: Option<&str>) -> Result<(&'static Operation, Vec<String>), Refusal> {
    let not_found = |code: &str| Refusal::gateway(404, code, "the API is not known; check path, method and version");
    let parts: Vec<&str> = path.split('/').collect();
    let mut wrong_verb = false;
    for row in TABLE {
        let wanted: Vec<&str> = row.path.split('/').collect();
        let fits = |(wanted, part): (&&str, &&str)| if *wanted == "{}" { !part.is_empty() } else { wanted == part };
        if wanted.len() != parts.len() || !wanted.iter().zip(&parts).all(fits) {
            continue;
        }
        if row.path == "/" && action != Some(row.name) {
            continue;
        }
        if row.verb != "*" && row.verb != method {
            wrong_verb = true;
            continue;
        }
        if action.is_some_and(|action| action != row.name) {
            return Err(not_found("InvalidAction.NotFound"));
        }
        let ids =
            wanted.iter().zip(&parts).filter(|(wanted, _)| **wanted == "{}").map(|(_, part)| decoded(part, false));
        return Ok((row, ids.collect()));
    }
    Err(if wrong_verb {
        Refusal::gateway(405, "UnsupportedHTTPMethod", "the method is not supported here")
    } else {
        not_found("InvalidApi.NotFound")
    })
}

impl Call<'_> {
    /// The first query parameter of that name, if it is not empty.
    pub fn query(&self, name: &str) -> Option<&str> {
        let named = |(known, value): &&(String, String)| known == name && !value.is_empty();
        self.query.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// A query parameter that is a positive number.
    fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        let Some(text) = self.query(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| *number >= 1);
        number.ok_or_else(|| Refusal::invalid(format!("{name} must be a positive integer")))
    }

    /// A query parameter that is a boolean; SDKs write `True` as well as `true` (ack-api j).
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.query(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::invalid(format!("{name} must be true or false"))),
        }
    }

    /// A query parameter that is a JSON array; `None` when it is absent.
    pub fn array(&self, name: &str) -> Result<Option<Vec<Value>>, Refusal> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let array = serde_json::from_str(text);
        array.map(Some).map_err(|_| Refusal::invalid(format!("{name} must be a JSON array")))
    }

    fn sees(&self, cluster: &Cluster) -> bool {
        let Settings { visible_only, visible_groups, .. } = self.settings;
        let among = |only: Option<&Vec<String>>, member: &str| {
            only.is_none_or(|words| words.iter().any(|word| word == cluster.text(member)))
        };
        among(visible_only.get(&self.key.id), "name") && among(visible_groups.get(&self.key.id), "resource_group_id")
    }

    fn standard(&self, cluster_id: &str, task_id: &str) -> Value {
        json!({"cluster_id": cluster_id, "request_id": self.request_id, "task_id": task_id})
    }
}

/// The place of a cluster that this caller can reach through this port.
pub fn reach(world: &World, call: &Call<'_>, id: &str) -> Result<usize, Refusal> {
    let now = call.now.world;
    let found = world.clusters.iter().position(|cluster| {
        cluster.id == id
            && cluster.account == call.key.account
            && call.port_region.is_none_or(|region| region == cluster.region)
            && cluster.gone.is_none_or(|gone| now < gone)
            && cluster.born + call.settings.detail_lag <= now
    });
    let at = found.ok_or_else(|| Refusal::cluster_not_found(id))?;
    if !call.sees(&world.clusters[at]) {
        return Err(Refusal::ack(403, "StatusForbidden", "RAM policy Forbidden for this cluster"));
    }
    Ok(at)
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let Call { settings, now, body, .. } = call;
    let Some(members) = body.as_object() else { return Err(Refusal::invalid("the body must be a JSON object")) };
    fields::check(fields::CREATE, members, settings.strict_fields == Switch::On)?;
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing(name));
    let (name, region) = (text("name")?, text("region_id")?);
    if !fields::is_cluster_name(name) {
        return Err(Refusal::invalid(format!("name {name} is not well formed")));
    }
    if !fields::is_region(region) || call.port_region.is_some_and(|port| port != region) {
        return Err(Refusal::invalid(format!("region_id {region} is not served here")));
    }
    tags::check_for_create(body["tags"].as_array().map(Vec::as_slice).unwrap_or_default())?;
    if settings.workers == Workers::Reject
        && let Some(worker) = fields::WORKERS.iter().find(|worker| members.contains_key(**worker))
    {
        return Err(Refusal::invalid(format!("{worker} is deprecated, use nodepools")));
    }
    let account = &call.key.account;
    let token = body["client_token"].as_str().filter(|_| settings.client_token == Token::Honour);
    let token = token.map(|token| (account.clone(), token.to_owned()));
    let hash = hex(&Sha256::digest(body.to_string()));
    if let Some((known, answer)) = token.as_ref().and_then(|token| world.tokens.get(token)) {
        return match *known == hash {
            true => Ok(answer.clone()),
            false => {
                let message = "the client_token was used with another body";
                Err(Refusal::ack(400, "EmulatorIdempotencyMismatch", message))
            }
        };
    }
    let same_name =
        |cluster: &Cluster| cluster.account == *account && cluster.gone.is_none() && cluster.text("name") == name;
    if settings.duplicate_names == Names::Reject && world.clusters.iter().any(same_name) {
        let message = format!("cluster name {{{name}}} already exist in your clusters");
        return Err(Refusal::ack(400, "ClusterNameAlreadyExist", message));
    }
    let id = world.mint("c", 32, now);
    world.clusters.push(Cluster::new(id.clone(), account, body, settings, *now));
    let task = world.start(Kind::Create, world.clusters.len() - 1, settings.create_time, Value::Null, now);
    let answer = call.standard(&id, &task);
    if let Some(token) = token {
        world.tokens.insert(token, (hash, answer.clone()));
    }
    Ok(answer)
}

fn detail(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    Ok(world.clusters[at].detail(call.settings, &call.now))
}

fn list_of_region(world: &mut World, call: &Call<'_>) -> Outcome {
    page_of_clusters(world, call, Some(&call.ids[0]))
}

fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    page_of_clusters(world, call, call.query("region_id"))
}

/// Newest first, as things were `list_lag` ago.
fn page_of_clusters(world: &World, call: &Call<'_>, region: Option<&str>) -> Outcome {
    let settings = call.settings;
    let (number, asked) = (call.number("page_number", 1)?, call.number("page_size", settings.page_size_default)?);
    let size = asked.min(settings.page_size_max);
    let mine = |cluster: &&Cluster| {
        cluster.account == call.key.account
            && region.is_none_or(|region| region == cluster.region)
            && call.port_region.is_none_or(|region| region == cluster.region)
            && call.sees(cluster)
    };
    let fits = |item: &Value| {
        let equal = ["cluster_id", "cluster_type", "profile", "cluster_spec"];
        equal.iter().all(|filter| call.query(filter).is_none_or(|wish| item[*filter] == wish))
            && call.query("name").is_none_or(|part| item["name"].as_str().is_some_and(|name| name.contains(part)))
    };
    let items = world.clusters.iter().rev().filter(mine).filter_map(|cluster| cluster.item(settings, &call.now));
    let items: Vec<Value> = items.filter(fits).collect();
    let total = items.len() + usize::from(settings.lists == Lists::Overcount);
    let slipped = usize::from(settings.lists == Lists::Torn && number > 1);
    let page: Vec<Value> = items.into_iter().skip((number - 1).saturating_mul(size)).take(size).skip(slipped).collect();
    Ok(json!({
        "clusters": page,
        "page_info": {"page_number": number, "page_size": size, "total_count": total},
    }))
}

fn task(world: &mut World, call: &Call<'_>) -> Outcome {
    // Recorded so (ack-api k): no 404, and the status for a code.
    let not_found = || Refusal::ack(400, "400", format!("the task {} not found", call.ids[0]));
    let task = world.tasks.iter().find(|task| task.id == call.ids[0]).ok_or_else(not_found)?;
    let cluster = &world.clusters[task.cluster];
    let here = cluster.account == call.key.account && call.port_region.is_none_or(|region| region == cluster.region);
    if !here {
        return Err(not_found());
    }
    Ok(task.info(&cluster.id, call.settings.task_failed_word))
}

/// One page of `all` under `name`, with the envelope of ack-api d.4 and d.5.
fn page(call: &Call<'_>, name: &str, all: Vec<Value>, default: usize) -> Outcome {
    let number = call.number("page_number", 1)?;
    let size = call.number("page_size", default)?.min(100);
    let total = all.len();
    let rows: Vec<Value> = all.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect();
    Ok(json!({
        name: rows, "next_token": "", "requestId": call.request_id,
        "page_info": {"page_number": number, "page_size": size, "total_count": total},
    }))
}

fn tasks(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    let rows = world.tasks.iter().rev().filter(|task| task.cluster == at);
    page(call, "tasks", rows.map(|task| task.row(call.settings.task_failed_word)).collect(), 20)
}

fn events(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    page(call, "events", world.clusters[at].events(), 50)
}

fn logs(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    Ok(world.clusters[at].logs())
}

fn resources(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    call.flag("with_addon_resources")?;
    Ok(world.clusters[at].resources())
}

fn modify(world: &mut World, call: &Call<'_>) -> Outcome {
    let Call { settings, now, body, .. } = call;
    let Some(members) = body.as_object() else { return Err(Refusal::invalid("the body must be a JSON object")) };
    let at = reach(world, call, &call.ids[0])?;
    fields::check(fields::MODIFY, members, settings.strict_fields == Switch::On)?;
    let state = world.clusters[at].state();
    if !["running", "updating_failed"].contains(&state) {
        return Err(Refusal::wrong_state(state));
    }
    if let Some(name) = body["cluster_name"].as_str() {
        if !fields::is_cluster_name(name) {
            return Err(Refusal::invalid(format!("cluster_name {name} is not well formed")));
        }
        // The present name counts as taken too (ack-api d.7).
        let same = |cluster: &Cluster| {
            cluster.account == call.key.account && cluster.gone.is_none() && cluster.text("name") == name
        };
        if settings.duplicate_names == Names::Reject && world.clusters.iter().any(same) {
            return Err(Refusal::ack(400, "ErrorClusterNameAlreadyExist", format!("the name {name} is taken")));
        }
    }
    let task = world.start(Kind::Modify, at, settings.modify_time, (*body).clone(), now);
    Ok(call.standard(&call.ids[0], &task))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let Call { settings, now, .. } = call;
    let at = reach(world, call, &call.ids[0])?;
    call.flag("retain_all_resources")?;
    call.flag("keep_slb")?;
    if call.array("retain_resources")?.is_some_and(|ids| !ids.iter().all(Value::is_string)) {
        return Err(Refusal::invalid("retain_resources must be a JSON array of strings"));
    }
    let kinds = ["SLB", "ALB", "SLS_Data", "SLS_ControlPlane", "PrivateZone"];
    let is_option = |option: &Value| {
        let known = |name: &str, words: &[&str]| option[name].as_str().is_some_and(|word| words.contains(&word));
        known("resource_type", &kinds) && known("delete_mode", &["delete", "retain"])
    };
    if call.array("delete_options")?.is_some_and(|options| !options.iter().all(is_option)) {
        return Err(Refusal::invalid("delete_options must be a JSON array of resource_type and delete_mode"));
    }
    if world.clusters[at].protected() {
        let message = "deletion protection of the cluster is on";
        return Err(Refusal::ack(400, "EmulatorDeletionProtection", message));
    }
    if let Some(state) = world.undeletable(at, settings) {
        return Err(Refusal::wrong_state(&state));
    }
    world.cancel(at, settings, now);
    let options = call.query.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    world.clusters[at].delete_options = options.collect();
    let task = world.start(Kind::Delete, at, settings.delete_time, Value::Null, now);
    Ok(call.standard(&call.ids[0], &task))
}

fn quota(_: &mut World, _: &Call<'_>) -> Outcome {
    Ok(json!({
        "amk_cluster_quota": 20, "ask_cluster_quota": 20, "cluster_nodepool_quota": 20, "cluster_quota": 50,
        "node_quota": 100, "edge_improved_nodepool_quota": {"bandwidth": 10, "count": 3, "period": 3},
        "quotas": {"q_Kubernetes_Cluster": {
            "quota": "20", "operation_code": "q_Kubernetes_Cluster", "adjustable": true, "unit": "Cluster",
        }},
    }))
}
