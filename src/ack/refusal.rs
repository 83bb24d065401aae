//! From the bytes of an error answer to a [`Refusal`]: both JSON shapes, XML, HTML, empty and worse (ack-api f.1). Never
//! fails: what cannot be read is an answer without a code.

use std::time::Duration;

use reqwest::header::HeaderMap;

use super::code::Code;
use super::error::Refusal;
use super::json::{self, Object};
use super::redact::{self, Secrets};

/// The longest wait that a server may ask for (ack-api f.4).
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl Refusal {
    /// Reads an answer whose status is not 2xx.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8], secrets: &Secrets) -> Refusal {
        let text = String::from_utf8_lossy(body);
        let said = from_json(body).or_else(|| from_xml(&text)).unwrap_or_else(|| Said {
            code: None,
            message: without_tags(&text),
            request_id: None,
        });
        let kind = match &said.code {
            _ if says_throttled(&said.message) => Code::Throttled,
            Some(code) => Code::parse(code),
            None => Code::Absent,
        };
        Refusal {
            status,
            code: said.code.map_or_else(|| format!("HTTP{status}"), |code| redact::cut(&secrets.clean(&code), 100)),
            kind,
            message: kind.own_words().map_or_else(|| secrets.clean(&said.message), str::to_owned),
            request_id: said.request_id.or_else(|| header(headers, "x-acs-request-id")).map(|id| redact::cut(&id, 100)),
            retry_after: retry_after(headers),
        }
    }
}

struct Said {
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

fn from_json(body: &[u8]) -> Option<Said> {
    let value = json::parse(body).ok()?;
    let outer = value.as_object()?;
    let said = said(outer);
    // Old answers hold code "400" and a JSON text in the message that says more.
    match json::object(outer, "message").or_else(|| json::object(outer, "Message")) {
        Some(inner) if json::text(&inner, CODE).is_some() => {
            let inner = self::said(&inner);
            Some(Said { request_id: inner.request_id.or(said.request_id), ..inner })
        }
        _ => Some(said),
    }
}

const CODE: &[&str] = &["code", "Code"];

fn said(object: &Object) -> Said {
    let mut message = json::text(object, &["message", "Message"]).unwrap_or_default();
    let action = json::object(object, "accessDeniedDetail").and_then(|detail| json::text(&detail, &["AuthAction"]));
    if let Some(action) = action.filter(|action| !message.contains(action.as_str())) {
        message = format!("{message} (action {action})");
    }
    let request_id = json::text(object, &["requestId", "RequestId", "request_id", "requestid"]);
    Said { code: json::text(object, CODE), message, request_id }
}

/// Code and message of an error under a good status.
pub(super) fn disguised(body: &Object) -> Option<(String, String)> {
    let Said { code, message, .. } = said(body);
    let code = code.filter(|code| !["200", "ok", "success"].contains(&code.to_ascii_lowercase().as_str()))?;
    let names_a_cluster = json::text(body, &["cluster_id"]).is_some();
    let message = Code::parse(&code).own_words().map_or(message, str::to_owned);
    (!names_a_cluster).then_some((code, message))
}

fn from_xml(text: &str) -> Option<Said> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inner.trim().to_owned()).filter(|inner| !inner.is_empty() && !inner.contains('<'))
    };
    let code = element("Code")?;
    Some(Said { code: Some(code), message: element("Message").unwrap_or_default(), request_id: element("RequestId") })
}

/// The readable part of a page. Bounded before it is cleaned, since the page may have megabytes.
fn without_tags(page: &str) -> String {
    let mut inside = false;
    let text = page.chars().take(4096).filter_map(|c| match c {
        '<' => {
            inside = true;
            Some(' ')
        }
        '>' if inside => {
            inside = false;
            None
        }
        _ => (!inside).then_some(c),
    });
    text.collect()
}

/// The one place where a text decides: old services say only there that a limit was hit (ack-api f.3).
fn says_throttled(message: &str) -> bool {
    message.to_ascii_lowercase().contains("qps limit exceeded")
}

/// `x-acs-retry-after` in milliseconds, `Retry-After` in seconds, or what an older gateway's limit header says.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |text: String| text.trim().parse::<u64>().ok().filter(|&n| n > 0);
    let limit = || header(headers, "x-ratelimit-user-api").or_else(|| header(headers, "x-ratelimit-user"));
    let time_left = |limit: String| {
        let of = |name: &str| limit.split(',').find_map(|part| Some(part.trim().strip_prefix(name)?.to_owned()));
        (of("Remain:")? == "0").then(|| of("TimeLeft:")).flatten()
    };
    header(headers, "x-acs-retry-after")
        .and_then(number)
        .map(Duration::from_millis)
        .or_else(|| header(headers, "retry-after").and_then(number).map(Duration::from_secs))
        .or_else(|| limit().and_then(time_left).and_then(number).map(Duration::from_millis))
        .map(|wait| wait.min(LONGEST_WAIT))
}

