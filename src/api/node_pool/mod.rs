//! `nodepools[]`: the big nested part of the CreateCluster body, with the members of CreateClusterNodePool (ack-api
//! d.10). Data and the rules over one pool; it never acts.
//!
//! A member marked `x-fixed` is not taken by ModifyClusterNodePool: it only counts when the pool is made.

mod scaling_group;

pub use scaling_group::*;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::spec::{AutoMode, Taint};
use super::values::{Masked, NumberOrText, free_object, number_or_text};

/// A node pool.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = ("!(self.?auto_scaling.?enable.orValue(false) && has(self.scaling_group.desired_size))", "desired_size and auto_scaling.enable: true exclude each other: keep one of them"))]
#[x_kube(validation = ("!(self.?management.?enable.orValue(false) && has(self.scaling_group.login_password))", "a managed pool (management.enable: true) takes key_pair only: drop login_password"))]
pub struct NodePool {
    /// Name, type, resource group.
    pub nodepool_info: NodePoolInfo,
    /// Machines, disks, network, billing.
    pub scaling_group: ScalingGroup,
    /// What concerns Kubernetes on the nodes.
    pub kubernetes_config: Option<KubernetesConfig>,
    /// Scaling by load.
    pub auto_scaling: Option<AutoScaling>,
    /// What ACK does by itself with the nodes.
    pub management: Option<Management>,
    /// Confidential computing.
    pub tee_config: Option<TeeConfig>,
    /// Configuration of the nodes.
    pub node_config: Option<NodeConfig>,
    /// Components of the nodes.
    pub node_components: Option<Vec<NodeComponent>>,
    /// The managed mode of the pool.
    #[schemars(extend("x-fixed" = true))]
    pub auto_mode: Option<AutoMode>,
    /// Network of an edge pool: `basic` or `private`.
    #[schemars(length(max = 32), extend("x-fixed" = true))]
    pub interconnect_mode: Option<String>,
    /// Whether pods use the host's network. Edge and Lingjun pools.
    #[schemars(extend("x-fixed" = true))]
    pub host_network: Option<bool>,
    /// Whether the nodes of an edge pool reach each other.
    #[schemars(extend("x-fixed" = true))]
    pub intranet: Option<bool>,
    /// Configuration of a Lingjun pool, as ACK takes it.
    #[serde(default)]
    #[schemars(schema_with = "free_object")]
    pub eflo_node_group: Option<serde_json::Value>,
}

/// Name, type, resource group.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct NodePoolInfo {
    /// Name, by which the pool is known here: 1 to 63 digits, Chinese characters, English letters and `-`.
    #[x_kube(validation = (r"self.matches('^[0-9A-Za-z\\p{Han}][0-9A-Za-z\\p{Han}-]{0,62}$')", "a node pool's name holds 1 to 63 digits, Chinese characters, English letters and -, and does not begin with -"))]
    #[schemars(length(max = 63))]
    pub name: String,
    /// `ess` (the default), `edge`, `lingjun` or `hybrid`.
    #[serde(rename = "type")]
    #[schemars(length(max = 32), extend("x-fixed" = true))]
    pub kind: Option<String>,
    /// Resource group (`rg-...`).
    #[x_kube(validation = ("self.startsWith('rg-')", "resource_group_id begins with rg-"))]
    pub resource_group_id: Option<String>,
}

/// What concerns Kubernetes on the nodes.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = Rule::new(r"!has(self.user_data) || !self.user_data.matches('[^A-Za-z0-9+/=\\s]')").message("user_data is Base64 text").field_path(".user_data"))]
#[x_kube(validation = Rule::new(r"!has(self.pre_user_data) || !self.pre_user_data.matches('[^A-Za-z0-9+/=\\s]')").message("pre_user_data is Base64 text").field_path(".pre_user_data"))]
pub struct KubernetesConfig {
    /// Container runtime: `containerd` (the default), `Sandboxed-Container.runv` (Kubernetes up to 1.31), `docker` (up to
    /// 1.22).
    #[schemars(length(max = 64))]
    pub runtime: Option<String>,
    /// Version of the runtime.
    #[schemars(length(max = 64))]
    pub runtime_version: Option<String>,
    /// Labels of the nodes.
    #[x_kube(validation = ("self.all(l, self.exists_one(o, o.key == l.key))", "labels hold each key once"))]
    #[schemars(length(max = 50))]
    pub labels: Option<Vec<NodeLabel>>,
    /// Taints of the nodes.
    #[x_kube(validation = ("self.all(t, self.exists_one(o, o.key == t.key && (has(o.effect) ? o.effect : '') == (has(t.effect) ? t.effect : '')))", "taints differ in key or effect: merge those that share both"))]
    pub taints: Option<Vec<Taint>>,
    /// The kubelet's CPU manager.
    #[schemars(extend("enum" = ["none", "static"]))]
    pub cpu_policy: Option<String>,
    /// Install the CloudMonitor agent.
    pub cms_enabled: Option<bool>,
    /// Rule for node names: `customized,<prefix>,ip,<suffix>`.
    #[x_kube(validation = ("self.startsWith('customized,')", "node_name_mode begins with customized,"))]
    #[schemars(length(max = 128))]
    pub node_name_mode: Option<String>,
    /// Script that new nodes run after they have joined, in Base64. It may hold secrets: better taken from a Secret by
    /// `secretValues`.
    #[schemars(length(max = 32768))]
    pub user_data: Option<Masked>,
    /// Script that new nodes run before they join, in Base64.
    #[schemars(length(max = 32768))]
    pub pre_user_data: Option<Masked>,
    /// Keep pods away from new nodes.
    pub unschedulable: Option<bool>,
}

