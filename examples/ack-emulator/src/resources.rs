//! The cloud resources of a cluster: what DescribeClusterResources answers (ack-api d.5), and how many nodes a body asks for.
//! Changes nothing.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::settings::{Settings, Workers};

impl Cluster {
    /// The answer of DescribeClusterResources.
    pub fn resources(&self) -> Value {
        let short = &self.id[1..17];
        let settled = match self.state() {
            "initial" => "CREATE_IN_PROGRESS",
            "deleting" => "DELETE_IN_PROGRESS",
            _ => "CREATE_COMPLETE",
        };
        let mut all = Vec::new();
        let mut add = |kind: &str, id: &str, made: bool, by_default: bool| {
            let state = self.stuck.filter(|(stuck, _)| *stuck == kind).map_or(settled, |(_, state)| state);
            let state = if made { state } else { "CREATE_COMPLETE" };
            let info = json!({"Id": id, "Type": kind, "Status": state, "PhysicalId": id});
            all.push(json!({
                "cluster_id": self.id, "resource_type": kind, "instance_id": id, "resource_info": info.to_string(),
                "state": state, "auto_create": i32::from(made), "created": self.shown["created"],
                "creator_type": if made { "system" } else { "user" }, "dependencies": [],
                "delete_behavior": {"delete_by_default": by_default, "changeable": by_default}, "extra_info": {},
            }));
        };
        add("ALIYUN::SLB::LoadBalancer", &format!("lb-{short}"), true, true);
        if self.body["snat_entry"] == true || self.stuck.is_some_and(|(kind, _)| kind == "ALIYUN::VPC::NatGateway") {
            add("ALIYUN::VPC::NatGateway", &format!("ngw-{short}"), true, true);
        }
        let group = self.body["security_group_id"].as_str();
        let made = group.is_none() || self.stuck.is_some_and(|(kind, _)| kind == "ALIYUN::ECS::SecurityGroup");
        add("ALIYUN::ECS::SecurityGroup", group.unwrap_or(&format!("sg-{short}")), made, made);
        let vpc = self.body["vpcid"].as_str();
        add("ALIYUN::VPC::VPC", self.text("vpc_id"), vpc.is_none(), vpc.is_none());
        // Subscription machines outlive the cluster (ack-api d.6).
        let prepaid = |holder: &Value, name: &str| holder[name] == "PrePaid";
        let pools = self.body["nodepools"].as_array().into_iter().flatten();
        let mut pools = pools.map(|pool| &pool["scaling_group"]);
        if prepaid(&self.body, "worker_instance_charge_type")
            || pools.any(|group| prepaid(group, "instance_charge_type"))
        {
            for number in 0..self.shown.get("size").and_then(Value::as_i64).unwrap_or_default() {
                add("ALIYUN::ECS::Instance", &format!("i-{short}{number:03}"), true, false);
            }
        }
        all.into()
    }
}

/// How many nodes the body asks for: each pool's `desired_size`, or what its scaling begins with, and the old worker fields
/// as far as the setting lets them count (ack-api g 18).
pub fn wanted_nodes(body: &Value, settings: &Settings) -> i64 {
    let pools = body["nodepools"].as_array().into_iter().flatten();
    let least = |pool: &Value| {
        pool["auto_scaling"]["min_instances"].as_i64().filter(|_| pool["auto_scaling"]["enable"] == true)
    };
    let pooled: i64 = pools.filter_map(|pool| pool["scaling_group"]["desired_size"].as_i64().or(least(pool))).sum();
    let own = body["num_of_nodes"].as_i64().unwrap_or_default();
    if settings.workers == Workers::Honour { own + pooled } else { pooled }
}
