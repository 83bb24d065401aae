//! The spec of an AckCluster: the body of CreateCluster, field by field under ACK's own names, and the operator's own
//! few fields in camelCase. It says what a field means and what it may hold; it fills in nothing and never acts.
//!
//! A field marked `x-fixed` cannot be changed by ACK's API on a living cluster: [`super::crd()`] turns the mark into a rule
//! and into a sentence of its description. Rules over several fields are in [`super::rules`], and so are rules over what
//! may be secret.

// One attribute a column is how kube's derive takes them.
#![allow(clippy::duplicated_attributes)]

mod operator;
mod parts;

pub use operator::*;
pub use parts::*;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::AckClusterStatus;
use super::node_pool::NodePool;
use super::values::{Masked, NumberOrText, number_or_text};

/// What the cluster shall be. Snake_case fields are the body of ACK's CreateCluster, names unchanged, sent as written;
/// what is absent is not sent. CamelCase fields belong to the operator.
#[skip_serializing_none]
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "ackoperator.dev",
    version = "v1alpha1",
    kind = "AckCluster",
    plural = "ackclusters",
    shortname = "ack",
    category = "alibabacloud",
    namespaced,
    status = "AckClusterStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A managed Kubernetes cluster of Alibaba Cloud Container Service (ACK).",
    selectable = ".spec.region_id",
    selectable = ".status.state",
    selectable = ".status.cluster_id",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Cluster-ID", type_ = "string", json_path = ".status.cluster_id"),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region_id"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.current_version"),
    printcolumn(name = "Nodes", type_ = "integer", json_path = ".status.size"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Spec", type_ = "string", json_path = ".spec.cluster_spec", priority = "1"),
    printcolumn(name = "Task", type_ = "string", json_path = ".status.task_id", priority = "1"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = "1"
    )
)]
pub struct AckClusterSpec {
    // --- identity, version, edition ---
    /// Display name of the cluster: 1 to 63 digits, Chinese characters, English letters and `-`, not beginning with
    /// `-`. Default: the name of this object, which must then hold no dot. Removing it later renames nothing.
    #[x_kube(validation = (r"self.matches('^[0-9A-Za-z\\p{Han}][0-9A-Za-z\\p{Han}-]{0,62}$')", "name holds 1 to 63 digits, Chinese characters, English letters and -, and does not begin with -"))]
    #[schemars(length(max = 63))]
    pub name: Option<String>,
    /// Region in which the cluster lives, for example `cn-hangzhou`. Required.
    #[x_kube(validation = ("self.matches('^[a-z]{2}-[a-z0-9-]+$')", "region_id has the form of cn-hangzhou: two letters, a dash, then lower case letters, digits and dashes"))]
    #[schemars(length(max = 63), extend("x-fixed" = true))]
    pub region_id: String,
    /// Kind of cluster. Required. `ManagedKubernetes` is the only kind that the operator makes.
    #[schemars(extend("x-fixed" = true, "enum" = ["ManagedKubernetes"]))]
    pub cluster_type: String,
    /// Edition of the managed cluster: `ack.standard`, `ack.pro.small`, `ack.pro.xlarge`, `ack.pro.2xlarge`,
    /// `ack.pro.4xlarge`. Service default: `ack.standard`. A Pro cluster does not go back to standard.
    #[schemars(length(max = 64))]
    pub cluster_spec: Option<String>,
    /// Kubernetes version of the control plane, such as `1.35.7-aliyun.1`. Service default: the newest that can be
    /// created. It goes up only; a cluster that is newer than this is left as it is.
    #[x_kube(validation = (r"self.matches('^[0-9]+\\.[0-9]+\\.[0-9]+-aliyun\\.[0-9]+$')", "kubernetes_version has the form of 1.35.7-aliyun.1"))]
    #[schemars(length(max = 64))]
    pub kubernetes_version: Option<String>,
    /// Time zone of the cluster, an IANA name such as `Asia/Shanghai`. Service default: the region's. After a change the
    /// control plane restarts briefly, and only new nodes get it.
    #[x_kube(validation = ("self.matches('^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$')", "timezone is an IANA name such as Asia/Shanghai"))]
    #[schemars(length(max = 64))]
    pub timezone: Option<String>,
    /// Local DNS domain of the cluster. Service default: `cluster.local`.
    #[x_kube(validation = (r"self.matches('^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$')", "cluster_domain is a DNS name in lower case, such as cluster.local"))]
    #[schemars(extend("x-fixed" = true))]
    pub cluster_domain: Option<String>,
    /// While true ACK refuses to delete the cluster, and so does the operator. Service default: false. Absent: what is
    /// set in the cloud counts, and is not changed.
    pub deletion_protection: Option<bool>,
    /// Tags of the cluster, of its machines and, as labels, of its nodes. At most 16: four of ACK's 20 are the
    /// operator's. Tags that this list never held are left alone, and so is one that is taken off it.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["key".into()]))]
    #[schemars(length(max = 16))]
    pub tags: Option<Vec<Tag>>,
    /// Resource group (`rg-...`). Service default: the account's default group.
    #[x_kube(validation = ("self.startsWith('rg-')", "resource_group_id begins with rg-"))]
    pub resource_group_id: Option<String>,
    /// Sub-type of a managed cluster: `Default`, `Edge`, `Serverless`, `Lingjun`, `Acs`. Service default: `Default`.
    #[schemars(length(max = 64), extend("x-fixed" = true))]
    pub profile: Option<String>,
    /// The managed ("intelligent") mode. Pro clusters only. Service default: off.
    #[schemars(extend("x-fixed" = true))]
    pub auto_mode: Option<AutoMode>,

