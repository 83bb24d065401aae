//! The error codes of ACK and its gateway (ack-api b.5, f.3, k) and what follows from each, by the operation that met it.
//! Data and a few matches; never looks at a message.

use crate::terms::Class;

/// What an error code means; many codes share a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    ClusterNotFound,
    /// A node pool or an addon is not known. Says nothing about the cluster.
    PartNotFound,
    /// A name, an address or a route that the request wants is there or taken already: what a second copy of an executed
    /// request meets too.
    Taken,
    Forbidden,
    RoleMissing,
    Payment,
    Quota,
    /// ACK checked what the request says before it did anything.
    Validation,
    /// The cluster does not allow the call in the state that it is in.
    Busy,
    /// Something hangs on what is to be deleted, or is still being made.
    Dependency,
    Throttled,
    Internal,
    DateExpired,
    DateFormat,
    NonceUsed,
    Signature,
    /// Unknown, inactive, wrong or expired keys and tokens.
    Keys,
    /// A header is missing, the API does not exist, TLS is needed: our mistake, or a wrong endpoint.
    Call,
    /// Not in the table, which is known to be incomplete: operation and status decide.
    Unlisted,
    /// The answer holds no code: it is not ACK that speaks.
    Absent,
}

/// What sort of call met an error. A read never blames the spec, and only a create may have made something unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Read,
    Create,
    Change,
    Delete,
}

/// An error answer as far as errors are sorted by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub status: u16,
    pub op: Op,
    /// ACK's own shape: the answer holds a code and a request id. What lacks one of them may come from anybody on the way.
    pub shape: bool,
}

/// A HTTP status as far as errors are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unauthorized,
    Forbidden,
    Timeout,
    Conflict,
    TooMany,
    OtherClient,
    /// 5xx, and whatever else is no 4xx.
    Server,
}

/// Codes in which `*` stands for any text and `?` for one character. The first row that fits decides.
const CODES: &[(&str, Code)] = &[
    ("ErrorClusterNotFound", Code::ClusterNotFound),
    ("ErrorNodePoolNotFound", Code::PartNotFound),
    ("AddonNotFound", Code::PartNotFound),
    ("ClusterNameAlreadyExist", Code::Taken),
    ("ErrorClusterNameAlreadyExist", Code::Taken),
    ("InstanceRouterExist", Code::Taken),
    ("InvalidVSwitchId.IpNotEnough", Code::Taken),
    ("StatusForbidden", Code::Forbidden),
    ("Forbidden*", Code::Forbidden),
    ("APISERVER_403", Code::Forbidden),
    ("NoPermission", Code::Forbidden),
    ("NoPermission.*", Code::Forbidden),
    ("ErrorCheckAcl", Code::Forbidden),
    ("Err*RoleNotAttach", Code::RoleMissing),
    ("MissingAuth.*", Code::RoleMissing),
    ("EntityNotExist.Role", Code::RoleMissing),
    ("*InsufficientBalance", Code::Payment),
    ("*NotEnoughBalance", Code::Payment),
    ("InvalidPayMethod", Code::Payment),
    ("*Arrearage", Code::Payment),
    ("QuotaExceed*", Code::Quota),
    ("ErrQuotaExceed*", Code::Quota),
    ("InvalidParameter*", Code::Validation),
    ("MissingParameter*", Code::Validation),
    ("ParameterMissing", Code::Validation),
    ("BadRequest", Code::Validation),
    ("EmptyCIDR", Code::Validation),
    ("InvalidCIDR", Code::Validation),
    ("InvalidPodVswitchIds", Code::Validation),
    ("ZoneNotSupported", Code::Validation),
    ("ErrorNotEnabled", Code::Validation),
    ("DependencyViolation", Code::Dependency),
    ("DependencyViolation.*", Code::Dependency),
    ("ErrorClusterState", Code::Busy),
    ("ErrClusterNotReady", Code::Busy),
    ("InvalidStatus", Code::Busy),
    ("InvalidStatus.*", Code::Busy),
    ("ErrorQueryCluster", Code::Internal),
    ("ErrAuthorizationConflict", Code::Internal),
    ("ServiceUnavailable", Code::Internal),
    ("InternalError", Code::Internal),
    ("InternalError.*", Code::Internal),
    ("UnknownError", Code::Internal),
    ("SystemError", Code::Internal),
    ("5??", Code::Internal),
    ("*Throttling*", Code::Throttled),
    ("InvalidTimeStamp.Expired", Code::DateExpired),
    ("InvalidTimeStamp.Format", Code::DateFormat),
    ("SignatureNonceUsed", Code::NonceUsed),
    ("SignatureDoesNotMatch", Code::Signature),
    ("InvalidAccessKeyId.*", Code::Keys),
    ("InvalidSecurityToken.*", Code::Keys),
    ("MissingSecurityToken", Code::Keys),
    ("AuthenticationFail.*", Code::Keys),
    ("IncompleteSignature", Code::Call),
    ("InvalidApi.NotFound", Code::Call),
    ("InvalidAction.NotFound", Code::Call),
    ("UnsupportedHTTPMethod", Code::Call),
    ("InvalidProtocol.NeedSsl", Code::Call),
];

