//! A kubeconfig of ACK as it is read, for fuzzers (`fuzz/`) and for the tests that walk their corpus.

use super::kubeconfig;

/// Reads `bytes` as a kubeconfig.
///
/// # Panics
/// When the reading does, or answers what is no address.
pub fn kubeconfig(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let server = kubeconfig::server(text);
    assert!(server.is_none_or(|server| server.starts_with("https://")));
}
