//! The table of fields and how it compares.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::api::{AckClusterSpec, crd};

fn spec(wish: Value) -> AckClusterSpec {
    let mut spec = json!({ "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes" });
    spec.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn differences(wish: Value, is: Value) -> Vec<Difference> {
    compare(&spec(wish), "web", is.as_object().unwrap(), &BTreeMap::new())
}

#[test]
fn every_field_of_the_body_has_exactly_one_row() {
    let rows: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    let once: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), once.len());
    let names = crd::names();
    assert_eq!(once, names.iter().map(String::as_str).collect());
}

#[test]
fn the_crd_fixes_exactly_what_the_table_calls_fixed() {
    let fixed = crd::fixed();
    let own = |name: &&str| name.chars().any(|c| c.is_ascii_uppercase());
    let crd: BTreeSet<&str> =
        fixed.iter().map(String::as_str).filter(|path| !path.contains('.')).filter(|name| !own(name)).collect();
    let table = FIELDS.iter().filter(|field| field.kind == Kind::Fixed).map(|field| field.name).collect();
    assert_eq!(crd, table);
}

#[test]
fn the_crd_says_by_hand_of_exactly_what_is_not_changed_here() {
    let left = FIELDS.iter().filter(|field| matches!(field.kind, Kind::Upgrade | Kind::Blind)).map(|field| field.name);
    assert_eq!(left.collect::<BTreeSet<_>>(), crd::BY_HAND.iter().copied().collect());
}

#[test]
fn a_row_reads_where_its_kind_needs_it() {
    for field in FIELDS {
        let reads = !matches!(field.compare, Compare::Never | Compare::Digest);
        assert_eq!(reads, !field.read.is_empty(), "{}", field.name);
        assert_eq!(field.modify.is_some(), field.kind == Kind::Modify, "{}", field.name);
        assert_eq!(field.compare == Compare::Digest, field.kind == Kind::Blind, "{}", field.name);
    }
}

#[test]
fn what_means_the_same_is_no_difference() {
    for (wish, is) in [
        (json!({}), json!({"timezone": "UTC", "vpc_id": "vpc-1"})),
        (json!({"vpcid": "vpc-1"}), json!({"vpc_id": "vpc-1"})),
        (json!({"vpcid": "vpc-1"}), json!({})),
        (json!({"container_cidr": "172.20.0.0/16"}), json!({"container_cidr": "", "subnet_cidr": "172.20.0.0/16"})),
        (json!({"node_cidr_mask": 26}), json!({"node_cidr_mask": "26"})),
        (json!({"node_cidr_mask": "26"}), json!({"meta_data": "{\"Capabilities\":{\"NodeCIDRMask\":\"26\"}}"})),
        (json!({"profile": "Lingjun"}), json!({"profile": "LingJun"})),
        (json!({"vswitch_ids": ["vsw-1", "vsw-2"]}), json!({"vswitch_ids": ["vsw-2", "vsw-1"]})),
        (json!({"vswitch_ids": ["vsw-1", "vsw-2"]}), json!({"vswitch_id": "vsw-2,vsw-1"})),
        (json!({"kubernetes_version": "1.31.1-aliyun.1"}), json!({"current_version": "1.31.9-aliyun.1"})),
        (json!({"kubernetes_version": "1.9.1-aliyun.1"}), json!({"current_version": "1.10.0-aliyun.1"})),
        (
            json!({"tags": [{"key": "a", "value": "1"}]}),
            json!({"tags": [{"key": "ack.aliyun.com", "value": "c"}, {"key": "a", "value": "1"}]}),
        ),
        (json!({"tags": [{"key": "a"}]}), json!({"tags": [{"key": "a", "value": ""}]})),
        (
            json!({"endpoint_public_access": true}),
            json!({"master_url": "{\"api_server_endpoint\":\"https://203.0.113.1:6443\"}"}),
        ),
        (
            json!({"endpoint_public_access": false}),
            json!({"master_url": "{\"intranet_api_server_endpoint\":\"https://10.0.0.1:6443\"}"}),
        ),
        (json!({"endpoint_public_access": true}), json!({"master_url": ""})),
        (json!({"extra_sans": ["b"]}), json!({"extra_sans": [], "meta_data": "{\"ExtraCertSAN\":[\"a\",\"b\"]}"})),
        (json!({"rrsa_config": {"enabled": true}}), json!({"rrsa_config": {"enabled": true, "issuer": "x"}})),
        (json!({"rrsa_config": {"enabled": true}}), json!({"meta_data": "{\"RRSAConfig\":{\"enabled\":true}}"})),
        (
            json!({"maintenance_window": {"enable": false}}),
            json!({"maintenance_window": {"enable": false, "duration": ""}}),
        ),
        (
            json!({"maintenance_window": {"maintenance_time": "2026-11-03T03:00:00+08:00", "weekly_period": "Monday,Friday"}}),
            json!({"maintenance_window": {"maintenance_time": "2026-11-02T19:00:00Z", "weekly_period": "Friday,Monday"}}),
        ),
        (json!({"deletion_protection": true}), json!({"deletion_protection": true})),
        (json!({"num_of_nodes": 3, "login_password": "Hello1234"}), json!({"size": 2})),
    ] {
        assert_eq!(differences(wish.clone(), is.clone()), [], "{wish} {is}");
    }
}

