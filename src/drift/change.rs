//! Differences -> the next call that leaves fewer of them. Pure; whether and when it is made is the judgement's business.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::normal::digest;
use super::{Difference, Kind};
use crate::terms::Note;

/// The protection has an order and words of its own in the judgement.
const PROTECTION: &str = "deletion_protection";

/// A call that sets values, so that making it twice changes nothing more (ack-api d.7, d.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// TagResources with the tags that are missing or have another value. Tags of others stay.
    Tag(BTreeMap<String, String>),
    /// ModifyCluster with the members that differ.
    Modify(Map<String, Value>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it changes, for people: `timezone: UTC -> Asia/Shanghai`.
    pub words: Note,
    /// Tells it from every other change; `words` may be cut.
    pub key: String,
    pub call: Call,
}

/// Tags first, then all members of ModifyCluster in one call, for ACK makes one change at a time.
pub fn next(differences: &[Difference]) -> Option<Change> {
    let of = |kind: Kind| {
        let found =
            differences.iter().filter(|d| d.field.kind == kind && d.field.name != PROTECTION).collect::<Vec<_>>();
        (!found.is_empty()).then_some(found)
    };
    let tags = || {
        let found = of(Kind::Tags)?;
        let word = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
        let tags = found.iter().filter_map(|d| d.lacks.as_array()).flatten();
        Some((Call::Tag(tags.map(|tag| (word(tag, "key"), word(tag, "value"))).collect()), found))
    };
    let members = || {
        let found = of(Kind::Modify)?;
        Some((Call::Modify(found.iter().filter_map(|d| member(d)).collect()), found))
    };
    let (call, found) = tags().or_else(members)?;
    let words: Vec<String> = found.iter().map(|d| format!("{}: {} -> {}", d.field.name, d.from, d.to)).collect();
    let key = match &call {
        Call::Tag(tags) => digest(&json!({ "tags": tags })),
        Call::Modify(members) => digest(&Value::Object(members.clone())),
    };
    Some(Change { words: words.join(", ").into(), key, call })
}

/// The member of ModifyCluster for this difference, in the form that it has there (ack-api d.7).
fn member(difference: &Difference) -> Option<(String, Value)> {
    let name = difference.field.modify?;
    let lacks = &difference.lacks;
    let value = match name {
        "api_server_custom_cert_sans" => json!({"action": "append", "subject_alternative_names": lacks}),
        "enable_rrsa" => lacks.get("enabled")?.clone(),
        _ => lacks.clone(),
    };
    Some((name.to_owned(), value))
}
