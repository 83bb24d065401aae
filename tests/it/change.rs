//! Changing a running cluster: what the spec says is put in force, once, and nothing else is. The oracle is what the
//! emulator's detail shows, and how often it was asked.

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use crate::cluster::{id, message, object};
use crate::support::{Scene, ready};
use crate::trials;

/// What ACK answers to a change.
mod answers;
/// Other hands in the cloud, and ours that were cut off.
mod hands;

pub fn tests() -> Vec<Trial> {
    let all = trials!("change":
        every_field_that_can_be_changed_is_changed_in_one_call,
        tags_are_added_and_those_of_others_stay,
        an_edit_while_the_cluster_is_made_is_put_in_force_after,
        what_somebody_changes_in_the_console_is_put_back,
        a_change_whose_answer_is_lost_is_not_asked_for_twice,
        a_process_killed_in_a_change_leaves_it_to_the_next,
        a_change_that_ack_refuses_is_told_and_not_repeated_until_it_differs,
        a_change_that_ack_takes_and_does_not_show_is_told_and_not_repeated,
        a_change_that_fails_at_work_is_told,
        an_observed_cluster_is_not_changed,
        an_adopted_cluster_is_changed_once_what_is_fixed_agrees,
        what_is_not_changed_here_is_named,
    );
    [all, answers::tests(), hands::tests()].into_iter().flatten().collect()
}

/// The slow pace, two thirds of the window that tests run with, less what a date in whole seconds hides.
const SLOW: SignedDuration = SignedDuration::from_secs(5);

/// What the cloud shows of the one cluster now.
fn shown(scene: &Scene) -> Map<String, Value> {
    let mut ledger = scene.emulator.ledger();
    assert_eq!(ledger.len(), 1);
    ledger.remove(0).shown
}

fn running(name: &str, spec: Value) -> Scene {
    let scene = Scene::with_operator(name);
    scene.apply(&object(&scene, "demo", spec));
    scene.wait_for_ready("demo");
    scene
}

/// Running, and judged by the spec as it is now.
fn applied(scene: &Scene) -> Value {
    scene.wait_for("demo", "the spec is applied", |object| {
        let synced = ::playground::objects::condition(object, "Synced");
        synced.is_some_and(|synced| {
            synced["status"] == "True" && synced["observedGeneration"] == object["metadata"]["generation"]
        })
    })
}

/// Waits for some more looks at the cluster.
fn looked_at_again(scene: &Scene) {
    let before = scene.calls("DescribeClusterDetail");
    scene.until("three more looks", || (scene.calls("DescribeClusterDetail") >= before + 3).then_some(()));
}

fn every_field_that_can_be_changed_is_changed_in_one_call() {
    let scene = running("change-all", json!({"timezone": "Asia/Shanghai", "deletion_protection": true}));
    let changes = json!({
        "name": "renamed", "timezone": "Europe/Berlin", "cluster_spec": "ack.pro.xlarge",
        "vswitch_ids": ["vsw-bp1playground", "vsw-bp2playground"], "security_group_id": "sg-bp1another",
        "resource_group_id": "rg-another", "endpoint_public_access": true, "extra_sans": ["api.example.com"],
        "rrsa_config": {"enabled": true},
        "maintenance_window": {"enable": true, "duration": "3h", "weekly_period": "Monday,Friday"},
        "operation_policy": {"cluster_auto_upgrade": {"enabled": true, "channel": "patch"}},
    });
    scene.merge("demo", json!({"spec": changes}));
    scene.wait_for_reason("demo", "Updating");
    let object = applied(&scene);
    let shown = shown(&scene);
    for (field, value) in changes.as_object().unwrap() {
        match field.as_str() {
            "endpoint_public_access" => assert!(shown["master_url"].as_str().unwrap().contains("api_server_endpoint")),
            "rrsa_config" => assert_eq!(shown["rrsa_config"]["enabled"], true),
            // Of an object, what the spec says of it: the rest stays as the cloud has it.
            "maintenance_window" => {
                value.as_object().unwrap().iter().for_each(|(name, value)| assert_eq!(shown[field][name], *value));
            }
            _ => assert_eq!(shown[field], *value, "{field}"),
        }
    }
    assert_eq!(shown["deletion_protection"], true);
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("CreateCluster")), (1, 1), "one call for all");
    assert!(object["status"]["task_id"].as_str().is_some_and(|task| task.starts_with("T-")));
    let events = scene.kubectl(&["get", "events", "-o", "json"]);
    assert!(events.contains("timezone: Asia/Shanghai"), "{events}");
    looked_at_again_by_hand(&scene, "demo");
    assert_eq!(scene.calls("ModifyCluster"), 1, "and it is content");
}

/// A settled cluster is only glanced at, so it is touched.
fn looked_at_again_by_hand(scene: &Scene, name: &str) {
    for _ in 0..2 {
        let before = scene.calls("DescribeClusterDetail");
        scene.annotate(name, "reconcile-at", &before.to_string());
        scene.until("a close look", || (scene.calls("DescribeClusterDetail") > before).then_some(()));
    }
}