#[test]
fn what_differs_is_said_with_both_values() {
    for (wish, is, field, from, to, kind) in [
        (json!({"vpcid": "vpc-1"}), json!({"vpc_id": "vpc-2"}), "vpcid", "vpc-2", "vpc-1", Kind::Fixed),
        (json!({"name": "a"}), json!({"name": "b"}), "name", "b", "a", Kind::Modify),
        (
            json!({"deletion_protection": false}),
            json!({"deletion_protection": true}),
            "deletion_protection",
            "true",
            "false",
            Kind::Modify,
        ),
        (
            json!({"vswitch_ids": ["vsw-1"]}),
            json!({"vswitch_ids": ["vsw-1", "vsw-2"]}),
            "vswitch_ids",
            "[\"vsw-1\",\"vsw-2\"]",
            "[\"vsw-1\"]",
            Kind::Modify,
        ),
        (
            json!({"kubernetes_version": "1.33.3-aliyun.1"}),
            json!({"current_version": "1.32.9-aliyun.1"}),
            "kubernetes_version",
            "1.32.9-aliyun.1",
            "1.33.3-aliyun.1",
            Kind::Upgrade,
        ),
        (
            json!({"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}),
            json!({"tags": [{"key": "a", "value": "0"}]}),
            "tags",
            "a=0, no b",
            "a=1, b=2",
            Kind::Tags,
        ),
        (
            json!({"endpoint_public_access": true}),
            json!({"master_url": "{\"intranet_api_server_endpoint\":\"x\"}"}),
            "endpoint_public_access",
            "false",
            "true",
            Kind::Modify,
        ),
        (json!({"extra_sans": ["b"]}), json!({"extra_sans": []}), "extra_sans", "[]", "[\"b\"]", Kind::Modify),
        (
            json!({"rrsa_config": {"enabled": true}}),
            json!({"rrsa_config": {"enabled": false}}),
            "rrsa_config",
            "{\"enabled\":false}",
            "{\"enabled\":true}",
            Kind::Modify,
        ),
        (
            json!({"maintenance_window": {"duration": "3h"}}),
            json!({"maintenance_window": {"enable": false, "duration": ""}}),
            "maintenance_window",
            "{\"duration\":\"\",\"enable\":false}",
            "{\"duration\":\"3h\"}",
            Kind::Modify,
        ),
    ] {
        let found = differences(wish, is);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].field.name, found[0].to.as_str(), found[0].field.kind), (field, to, kind));
        // The order of members in the printed JSON is the parser's.
        assert!(found[0].from == from || field == "maintenance_window", "{found:?}");
    }
}

#[test]
fn a_name_that_the_spec_does_not_give_is_not_compared() {
    assert_eq!(differences(json!({}), json!({"name": "other"})), []);
}

