//! The rules over several fields of the spec, as a table: where the message points, the rule, the sentence. Data only;
//! [`super::crd()`] puts them on `.spec`.

/// A rule over several fields of the spec.
pub struct Rule {
    /// Where the message points to, below `.spec`.
    pub field: &'static str,
    /// CEL over `self`, the spec.
    pub cel: &'static str,
    /// The sentence that refuses: what is wrong and the way out.
    pub message: &'static str,
}

const fn rule(field: &'static str, cel: &'static str, message: &'static str) -> Rule {
    Rule { field, cel, message }
}

/// The rules over several fields. "Required when creating" does not hold where a cluster is adopted.
pub const RULES: &[Rule] = &[
    // login and secrets
    rule(
        "login_password",
        PASSWORD,
        "login_password has 8 to 30 characters of three kinds out of upper case, lower case, digits and others, without backslash and double quote",
    ),
    rule(
        "user_data",
        "!has(self.user_data) || !self.user_data.matches('[^A-Za-z0-9+/=\\\\s]')",
        "user_data is Base64 text",
    ),
    rule(
        "user_ca",
        "!has(self.user_ca) || self.user_ca.startsWith('-----BEGIN ')",
        "user_ca is PEM text, which begins with -----BEGIN",
    ),
    rule(
        "login_password",
        "!(has(self.key_pair) && has(self.login_password))",
        "login_password and key_pair exclude each other: keep one of them",
    ),
    rule(
        "secretValues",
        "!(has(self.key_pair) && has(self.secretValues) && self.secretValues.exists(v, v.path == 'login_password'))",
        "login_password (by secretValues) and key_pair exclude each other: keep one of them",
    ),
    rule(
        "login_password",
        "!(has(self.login_password) && has(self.secretValues) && self.secretValues.exists(v, v.path == 'login_password'))",
        "login_password is given in the spec and by secretValues: keep one of them",
    ),
    rule(
        "user_data",
        "!(has(self.user_data) && has(self.secretValues) && self.secretValues.exists(v, v.path == 'user_data'))",
        "user_data is given in the spec and by secretValues: keep one of them",
    ),
    rule(
        "secretValues",
        "!has(self.secretValues) || self.secretValues.all(v, !v.path.startsWith('nodepools/') || has(self.nodepools) && self.nodepools.exists(p, v.path.startsWith('nodepools/' + p.nodepool_info.name + '/')))",
        "secretValues name a node pool that nodepools do not hold: correct the path or add the pool",
    ),
    rule(
        "secretValues",
        "!has(self.secretValues) || self.secretValues.all(v, !v.path.startsWith('addons/') || has(self.addons) && self.addons.exists(a, v.path == 'addons/' + a.name + '/config'))",
        "secretValues name an addon that addons do not hold: correct the path or add the addon",
    ),
    rule(
        "nodepools",
        "!has(self.nodepools) || self.nodepools.all(p, !(has(p.scaling_group.login_password) || has(p.scaling_group.key_pair)) || !(has(self.secretValues) && self.secretValues.exists(v, v.path == 'nodepools/' + p.nodepool_info.name + '/login_password')))",
        "login_password of a node pool is given by secretValues beside login_password or key_pair: keep one of them",
    ),
    rule(
        "nodepools",
        "!has(self.nodepools) || self.nodepools.all(p, !has(p.kubernetes_config) || !has(p.kubernetes_config.user_data) || !(has(self.secretValues) && self.secretValues.exists(v, v.path == 'nodepools/' + p.nodepool_info.name + '/user_data')))",
        "user_data of a node pool is given in the spec and by secretValues: keep one of them",
    ),
    rule(
        "addons",
        "!has(self.addons) || self.addons.all(a, !has(a.config) || !(has(self.secretValues) && self.secretValues.exists(v, v.path == 'addons/' + a.name + '/config')))",
        "config of an addon is given in the spec and by secretValues: keep one of them",
    ),
    // network
    rule(
        "security_group_id",
        "!(has(self.security_group_id) && self.?is_enterprise_security_group.orValue(false))",
        "security_group_id and is_enterprise_security_group: true exclude each other: keep one of them",
    ),
    rule(
        "zone_ids",
        "!(has(self.zone_ids) && (has(self.vpcid) || has(self.vswitch_ids)))",
        "zone_ids exclude vpcid and vswitch_ids: name a VPC of yours, or zones for a new one",
    ),
    rule(
        "vpcid",
        "has(self.adoptClusterId) || has(self.vpcid) || has(self.zone_ids)",
        "a new cluster needs vpcid with vswitch_ids, or zone_ids for a new VPC",
    ),
    rule(
        "vswitch_ids",
        "has(self.adoptClusterId) || !has(self.vpcid) || has(self.vswitch_ids)",
        "vpcid needs vswitch_ids: one to five vSwitches of that VPC",
    ),
    rule(
        "container_cidr",
        "has(self.adoptClusterId) || !has(self.vpcid) || has(self.container_cidr) || !has(self.addons) || !self.addons.exists(a, a.name == 'flannel' && !a.?disabled.orValue(false))",
        "flannel in a VPC of yours needs container_cidr, the network of the pods",
    ),
    rule(
        "pod_vswitch_ids",
        "has(self.adoptClusterId) || has(self.pod_vswitch_ids) || !has(self.addons) || self.addons.all(a, !a.name.startsWith('terway-eni') || a.?disabled.orValue(false) || has(a.config) && a.config.contains('PodVswitchId') || has(self.secretValues) && self.secretValues.exists(v, v.path == 'addons/' + a.name + '/config'))",
        "terway needs pod_vswitch_ids, or PodVswitchId in the addon's config",
    ),
    rule(
        "service_cidr",
        "!has(self.container_cidr) || !has(self.service_cidr) || !isCIDR(self.container_cidr) || !isCIDR(self.service_cidr) || !(cidr(self.container_cidr).containsCIDR(self.service_cidr) || cidr(self.service_cidr).containsCIDR(self.container_cidr))",
        "service_cidr and container_cidr overlap: choose ranges apart",
    ),
    rule(
        "load_balancer_id",
        "!(has(self.load_balancer_id) && has(self.control_plane_endpoints_config) && has(self.control_plane_endpoints_config.load_balancers_config))",
        "load_balancer_id has no effect beside control_plane_endpoints_config.load_balancers_config: keep one of them",
    ),
    rule(
        "custom_san",
        "!(has(self.custom_san) && has(self.extra_sans))",
        "custom_san and extra_sans exclude each other: keep extra_sans",
    ),
    // Pro
    rule(
        "encryption_provider_key",
        "has(self.adoptClusterId) || !has(self.encryption_provider_key) || has(self.cluster_spec) && self.cluster_spec.startsWith('ack.pro.')",
        "encryption_provider_key needs a Pro cluster: set cluster_spec to ack.pro.small or larger",
    ),
    rule(
        "controlplane_log_components",
        "has(self.adoptClusterId) || !(has(self.controlplane_log_components) || has(self.controlplane_log_project) || has(self.controlplane_log_ttl)) || has(self.cluster_spec) && self.cluster_spec.startsWith('ack.pro.')",
        "controlplane_log_components, _project and _ttl need a Pro cluster: set cluster_spec to ack.pro.small or larger",
    ),
    rule(
        "maintenance_window",
        "has(self.adoptClusterId) || !self.?maintenance_window.?enable.orValue(false) || has(self.cluster_spec) && self.cluster_spec.startsWith('ack.pro.')",
        "maintenance_window needs a Pro cluster: set cluster_spec to ack.pro.small or larger",
    ),
    rule(
        "auto_mode",
        "has(self.adoptClusterId) || !self.?auto_mode.?enable.orValue(false) || has(self.cluster_spec) && self.cluster_spec.startsWith('ack.pro.')",
        "auto_mode needs a Pro cluster: set cluster_spec to ack.pro.small or larger",
    ),
    rule(
        "operation_policy",
        "!self.?operation_policy.?cluster_auto_upgrade.?enabled.orValue(false) || self.?maintenance_window.?enable.orValue(has(self.adoptClusterId))",
        "operation_policy.cluster_auto_upgrade needs maintenance_window.enable: true",
    ),
    // seed workers
    rule(
        "worker_instance_types",
        "has(self.adoptClusterId) || self.?num_of_nodes.orValue(0) == 0 || has(self.worker_instance_types)",
        "num_of_nodes above 0 needs worker_instance_types",
    ),
    rule(
        "key_pair",
        "has(self.adoptClusterId) || self.?num_of_nodes.orValue(0) == 0 || has(self.key_pair) || has(self.login_password) || has(self.secretValues) && self.secretValues.exists(v, v.path == 'login_password')",
        "num_of_nodes above 0 needs key_pair or login_password",
    ),
    rule(
        "worker_period",
        "has(self.adoptClusterId) || self.?worker_instance_charge_type.orValue('') != 'PrePaid' || (has(self.worker_period) && has(self.worker_period_unit))",
        "PrePaid workers need worker_period and worker_period_unit",
    ),
    rule(
        "worker_auto_renew_period",
        "has(self.adoptClusterId) || self.?worker_instance_charge_type.orValue('') != 'PrePaid' || !self.?worker_auto_renew.orValue(false) || has(self.worker_auto_renew_period)",
        "worker_auto_renew: true needs worker_auto_renew_period",
    ),
    rule(
        "worker_data_disks",
        "!(has(self.worker_data_disks) && (has(self.worker_data_disk_category) || has(self.worker_data_disk_size)))",
        "worker_data_disks exclude worker_data_disk_category and worker_data_disk_size: keep worker_data_disks",
    ),
    rule(
        "workerFields",
        "has(self.adoptClusterId) || self.?workerFields.orValue('AsNodePool') != 'AsNodePool' || !(has(self.workerFields) || has(self.worker_instance_types)) || has(self.worker_instance_types) && has(self.vswitch_ids)",
        "the old worker fields become a node pool, which needs worker_instance_types and vswitch_ids: add them, or write nodepools",
    ),
    rule(
        "workerFields",
        "self.?workerFields.orValue('') != 'AsNodePool' || !(has(self.instances) || has(self.format_disk) || has(self.keep_instance_name))",
        "workerFields: AsNodePool has no place for instances, format_disk and keep_instance_name: drop them",
    ),
    rule(
        "workerFields",
        "has(self.adoptClusterId) || self.?workerFields.orValue('AsNodePool') != 'AsNodePool' || !(has(self.workerFields) || has(self.worker_instance_types)) || !(has(self.nodepools) && self.nodepools.exists(p, p.nodepool_info.name == 'default-nodepool'))",
        "the old worker fields become a node pool named default-nodepool: rename yours",
    ),
];

/// A password counts the kinds of its characters. This is a rule of whatever holds `login_password`, as are all rules
/// over what may be secret: a refusal repeats the text that the rule sits at, but never that of an object.
pub(super) const PASSWORD: &str = r#"!has(self.login_password) || self.login_password.size() >= 8 && !self.login_password.contains('\\') && !self.login_password.contains('"') && (self.login_password.matches('[A-Z]') ? 1 : 0) + (self.login_password.matches('[a-z]') ? 1 : 0) + (self.login_password.matches('[0-9]') ? 1 : 0) + (self.login_password.matches('[^A-Za-z0-9]') ? 1 : 0) >= 3"#;

/// Members of the body that the operator itself writes, beside those of the spec: no `extraParameters` may name them.
pub const RESERVED: &[&str] = &["client_token"];