fn tags_are_added_and_those_of_others_stay() {
    let scene =
        running("change-tags", json!({"tags": [{"key": "team", "value": "red"}, {"key": "cost", "value": "1"}]}));
    let id = id(&scene.get("demo").unwrap());
    let theirs = json!({"key": "theirs", "value": "stays"});
    let mut tags = scene.emulator.ledger()[0].tags.clone();
    tags.push(theirs.clone());
    scene.emulator.outside(&id, &json!({"tags": tags})).unwrap();
    let wanted =
        json!([{"key": "team", "value": "blue"}, {"key": "cost", "value": "1"}, {"key": "stage", "value": "test"}]);
    scene.merge("demo", json!({"spec": {"tags": wanted}}));
    scene.until("the tags are there", || {
        let tags = scene.emulator.ledger().remove(0).tags;
        wanted.as_array().unwrap().iter().all(|tag| tags.contains(tag)).then_some(())
    });
    applied(&scene);
    let tags = scene.emulator.ledger().remove(0).tags;
    assert!(tags.contains(&theirs), "{tags:?}");
    assert_eq!(tags.iter().filter(|tag| tag["key"].as_str().unwrap().starts_with("ackoperator.dev/")).count(), 4);
    assert_eq!((scene.calls("TagResources"), scene.calls("ModifyCluster")), (1, 0));
}

fn an_edit_while_the_cluster_is_made_is_put_in_force_after() {
    let scene = Scene::with_operator("change-early");
    scene.apply(&object(&scene, "demo", json!({"timezone": "Asia/Shanghai"})));
    scene.wait_for("demo", "the id is stored", |object| object["status"]["cluster_id"].is_string());
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    applied(&scene);
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("CreateCluster")), (1, 1));
}

fn what_somebody_changes_in_the_console_is_put_back() {
    let scene = running("change-drift", json!({"timezone": "Asia/Shanghai"}));
    let id = id(&scene.get("demo").unwrap());
    let silent = json!({"timezone": "Asia/Tokyo", "security_group_id": "sg-theirs"});
    scene.emulator.outside(&id, &silent).unwrap();
    scene.until("the timezone is back", || (shown(&scene)["timezone"] == "Asia/Shanghai").then_some(()));
    applied(&scene);
    assert_eq!(shown(&scene)["security_group_id"], "sg-theirs", "what the spec does not say is nobody's business");
    assert_eq!(scene.calls("ModifyCluster"), 1);
}

