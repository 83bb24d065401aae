//! Refusals that hide an executed request, and refusals that are one: what a user does next makes no second cluster, and
//! nobody has to wait or to write an annotation where ACK has said that nothing was executed.

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::creates;
use crate::cluster::{id, message, object, stray, tag};
use crate::support::{DEADLINE, Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("once":
        a_refusal_that_hides_a_cluster_is_found_out_whatever_the_user_does_next,
        a_namesake_without_tags_is_not_built_beside_however_the_attempt_ended,
        a_refusal_with_a_code_that_no_table_knows_is_told_and_corrected_without_an_annotation,
        a_request_that_ack_found_wrong_is_told_whole_and_corrected_at_once,
        what_is_refused_for_good_has_one_reason_at_every_try,
    )
}

/// CreateCluster in that region is answered with this error in ACK's own shape.
fn answer(scene: &Scene, region: &str, when: &str, status: u16, body: Value) {
    let deed = json!({"status": status, "body": body});
    scene.fault(json!({"operation": "CreateCluster", "region": region, "when": when, "do": deed}));
}

fn in_region(scene: &Scene, name: &str, region: &str) -> Value {
    object(scene, name, json!({"region_id": region, "deletion_protection": false}))
}

/// The object, once ACK's refusal of its last attempt is stored.
fn refused(scene: &Scene, name: &str) -> Value {
    scene.wait_for(name, "a refusal is stored", |object| super::intent(object, "outcome") == "Refused")
}

/// The clusters that were ever made for that object.
fn made_for(scene: &Scene, name: &str) -> Vec<ack_emulator::LedgerEntry> {
    let mine = |cluster: &ack_emulator::LedgerEntry| tag(cluster, "ackoperator.dev/name") == Some(name);
    scene.emulator.ledger().into_iter().filter(mine).collect()
}

/// Each request is executed, and answered as refused. The user does at once what one does about such a refusal; of each two
/// objects one is deleted right after.
fn a_refusal_that_hides_a_cluster_is_found_out_whatever_the_user_does_next() {
    let scene = Scene::with_operator("hidden");
    let other = stray(&scene, "before");
    let cases = [
        ("moved", "QuotaExceeded", json!({"region_id": "cn-elsewhere"})),
        ("adopting", "QuotaExceeded", json!({"adoptClusterId": other})),
        ("renamed", "ClusterNameAlreadyExist", json!({"name": "another-name"})),
        ("routed", "InstanceRouterExist", json!({"container_cidr": "172.22.0.0/16"})),
        ("addressed", "InvalidVSwitchId.IpNotEnough", json!({"vswitch_ids": ["vsw-another"]})),
        ("unlisted", "OperationDenied.NoStock", json!({"vswitch_ids": ["vsw-another"]})),
        ("throttled", "Throttling.User", json!({"name": "another-name"})),
    ];
    let names = |what: &str| [format!("{what}-stays"), format!("{what}-goes")];
    for (what, code, _) in &cases {
        for name in names(what) {
            let region = format!("cn-{name}");
            answer(&scene, &region, "after", 400, json!({"code": code, "message": "as recorded"}));
            // The list comes too late for the user, who has seen the refusal only.
            let late = json!({"status": 503, "code": "ServiceUnavailable"});
            scene.fault(json!({
                "operation": "DescribeClustersForRegion", "region": region, "nth": 2, "every": true, "do": late,
            }));
            scene.apply(&in_region(&scene, &name, &region));
        }
    }
    for (what, _, edit) in &cases {
        for name in names(what) {
            refused(&scene, &name);
            scene.merge(&name, json!({ "spec": edit }));
            if name.ends_with("goes") {
                scene.delete(&name);
            }
        }
    }
    scene.emulator.clear_faults();
    for (what, code, _) in &cases {
        let [stays, goes] = names(what);
        let object = scene.wait_for(&stays, "an id", |object| !id(object).is_empty());
        let made = made_for(&scene, &stays);
        assert_eq!(made.iter().map(|cluster| &cluster.id).collect::<Vec<_>>(), [&id(&object)], "{code}: {made:#?}");
        assert_eq!(object["status"]["clusterOrigin"], "Created", "{code}");
        scene.wait_until_gone(&goes);
        let made = made_for(&scene, &goes);
        assert!(made.len() == 1 && !made[0].deleted.is_empty(), "{code}: {made:#?}");
    }
    assert_eq!(scene.calls("CreateCluster"), 1 + 2 * cases.len());
    let left = scene.emulator.ledger().into_iter().find(|cluster| cluster.id == other).expect("the other one");
    assert!(left.deleted.is_empty(), "what was never adopted is left alone");
}

