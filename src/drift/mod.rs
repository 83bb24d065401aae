//! Where the cluster differs from the spec. Spec and cloud go in, differences and all changes that would end them come out;
//! nothing is asked, sent or decided here. Only fields that the spec sets are looked at, and no value that may be secret is ever printed.

mod change;
mod cluster;
mod normal;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use change::{Call, Change, call, changes};
pub use cluster::{Compare, FIELDS, Field, Kind};

use crate::api::{AckClusterSpec, WorkerFields};
use crate::terms::Note;

/// One field in which the cluster differs from the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static Field,
    /// What the cloud has, cut to a length for people.
    pub from: String,
    /// What the spec wants, cut likewise.
    pub to: String,
    /// A digest of what the spec wants.
    pub digest: String,
    /// What the cloud lacks: the spec's value; of what may hold more than the spec says, the missing part; of an object the
    /// cloud's members with the spec's laid over them.
    pub lacks: Value,
}

impl Difference {
    /// Whether ACK cannot change the field: the spec must be written back, or the object be another cluster's.
    pub fn is_fixed(&self) -> bool {
        self.field.kind == Kind::Fixed
    }
}

/// The differences between the spec and the raw answer of DescribeClusterDetail, in the order of [`FIELDS`]. `applied`
/// holds what [`applied`] said when the fields that ACK does not show were last applied; one that is missing there is
/// not known, and so no difference.
pub fn compare(
    spec: &AckClusterSpec,
    object_name: &str,
    detail: &Map<String, Value>,
    applied: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let wishes = wishes(spec, object_name);
    FIELDS.iter().filter_map(|field| field.difference(wishes.get(field.name)?, &wishes, detail, applied)).collect()
}

/// Short digests of the fields that can be changed but that ACK does not show back, for those that the spec sets. No
/// password and no user data goes into them.
pub fn applied(spec: &AckClusterSpec) -> BTreeMap<String, String> {
    let wishes = wishes(spec, "");
    let blind = FIELDS.iter().filter(|field| field.kind == Kind::Blind);
    blind.filter_map(|field| Some((field.name.to_owned(), normal::digest(wishes.get(field.name)?)))).collect()
}

/// What a condition says of those differences that are not changed here.
pub fn sentence(differences: &[Difference]) -> Option<Note> {
    let list = |kinds: &[Kind]| {
        let of_kind = differences.iter().filter(|difference| kinds.contains(&difference.field.kind));
        let each = of_kind.map(|d| format!("{} (cloud: {}, spec: {})", d.field.name, d.from, d.to));
        Some(each.collect::<Vec<_>>().join(", ")).filter(|list| !list.is_empty())
    };
    let fixed =
        list(&[Kind::Fixed]).map(|list| format!("ACK cannot change {list}: write the cloud's value into the spec"));
    let left = list(&[Kind::Upgrade, Kind::Blind]).map(|list| {
        format!("this operator does not change {list}: do it in ACK, or write into the spec what was there before")
    });
    let parts: Vec<String> = fixed.into_iter().chain(left).collect();
    (!parts.is_empty()).then(|| parts.join("; ").into())
}

/// What to say where the spec asked for workers and the cluster came up with none at all, which is how ACK ignores the
/// old worker fields (ack-api g.18). Fewer than wished is scaling's business. `size` is the number of nodes.
pub fn workers_missing(spec: &AckClusterSpec, size: Option<i64>) -> Option<Note> {
    if spec.adopts() || size != Some(0) {
        return None;
    }
    let machines = spec.instances.as_ref().map_or(0, |machines| machines.len() as i64);
    let old = spec.num_of_nodes.unwrap_or(0).max(machines);
    let pools = spec.nodepools.iter().flatten().map(|pool| {
        let least = pool.auto_scaling.as_ref().filter(|scaling| scaling.enable == Some(true));
        pool.scaling_group.desired_size.or(least.and_then(|scaling| scaling.min_instances)).unwrap_or(0)
    });
    let wanted = old + pools.sum::<i64>();
    let cure = match old {
        0 => "look at the node pools in the console",
        _ if spec.workers_become_a_pool() => "look at the node pool default-nodepool in the console",
        _ => {
            "where ACK ignores the old worker fields, make a new cluster with workerFields: AsNodePool, or add a node pool"
        }
    };
    (wanted > 0).then(|| Note::from(format!("the spec asks for {wanted} workers and the cluster has none: {cure}")))
}

/// The body's fields as JSON. Absent ones are missing, and so is the name where the spec has none: removing it renames
/// nothing.
fn wishes(spec: &AckClusterSpec, object_name: &str) -> Map<String, Value> {
    match crate::api::body(object_name, &plain(spec), &BTreeMap::new(), &[]) {
        Ok(Value::Object(mut wishes)) => {
            if spec.name.is_none() {
                wishes.remove("name");
            }
            wishes
        }
        _ => Map::new(),
    }
}

/// The spec without what comes from Secrets, what is secret, and what only the request needs.
fn plain(spec: &AckClusterSpec) -> AckClusterSpec {
    let mut plain = AckClusterSpec {
        secret_values: None,
        extra_parameters: None,
        // The fields are compared under the names that the spec gives them.
        worker_fields: Some(WorkerFields::Verbatim),
        login_password: None,
        user_data: None,
        user_ca: None,
        ..spec.clone()
    };
    for pool in plain.nodepools.iter_mut().flatten() {
        pool.scaling_group.login_password = None;
        if let Some(kubernetes) = &mut pool.kubernetes_config {
            kubernetes.user_data = None;
            kubernetes.pre_user_data = None;
        }
    }
    plain
}

#[cfg(test)]
mod tests;
