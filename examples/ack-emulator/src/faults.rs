//! Rules that make calls go wrong (their times are real time), and the counting that says which call they meet. Acts on nothing itself: the HTTP
//! face does what a rule says.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// On which side of the effect a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Before,
    After,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Do {
    /// `"drop"`, `"hang"`, `"duplicate"`.
    Word(Word),
    Delay(Delay),
    Hold(Hold),
    Duplicate(Duplicate),
    Mangle(Mangle),
    Raw(Raw),
    Status(Status),
}

/// Faults without a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The connection is closed without an answer.
    Drop,
    /// The connection stays open, no answer comes; before the effect the call is lost.
    Hang,
    /// The call is delivered twice; the client gets the answer to the second copy.
    Duplicate,
}

/// `{"delay": "2s"}`: before the effect the backend is slow (date and nonce are already checked), after it the answer is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub delay: SignedDuration,
}

/// `{"hold": "5s"}`: the network holds the call; it is checked and done when it is delivered, client or no client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub hold: SignedDuration,
}

/// `{"duplicate": "first"}` or `"second"`: as the word, with a choice of the answer that the client gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    pub duplicate: Copied,
}

/// Whose answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copied {
    First,
    Second,
}

/// `{"raw": "HTTP/1.1 200 OK\\r\\n", "then": "stall"}`: these bytes instead of an answer, whatever they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    pub raw: String,
    #[serde(default, skip_serializing_if = "is_close")]
    pub then: Then,
}

fn is_close(then: &Then) -> bool {
    *then == Then::Close
}

/// How a connection ends after raw bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// In good order.
    #[default]
    Close,
    /// With a TCP reset.
    Reset,
    /// Not at all: nothing more comes.
    Stall,
    /// The second half of the bytes comes one a second.
    Drip,
}

/// `{"mangle": "nulls"}`: the true answer, spoilt. It strikes after the effect, whatever `when` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mangle {
    pub mangle: Spoilt,
}

/// In which way an answer is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoilt {
    /// No member `state` at any depth.
    NoState,
    /// `null` in the place of every text, number and flag.
    Nulls,
    /// Texts become numbers, numbers texts, lists objects and objects lists; the outermost object stays one.
    WrongTypes,
    /// Every `state` is a word that nobody knows.
    UnknownWords,
    /// `task_id` and `request_id` have changed places.
    SwappedIds,
    /// The second half is missing, and the length is that of what is there.
    Truncated,
    /// The second half is missing, and the length is that of the whole.
    CutOff,
    /// No member `tags` at any depth.
    NoTags,
    /// The first member is given twice.
    Twice,
    /// A byte order mark comes first.
    Marked,
    /// Every `total_count` is one too many.
    Overcount,
    /// The last cluster of a list is missing.
    Torn,
}

impl Spoilt {
    /// The spoilt form of an answer.
    pub fn spoil(self, body: &str) -> String {
        let half = || body.chars().take(body.chars().count() / 2).collect();
        let Ok(mut value) = serde_json::from_str::<Value>(body) else { return half() };
        match self {
            Spoilt::Truncated | Spoilt::CutOff => return half(),
            Spoilt::SwappedIds => {
                if let (Some(task), Some(request)) = (value.get("task_id").cloned(), value.get("request_id").cloned()) {
                    (value["task_id"], value["request_id"]) = (request, task);
                }
            }
            Spoilt::WrongTypes => match &mut value {
                Value::Object(members) => members.values_mut().for_each(retype),
                other => retype(other),
            },
            Spoilt::Torn => drop(value.get_mut("clusters").and_then(Value::as_array_mut).and_then(Vec::pop)),
            Spoilt::Marked => return format!("\u{feff}{body}"),
            Spoilt::Twice => {
                let first = value.as_object().and_then(|members| members.keys().next()).cloned().unwrap_or_default();
                return body.replacen('{', &format!("{{{}:null,", Value::from(first)), 1);
            }
            Spoilt::NoState | Spoilt::NoTags | Spoilt::Nulls | Spoilt::Overcount | Spoilt::UnknownWords => {
                self.walk(&mut value);
            }
        }
        value.to_string()
    }