    // --- network ---
    /// VPC of the cluster (`vpc-...`). A new cluster needs this with `vswitch_ids`, or `zone_ids`.
    #[x_kube(validation = ("self.startsWith('vpc-')", "vpcid begins with vpc-"))]
    #[schemars(extend("x-fixed" = true))]
    pub vpcid: Option<String>,
    /// vSwitches of the control plane and of seed workers, 1 to 5, all in `vpcid`. Required with `vpcid`. A change
    /// replaces the control plane's set, and the control plane restarts.
    #[x_kube(validation = ("self.all(id, id.startsWith('vsw-'))", "vswitch_ids hold ids that begin with vsw-"))]
    #[x_kube(validation = ("self.all(id, self.exists_one(other, other == id))", "vswitch_ids name each vSwitch once"))]
    #[schemars(length(min = 1, max = 5))]
    pub vswitch_ids: Option<Vec<String>>,
    /// Zones in which ACK makes a new VPC and vSwitches, 1 to 5. Excludes `vpcid` and `vswitch_ids`.
    #[schemars(length(min = 1, max = 5), extend("x-fixed" = true))]
    pub zone_ids: Option<Vec<String>>,
    /// vSwitches from which pods get their addresses; for Terway only, where ACK today prefers `PodVswitchId` in the
    /// addon's `config`.
    #[x_kube(validation = ("self.all(id, id.startsWith('vsw-'))", "pod_vswitch_ids hold ids that begin with vsw-"))]
    #[x_kube(validation = ("self.all(id, self.exists_one(other, other == id))", "pod_vswitch_ids name each vSwitch once"))]
    #[schemars(length(min = 1, max = 10), extend("x-fixed" = true))]
    pub pod_vswitch_ids: Option<Vec<String>>,
    /// Pod network: a private IPv4 range that overlaps neither the VPC nor `service_cidr`. Required with Flannel in a VPC
    /// of yours; without meaning for Terway. Service default in a new VPC: `172.16.0.0/16`.
    #[x_kube(validation = ("isCIDR(self) && (cidr('10.0.0.0/8').containsCIDR(self) || cidr('172.16.0.0/12').containsCIDR(self) || cidr('192.168.0.0/16').containsCIDR(self))", "container_cidr is an IPv4 range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"))]
    #[schemars(length(max = 18), extend("x-fixed" = true))]
    pub container_cidr: Option<String>,
    /// Service network: a private IPv4 range with a mask from 16 to 24 that overlaps neither the VPC nor
    /// `container_cidr`. Service default: `172.19.0.0/20`.
    #[x_kube(validation = ("isCIDR(self) && (cidr('10.0.0.0/8').containsCIDR(self) || cidr('172.16.0.0/12').containsCIDR(self) || cidr('192.168.0.0/16').containsCIDR(self)) && cidr(self).prefixLength() >= 16 && cidr(self).prefixLength() <= 24", "service_cidr is an IPv4 range with a mask from 16 to 24 inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"))]
    #[schemars(length(max = 18), extend("x-fixed" = true))]
    pub service_cidr: Option<String>,
    /// Mask of the pod range of each node, 24 to 28, a number or a string; Flannel only. Service default: 26 today.
    #[x_kube(validation = ("string(self).matches('^2[4-8]$')", "node_cidr_mask is a number from 24 to 28"))]
    #[serde(default)]
    #[schemars(schema_with = "number_or_text", extend("x-fixed" = true))]
    pub node_cidr_mask: Option<NumberOrText>,
    /// Mode of kube-proxy: `ipvs`, `iptables`, `nftables` (Kubernetes 1.35 and later). Service default: `ipvs`.
    #[schemars(length(max = 32), extend("x-fixed" = true))]
    pub proxy_mode: Option<String>,
    /// `ipv4` or `dual`; dual stack needs Terway and Kubernetes 1.22 or later. Service default: `ipv4`.
    #[schemars(length(max = 32), extend("x-fixed" = true))]
    pub ip_stack: Option<String>,
    /// Make a NAT gateway with SNAT rules in the VPC. Set it only where the VPC has no way out yet. The service's default
    /// differs from text to text.
    #[schemars(extend("x-fixed" = true))]
    pub snat_entry: Option<bool>,
    /// Expose the API server by a public address. Without effect where `control_plane_endpoints_config` names load
    /// balancers. The service's default differs from text to text.
    pub endpoint_public_access: Option<bool>,
    /// Existing internal load balancer for the API server, without listeners of its own.
    #[x_kube(validation = ("self.startsWith('lb-')", "load_balancer_id begins with lb-"))]
    #[schemars(extend("x-fixed" = true))]
    pub load_balancer_id: Option<String>,
    /// How the API server is reached: VPCs that resolve its name, load balancers.
    pub control_plane_endpoints_config: Option<ControlPlaneEndpointsConfig>,
    /// Existing security group for the nodes (`sg-...`). Excludes `is_enterprise_security_group: true`. Service default: a
    /// new group. A change moves the control plane.
    #[x_kube(validation = ("self.startsWith('sg-')", "security_group_id begins with sg-"))]
    pub security_group_id: Option<String>,
    /// Make an advanced security group. Recommended with Terway. Only takes effect without `security_group_id`. The
    /// service's default differs from text to text.
    #[schemars(extend("x-fixed" = true))]
    pub is_enterprise_security_group: Option<bool>,
    /// RDS instances whose white lists get the ranges of nodes and pods. They must run.
    #[x_kube(validation = ("self.all(id, id.startsWith('rm-'))", "rds_instances hold ids that begin with rm-"))]
    #[schemars(extend("x-fixed" = true))]
    pub rds_instances: Option<Vec<String>>,
    /// Extra names and addresses in the API server's certificate, joined by commas. Old: `extra_sans` replaces it.
    #[schemars(length(max = 2048), extend("x-fixed" = true))]
    pub custom_san: Option<String>,
    /// Extra names and addresses in the API server's certificate. After a change the API server restarts.
    #[schemars(length(max = 50))]
    pub extra_sans: Option<Vec<String>>,

