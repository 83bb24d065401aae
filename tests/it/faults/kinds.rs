//! The table of all faults: what a server does instead of answering well, and what that is to the client.

use ack_operator::terms::Class;
use serde_json::{Value, json};

/// One way in which a call goes wrong.
#[derive(Clone)]
pub struct Kind {
    pub name: &'static str,
    /// What a rule of the emulator does.
    pub deed: Value,
    /// What a create, a cluster's detail and a region's list are to the client.
    pub create: Met,
    pub detail: Met,
    pub list: Met,
    /// It proves that a change was not executed.
    pub refuses: bool,
    /// A part of the sentence that tells of it.
    pub says: &'static str,
    /// Whether the client's patience ends it, and nothing else.
    pub lasts: bool,
    /// An answer of `hostile`.
    pub odd: bool,
}

/// What an answer is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    Good,
    /// A list that is read and proves nothing.
    Torn,
    Trouble(Class),
}

use Class::{
    Account, Busy, Clock, Credentials, NotFound, Permission, Quota, Refused, Taken, Throttled, Transient, Unknown, User,
};
use Met::{Good, Torn, Trouble};

impl Kind {
    fn odd(self) -> Kind {
        Kind { odd: true, ..self }
    }
    /// A refusal of a create for what it says: a read is not to blame.
    fn blaming(self) -> Kind {
        Kind { detail: Trouble(Unknown), list: Trouble(Unknown), ..self }
    }
    fn lasting(self) -> Kind {
        Kind { lasts: true, ..self }
    }
}

/// The same for whatever is asked.
fn kind(name: &'static str, class: Class, says: &'static str, deed: Value) -> Kind {
    let met = Trouble(class);
    Kind { name, deed, create: met, detail: met, list: met, refuses: false, says, lasts: false, odd: false }
}

/// A code of the fact sheet, in ACK's shape or the gateway's.
fn code(shape: &str, code: &'static str, status: u16, class: Class, refuses: bool) -> Kind {
    let deed = json!({"status": status, "code": code, "message": "as the table says", "shape": shape});
    Kind { refuses, ..kind(code, class, code, deed) }
}

/// A whole answer without a code of ACK's.
fn says(name: &'static str, status: u16, body: &str, says: &'static str) -> Kind {
    kind(name, Transient, says, json!({"status": status, "body": body}))
}

/// Bytes, whatever they are.
fn raw(name: &'static str, bytes: &str, then: &str) -> Kind {
    kind(name, Transient, "no whole answer", json!({"raw": bytes, "then": then}))
}

/// The true answer, spoilt.
fn spoilt(name: &'static str, create: Met, detail: Met, list: Met, says: &'static str) -> Kind {
    Kind { create, detail, list, ..kind(name, Transient, says, json!({"mangle": name})) }
}

pub fn kinds() -> Vec<Kind> {
    [codes(), answers(), bytes(), dates(), spoils()].concat()
}

/// The kind of that name.
pub fn named(name: &str) -> Kind {
    kinds().into_iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("no kind {name}"))
}

