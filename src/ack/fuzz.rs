//! Every decoder over any bytes, for fuzzers (`fuzz/`) and for the tests that walk the samples: none panics, and what it
//! lets through is fit to be stored and shown.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::code::Op;
use super::credentials::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, ACCOUNT_ID, Credentials, SECURITY_TOKEN};
use super::error::Refusal;
use super::redact::{BOUND, Secrets};
use super::{http, json, model, refusal};

/// Reads `bytes` as each answer that ACK may give, and as the value of each header that is read.
///
/// # Panics
/// When a decoder does, or lets through what it must not.
pub fn answer(bytes: &[u8]) {
    let mut secrets = Secrets::default();
    secrets.add("FAKEsecretFAKE");
    headers(bytes);
    for status in [400, 404, 503] {
        let refused = Refusal::read(Op::Create, status, &HeaderMap::new(), bytes, &secrets);
        shown(&refused.to_string(), BOUND);
        assert!(!refused.to_string().contains("FAKEsecretFAKE"), "{refused}");
    }
    let Ok(body) = json::parse(bytes) else { return };
    let again = json::parse(body.to_string().as_bytes()).expect("what was read can be read again");
    assert_eq!(body, again);
    body.as_object().map(refusal::disguised);

    if let Ok(created) = model::created(&body) {
        stored(created.cluster_id.as_str());
        created.task_id.iter().for_each(|task| stored(task.as_str()));
        created.request_id.iter().for_each(|id| shown(id, 101));
    }
    model::accepted(&body).task_id.iter().for_each(|task| stored(task.as_str()));
    let asked = body["cluster_id"].as_str().unwrap_or("c1").into();
    if let Ok(detail) = model::detail(&body, &asked) {
        assert_eq!(detail.listed.id, asked);
        shown(&detail.listed.state.word, 63);
        detail.listed.current_version.iter().for_each(|version| shown(version, 64));
        detail.api_server_endpoint.iter().for_each(|address| shown(address, 1024));
    }
    if let Ok(page) = model::page(&body) {
        assert!(page.clusters.len() <= page.items);
        page.clusters.iter().for_each(|cluster| shown(&cluster.state.word, 63));
    }
    let task = model::task(&body, &secrets);
    for task in task.into_iter().chain(model::tasks(&body, &secrets).into_iter().flatten()) {
        stored(task.id.as_str());
        assert!(task.progress().0 <= task.progress().1);
        assert!(!format!("{task:?}").contains("FAKEsecretFAKE"));
    }
    assert!(!format!("{:?}", model::events(&body, &secrets)).contains("FAKEsecretFAKE"));
    assert!(!format!("{:?}", model::logs(&body, &secrets)).contains("FAKEsecretFAKE"));
    let _ = (model::resources(&body), model::quota(&body), model::user_kubeconfig(&body));
    model::identity(&body).iter().for_each(|caller| stored(caller.account.as_str()));
}

/// Reads `bytes` as the data of a credentials Secret: a value a line, of each key in turn.
///
/// # Panics
/// When the reading does, or takes what no header can hold.
pub fn secret(bytes: &[u8]) {
    let values: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    let keys = [ACCESS_KEY_ID, ACCESS_KEY_SECRET, SECURITY_TOKEN, ACCOUNT_ID];
    let value = |name: &str| keys.iter().position(|key| *key == name).and_then(|at| values.get(at).copied());
    let Ok(credentials) = Credentials::from_secret(value) else { return };
    let keys = credentials.keys();
    for value in [Some(keys.id), Some(keys.secret), keys.token].into_iter().flatten() {
        assert!((1..=8192).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    credentials.account_id.iter().for_each(|account| stored(account.as_str()));
}

/// Cleans a text of a secret: the first line of `bytes` is the secret, the rest the text, in which it stands once more.
///
/// # Panics
/// When the cleaning does, or leaves the secret in the text.
pub fn redaction(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (secret, text) = text.split_once('\n').unwrap_or((text, ""));
    let mut secrets = Secrets::default();
    secrets.add(secret);
    let clean = secrets.clean(&format!("{secret} {text}"));
    shown(&clean, BOUND);
    // What is shorter, or is made of the mask itself, cannot be told from any other text.
    let tells = secret.len() >= 6 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    assert!(!tells || !clean.contains(secret), "{secret} in {clean}");
}

fn headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(&bytes[..bytes.len().min(100)]) else { return };
    for name in ["date", "x-acs-retry-after", "retry-after", "x-ratelimit-user-api", "x-acs-request-id"] {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.clone())]);
        http::gateway_date(&headers);
        Refusal::read(Op::Read, 400, &headers, b"{}", &Secrets::default());
    }
}

/// An id that goes into a status and into paths.
fn stored(id: &str) {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    assert!(plain && (1..=64).contains(&id.len()), "{id:?}");
}

/// A text that goes into a status or a log.
fn shown(text: &str, bound: usize) {
    assert!(text.chars().count() <= bound, "{} characters", text.chars().count());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