    // --- components, tokens, keys, operation ---
    /// Components to install at creation, one of `flannel` and `terway-eniip` among them. Service default: what ACK
    /// installs by itself.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[x_kube(validation = ("!(self.exists(a, a.name == 'flannel' && !a.?disabled.orValue(false)) && self.exists(a, a.name.startsWith('terway') && !a.?disabled.orValue(false)))", "addons name both flannel and terway: a cluster has one network component"))]
    #[schemars(length(max = 50))]
    pub addons: Option<Vec<Addon>>,
    /// Id of the KMS key that encrypts Kubernetes Secrets at rest. Pro clusters only.
    #[schemars(length(max = 128))]
    pub encryption_provider_key: Option<String>,
    /// Issuer of projected service account tokens, a URL or a host. Use it with `api_audiences`.
    #[schemars(length(max = 512), extend("x-fixed" = true))]
    pub service_account_issuer: Option<String>,
    /// Audiences that tokens may be meant for, joined by commas. Use it with `service_account_issuer`.
    #[schemars(length(max = 512), extend("x-fixed" = true))]
    pub api_audiences: Option<String>,
    /// A cluster CA of your own, in PEM. Give no private key in the open.
    #[schemars(length(max = 32768), extend("x-fixed" = true))]
    pub user_ca: Option<Masked>,
    /// RAM roles for service accounts. It can be switched on later, but not off. Service default: off.
    pub rrsa_config: Option<RrsaConfig>,
    /// Control plane components whose logs are collected: `apiserver`, `kcm`, `scheduler`, `ccm`,
    /// `controlplane-events`. Pro clusters only.
    pub controlplane_log_components: Option<Vec<String>>,
    /// SLS project for the control plane's logs. Service default: a new one, `k8s-log-` and the cluster's id.
    #[schemars(length(max = 128))]
    pub controlplane_log_project: Option<String>,
    /// Days that the control plane's logs are kept, 1 to 3000, a number or a string. Service default: 30.
    #[x_kube(validation = ("string(self).matches('^([1-9][0-9]{0,2}|[12][0-9]{3}|3000)$')", "controlplane_log_ttl is a number from 1 to 3000"))]
    #[serde(default)]
    #[schemars(schema_with = "number_or_text")]
    pub controlplane_log_ttl: Option<NumberOrText>,
    /// Collection of the API server's audit log.
    pub audit_log_config: Option<AuditLogConfig>,
    /// When ACK may do maintenance. Pro clusters only.
    pub maintenance_window: Option<MaintenanceWindow>,
    /// What ACK does by itself in the maintenance window.
    pub operation_policy: Option<OperationPolicy>,
    /// Node pools to make with the cluster: today's place for everything about workers.
    #[x_kube(validation = ("self.all(p, self.exists_one(other, other.nodepool_info.name == p.nodepool_info.name))", "nodepools have one name each: rename one of those that share theirs"))]
    pub nodepools: Option<Vec<NodePool>>,

