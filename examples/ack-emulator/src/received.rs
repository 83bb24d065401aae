//! A request as it came over the wire, with its query decoded. Says what it holds, judges nothing.

use hyper::body::Bytes;

/// A request, read to its end.
#[derive(Clone, Debug)]
pub struct Received {
    /// Upper case.
    pub method: String,
    /// As sent, still percent-encoded.
    pub path: String,
    /// As sent; `None` without a question mark.
    pub raw_query: Option<String>,
    /// Decoded pairs in the order of arrival.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// The region of the port it came to.
    pub port_region: Option<String>,
}

impl Received {
    /// A request with its query decoded.
    pub fn new(method: &str, target: &str, headers: Vec<(String, String)>, body: Bytes) -> Received {
        let (path, raw_query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let query = raw_query.as_deref().map(pairs).unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        let method = method.to_owned();
        Received { method, path, raw_query, query, headers, body, port_region: None }
    }

    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Query and form parameters together, as RPC requests may spread them over both.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut all = self.query.clone();
        let form = |kind: &str| kind.starts_with("application/x-www-form-urlencoded");
        if self.header("content-type").is_some_and(form) {
            all.extend(pairs(&String::from_utf8_lossy(&self.body)));
        }
        all
    }

    /// The path with its query, as sent.
    pub fn target(&self) -> String {
        match &self.raw_query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The operation's name as the client gives it: `x-acs-action`, or `Action` of an RPC request.
    pub fn action(&self) -> Option<String> {
        let named = |(name, value): (String, String)| (name == "Action").then_some(value);
        self.header("x-acs-action").map(str::to_owned).or_else(|| self.parameters().into_iter().find_map(named))
    }
}

/// Decodes `a=1&b=x+y`; a blank may come as `+` or `%20` (ack-api j).
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| match part.split_once('=') {
        Some((name, value)) => (decoded(name, true), decoded(value, true)),
        None => (decoded(part, true), String::new()),
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding; with `plus`, a `+` is a blank. What is not encoded well stays as it is.
pub fn decoded(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let byte =
            hex.and_then(|pair| std::str::from_utf8(pair).ok()).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if plus && bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 3986 in its strict form: all but letters, digits and `-_.~` as `%` and upper-case hex.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
