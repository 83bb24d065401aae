//! Fields that ACK cannot change on a living cluster: refused while `status.specLocked` is true, free otherwise. The
//! values are rows of `tests/data/rules.yaml`; the fields are those that the types mark.

use std::collections::BTreeSet;

use ack_operator::api::crd;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::{Cause, Server, TABLE, merged, test};

/// `worker_period` -> the sentence that refuses another value.
fn field_message(name: &str) -> String {
    match name {
        "login_password" | "user_data" => {
            format!("{name} only counts at creation: once the cluster exists it may be removed, not changed")
        }
        _ => format!("{name} is fixed once the cluster exists: write the old value back, or make another AckCluster"),
    }
}

fn pool_message(member: &str) -> String {
    format!("{member} of a node pool only counts when the pool is made: write the old value back, or make another pool")
}

const RRSA: &str = "rrsa_config cannot be switched off once the cluster exists";
const ADOPT: &str = "adoptClusterId stays as first written: delete this object (the cluster is kept) and make another";

/// What the trials of this file try, as `super::messages` prints it.
pub fn messages() -> BTreeSet<String> {
    let rows = TABLE["fixed"].as_object().into_iter().flatten();
    let mut known: BTreeSet<String> = rows.map(|(name, _)| format!("spec.{name}: {}", field_message(name))).collect();
    let rows = TABLE["pool_fixed"].as_object().into_iter().flatten();
    known.extend(rows.map(|(member, _)| format!("spec.nodepools: {}", pool_message(member))));
    // Tried with an old object, since it takes one value only.
    known.insert(format!("spec.cluster_type: {}", field_message("cluster_type")));
    known.insert(format!("spec.rrsa_config: {RRSA}"));
    known.insert(format!("spec.adoptClusterId: {ADOPT}"));
    known
}

pub fn tests() -> Vec<Trial> {
    let mut trials = vec![
        test("what_the_types_mark_as_fixed_has_a_row", marks),
        test("pools_may_come_and_go_while_the_spec_is_locked", pools_come_and_go),
        test("an_adopted_id_stays_as_first_written", adopted),
        test("RAM_roles_can_be_switched_on_but_not_off", rrsa),
        test("a_password_may_leave_the_spec_of_a_locked_cluster", password),
        test("changeable_fields_change_while_the_spec_is_locked", changeable),
    ];
    for (name, row) in TABLE["fixed"].as_object().into_iter().flatten() {
        trials.push(Trial::test(format!("rules::{name}_is_fixed_while_the_spec_is_locked"), move || {
            let spec = |value: &Value| json!({ name: value });
            let with = merged(&TABLE["base"], &row["with"]);
            let with = if row["with"].is_null() { TABLE["base"].clone() } else { with };
            let same = row.get("same").map(spec);
            held(
                name,
                &merged(&with, &spec(&row["from"])),
                &spec(&row["to"]),
                same.as_ref(),
                name,
                &field_message(name),
            )
        }));
    }
    for (member, row) in TABLE["pool_fixed"].as_object().into_iter().flatten() {
        trials.push(Trial::test(format!("rules::nodepools_{member}_is_fixed_while_the_spec_is_locked"), move || {
            let pool = |value: &Value| {
                let patch = match member.split_once('.') {
                    Some((group, member)) => json!({ group: { member: value } }),
                    None => json!({ member: value }),
                };
                json!({ "nodepools": [merged(&TABLE["pool"], &patch)] })
            };
            let spec = merged(&TABLE["base"], &pool(&row["from"]));
            held(&format!("pool-{member}"), &spec, &pool(&row["to"]), None, "nodepools", &pool_message(member))
        }));
    }
    trials
}

/// Stores `spec`, locks it, sees `change` refused with `message` (and `same` taken), unlocks it and sees `change` taken.
fn held(
    name: &str,
    spec: &Value,
    change: &Value,
    same: Option<&Value>,
    field: &str,
    message: &str,
) -> Result<(), Failed> {
    let server = Server::ours();
    let name = stored(&server, name, spec)?;
    let change = json!({ "spec": change });
    said(server.merge_status(&name, &json!({ "specLocked": true })))?;
    let want: Vec<Cause> = vec![(format!("spec.{field}"), message.to_owned())];
    match server.merge(&name, &change, true) {
        Err(causes) if causes == want => {}
        other => return Err(format!("locked: {other:?} instead of {want:?}").into()),
    }
    if let Some(same) = same {
        said(server.merge(&name, &json!({ "spec": same }), true))?;
    }
    said(server.merge_status(&name, &json!({ "specLocked": false })))?;
    said(server.merge(&name, &change, true))?;
    Ok(())
}

fn stored(server: &Server, name: &str, spec: &Value) -> Result<String, Failed> {
    let name = format!("fixed-{}", name.to_lowercase().replace(['_', '.'], "-"));
    said(server.create(&name, spec, false))?;
    Ok(name)
}

fn said(answer: Result<(), Vec<Cause>>) -> Result<(), Failed> {
    answer.map_err(|causes| format!("refused: {causes:?}").into())
}

fn marks() -> Result<(), Failed> {
    let names = |part: &str, prefix: &str| -> BTreeSet<String> {
        TABLE[part].as_object().into_iter().flatten().map(|(name, _)| format!("{prefix}{name}")).collect()
    };
    let mut rows = names("fixed", "");
    rows.extend(names("pool_fixed", "nodepools[]."));
    rows.insert("cluster_type".to_owned());
    assert_eq!(crd::fixed().into_iter().collect::<BTreeSet<_>>(), rows);
    Ok(())
}