/// One code a row of the fact sheet at least (ack-api b.5, f.3).
fn codes() -> Vec<Kind> {
    let (ack, gateway) = (
        |name, status, class, refuses| code("ack", name, status, class, refuses),
        |n, s, c, r| code("gateway", n, s, c, r),
    );
    vec![
        Kind { create: Trouble(Refused), ..ack("ErrorClusterNotFound", 404, NotFound, true) },
        ack("ErrorNodePoolNotFound", 404, Refused, true).blaming(),
        ack("AddonNotFound", 404, Refused, true).blaming(),
        ack("ClusterNameAlreadyExist", 400, Taken, true).blaming(),
        gateway("Forbidden.RAM", 403, Permission, true),
        ack("StatusForbidden", 403, Permission, true),
        gateway("NoPermission", 403, Permission, true),
        ack("ErrorCheckAcl", 403, Permission, true),
        ack("ErrManagedKuberneteRoleNotAttach", 400, Account, true),
        gateway("MissingAuth.AliyuncsManagedSecurityRole", 400, Account, true),
        gateway("EntityNotExist.Role", 404, Account, true),
        ack("ErrAuthorizationConflict", 400, Transient, false),
        ack("InstanceRouterExist", 400, Taken, true).blaming(),
        ack("InvalidVSwitchId.IpNotEnough", 400, Taken, true).blaming(),
        gateway("InvalidParameter.VpcId", 400, User, true).blaming(),
        gateway("MissingParameter", 400, User, true).blaming(),
        ack("BadRequest", 400, User, true).blaming(),
        ack("QuotaExceeded.Cluster", 403, Quota, true),
        gateway("InsufficientBalance", 403, Account, true),
        gateway("Account.Arrearage", 400, Account, true),
        ack("DependencyViolation.Resource", 400, Busy, true),
        ack("ErrorClusterState", 400, Busy, true),
        ack("InvalidStatus.Forbidden", 400, Busy, true),
        ack("ErrClusterNotReady", 400, Busy, true),
        ack("SomethingElse", 409, Busy, false),
        ack("ErrorQueryCluster", 500, Transient, false),
        gateway("Throttling.User", 429, Throttled, true),
        gateway("Throttling.Api", 400, Throttled, true),
        gateway("Rejected.Throttling", 503, Throttled, false),
        gateway("ServiceUnavailable", 503, Transient, false),
        gateway("InternalError", 500, Transient, false),
        gateway("UnknownError", 500, Transient, false),
        gateway("InvalidTimeStamp.Expired", 400, Clock, false),
        gateway("InvalidTimeStamp.Format", 400, Unknown, true),
        gateway("SignatureNonceUsed", 400, Transient, false),
        gateway("SignatureDoesNotMatch", 400, Credentials, true),
        gateway("InvalidAccessKeyId.NotFound", 404, Credentials, true),
        gateway("InvalidAccessKeyId.Inactive", 400, Credentials, true),
        gateway("InvalidSecurityToken.Expired", 400, Credentials, true),
        gateway("AuthenticationFail.NoPermission", 401, Credentials, true),
        gateway("IncompleteSignature", 400, Unknown, false),
        gateway("InvalidApi.NotFound", 404, Unknown, false),
        gateway("UnsupportedHTTPMethod", 405, Unknown, false),
        gateway("InvalidProtocol.NeedSsl", 400, Unknown, false),
        ack("EmptyCIDR", 400, User, true).blaming(),
        ack("ZoneNotSupported", 400, User, true).blaming(),
        ack("ForbiddenUpdateKMSState", 403, Permission, true),
        ack("QuotaExceed.AfterpayInstance", 403, Quota, true),
        ack("NotEnoughBalance", 400, Account, true),
        gateway("NeverSeenBefore", 400, Refused, true).blaming(),
        gateway("NeverSeenThere", 404, Refused, true).blaming(),
        // A code, and no request id: it may come from anybody on the way.
        Kind { says: "from nobody", ..raw("a_code_of_nobodys", NOBODYS, "close") },
    ]
}