    fn walk(self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                match self {
                    Spoilt::NoState => drop(members.remove("state")),
                    Spoilt::NoTags => drop(members.remove("tags")),
                    Spoilt::Overcount => {
                        if let Some(count) = members.get("total_count").and_then(Value::as_i64) {
                            members.insert("total_count".into(), (count + 1).into());
                        }
                    }
                    Spoilt::UnknownWords if members.contains_key("state") => {
                        members.insert("state".into(), "hibernating\u{7f}集群".into());
                    }
                    _ => {}
                }
                members.values_mut().for_each(|member| self.walk(member));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            leaf if self == Spoilt::Nulls => *leaf = Value::Null,
            _ => {}
        }
    }
}

fn retype(value: &mut Value) {
    *value = match std::mem::take(value) {
        Value::Null => Value::from("null"),
        Value::Bool(flag) => Value::from(vec![flag]),
        Value::Number(number) => Value::from(format!("about {number}")),
        Value::String(text) => Value::from(text.len()),
        Value::Array(items) => {
            Value::Object(items.into_iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect())
        }
        Value::Object(members) => Value::Array(members.into_iter().map(|(_, member)| member).collect()),
    };
}

/// `{"status": 503, "code": "...", "message": "...", "headers": {}, "body": "text"}`: another answer. A `body` that is
/// text is sent as it is. One that is an object is an error in ACK's shape: where it lacks `code`, `message`, `requestId`
/// or `status`, they are added. Without `body`, an error in the gateway's shape, or in ACK's with `"shape": "ack"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub status: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<ShapeWord>,
}

impl Status {
    /// The body that is sent. `made` makes the one of an answer that has none of its own.
    pub fn text(&self, request_id: &str, made: impl FnOnce() -> Value) -> String {
        match &self.body {
            None => made().to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(body) => {
                let mut body = body.clone();
                let own = [
                    ("code", self.code.as_str().into()),
                    ("message", self.message.as_str().into()),
                    ("requestId", request_id.into()),
                    ("status", self.status.into()),
                ];
                for (name, value) in own {
                    body.as_object_mut().map(|members: &mut Map<_, _>| members.entry(name).or_insert(value));
                }
                body.to_string()
            }
        }
    }
}

/// The spelling of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeWord {
    Ack,
    Gateway,
}

/// A rule: the `nth` matching call from now on (default the first), or every one from there on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// An operation's name; absent or `*`: any.
    #[serde(default = "any")]
    pub operation: String,
    #[serde(default)]
    pub when: When,
    #[serde(rename = "do")]
    pub action: Do,
    #[serde(default = "first")]
    pub nth: u64,
    #[serde(default)]
    pub every: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// A part of the path with its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
}

fn any() -> String {
    "*".into()
}

fn first() -> u64 {
    1
}

/// What a call claims to be, before anything is checked.
#[derive(Debug)]
pub struct Facts<'a> {
    pub operation: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub access_key: &'a str,
    pub path: &'a str,
}

impl Rule {
    fn matches(&self, facts: &Facts<'_>) -> bool {
        let is = |wish: &Option<String>, fact: &str| wish.as_deref().is_none_or(|wish| wish == fact);
        (self.operation == "*" || self.operation == facts.operation)
            && is(&self.region, facts.region)
            && is(&self.account, facts.account)
            && is(&self.access_key, facts.access_key)
            && self.path_contains.as_deref().is_none_or(|part| facts.path.contains(part))
    }

    fn duplicates(&self) -> bool {
        matches!(self.action, Do::Word(Word::Duplicate) | Do::Duplicate(_))
    }
}

/// The rules in force, each with its count of matching calls.
#[derive(Debug, Default)]
pub struct Faults(Vec<(Rule, u64)>);

impl Faults {
    /// Puts a rule in force.
    pub fn add(&mut self, rule: Rule) {
        self.0.push((rule, 0));
    }

    /// Drops all rules.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules in force.
    pub fn rules(&self) -> Vec<Rule> {
        self.0.iter().map(|(rule, _)| rule.clone()).collect()
    }