    // --- workers: count, machines, disks (old; see workerFields) ---
    /// Number of workers at creation, 0 to 100. With workers, `worker_instance_types` and one of `key_pair` and
    /// `login_password` are required. Old: see `workerFields`.
    #[schemars(range(min = 0, max = 100), extend("x-fixed" = true))]
    pub num_of_nodes: Option<i64>,
    /// ECS types of the workers, 1 to 10, the first is tried first. Required where workers are made. Old: see
    /// `workerFields`.
    #[x_kube(validation = ("self.all(name, name.startsWith('ecs.'))", "worker_instance_types hold names that begin with ecs."))]
    #[schemars(length(min = 1, max = 10), extend("x-fixed" = true))]
    pub worker_instance_types: Option<Vec<String>>,
    /// System disk of the workers: `cloud`, `cloud_efficiency`, `cloud_ssd`, `cloud_essd`, `cloud_auto`,
    /// `cloud_essd_entry`. Service default: `cloud_ssd`. Old: see `workerFields`.
    #[schemars(length(max = 64), extend("x-fixed" = true))]
    pub worker_system_disk_category: Option<String>,
    /// Size of that disk in GiB, 40 to 500, not below the image's. Service default: 120. Old: see `workerFields`.
    #[schemars(range(min = 40, max = 500), extend("x-fixed" = true))]
    pub worker_system_disk_size: Option<i64>,
    /// Data disks of each worker. Old: see `workerFields`.
    #[schemars(length(max = 16), extend("x-fixed" = true))]
    pub worker_data_disks: Option<Vec<WorkerDataDisk>>,
    /// Single data disk of the workers, very old: use `worker_data_disks`. Service default: `cloud_efficiency`.
    #[schemars(length(max = 64), extend("x-fixed" = true))]
    pub worker_data_disk_category: Option<String>,
    /// Size of the single data disk in GiB, 40 to 32768, very old: use `worker_data_disks`.
    #[schemars(range(min = 40, max = 32768), extend("x-fixed" = true))]
    pub worker_data_disk_size: Option<i64>,
    /// Image of the workers; it takes the place of `platform` and `os_type`. Service default: the system's. Old: see
    /// `workerFields`.
    #[schemars(length(max = 128), extend("x-fixed" = true))]
    pub image_id: Option<String>,
    /// Distribution of the workers: `CentOS`, `AliyunLinux`, `QbootAliyunLinux`, `Qboot`, `Windows`, `WindowsCore`.
    /// Service default: `CentOS`. Old: see `workerFields`.
    #[schemars(length(max = 64), extend("x-fixed" = true))]
    pub platform: Option<String>,
    /// Operating system of the workers. Service default: `Linux`. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true, "enum" = ["Linux", "Windows"]))]
    pub os_type: Option<String>,
    /// Script that new workers run, in Base64. It may hold secrets: better taken from a Secret by `secretValues`. Old: see
    /// `workerFields`.
    #[schemars(length(max = 32768), extend("x-fixed" = true))]
    pub user_data: Option<Masked>,
    /// Rule for the names of nodes: `customized,<prefix>,<5 to 12>,<suffix>`; in node pools today
    /// `customized,<prefix>,ip,<suffix>`. Old: see `workerFields`.
    #[x_kube(validation = ("self.startsWith('customized,')", "node_name_mode begins with customized,"))]
    #[schemars(length(max = 128), extend("x-fixed" = true))]
    pub node_name_mode: Option<String>,
    /// The kubelet's CPU manager. Service default: `none`. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true, "enum" = ["none", "static"]))]
    pub cpu_policy: Option<String>,
    /// Install the CloudMonitor agent on the workers. Service default: false. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true))]
    pub cloud_monitor_flags: Option<bool>,
    /// Taints of the workers. Old: see `workerFields`.
    #[x_kube(validation = ("self.all(t, self.exists_one(o, o.key == t.key && (has(o.effect) ? o.effect : '') == (has(t.effect) ? t.effect : '')))", "taints differ in key or effect: merge those that share both"))]
    #[schemars(extend("x-fixed" = true))]
    pub taints: Option<Vec<Taint>>,
    /// Container runtime of the nodes. Service default: `containerd` today. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true))]
    pub runtime: Option<Runtime>,
    /// Name of the ECS key pair for root. Exactly one of this and `login_password` where workers are made. Old: see
    /// `workerFields`.
    #[schemars(length(max = 128), extend("x-fixed" = true))]
    pub key_pair: Option<String>,
    /// Password of root, 8 to 30 characters of at least three of four kinds: upper case, lower case, digits, others; no
    /// `\` and no `"`. Better taken from a Secret by `secretValues`. It only counts at creation. Old: see `workerFields`.
    #[schemars(length(max = 30), extend("x-fixed" = true))]
    pub login_password: Option<Masked>,

