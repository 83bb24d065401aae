//! What ACK answers to a change: refusals of all sorts, each told as what it is and asked for again at its pace.

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::json;

use super::{SLOW, applied, running, shown};
use crate::cluster::{id, message};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("change":
        a_change_that_ack_refuses_by_any_code_is_told_with_its_words,
        a_change_in_the_wrong_state_is_asked_for_again_soon,
        a_member_of_an_object_is_laid_over_what_the_cloud_has,
        what_came_of_a_change_is_kept_although_somebody_wrote_meanwhile,
    )
}

fn asked(scene: &Scene) -> Vec<Timestamp> {
    let calls = scene.emulator.journal(0).into_iter().filter(|call| call.operation == "ModifyCluster");
    calls.map(|call| call.received.parse().expect("a time")).collect()
}

/// Also by a code of ECS that comes through with a 404, which does not mean that the cluster is unknown.
fn a_change_that_ack_refuses_by_any_code_is_told_with_its_words() {
    for (name, status, code) in
        [("answer-404", 404, "InvalidSecurityGroupId.NotFound"), ("answer-novel", 400, "ErrorSomething.Novel")]
    {
        let scene = running(name, json!({"timezone": "Asia/Shanghai"}));
        let refusal = json!({"status": status, "body": {"code": code, "message": "in the words of ACK"}});
        scene.fault(json!({"operation": "ModifyCluster", "every": true, "do": refusal}));
        scene.merge("demo", json!({"spec": {"security_group_id": "sg-another", "timezone": "Europe/Berlin"}}));
        let told = scene.wait_for_reason("demo", "UpdateFailed");
        for word in [code, "in the words of ACK"] {
            assert!(message(&told).contains(word), "{word}: {}", message(&told));
        }
        let truth = |kind| ::playground::objects::condition(&told, kind).expect("a condition")["status"].clone();
        assert_eq!((truth("Ready"), truth("Synced"), truth("Stalled")), ("True".into(), "False".into(), "True".into()));
        scene.until("it is asked for again", || (asked(&scene).len() >= 2).then_some(()));
        let at = asked(&scene);
        assert!(at.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= SLOW), "{code}: {at:?}");
    }
}

fn a_change_in_the_wrong_state_is_asked_for_again_soon() {
    let scene = running("answer-state", json!({"timezone": "Asia/Shanghai"}));
    let refusal = json!({"status": 400, "body": {
        "code": "InvalidStatus.Forbidden", "message": "cannot operate cluster where state is updating",
    }});
    scene.fault(json!({"operation": "ModifyCluster", "every": true, "do": refusal}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    let told = scene.wait_for_reason("demo", "ClusterBusy");
    assert_eq!(ready(&told).unwrap()["status"], "True");
    assert!(message(&told).contains("cannot operate cluster"), "{}", message(&told));
    scene.until("it is asked for again", || (asked(&scene).len() >= 2).then_some(()));
    let at = asked(&scene);
    assert!(at[1].duration_since(at[0]) < SLOW, "{at:?}");
    scene.emulator.clear_faults();
    applied(&scene);
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
}

/// ACK replaces a member by what it is sent, so what the spec does not say is sent as the cloud has it.
fn a_member_of_an_object_is_laid_over_what_the_cloud_has() {
    let scene = running("answer-laid", json!({"cluster_spec": "ack.pro.small"}));
    let cluster = id(&scene.get("demo").unwrap());
    let theirs = json!({
        "enable": true, "duration": "6h", "weekly_period": "Monday,Friday", "maintenance_time": "2026-01-01T03:00:00.000+08:00",
    });
    scene.emulator.outside(&cluster, &json!({ "maintenance_window": theirs })).unwrap();
    scene.merge("demo", json!({"spec": {"maintenance_window": {"enable": true, "duration": "3h"}}}));
    applied(&scene);
    let mut wanted = theirs;
    wanted["duration"] = "3h".into();
    assert_eq!(shown(&scene)["maintenance_window"], wanted);
    let calls = scene.emulator.journal(0);
    let sent: Vec<_> = calls.iter().filter(|call| call.operation == "ModifyCluster").map(|call| &call.body).collect();
    assert_eq!(sent, [&json!({ "maintenance_window": wanted })]);
}

fn what_came_of_a_change_is_kept_although_somebody_wrote_meanwhile() {
    let scene = running("answer-meanwhile", json!({"timezone": "Asia/Shanghai"}));
    scene.fault(json!({"operation": "ModifyCluster", "do": "hang"}));
    scene.merge("demo", json!({"spec": {"timezone": "Europe/Berlin"}}));
    scene.until("ACK was asked", || (asked(&scene).len() == 1).then_some(()));
    scene.merge("demo", json!({"metadata": {"annotations": {"example.org/reviewed": "yes"}}}));
    scene.wait_for("demo", "the lost answer is written down", |object| {
        object["status"]["changes"][0]["changeOutcome"] == "Lost"
    });
    applied(&scene);
    assert_eq!(shown(&scene)["timezone"], "Europe/Berlin");
}