#[test]
fn blind_fields_differ_when_their_meaning_moved_since_they_were_applied() {
    let before = spec(json!({
        "addons": [{"name": "a", "config": "{\"x\": 1, \"y\": 2}"}, {"name": "b"}],
        "controlplane_log_ttl": 30,
        "nodepools": [{"nodepool_info": {"name": "p"}, "scaling_group": {"vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid", "login_password": "Hello1234"}}]
    }));
    let applied = applied(&before);
    assert_eq!(applied.keys().collect::<Vec<_>>(), ["addons", "controlplane_log_ttl", "nodepools"]);
    let nothing = Map::new();
    let mut same = before.clone();
    same.addons = serde_json::from_value(json!([{"name": "b"}, {"name": "a", "config": "{\"y\":2,\"x\":1}"}])).unwrap();
    same.controlplane_log_ttl = serde_json::from_value(json!("30")).unwrap();
    same.nodepools.as_mut().unwrap()[0].scaling_group.login_password = None;
    assert_eq!(compare(&same, "web", &nothing, &applied), []);

    let mut moved = before.clone();
    moved.controlplane_log_ttl = serde_json::from_value(json!(31)).unwrap();
    let found = compare(&moved, "web", &nothing, &applied);
    assert_eq!(
        found.iter().map(|d| (d.field.name, d.field.kind)).collect::<Vec<_>>(),
        [("controlplane_log_ttl", Kind::Blind)]
    );
    assert_eq!(compare(&moved, "web", &nothing, &BTreeMap::new()), [], "what was never applied here is not known");
}

#[test]
fn the_sentence_names_what_is_not_changed_here_and_fixed_fields_first() {
    let found = differences(
        json!({"vpcid": "vpc-1", "timezone": "UTC", "deletion_protection": true, "kubernetes_version": "1.33"}),
        json!({"vpc_id": "vpc-2", "timezone": "Asia/Shanghai", "deletion_protection": false, "current_version": "1.32"}),
    );
    assert_eq!(found.len(), 4);
    assert_eq!(
        sentence(&found).unwrap().as_str(),
        "ACK cannot change vpcid (cloud: vpc-2, spec: vpc-1): write the cloud's value into the spec; this operator does \
         not change kubernetes_version (cloud: 1.32, spec: 1.33): do it in ACK, or write into the spec what was there \
         before"
    );
    assert_eq!(sentence(&[]), None);
}

#[test]
fn every_difference_has_its_change_tags_first_and_changes_of_one_kind_share_a_call() {
    let wish = json!({
        "name": "new", "timezone": "UTC", "deletion_protection": true, "extra_sans": ["a", "b"],
        "rrsa_config": {"enabled": true}, "endpoint_public_access": true,
        "tags": [{"key": "team", "value": "a"}, {"key": "same", "value": "1"}],
    });
    let is = json!({
        "name": "old", "timezone": "Asia/Shanghai", "deletion_protection": false, "extra_sans": ["b", "c"],
        "rrsa_config": {"enabled": false}, "master_url": "{\"intranet_api_server_endpoint\":\"x\"}",
        "tags": [{"key": "team", "value": "b"}, {"key": "same", "value": "1"}, {"key": "theirs", "value": "2"}],
    });
    let all = changes(&differences(wish, is));
    let fields: Vec<_> = all.iter().map(|change| change.field).collect();
    assert_eq!(fields, ["tags", "name", "timezone", "endpoint_public_access", "extra_sans", "rrsa_config"]);
    assert_eq!(all[0].words.as_str(), "tags: team=b -> team=a");
    assert_eq!(call(&all[..1]), Some(Call::Tag(BTreeMap::from([("team".into(), "a".into())]))));
    let members = json!({
        "cluster_name": "new", "timezone": "UTC", "enable_rrsa": true, "api_server_eip": true,
        "api_server_custom_cert_sans": {"action": "append", "subject_alternative_names": ["a"]},
    });
    assert_eq!(call(&all[1..]), Some(Call::Modify(members.as_object().unwrap().clone())));
    assert_eq!(call(&all), None, "two kinds are two calls");
}

