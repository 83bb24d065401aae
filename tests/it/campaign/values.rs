//! Nodes of a schema and what is tried at each: its bounds and one beyond, each word of a set and one outsider, other
//! types, null, nothing. Pure.

use serde_json::{Map, Value, json};

/// A place in a spec that holds a value, and what the schema says of it.
#[derive(Clone)]
pub struct Node {
    /// JSON pointer below the spec.
    pub pointer: String,
    pub schema: Value,
    /// As the base has it.
    pub value: Value,
}

/// The node itself and all below it that the value reaches; of lists the first item.
pub fn nodes(schema: &Value, value: &Value, pointer: &str) -> Vec<Node> {
    let mut found = vec![Node { pointer: pointer.to_owned(), schema: schema.clone(), value: value.clone() }];
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            found.extend(nodes(property, value, &format!("{pointer}/{name}")));
        }
    }
    if let (true, Some(first)) = (schema["items"].is_object(), value.get(0)) {
        found.extend(nodes(&schema["items"], first, &format!("{pointer}/0")));
    }
    found
}

/// What is tried there; `None`: the member is left out.
pub fn candidates(node: &Node) -> Vec<Option<Value>> {
    let Node { schema, value, .. } = node;
    let bound = |name: &str| schema[name].as_f64().map(|limit| limit as i64);
    let mut tried: Vec<Value> = schema["enum"].as_array().cloned().unwrap_or_default();
    let mut add = |values: &[Value]| tried.extend(values.iter().cloned());
    match schema["type"].as_str() {
        Some("boolean") => add(&[json!(true), json!(false), json!("true")]),
        Some("integer" | "number") => {
            let near = |limit: i64, beyond: i64| [json!(limit), json!(beyond)];
            bound("minimum").iter().for_each(|limit| add(&near(*limit, limit - 1)));
            bound("maximum").iter().for_each(|limit| add(&near(*limit, limit + 1)));
            add(&[json!("1")]);
        }
        Some("string") => {
            let long = |length: i64| json!("a".repeat(usize::try_from(length).unwrap_or_default()));
            if let Some(limit) = bound("maxLength") {
                add(&[long(limit), long(limit + 1)]);
            }
            if let Some(limit) = bound("minLength").filter(|limit| *limit > 1) {
                add(&[long(limit), long(limit - 1)]);
            }
            add(&["", "nonsense", "测试-1"].map(Value::from));
            add(&[json!(7)]);
        }
        Some("array") => {
            let first = value.get(0).cloned().unwrap_or_default();
            let items = |count: i64| Value::Array(vec![first.clone(); usize::try_from(count).unwrap_or_default()]);
            if let Some(limit) = bound("maxItems") {
                add(&[items(limit), items(limit + 1)]);
            }
            add(&[json!([]), items(2), json!("a")]);
        }
        Some("object") => {
            let mut more = value.as_object().cloned().unwrap_or_default();
            more.insert("nobodyKnowsThis".into(), json!(1));
            add(&[json!({}), Value::Object(more), json!("a")]);
        }
        // A number or a text, or anything at all.
        _ => add(&[json!(1), json!("26"), json!("nonsense"), json!(true), json!({"a": 1})]),
    }
    tried.push(Value::Null);
    tried.into_iter().map(Some).chain([None]).collect()
}

/// Puts `value` where `pointer` says, or takes away what is there.
pub fn put(spec: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match (spec.pointer_mut(parent), value) {
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(name.to_owned(), value.clone())),
        (Some(Value::Object(members)), None) => drop(members.remove(name)),
        (Some(Value::Array(items)), Some(value)) => match items.first_mut() {
            Some(first) => *first = value.clone(),
            None => items.push(value.clone()),
        },
        (Some(Value::Array(items)), None) => drop(items.drain(..items.len().min(1))),
        _ => {}
    }
}

/// Without members that are null, and each number in its shortest form: what a JSON text says, however it is spelt.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => json!(float as i64),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}
