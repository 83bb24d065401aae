//! The nested parts of the CreateCluster body, under ACK's own names. Data only.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::api::values::{NumberOrText, number_or_text};

/// A tag.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Tag {
    /// Key, 1 to 64 characters, unique and case-sensitive.
    #[x_kube(validation = ("!self.startsWith('aliyun') && !self.startsWith('acs:') && !self.contains('http://') && !self.contains('https://')", "a tag's key neither begins with aliyun or acs: nor holds http:// or https://"))]
    #[x_kube(validation = ("!self.startsWith('ackoperator.dev/')", "tags under ackoperator.dev/ are the operator's own"))]
    #[schemars(length(min = 1, max = 64))]
    pub key: String,
    /// Value, at most 128 characters; an empty one can be given at creation only.
    #[x_kube(validation = ("!self.startsWith('aliyun') && !self.startsWith('acs:') && !self.contains('http://') && !self.contains('https://')", "a tag's value neither begins with aliyun or acs: nor holds http:// or https://"))]
    #[schemars(length(max = 128))]
    pub value: Option<String>,
}

/// The managed mode.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AutoMode {
    /// Whether it is on.
    pub enable: Option<bool>,
}

/// How the API server is reached.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct ControlPlaneEndpointsConfig {
    /// Name resolution of the internal endpoint.
    pub internal_dns_config: Option<InternalDnsConfig>,
    /// Load balancers of the API server, at most one of each type. With them `endpoint_public_access` has no effect.
    #[x_kube(validation = ("self.all(b, self.exists_one(o, o.endpoint_type == b.endpoint_type))", "load_balancers_config holds at most one load balancer of each endpoint_type"))]
    #[schemars(length(max = 2))]
    pub load_balancers_config: Option<Vec<LoadBalancerConfig>>,
}

/// Name resolution of the internal endpoint.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct InternalDnsConfig {
    /// VPCs (`vpc-...`) in which the name resolves.
    #[x_kube(validation = ("self.all(id, id.startsWith('vpc-'))", "bind_vpcs hold ids that begin with vpc-"))]
    pub bind_vpcs: Option<Vec<String>>,
}

/// A load balancer of the API server.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct LoadBalancerConfig {
    /// Id (`lb-...`).
    #[x_kube(validation = ("self.startsWith('lb-')", "load_balancer_id begins with lb-"))]
    pub load_balancer_id: Option<String>,
    /// Which endpoint it serves.
    #[schemars(extend("enum" = ["private", "public"]))]
    pub endpoint_type: String,
}

/// A component.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Addon {
    /// Name of the component: network `flannel`, `terway-eniip`; storage `csi-plugin`, `csi-provisioner`; logs
    /// `logtail-ds`, `loongcollector`; `nginx-ingress-controller`, `ack-node-problem-detector`, `arms-prometheus`, ...
    #[x_kube(validation = ("self.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$')", "an addon's name holds letters, digits, dots, dashes and underscores"))]
    #[schemars(length(max = 128))]
    pub name: String,
    /// Configuration: a JSON object written as a string. Where it holds secrets, take it from a Secret by
    /// `secretValues`.
    #[x_kube(validation = ("self == '' || self.matches('^\\\\s*[{]')", "an addon's config is a JSON object written as a string"))]
    #[schemars(length(max = 16384))]
    pub config: Option<String>,
    /// Do not install a component that ACK would install by itself. Service default: false.
    pub disabled: Option<bool>,
    /// Version of the component. Service default: the newest that fits.
    #[schemars(length(max = 64))]
    pub version: Option<String>,
}

/// A container runtime.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Runtime {
    /// `containerd`, `docker` (Kubernetes up to 1.22), `Sandboxed-Container.runv`.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Version, such as `1.6.28`. Service default: the newest.
    #[schemars(length(max = 64))]
    pub version: Option<String>,
}

/// RAM roles for service accounts.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct RrsaConfig {
    /// Whether it is on.
    pub enabled: Option<bool>,
}

/// Collection of the API server's audit log.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct AuditLogConfig {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// SLS project. Service default: a new one.
    #[schemars(length(max = 128))]
    pub sls_project_name: Option<String>,
}

