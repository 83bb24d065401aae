//! From the spec to the JSON that is sent to CreateCluster. What the user wrote is sent unchanged; absent stays absent;
//! nothing is ever null. The few conversions are listed in [`CONVERSIONS`]. Pure: Secrets and tags come as values.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::rules::RESERVED;
use super::spec::AckClusterSpec;
use super::tag;

/// Every way in which the body differs from the spec: what is converted, and how.
pub const CONVERSIONS: &[(&str, &str)] = &[
    ("name", "absent: the object's own name"),
    ("node_cidr_mask", "a number becomes a string"),
    ("controlplane_log_ttl", "a number becomes a string"),
    ("worker_data_disks[].size", "a number becomes a string"),
    ("nodepools[].management.auto_repair_policy.max_parallel_repairing_nodes", "a number becomes a string"),
    ("nodepools[].management.auto_repair_policy.max_unhealthy_nodes_threshold", "a number becomes a string"),
    ("secretValues", "each value is put where its path says"),
    (
        "login_password, nodepools[].scaling_group.login_password",
        "one line end at its end, as editors and `echo` leave it in a Secret, is cut off",
    ),
    ("extraParameters", "each becomes a member of the body"),
    ("tags", "those of --default-tags and the operator's own are added; the user's come first"),
    (
        "workerFields: AsNodePool (absent: where worker_instance_types is set)",
        "the old worker fields become nodepools[0], named default-nodepool, as the lines below say",
    ),
    ("num_of_nodes", "AsNodePool: scaling_group.desired_size"),
    ("vswitch_ids", "AsNodePool: stays, and is copied to scaling_group.vswitch_ids"),
    ("security_group_id", "AsNodePool: stays, and is copied to scaling_group.security_group_ids"),
    ("worker_instance_types", "AsNodePool: scaling_group.instance_types"),
    ("worker_system_disk_category, worker_system_disk_size", "AsNodePool: scaling_group, without worker_"),
    ("worker_data_disks", "AsNodePool: scaling_group.data_disks, size as a number"),
    ("worker_data_disk_category, worker_data_disk_size", "AsNodePool: scaling_group.data_disks[0]"),
    (
        "worker_instance_charge_type, worker_period, worker_period_unit, worker_auto_renew, worker_auto_renew_period",
        "AsNodePool: scaling_group, without worker_; instance_charge_type is PostPaid where it is absent, as it was",
    ),
    ("key_pair, login_password, image_id, rds_instances", "AsNodePool: scaling_group, same names"),
    ("platform, os_type", "AsNodePool: scaling_group.image_type is platform, or else Windows where os_type is Windows"),
    ("runtime", "AsNodePool: kubernetes_config.runtime and .runtime_version"),
    ("cpu_policy, taints, user_data, node_name_mode", "AsNodePool: kubernetes_config, same names"),
    ("cloud_monitor_flags", "AsNodePool: kubernetes_config.cms_enabled"),
];

/// Members that move into `nodepools[0].scaling_group` under `AsNodePool`: (in the body, in the group).
const TO_SCALING_GROUP: [(&str, &str); 13] = [
    ("num_of_nodes", "desired_size"),
    ("worker_instance_types", "instance_types"),
    ("worker_system_disk_category", "system_disk_category"),
    ("worker_system_disk_size", "system_disk_size"),
    ("worker_instance_charge_type", "instance_charge_type"),
    ("worker_period", "period"),
    ("worker_period_unit", "period_unit"),
    ("worker_auto_renew", "auto_renew"),
    ("worker_auto_renew_period", "auto_renew_period"),
    ("key_pair", "key_pair"),
    ("login_password", "login_password"),
    ("image_id", "image_id"),
    ("rds_instances", "rds_instances"),
];

/// Members that move into `nodepools[0].kubernetes_config` under `AsNodePool`.
const TO_KUBERNETES_CONFIG: [(&str, &str); 5] = [
    ("cpu_policy", "cpu_policy"),
    ("taints", "taints"),
    ("user_data", "user_data"),
    ("node_name_mode", "node_name_mode"),
    ("cloud_monitor_flags", "cms_enabled"),
];

/// Name of the pool that `AsNodePool` makes.
pub const DEFAULT_POOL: &str = "default-nodepool";