fn a_change_whose_answer_is_lost_is_not_asked_for_twice() {
    let scene = running("change-lost", json!({"timezone": "Asia/Shanghai"}));
    scene.fault(json!({"operation": "ModifyCluster", "when": "after", "do": "drop"}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    applied(&scene);
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
    assert_eq!(scene.calls("ModifyCluster"), 1, "it shows as being at work");
}

fn a_process_killed_in_a_change_leaves_it_to_the_next() {
    for (name, when) in [("change-killed-before", "before"), ("change-killed-after", "after")] {
        let mut scene = running(name, json!({"timezone": "Asia/Shanghai"}));
        scene.fault(json!({"operation": "ModifyCluster", "when": when, "do": "hang"}));
        scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
        scene.until("the call", || (scene.calls("ModifyCluster") == 1).then_some(()));
        scene.kill_operator(0);
        scene.start_operator(&[]);
        applied(&scene);
        assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
        let effects = scene.emulator.journal(0).into_iter().filter(|c| c.operation == "ModifyCluster" && c.took_effect);
        assert_eq!((effects.count(), scene.clusters_made()), (1, 1), "{when}");
    }
}

fn a_change_that_ack_refuses_is_told_and_not_repeated_until_it_differs() {
    let scene = running("change-refused", json!({"timezone": "Asia/Shanghai"}));
    let refusal = json!({"status": 400, "code": "InvalidParameter.Timezone", "message": "the timezone is not known"});
    scene.fault(json!({"operation": "ModifyCluster", "when": "before", "every": true, "do": refusal}));
    scene.merge("demo", json!({"spec": {"timezone": "Mars/Olympus"}}));
    let told = scene.wait_for_reason("demo", "UpdateFailed");
    for word in ["the timezone is not known", "Asia/Shanghai -> Mars/Olympus", "again at 20"] {
        assert!(message(&told).contains(word), "{word}: {}", message(&told));
    }
    assert_eq!(ready(&told).unwrap()["status"], "True", "the cluster serves");
    scene.until("it is asked for again", || (scene.calls("ModifyCluster") >= 2).then_some(()));
    let asked = |call: &ack_emulator::JournalEntry| call.received.parse::<Timestamp>().expect("a time");
    let calls: Vec<_> = scene.emulator.journal(0).into_iter().filter(|c| c.operation == "ModifyCluster").collect();
    let pause = asked(&calls[1]).duration_since(asked(&calls[0]));
    assert!(pause >= SLOW, "{pause:#}");
    let before = scene.calls("ModifyCluster");
    scene.emulator.clear_faults();
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    applied(&scene);
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
    assert!(scene.calls("ModifyCluster") <= before + 2, "another change is asked for at once, and once");
}

fn a_change_that_ack_takes_and_does_not_show_is_told_and_not_repeated() {
    let scene = running("change-ignored", json!({"timezone": "Asia/Shanghai"}));
    let body = r#"{"task_id":"T-0","request_id":"R-0"}"#;
    let raw = format!(
        "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    scene.fault(json!({"operation": "ModifyCluster", "when": "before", "do": {"raw": raw}}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    scene.wait_for_reason("demo", "Updating");
    let told = scene.wait_for_reason("demo", "SpecDiffers");
    assert!(message(&told).contains("does not show it (timezone: "), "{}", message(&told));
    looked_at_again(&scene);
    assert_eq!(scene.calls("ModifyCluster"), 1);
}

fn a_change_that_fails_at_work_is_told() {
    let scene = running("change-fails", json!({"timezone": "Asia/Shanghai"}));
    scene.emulator.settings(&json!({"modify_time": "1m"})).unwrap();
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    scene.until("the change", || (shown(&scene)["state"] == "updating").then_some(()));
    let id = id(&scene.get("demo").unwrap());
    scene.emulator.settings(&json!({"modify_time": "500ms"})).unwrap();
    scene.emulator.outside(&id, &json!({"fail_task": true})).unwrap();
    let told = scene.wait_for_reason("demo", "UpdateFailed");
    assert!(message(&told).contains("the change failed (timezone: "), "{}", message(&told));
    assert_eq!(scene.calls("ModifyCluster"), 1);
    // The slow pace is a part of the protocol's window, which tests scale down.
    applied(&scene);
    assert_eq!((shown(&scene)["timezone"].as_str(), scene.calls("ModifyCluster")), (Some("Europe/Berlin"), 2));
}

fn an_observed_cluster_is_not_changed() {
    let scene = running("change-observed", json!({"timezone": "Asia/Shanghai"}));
    scene.annotate("demo", "observe", "true");
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    let told = scene.wait_for_reason("demo", "SpecDiffers");
    assert!(
        message(&told).contains("would be changed: timezone: Asia/Shanghai -> Europe/Berlin"),
        "{}",
        message(&told)
    );
    assert_eq!(scene.calls("ModifyCluster"), 0);
    scene.annotate("demo", "observe", "false");
    applied(&scene);
    assert_eq!(scene.calls("ModifyCluster"), 1);
}

fn an_adopted_cluster_is_changed_once_what_is_fixed_agrees() {
    let scene = running("change-adopted", json!({"deletionPolicy": "Retain", "timezone": "Asia/Shanghai"}));
    let id = id(&scene.get("demo").unwrap());
    scene.delete("demo");
    scene.wait_until_gone("demo");
    let wrong = json!({
        "adoptClusterId": id, "timezone": "Europe/Berlin", "service_cidr": "172.30.0.0/20", "vpcid": "vpc-another",
        "deletion_protection": true,
    });
    scene.apply(&object(&scene, "adopter", wrong));
    let nonce = scene.emulator.ledger()[0].tags.iter().find(|tag| tag["key"] == "ackoperator.dev/intent").cloned();
    let nonce = nonce.unwrap()["value"].as_str().unwrap().to_owned();
    scene.annotate("adopter", "take-over", &nonce);
    let told = scene.wait_for_reason("adopter", "SpecDiffers");
    for word in
        ["service_cidr", "vpcid", "deletion_protection: false -> true", "timezone: Asia/Shanghai -> Europe/Berlin"]
    {
        assert!(message(&told).contains(word), "{word}: {}", message(&told));
    }
    looked_at_again_by_hand(&scene, "adopter");
    assert_eq!((scene.calls("ModifyCluster"), scene.calls("TagResources")), (0, 0), "it may be another than was meant");
    let right = shown(&scene);
    scene.merge("adopter", json!({"spec": {"service_cidr": right["service_cidr"], "vpcid": right["vpc_id"]}}));
    scene.wait_for_reason("adopter", "Running");
    let shown = shown(&scene);
    assert_eq!((&shown["timezone"], &shown["deletion_protection"]), (&json!("Europe/Berlin"), &json!(true)));
    // The mark, then the protection, then the rest.
    assert_eq!((scene.calls("TagResources"), scene.calls("ModifyCluster")), (1, 2));
}

fn what_is_not_changed_here_is_named() {
    let scene = running("change-not", json!({"addons": [{"name": "flannel"}]}));
    scene.merge(
        "demo",
        json!({"spec": {"addons": [{"name": "flannel"}, {"name": "csi-plugin"}], "timezone": "Europe/Berlin"}}),
    );
    let told = scene.wait_for_reason("demo", "SpecDiffers");
    assert!(message(&told).contains("does not change addons"), "{}", message(&told));
    assert_eq!(ready(&told).unwrap()["status"], "True");
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin", "the rest goes on");
    scene.merge("demo", json!({"spec": {"addons": [{"name": "flannel"}]}}));
    applied(&scene);
    assert_eq!(scene.calls("ModifyCluster"), 1);
}
