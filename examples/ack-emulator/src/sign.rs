//! The gate: rebuilds the string to sign from the request as it came, for the three signatures of ack-api b, and checks
//! key, token, date, nonce and signature in the order of b.5. Written apart from every client; signs nothing.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::AccessKey;
use crate::received::{Received, encoded};
use crate::refusal::Refusal;
use crate::settings::{Settings, Switch};

/// Which of the signatures of ack-api b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Acs3,
    Roa,
    Rpc,
}

impl Scheme {
    /// The word for the journal.
    pub fn word(self) -> &'static str {
        match self {
            Scheme::Acs3 => "acs3",
            Scheme::Roa => "roa",
            Scheme::Rpc => "rpc",
        }
    }
}

/// What a request says about its sender.
#[derive(Debug)]
pub struct Claim {
    pub scheme: Scheme,
    pub access_key: String,
    pub nonce: Option<String>,
    /// As sent.
    pub date: Option<String>,
    token: Option<String>,
    signature: String,
    /// The names of the headers that ACS3 says it signed.
    signed: Vec<String>,
}

/// Reads who sent the request and how it is signed.
///
/// # Errors
/// 400 `IncompleteSignature` when nothing of the three kinds is there.
pub fn claim(request: &Received) -> Result<Claim, Refusal> {
    let authorization = request.header("authorization").unwrap_or_default();
    let header = |name: &str| request.header(name).map(str::to_owned);
    if let Some(fields) = authorization.strip_prefix("ACS3-HMAC-SHA256 ") {
        let field = |name: &str| {
            let named = |part: &str| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
            fields.split(',').find_map(named).ok_or_else(|| incomplete(&format!("Authorization has no {name}")))
        };
        return Ok(Claim {
            scheme: Scheme::Acs3,
            access_key: field("Credential")?,
            signature: field("Signature")?,
            signed: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            nonce: header("x-acs-signature-nonce"),
            date: header("x-acs-date"),
            token: header("x-acs-security-token"),
        });
    }
    if let Some((access_key, signature)) = authorization.strip_prefix("acs ").and_then(|pair| pair.split_once(':')) {
        return Ok(Claim {
            scheme: Scheme::Roa,
            access_key: access_key.to_owned(),
            signature: signature.to_owned(),
            signed: Vec::new(),
            nonce: header("x-acs-signature-nonce"),
            date: header("date"),
            token: header("x-acs-security-token"),
        });
    }
    let mut parameters: HashMap<String, String> = request.parameters().into_iter().collect();
    match (parameters.remove("AccessKeyId"), parameters.remove("Signature")) {
        (Some(access_key), Some(signature)) => Ok(Claim {
            scheme: Scheme::Rpc,
            access_key,
            signature,
            signed: Vec::new(),
            nonce: parameters.remove("SignatureNonce"),
            date: parameters.remove("Timestamp"),
            token: parameters.remove("SecurityToken"),
        }),
        _ => Err(incomplete("the request is not signed")),
    }
}

/// The nonces seen, and nothing else.
#[derive(Debug, Default)]
pub struct Gate {
    nonces: HashMap<(String, String), Timestamp>,
}

