//! From the bytes of an error answer to a [`Refusal`]: both JSON shapes, XML, HTML, empty and worse (ack-api f.1). Never
//! fails: what cannot be read is an answer without a code.

use std::time::Duration;

use reqwest::header::HeaderMap;

use super::code::{Code, Op, Told};
use super::error::Refusal;
use super::json::{self, Object};
use super::redact::{self, Secrets};

/// The longest wait that a server may ask for (ack-api f.4).
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl Refusal {
    /// Reads an answer whose status is not 2xx, to a call of the sort `op`.
    pub(super) fn read(op: Op, status: u16, headers: &HeaderMap, body: &[u8], secrets: &Secrets) -> Refusal {
        let text = String::from_utf8_lossy(body);
        let json = from_json(body);
        let from_api = json.is_some();
        let said = json
            .or_else(|| from_xml(&text))
            .unwrap_or_else(|| Said { message: without_tags(&text), ..Said::default() });
        let headed = header(headers, "x-acs-request-id");
        // What came through ACK's gateway from somebody who does not speak as ACK does has the header too.
        let shape = said.code.is_some() && (said.request_id.is_some() || from_api && headed.is_some());
        let request_id = said.request_id.clone().or(headed);
        let told = Told { status, op, shape };
        let kind = match said.kind() {
            // Under any other status it is not what it seems, and "gone" must not be concluded from it.
            Code::ClusterNotFound if !(400..500).contains(&status) => Code::Internal,
            kind => kind,
        };
        Refusal {
            status,
            kind,
            class: kind.class(told),
            never_executed: kind.never_executed(told),
            message: kind.own_words().map_or_else(|| secrets.clean(&said.words()), str::to_owned),
            code: said.code.map_or_else(|| format!("HTTP{status}"), |code| redact::cut(&secrets.clean(&code), 100)),
            request_id: request_id.map(|id| redact::cut(&id, 100)),
            retry_after: retry_after(headers),
        }
    }
}

#[derive(Default)]
struct Said {
    code: Option<String>,
    message: String,
    request_id: Option<String>,
    /// Code and message of each cause, where there are several (ack-api k).
    causes: Vec<(String, String)>,
}

impl Said {
    /// What the code means; where it says nothing, what the causes or the text name.
    fn kind(&self) -> Code {
        let Some(code) = &self.code else {
            return if says_throttled(&self.message) { Code::Throttled } else { Code::Absent };
        };
        if says_throttled(&self.message) {
            return Code::Throttled;
        }
        let listed = Code::parse(code);
        if listed != Code::Unlisted {
            return listed;
        }
        // ACK checks all parts of a request before it begins, and tells what is wrong with each.
        let causes = || self.causes.iter().map(|(code, _)| Code::parse(code));
        let other = causes().find(|cause| cause.may_be_quoted() && *cause != Code::Validation);
        let checked = (!self.causes.is_empty()).then_some(Code::Validation);
        let number = code.bytes().all(|byte| byte.is_ascii_digit());
        let quoted = number.then(|| quoted(&self.message)).flatten();
        other.or(checked).or(quoted).unwrap_or(Code::Unlisted)
    }

    /// The message, and each cause that it does not tell already.
    fn words(&self) -> String {
        let told = |code: &str, message: &str| Some(code) == self.code.as_deref() && self.message.contains(message);
        let causes = self
            .causes
            .iter()
            .filter(|(code, message)| !told(code, message))
            .map(|(code, message)| if message.is_empty() { code.clone() } else { format!("{code}: {message}") });
        let causes = causes.collect::<Vec<_>>().join("; ");
        match (self.message.is_empty(), causes.is_empty()) {
            (_, true) => self.message.clone(),
            (true, false) => causes,
            (false, false) => format!("{} ({causes})", self.message),
        }
    }
}

/// The meaning of a code that stands in a text ("Status Code: 404 Code: EntityNotExist.Role"), where it may be believed.
fn quoted(message: &str) -> Option<Code> {
    let codes = message.match_indices("Code:").map(|(at, word)| {
        let rest = message[at + word.len()..].trim_start();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        Code::parse(rest[..rest.find(|c| !plain(c)).unwrap_or(rest.len())].trim_end_matches('.'))
    });
    codes.into_iter().find(|code| code.may_be_quoted())
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
const MESSAGE: &[&str] = &["message", "Message"];

fn said(object: &Object) -> Said {
    let mut message = json::text(object, MESSAGE).unwrap_or_default();
    let action = json::object(object, "accessDeniedDetail").and_then(|detail| json::text(&detail, &["AuthAction"]));
    if let Some(action) = action.filter(|action| !message.contains(action.as_str())) {
        message = format!("{message} (action {action})");
    }
    let request_id = json::text(object, &["requestId", "RequestId", "request_id", "requestid"]);
    let cause = |of: &Object| Some((json::text(of, CODE)?, json::text(of, MESSAGE).unwrap_or_default()));
    let causes = json::objects(object, "data").into_iter().filter_map(cause).collect();
    Said { code: json::text(object, CODE), message, request_id, causes }
}

/// Code and message of an error under a good status.
pub(super) fn disguised(body: &Object) -> Option<(String, String)> {
    let said = said(body);
    let message = said.words();
    let code = said.code.filter(|code| !["200", "ok", "success"].contains(&code.to_ascii_lowercase().as_str()))?;
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
    let (message, request_id) = (element("Message").unwrap_or_default(), element("RequestId"));
    Some(Said { code: Some(code), message, request_id, causes: Vec::new() })
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
mod tests;