fn pools_come_and_go() -> Result<(), Failed> {
    let server = Server::ours();
    let pool =
        |name: &str, kind: &str| merged(&TABLE["pool"], &json!({ "nodepool_info": { "name": name, "type": kind } }));
    let spec = merged(&TABLE["base"], &json!({ "nodepools": [pool("a", "ess"), pool("b", "ess")] }));
    let name = stored(&server, "pools", &spec)?;
    said(server.merge_status(&name, &json!({ "specLocked": true })))?;
    for pools in [
        json!([pool("b", "ess"), pool("a", "ess"), pool("c", "edge")]),
        json!([pool("c", "edge")]),
        json!([]),
        Value::Null,
    ] {
        said(server.merge(&name, &json!({ "spec": { "nodepools": pools } }), true))?;
    }
    Ok(())
}

fn adopted() -> Result<(), Failed> {
    let server = Server::ours();
    let name = stored(&server, "adopted", &merged(&TABLE["base"], &json!({ "adoptClusterId": "c1" })))?;
    for change in [json!("c2"), Value::Null] {
        let causes = server.merge(&name, &json!({ "spec": { "adoptClusterId": change } }), true);
        assert_eq!(causes, Err(vec![("spec.adoptClusterId".to_owned(), ADOPT.to_owned())]));
    }
    let name = stored(&server, "not-adopted", &TABLE["base"])?;
    said(server.merge(&name, &json!({ "spec": { "adoptClusterId": "c1" } }), true))
}

fn rrsa() -> Result<(), Failed> {
    let server = Server::ours();
    let rrsa = |enabled: bool| json!({ "rrsa_config": { "enabled": enabled } });
    let on = stored(&server, "rrsa-on", &merged(&TABLE["base"], &rrsa(true)))?;
    let off = stored(&server, "rrsa-off", &merged(&TABLE["base"], &rrsa(false)))?;
    for name in [&on, &off] {
        said(server.merge_status(name, &json!({ "specLocked": true })))?;
    }
    said(server.merge(&off, &json!({ "spec": rrsa(true) }), true))?;
    said(server.merge(&on, &json!({ "spec": { "rrsa_config": null } }), true))?;
    let causes = server.merge(&on, &json!({ "spec": rrsa(false) }), true);
    assert_eq!(causes, Err(vec![("spec.rrsa_config".to_owned(), RRSA.to_owned())]));
    Ok(())
}

fn password() -> Result<(), Failed> {
    let server = Server::ours();
    let spec = merged(
        &TABLE["base"],
        &json!({ "login_password": "Hello1234", "num_of_nodes": 1, "worker_instance_types": ["ecs.g7.large"] }),
    );
    let name = stored(&server, "leaves", &spec)?;
    said(server.merge_status(&name, &json!({ "specLocked": true })))?;
    let moved = json!({ "spec": {
        "login_password": null,
        "secretValues": [{ "path": "login_password", "secretKeyRef": { "name": "s", "key": "k" } }]
    } });
    said(server.merge(&name, &moved, true))
}

fn changeable() -> Result<(), Failed> {
    let server = Server::ours();
    let spec =
        merged(&TABLE["base"], &json!({ "cluster_spec": "ack.pro.small", "kubernetes_version": "1.32.1-aliyun.1" }));
    let name = stored(&server, "changeable", &spec)?;
    said(server.merge_status(&name, &json!({ "specLocked": true })))?;
    let pool = merged(&TABLE["pool"], &json!({ "scaling_group": { "desired_size": 2 } }));
    for change in [
        json!({ "name": "other" }),
        json!({ "deletion_protection": true }),
        json!({ "tags": [{ "key": "a", "value": "b" }] }),
        json!({ "resource_group_id": "rg-2" }),
        json!({ "vswitch_ids": ["vsw-2"] }),
        json!({ "security_group_id": "sg-2" }),
        json!({ "timezone": "UTC" }),
        json!({ "cluster_spec": "ack.pro.xlarge" }),
        json!({ "maintenance_window": { "enable": true }, "operation_policy": { "cluster_auto_upgrade": { "enabled": true } } }),
        json!({ "rrsa_config": { "enabled": true } }),
        json!({ "endpoint_public_access": true }),
        json!({ "extra_sans": ["a"] }),
        json!({ "kubernetes_version": "1.33.1-aliyun.1" }),
        json!({ "addons": [{ "name": "arms-prometheus" }] }),
        json!({ "nodepools": [pool] }),
        json!({ "controlplane_log_components": ["apiserver"], "controlplane_log_project": "p", "controlplane_log_ttl": 7 }),
        json!({ "audit_log_config": { "enabled": true } }),
        json!({ "encryption_provider_key": "key-2" }),
        json!({ "control_plane_endpoints_config": { "internal_dns_config": { "bind_vpcs": ["vpc-3"] } } }),
        json!({ "credentialsRef": { "name": "other" }, "deletionPolicy": "Retain" }),
        json!({ "deleteOptions": { "retainAllResources": true } }),
    ] {
        said(server.merge(&name, &json!({ "spec": change }), true)).map_err(|error| format!("{change}: {error:?}"))?;
    }
    Ok(())
}