impl Gate {
    /// Lets a request in as one of `keys`, or says why not; in the order of ack-api b.5.
    ///
    /// # Errors
    /// The gateway's refusals. A nonce counts as used only by a request that was signed well.
    pub fn admit<'k>(
        &mut self,
        request: &Received,
        claim: &Claim,
        keys: &'k [AccessKey],
        settings: &Settings,
        now: Timestamp,
    ) -> Result<&'k AccessKey, Refusal> {
        let refuse = |code: &str, message: &str| Refusal::gateway(400, code, message);
        let Some(key) = keys.iter().find(|key| key.id == claim.access_key) else {
            return Err(Refusal::gateway(404, "InvalidAccessKeyId.NotFound", "the access key is not known"));
        };
        if settings.inactive_keys.contains(&key.id) {
            return Err(refuse("InvalidAccessKeyId.Inactive", "the access key is switched off"));
        }
        match (&key.token, &claim.token) {
            (None, Some(_)) => {
                let code = "InvalidSecurityToken.MismatchWithAccessKey";
                return Err(refuse(code, "the access key has no security token"));
            }
            (Some(_), None) => return Err(refuse("MissingSecurityToken", "the access key needs its security token")),
            (Some(wanted), Some(sent)) if wanted != sent => {
                return Err(refuse("InvalidSecurityToken.Malformed", "the security token is wrong"));
            }
            (Some(_), Some(_)) if settings.expired_tokens.contains(&key.id) => {
                return Err(refuse("InvalidSecurityToken.Expired", "the security token has expired"));
            }
            _ => {}
        }
        complete(request, claim)?;
        let date = date_of(claim).ok_or_else(|| refuse("InvalidTimeStamp.Format", "the date is not well formed"))?;
        if settings.date_check == Switch::On && now.duration_since(date).abs() > settings.date_window {
            return Err(refuse("InvalidTimeStamp.Expired", "the date is too far from the gateway's clock"));
        }
        let memory = settings.date_window.saturating_mul(2);
        self.nonces.retain(|_, seen| now.duration_since(*seen) <= memory);
        // The oldest SDK sends no nonce; that is not the same as sending an empty one twice (ack-api j).
        let nonce = claim.nonce.clone().map(|nonce| (key.account.clone(), nonce));
        if settings.nonce_check == Switch::On && nonce.as_ref().is_some_and(|nonce| self.nonces.contains_key(nonce)) {
            return Err(refuse("SignatureNonceUsed", "the nonce was used before"));
        }
        verify(request, claim, &key.secret)?;
        if let Some(nonce) = nonce {
            self.nonces.insert(nonce, now);
        }
        Ok(key)
    }
}

/// A second opinion on one signed request: whether a fresh gate lets it in at `now`, else the code of its refusal.
pub fn judge(
    key: &AccessKey,
    method: &str,
    target: &str,
    headers: Vec<(String, String)>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), String> {
    let request = Received::new(method, target, headers, body.to_vec().into());
    let keys = std::slice::from_ref(key);
    let admitted = claim(&request)
        .and_then(|claim| Gate::default().admit(&request, &claim, keys, &Settings::default(), now).map(drop));
    admitted.map_err(|refusal| refusal.code)
}

/// The headers that each scheme must bring (ack-api a.2).
fn complete(request: &Received, claim: &Claim) -> Result<(), Refusal> {
    let wanted: &[&str] = match claim.scheme {
        Scheme::Acs3 => &["host", "x-acs-version", "x-acs-action", "x-acs-date", "x-acs-signature-nonce"],
        Scheme::Roa => &["date", "x-acs-version", "x-acs-signature-method", "x-acs-signature-version"],
        Scheme::Rpc => &[],
    };
    if let Some(name) = wanted.iter().find(|name| request.header(name).is_none()) {
        return Err(Refusal::gateway(400, "MissingParameter", format!("the header {name} is missing")));
    }
    match claim.scheme {
        Scheme::Acs3 => {
            let must = |name: &str| name == "host" || name.starts_with("x-acs-");
            let unsigned = request.headers.iter().find(|(name, _)| must(name) && !claim.signed.contains(name));
            match unsigned {
                Some((name, _)) => Err(incomplete(&format!("the header {name} is not signed"))),
                None => Ok(()),
            }
        }
        Scheme::Roa => {
            let form = (request.header("x-acs-signature-method"), request.header("x-acs-signature-version"));
            let known = form == (Some("HMAC-SHA1"), Some("1.0"));
            if known { Ok(()) } else { Err(incomplete("the signature must be HMAC-SHA1, version 1.0")) }
        }
        Scheme::Rpc => match (&claim.nonce, &claim.date) {
            (Some(_), Some(_)) => Ok(()),
            _ => Err(incomplete("SignatureNonce or Timestamp is missing")),
        },
    }
}

fn date_of(claim: &Claim) -> Option<Timestamp> {
    let date = claim.date.as_deref()?;
    match claim.scheme {
        Scheme::Roa => jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok(),
        Scheme::Acs3 | Scheme::Rpc => {
            let whole_seconds = date.len() == "2026-03-02T08:15:30Z".len() && date.ends_with('Z');
            whole_seconds.then(|| date.parse().ok()).flatten()
        }
    }
}

