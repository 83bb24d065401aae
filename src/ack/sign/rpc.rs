//! RPC HMAC-SHA1 (ack-api b.4): the signature in the query that STS knows beside ACS3. Pure.

use std::collections::BTreeMap;

use super::{encoded_query, percent_encode, roa};

pub fn string_to_sign(method: &str, query: &BTreeMap<String, String>) -> String {
    format!("{method}&%2F&{}", percent_encode(&encoded_query(query)))
}

/// The same HMAC as ROA's, with `&` after the secret.
pub fn signature(string_to_sign: &str, secret: &str) -> String {
    roa::signature(string_to_sign, &format!("{secret}&"))
}
