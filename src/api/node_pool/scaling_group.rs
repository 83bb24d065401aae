//! `nodepools[].scaling_group`: machines, disks, network and billing of a pool (ack-api d.10). Data and the rules over
//! one group.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::api::rules::PASSWORD;
use crate::api::values::{Masked, free_objects};

/// Machines, disks, network and billing of a pool.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(validation = ("has(self.instance_types) || has(self.instance_patterns)", "a scaling_group needs instance_types, or instance_patterns"))]
#[x_kube(validation = ("!(has(self.key_pair) && has(self.login_password))", "key_pair and login_password of a node pool exclude each other: keep one of them"))]
#[x_kube(validation = ("self.instance_charge_type != 'PrePaid' || (has(self.period) && has(self.period_unit))", "a PrePaid node pool needs period and period_unit"))]
#[x_kube(validation = ("!has(self.period) || (self.?period_unit.orValue('Month') == 'Week' ? self.period <= 4 : self.period in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36, 48, 60])", "period is 1 to 4 weeks, or 1 to 9, 12, 24, 36, 48 or 60 months"))]
#[x_kube(validation = ("self.?spot_strategy.orValue('') != 'SpotWithPriceLimit' || has(self.spot_price_limit)", "spot_strategy SpotWithPriceLimit needs spot_price_limit"))]
#[x_kube(validation = Rule::new(PASSWORD).message("a node pool's login_password has 8 to 30 characters of three kinds out of upper case, lower case, digits and others, without backslash and double quote").field_path(".login_password"))]
pub struct ScalingGroup {
    /// vSwitches of the nodes, 1 to 8. Required.
    #[x_kube(validation = ("self.all(id, id.startsWith('vsw-'))", "vswitch_ids hold ids that begin with vsw-"))]
    #[schemars(length(min = 1, max = 8))]
    pub vswitch_ids: Vec<String>,
    /// ECS types, 1 to 10, the first is tried first. Required unless `instance_patterns` are given.
    #[x_kube(validation = ("self.all(name, name.startsWith('ecs.'))", "instance_types hold names that begin with ecs."))]
    #[schemars(length(min = 1, max = 10))]
    pub instance_types: Option<Vec<String>>,
    /// Properties by which ACK chooses types, as ACK takes them.
    #[serde(default)]
    #[schemars(schema_with = "free_objects")]
    pub instance_patterns: Option<Vec<serde_json::Value>>,
    /// How machines are paid. Required. PrePaid ones outlive the cluster.
    #[schemars(extend("enum" = ["PostPaid", "PrePaid"]))]
    pub instance_charge_type: String,
    /// Number of machines. Excludes `auto_scaling.enable: true`.
    #[schemars(range(min = 0, max = 2000))]
    pub desired_size: Option<i64>,
    /// Time paid in advance: 1 to 9, 12, 24, 36, 48 or 60 months, or 1 to 4 weeks. Required with PrePaid.
    #[schemars(range(min = 1, max = 60))]
    pub period: Option<i64>,
    /// Unit of `period`. Required with PrePaid.
    #[schemars(extend("enum" = ["Month", "Week"]))]
    pub period_unit: Option<String>,
    /// Renew PrePaid machines automatically. Service default: false.
    pub auto_renew: Option<bool>,
    /// Length of each renewal. Service default: 1.
    #[schemars(range(min = 1, max = 60))]
    pub auto_renew_period: Option<i64>,
    /// `AliyunLinux3`, `AliyunLinux3Arm64`, `AliyunLinux3ContainerOptimized`, `ContainerOS`, `Windows`, `WindowsCore`, ...
    #[schemars(length(max = 64))]
    pub image_type: Option<String>,
    /// Image of your own.
    #[schemars(length(max = 128))]
    pub image_id: Option<String>,
    /// ECS key pair for root. Excludes `login_password`; ContainerOS and managed pools take this only.
    #[schemars(length(max = 128))]
    pub key_pair: Option<String>,
    /// Password of root, as the spec's `login_password`. Better taken from a Secret by `secretValues`.
    #[schemars(length(max = 30))]
    pub login_password: Option<Masked>,
    /// Log in as another user than root.
    #[schemars(extend("x-fixed" = true))]
    pub login_as_non_root: Option<bool>,
    /// `cloud_essd`, `cloud_auto`, `cloud_essd_entry`, `cloud_efficiency`, `cloud_ssd`, `cloud`.
    #[schemars(length(max = 64))]
    pub system_disk_category: Option<String>,
    /// Categories to try, the first first.
    #[schemars(length(max = 10))]
    pub system_disk_categories: Option<Vec<String>>,
    /// GiB, 20 to 2048.
    #[schemars(range(min = 20, max = 2048))]
    pub system_disk_size: Option<i64>,
    /// `PL0` to `PL3`; ESSD only.
    #[schemars(length(max = 8))]
    pub system_disk_performance_level: Option<String>,
    /// Automatic snapshot policy (`sp-...`).
    pub system_disk_snapshot_policy_id: Option<String>,
    /// Whether the system disk is encrypted.
    pub system_disk_encrypted: Option<bool>,
    /// KMS key of the system disk.
    #[schemars(length(max = 128))]
    pub system_disk_kms_key_id: Option<String>,
    /// `aes-256`.
    #[schemars(length(max = 32))]
    pub system_disk_encrypt_algorithm: Option<String>,
    /// Bursting of the system disk.
    pub system_disk_bursting_enabled: Option<bool>,
    /// Provisioned operations per second of the system disk.
    #[schemars(range(min = 0))]
    pub system_disk_provisioned_iops: Option<i64>,
    /// Data disks.
    #[schemars(length(max = 16))]
    pub data_disks: Option<Vec<DataDisk>>,
    /// How disks are prepared.
    #[schemars(length(max = 16))]
    pub disk_init: Option<Vec<DiskInit>>,
    /// Security groups of the nodes. Service default: the cluster's.
    #[x_kube(validation = ("self.all(id, id.startsWith('sg-'))", "security_group_ids hold ids that begin with sg-"))]
    #[schemars(length(max = 10))]
    pub security_group_ids: Option<Vec<String>>,
    /// `PayByTraffic` or `PayByBandwidth`.
    #[schemars(length(max = 32))]
    pub internet_charge_type: Option<String>,
    /// Mbit/s of public addresses, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub internet_max_bandwidth_out: Option<i64>,
    /// RDS instances whose white lists get the nodes.
    #[x_kube(validation = ("self.all(id, id.startsWith('rm-'))", "rds_instances hold ids that begin with rm-"))]
    pub rds_instances: Option<Vec<String>>,
    /// `NoSpot`, `SpotWithPriceLimit`, `SpotAsPriceGo`.
    #[schemars(length(max = 32))]
    pub spot_strategy: Option<String>,
    /// Price limits. Required with `SpotWithPriceLimit`.
    #[schemars(length(max = 10))]
    pub spot_price_limit: Option<Vec<SpotPriceLimit>>,
    /// Number of cheapest types to use, 1 to 10.
    #[schemars(range(min = 1, max = 10))]
    pub spot_instance_pools: Option<i64>,
    /// Replace spot machines before they are taken away.
    pub spot_instance_remedy: Option<bool>,
    /// Use pay-as-you-go machines where spot ones are missing.
    pub compensate_with_on_demand: Option<bool>,
    /// Least number of pay-as-you-go machines, 0 to 1000.
    #[schemars(range(min = 0, max = 1000))]
    pub on_demand_base_capacity: Option<i64>,
    /// Percent of pay-as-you-go machines above that, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    pub on_demand_percentage_above_base_capacity: Option<i64>,
    /// `PRIORITY`, `COST_OPTIMIZED` or `BALANCE`.
    #[schemars(length(max = 32))]
    pub multi_az_policy: Option<String>,
    /// `release` or `recycle`.
    #[schemars(length(max = 32))]
    pub scaling_policy: Option<String>,
    /// Deployment set.
    #[schemars(length(max = 64))]
    pub deploymentset_id: Option<String>,
    /// Private pool of machines.
    pub private_pool_options: Option<PrivatePoolOptions>,
    /// Pools of machines.
    pub resource_pool_options: Option<ResourcePoolOptions>,
    /// Tags of the machines only.
    #[x_kube(validation = ("self.all(t, self.exists_one(o, o.key == t.key))", "a scaling_group's tags hold each key once"))]
    pub tags: Option<Vec<MachineTag>>,
    /// Access to the machines' metadata.
    #[schemars(extend("x-fixed" = true))]
    pub instance_metadata_options: Option<InstanceMetadataOptions>,
    /// RAM role of the machines.
    #[schemars(length(max = 128), extend("x-fixed" = true))]
    pub ram_role_name: Option<String>,
    /// Hardening by MLPS.
    #[schemars(extend("x-fixed" = true))]
    pub soc_enabled: Option<bool>,
    /// Hardening by Alibaba Cloud.
    #[schemars(extend("x-fixed" = true))]
    pub security_hardening_os: Option<bool>,
    /// Hardening by CIS.
    #[schemars(extend("x-fixed" = true))]
    pub cis_enabled: Option<bool>,
    /// Allow more cloud disks on a machine.
    pub enable_high_density_mode: Option<bool>,
    /// Options of the CPU.
    pub cpu_options: Option<CpuOptions>,
}