fn verify(request: &Received, claim: &Claim, secret: &str) -> Result<(), Refusal> {
    let text = string_to_sign(request, claim);
    let good = match claim.scheme {
        Scheme::Acs3 => {
            let honest = request.header("x-acs-content-sha256") == Some(&payload_hash(request));
            honest && unhex(&claim.signature).is_some_and(|signature| same::<Hmac<Sha256>>(secret, &text, &signature))
        }
        Scheme::Roa => {
            // Under the async SDK the HTTP library adds a content type to bodiless requests after they were signed.
            let untyped = || {
                let mut request = request.clone();
                request.headers.retain(|(name, _)| name != "content-type");
                request.body.is_empty() && sha1_matches(secret, &string_to_sign(&request, claim), &claim.signature)
            };
            sha1_matches(secret, &text, &claim.signature) || untyped()
        }
        Scheme::Rpc => sha1_matches(&format!("{secret}&"), &text, &claim.signature),
    };
    if good {
        return Ok(());
    }
    // The colon is part of the form: an old SDK breaks without one (ack-api j).
    let message = format!("the signature does not match. server string to sign is:{text}");
    Err(Refusal::gateway(400, "SignatureDoesNotMatch", message))
}

/// The string to sign of the claim's scheme (ack-api b.1, b.2, b.4).
fn string_to_sign(request: &Received, claim: &Claim) -> String {
    match claim.scheme {
        Scheme::Roa => {
            let line = |name: &str| request.header(name).unwrap_or_default();
            let mut own: Vec<_> = request.headers.iter().filter(|(name, _)| name.starts_with("x-acs-")).collect();
            own.sort();
            let blank = |c: char| if matches!(c, '\t' | '\r' | '\n' | '\u{c}') { ' ' } else { c };
            let own = own.iter().map(|(name, value)| {
                let value: String = value.chars().map(blank).collect();
                format!("{name}:{}\n", value.trim())
            });
            let mut query = request.query.clone();
            query.sort_by(|a, b| a.0.cmp(&b.0));
            let query = query.iter().map(|(name, value)| match value.is_empty() {
                true => name.clone(),
                false => format!("{name}={value}"),
            });
            let query = query.collect::<Vec<_>>().join("&");
            [
                format!("{}\n{}\n", request.method, line("accept")),
                format!("{}\n{}\n{}\n", line("content-md5"), line("content-type"), line("date")),
                own.collect(),
                request.path.clone(),
                if query.is_empty() { query } else { format!("?{query}") },
            ]
            .concat()
        }
        Scheme::Acs3 => {
            let mut signed = claim.signed.clone();
            signed.sort();
            let headers = signed.iter().map(|name| {
                let value = request.header(name).unwrap_or_default();
                format!("{name}:{}\n", value.trim())
            });
            let canonical = [
                request.method.clone(),
                request.path.clone(),
                canonical_query(request.query.clone()),
                headers.collect(),
                claim.signed.join(";"),
                payload_hash(request),
            ]
            .join("\n");
            format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)))
        }
        Scheme::Rpc => {
            let parameters = request.parameters().into_iter().filter(|(name, _)| name != "Signature").collect();
            format!("{}&%2F&{}", request.method, encoded(&canonical_query(parameters)))
        }
    }
}

fn canonical_query(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn payload_hash(request: &Received) -> String {
    hex(&Sha256::digest(&request.body))
}

fn sha1_matches(secret: &str, text: &str, signature: &str) -> bool {
    STANDARD.decode(signature).is_ok_and(|signature| same::<Hmac<Sha1>>(secret, text, &signature))
}

/// Compares in constant time.
fn same<M: Mac + KeyInit>(secret: &str, text: &str, signature: &[u8]) -> bool {
    let mac = <M as KeyInit>::new_from_slice(secret.as_bytes());
    mac.is_ok_and(|mac| mac.chain_update(text).verify_slice(signature).is_ok())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect()).flatten()
}