/// ACK does not show the tags, nor when the cluster was made: after an answer that lied, and after a lost status.
fn a_namesake_without_tags_is_not_built_beside_however_the_attempt_ended() {
    let mut scene = Scene::with_operator("namesake");
    scene.apply(&in_region(&scene, "lost", "cn-lost"));
    let lost = id(&scene.wait_for_reason("lost", "Running"));
    scene.kill_operator(0);
    let hidden = json!({"created": null});
    scene.emulator.outside(&lost, &hidden).unwrap();
    let status = scene.get("lost").unwrap()["status"].clone();
    let nothing: serde_json::Map<_, _> = status.as_object().unwrap().keys().map(|k| (k.clone(), Value::Null)).collect();
    scene.merge_status("lost", json!({ "status": nothing }));
    scene.emulator.settings(&json!({"tags_lag": "10m"})).unwrap();
    scene.start_operator(&["--lists-are-complete"]);
    let names = ["lost", "stays", "goes"];
    for name in &names[1..] {
        let region = format!("cn-{name}");
        answer(&scene, &region, "after", 429, json!({"code": "Throttling.User", "message": "later"}));
        scene.apply(&in_region(&scene, name, &region));
    }
    let cluster = |name: &str| {
        let find = || scene.emulator.ledger().into_iter().find(|cluster| cluster.name == name);
        scene.until("it was made", find).id
    };
    let ids = names.map(cluster);
    ids[1..].iter().for_each(|id| scene.emulator.outside(id, &hidden).unwrap());
    for (name, id) in names.iter().zip(&ids) {
        let told = scene.wait_for_reason(name, "ListNotTrusted");
        assert!(message(&told).contains(&format!("adoptClusterId: {id}")), "{}", message(&told));
    }
    scene.delete("goes");
    let held = scene.wait_for("goes", "the deletion is seen", |object| {
        object["metadata"]["deletionTimestamp"].is_string()
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    });
    assert_eq!(ready(&held).unwrap()["reason"], "ListNotTrusted", "{held:#}");
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (3, 3));

    scene.emulator.settings(&json!({"tags_lag": "0s"})).unwrap();
    for (name, cluster) in names.iter().zip(&ids).take(2) {
        scene.wait_for(name, "its cluster is found", |object| id(object) == *cluster);
    }
    scene.wait_until_gone("goes");
    let living: Vec<_> = crate::cluster::living(&scene).into_iter().map(|cluster| cluster.id).collect();
    assert_eq!((living, scene.calls("CreateCluster")), (ids[..2].to_vec(), 3));
}

/// From an account in which there is no cluster that could vouch for a list.
fn a_refusal_with_a_code_that_no_table_knows_is_told_and_corrected_without_an_annotation() {
    let scene = Scene::with_operator("unlisted");
    let cases = [
        ("novel", 400, "ErrorSomething.Novel", "InvalidSpec"),
        ("number", 400, "400", "InvalidSpec"),
        ("vswitch", 404, "InvalidVSwitchId.NotFound", "InvalidSpec"),
        ("no-stock", 403, "OperationDenied.NoStock", "PermissionDenied"),
        ("balance", 400, "NotEnoughBalance", "AccountProblem"),
        ("quota", 400, "QuotaExceed.ElasticQuota", "QuotaExceeded"),
    ];
    for (name, status, code, _) in cases {
        let region = format!("cn-{name}");
        answer(&scene, &region, "before", status, json!({"code": code, "message": "in the words of ACK"}));
        scene.apply(&in_region(&scene, name, &region));
    }
    // One that is not wanted any more goes by itself, although no list here can be trusted.
    answer(
        &scene,
        "cn-unwanted",
        "before",
        400,
        json!({"code": "ErrorSomething.Novel", "message": "in the words of ACK"}),
    );
    scene.apply(&in_region(&scene, "unwanted", "cn-unwanted"));
    scene.wait_for_reason("unwanted", "InvalidSpec");
    scene.delete("unwanted");
    for (name, _, code, reason) in cases {
        let told = scene.wait_for_reason(name, reason);
        for word in [code, "in the words of ACK"] {
            assert!(message(&told).contains(word), "{code}: {}", message(&told));
        }
        assert!(told["status"]["specLocked"].is_null(), "{code}: nothing holds the spec to its word");
        let corrected = json!({"vswitch_ids": ["vsw-corrected"], "container_cidr": "172.22.0.0/16"});
        scene.merge(name, json!({ "spec": corrected }));
    }
    for (name, _, code, _) in cases {
        let object = scene.wait_for_reason(name, "Running");
        assert!(object["metadata"]["annotations"].is_null(), "{object:#}");
        let region = format!("cn-{name}");
        let calls: Vec<_> = creates(&scene).into_iter().filter(|call| call.region == region).collect();
        assert_eq!(calls.len(), 2, "{code}: {calls:#?}");
        // L and S after the refusal, whose date has whole seconds.
        let at = |number: usize| calls[number].received.parse::<Timestamp>().expect("a time");
        assert!(at(1).duration_since(at(0)) >= SignedDuration::from_secs(2), "{code}: {calls:#?}");
        let made = made_for(&scene, name);
        assert!(made.len() == 1 && made[0].body["vswitch_ids"] == json!(["vsw-corrected"]), "{code}: {made:#?}");
    }
    scene.wait_until_gone("unwanted");
    assert_eq!(scene.clusters_made(), cases.len());
}

