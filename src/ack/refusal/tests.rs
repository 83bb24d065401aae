//! Error answers of every shape, as recorded and as made up.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::terms::Class;

fn read(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Refusal {
    read_of(Op::Create, status, headers, body)
}

fn read_of(op: Op, status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Refusal {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let mut secrets = Secrets::default();
    secrets.add("FAKEsecretFAKE");
    Refusal::read(op, status, &map, body, &secrets)
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
        (400, br#"{"code":"X","message":"bad FAKEsecretFAKE"}"#, "X", Class::Transient, "X: bad *** (HTTP 400)"),
        (
            400,
            br#"{"code":"X","message":"bad FAKEsecretFAKE","requestId":"R"}"#,
            "X",
            Class::Refused,
            "X: bad *** (HTTP 400)",
        ),
    ] {
        let got = read(status, &[], body);
        assert_eq!((got.code.as_str(), got.class, got.to_string().as_str()), (code, class, sentence));
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

#[test]
fn acks_words_are_told_whole_with_every_cause() {
    let sample: Value =
        serde_json::from_slice(include_bytes!("../../../tests/data/samples/errors/empty-cidr.json")).unwrap();
    let got = read(400, &[], sample["body"].to_string().as_bytes());
    assert_eq!((got.class, got.never_executed, got.kind), (Class::User, true, Code::Validation));
    assert_eq!(
        got.to_string(),
        "EmptyCIDR: pod or service cidr is empty (InvalidPodVswitchIds: pod vswitch ids is empty; InvalidCIDR: cidr is \
         invalid) (HTTP 400)"
    );
}

#[test]
fn what_a_code_does_not_say_its_causes_and_its_text_do() {
    let answer = |code: &str, message: &str, data: Value| {
        let body = serde_json::json!({"code": code, "message": message, "data": data, "requestId": "R"}).to_string();
        read(400, &[], body.as_bytes()).class
    };
    let causes = |codes: &[&str]| -> Value { codes.iter().map(|code| serde_json::json!({"code": code})).collect() };
    for (code, message, data, class) in [
        ("NeverSeen", "", causes(&["NeverSeenEither"]), Class::User),
        ("NeverSeen", "", causes(&["EmptyCIDR", "ClusterNameAlreadyExist"]), Class::Taken),
        ("NeverSeen", "", causes(&["QuotaExceed.Cluster"]), Class::Quota),
        ("QuotaExceeded", "", causes(&["EmptyCIDR"]), Class::Quota),
        ("NeverSeen", "", causes(&[]), Class::Refused),
        ("NeverSeen", "", serde_json::json!({"code": "EmptyCIDR"}), Class::Refused),
        ("400", "Status Code: 404 Code: EntityNotExist.Role Message: none", Value::Null, Class::Account),
        ("400", "Status Code: 403, Code: Forbidden.RAM.", Value::Null, Class::Permission),
        ("400", "Code: NeverSeen", Value::Null, Class::Refused),
        // What a service behind ACK says of ACK's own keys, or of an id that it was asked for, is not about ours.
        ("400", "Code: InvalidAccessKeyId.NotFound", Value::Null, Class::Refused),
        ("400", "Code: ErrorClusterNotFound", Value::Null, Class::Refused),
        ("NeverSeen", "Code: EntityNotExist.Role", Value::Null, Class::Refused),
    ] {
        assert_eq!(answer(code, message, data), class, "{code} {message}");
    }
}

#[test]
fn a_request_id_in_the_header_makes_acks_shape_as_one_in_the_body_does() {
    let id = [("x-acs-request-id", "R")];
    for (headers, body, class) in [
        (&id[..], r#"{"code":"X"}"#, Class::Refused),
        (&[], r#"{"code":"X","requestId":"R"}"#, Class::Refused),
        (&[], r#"{"code":"X"}"#, Class::Transient),
        (&[], r#"{"code":"EmptyCIDR"}"#, Class::Transient),
        (&[], r#"{"code":"Forbidden.RAM"}"#, Class::Permission),
        (&id, r#"{"message":"X"}"#, Class::Transient),
        (&id, "X", Class::Transient),
        (&id, "<Error><Code>NoSuchBucket</Code></Error>", Class::Transient),
        (&[], "<Error><Code>X</Code><RequestId>R</RequestId></Error>", Class::Refused),
    ] {
        let got = read(400, headers, body.as_bytes());
        assert_eq!((got.class, got.never_executed), (class, class == Class::Refused), "{headers:?} {body}");
    }
}

#[test]
fn an_unknown_task_is_told_apart_from_trouble_by_what_is_not_blamed() {
    let unknown: &[u8] = include_bytes!("../../../tests/data/samples/errors/task-not-found.json");
    let sample: Value = serde_json::from_slice(unknown).unwrap();
    assert!(read_of(Op::Read, 400, &[], sample["body"].to_string().as_bytes()).has_none());
    for (status, code, none) in [
        (404, "SomethingNew", true),
        (400, "InvalidParameter.TaskId", true),
        (404, "ErrorClusterNotFound", true),
        (404, "InvalidAccessKeyId.NotFound", false),
        (404, "InvalidApi.NotFound", false),
        (403, "SomethingNew", false),
        (401, "SomethingNew", false),
        (400, "Forbidden.RAM", false),
        (400, "Throttling.User", false),
        (429, "SomethingNew", false),
        (400, "InvalidTimeStamp.Expired", false),
        (500, "SomethingNew", false),
    ] {
        let body = format!(r#"{{"code":"{code}","message":"","requestId":"R"}}"#);
        assert_eq!(read_of(Op::Read, status, &[], body.as_bytes()).has_none(), none, "{status} {code}");
    }
    assert!(!read_of(Op::Read, 404, &[], b"<html>nginx</html>").has_none(), "that is not ACK");
}
