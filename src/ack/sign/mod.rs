//! Signatures of requests (ack-api b): values in, headers and query out. Never reads a clock, never draws a nonce, does
//! no I/O: date and nonce are arguments, so that a sealed request is signed the same however often it is computed.

pub mod acs3;
pub mod roa;
pub mod rpc;

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

/// Which signature ACK's requests carry (`--signature`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithm {
    /// `ACS3-HMAC-SHA256`, the default of today's SDKs.
    #[default]
    Acs3,
    /// ROA HMAC-SHA1 1.0, and RPC HMAC-SHA1 for STS: what old gateways and proxies know.
    Roa,
}

/// How one request is signed: the algorithm, narrowed by the service that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Acs3,
    Roa,
    Rpc,
}

/// The parts of a request that enter a signature.
pub struct Parts<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Percent-encoded, as sent.
    pub path: &'a str,
    /// Decoded keys and values; a map, because both signatures want them sorted by key in byte order.
    pub query: &'a BTreeMap<String, String>,
    /// Names in lower case. Every one of them is signed.
    pub headers: &'a BTreeMap<String, String>,
    /// Empty where the request has none.
    pub body: &'a [u8],
}

/// A key pair, with its token where the pair is a temporary one.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub id: &'a str,
    pub secret: &'a str,
    pub token: Option<&'a str>,
}

/// What a request says apart from its signature.
pub struct Unsigned<'a> {
    pub scheme: Scheme,
    /// The operation's name, e.g. `CreateCluster`.
    pub action: &'a str,
    /// The API's version, e.g. `2015-12-15`.
    pub version: &'a str,
    pub method: &'a str,
    /// With the port, unless it is the scheme's own.
    pub host: &'a str,
    pub path: &'a str,
    pub query: &'a BTreeMap<String, String>,
    pub body: Option<&'a [u8]>,
    /// Signed in whole seconds; the rest is dropped.
    pub date: Timestamp,
    pub nonce: &'a str,
}

/// A request ready to be sent: all headers but `host` and `user-agent`, and the query as it stands in the URL.
pub struct Signed {
    pub headers: BTreeMap<String, String>,
    pub query: String,
}

impl Unsigned<'_> {
    /// Signs the request. The same arguments give the same bytes.
    pub fn sign(&self, keys: Keys<'_>) -> Signed {
        match self.scheme {
            Scheme::Acs3 => self.sign_acs3(keys),
            Scheme::Roa => self.sign_roa(keys),
            Scheme::Rpc => self.sign_rpc(keys),
        }
    }

    fn sign_acs3(&self, keys: Keys<'_>) -> Signed {
        let body = self.body.unwrap_or_default();
        let mut headers = self.common_headers(keys);
        headers.insert("host".into(), self.host.into());
        headers.insert("x-acs-date".into(), iso(self.date));
        headers.insert("x-acs-content-sha256".into(), acs3::payload_hash(body));
        let parts = Parts { method: self.method, path: self.path, query: self.query, headers: &headers, body };
        let authorization = acs3::authorization(&parts, keys.id, keys.secret);
        headers.remove("host");
        headers.insert("authorization".into(), authorization);
        Signed { headers, query: encoded_query(self.query) }
    }

    fn sign_roa(&self, keys: Keys<'_>) -> Signed {
        let body = self.body.unwrap_or_default();
        let mut headers = self.common_headers(keys);
        headers.insert("date".into(), rfc1123(self.date));
        headers.insert("x-acs-signature-method".into(), "HMAC-SHA1".into());
        headers.insert("x-acs-signature-version".into(), "1.0".into());
        let parts = Parts { method: self.method, path: self.path, query: self.query, headers: &headers, body };
        let authorization = roa::authorization(&parts, keys.id, keys.secret);
        headers.insert("authorization".into(), authorization);
        Signed { headers, query: encoded_query(self.query) }
    }

    fn sign_rpc(&self, keys: Keys<'_>) -> Signed {
        let mut query = self.query.clone();
        let mut set = |key: &str, value: &str| query.insert(key.into(), value.into());
        set("Action", self.action);
        set("Version", self.version);
        set("Format", "JSON");
        set("AccessKeyId", keys.id);
        set("SignatureMethod", "HMAC-SHA1");
        set("SignatureVersion", "1.0");
        set("SignatureNonce", self.nonce);
        set("Timestamp", &iso(self.date));
        if let Some(token) = keys.token {
            set("SecurityToken", token);
        }
        let signature = rpc::signature(&rpc::string_to_sign(self.method, &query), keys.secret);
        query.insert("Signature".into(), signature);
        let headers = BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]);
        Signed { headers, query: encoded_query(&query) }
    }

    fn common_headers(&self, keys: Keys<'_>) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        let mut set = |name: &str, value: &str| headers.insert(name.to_owned(), value.to_owned());
        set("accept", "application/json");
        if self.body.is_some() {
            set("content-type", "application/json; charset=utf-8");
        }
        set("x-acs-action", self.action);
        set("x-acs-version", self.version);
        set("x-acs-signature-nonce", self.nonce);
        if let Some(token) = keys.token {
            set("x-acs-security-token", token);
            set("x-acs-accesskey-id", keys.id);
        }
        headers
    }
}

/// Percent-encoding of RFC 3986: only letters, digits and `-_.~` stay as they are.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a string takes whatever is written to it"),
        }
    }
    out
}

/// The query as it stands in the URL, which is also ACS3's canonical form: an empty value keeps its `=`.
pub fn encoded_query(query: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> =
        query.iter().map(|(key, value)| format!("{}={}", percent_encode(key), percent_encode(value))).collect();
    pairs.join("&")
}

/// `2026-03-02T08:15:30Z`
fn iso(date: Timestamp) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Mon, 02 Mar 2026 08:15:30 GMT`
fn rfc1123(date: Timestamp) -> String {
    date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a string takes whatever is written to it");
        out
    })
}

#[cfg(test)]
mod tests;
