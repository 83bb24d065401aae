//! What may be asked for with the operator's own credentials, which many namespaces may share: what an object names, they
//! reach, whosever it is. Pure.

use kube::ResourceExt;
use serde_json::Value;

use super::Namespaces;
use super::secrets::Holder;
use crate::api::AckCluster;
use crate::decide::Trouble;
use crate::terms::Class;

/// The members of the spec, at any depth, that bring into a cluster what is there already: machines, nodes of a Lingjun
/// group, what a disk held, databases. They may be another team's, and a machine that is attached loses its disks.
const ATTACHED: [&str; 6] =
    ["instances", "format_disk", "keep_instance_name", "rds_instances", "snapshot_id", "eflo_node_group"];

/// Refuses a spec that attaches something, where the namespace may not do that with credentials that are not its own.
pub(super) fn check(object: &AckCluster, allowed: &Namespaces) -> Result<(), Trouble> {
    let namespace = object.namespace().unwrap_or_default();
    if allowed.allow(&namespace) {
        return Ok(());
    }
    // What cannot be read cannot be allowed; it would not be sent either.
    let spec = serde_json::to_value(&object.spec).map_err(|e| Trouble::new(Class::User, e.to_string()))?;
    let found = attached(&spec);
    if found.is_empty() {
        return Ok(());
    }
    let note = format!(
        "namespace {namespace} may not use what is there already (spec: {}) with the operator's own credentials, since it \
         may be another's; drop that, or {}",
        found.join(", "),
        cure(&Holder::from(object), "--attach-namespaces", "attach.namespaces")
    );
    Err(Trouble::new(Class::User, note))
}

/// The ways out of a want of rights to the operator's own credentials: keys of one's own, or an administrator's word.
pub(super) fn cure(holder: &Holder<'_>, flag: &str, value: &str) -> String {
    let Holder { namespace, name, .. } = holder;
    format!(
        "name a Secret of this namespace: kubectl --namespace {namespace} patch ackcluster {name} --type merge -p \
         '{{\"spec\":{{\"credentialsRef\":{{\"name\":\"ack-credentials\"}}}}}}'; or have an administrator add {namespace} to \
         {flag} (chart: {value})"
    )
}

/// What a spec attaches, each member with the one at the top that holds it. Of what people wrote only the names of extra
/// parameters are repeated.
fn attached(spec: &Value) -> Vec<String> {
    let mut found = vec![];
    for (member, value) in spec.as_object().into_iter().flatten() {
        if member == "extraParameters" {
            for parameter in value.as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default();
                let place = format!(" in extraParameters {name}");
                collect(name, &parameter["value"], &place, &mut found);
            }
        } else if known(member).is_some() {
            collect(member, value, "", &mut found);
        } else {
            collect(member, value, &format!(" in {member}"), &mut found);
        }
    }
    found
}

/// Adds what `member` attaches, by itself or by what it holds. What holds nothing attaches nothing.
fn collect(member: &str, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = known(member) {
        let text = format!("{name}{place}");
        if holds_something(value) && !found.contains(&text) {
            found.push(text);
        }
        return;
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| collect(member, value, place, found)),
        Value::Array(items) => items.iter().for_each(|item| collect("", item, place, found)),
        _ => {}
    }
}

/// The member of that name. What the operator does not check is read as a lenient server may read it.
fn known(member: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let member = plain(member);
    ATTACHED.into_iter().find(|name| plain(name) == member)
}