    // --- workers: billing, existing machines ---
    /// How workers are paid. Service default: `PostPaid`. PrePaid machines outlive the cluster. Old: see
    /// `workerFields`.
    #[schemars(extend("x-fixed" = true, "enum" = ["PrePaid", "PostPaid"]))]
    pub worker_instance_charge_type: Option<String>,
    /// Months paid in advance: 1, 2, 3, 6, 12, 24, 36, 48 or 60. Required with PrePaid. Old: see `workerFields`.
    #[x_kube(validation = ("self in [1, 2, 3, 6, 12, 24, 36, 48, 60]", "worker_period is 1, 2, 3, 6, 12, 24, 36, 48 or 60"))]
    #[schemars(extend("x-fixed" = true))]
    pub worker_period: Option<i64>,
    /// Unit of `worker_period`. Required with PrePaid. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true, "enum" = ["Month"]))]
    pub worker_period_unit: Option<String>,
    /// Renew PrePaid workers automatically. Service default: true. Old: see `workerFields`.
    #[schemars(extend("x-fixed" = true))]
    pub worker_auto_renew: Option<bool>,
    /// Months of each renewal: 1, 2, 3, 6 or 12. Required with PrePaid and `worker_auto_renew: true`. Old: see
    /// `workerFields`.
    #[x_kube(validation = ("self in [1, 2, 3, 6, 12]", "worker_auto_renew_period is 1, 2, 3, 6 or 12"))]
    #[schemars(extend("x-fixed" = true))]
    pub worker_auto_renew_period: Option<i64>,
    /// Existing ECS machines (`i-...`) to use as workers. Old: ACK no longer takes machines at creation.
    #[x_kube(validation = ("self.all(id, id.startsWith('i-'))", "instances hold ids that begin with i-"))]
    #[schemars(length(max = 100), extend("x-fixed" = true))]
    pub instances: Option<Vec<String>>,
    /// Put container data on a data disk of the existing machines; when true, data on an unformatted last disk is lost.
    /// Service default: false. Old: only with `instances`.
    #[schemars(extend("x-fixed" = true))]
    pub format_disk: Option<bool>,
    /// Keep the names of the existing machines. Service default: true. Old: only with `instances`.
    #[schemars(extend("x-fixed" = true))]
    pub keep_instance_name: Option<bool>,
    /// Taken literally: keep what was built when creation fails. ACK's texts contradict each other about it and about its
    /// default, and today nothing is rolled back.
    #[schemars(extend("x-fixed" = true))]
    pub disable_rollback: Option<bool>,
    /// Minutes after which ACK gives up creating. Service default: 60.
    #[schemars(range(min = 1), extend("x-fixed" = true))]
    pub timeout_mins: Option<i64>,

