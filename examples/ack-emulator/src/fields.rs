//! The JSON type of every known member of the request bodies (ack-api create-cluster-fields.md, README d.7, d.10). Checks
//! types; knows nothing of which members go together.

use serde_json::{Map, Value};

use crate::refusal::Refusal;
use Kind::*;

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Flag,
    Texts,
    Object,
    Objects,
}

/// Rows of: the path of the object, a type, and the names of its members that have it.
type Table = &'static [(&'static str, Kind, &'static str)];

/// The body of CreateCluster.
pub const CREATE: Table = &[
    (
        "",
        Text,
        "name region_id cluster_type cluster_spec kubernetes_version timezone cluster_domain vpcid container_cidr \
         service_cidr node_cidr_mask proxy_mode security_group_id custom_san encryption_provider_key \
         service_account_issuer api_audiences worker_system_disk_category worker_data_disk_category image_id platform \
         os_type user_data node_name_mode cpu_policy key_pair login_password worker_instance_charge_type \
         worker_period_unit client_token profile resource_group_id zone_id ip_stack load_balancer_id \
         load_balancer_spec controlplane_log_project controlplane_log_ttl user_ca image_type \
         worker_system_disk_performance_level worker_system_disk_snapshot_policy_id charge_type period_unit \
         master_system_disk_category master_system_disk_performance_level master_system_disk_snapshot_policy_id \
         master_instance_charge_type master_period_unit node_port_range logging_type",
    ),
    (
        "",
        Int,
        "num_of_nodes worker_system_disk_size worker_data_disk_size worker_period worker_auto_renew_period \
         timeout_mins period auto_renew_period master_count master_system_disk_size master_period \
         master_auto_renew_period",
    ),
    (
        "",
        Flag,
        "deletion_protection snat_entry endpoint_public_access is_enterprise_security_group cloud_monitor_flags \
         worker_auto_renew format_disk keep_instance_name disable_rollback enable_rrsa auto_renew master_auto_renew \
         ssh_flags nat_gateway soc_enabled security_hardening_os cis_enabled",
    ),
    (
        "",
        Texts,
        "vswitch_ids pod_vswitch_ids rds_instances worker_instance_types instances zone_ids \
         controlplane_log_components extra_sans worker_vswitch_ids master_instance_types master_vswitch_ids \
         service_discovery_types access_control_list",
    ),
    (
        "",
        Object,
        "runtime control_plane_endpoints_config control_plane_config audit_log_config rrsa_config auto_mode \
         maintenance_window operation_policy",
    ),
    ("", Objects, "tags addons worker_data_disks taints nodepools"),
    ("tags[].", Text, "key value"),
    ("addons[].", Text, "name config version"),
    ("addons[].", Flag, "disabled"),
    ("runtime.", Text, "name version"),
    ("worker_data_disks[].", Text, "category size encrypted auto_snapshot_policy_id performance_level"),
    ("taints[].", Text, "key value effect"),
    ("control_plane_endpoints_config.", Object, "internal_dns_config"),
    ("control_plane_endpoints_config.internal_dns_config.", Texts, "bind_vpcs"),
    ("control_plane_endpoints_config.internal_dns_config.", Flag, "enabled"),
    ("control_plane_endpoints_config.", Objects, "load_balancers_config"),
    ("control_plane_endpoints_config.load_balancers_config[].", Text, "load_balancer_id endpoint_type"),
    ("audit_log_config.", Flag, "enabled"),
    ("audit_log_config.", Text, "sls_project_name"),
    ("rrsa_config.", Flag, "enabled"),
    ("auto_mode.", Flag, "enable"),
    ("maintenance_window.", Flag, "enable"),
    ("maintenance_window.", Text, "maintenance_time duration weekly_period recurrence"),
    ("maintenance_window.", Objects, "exclusions"),
    ("maintenance_window.exclusions[].", Text, "name description scope start_time end_time"),
    ("operation_policy.", Object, "cluster_auto_upgrade"),
    ("operation_policy.cluster_auto_upgrade.", Flag, "enabled"),
    ("operation_policy.cluster_auto_upgrade.", Text, "channel"),
    (
        "nodepools[].",
        Object,
        "nodepool_info scaling_group kubernetes_config auto_scaling management tee_config node_config auto_mode \
         interconnect_config",
    ),
    ("nodepools[].", Objects, "node_components"),
    ("nodepools[].", Int, "count max_nodes"),
    ("nodepools[].", Text, "interconnect_mode"),
    ("nodepools[].nodepool_info.", Text, "name type resource_group_id"),
    (
        "nodepools[].scaling_group.",
        Texts,
        "vswitch_ids instance_types system_disk_categories security_group_ids rds_instances",
    ),
    (
        "nodepools[].scaling_group.",
        Text,
        "instance_charge_type period_unit image_type image_id platform key_pair login_password system_disk_category \
         system_disk_performance_level system_disk_snapshot_policy_id system_disk_kms_key_id \
         system_disk_encrypt_algorithm security_group_id internet_charge_type spot_strategy multi_az_policy \
         scaling_policy deploymentset_id ram_role_name",
    ),
    (
        "nodepools[].scaling_group.",
        Int,
        "desired_size period auto_renew_period system_disk_size system_disk_provisioned_iops \
         internet_max_bandwidth_out spot_instance_pools on_demand_base_capacity \
         on_demand_percentage_above_base_capacity",
    ),
    (
        "nodepools[].scaling_group.",
        Flag,
        "auto_renew login_as_non_root system_disk_encrypted system_disk_bursting_enabled spot_instance_remedy \
         compensate_with_on_demand soc_enabled security_hardening_os cis_enabled",
    ),
    ("nodepools[].scaling_group.", Objects, "data_disks spot_price_limit tags instance_patterns disk_init"),
    (
        "nodepools[].scaling_group.data_disks[].",
        Text,
        "category encrypted performance_level auto_snapshot_policy_id kms_key_id snapshot_id device disk_name \
         file_system mount_target",
    ),
    ("nodepools[].scaling_group.data_disks[].", Int, "size provisioned_iops"),
    ("nodepools[].scaling_group.data_disks[].", Flag, "auto_format bursting_enabled"),
    ("nodepools[].scaling_group.spot_price_limit[].", Text, "instance_type price_limit"),
    ("nodepools[].scaling_group.tags[].", Text, "key value"),
    (
        "nodepools[].kubernetes_config.",
        Text,
        "runtime runtime_version cpu_policy node_name_mode user_data pre_user_data",
    ),
    ("nodepools[].kubernetes_config.", Flag, "cms_enabled unschedulable"),
    ("nodepools[].kubernetes_config.", Objects, "labels taints"),
    ("nodepools[].kubernetes_config.labels[].", Text, "key value"),
    ("nodepools[].kubernetes_config.taints[].", Text, "key value effect"),
    ("nodepools[].auto_scaling.", Flag, "enable is_bond_eip"),
    ("nodepools[].auto_scaling.", Int, "min_instances max_instances eip_bandwidth"),
    ("nodepools[].auto_scaling.", Text, "type eip_internet_charge_type"),
    ("nodepools[].management.", Flag, "enable auto_repair auto_upgrade auto_vul_fix auto_fault_diagnosis"),
    ("nodepools[].management.", Object, "auto_repair_policy auto_upgrade_policy auto_vul_fix_policy upgrade_config"),
    ("nodepools[].tee_config.", Flag, "tee_enable"),
    ("nodepools[].node_config.", Object, "kubelet_configuration"),
    ("nodepools[].auto_mode.", Flag, "enable"),
];

