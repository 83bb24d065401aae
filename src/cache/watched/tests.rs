use crate::cache::lenient::TEXT;
use kube::core::{ObjectList, WatchEvent};
use serde_json::{Value, json};

use super::*;

fn object() -> Value {
    json!({
        "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster",
        "metadata": {
            "name": "demo", "namespace": "team-a", "uid": "u1", "resourceVersion": "7", "generation": 3,
            "annotations": {"a": "1", "b": "2"}, "finalizers": [FINALIZER],
            "managedFields": [{"fieldsV1": {"f:spec": {}}}],
        },
        "spec": {
            "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes",
            "credentialsRef": {"name": "keys"}, "resource_group_id": "rg-1",
        },
        "status": {
            "cluster_id": "c1", "accountId": "100", "regionId": "cn-hangzhou", "clusterOrigin": "Created", "state": "running",
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
                {"type": "Stalled", "status": "True", "reason": "SpecDiffers", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            ],
            "createIntents": [{
                "key": "cluster", "attempt": 2, "nonce": "n", "installation": "prod", "outcome": "Open", "date": "2026-01-01T00:00:00Z",
                "believeAfter": "2026-01-01T00:00:00Z", "accountId": "100", "regionId": "cn-hangzhou", "name": "demo",
                "specHash": "h", "sealer": "s", "resourceGroup": "rg-1",
            }],
        },
    })
}

fn read(object: &Value) -> Watched {
    serde_json::from_str(&object.to_string()).expect("it is always read")
}

/// Every place in a JSON value, as a pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            places(member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(number, one)| places(one, &format!("{at}/{number}"), found));
        }
        _ => {}
    }
}

#[test]
fn what_is_asked_about_an_object_is_kept() {
    let kept = read(&object());
    let intent = kept.intent.as_ref().expect("an intent");
    assert_eq!(
        (kept.name_any().as_str(), kept.region.as_str(), kept.secret.as_deref()),
        ("demo", "cn-hangzhou", Some("keys"))
    );
    assert_eq!(
        (kept.state.as_deref(), kept.stalled.as_deref(), kept.held),
        (Some("running"), Some("SpecDiffers"), true)
    );
    assert_eq!(
        (intent.attempt, intent.nonce.as_str(), intent.installation.as_str(), intent.open),
        (2, "n", "prod", true)
    );
    let recorded = kept.recorded().expect("a cluster");
    assert_eq!((recorded.name.as_str(), recorded.id.as_str()), ("team-a/demo", "c1"));
    assert_eq!(recorded.group, Group::Named("rg-1".into()));
    assert!(kept.meta().annotations.is_none() && kept.meta().managed_fields.is_none());
}

#[test]
fn an_edition_changes_with_what_people_write_and_with_nothing_else() {
    let before = read(&object()).edition;
    let mut whole = object();
    whole["status"].take();
    let whole: AckCluster = serde_json::from_value(whole).expect("an AckCluster");
    assert_eq!(Edition::of(&whole), before, "however it is read");
    let edits: [(&str, Value, bool); 8] = [
        ("/metadata/generation", json!(4), true),
        ("/metadata/annotations/a", json!("2"), true),
        ("/metadata/annotations", json!({"a": "1b", "": "2"}), true),
        ("/metadata/finalizers", json!([]), true),
        ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z"), true),
        ("/metadata/resourceVersion", json!("8"), false),
        ("/metadata/managedFields", json!([]), false),
        ("/status", json!({}), false),
    ];
    for (place, value, changes) in edits {
        let mut object = object();
        let (parent, member) = place.rsplit_once('/').expect("a place");
        object.pointer_mut(parent).expect("a parent")[member] = value;
        assert_eq!(read(&object).edition != before, changes, "{place}");
    }
}

/// An object that makes this fail would hide every other one in its list.
#[test]
fn nothing_that_can_be_stored_makes_the_reading_fail() {
    let mut found = vec![];
    places(&object(), "", &mut found);
    assert!(found.len() > 50);
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let maps = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
    let odd = [
        "null",
        "true",
        "-1",
        "1.5",
        "18446744073709551615",
        "\"\"",
        "\"text\"",
        "[]",
        "[null, 1, {}]",
        "{}",
        &deep,
        &maps,
    ];
    for place in found.iter().filter(|place| !place.is_empty()) {
        for value in odd {
            let mut object = object();
            *object.pointer_mut(place).expect("a place") = json!("HERE");
            let text = object.to_string().replace("\"HERE\"", value);
            let list =
                format!(r#"{{"apiVersion":"v1","kind":"List","metadata":{{"resourceVersion":"9"}},"items":[{text}]}}"#);
            let event = format!(r#"{{"type":"MODIFIED","object":{text}}}"#);
            let short = |text: &str| text.chars().take(40).collect::<String>();
            let list: Result<ObjectList<Watched>, _> = serde_json::from_str(&list);
            let event: Result<WatchEvent<Watched>, _> = serde_json::from_str(&event);
            assert!(list.is_ok_and(|list| list.items.len() == 1), "{place} is {}", short(value));
            assert!(matches!(event, Ok(WatchEvent::Modified(_))), "{place} is {}", short(value));
        }
    }
}

#[test]
fn long_texts_are_cut() {
    let mut object = object();
    object["spec"]["region_id"] = "x".repeat(100_000).into();
    assert_eq!(read(&object).region.len(), TEXT);
}
