//! Values made comparable: JSON inside strings, numbers inside strings, lists whose order means nothing, times in other
//! zones. Pure; it knows no field.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Words without an order.
pub(super) type Texts = BTreeSet<String>;

/// As much of a value as a sentence holds.
const SHOWN: usize = 128;

/// The value under `path` (`a>b>c`), through JSON inside strings. Missing, null and empty are one: ACK writes each of
/// them for what it does not say (ack-api a.3).
pub(super) fn find(detail: &Map<String, Value>, path: &str) -> Option<Value> {
    let mut parts = path.split('>');
    let mut value = detail.get(parts.next()?)?.clone();
    for part in parts {
        value = parsed(value).get(part)?.clone();
    }
    let empty = match &value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    (!empty).then_some(value)
}

/// JSON inside a string, or the value itself.
fn parsed(value: Value) -> Value {
    match &value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// The words of a list, or of a text that joins them with commas.
pub(super) fn texts(value: &Value) -> Texts {
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        other => text(other).split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect(),
    }
}

/// Two values that mean the same text: the same letters, the same words in another order, or the same moment.
pub(super) fn same_text(a: &Value, b: &Value) -> bool {
    let (left, right) = (text(a), text(b));
    left == right
        || (left.contains(',') && texts(a) == texts(b))
        || matches!((left.parse::<Timestamp>(), right.parse::<Timestamp>()), (Ok(left), Ok(right)) if left == right)
}

/// Whether all that `wish` sets is so in `is`. Of an object only the wished members count; one that `is` lacks or leaves
/// empty is `false` or nothing. A list is a set, of which `is` may hold more.
pub(super) fn within(wish: &Value, is: &Value) -> bool {
    match (wish, &parsed(is.clone())) {
        (Value::Object(wish), Value::Object(is)) => wish.iter().all(|(name, wish)| match find(is, name) {
            Some(is) => within(wish, &is),
            None => void(wish),
        }),
        (Value::Array(wish), Value::Array(is)) if wish.iter().any(Value::is_object) => {
            wish.iter().all(|wish| is.iter().any(|is| within(wish, is)))
        }
        (Value::Array(_), is) => texts(wish).is_subset(&texts(is)),
        (wish, is) => same_text(wish, is),
    }
}

/// What the cloud has, with the wish laid over it: what ACK is asked for where a request replaces a whole member. What the wish
/// does not name stays as it is, and no entry of a list is dropped.
pub(super) fn overlay(wish: &Value, is: &Value) -> Value {
    match (wish, parsed(is.clone())) {
        (Value::Object(wish), Value::Object(mut is)) => {
            for (name, wish) in wish {
                let laid = is.get(name).map_or_else(|| wish.clone(), |is| overlay(wish, is));
                is.insert(name.clone(), laid);
            }
            Value::Object(is)
        }
        (Value::Array(wish), Value::Array(mut is)) => {
            for wish in wish {
                match is.iter_mut().find(|is| same_entry(wish, is)) {
                    Some(is) => *is = overlay(wish, is),
                    None => is.push(wish.clone()),
                }
            }
            Value::Array(is)
        }
        (wish, _) => wish.clone(),
    }
}

/// Whether two entries of a list are of the same thing: they agree in an id, else the one says all that the other does.
fn same_entry(wish: &Value, is: &Value) -> bool {
    let ids = |value: &Value| -> Vec<(String, Value)> {
        let members = value.as_object().into_iter().flatten();
        members.filter(|(name, _)| name.ends_with("_id")).map(|(name, id)| (name.clone(), id.clone())).collect()
    };
    let known = ids(is);
    ids(wish).iter().any(|id| known.contains(id)) || within(wish, is)
}

fn void(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(void),
        _ => false,
    }
}

/// A value for a sentence: a text without its quotes, all else as JSON, cut to a length.
pub(super) fn shown(value: &Value) -> String {
    let mut shown: String = text(value).chars().filter(|c| !c.is_control()).collect();
    if shown.chars().count() > SHOWN {
        shown = shown.chars().take(SHOWN).chain(['…']).collect();
    }
    shown
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// 16 hex digits that change when the meaning of `value` does, not when its spelling or its order does.
pub(super) fn digest(value: &Value) -> String {
    let hash = Sha256::digest(canonical(value).as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn canonical(value: &Value) -> String {
    match parsed(value.clone()) {
        Value::Object(members) => {
            let mut parts: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", canonical(value))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(list) => {
            let mut parts: Vec<String> = list.iter().map(canonical).collect();
            parts.sort();
            format!("[{}]", parts.join(","))
        }
        other => format!("{:?}", text(&other)),
    }
}
