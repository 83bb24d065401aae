//! The spellings of secrets: worked out when a secret is added, found in one walk over a text. Never decides what a secret
//! is.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::super::sign::percent_encode;
use super::MASK;

/// What is shorter, in bytes, is not masked.
const SHORTEST: usize = 6;

/// How much of a masked text is kept, in bytes; all that is shown are 512 characters.
const LONGEST: usize = 64 << 10;

/// How deep texts are looked for in texts: JSON in a JSON text in Base64.
const DEPTH: usize = 4;

/// All spellings, by their first bytes, and of those the longest first.
#[derive(Clone, Default)]
pub(super) struct Spellings(HashMap<[u8; SHORTEST], Vec<String>>);

impl Spellings {
    pub fn add(&mut self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let mut texts = Vec::new();
        parts(value, DEPTH, &mut texts);
        for text in texts {
            spell(&text).into_iter().for_each(|spelling| self.insert(spelling));
        }
    }

    fn insert(&mut self, spelling: String) {
        let Some(first) = spelling.as_bytes().first_chunk() else { return };
        let same = self.0.entry(*first).or_default();
        let longest_first = |other: &String| spelling.len().cmp(&other.len()).then_with(|| other.cmp(&spelling));
        if let Err(place) = same.binary_search_by(longest_first) {
            same.insert(place, spelling);
        }
    }

    /// Every byte that belongs to any spelling is covered, so that of two which overlap nothing is left. Of a text that is
    /// far longer than can be shown, the end is left out.
    pub fn mask(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = String::new();
        // Up to where the text is done with, and up to where it is covered.
        let (mut done, mut covered) = (0, 0);
        for (at, first) in bytes.windows(SHORTEST).enumerate() {
            if out.len() > LONGEST && at > covered {
                return out;
            }
            let same = first.first_chunk().and_then(|first: &[u8; SHORTEST]| self.0.get(first));
            let found = same.and_then(|same| same.iter().find(|spelling| bytes[at..].starts_with(spelling.as_bytes())));
            let Some(found) = found else { continue };
            if at > covered || covered == 0 {
                out.push_str(&text[done..at]);
                out.push_str(MASK);
            }
            covered = covered.max(at + found.len());
            done = covered;
        }
        out.push_str(&text[done..]);
        out
    }
}

/// The value and what can be read out of it: without the blanks round it, its lines, the texts in its JSON, and what its
/// Base64 holds, each in turn likewise.
fn parts(value: &str, depth: usize, into: &mut Vec<String>) {
    if value.len() < SHORTEST || depth == 0 {
        return;
    }
    into.push(value.to_owned());
    let trimmed = value.trim();
    if trimmed.len() < SHORTEST {
        return;
    }
    if trimmed != value {
        into.push(trimmed.to_owned());
    }
    if trimmed.contains(['\n', '\r']) {
        let lines = trimmed.split(['\n', '\r']).map(str::trim).filter(|line| line.len() >= SHORTEST);
        into.extend(lines.map(str::to_owned));
        // As it is where somebody made one line of it.
        into.push(trimmed.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if trimmed.starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str::<Value>(trimmed)
    {
        into.push(json.to_string());
        leaves(&json, depth, into);
    }
    let solid: Vec<u8> = trimmed.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if let Some(inner) = STANDARD.decode(solid).ok().and_then(|inner| String::from_utf8(inner).ok()) {
        parts(&inner, depth - 1, into);
    }
}

fn leaves(json: &Value, depth: usize, into: &mut Vec<String>) {
    match json {
        Value::String(text) => parts(text, depth - 1, into),
        Value::Number(number) => parts(&number.to_string(), depth - 1, into),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, depth, into)),
        Value::Object(members) => members.values().for_each(|value| leaves(value, depth, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A text as it is, and as it stands in other things: in JSON, in JSON in JSON, quoted as Go does, in a URL, in Base64, in
/// hex.
fn spell(text: &str) -> Vec<String> {
    let hex = |upper: bool| -> String {
        text.bytes().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect()
    };
    let percent = percent_encode(text);
    let quoted = json_quoted(text);
    vec![
        text.to_owned(),
        html_safe(&quoted),
        json_quoted(&quoted),
        quoted,
        go_quoted(text),
        percent.replace("%20", "+"),
        percent,
        // Without padding for those who cut it off or write on.
        STANDARD.encode(text),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        hex(false),
        hex(true),
    ]
}

fn json_quoted(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Go writes JSON by default.
fn html_safe(quoted: &str) -> String {
    quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// As Go's `%q` writes a text, without the quotes round it.
fn go_quoted(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}