/// When ACK may do maintenance.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct MaintenanceWindow {
    /// Whether there is a window.
    pub enable: Option<bool>,
    /// Begin, RFC 3339, such as `2026-11-03T03:00:00+08:00`.
    #[schemars(length(max = 64))]
    pub maintenance_time: Option<String>,
    /// Length, `1h` to `24h`.
    #[x_kube(validation = ("self.matches('^([1-9]|1[0-9]|2[0-4])h$')", "duration is a whole number of hours from 1h to 24h"))]
    #[schemars(length(max = 8))]
    pub duration: Option<String>,
    /// Days, such as `Monday,Thursday`. Service default: `Thursday`.
    #[x_kube(validation = ("self.matches('^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day(,(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)*$')", "weekly_period names days joined by commas, such as Monday,Thursday"))]
    #[schemars(length(max = 64))]
    pub weekly_period: Option<String>,
    /// Recurrence by RFC 5545; `FREQ=WEEKLY` only.
    #[x_kube(validation = ("self.startsWith('FREQ=WEEKLY')", "recurrence begins with FREQ=WEEKLY"))]
    pub recurrence: Option<String>,
    /// Times without maintenance, at most 10.
    #[schemars(length(max = 10))]
    pub exclusions: Option<Vec<Exclusion>>,
}

/// A time without maintenance.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    /// Name, 1 to 63 characters.
    #[schemars(length(min = 1, max = 63))]
    pub name: Option<String>,
    /// What it is for, at most 128 characters.
    #[schemars(length(max = 128))]
    pub description: Option<String>,
    /// What does not happen: `NoOperations`, `NoUpgrades`, `NoMinorUpgrades`, `NoCVEPatch`.
    #[schemars(length(max = 64))]
    pub scope: Option<String>,
    /// Begin, RFC 3339.
    #[schemars(length(max = 64))]
    pub start_time: Option<String>,
    /// End, RFC 3339; at most 30 days later, 180 for `NoMinorUpgrades`.
    #[schemars(length(max = 64))]
    pub end_time: Option<String>,
}

/// What ACK does by itself.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct OperationPolicy {
    /// Upgrades in the maintenance window, which must be enabled.
    pub cluster_auto_upgrade: Option<ClusterAutoUpgrade>,
}

/// Upgrades that ACK does by itself.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct ClusterAutoUpgrade {
    /// Whether it is on. The version then moves by itself, and the operator does not fight it.
    pub enabled: Option<bool>,
    /// `patch`, `stable` or `rapid`.
    #[schemars(length(max = 32))]
    pub channel: Option<String>,
}

/// A data disk of seed workers.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct WorkerDataDisk {
    /// Category, as for system disks.
    #[schemars(length(min = 1, max = 64))]
    pub category: String,
    /// Size in GiB, 40 to 32768, a number or a string; ACK gets a string.
    #[x_kube(validation = ("string(self).matches('^([4-9][0-9]|[1-9][0-9]{2,3}|[12][0-9]{4}|3[01][0-9]{3}|32[0-6][0-9]{2}|327[0-5][0-9]|3276[0-8])$')", "a data disk's size is a number from 40 to 32768"))]
    #[schemars(schema_with = "number_or_text")]
    pub size: NumberOrText,
    /// Whether the disk is encrypted, as a string. Service default: `"false"`.
    #[schemars(extend("enum" = ["true", "false"]))]
    pub encrypted: Option<String>,
    /// Automatic snapshot policy (`sp-...`).
    #[x_kube(validation = ("self.startsWith('sp-')", "auto_snapshot_policy_id begins with sp-"))]
    pub auto_snapshot_policy_id: Option<String>,
}

/// A taint.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Taint {
    /// Key, a Kubernetes label key.
    #[x_kube(validation = ("self.matches('^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$')", "a taint's key is a Kubernetes label key, such as example.com/role"))]
    pub key: String,
    /// Value, a Kubernetes label value. Service default: empty.
    #[x_kube(validation = ("self.matches('^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$')", "a taint's value is a Kubernetes label value"))]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// Effect. Service default: `NoSchedule`.
    #[schemars(extend("enum" = ["NoSchedule", "NoExecute", "PreferNoSchedule"]))]
    pub effect: Option<String>,
}