/// Why no body can be made. None names a value of a Secret.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// A Secret's value is not at hand: mend the Secret that `secretValues` names.
    #[error("secretValues: there is no value for {path}")]
    SecretMissing { path: String },
    /// Mend the path, or add the pool or addon.
    #[error("secretValues: the spec has no place for {path}")]
    NoPlace { path: String },
    /// Give it in the spec instead, or drop it.
    #[error("extraParameters: {name} is a name that the spec already knows")]
    KnownParameter { name: String },
    /// Drop tags of the spec, or of `--default-tags`.
    #[error(
        "tags: with those of --default-tags and the operator's own four they are {count}, and ACK takes {MOST_TAGS}; \
         drop {} of spec.tags", count - MOST_TAGS
    )]
    TooManyTags { count: usize },
    /// Write a number.
    #[error("{field} is {value}, which is no number")]
    NotANumber { field: &'static str, value: String },
    /// Drop some of it.
    #[error("the request body has {} KiB, and no more than {} KiB are sent", .length.div_ceil(1024), MOST_BYTES / 1024)]
    TooLong { length: usize },
    /// A defect of the operator, or of a stored object.
    #[error("the spec cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// How long a body may be. The longest that people are known to have written have 20 KiB; many passes hold one at once.
const MOST_BYTES: usize = 512 * 1024;

/// How many tags a cluster takes (ack-api d.2).
const MOST_TAGS: usize = 20;

/// The body of CreateCluster. `secret_values` holds a value for each path of `spec.secretValues`; `added_tags` are added
/// to the user's, whose own tag of the same key wins, except under our prefix, where no user has any.
///
/// The answer holds secrets in the clear: it must go to the wire and nowhere else.
pub fn body(
    object_name: &str,
    spec: &AckClusterSpec,
    secret_values: &BTreeMap<String, SecretString>,
    added_tags: &[(&str, &str)],
) -> Result<Value, BodyError> {
    let mut body = match serde_json::to_value(spec)? {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    // The operator's own fields are camelCase, those of the API never are, so none is sent because a list forgot it.
    body.retain(|name, _| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    body.entry("name").or_insert_with(|| json!(object_name));
    numbers_as_text(&mut body);
    for secret in spec.secret_values.iter().flatten() {
        let path = &secret.path;
        let value = secret_values.get(path).ok_or_else(|| BodyError::SecretMissing { path: path.clone() })?;
        let (place, member) = place(&mut body, path).ok_or_else(|| BodyError::NoPlace { path: path.clone() })?;
        place.insert(member.to_owned(), json!(value.expose_secret()));
    }
    if spec.workers_become_a_pool() {
        workers_as_node_pool(&mut body)?;
    }
    passwords_without_line_end(&mut body);
    for parameter in spec.extra_parameters.iter().flatten() {
        let name = &parameter.name;
        if RESERVED.contains(&name.as_str()) || body.contains_key(name) {
            return Err(BodyError::KnownParameter { name: name.clone() });
        }
        if !parameter.value.is_null() {
            body.insert(name.clone(), parameter.value.clone());
        }
    }
    if !added_tags.is_empty()
        && let Value::Array(tags) = body.entry("tags").or_insert_with(|| json!([]))
    {
        tags.retain(|tag| !tag["key"].as_str().is_some_and(|key| key.starts_with(tag::PREFIX)));
        for (key, value) in added_tags {
            if !tags.iter().any(|tag| tag["key"] == *key) {
                tags.push(json!({ "key": key, "value": value }));
            }
        }
        if tags.len() > MOST_TAGS {
            return Err(BodyError::TooManyTags { count: tags.len() });
        }
    }
    let body = Value::Object(body);
    let length = serde_json::to_vec(&body)?.len();
    if length > MOST_BYTES {
        return Err(BodyError::TooLong { length });
    }
    Ok(body)
}

/// The members that ACK takes as strings only (ack-api g.3, g.15).
fn numbers_as_text(body: &mut Map<String, Value>) {
    let text = |value: &mut Value| {
        if value.is_number() {
            *value = Value::String(value.to_string());
        }
    };
    for member in ["node_cidr_mask", "controlplane_log_ttl"] {
        body.get_mut(member).map(text);
    }
    let list = |value: Option<&mut Value>| value.and_then(Value::as_array_mut).map(std::mem::take);
    if let Some(mut disks) = list(body.get_mut("worker_data_disks")) {
        disks.iter_mut().filter_map(|disk| disk.get_mut("size")).for_each(text);
        body.insert("worker_data_disks".into(), disks.into());
    }
    if let Some(mut pools) = list(body.get_mut("nodepools")) {
        for pool in &mut pools {
            for member in ["max_parallel_repairing_nodes", "max_unhealthy_nodes_threshold"] {
                pool.pointer_mut(&format!("/management/auto_repair_policy/{member}")).map(text);
            }
        }
        body.insert("nodepools".into(), pools.into());
    }
}

/// Nobody means the line end by which a Secret's value ends when it was made from a file.
fn passwords_without_line_end(body: &mut Map<String, Value>) {
    let cut = |password: &mut Value| {
        if let Value::String(text) = password {
            let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).map(str::len);
            text.truncate(line.unwrap_or(text.len()));
        }
    };
    body.get_mut("login_password").map(cut);
    for pool in body.get_mut("nodepools").and_then(Value::as_array_mut).into_iter().flatten() {
        pool.pointer_mut("/scaling_group/login_password").map(cut);
    }
}

/// The object and the member that a path of `secretValues` names.
fn place<'a, 'p>(body: &'a mut Map<String, Value>, path: &'p str) -> Option<(&'a mut Map<String, Value>, &'p str)> {
    let mut parts = path.split('/');
    match (parts.next()?, parts.next(), parts.next()) {
        (member @ ("login_password" | "user_data"), None, None) => Some((body, member)),
        ("addons", Some(name), Some(member @ "config")) => {
            let addons = body.get_mut("addons")?.as_array_mut()?;
            let addon = addons.iter_mut().find(|addon| addon["name"] == name)?;
            Some((addon.as_object_mut()?, member))
        }
        ("nodepools", Some(name), Some(member)) => {
            let pools = body.get_mut("nodepools")?.as_array_mut()?;
            let pool = pools.iter_mut().find(|pool| pool["nodepool_info"]["name"] == name)?.as_object_mut()?;
            let group = match member {
                "login_password" => "scaling_group",
                "user_data" => "kubernetes_config",
                _ => return None,
            };
            Some((pool.entry(group).or_insert_with(|| json!({})).as_object_mut()?, member))
        }
        _ => None,
    }
}

/// The old worker fields as the first node pool.
fn workers_as_node_pool(body: &mut Map<String, Value>) -> Result<(), BodyError> {
    let mut group = Map::new();
    let mut kubernetes = Map::new();
    for (from, to) in TO_SCALING_GROUP {
        body.remove(from).map(|value| group.insert(to.into(), value));
    }
    for (from, to) in TO_KUBERNETES_CONFIG {
        body.remove(from).map(|value| kubernetes.insert(to.into(), value));
    }
    // A pool must say it; PostPaid is what the old field meant where it was absent.
    group.entry("instance_charge_type").or_insert_with(|| json!("PostPaid"));
    if let Some(vswitches) = body.get("vswitch_ids") {
        group.insert("vswitch_ids".into(), vswitches.clone());
    }
    if let Some(security_group) = body.get("security_group_id") {
        group.insert("security_group_ids".into(), json!([security_group]));
    }
    let os_type = body.remove("os_type").filter(|os| os == "Windows");
    if let Some(image_type) = body.remove("platform").or(os_type) {
        group.insert("image_type".into(), image_type);
    }
    if let Some(disks) = data_disks(body)? {
        group.insert("data_disks".into(), disks);
    }
    if let Some(Value::Object(mut runtime)) = body.remove("runtime") {
        for (from, to) in [("name", "runtime"), ("version", "runtime_version")] {
            runtime.remove(from).map(|value| kubernetes.insert(to.into(), value));
        }
    }
    let mut pool = json!({ "nodepool_info": { "name": DEFAULT_POOL }, "scaling_group": group });
    if !kubernetes.is_empty() {
        pool["kubernetes_config"] = kubernetes.into();
    }
    if let Value::Array(pools) = body.entry("nodepools").or_insert_with(|| json!([])) {
        pools.insert(0, pool);
    }
    Ok(())
}

/// The data disks of the old worker fields with sizes as numbers, which pools want (ack-api g.3).
fn data_disks(body: &mut Map<String, Value>) -> Result<Option<Value>, BodyError> {
    let mut single = Map::new();
    for (from, to) in [("worker_data_disk_category", "category"), ("worker_data_disk_size", "size")] {
        body.remove(from).map(|value| single.insert(to.into(), value));
    }
    let mut disks = match body.remove("worker_data_disks") {
        Some(Value::Array(disks)) => disks,
        _ if single.is_empty() => return Ok(None),
        _ => vec![single.into()],
    };
    for size in disks.iter_mut().filter_map(|disk| disk.get_mut("size")) {
        if let Some(text) = size.as_str() {
            let number: i64 = text
                .parse()
                .map_err(|_| BodyError::NotANumber { field: "worker_data_disks[].size", value: text.to_owned() })?;
            *size = json!(number);
        }
    }
    Ok(Some(disks.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::WorkerFields;

    #[test]
    fn of_a_password_one_line_end_is_cut_off_and_of_nothing_else() {
        for (given, sent) in [
            ("Hello1234!", "Hello1234!"),
            ("Hello1234!\n", "Hello1234!"),
            ("Hello1234!\r\n", "Hello1234!"),
            ("Hello1234!\n\n", "Hello1234!\n"),
            ("Hello\n1234! ", "Hello\n1234! "),
            ("Hello1234!\r", "Hello1234!\r"),
        ] {
            let mut spec: AckClusterSpec = serde_json::from_value(json!({
                "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes",
                "login_password": given, "user_data": given,
            }))
            .unwrap();
            let plain = body("web", &spec, &BTreeMap::new(), &[]).unwrap();
            assert_eq!((&plain["login_password"], &plain["user_data"]), (&json!(sent), &json!(given)), "{given:?}");
            spec.worker_fields = Some(WorkerFields::AsNodePool);
            let pool = body("web", &spec, &BTreeMap::new(), &[]).unwrap()["nodepools"][0].clone();
            assert_eq!(pool["scaling_group"]["login_password"], sent, "{given:?}");
            assert_eq!(pool["kubernetes_config"]["user_data"], given, "{given:?}");
        }
    }
}