/// A data disk of a node pool.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct DataDisk {
    /// Category, as for system disks.
    #[schemars(length(max = 64))]
    pub category: Option<String>,
    /// GiB, 40 to 32768.
    #[schemars(range(min = 40, max = 32768))]
    pub size: Option<i64>,
    /// Whether it is encrypted, as a string.
    #[schemars(extend("enum" = ["true", "false"]))]
    pub encrypted: Option<String>,
    /// `PL0` to `PL3`; ESSD only.
    #[schemars(length(max = 8))]
    pub performance_level: Option<String>,
    /// Automatic snapshot policy (`sp-...`).
    pub auto_snapshot_policy_id: Option<String>,
    /// KMS key.
    #[schemars(length(max = 128))]
    pub kms_key_id: Option<String>,
    /// Snapshot to begin with.
    #[schemars(length(max = 128))]
    pub snapshot_id: Option<String>,
    /// Device.
    #[schemars(length(max = 64))]
    pub device: Option<String>,
    /// Name of the disk.
    #[schemars(length(max = 128))]
    pub disk_name: Option<String>,
    /// Format it and mount it.
    pub auto_format: Option<bool>,
    /// `ext4` or `xfs`.
    #[schemars(length(max = 16))]
    pub file_system: Option<String>,
    /// Where it is mounted.
    pub mount_target: Option<String>,
    /// Bursting.
    pub bursting_enabled: Option<bool>,
    /// Provisioned operations per second.
    #[schemars(range(min = 0))]
    pub provisioned_iops: Option<i64>,
}

