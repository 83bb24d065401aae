//! What the watch reads, for fuzzers (`fuzz/`) and for the tests that walk samples: nothing that the API server can store
//! panics, and no object makes the reading of a list fail.

use kube::core::{ObjectList, WatchEvent};
use serde_json::Value;

use super::Watched;

/// Reads `bytes` as an object in a list and in an event.
///
/// # Panics
/// When a decoder does, or refuses what is JSON.
pub fn object(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let list = format!(r#"{{"kind":"AckClusterList","apiVersion":"v1","metadata":{{}},"items":[{text}]}}"#);
    let event = format!(r#"{{"type":"ADDED","object":{text}}}"#);
    let list = serde_json::from_str::<ObjectList<Watched>>(&list);
    let event = serde_json::from_str::<WatchEvent<Watched>>(&event);
    // The API server stores objects only, and no member twice.
    if let Ok(Value::Object(object)) = serde_json::from_str(text)
        && Value::from(object).to_string().len() >= text.split_ascii_whitespace().collect::<String>().len()
    {
        assert!(list.is_ok_and(|list| list.items.len() == 1), "an object hides all others of its list");
        assert!(matches!(event, Ok(WatchEvent::Added(_))), "an object breaks the watch");
    }
}