/// The body of ModifyCluster.
pub const MODIFY: Table = &[
    (
        "",
        Text,
        "cluster_name resource_group_id api_server_eip_id security_group_id timezone cluster_spec client_token \
         ingress_loadbalancer_id",
    ),
    ("", Flag, "deletion_protection api_server_eip enable_rrsa instance_deletion_protection ingress_domain_rebinding"),
    ("", Texts, "vswitch_ids access_control_list"),
    (
        "",
        Object,
        "api_server_custom_cert_sans maintenance_window operation_policy system_events_logging \
         control_plane_endpoints_config control_plane_config",
    ),
    ("api_server_custom_cert_sans.", Text, "action"),
    ("api_server_custom_cert_sans.", Texts, "subject_alternative_names"),
    ("maintenance_window.", Flag, "enable"),
    ("maintenance_window.", Text, "maintenance_time duration weekly_period recurrence"),
    ("maintenance_window.", Objects, "exclusions"),
    ("operation_policy.", Object, "cluster_auto_upgrade"),
    ("operation_policy.cluster_auto_upgrade.", Flag, "enabled"),
    ("operation_policy.cluster_auto_upgrade.", Text, "channel"),
    ("system_events_logging.", Flag, "enabled"),
    ("system_events_logging.", Text, "logging_project"),
];

