//! The journal: every call of the API, with what a test may want to know of it. Judges nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::Operation;
use crate::received::Received;

/// One call of the API. It is there from its arrival on and is completed once its outcome is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counted from 1.
    pub number: usize,
    /// Empty when path and method belong to none.
    pub operation: String,
    /// Of the access key that the call claims; empty when it is not known.
    pub account: String,
    pub region: String,
    /// Of a call that may change something: the cluster's id, several with commas between; of CreateCluster once it took
    /// effect. Else empty.
    pub cluster: String,
    /// Of a call that may change something: the body as it came, text where it is no JSON; else null.
    pub body: Value,
    /// As sent to the client; 0: no answer (yet).
    pub status: u16,
    /// The error's code; empty when there was none.
    pub code: String,
    /// Whether the call changed the world.
    pub took_effect: bool,
    pub access_key: String,
    pub method: String,
    /// With its query, as sent.
    pub path: String,
    /// `acs3`, `roa`, `rpc` or empty.
    pub signature: String,
    /// Empty when there was none.
    pub nonce: String,
    /// The signed date, as sent.
    pub date: String,
    pub request_id: String,
    /// RFC 3339, the gateway's clock.
    pub received: String,
    /// RFC 3339, the world's clock.
    pub world: String,
}

/// What a call is about to change: the clusters that it names, and its body.
pub fn subject(row: &Operation, ids: &[String], request: &Received) -> (String, Value) {
    if !row.changes {
        return Default::default();
    }
    let text = || String::from_utf8_lossy(&request.body).into_owned();
    let body = match request.body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&request.body).unwrap_or_else(|_| text().into()),
    };
    let asked = request.query("resource_ids").and_then(|ids| serde_json::from_str::<Value>(ids).ok());
    let named = asked.as_ref().unwrap_or(&body["resource_ids"]).as_array().cloned().unwrap_or_default();
    let named = named.iter().filter_map(Value::as_str).map(str::to_owned);
    (ids.iter().cloned().chain(named).collect::<Vec<_>>().join(","), body)
}