fn holds_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A pool with that beside what every pool must have.
    fn pool(group: &Value, more: &Value) -> Value {
        let mut pool = json!({
            "nodepool_info": {"name": "p"},
            "scaling_group": {"vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid"},
        });
        for (member, value) in group.as_object().into_iter().flatten() {
            pool["scaling_group"][member] = value.clone();
        }
        for (member, value) in more.as_object().into_iter().flatten() {
            pool[member] = value.clone();
        }
        pool
    }

    fn object(spec: &Value) -> AckCluster {
        let mut whole = json!({"region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes"});
        for (member, value) in spec.as_object().into_iter().flatten() {
            whole[member] = value.clone();
        }
        let object = json!({
            "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster",
            "metadata": {"name": "demo", "namespace": "team-a"}, "spec": whole,
        });
        serde_json::from_value(object).expect("an AckCluster")
    }

    fn extra(name: &str, value: &Value) -> Value {
        json!({"extraParameters": [{"name": name, "value": value}]})
    }

    #[test]
    fn what_is_there_already_is_found_wherever_a_spec_names_it() {
        let none = json!({});
        let nodepools = |group: &Value, more: &Value| json!({"nodepools": [pool(&none, &none), pool(group, more)]});
        let cases: Vec<(Value, &[&str])> = vec![
            (json!({}), &[]),
            (json!({"vpcid": "vpc-1", "vswitch_ids": ["vsw-1"], "security_group_id": "sg-1"}), &[]),
            (json!({"worker_instance_types": ["ecs.g7.large"], "num_of_nodes": 3}), &[]),
            (json!({"instances": [], "rds_instances": []}), &[]),
            (json!({"instances": ["i-1"]}), &["instances"]),
            (
                json!({"instances": ["i-1"], "format_disk": true, "keep_instance_name": false}),
                &["format_disk", "instances", "keep_instance_name"],
            ),
            (json!({"rds_instances": ["rm-1"]}), &["rds_instances"]),
            (json!({"rds_instances": ["rm-1"], "workerFields": "AsNodePool"}), &["rds_instances"]),
            (nodepools(&json!({"instance_types": ["ecs.g7.large"], "data_disks": [{"size": 40}]}), &none), &[]),
            (nodepools(&json!({"rds_instances": ["rm-1"]}), &none), &["rds_instances in nodepools"]),
            (
                nodepools(&json!({"data_disks": [{"snapshot_id": "s-1"}, {"snapshot_id": "s-2"}]}), &none),
                &["snapshot_id in nodepools"],
            ),
            (nodepools(&json!({"instance_patterns": [{"instances": ["i-1"]}]}), &none), &["instances in nodepools"]),
            (nodepools(&none, &json!({"eflo_node_group": {"group_id": "i"}})), &["eflo_node_group in nodepools"]),
            (nodepools(&none, &json!({"auto_scaling": {"min_instances": 1, "max_instances": 2}})), &[]),
            (extra("control_plane_config", &json!({"size": 3})), &[]),
            (extra("instances", &Value::Null), &[]),
            (extra("instances", &json!(["i-1"])), &["instances in extraParameters instances"]),
            (extra("nodepools", &json!([{"Format-Disk": true}])), &["format_disk in extraParameters nodepools"]),
            (extra("new", &json!({"deep": [[{"rdsInstances": ["rm-1"]}]]})), &["rds_instances in extraParameters new"]),
        ];
        for (spec, wanted) in cases {
            let object = object(&spec);
            assert_eq!(attached(&serde_json::to_value(&object.spec).unwrap()), wanted, "{spec}");
            let only = |name: &str| Namespaces::Only(vec![name.to_owned()]);
            for (allowed, all) in [
                (Namespaces::All, true),
                (only("team-a"), true),
                (only("team-b"), false),
                (Namespaces::named(&[]), false),
            ] {
                assert_eq!(check(&object, &allowed).is_ok(), all || wanted.is_empty(), "{spec} {allowed:?}");
            }
        }
    }

    #[test]
    fn a_refusal_says_what_who_and_both_ways_out() {
        let trouble = check(&object(&json!({"instances": ["i-1"]})), &Namespaces::named(&[])).unwrap_err();
        let note = trouble.note.as_str();
        for words in [
            "(spec: instances)",
            "kubectl --namespace team-a patch ackcluster demo --type merge -p '{\"spec\":{\"credentialsRef\":",
            "add team-a to --attach-namespaces (chart: attach.namespaces)",
        ] {
            assert!(note.contains(words), "{words}: {note}");
        }
        assert_eq!(trouble.class, Class::User);
    }

    #[test]
    fn a_star_among_the_names_means_all() {
        let named =
            |names: &[&str]| Namespaces::named(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (names, allowed) in
            [(&[][..], false), (&[""], false), (&["team-b"], false), (&["team-b", "team-a"], true), (&["*"], true)]
        {
            assert_eq!(named(names).allow("team-a"), allowed, "{names:?}");
        }
    }
}