/// The body of TagResources.
pub const TAG: Table = &[
    ("", Text, "region_id resource_type"),
    ("", Texts, "resource_ids"),
    ("", Objects, "tags"),
    ("tags[].", Text, "key value"),
];

/// The seed's worker fields, which newer regions ignore or reject (ack-api g 18).
pub const WORKERS: &[&str] = &[
    "num_of_nodes",
    "worker_instance_types",
    "worker_system_disk_category",
    "worker_system_disk_size",
    "worker_data_disks",
    "worker_data_disk_category",
    "worker_data_disk_size",
    "worker_instance_charge_type",
    "worker_period",
    "worker_period_unit",
    "worker_auto_renew",
    "worker_auto_renew_period",
    "key_pair",
    "login_password",
    "platform",
    "os_type",
    "image_id",
    "user_data",
    "node_name_mode",
    "cpu_policy",
    "cloud_monitor_flags",
    "taints",
    "runtime",
    "instances",
    "format_disk",
    "keep_instance_name",
    "rds_instances",
];

/// Checks a body against its table. Unknown members pass unless `strict`.
///
/// # Errors
/// 400 `InvalidParameter` naming the member and the type it should have.
pub fn check(table: Table, body: &Map<String, Value>, strict: bool) -> Result<(), Refusal> {
    walk(table, "", body, strict)
}

fn walk(table: Table, path: &str, object: &Map<String, Value>, strict: bool) -> Result<(), Refusal> {
    let rows = || table.iter().filter(|(at, ..)| *at == path);
    let described = rows().next().is_some();
    for (name, value) in object {
        let row = rows().find(|(_, _, names)| names.split_whitespace().any(|known| known == name));
        let Some((_, kind, _)) = row else {
            if strict && described {
                return Err(Refusal::invalid(format!("{path}{name} is not a known parameter")));
            }
            continue;
        };
        if !kind.is(value) {
            return Err(Refusal::invalid(format!("{path}{name} must be {}", kind.phrase())));
        }
        match value {
            Value::Object(inner) => walk(table, &format!("{path}{name}."), inner, strict)?,
            Value::Array(items) => {
                for item in items.iter().filter_map(Value::as_object) {
                    walk(table, &format!("{path}{name}[]."), item, strict)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

impl Kind {
    fn is(self, value: &Value) -> bool {
        match self {
            Text => value.is_string(),
            Int => value.is_i64() || value.is_u64(),
            Flag => value.is_boolean(),
            Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Object => value.is_object(),
            Objects => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Text => "a string",
            Int => "an integer",
            Flag => "a boolean",
            Texts => "an array of strings",
            Object => "an object",
            Objects => "an array of objects",
        }
    }
}

/// The form of a cluster's name: 1 to 63 letters, digits, Chinese characters and `-`, not `-` first.
pub fn is_cluster_name(name: &str) -> bool {
    let han = |c: char| matches!(u32::from(c), 0x3005..=0x3007 | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff);
    let plain = |c: char| c.is_ascii_alphanumeric() || han(c);
    let length = name.chars().count();
    (1..=63).contains(&length) && name.starts_with(plain) && name.chars().all(|c| plain(c) || c == '-')
}

/// The form of a region id; membership is never checked (ack-api a.1).
pub fn is_region(region: &str) -> bool {
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let bytes = region.as_bytes();
    bytes.len() > 3
        && bytes[..2].iter().all(u8::is_ascii_lowercase)
        && bytes[2] == b'-'
        && bytes.iter().all(|byte| legal(*byte))
}

/// A legal value of a Kubernetes label.
pub fn is_label_value(value: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| edge(c) || matches!(c, '-' | '_' | '.');
    value.is_empty()
        || (value.len() <= 63 && value.starts_with(edge) && value.ends_with(edge) && value.chars().all(inner))
}
