//! One call of an operator, as a person would name it: `PATCH ackclusters/status`, `POST CreateCluster`. Reads a request's
//! line and headers, never its body.

use std::time::Instant;

use hyper::http::request::Parts;

use super::Cut;

/// What a door has seen of a call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, where it has one: see [`super::Book`].
    pub number: Option<usize>,
    /// Which operator called, counted from 0.
    pub whose: usize,
    pub method: String,
    /// The operation of ACK; or the resource of Kubernetes, with its subresource.
    pub kind: String,
    /// The path, without its query.
    pub path: String,
    /// ACK takes a signed request once; what comes twice is refused the second time.
    pub signed: bool,
    /// By which ACK knows it again; empty for Kubernetes.
    pub nonce: String,
    pub cut: Option<Cut>,
    /// When it came to the door, and when the server answered it last.
    pub came: Instant,
    pub answered: Option<Instant>,
    /// As the server answered last; 0: not delivered (yet).
    pub status: u16,
}

impl Call {
    pub(super) fn of(whose: usize, parts: &Parts) -> Call {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = parts.uri.path();
        Call {
            kind: header("x-acs-action").unwrap_or_else(|| resource(path)),
            path: path.to_owned(),
            signed: parts.headers.keys().any(|name| name.as_str().starts_with("x-acs-")),
            nonce: header("x-acs-signature-nonce").unwrap_or_default(),
            ..Call::new(whose, parts.method.as_str(), "")
        }
    }

    pub(super) fn new(whose: usize, method: &str, kind: &str) -> Call {
        Call {
            number: None,
            whose,
            method: method.into(),
            kind: kind.into(),
            path: String::new(),
            signed: false,
            nonce: String::new(),
            cut: None,
            came: Instant::now(),
            answered: None,
            status: 0,
        }
    }

    /// Everything that is not a GET changes something.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    pub fn is(&self, method: &str, kind: &str) -> bool {
        self.method == method && self.kind == kind
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.kind)
    }
}

/// `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUB` -> `RESOURCE/SUB`; without a name it is the whole list.
fn resource(path: &str) -> String {
    let words: Vec<_> = path.split('/').filter(|word| !word.is_empty()).collect();
    let rest = match words[..] {
        ["api", _, ref rest @ ..] | ["apis", _, _, ref rest @ ..] => rest,
        _ => return path.to_owned(),
    };
    let rest = match rest {
        ["namespaces", _, inside @ ..] if !inside.is_empty() => inside,
        rest => rest,
    };
    match rest {
        [kind, _, sub] => format!("{kind}/{sub}"),
        [kind, ..] => (*kind).to_owned(),
        [] => path.to_owned(),
    }
}
