//! One cluster: what it is made of, what a change does to it, and how each answer shows it (ack-api d.2, d.3, d.5).
//! Knows no other cluster, and no time but the one it is given.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock::{Now, rfc3339, utc};
use crate::fields::is_label_value;
use crate::resources::wanted_nodes;
use crate::settings::{Settings, Tags};
use crate::task::Kind;

/// The members of a list's items.
const ITEM: &[&str] = &[
    "cluster_domain",
    "cluster_id",
    "cluster_spec",
    "cluster_type",
    "container_cidr",
    "created",
    "current_version",
    "deletion_protection",
    "init_version",
    "ip_stack",
    "name",
    "next_version",
    "profile",
    "proxy_mode",
    "region_id",
    "resource_group_id",
    "security_group_id",
    "service_cidr",
    "size",
    "state",
    "tags",
    "timezone",
    "updated",
    "vpc_id",
    "vswitch_ids",
];

/// What a create request without a version gets: the newest that was made in September 2026 (ack-api k).
const NEWEST_VERSION: &str = "1.36.2-aliyun.1";

/// A cluster, from its creation to long after its end.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub id: String,
    pub account: String,
    pub region: String,
    /// The create request's body, as received.
    pub body: Value,
    /// The detail's members; `tags` without those that ACK adds.
    pub shown: Map<String, Value>,
    /// World time of its birth.
    pub born: Timestamp,
    /// World time from which it is unknown.
    pub gone: Option<Timestamp>,
    /// Gateway times, for the ledger.
    pub created: Timestamp,
    pub deleted: Option<Timestamp>,
    /// The task under way: its place in the world.
    pub task: Option<usize>,
    /// The query of the last accepted DeleteCluster.
    pub delete_options: Map<String, Value>,
    /// The kind and end of the resource that made a task fail.
    pub stuck: Option<(&'static str, &'static str)>,
    /// What was shown from when on, in world time: lists lag behind.
    history: Vec<(Timestamp, Option<Map<String, Value>>)>,
    events: Vec<Value>,
    logs: Vec<(Timestamp, String)>,
    nodes: i64,
}

impl Cluster {
    /// A cluster in state `initial`, from a checked body.
    pub fn new(id: String, account: &str, body: &Value, settings: &Settings, now: Now) -> Cluster {
        let text = |name: &str, default: &str| match body[name].as_str() {
            None | Some("") => Value::from(default),
            Some(text) => Value::from(text),
        };
        let or = |name: &str, default: Value| body.get(name).cloned().unwrap_or(default);
        let short = &id[1..17];
        let region = body["region_id"].as_str().unwrap_or_default();
        let version = text("kubernetes_version", NEWEST_VERSION);
        let vswitches = or("vswitch_ids", json!([format!("vsw-{short}")]));
        let joined: Vec<_> = vswitches.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let sans = body.get("extra_sans").cloned().unwrap_or_else(|| {
            let old = body["custom_san"].as_str().unwrap_or_default();
            old.split(',').filter(|san| !san.is_empty()).collect::<Vec<_>>().into()
        });
        let rrsa = body["rrsa_config"]["enabled"] == true || body["enable_rrsa"] == true;
        let window = json!({"enable": false, "maintenance_time": "", "duration": "", "weekly_period": ""});
        let policy = json!({"cluster_auto_upgrade": {"enabled": false, "channel": ""}});
        let vpc = text("vpcid", &format!("vpc-{short}"));
        let dns = json!({"internal_dns_config": {"enabled": true, "bind_vpcs": [vpc]}});
        let created = rfc3339(now.gateway);
        let shown = json!({
            "cluster_id": id, "name": body["name"], "cluster_type": text("cluster_type", "ManagedKubernetes"),
            "profile": text("profile", "Default"), "cluster_spec": text("cluster_spec", "ack.standard"),
            "region_id": region, "zone_id": format!("{region}-a"), "state": "initial",
            "init_version": version, "current_version": version, "next_version": "",
            "created": created, "updated": created, "deletion_protection": or("deletion_protection", false.into()),
            "resource_group_id": text("resource_group_id", &default_group(account)),
            "security_group_id": text("security_group_id", ""), "vpc_id": vpc,
            "vswitch_id": joined.join(","), "vswitch_ids": vswitches,
            "container_cidr": text("container_cidr", ""), "subnet_cidr": text("container_cidr", ""),
            "service_cidr": text("service_cidr", "172.19.0.0/20"), "node_cidr_mask": text("node_cidr_mask", "26"),
            "proxy_mode": text("proxy_mode", "ipvs"), "ip_stack": text("ip_stack", "ipv4"),
            "cluster_domain": text("cluster_domain", "cluster.local"), "timezone": text("timezone", "Asia/Shanghai"),
        });
        let more = json!({
            "network_mode": "vpc", "size": 0, "docker_version": "", "external_loadbalancer_id": "",
            "private_zone": false, "worker_ram_role_name": "", "maintenance_window": or("maintenance_window", window),
            "operation_policy": or("operation_policy", policy), "tags": or("tags", json!([])),
            "parameters": {"ServiceCIDR": text("service_cidr", "172.19.0.0/20"), "ProxyMode": text("proxy_mode", "ipvs")},
            "meta_data": json!({"Addons": or("addons", json!([]))}).to_string(), "master_url": "",
            "extra_sans": sans, "auto_mode": or("auto_mode", json!({"enable": false})),
            "rrsa_config": {
                "enabled": rrsa, "audience": "", "issuer": "", "jwks_url": "", "max_oidc_token_expiration": "",
                "oidc_arn": "", "oidc_name": "", "open_api_configuration_url": "",
            },
            "control_plane_endpoints_config": or("control_plane_endpoints_config", dns),
        });
        let mut members = Map::new();
        for part in [shown, more] {
            members.extend(part.as_object().cloned().unwrap_or_default());
        }
        for tag in members["tags"].as_array_mut().into_iter().flatten() {
            tag["value"] = tag["value"].as_str().unwrap_or_default().into();
        }
        let mut cluster = Cluster {
            account: account.into(),
            region: region.into(),
            body: body.clone(),
            shown: members,
            born: now.world,
            gone: None,
            created: now.gateway,
            deleted: None,
            task: None,
            delete_options: Map::new(),
            stuck: None,
            history: Vec::new(),
            events: Vec::new(),
            logs: Vec::new(),
            nodes: wanted_nodes(body, settings),
            id,
        };
        cluster.publish(now.world);
        cluster
    }

