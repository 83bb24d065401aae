//! What can go wrong with a call, and what it proves. Every message is safe for a status: secrets, echoed strings to
//! sign, request ids and control characters are gone before an error is made. Never decides what is done about it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::code::Code;
use super::credentials::ACCOUNT_ID;
use super::redact;
use crate::terms::{AccountId, Class, Region};

/// Why a call gave no answer that can be used. `class` says how to pace, `never_executed` what may be concluded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// ACK, its gateway or something before them answered with an error.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// No connection came about: not a byte of the request was written. Check endpoint, DNS, proxy and certificates.
    #[error("cannot connect to {host}: {}", cause(.source))]
    Connect { host: String, source: Arc<reqwest::Error> },
    /// The connection was there, the answer was not, or not whole. The request may have been executed.
    #[error("no whole answer from {host}: {}", cause(.source))]
    Lost { host: String, source: Arc<reqwest::Error> },
    /// A whole answer that says nothing: not JSON, a redirect, too long, members missing. The request may have been
    /// executed.
    #[error("the answer of {host} (HTTP {status}) cannot be used: {what}")]
    Unreadable { host: String, status: u16, what: String, request_id: Option<String> },
    /// The request was not sent, because its time had passed.
    #[error("not sent: by the gateway's clock the request was no longer to be sent after {not_after}")]
    TooLate { not_after: Timestamp },
    /// The request was not sent: others of this account are before it for so long.
    #[error("not sent: its turn among the calls of this account to {place} comes in about {} s", .wait.as_secs().max(1))]
    Queued { place: String, wait: Duration },
    /// The request was not sent: ACK has throttled this account and wants to be left alone for so long.
    #[error("not sent: ACK throttles this account in {place} for {} s more", .wait.as_secs().max(1))]
    Held { place: String, wait: Duration },
    /// The request was not sent: all slots of this account in that region are taken by calls that do not end.
    #[error("not sent: too many calls of this account wait for answers, which come late or not at all")]
    Slots,
    /// The request was not sent: the region has not the form of one.
    #[error("not sent: {0:?} has not the form of a region id")]
    Region(Region),
    /// The stated account is not the one that the keys belong to. Correct the statement, or the keys.
    #[error(
        "{ACCOUNT_ID} says account {stated}, but STS says that the keys beside it belong to account {told}; correct {ACCOUNT_ID}, or remove it"
    )]
    Misstated { stated: AccountId, told: AccountId },
    /// There is no STS to ask, and no account is stated.
    #[error("{ACCOUNT_ID} is missing beside the keys: with --without-sts it is what tells whose they are")]
    Unstated,
}

/// An error answer, as far as it may be shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Refusal {
    pub status: u16,
    /// As ACK gave it; `HTTP<status>` where it gave none (ack-api f.1).
    pub code: String,
    /// What the code means.
    pub kind: Code,
    /// What that is at the operation that met it.
    pub class: Class,
    /// ACK refused before it did anything.
    pub never_executed: bool,
    /// Cleaned; our own words where ACK's may hold the server's string to sign.
    pub message: String,
    pub request_id: Option<String>,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    fn sentence(&self) -> String {
        let Refusal { code, message, status, .. } = self;
        let sentence = match message.is_empty() {
            true => format!("{code} (HTTP {status})"),
            false => format!("{code}: {message} (HTTP {status})"),
        };
        redact::cut(&sentence, redact::BOUND)
    }

    /// Whether ACK itself says, to a read, that it has no such thing (any more): any 4xx that blames neither keys, rights,
    /// pace, clock nor endpoint, since the code is not reliable (ack-api d.4, k).
    pub(super) fn has_none(&self) -> bool {
        let blamed = [Class::Credentials, Class::Permission, Class::Throttled].contains(&self.class);
        (400..500).contains(&self.status) && self.kind.has_none() && !blamed
    }
}

impl Error {
    /// What sort of trouble this is: it decides reason and pace.
    pub fn class(&self) -> Class {
        match self {
            Error::Refused(refusal) => refusal.class,
            Error::Connect { .. }
            | Error::Lost { .. }
            | Error::Unreadable { .. }
            | Error::TooLate { .. }
            | Error::Slots => Class::Transient,
            Error::Queued { .. } => Class::Queued,
            Error::Held { .. } => Class::Throttled,
            Error::Region(_) => Class::User,
            Error::Misstated { .. } | Error::Unstated => Class::Credentials,
        }
    }

    /// Whether it is certain that the request was not executed. Where this is false, nothing is known.
    pub fn never_executed(&self) -> bool {
        match self {
            Error::Refused(refusal) => refusal.never_executed,
            Error::Connect { .. }
            | Error::TooLate { .. }
            | Error::Queued { .. }
            | Error::Held { .. }
            | Error::Slots
            | Error::Region(_)
            | Error::Misstated { .. }
            | Error::Unstated => true,
            Error::Lost { .. } | Error::Unreadable { .. } => false,
        }
    }

    /// How long ACK, or our own budget, wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Refused(refusal) => refusal.retry_after,
            Error::Queued { wait, .. } | Error::Held { wait, .. } => Some(*wait),
            Error::Connect { .. }
            | Error::Lost { .. }
            | Error::Unreadable { .. }
            | Error::TooLate { .. }
            | Error::Slots
            | Error::Region(_)
            | Error::Misstated { .. }
            | Error::Unstated => None,
        }
    }

    /// For logs and events, never for a condition.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Error::Refused(refusal) => refusal.request_id.as_deref(),
            Error::Unreadable { request_id, .. } => request_id.as_deref(),
            Error::Connect { .. }
            | Error::Lost { .. }
            | Error::TooLate { .. }
            | Error::Queued { .. }
            | Error::Held { .. }
            | Error::Slots
            | Error::Region(_)
            | Error::Misstated { .. }
            | Error::Unstated => None,
        }
    }

    /// The error answer, where one came.
    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            Error::Connect { .. }
            | Error::Lost { .. }
            | Error::Unreadable { .. }
            | Error::TooLate { .. }
            | Error::Queued { .. }
            | Error::Held { .. }
            | Error::Slots
            | Error::Region(_)
            | Error::Misstated { .. }
            | Error::Unstated => None,
        }
    }

    /// The code of an error answer, `HTTP<status>` where it held none.
    pub fn code(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.code.as_str())
    }

    /// What the code of an error answer means.
    pub fn kind(&self) -> Option<Code> {
        self.refusal().map(|refusal| refusal.kind)
    }
}

/// The innermost cause, which is the one that says something ("connection refused"); it never holds the URL.
fn cause(error: &Arc<reqwest::Error>) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut inner: &dyn std::error::Error = error.as_ref();
    while let Some(source) = inner.source() {
        inner = source;
    }
    redact::cut(&redact::Secrets::default().clean(&inner.to_string()), 200)
}
