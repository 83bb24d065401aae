//! Differences -> changes, and changes -> the call that makes them. Pure; whether and when one is made is the judgement's
//! business.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Difference, Kind};
use crate::decide::keys;
use crate::terms::Note;

/// A call that sets values, so that making it twice changes nothing more (ack-api d.7, d.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// TagResources with the tags that are missing or have another value. Tags of others stay.
    Tag(BTreeMap<String, String>),
    /// ModifyCluster with the members that differ.
    Modify(Map<String, Value>),
}

/// What ends one difference, and its part of the call that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub field: &'static str,
    /// Of what the spec wants of the field; whatever the cloud has, it is the same.
    pub digest: String,
    /// What it changes, for people: `timezone: UTC -> Asia/Shanghai`.
    pub words: Note,
    pub call: Call,
}

/// All changes that would end the differences, in the order in which they are to be made. The protection has an order and words
/// of its own in the judgement.
pub fn changes(differences: &[Difference]) -> Vec<Change> {
    let of = |kind: Kind| {
        let found = differences.iter().filter(move |d| d.field.kind == kind && d.field.name != keys::PROTECTION);
        found.filter_map(change)
    };
    of(Kind::Tags).chain(of(Kind::Modify)).collect()
}

/// The one call for these changes, all of one kind; `None` where there is none, or they are not of one kind.
pub fn call<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Option<Call> {
    let mut calls = changes.into_iter().map(|change| change.call.clone());
    let first = calls.next()?;
    calls.try_fold(first, |call, more| match (call, more) {
        (Call::Tag(tags), Call::Tag(more)) => Some(Call::Tag(tags.into_iter().chain(more).collect())),
        (Call::Modify(members), Call::Modify(more)) => Some(Call::Modify(members.into_iter().chain(more).collect())),
        (Call::Tag(_), Call::Modify(_)) | (Call::Modify(_), Call::Tag(_)) => None,
    })
}

fn change(difference: &Difference) -> Option<Change> {
    let Difference { field, from, to, digest, lacks } = difference;
    let call = if field.kind == Kind::Tags {
        let word = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
        let tags = lacks.as_array().into_iter().flatten();
        Call::Tag(tags.map(|tag| (word(tag, "key"), word(tag, "value"))).collect())
    } else {
        Call::Modify(Map::from_iter([member(field.modify?, lacks)?]))
    };
    let words = format!("{}: {from} -> {to}", field.name).into();
    Some(Change { field: field.name, digest: digest.clone(), words, call })
}

/// The member of ModifyCluster for what is lacking, in the form that it has there (ack-api d.7).
fn member(name: &str, lacks: &Value) -> Option<(String, Value)> {
    let value = match name {
        "api_server_custom_cert_sans" => json!({"action": "append", "subject_alternative_names": lacks}),
        "enable_rrsa" => lacks.get("enabled")?.clone(),
        _ => lacks.clone(),
    };
    Some((name.to_owned(), value))
}