    /// A member of the detail as text; empty when it is none.
    pub fn text(&self, name: &str) -> &str {
        self.shown.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The state, in ACK's word.
    pub fn state(&self) -> &str {
        self.text("state")
    }

    /// Whether deletion protection is on.
    pub fn protected(&self) -> bool {
        self.shown.get("deletion_protection") == Some(&Value::Bool(true))
    }

    /// The user's tags.
    pub fn tags(&self) -> &[Value] {
        self.shown.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// Puts a tag on, or with `None` takes it off.
    pub fn retag(&mut self, key: &str, value: Option<&str>) {
        let mut tags = self.tags().to_vec();
        tags.retain(|tag| tag["key"] != key);
        tags.extend(value.map(|value| json!({"key": key, "value": value})));
        self.set("tags", tags);
    }

    /// Sets a member of the detail.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.shown.insert(name.into(), value.into());
    }

    /// Stamps the cluster as changed and lets lists see it from world time `at` plus their lag on.
    pub fn changed(&mut self, at: Timestamp, now: &Now) {
        let stamp = rfc3339(now.stamp(at).max(self.created));
        self.set("updated", stamp);
        self.publish(at);
    }

    fn publish(&mut self, at: Timestamp) {
        self.history.push((at, Some(self.shown.clone())));
    }

    /// The cluster's end: unknown from world time `at` on.
    pub fn vanish(&mut self, at: Timestamp) {
        self.gone = Some(at);
        self.history.push((at, None));
    }

    /// Becomes usable.
    pub fn run(&mut self) {
        self.set("state", "running");
        let legal = self.tags().iter().all(|tag| is_label_value(tag["value"].as_str().unwrap_or_default()));
        let size = if legal { self.nodes } else { 0 };
        self.set("size", size);
        if self.text("security_group_id").is_empty() {
            self.set("security_group_id", format!("sg-{}", &self.id[1..17]));
        }
        self.set("worker_ram_role_name", format!("KubernetesWorkerRole-{}", &self.id[1..9]));
        self.endpoints(self.body["endpoint_public_access"] == true);
        let version = self.text("current_version").to_owned();
        let kms = &self.body["encryption_provider_key"];
        let capabilities = json!({
            "EncryptionKMSKeyId": kms.as_str().unwrap_or_default(), "DisableEncryption": kms.is_null(),
            "NodeCIDRMask": self.shown["node_cidr_mask"], "ProxyMode": self.shown["proxy_mode"],
        });
        let meta = json!({
            "Addons": self.body.get("addons").cloned().unwrap_or(json!([])), "Capabilities": capabilities,
            "ExtraCertSAN": self.shown["extra_sans"], "RRSAConfig": {"enabled": self.shown["rrsa_config"]["enabled"]},
            "KubernetesVersion": version, "SubClass": "default", "ServiceCIDR": self.shown["service_cidr"],
        });
        self.set("meta_data", meta.to_string());
    }

    fn endpoints(&mut self, public: bool) {
        let mut url = json!({"intranet_api_server_endpoint": "https://192.168.0.251:6443"});
        if public {
            url["api_server_endpoint"] = "https://203.0.113.10:6443".into();
        }
        self.set("master_url", url.to_string());
    }

    /// The address of its API server, on the internet or in the VPC, if it has one.
    pub fn endpoint(&self, private: bool) -> Option<String> {
        let urls: Value = serde_json::from_str(self.text("master_url")).ok()?;
        let name = if private { "intranet_api_server_endpoint" } else { "api_server_endpoint" };
        urls[name].as_str().filter(|url| !url.is_empty()).map(str::to_owned)
    }

    /// Puts a checked ModifyCluster body in force.
    pub fn modify(&mut self, change: &Value) {
        for (name, value) in change.as_object().into_iter().flatten() {
            match name.as_str() {
                "cluster_name" => self.set("name", value.clone()),
                "vswitch_ids" => {
                    let ids: Vec<_> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                    self.set("vswitch_id", ids.join(","));
                    self.set(name, value.clone());
                }
                "api_server_eip" => self.endpoints(value == true),
                "enable_rrsa" => {
                    let mut rrsa = self.shown["rrsa_config"].clone();
                    rrsa["enabled"] = value.clone();
                    self.set("rrsa_config", rrsa);
                }
                "api_server_custom_cert_sans" => {
                    let kept = if value["action"] == "append" { self.shown["extra_sans"].clone() } else { json!([]) };
                    let lists = [&kept, &value["subject_alternative_names"]];
                    let mut sans: Vec<Value> = Vec::new();
                    for san in lists.into_iter().filter_map(Value::as_array).flatten() {
                        if !sans.contains(san) {
                            sans.push(san.clone());
                        }
                    }
                    self.set("extra_sans", sans);
                }
                "deletion_protection"
                | "resource_group_id"
                | "security_group_id"
                | "timezone"
                | "cluster_spec"
                | "maintenance_window"
                | "operation_policy"
                | "control_plane_endpoints_config" => {
                    self.set(name, value.clone());
                }
                // The rest is for other kinds of clusters, without effect today, or not shown (ack-api d.7).
                _ => {}
            }
        }
    }

    /// Remembers which resource made a task of that kind fail.
    pub fn stick(&mut self, kind: Option<Kind>) {
        self.stuck = match kind {
            Some(Kind::Create) => Some(("ALIYUN::VPC::NatGateway", "CREATE_FAILED")),
            Some(Kind::Delete) => Some(("ALIYUN::ECS::SecurityGroup", "DELETE_FAILED")),
            Some(Kind::Modify) | None => None,
        };
    }

    /// Adds an event. `level`: `info`, `warning` or `error`.
    pub fn event(&mut self, kind: Kind, level: &str, reason: &str, message: &str, at: Timestamp) {
        let number = self.events.len() + 1;
        self.events.push(json!({
            "cluster_id": self.id, "event_id": format!("e-{}-{number:04}", &self.id[1..9]), "source": "cluster",
            "subject": self.id, "type": kind.word(), "time": utc(at),
            "data": {"level": level, "reason": reason, "message": message},
        }));
    }

    /// Adds a line to the log.
    pub fn log(&mut self, at: Timestamp, line: String) {
        self.logs.push((at, line));
    }

    /// Events, newest first.
    pub fn events(&self) -> Vec<Value> {
        self.events.iter().rev().cloned().collect()
    }

    /// The answer of DescribeClusterLogs, newest first.
    pub fn logs(&self) -> Value {
        let line = |(number, (at, line)): (usize, &(Timestamp, String))| {
            let at = rfc3339(*at);
            json!({"ID": 590_000_000 + number, "cluster_id": self.id, "cluster_log": line, "created": at, "updated": at})
        };
        self.logs.iter().enumerate().rev().map(line).collect()
    }

    /// The answer of DescribeClusterDetail.
    pub fn detail(&self, settings: &Settings, now: &Now) -> Value {
        Value::Object(self.dress(&self.shown, settings, now))
    }

    /// The item of a list that shows things as they were `list_lag` ago, if it shows the cluster.
    pub fn item(&self, settings: &Settings, now: &Now) -> Option<Value> {
        let seen = now.world - settings.list_lag;
        let (_, shown) = self.history.iter().rev().find(|(at, _)| *at <= seen)?;
        let mut item = self.dress(shown.as_ref()?, settings, now);
        item.retain(|name, _| ITEM.contains(&name.as_str()));
        Some(Value::Object(item))
    }

    fn dress(&self, shown: &Map<String, Value>, settings: &Settings, now: &Now) -> Map<String, Value> {
        let mut shown = shown.clone();
        shown.retain(|_, value| !value.is_null());
        let initial = shown.get("state").is_some_and(|state| state == "initial");
        let late = settings.tags_visible == Tags::Late && initial || now.world < self.born + settings.tags_lag;
        if let Some(Value::Array(tags)) = shown.get_mut("tags") {
            tags.push(json!({"key": "ack.aliyun.com", "value": self.id}));
            if late {
                tags.clear();
            }
        }
        shown
    }
}

/// The resource group of an account's clusters that were made without one.
pub fn default_group(account: &str) -> String {
    format!("rg-acfmdefault{account}")
}