#[test]
fn what_a_member_holds_beside_the_wish_is_sent_with_it() {
    let window = |wish: Value, is: Value| {
        changes(&differences(json!({"maintenance_window": wish}), json!({"maintenance_window": is}))).remove(0).call
    };
    let sent = |member: Value| Call::Modify(json!({"maintenance_window": member}).as_object().unwrap().clone());
    assert_eq!(
        window(
            json!({"enable": true, "duration": "4h"}),
            json!({"enable": true, "duration": "3h", "weekly_period": "Monday", "maintenance_time": "T"}),
        ),
        sent(json!({"enable": true, "duration": "4h", "weekly_period": "Monday", "maintenance_time": "T"})),
    );
    assert_eq!(
        window(json!({"duration": "4h"}), json!("{\"weekly_period\":\"Monday\"}")),
        sent(json!({"duration": "4h", "weekly_period": "Monday"})),
        "also of one that ACK writes as JSON in a text",
    );
    let balancers = |wish: Value, is: Value| {
        let of = |list: Value| json!({"control_plane_endpoints_config": {"load_balancers_config": list}});
        let found = changes(&differences(of(wish), of(is)));
        found.into_iter().map(|change| change.call).collect::<Vec<_>>()
    };
    let theirs = json!({"load_balancer_id": "lb-theirs", "endpoint_type": "intranet"});
    let ours = json!({"load_balancer_id": "lb-1", "endpoint_type": "intranet"});
    let other = json!({"load_balancer_id": "lb-1", "endpoint_type": "internet"});
    assert_eq!(
        balancers(json!([ours]), json!([theirs, ours])),
        [],
        "an entry that nobody named here differs from nothing"
    );
    let wanted = json!({"control_plane_endpoints_config": {"load_balancers_config": [theirs, other]}});
    assert_eq!(
        balancers(json!([other]), json!([theirs, ours])),
        [Call::Modify(wanted.as_object().unwrap().clone())],
        "and is sent with the one that changes"
    );
}

#[test]
fn a_change_has_one_digest_whatever_the_cloud_has_and_however_its_words_are_cut() {
    let change = |end: &str, is: &str| {
        let long = format!("{}{end}", "x".repeat(200));
        changes(&differences(json!({"timezone": long}), json!({"timezone": is}))).remove(0)
    };
    assert_eq!(change("a", "UTC").words, change("b", "UTC").words);
    assert_ne!(change("a", "UTC").digest, change("b", "UTC").digest);
    assert_eq!(change("a", "UTC").digest, change("a", "GMT").digest);
    let window = |is: Value| {
        changes(&differences(json!({"maintenance_window": {"duration": "4h"}}), json!({"maintenance_window": is})))
            .remove(0)
    };
    assert_eq!(window(json!({"duration": "3h"})).digest, window(json!({"duration": "2h", "enable": true})).digest);
}

#[test]
fn what_is_fixed_upgraded_or_unseen_is_no_change_that_is_made_here() {
    let wish = json!({"vpcid": "vpc-1", "kubernetes_version": "1.33", "deletion_protection": true});
    let is = json!({"vpc_id": "vpc-2", "current_version": "1.32", "deletion_protection": false});
    assert_eq!(changes(&differences(wish, is)), []);
}

#[test]
fn workers_are_missing_only_where_some_were_asked_for_and_none_came() {
    let pool = |more: Value| {
        let mut pool = json!({"nodepool_info": {"name": "p"}, "scaling_group": {"vswitch_ids": [], "instance_charge_type": "PostPaid"}});
        pool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"nodepools": [pool]})
    };
    for (wish, size, missing) in [
        (json!({"num_of_nodes": 3}), Some(0), true),
        (json!({"num_of_nodes": 3}), Some(1), false),
        (json!({"num_of_nodes": 3}), None, false),
        (json!({"num_of_nodes": 0}), Some(0), false),
        (json!({"num_of_nodes": 3, "adoptClusterId": "c1"}), Some(0), false),
        (json!({}), Some(0), false),
        (json!({"instances": ["i-1"]}), Some(0), true),
        (pool(json!({"auto_scaling": {"enable": true, "min_instances": 2}})), Some(0), true),
        (pool(json!({"auto_scaling": {"enable": false, "min_instances": 2}})), Some(0), false),
    ] {
        assert_eq!(workers_missing(&spec(wish.clone()), size).is_some(), missing, "{wish} {size:?}");
    }
}