impl Code {
    pub fn parse(code: &str) -> Code {
        CODES.iter().find(|(pattern, _)| fits(pattern, code)).map_or(Code::Unlisted, |&(_, code)| code)
    }

    /// Code first, then operation and status: the status alone is unreliable (throttling as 400, an unknown key as 404;
    /// ack-api f.1).
    pub(super) fn class(self, told: Told) -> Class {
        match self {
            // Only a 4xx of this code may ever become a proof that a cluster is gone.
            Code::ClusterNotFound => match told.op {
                _ if Kind::of(told.status) == Kind::Server => Class::Transient,
                Op::Create => told.blames(Class::Refused),
                Op::Read | Op::Change | Op::Delete => Class::NotFound,
            },
            Code::PartNotFound if told.definite() => told.blames(Class::Refused),
            Code::PartNotFound => Class::Unknown,
            Code::Taken => told.blames(Class::Taken),
            Code::Validation => told.blames(Class::User),
            Code::Dependency if told.op == Op::Delete && told.definite() => Class::User,
            Code::Dependency | Code::Busy => Class::Busy,
            Code::Forbidden => Class::Permission,
            Code::RoleMissing | Code::Payment => Class::Account,
            Code::Quota => Class::Quota,
            Code::Throttled => Class::Throttled,
            Code::Internal | Code::NonceUsed => Class::Transient,
            Code::DateExpired => Class::Clock,
            Code::Signature | Code::Keys => Class::Credentials,
            Code::DateFormat | Code::Call => Class::Unknown,
            Code::Unlisted if told.shape => match Kind::of(told.status) {
                Kind::Unauthorized => Class::Credentials,
                Kind::Forbidden => Class::Permission,
                Kind::OtherClient | Kind::Timeout | Kind::Conflict | Kind::TooMany | Kind::Server => {
                    told.blames(Class::Refused)
                }
            },
            // What a proxy refuses is nobody's spec and nobody's key.
            Code::Unlisted | Code::Absent => told.by_status(),
        }
    }

    /// Whether an answer with this code means that the request was not executed: ACK itself says so, with a 4xx that is
    /// neither about the moment at the gateway nor met by a copy whose original was executed unseen.
    pub(super) fn never_executed(self, told: Told) -> bool {
        match self {
            Code::PartNotFound
            | Code::Taken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Validation
            | Code::Busy
            | Code::Dependency
            | Code::DateFormat
            | Code::Signature
            | Code::Keys
            | Code::Unlisted => told.definite(),
            // A throttled call is refused at the door, whatever 4xx says so.
            Code::Throttled => told.shape && (400..500).contains(&told.status),
            // Of anything but a create it speaks of the cluster, not of the request.
            Code::ClusterNotFound => told.op == Op::Create && told.definite(),
            // The first copy of a request may have been executed before the second was late or used its nonce again.
            Code::Internal | Code::DateExpired | Code::NonceUsed | Code::Call | Code::Absent => false,
        }
    }

    /// Whether this is about the keys themselves, not about what one of our requests may do.
    pub(super) fn blames_keys(self) -> bool {
        match self {
            Code::Keys | Code::Signature => true,
            Code::ClusterNotFound
            | Code::PartNotFound
            | Code::Taken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Validation
            | Code::Busy
            | Code::Dependency
            | Code::Throttled
            | Code::Internal
            | Code::DateExpired
            | Code::DateFormat
            | Code::NonceUsed
            | Code::Call
            | Code::Unlisted
            | Code::Absent => false,
        }
    }

