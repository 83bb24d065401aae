//! Makes text from the outside safe for a status, an event and a log: no secrets, no request ids, no control characters,
//! bounded. Never decides anything.

use std::sync::Arc;

use serde_json::Value;

mod spelling;

use spelling::Spellings;

/// The longest text that reaches a status, in characters.
pub const BOUND: usize = 512;

const MASK: &str = "***";

/// The values that must not appear anywhere, whatever ACK echoes. Cheap to clone: what is masked is worked out when a value
/// is added, for texts are cleaned more often.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Spellings>);

/// Members of a request whose values are secret or may hold secrets (ack-api f.1).
const SECRET_MEMBERS: [&str; 6] = ["login_password", "password", "user_data", "pre_user_data", "config", "policy"];

impl Secrets {
    /// The value, its parts, and the spellings in which they may come back. Short ones are left alone: masking them would
    /// only garble the text.
    pub fn add(&mut self, value: &str) {
        Arc::make_mut(&mut self.0).add(value);
    }

    /// The secret members of a request's body, at any depth.
    pub fn add_body(&mut self, body: &Value) {
        match body {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if SECRET_MEMBERS.contains(&name.as_str()) => self.add(text),
                        Value::Number(number) if SECRET_MEMBERS.contains(&name.as_str()) => {
                            self.add(&number.to_string())
                        }
                        _ => self.add_body(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_body(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// `text` in one line, cut to 512 characters, without these secrets, request ids and what looks like a key.
    pub fn clean(&self, text: &str) -> String {
        let text = self.0.mask(text);
        let line =
            text.split(|c: char| c.is_control() || c.is_whitespace() || hidden(c)).filter(|word| !word.is_empty());
        let words: Vec<String> = line.map(clean_word).filter(|word| !word.is_empty()).collect();
        cut(&words.join(" "), BOUND)
    }
}

/// At most `bound` characters; what is cut off is shown by an ellipsis.
pub fn cut(text: &str, bound: usize) -> String {
    match text.char_indices().nth(bound) {
        None => text.to_owned(),
        Some(_) => text.chars().take(bound - 1).chain(['…']).collect(),
    }
}

/// Characters that show nothing but can turn the text round them, or hide in it.
fn hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn clean_word(word: &str) -> String {
    let part_of_a_key = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let mut out = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(|c| !part_of_a_key(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        if looks_like_a_key(run) {
            out.push_str(MASK);
        } else if !is_uuid(run) {
            out.push_str(run);
        }
        let separator = tail.find(part_of_a_key).unwrap_or(tail.len());
        out.push_str(&tail[..separator]);
        rest = &tail[separator..];
    }
    out
}

/// Access key ids by their prefix; secrets and tokens by the mixture that names and ids of the API never have: ids are
/// lower case, names hold at most one digit.
fn looks_like_a_key(run: &str) -> bool {
    let count = |kind: fn(&u8) -> bool| run.bytes().filter(kind).count();
    run.len() >= 12 && run.starts_with("LTAI")
        || run.len() >= 20
            && count(u8::is_ascii_uppercase) > 1
            && count(u8::is_ascii_lowercase) > 1
            && count(u8::is_ascii_digit) > 1
}

fn is_uuid(run: &str) -> bool {
    let groups: Vec<_> = run.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cleaned_of_what_must_not_be_shown_and_keeps_what_helps() {
        let mut secrets = Secrets::default();
        secrets.add("FAKEsecretFAKE");
        secrets.add("abc");
        secrets.add_body(&serde_json::json!({
            "name": "demo-cluster", "login_password": "Hello1234", "nodepools": [{"kubernetes_config": {"user_data": "IyEvYmluL3No"}}],
            "addons": [{"config": "{\"token\":\"xyz\"}"}],
        }));
        for (text, clean) in [
            (
                "cluster c1f4a0b2c3d4e5f60718293a4b5c6d7e8 not found",
                "cluster c1f4a0b2c3d4e5f60718293a4b5c6d7e8 not found",
            ),
            ("a\u{0}b\r\nc\td \u{202e}e", "a b c d e"),
            ("key FAKEsecretFAKE, abc", "key ***, abc"),
            ("password Hello1234! data=IyEvYmluL3No {\"token\":\"xyz\"}", "password ***! data=*** ***"),
            (
                "in other words SGVsbG8xMjM0 48656c6c6f31323334 FAKEsecretFAKE%21, #!/bin/sh",
                "in other words *** *** ***%21, ***",
            ),
            ("request 5D2E7C1A-9B3F-4E60-8A17-0C4D2F6B9E31 failed", "request failed"),
            ("id LTAI5tFakeFakeFake", "id ***"),
            ("STS.NUFake0Token1Of2Temporary3 bad", "STS.*** bad"),
            ("token:CAISFAKE0tokenFAKE/fake+token=fakeFAKE1234567890== x", "token:*** x"),
            (
                "AliyunLinux3ContainerOptimized at https://ram.console.aliyun.com/role/authorize",
                "AliyunLinux3ContainerOptimized at https://ram.console.aliyun.com/role/authorize",
            ),
            ("集群 名称", "集群 名称"),
        ] {
            assert_eq!(secrets.clean(text), clean);
        }
    }

    /// A value as it stands in a Secret, what ACK makes of it, and what is shown.
    #[test]
    fn a_secret_is_masked_in_every_form_in_which_it_comes_back() {
        let script = "#!/bin/sh\nexport TOKEN='a\"b-0123'\nrun";
        let config = r#"{"endpoint": {"token": "tok<en>-0123", "pin": 12345678}, "on": true, "deep": "{\"key\":\"inner-0123\"}"}"#;
        for (value, text, clean) in [
            ("Hello1234!\n", "bad password Hello1234! here", "bad password *** here"),
            ("Hello1234!\r\n", r#"bad password "Hello1234!" here"#, r#"bad password "***" here"#),
            ("Hello1234!\n", r#"bad password "Hello1234!\n" here"#, r#"bad password "***" here"#),
            ("Hello\u{7}1234", r#"as %q "Hello\a1234", as JSON "Hello\u00071234""#, r#"as %q "***", as JSON "***""#),
            ("a\\b\"c-0123", r#""a\\b\"c-0123" and "a\\\\b\\\"c-0123""#, r#""***" and "***""#),
            (script, "line 2: export TOKEN='a\"b-0123': no", "line 2: ***: no"),
            (script, r#"line "export TOKEN='a\"b-0123'": no"#, r#"line "***": no"#),
            (script, "#!/bin/sh export TOKEN='a\"b-0123' run", "***"),
            ("IyEvYmluL3NoCmV4cG9ydCBUT0tFTj1hYmMxMjMK", "sh: export TOKEN=abc123", "sh: ***"),
            ("IyEvYmluL3NoCmV4cG9ydCBUT0tFTj1hYmMxMjMK", "#!/bin/sh\nexport", "*** export"),
            (config, "unknown token tok<en>-0123", "unknown token ***"),
            (config, r"unknown token tok\u003cen\u003e-0123", "unknown token ***"),
            (config, "unknown pin 12345678 of inner-0123", "unknown pin *** of ***"),
            (
                config,
                r#"{"deep":"{\"key\":\"inner-0123\"}","endpoint":{"pin":12345678,"token":"tok<en>-0123"},"on":true}"#,
                "***",
            ),
            ("Hello1234?>", "SGVsbG8xMjM0Pz4= SGVsbG8xMjM0Pz4 Hello1234%3F%3E", "*** *** ***"),
            ("long-secret and more", "long-secret+and+more long-secret%20and%20more", "*** ***"),
        ] {
            let mut secrets = Secrets::default();
            secrets.add(value);
            assert_eq!(secrets.clean(text), clean, "{value:?} in {text}");
        }
    }

    #[test]
    fn of_two_secrets_that_share_a_part_nothing_is_left() {
        for order in
            [["secret-one", "secret-one-and-two", "two-three"], ["two-three", "secret-one-and-two", "secret-one"]]
        {
            let mut secrets = Secrets::default();
            order.iter().for_each(|value| secrets.add(value));
            assert_eq!(secrets.clean("x secret-one-and-two-three y secret-one-"), "x *** y ***-");
        }
    }

    /// 64 KiB of user data and an answer of 4 MiB: worked out once, then one walk over the text.
    #[test]
    fn large_secrets_and_large_texts_are_masked_in_no_time() {
        let script: String = (0..2000).map(|n| format!("echo line number {n} of a script\n")).collect();
        let mut secrets = Secrets::default();
        secrets.add(&script);
        let text = "echo line number 77 of a script, echo line number ".repeat(80_000);
        let begun = std::time::Instant::now();
        assert!(secrets.clean(&text).starts_with("***, echo line number ***, echo"));
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn text_is_cut_by_characters_not_bytes() {
        let clean = Secrets::default().clean(&"集".repeat(600));
        assert_eq!((clean.chars().count(), clean.chars().last()), (BOUND, Some('…')));
        assert_eq!(Secrets::default().clean(&"x".repeat(512)).len(), 512);
    }
}