/// A header's value where it is plain text.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::terms::Class;

    fn read(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Refusal {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let mut secrets = Secrets::default();
        secrets.add("FAKEsecretFAKE");
        Refusal::read(status, &map, body, &secrets)
    }

    #[test]
    fn recorded_error_answers_are_read_in_both_shapes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples/errors");
        let mut count = 0;
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let sample: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let body = sample["body"].to_string();
            let status = sample["http_status"].as_u64().unwrap().try_into().unwrap();
            let got = read(status, &[], body.as_bytes());
            let code = sample["body"]["code"].as_str().or(sample["body"]["Code"].as_str()).unwrap();
            assert_eq!(got.code, code, "{}", path.display());
            assert_eq!(got.request_id.as_deref(), Some("5D2E7C1A-9B3F-4E60-8A17-0C4D2F6B9E31"), "{}", path.display());
            assert!(!got.to_string().contains("string to sign"), "{got}");
            count += 1;
        }
        assert!(count > 20, "{count} samples");
    }

    #[test]
    fn what_is_not_acks_json_is_read_as_far_as_it_goes() {
        let nested =
            br#"{"code":"400","message":"{\"code\":\"QuotaExceeded\",\"message\":\"too many\",\"requestId\":\"R\"}"}"#;
        for (status, body, code, class, sentence) in [
            (400, &nested[..], "QuotaExceeded", Class::Quota, "QuotaExceeded: too many (HTTP 400)"),
            (404, b"", "HTTP404", Class::Transient, "HTTP404 (HTTP 404)"),
            (502, b"<html><h1>Bad\nGateway</h1></html>", "HTTP502", Class::Transient, "HTTP502: Bad Gateway (HTTP 502)"),
            (403, b"<html>blocked</html>", "HTTP403", Class::Transient, "HTTP403: blocked (HTTP 403)"),
            (
                400,
                b"<?xml version='1.0'?><Error><RequestId>R</RequestId><Code>Throttling.User</Code><Message>slow</Message></Error>",
                "Throttling.User",
                Class::Throttled,
                "Throttling.User: slow (HTTP 400)",
            ),
            (400, b"{\"code\":\"X\",\"code\":\"ErrorClusterNotFound\"}", "HTTP400", Class::Transient, "HTTP400: {\"code\":\"X\",\"code\":\"ErrorClusterNotFound\"} (HTTP 400)"),
            (400, b"[1]", "HTTP400", Class::Transient, "HTTP400: [1] (HTTP 400)"),
            (500, b"\xff\xfe\x00", "HTTP500", Class::Transient, "HTTP500: \u{fffd}\u{fffd} (HTTP 500)"),
            (
                503,
                b"{\"Code\":\"ServiceUnavailable\",\"Message\":\"QPS Limit Exceeded\"}",
                "ServiceUnavailable",
                Class::Throttled,
                "ServiceUnavailable: QPS Limit Exceeded (HTTP 503)",
            ),
            (
                403,
                br#"{"code":"Forbidden","message":"no","accessDeniedDetail":{"AuthAction":"cs:CreateCluster"}}"#,
                "Forbidden",
                Class::Permission,
                "Forbidden: no (action cs:CreateCluster) (HTTP 403)",
            ),
            (
                400,
                br#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is: GET x-acs-security-token:T"}"#,
                "SignatureDoesNotMatch",
                Class::Credentials,
                "SignatureDoesNotMatch: the signature does not match: the access key secret is wrong, or a proxy changes requests (HTTP 400)",
            ),
            (400, br#"{"code":"X","message":"bad FAKEsecretFAKE"}"#, "X", Class::User, "X: bad *** (HTTP 400)"),
        ] {
            let got = read(status, &[], body);
            assert_eq!((got.code.as_str(), got.kind.class(status), got.to_string().as_str()), (code, class, sentence));
        }
    }

    #[test]
    fn an_error_under_a_good_status_is_seen_unless_it_names_a_cluster() {
        for (body, code) in [
            (r#"{"Code":"Throttling.User","Message":"slow"}"#, Some("Throttling.User")),
            (r#"{"code":"X","cluster_id":"c1"}"#, None),
            (r#"{"code":"200","message":"fine"}"#, None),
            (r#"{"cluster_quota":50}"#, None),
        ] {
            let body = json::parse(body.as_bytes()).unwrap();
            assert_eq!(disguised(body.as_object().unwrap()).map(|(code, _)| code).as_deref(), code, "{body}");
        }
    }

    #[test]
    fn a_sentence_never_passes_its_bound() {
        let body = format!(r#"{{"code":"{}","message":"{}"}}"#, "C".repeat(2000), "m ".repeat(3000));
        assert_eq!(read(400, &[], body.as_bytes()).to_string().chars().count(), redact::BOUND);
    }

    #[test]
    fn the_servers_wait_is_taken_from_whichever_header_has_it() {
        let ms = |n| Some(Duration::from_millis(n));
        for (headers, wait) in [
            (&[("x-acs-retry-after", "1500")][..], ms(1500)),
            (&[("x-acs-retry-after", "999999999")], ms(120_000)),
            (&[("x-acs-retry-after", "0"), ("retry-after", "3")], ms(3000)),
            (&[("x-acs-retry-after", "-1")], None),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], None),
            (&[("x-ratelimit-user-api", "Limit:100,Remain:0,TimeLeft:1500,Reset:1")], ms(1500)),
            (&[("x-ratelimit-user", "Limit:100,Remain:5,TimeLeft:1500,Reset:1")], None),
            (&[], None),
        ] {
            assert_eq!(read(400, headers, b"{}").retry_after, wait, "{headers:?}");
        }
    }
}