/// How a disk is prepared.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct DiskInit {
    /// Name of the disk.
    #[schemars(length(max = 128))]
    pub disk_name: Option<String>,
    /// Whether it is a local disk.
    pub local_disk: Option<bool>,
    /// File system.
    #[schemars(length(max = 16))]
    pub mkfs_type: Option<String>,
    /// Whether the container runtime uses it.
    pub mount_for_runtime: Option<bool>,
    /// Where it is mounted.
    pub mount_target: Option<String>,
}

/// The price limit of a type.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct SpotPriceLimit {
    /// ECS type.
    #[schemars(length(min = 1, max = 64))]
    pub instance_type: String,
    /// Price by the hour, as a string.
    #[schemars(length(min = 1, max = 32))]
    pub price_limit: String,
}

/// Private pool of machines.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct PrivatePoolOptions {
    /// Its id.
    #[schemars(length(max = 128))]
    pub id: Option<String>,
    /// `Open`, `Target` or `None`.
    #[schemars(length(max = 32))]
    pub match_criteria: Option<String>,
}

/// Pools of machines.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct ResourcePoolOptions {
    /// How they are used.
    #[schemars(length(max = 64))]
    pub strategy: Option<String>,
    /// Their ids.
    pub private_pool_ids: Option<Vec<String>>,
}

/// A tag of machines.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct MachineTag {
    /// Key.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// Value.
    #[schemars(length(max = 128))]
    pub value: Option<String>,
}

/// Access to the machines' metadata.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct InstanceMetadataOptions {
    /// Whether a token is needed.
    #[schemars(extend("enum" = ["optional", "required"]))]
    pub http_tokens: Option<String>,
}

/// Options of the CPU.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct CpuOptions {
    /// `enabled` or `disabled`.
    #[schemars(length(max = 32))]
    pub nested_virtualization: Option<String>,
}
