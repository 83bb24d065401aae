//! Whose the cluster is: nothing is published, changed or deleted before ACK has shown this object's own mark on it.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{id, living, message, object, stray, tag};
use crate::support::{Scene, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("cluster":
        the_id_of_another_cluster_in_an_answer_makes_that_one_nobodys,
        of_two_operators_that_adopt_one_cluster_one_has_it,
        a_cluster_that_takes_no_mark_is_told_and_only_observed,
    )
}

/// CreateCluster is answered with the id of a cluster that is not the object's: one without marks, one with another's.
fn the_id_of_another_cluster_in_an_answer_makes_that_one_nobodys() {
    let scene = Scene::with_operator("answered-id");
    let unmarked = stray(&scene, "unmarked");
    scene.apply(&object(&scene, "marked", json!({"deletionPolicy": "Retain"})));
    let marked = id(&scene.wait_for_reason("marked", "Running"));
    scene.delete("marked");
    scene.wait_until_gone("marked");
    let before = scene.emulator.journal(0).len();
    let cases = [("gets-unmarked", unmarked), ("gets-marked", marked)];
    for (name, cluster) in &cases {
        let answer = json!({"status": 200, "body": json!({"cluster_id": cluster, "task_id": "T-0", "request_id": "R"}).to_string()});
        scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": answer}));
        // Nothing else differs, so nothing is to be changed.
        let spec = json!({"name": name.trim_start_matches("gets-"), "kubeconfigSecretRef": {"name": name}});
        scene.apply(&object(&scene, name, spec));
        let conflict = scene.wait_for_reason(name, "OwnershipConflict");
        assert_eq!(id(&conflict), *cluster);
        scene.delete(name);
        scene.wait_for(name, "the deletion is seen", |object| {
            let conflict = ready(object).is_some_and(|ready| ready["reason"] == "OwnershipConflict");
            let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            object["metadata"]["deletionTimestamp"].is_string() && conflict && seen
        });
        assert_eq!(scene.kubectl(&["get", "secret", name, "--ignore-not-found"]), "", "{name}: nothing is published");
        scene.merge(name, json!({"spec": {"deletionPolicy": "Retain"}}));
        scene.wait_until_gone(name);
    }
    let touching = ["ModifyCluster", "TagResources", "DeleteCluster", "DescribeClusterUserKubeconfig"];
    let calls = scene.emulator.journal(before);
    let touched: Vec<_> = calls.iter().filter(|call| touching.contains(&&*call.operation)).collect();
    assert!(touched.is_empty(), "{touched:#?}");
    assert_eq!(living(&scene).len(), 2);
}

/// Of a management cluster each, or of a part of one each: they do not see each other's objects.
fn of_two_operators_that_adopt_one_cluster_one_has_it() {
    let first = Scene::with_operator("adopts-a");
    let mut second = Scene::new("adopts-b");
    second.operator.endpoint = first.emulator.url();
    second.start_operator(&[]);
    let cluster = stray(&first, "before");
    // Both read it before one of them has marked it.
    first.fault(json!({"operation": "TagResources", "when": "before", "every": true, "do": {"delay": "1s"}}));
    let spec = json!({
        "name": "before", "adoptClusterId": cluster, "deletionPolicy": "Delete", "deletion_protection": false,
    });
    let scenes = [&first, &second];
    scenes.iter().for_each(|scene| drop(scene.apply(&object(scene, "demo", spec.clone()))));
    let reason = |scene: &Scene| {
        let object = scene.get("demo").unwrap();
        ready(&object).map_or(Value::Null, |ready| ready["reason"].clone())
    };
    first.until("one has it and the other has not", || {
        let mut reasons = scenes.map(reason);
        reasons.sort_by_key(Value::to_string);
        (reasons == ["OwnershipConflict", "Running"]).then_some(())
    });
    let (has, has_not) = if reason(&first) == "Running" { (&first, &second) } else { (&second, &first) };
    assert_eq!(tag(&living(&first)[0], "ackoperator.dev/namespace"), Some(has.namespace.as_str()));
    assert!(has.kubectl(&["get", "events", "-o", "json"]).contains("this object's tags were put on the cluster"));
    has_not.delete("demo");
    has_not.wait_for("demo", "the deletion is seen", |object| {
        let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        object["metadata"]["deletionTimestamp"].is_string() && seen
    });
    assert_eq!(reason(has_not), "OwnershipConflict");
    assert_eq!((living(&first).len(), first.calls("DeleteCluster")), (1, 0), "it is the other's");
    has.delete("demo");
    has.wait_until_gone("demo");
    assert!(living(&first).is_empty());
}

/// Twenty tags already, or no right to tag: it serves, and nothing is done with it. While only observed it is not marked.
fn a_cluster_that_takes_no_mark_is_told_and_only_observed() {
    let scene = Scene::with_operator("markless");
    let clusters = ["full", "forbidden", "observed"].map(|name| (name, stray(&scene, name)));
    let full: Vec<_> = (0..20).map(|number| json!({"key": format!("k{number}"), "value": "v"})).collect();
    scene.emulator.outside(&clusters[0].1, &json!({ "tags": full })).unwrap();
    for (name, cluster) in &clusters {
        let spec =
            json!({"name": name, "adoptClusterId": cluster, "timezone": "Europe/Berlin", "region_id": "cn-hangzhou"});
        let mut object = object(&scene, &format!("{name}-adopts"), spec);
        if *name == "observed" {
            object["metadata"]["annotations"] = json!({"ackoperator.dev/observe": "true"});
        }
        if *name == "forbidden" {
            scene.until("the one before was refused", || (scene.calls("TagResources") >= 1).then_some(()));
            let answer = json!({"status": 403, "body": {"code": "Forbidden.RAM", "message": "no right to tag"}});
            scene.fault(json!({"operation": "TagResources", "every": true, "do": answer}));
        }
        scene.apply(&object);
    }
    for (name, word) in [("full", "LimitExceeded.TagNum"), ("forbidden", "no right to tag")] {
        let told = scene.wait_for_reason(&format!("{name}-adopts"), "UpdateFailed");
        assert!(message(&told).contains(word), "{}", message(&told));
        assert_eq!(ready(&told).unwrap()["status"], "True", "the cluster serves");
    }
    let observed = scene.wait_for_reason("observed-adopts", "SpecDiffers");
    assert!(message(&observed).contains("timezone"), "{}", message(&observed));
    assert_eq!(scene.calls("ModifyCluster"), 0);
    let tagged = scene.emulator.journal(0).into_iter().filter(|call| call.operation == "TagResources");
    assert!(!tagged.into_iter().any(|call| call.cluster == clusters[2].1), "what is only observed is not marked");
}
