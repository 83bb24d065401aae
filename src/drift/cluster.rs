//! The table of fields: one row for each field of the CreateCluster body. It says where a field is read back, what
//! changes it, and how it is compared; it changes nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Difference;
use super::normal::{Texts, digest, find, overlay, same_text, shown, texts, within};
use crate::api::tag;

/// What can be done about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// ACK cannot change it on a living cluster; the CRD holds it while the spec is locked.
    Fixed,
    /// A member of ModifyCluster changes it.
    Modify,
    /// TagResources and UntagResources.
    Tags,
    /// UpgradeCluster, upwards only.
    Upgrade,
    /// It can be changed, but ACK does not show it: what was last applied decides.
    Blind,
}

/// How wish and answer are compared. An answer that is missing or empty says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// Never: ACK does not show it.
    Never,
    /// The same text; a number is the text that it prints as.
    Text,
    /// The same word, whatever its case (ack-api g.32).
    Word,
    /// The same switch.
    Flag,
    /// The same words in any order; a text is split at its commas.
    Set,
    /// At least the words that the spec gives; ACK may add its own.
    Holds,
    /// The members that the spec sets; ACK may show more, also entries of lists.
    Within,
    /// Whether there is anything: a switch that shows as an address.
    Present,
    /// At least this version.
    Version,
    /// The keys that the spec sets.
    Tags,
    /// The digest of what was last applied.
    Digest,
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in the spec and in the body.
    pub name: &'static str,
    /// Where the detail shows it; the first that is there counts (for `Holds`, all). `>` goes into a member, also of JSON
    /// inside a string.
    pub read: &'static [&'static str],
    /// The member of ModifyCluster.
    pub modify: Option<&'static str>,
    pub compare: Compare,
    pub kind: Kind,
}

const fn fixed(name: &'static str, compare: Compare, read: &'static [&'static str]) -> Field {
    Field { name, read, modify: None, compare, kind: Kind::Fixed }
}

/// Counts at creation and is never shown.
const fn unseen(name: &'static str) -> Field {
    fixed(name, Compare::Never, &[])
}

const fn modify(name: &'static str, member: &'static str, compare: Compare, read: &'static [&'static str]) -> Field {
    Field { name, read, modify: Some(member), compare, kind: Kind::Modify }
}

const fn blind(name: &'static str) -> Field {
    Field { name, read: &[], modify: None, compare: Compare::Digest, kind: Kind::Blind }
}

/// Every field of the body, once (ack-api d.2, d.7; create-cluster-fields).
pub const FIELDS: &[Field] = &[
    modify("name", "cluster_name", Compare::Text, &["name"]),
    fixed("region_id", Compare::Text, &["region_id"]),
    fixed("cluster_type", Compare::Text, &["cluster_type"]),
    modify("cluster_spec", "cluster_spec", Compare::Text, &["cluster_spec"]),
    Field {
        name: "kubernetes_version",
        read: &["current_version"],
        modify: None,
        compare: Compare::Version,
        kind: Kind::Upgrade,
    },
    modify("timezone", "timezone", Compare::Text, &["timezone"]),
    fixed("cluster_domain", Compare::Text, &["cluster_domain"]),
    modify("deletion_protection", "deletion_protection", Compare::Flag, &["deletion_protection"]),
    Field { name: "tags", read: &["tags"], modify: None, compare: Compare::Tags, kind: Kind::Tags },
    modify("resource_group_id", "resource_group_id", Compare::Text, &["resource_group_id"]),
    fixed("profile", Compare::Word, &["profile"]),
    fixed("auto_mode", Compare::Within, &["auto_mode"]),
    // network
    fixed("vpcid", Compare::Text, &["vpc_id"]),
    modify("vswitch_ids", "vswitch_ids", Compare::Set, &["vswitch_ids", "vswitch_id"]),
    unseen("zone_ids"),
    unseen("pod_vswitch_ids"),
    fixed("container_cidr", Compare::Text, &["container_cidr", "subnet_cidr"]),
    fixed("service_cidr", Compare::Text, &["service_cidr"]),
    fixed("node_cidr_mask", Compare::Text, &["node_cidr_mask", "meta_data>Capabilities>NodeCIDRMask"]),
    fixed("proxy_mode", Compare::Word, &["proxy_mode"]),
    fixed("ip_stack", Compare::Word, &["ip_stack"]),
    unseen("snat_entry"),
    modify("endpoint_public_access", "api_server_eip", Compare::Present, &["master_url>api_server_endpoint"]),
    unseen("load_balancer_id"),
    modify(
        "control_plane_endpoints_config",
        "control_plane_endpoints_config",
        Compare::Within,
        &["control_plane_endpoints_config"],
    ),
    modify("security_group_id", "security_group_id", Compare::Text, &["security_group_id"]),
    unseen("is_enterprise_security_group"),
    unseen("rds_instances"),
    unseen("custom_san"),
    modify("extra_sans", "api_server_custom_cert_sans", Compare::Holds, &["extra_sans", "meta_data>ExtraCertSAN"]),
    // components, tokens, keys, operation
    blind("addons"),
    blind("encryption_provider_key"),
    unseen("service_account_issuer"),
    unseen("api_audiences"),
    unseen("user_ca"),
    modify("rrsa_config", "enable_rrsa", Compare::Within, &["rrsa_config", "meta_data>RRSAConfig"]),
    blind("controlplane_log_components"),
    blind("controlplane_log_project"),
    blind("controlplane_log_ttl"),
    blind("audit_log_config"),
    modify("maintenance_window", "maintenance_window", Compare::Within, &["maintenance_window"]),
    modify("operation_policy", "operation_policy", Compare::Within, &["operation_policy"]),
    blind("nodepools"),
    // seed workers: they live in node pools and only count at creation
    unseen("num_of_nodes"),
    unseen("worker_instance_types"),
    unseen("worker_system_disk_category"),
    unseen("worker_system_disk_size"),
    unseen("worker_data_disks"),
    unseen("worker_data_disk_category"),
    unseen("worker_data_disk_size"),
    unseen("image_id"),
    unseen("platform"),
    unseen("os_type"),
    unseen("user_data"),
    unseen("node_name_mode"),
    unseen("cpu_policy"),
    unseen("cloud_monitor_flags"),
    unseen("taints"),
    unseen("runtime"),
    unseen("key_pair"),
    unseen("login_password"),
    unseen("worker_instance_charge_type"),
    unseen("worker_period"),
    unseen("worker_period_unit"),
    unseen("worker_auto_renew"),
    unseen("worker_auto_renew_period"),
    unseen("instances"),
    unseen("format_disk"),
    unseen("keep_instance_name"),
    unseen("disable_rollback"),
    unseen("timeout_mins"),
];

