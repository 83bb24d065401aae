//! ROA HMAC-SHA1, version 1.0 (ack-api b.1). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::Parts;

/// The path as sent, and the query with its decoded values: the official SDK signs raw values, not the encoded URI.
fn canonical_resource(parts: &Parts<'_>) -> String {
    let pairs: Vec<String> = parts
        .query
        .iter()
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") })
        .collect();
    match pairs.is_empty() {
        true => parts.path.to_owned(),
        false => format!("{}?{}", parts.path, pairs.join("&")),
    }
}

pub fn string_to_sign(parts: &Parts<'_>) -> String {
    // A header that is not sent leaves an empty line; the line itself always stays.
    let header = |name: &str| parts.headers.get(name).map(String::as_str).unwrap_or_default();
    let acs_headers: String = parts
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-acs-"))
        .map(|(name, value)| format!("{name}:{}\n", value.replace(['\t', '\r', '\n', '\x0c'], " ").trim()))
        .collect();
    format!(
        "{}\n{}\n{}\n{}\n{}\n{acs_headers}{}",
        parts.method,
        header("accept"),
        header("content-md5"),
        header("content-type"),
        header("date"),
        canonical_resource(parts)
    )
}

pub fn signature(string_to_sign: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The value of `authorization`.
pub fn authorization(parts: &Parts<'_>, key_id: &str, secret: &str) -> String {
    format!("acs {key_id}:{}", signature(&string_to_sign(parts), secret))
}