/// As recorded: several causes in one answer, of which the first is the answer's code.
fn a_request_that_ack_found_wrong_is_told_whole_and_corrected_at_once() {
    let scene = Scene::with_operator("found-wrong");
    let causes = json!([
        {"code": "EmptyCIDR", "message": "pod or service cidr is empty"},
        {"code": "InvalidPodVswitchIds", "message": "the pod vswitches are not in the zone"},
    ]);
    let cases = [
        (
            "causes",
            json!({"code": "EmptyCIDR", "message": "pod or service cidr is empty", "data": causes}),
            "InvalidPodVswitchIds",
        ),
        ("parameters", json!({"code": "InvalidParameters", "message": "the body is wrong"}), "the body is wrong"),
        ("zone", json!({"code": "ZoneNotSupported", "message": "not in this zone"}), "not in this zone"),
        ("off", json!({"code": "ErrorNotEnabled", "message": "switch it on"}), "switch it on"),
    ];
    for (name, body, _) in &cases {
        let region = format!("cn-{name}");
        answer(&scene, &region, "before", 400, body.clone());
        scene.apply(&in_region(&scene, name, &region));
    }
    for (name, body, cause) in &cases {
        let told = scene.wait_within(DEADLINE / 2, name, "the refusal is told", |object| {
            ready(object).is_some_and(|ready| ready["reason"] == "InvalidSpec")
        });
        for word in [body["code"].as_str().unwrap(), body["message"].as_str().unwrap(), cause] {
            assert!(message(&told).contains(word), "{name}: {}", message(&told));
        }
        assert!(told["status"]["specLocked"].is_null(), "{name}");
        assert_eq!(made_for(&scene, name).len(), 0);
        scene.merge(name, json!({"spec": {"vswitch_ids": ["vsw-corrected"]}}));
    }
    for (name, ..) in &cases {
        scene.wait_for_reason(name, "Running");
        assert_eq!(made_for(&scene, name).len(), 1);
    }
    assert_eq!(scene.calls("CreateCluster"), 2 * cases.len());
    let said = reasons(&scene);
    assert!(!said.iter().any(|(_, reason)| reason == "AwaitingOutcome"), "nothing is waited for: {said:?}");
}

/// The reasons of `Ready` that the operator wrote, one after the other, each with the object's name.
fn reasons(scene: &Scene) -> Vec<(String, String)> {
    let of = |write: Value| {
        let conditions = write["requestObject"]["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some((word(&write["objectRef"]["name"]), word(&ready["reason"])))
    };
    scene.operator_writes().into_iter().filter_map(of).collect()
}

fn what_is_refused_for_good_has_one_reason_at_every_try() {
    let scene = Scene::with_operator("for-good");
    let cases = [("taken", "ClusterNameAlreadyExist", "InvalidSpec"), ("quota", "QuotaExceeded", "QuotaExceeded")];
    for (name, code, _) in cases {
        let deed = json!({"status": 400, "body": {"code": code, "message": "as ever"}});
        scene.fault(json!({"operation": "CreateCluster", "region": format!("cn-{name}"), "every": true, "do": deed}));
        scene.apply(&in_region(&scene, name, &format!("cn-{name}")));
    }
    for (name, _, reason) in cases {
        let tries = || creates(&scene).iter().filter(|call| call.region == format!("cn-{name}")).count();
        scene.until("three tries", || (tries() >= 3).then_some(()));
        refused(&scene, name);
        let object = scene.wait_for_reason(name, reason);
        let stalled = ::playground::objects::condition(&object, "Stalled").expect("a person must act");
        assert_eq!(stalled["status"], "True");
        let said: Vec<_> = reasons(&scene).into_iter().filter(|(of, _)| of == name).map(|(_, said)| said).collect();
        let from = said.iter().position(|said| *said == reason).expect("it was told");
        assert!(said[from..].iter().all(|said| *said == reason), "{name}: {said:?}");
    }
}
