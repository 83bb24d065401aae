//! The spec on its way to a request body, for fuzzers (`fuzz/`) and for the tests that walk their corpus.

use std::collections::BTreeMap;

use serde_json::Value;

use super::AckClusterSpec;

/// Reads `bytes` as a spec and makes the body of it.
///
/// # Panics
/// When the conversion does, or a body holds what ACK must not be sent.
pub fn body(bytes: &[u8]) {
    let Ok(spec) = serde_json::from_slice::<AckClusterSpec>(bytes) else { return };
    let Ok(body) = super::body::body("demo", &spec, &BTreeMap::new(), &[("ackoperator.dev/name", "demo")]) else {
        return;
    };
    // What extraParameters hold is sent as it was written.
    assert!(spec.extra_parameters.is_some() || !null(&body), "a member is null: {body}");
    let members = body.as_object().expect("a body is an object");
    let ours =
        ["credentialsRef", "adoptClusterId", "deletionPolicy", "deleteOptions", "secretValues", "extraParameters"];
    assert!(ours.iter().all(|name| !members.contains_key(*name)), "a field of the operator's own is sent: {body}");
    assert_eq!(serde_json::from_str::<Value>(&body.to_string()).ok().as_ref(), Some(&body));
}

fn null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(null),
        Value::Object(members) => members.values().any(null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