impl Field {
    /// The difference between `wish`, one of `wishes`, and what the cloud shows.
    pub(super) fn difference(
        &'static self,
        wish: &Value,
        wishes: &Map<String, Value>,
        detail: &Map<String, Value>,
        applied: &BTreeMap<String, String>,
    ) -> Option<Difference> {
        let lacking = |from: String, to: String, lacks: Value| {
            Some(Difference { field: self, from, to, digest: digest(wish), lacks })
        };
        let difference = |from: String, to: String| lacking(from, to, wish.clone());
        let is = self.read.iter().find_map(|path| find(detail, path));
        match self.compare {
            Compare::Never => None,
            Compare::Digest => {
                let last = applied.get(self.name)?;
                (*last != digest(wish)).then_some(())?;
                difference("as last applied".into(), "changed since".into())
            }
            Compare::Present => {
                // With load balancers of the user's the switch has no effect, and without any address nothing is known.
                let chosen = wishes.get("control_plane_endpoints_config").and_then(|c| c.get("load_balancers_config"));
                if chosen.is_some() || find(detail, "master_url").is_none() {
                    return None;
                }
                let (is, wish) = (is.is_some(), wish.as_bool()?);
                (is != wish).then_some(())?;
                difference(is.to_string(), wish.to_string())
            }
            Compare::Holds => {
                let sources: Vec<Value> = self.read.iter().filter_map(|path| find(detail, path)).collect();
                let known = detail.contains_key(self.read.first().copied().unwrap_or_default()) || !sources.is_empty();
                let is: Texts = sources.iter().flat_map(texts).collect();
                let lacks: Value = texts(wish).difference(&is).cloned().collect();
                (known && lacks != Value::Array(vec![])).then_some(())?;
                lacking(shown(&is.into_iter().collect()), shown(wish), lacks)
            }
            Compare::Tags => {
                let is = detail.get("tags").and_then(Value::as_array)?;
                let (from, to, lacks) = tags(wish, is)?;
                lacking(from, to, lacks)
            }
            Compare::Text | Compare::Word | Compare::Flag | Compare::Set | Compare::Within | Compare::Version => {
                let is = is?;
                let same = match self.compare {
                    Compare::Flag => wish.as_bool() == flag(&is) || flag(&is).is_none(),
                    Compare::Set => texts(wish) == texts(&is),
                    Compare::Within => within(wish, &is),
                    Compare::Version => !older(is.as_str()?, wish.as_str()?),
                    Compare::Word => shown(wish).eq_ignore_ascii_case(&shown(&is)),
                    _ => same_text(wish, &is),
                };
                (!same).then_some(())?;
                let lacks = if self.compare == Compare::Within { overlay(wish, &is) } else { wish.clone() };
                lacking(shown(&is), shown(wish), lacks)
            }
        }
    }
}

/// A switch as ACK writes it (ack-api a.3).
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// Whether version `is` is below `wish`, number by number: `1.33.3-aliyun.1`.
fn older(is: &str, wish: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    numbers(is) < numbers(wish)
}

/// Tags that the spec sets and the cloud lacks or has otherwise. Tags of others and of ACK itself are not looked at.
fn tags(wish: &Value, is: &[Value]) -> Option<(String, String, Value)> {
    let value = |tag: &Value| tag["value"].as_str().unwrap_or_default().to_owned();
    let (mut from, mut to, mut lacks) = (vec![], vec![], vec![]);
    for wish in wish.as_array().into_iter().flatten() {
        let key = wish["key"].as_str().unwrap_or_default();
        let found = is.iter().find(|tag| tag["key"] == key).map(value);
        if key.starts_with(tag::PREFIX) || found.as_ref() == Some(&value(wish)) {
            continue;
        }
        from.push(found.map_or(format!("no {key}"), |value| format!("{key}={value}")));
        to.push(format!("{key}={}", value(wish)));
        lacks.push(wish.clone());
    }
    let text = |parts: Vec<String>| shown(&Value::from(parts.join(", ")));
    (!to.is_empty()).then(|| (text(from), text(to), Value::Array(lacks)))
}
