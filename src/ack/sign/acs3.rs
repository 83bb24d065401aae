//! `ACS3-HMAC-SHA256` (ack-api b.2). Pure.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Parts, encoded_query, hex};

/// Lower-case hex SHA-256 of the body, for `x-acs-content-sha256`.
pub fn payload_hash(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

pub fn canonical_headers(parts: &Parts<'_>) -> String {
    parts.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect()
}

pub fn signed_headers(parts: &Parts<'_>) -> String {
    parts.headers.keys().map(String::as_str).collect::<Vec<_>>().join(";")
}

pub fn canonical_request(parts: &Parts<'_>) -> String {
    let path = if parts.path.is_empty() { "/" } else { parts.path };
    [
        parts.method,
        path,
        &encoded_query(parts.query),
        &canonical_headers(parts),
        &signed_headers(parts),
        &payload_hash(parts.body),
    ]
    .join("\n")
}

pub fn string_to_sign(canonical_request: &str) -> String {
    format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical_request)))
}

/// The key is the secret itself: no derived key, no date scope (ack-api b.2).
pub fn signature(string_to_sign: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// The value of `authorization`; no blank after the commas.
pub fn authorization(parts: &Parts<'_>, key_id: &str, secret: &str) -> String {
    format!(
        "ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={},Signature={}",
        signed_headers(parts),
        signature(&string_to_sign(&canonical_request(parts)), secret)
    )
}