    /// Counts a call and hands out what strikes it. A copy made by `duplicate` is counted by all rules but those that
    /// duplicate, or it would be copied for ever.
    pub fn strike(&mut self, facts: &Facts<'_>, copy: bool) -> Vec<(When, Do)> {
        let mut fired = Vec::new();
        self.0.retain_mut(|(rule, count)| {
            if (copy && rule.duplicates()) || !rule.matches(facts) {
                return true;
            }
            *count += 1;
            if *count < rule.nth {
                return true;
            }
            fired.push((rule.when, rule.action.clone()));
            rule.every
        });
        fired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(json: serde_json::Value) -> Rule {
        serde_json::from_value(json).expect("a rule")
    }

    #[test]
    fn a_rule_strikes_the_nth_matching_call_once_or_every_call_from_there_on() {
        let cases = [
            (json!({"do": "drop"}), "ABA", "x--"),
            (json!({"operation": "A", "do": "drop", "nth": 2}), "ABAA", "--x-"),
            (json!({"operation": "A", "do": "drop", "every": true}), "ABA", "x-x"),
            (json!({"operation": "A", "do": {"delay": "2s"}, "nth": 2, "every": true}), "AABA", "-x-x"),
            (json!({"region": "elsewhere", "do": "hang"}), "AA", "--"),
            (json!({"path_contains": "/B", "do": "hang", "every": true}), "ABB", "-xx"),
        ];
        for (json, calls, wanted) in cases {
            let mut faults = Faults::default();
            faults.add(rule(json.clone()));
            let seen: String = calls
                .chars()
                .map(|call| {
                    let (operation, path) = (call.to_string(), format!("/{call}"));
                    let facts = Facts { operation: &operation, region: "", account: "", access_key: "", path: &path };
                    if faults.strike(&facts, false).is_empty() { '-' } else { 'x' }
                })
                .collect();
            assert_eq!(seen, wanted, "{json}");
        }
    }

    #[test]
    fn an_answer_can_be_spoilt_in_every_way() {
        let answer = r#"{"state":"running","size":3,"task_id":"T-1","request_id":"R","parts":[{"state":"done"}]}"#;
        for (way, wanted) in [
            (Spoilt::NoState, json!({"size": 3, "task_id": "T-1", "request_id": "R", "parts": [{}]})),
            (
                Spoilt::Nulls,
                json!({"state": null, "size": null, "task_id": null, "request_id": null, "parts": [{"state": null}]}),
            ),
            (
                Spoilt::WrongTypes,
                json!({"state": 7, "size": "about 3", "task_id": 3, "request_id": 1, "parts": {"0": {"state": "done"}}}),
            ),
            (
                Spoilt::SwappedIds,
                json!({"state": "running", "size": 3, "task_id": "R", "request_id": "T-1", "parts": [{"state": "done"}]}),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Value>(&way.spoil(answer)).expect("JSON"), wanted);
        }
        assert!(Spoilt::UnknownWords.spoil(answer).matches("hibernating").count() == 2);
        assert_eq!(Spoilt::CutOff.spoil(answer), answer[..answer.len() / 2]);
        assert_eq!(Spoilt::Twice.spoil(r#"{"a":1}"#), r#"{"a":null,"a":1}"#);
        assert_eq!(Spoilt::Marked.spoil(answer), format!("\u{feff}{answer}"));
        let list = r#"{"clusters":[{"tags":[1]},{"tags":[2]}],"page_info":{"total_count":2}}"#;
        for (way, wanted) in [
            (Spoilt::NoTags, json!({"clusters": [{}, {}], "page_info": {"total_count": 2}})),
            (Spoilt::Torn, json!({"clusters": [{"tags": [1]}], "page_info": {"total_count": 2}})),
            (Spoilt::Overcount, json!({"clusters": [{"tags": [1]}, {"tags": [2]}], "page_info": {"total_count": 3}})),
        ] {
            assert_eq!(serde_json::from_str::<Value>(&way.spoil(list)).expect("JSON"), wanted);
        }
    }

    #[test]
    fn every_form_of_do_is_understood_and_written_back_as_it_came() {
        for form in [
            json!("drop"),
            json!("hang"),
            json!("duplicate"),
            json!({"delay": "2s"}),
            json!({"hold": "1m 30s"}),
            json!({"duplicate": "first"}),
            json!({"mangle": "no_state"}),
            json!({"raw": "SSH-2.0\r\n"}),
            json!({"raw": "", "then": "reset"}),
            json!({"status": 503, "code": "Throttling", "headers": {"x-acs-retry-after": "1500"}, "body": "<html>"}),
        ] {
            let read: Do = serde_json::from_value(form.clone()).expect("understood");
            assert_eq!(serde_json::to_value(read).expect("written"), form);
        }
        for wrong in [json!("explode"), json!({"delay": "2s", "hold": "1s"}), json!({"code": "x"}), json!({})] {
            assert!(serde_json::from_value::<Do>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