/// A label of the nodes.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct NodeLabel {
    /// Key.
    #[x_kube(validation = ("self.matches('^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$')", "a label's key is a Kubernetes label key, such as example.com/role"))]
    pub key: String,
    /// Value.
    #[x_kube(validation = ("self.matches('^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$')", "a label's value is a Kubernetes label value"))]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
}

/// Scaling by load.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = ("!self.?enable.orValue(false) || (has(self.min_instances) && has(self.max_instances))", "auto_scaling.enable: true needs min_instances and max_instances"))]
#[x_kube(validation = ("!has(self.min_instances) || !has(self.max_instances) || self.min_instances <= self.max_instances", "min_instances is not above max_instances"))]
pub struct AutoScaling {
    /// Whether the pool scales by load. Excludes `desired_size`.
    pub enable: Option<bool>,
    /// Fewest machines.
    #[schemars(range(min = 0, max = 2000))]
    pub min_instances: Option<i64>,
    /// Most machines, up to 2000.
    #[schemars(range(min = 0, max = 2000))]
    pub max_instances: Option<i64>,
    /// What decides: `cpu`, `gpu`, `gpushare` or `spot`.
    #[serde(rename = "type")]
    #[schemars(length(max = 32), extend("x-fixed" = true))]
    pub kind: Option<String>,
}

/// What ACK does by itself with the nodes.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Management {
    /// Whether the pool is managed; the rest only counts if so.
    pub enable: Option<bool>,
    /// Repair broken nodes.
    pub auto_repair: Option<bool>,
    /// How.
    pub auto_repair_policy: Option<AutoRepairPolicy>,
    /// Upgrade nodes.
    pub auto_upgrade: Option<bool>,
    /// What of them.
    pub auto_upgrade_policy: Option<AutoUpgradePolicy>,
    /// Mend vulnerabilities.
    pub auto_vul_fix: Option<bool>,
    /// Which.
    pub auto_vul_fix_policy: Option<AutoVulFixPolicy>,
    /// Pace of upgrades.
    pub upgrade_config: Option<UpgradeConfig>,
    /// Let ECS look for faults.
    pub auto_fault_diagnosis: Option<bool>,
    /// Replace nodes that differ from the pool's configuration.
    pub drift_enabled: Option<bool>,
}

/// How broken nodes are repaired.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AutoRepairPolicy {
    /// Whether nodes may be restarted.
    pub restart_node: Option<bool>,
    /// Whether somebody must approve.
    pub approval_required: Option<bool>,
    /// How many at once, a number or a string; ACK gets a string.
    #[serde(default)]
    #[schemars(schema_with = "number_or_text")]
    pub max_parallel_repairing_nodes: Option<NumberOrText>,
    /// From how many broken nodes on it stops, a number or a percentage; ACK gets a string.
    #[serde(default)]
    #[schemars(schema_with = "number_or_text")]
    pub max_unhealthy_nodes_threshold: Option<NumberOrText>,
    /// A policy of the account.
    #[schemars(length(max = 128))]
    pub auto_repair_policy_id: Option<String>,
}

/// What is upgraded.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AutoUpgradePolicy {
    /// The kubelet.
    pub auto_upgrade_kubelet: Option<bool>,
    /// The operating system.
    pub auto_upgrade_os: Option<bool>,
    /// The container runtime.
    pub auto_upgrade_runtime: Option<bool>,
}

/// Which vulnerabilities are mended.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AutoVulFixPolicy {
    /// Whether nodes may be restarted.
    pub restart_node: Option<bool>,
    /// Levels joined by commas, such as `asap,nntf`.
    #[schemars(length(max = 64))]
    pub vul_level: Option<String>,
    /// Packages to leave alone, joined by commas.
    #[schemars(length(max = 1024))]
    pub exclude_packages: Option<String>,
}

/// Pace of upgrades.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = ("!(has(self.surge) && has(self.surge_percentage))", "surge and surge_percentage exclude each other: keep one of them"))]
pub struct UpgradeConfig {
    /// Most nodes that may be missing at once, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub max_unavailable: Option<i64>,
    /// Additional nodes meanwhile.
    #[schemars(range(min = 0, max = 1000))]
    pub surge: Option<i64>,
    /// Additional nodes meanwhile, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub surge_percentage: Option<i64>,
}

/// Confidential computing.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct TeeConfig {
    /// Whether it is on.
    pub tee_enable: Option<bool>,
}

/// Configuration of the nodes. It only counts when the pool is made.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct NodeConfig {
    /// The kubelet's configuration, as ACK takes it.
    #[serde(default)]
    #[schemars(schema_with = "free_object")]
    pub kubelet_configuration: Option<serde_json::Value>,
}

/// A component of the nodes. It only counts when the pool is made.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct NodeComponent {
    /// Name.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Version.
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Configuration, as ACK takes it.
    #[serde(default)]
    #[schemars(schema_with = "free_object")]
    pub config: Option<serde_json::Value>,
}