const NOBODYS: &str =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 38\r\n\r\n{\"code\":\"Odd\",\"message\":\"from nobody\"}";

/// Answers that are whole and say nothing, or not what they should.
fn answers() -> Vec<Kind> {
    let deep = "[".repeat(200_000);
    let measured = |name, length: &str| {
        let deed = json!({"status": 200, "body": "{\"cluster_id\":\"c1\"}", "headers": {"content-length": length}});
        kind(name, Transient, "", deed)
    };
    let limit = json!({"status": 503, "code": "ServiceUnavailable", "message": "QPS Limit Exceeded"});
    let redirect = |name, status: u16| {
        kind(
            name,
            Transient,
            "redirect",
            json!({"status": status, "headers": {"location": "http://127.0.0.1:9/"}, "body": ""}),
        )
    };
    vec![
        says("html", 200, "<html><body>welcome to this hotel</body></html>", "not JSON").odd(),
        says("xml", 200, "<?xml version=\"1.0\"?><Answer><cluster_id>c1</cluster_id></Answer>", "not JSON").odd(),
        says("empty", 200, "", "empty").odd(),
        says("spaces", 200, " \r\n\t ", "empty"),
        says("nothing", 204, "", ""),
        says("a_list", 200, "[]", "no object").odd(),
        says("null", 200, "null", "no object").odd(),
        says("a_number", 200, "17", "no object"),
        says("twice_an_id", 200, "{\"cluster_id\":\"c1\",\"cluster_id\":\"c2\",\"state\":\"deleted\"}", "twice").odd(),
        says("half_an_object", 200, "{\"cluster_id\":\"c1\"", "ends too early"),
        says("depth", 200, &deep, "not JSON"),
        says("an_error_as_200", 200, "{\"code\":\"Throttling.User\",\"message\":\"slow\"}", "Throttling.User"),
        says("ten_megabytes", 200, &" ".repeat(10 << 20), "longer than 4 MiB").odd(),
        redirect("redirect", 302).odd(),
        redirect("moved", 301),
        redirect("redirect_as_it_was", 307),
        redirect("moved_as_it_was", 308),
        measured("too_long", "500").odd(),
        measured("too_short", "5").odd(),
        says("page_404", 404, "<html>nginx: not found</html>", "nginx").odd(),
        says("xml_404", 404, "<Error><Code>NoSuchBucket</Code></Error>", "NoSuchBucket").odd(),
        says("bare_404", 404, "", "HTTP404"),
        says("twice_a_code", 404, "{\"code\":\"ErrorClusterNotFound\",\"code\":\"X\"}", "HTTP404"),
        says("bare_403", 403, "blocked by your company", "blocked by your company").odd(),
        says("bare_401", 401, "", "HTTP401"),
        says("proxy", 407, "", "HTTP407"),
        says("gateway_502", 502, "<html><body>bad\u{0}gateway", "bad gateway"),
        says("timeout_504", 504, "", "HTTP504"),
        says("odd_599", 599, "{\"Code\":\"ErrorClusterNotFound\"}", "ErrorClusterNotFound"),
        kind("limit_by_text", Throttled, "QPS Limit Exceeded", limit),
    ]
}

/// Bytes that are no answer, and connections that end too early or not at all.
fn bytes() -> Vec<Kind> {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"cluster_id\":\"c1\"}";
    vec![
        kind("cut", Transient, "no whole answer", json!("drop")),
        raw("reset", "", "reset"),
        raw("reset_midway", &whole[..45], "reset"),
        raw("half_a_head", "HTTP/1.1 200 OK\r\n", "close"),
        raw("half_a_body", &whole[..48], "close"),
        raw(
            "half_a_refusal",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 500\r\n\r\n{\"code\":\"ErrorClusterNotFound\"}",
            "close",
        ),
        raw(
            "half_a_chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"cluster_id\":\"c1\"}",
            "close",
        ),
        raw("two_lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}", "close"),
        raw("another_protocol", "SSH-2.0-OpenSSH_9.6\r\n", "close"),
        raw("a_TLS_alert", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\n", "close"),
        kind("hangs", Transient, "timed out", json!("hang")).lasting(),
        Kind {
            says: "timed out",
            ..raw("a_chunk_stalls", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{\"clu", "stall")
        }
        .lasting(),
        Kind { says: "timed out", ..raw("a_byte_a_second", whole, "drip") }.lasting(),
    ]
}

/// Answers of ACK itself whose clock is off.
fn dates() -> Vec<Kind> {
    let dated = |name, date: &str| {
        let deed = json!({"status": 503, "code": "ServiceUnavailable", "headers": {"date": date}});
        kind(name, Transient, "ServiceUnavailable", deed)
    };
    vec![
        dated("dated_9999", "Thu, 30 Dec 9999 21:59:59 GMT"),
        dated("dated_1", "Mon, 01 Jan 0001 00:00:00 GMT"),
        dated("dated_yesterday", "yesterday"),
    ]
}

/// The true answer, spoilt.
fn spoils() -> Vec<Kind> {
    let unusable = Trouble(Transient);
    vec![
        spoilt("no_state", Good, unusable, Good, "has no state").odd(),
        spoilt("nulls", unusable, unusable, Torn, "has no").odd(),
        spoilt("wrong_types", unusable, unusable, unusable, "").odd(),
        spoilt("unknown_words", Good, Good, Good, "").odd(),
        spoilt("swapped_ids", Good, Good, Good, "").odd(),
        spoilt("truncated", unusable, unusable, unusable, "ends too early").odd(),
        spoilt("cut_off", unusable, unusable, unusable, "no whole answer").odd(),
        spoilt("twice", unusable, unusable, unusable, "twice"),
        spoilt("marked", Good, Good, Good, ""),
        spoilt("no_tags", Good, Good, Good, ""),
        spoilt("overcount", Good, Good, Torn, ""),
        spoilt("torn", Good, Good, Torn, ""),
    ]
}