    // --- the operator's own ---
    /// Credentials for this cluster. Absent: the operator's own, where this namespace may use them.
    #[serde(rename = "credentialsRef")]
    pub credentials_ref: Option<CredentialsRef>,
    /// What becomes of the cluster in the cloud when this object is deleted. Default: `Delete` for a cluster that this
    /// object made, `Retain` for an adopted one.
    #[serde(rename = "deletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// What a deletion keeps or takes beside the cluster.
    #[serde(rename = "deleteOptions")]
    pub delete_options: Option<DeleteOptions>,
    /// Publishes the kubeconfig of the running cluster in a Secret of this namespace, under the key `value`, in the form of
    /// the Cluster API. The Secret goes with this object; when this field is removed it stays until then and is no longer
    /// renewed. Nothing is published while the object is observed, paused or being deleted.
    #[serde(rename = "kubeconfigSecretRef")]
    pub kubeconfig_secret_ref: Option<KubeconfigSecretRef>,
    /// Values of the body that come from Secrets of this namespace. A field given here and in the spec is refused.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    #[schemars(length(max = 64))]
    #[serde(rename = "secretValues")]
    pub secret_values: Option<Vec<SecretValue>>,
    /// Id of an existing cluster to adopt: CreateCluster is then never called. It stays as first written.
    #[x_kube(validation = ("self.matches('^c[0-9a-z*]+$')", "adoptClusterId is the id of a cluster: c, then letters and digits"))]
    #[schemars(length(max = 64), extend("x-fixed" = true))]
    #[serde(rename = "adoptClusterId")]
    pub adopt_cluster_id: Option<String>,
    /// How the old worker fields are sent. `AsNodePool`, the default where `worker_instance_types` is set: as the first
    /// entry of `nodepools`, named `default-nodepool`, `PostPaid` where `worker_instance_charge_type` is absent. `Verbatim`:
    /// as written, for gateways that know the old fields; ACK ended them region by region until 2026-09-30, and ignores or
    /// refuses them since. `instances`, `format_disk` and `keep_instance_name`, which no pool has, are sent as written
    /// unless `AsNodePool` is said.
    #[schemars(extend("x-fixed" = true))]
    #[serde(rename = "workerFields")]
    pub worker_fields: Option<WorkerFields>,
    /// Members of the body that are newer than this operator. They only count at creation. A name that the spec has is
    /// refused.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(extend("x-fixed" = true))]
    #[serde(rename = "extraParameters")]
    pub extra_parameters: Option<Vec<ExtraParameter>>,
}

impl AckClusterSpec {
    /// Whether the cluster is another's work, taken over by id.
    pub fn adopts(&self) -> bool {
        self.adopt_cluster_id.is_some()
    }

    /// Whether the old worker fields are sent as a node pool. Where nothing is said, only if they describe one: without
    /// `worker_instance_types` they ask for no machine, and ACK takes no pool.
    pub fn workers_become_a_pool(&self) -> bool {
        match self.worker_fields {
            Some(WorkerFields::AsNodePool) => true,
            Some(WorkerFields::Verbatim) => false,
            None => self.worker_instance_types.is_some(),
        }
    }
}