    /// Whether this may be believed where it is quoted by another code: a service behind ACK said it to ACK. Then it is
    /// neither about our keys, date and nonce, nor about what our request asked for by its id.
    pub(super) fn may_be_quoted(self) -> bool {
        match self {
            Code::Taken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Validation
            | Code::Busy
            | Code::Dependency
            | Code::Throttled
            | Code::Internal => true,
            Code::ClusterNotFound
            | Code::PartNotFound
            | Code::DateExpired
            | Code::DateFormat
            | Code::NonceUsed
            | Code::Signature
            | Code::Keys
            | Code::Call
            | Code::Unlisted
            | Code::Absent => false,
        }
    }

    /// Whether a 4xx of this code, to a read, says that ACK has no such thing (any more).
    pub(super) fn has_none(self) -> bool {
        match self {
            Code::ClusterNotFound
            | Code::PartNotFound
            | Code::Taken
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Validation
            | Code::Busy
            | Code::Dependency
            | Code::Unlisted => true,
            Code::Forbidden
            | Code::Throttled
            | Code::Internal
            | Code::DateExpired
            | Code::DateFormat
            | Code::NonceUsed
            | Code::Signature
            | Code::Keys
            | Code::Call
            | Code::Absent => false,
        }
    }

    /// Our words where ACK's may hold the server's string to sign, token included (ack-api f.1).
    pub fn own_words(self) -> Option<&'static str> {
        match self {
            Code::DateExpired => Some("the signed date is too far from the gateway's clock"),
            Code::DateFormat => Some("the gateway cannot read the signed date"),
            Code::NonceUsed => Some("this nonce was used before"),
            Code::Signature => {
                Some("the signature does not match: the access key secret is wrong, or a proxy changes requests")
            }
            Code::Keys => Some("the access key or its token is unknown, inactive, wrong or expired"),
            Code::Call => Some("the endpoint does not take this call"),
            Code::ClusterNotFound
            | Code::PartNotFound
            | Code::Taken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Validation
            | Code::Busy
            | Code::Dependency
            | Code::Throttled
            | Code::Internal
            | Code::Unlisted
            | Code::Absent => None,
        }
    }
}

impl Told {
    /// ACK itself refuses, and for good: a 4xx that is neither about time and pace nor, as 409, about another request.
    fn definite(self) -> bool {
        self.shape
            && match Kind::of(self.status) {
                Kind::Unauthorized | Kind::Forbidden | Kind::OtherClient => true,
                Kind::Timeout | Kind::Conflict | Kind::TooMany | Kind::Server => false,
            }
    }

    /// The class of a refusal that is about what the request says, `created` where that was a create.
    fn blames(self, created: Class) -> Class {
        match self.op {
            _ if !self.definite() => self.by_status(),
            Op::Read => Class::Unknown,
            Op::Create => created,
            Op::Change | Op::Delete => Class::User,
        }
    }

    fn by_status(self) -> Class {
        match Kind::of(self.status) {
            Kind::TooMany => Class::Throttled,
            Kind::Conflict => Class::Busy,
            // A 404 that does not name the cluster has several meanings, and none is "gone" (ack-api g.23).
            Kind::Unauthorized | Kind::Forbidden | Kind::Timeout | Kind::OtherClient | Kind::Server => Class::Transient,
        }
    }
}

impl Kind {
    fn of(status: u16) -> Kind {
        match status {
            401 => Kind::Unauthorized,
            403 => Kind::Forbidden,
            // 407 is a proxy that wants to know who asks.
            407 | 408 => Kind::Timeout,
            409 => Kind::Conflict,
            429 => Kind::TooMany,
            400..=499 => Kind::OtherClient,
            _ => Kind::Server,
        }
    }
}

/// `*` stands for any text, `?` for one character.
fn fits(pattern: &str, code: &str) -> bool {
    match pattern.chars().next() {
        None => code.is_empty(),
        Some('*') => {
            code.char_indices().map(|(at, _)| at).chain([code.len()]).any(|at| fits(&pattern[1..], &code[at..]))
        }
        Some(wanted) => code.chars().next().is_some_and(|c| {
            (wanted == '?' || c == wanted) && fits(&pattern[wanted.len_utf8()..], &code[c.len_utf8()..])
        }),
    }
}

#[cfg(test)]
mod tests;