fn incomplete(message: &str) -> Refusal {
    Refusal::gateway(400, "IncompleteSignature", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use serde_json::Value;

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/signature-vectors.json");
        serde_json::from_str(&std::fs::read_to_string(path).expect("the vectors are there")).expect("JSON")
    }

    fn text<'v>(value: &'v Value, name: &str) -> &'v str {
        value[name].as_str().unwrap_or_default()
    }

    /// The request of a vector as it would come over the wire, and the key that signed it.
    fn received(vector: &Value) -> (Received, AccessKey) {
        let (input, expected) = (&vector["input"], &vector["expected"]);
        let query = input["query_decoded"].as_object().expect("a query");
        let mut query: Vec<_> =
            query.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
        if expected["final_headers"].is_null() {
            query.push(("Signature".into(), text(expected, "signature_base64").into()));
        }
        let target = format!("{}?{}", text(input, "path"), canonical_query(query.clone()));
        let headers = expected["final_headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
        let body = text(input, "body").as_bytes().to_vec();
        let id = match text(input, "access_key_id") {
            "" => text(&input["query_decoded"], "AccessKeyId"),
            id => id,
        };
        let token = input["security_token"].as_str().or(input["query_decoded"]["SecurityToken"].as_str());
        let key = AccessKey {
            id: id.into(),
            secret: text(input, "access_key_secret").into(),
            account: "1".into(),
            token: token.map(str::to_owned),
        };
        (Received::new(text(input, "method"), &target, headers, body.into()), key)
    }

    #[test]
    fn signature_vectors_of_the_official_sdk_are_let_in_and_any_changed_byte_is_not() {
        let vectors = vectors();
        let settings = Settings::default();
        let mut count = 0;
        for kind in ["roa_hmac_sha1", "acs3_hmac_sha256", "rpc_hmac_sha1_sts"] {
            for vector in vectors[kind].as_array().expect("vectors") {
                let id = text(vector, "id");
                let (request, key) = received(vector);
                let keys = [key];
                let claim = claim(&request).expect(id);
                let wanted = text(&vector["expected"], "string_to_sign");
                assert_eq!(string_to_sign(&request, &claim), wanted, "{id}");
                let now = date_of(&claim).expect(id);
                let mut gate = Gate::default();
                gate.admit(&request, &claim, &keys, &settings, now).expect(id);

                let code = |request: &Received, now: Timestamp, gate: &mut Gate| {
                    gate.admit(request, &claim, &keys, &settings, now).expect_err(id).code
                };
                if claim.nonce.is_some() {
                    assert_eq!(code(&request, now, &mut gate), "SignatureNonceUsed", "{id}");
                }
                let mut changed = request.clone();
                changed.path.push('x');
                let changed_query = [("Zz".to_owned(), "1".to_owned())];
                changed.query.extend(changed_query);
                assert_eq!(code(&changed, now, &mut Gate::default()), "SignatureDoesNotMatch", "{id}");
                for late in [901, -901] {
                    let now = now + SignedDuration::from_secs(late);
                    assert_eq!(code(&request, now, &mut Gate::default()), "InvalidTimeStamp.Expired", "{id}");
                }
                count += 1;
            }
        }
        assert!(count >= 30, "only {count} vectors were read");
    }

    #[test]
    fn a_nonce_is_remembered_for_two_windows_and_burnt_only_by_a_good_signature() {
        let vectors = vectors();
        let (request, key) = received(&vectors["acs3_hmac_sha256"][0]);
        let claim = claim(&request).expect("signed");
        let now = date_of(&claim).expect("dated");
        let inert = Settings { date_check: Switch::Off, ..Settings::default() };
        let mut gate = Gate::default();
        let wrong = [AccessKey { secret: "wrong".into(), ..key.clone() }];
        let refused = gate.admit(&request, &claim, &wrong, &inert, now).expect_err("a wrong secret");
        assert_eq!(refused.code, "SignatureDoesNotMatch");
        let keys = [key];
        let mut come = |seconds: i64| {
            let now = now + SignedDuration::from_secs(seconds);
            gate.admit(&request, &claim, &keys, &inert, now).map_or_else(|refusal| refusal.code, |_| "in".into())
        };
        let seen: Vec<String> = [0, 1800, 1801, 1802].into_iter().map(&mut come).collect();
        assert_eq!(seen, ["in", "SignatureNonceUsed", "in", "SignatureNonceUsed"]);
    }
}
