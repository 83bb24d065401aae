//! Bounds of the schema: each is tried at its limit and one beyond it, on a spec in which every field is set. The cases
//! are made from the CRD itself.

use ack_operator::api;
use libtest_mimic::Failed;
use serde_json::{Value, json};

use super::{Cause, Server, root};

/// A value within a bound, one beyond it, and a part of the sentence that refuses the latter.
struct Case {
    /// JSON pointer below the spec.
    pointer: String,
    within: Value,
    beyond: Value,
    says: String,
}

pub fn bounds() -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("tests/data/every-field.json"))?;
    let mut spec: Value = serde_json::from_str(&text)?;
    let own = json!({
        "credentialsRef": { "name": "s" }, "deletionPolicy": "Delete", "workerFields": "Verbatim", "adoptClusterId": "c1",
        "deleteOptions": { "retainResources": ["lb-1"], "retainAllResources": false, "options": [{ "resourceType": "SLB", "deleteMode": "delete" }] },
        "secretValues": [{ "path": "addons/arms-prometheus/config", "secretKeyRef": { "name": "s", "key": "k" } }],
        "extraParameters": [{ "name": "a", "value": 1 }],
        "kubeconfigSecretRef": { "name": "s", "validMinutes": 60, "endpointAccess": "Public" }
    });
    spec.as_object_mut().into_iter().for_each(|spec| spec.extend(own.as_object().cloned().unwrap_or_default()));
    let crd = serde_json::to_value(api::crd())?;
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let (mut cases, mut unset) = (vec![], vec![]);
    collect(schema, &spec, String::new(), &mut cases, &mut unset);
    assert_eq!(unset, Vec::<String>::new(), "members that the spec of this test does not set");

    let server = Server::ours();
    let mut failed = vec![];
    for Case { pointer, within, beyond, says } in &cases {
        let field = field(pointer);
        let refused = |value: &Value| {
            let mut spec = spec.clone();
            put(&mut spec, pointer, value);
            let causes = server.try_spec("bounds", &spec).err().unwrap_or_default();
            causes.into_iter().find(|(at, message): &Cause| *at == field && message.contains(says.as_str()))
        };
        if let Some(cause) = refused(within) {
            failed.push(format!("{field} at its limit is refused: {cause:?}"));
        }
        if refused(beyond).is_none() {
            failed.push(format!("{field} beyond its limit is not refused with `{says}`"));
        }
    }
    println!("{} bounds", cases.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

fn collect(schema: &Value, value: &Value, pointer: String, cases: &mut Vec<Case>, unset: &mut Vec<String>) {
    let mut add = |within: Value, beyond: Value, says: String| {
        cases.push(Case { pointer: pointer.clone(), within, beyond, says });
    };
    let number = |name: &str| schema[name].as_f64().map(|limit| limit as i64);
    let text = |length: i64| json!("a".repeat(length as usize));
    if let Some(limit) = number("maximum") {
        add(json!(limit), json!(limit + 1), format!("should be less than or equal to {limit}"));
    }
    if let Some(limit) = number("minimum") {
        add(json!(limit), json!(limit - 1), format!("should be greater than or equal to {limit}"));
    }
    if let Some(limit) = number("maxLength") {
        add(text(limit), text(limit + 1), format!("may not be more than {limit} "));
    }
    if let Some(limit) = number("minLength") {
        add(text(limit), text(limit - 1), format!("should be at least {limit} chars long"));
    }
    let items = |count: i64| Value::Array(vec![value[0].clone(); count as usize]);
    if let Some(limit) = number("maxItems") {
        add(items(limit), items(limit + 1), format!("must have at most {limit} items"));
    }
    if let Some(limit) = number("minItems") {
        add(items(limit), items(limit - 1), format!("should have at least {limit} items"));
    }
    if let Some(words) = schema["enum"].as_array() {
        let last = words.last().cloned().unwrap_or_default();
        add(last, json!("nonsense"), "Unsupported value".to_owned());
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let pointer = format!("{pointer}/{name}");
        match value.get(name) {
            Some(value) => collect(property, value, pointer.clone(), cases, unset),
            None => unset.push(pointer.clone()),
        }
        if schema["required"].as_array().is_some_and(|required| required.contains(&json!(name))) {
            let within = value[name].clone();
            cases.push(Case { pointer, within, beyond: Value::Null, says: "Required value".to_owned() });
        }
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &value[0], format!("{pointer}/0"), cases, unset);
    }
}

/// `/tags/0/key` -> `spec.tags[0].key`.
fn field(pointer: &str) -> String {
    let mut field = "spec".to_owned();
    for part in pointer.split('/').skip(1) {
        match part {
            "0" => field.push_str("[0]"),
            name => field.extend([".", name]),
        }
    }
    field
}

/// Puts `value` where `pointer` says; null takes the member away.
fn put(spec: &mut Value, pointer: &str, value: &Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match spec.pointer_mut(parent) {
        Some(Value::Object(members)) if value.is_null() => drop(members.remove(name)),
        Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value.clone())),
        Some(Value::Array(items)) => items[0] = value.clone(),
        _ => unreachable!("the spec sets {pointer}"),
    }
}
