//! The error codes of ACK and its gateway (ack-api b.5, f.3) and what follows from each. Data and one match; never looks
//! at a message.

use crate::terms::Class;

/// What an error code means; many codes share a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    ClusterNotFound,
    /// A node pool or an addon is not known. Says nothing about the cluster.
    PartNotFound,
    NameTaken,
    Forbidden,
    RoleMissing,
    Payment,
    Quota,
    Parameter,
    /// The cluster or what hangs on it does not allow the call now.
    Busy,
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
    /// Not in the table, which is known to be incomplete: the status decides.
    Unlisted,
    /// The answer holds no code: it is not ACK that speaks.
    Absent,
}

/// A HTTP status as far as errors are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unauthorized,
    Forbidden,
    NotFound,
    Method,
    Timeout,
    Conflict,
    TooMany,
    OtherClient,
    /// 5xx, and whatever else is no 4xx.
    Server,
}

/// Codes with at most one `*`. The first row that fits decides.
const CODES: &[(&str, Code)] = &[
    ("ErrorClusterNotFound", Code::ClusterNotFound),
    ("ErrorNodePoolNotFound", Code::PartNotFound),
    ("AddonNotFound", Code::PartNotFound),
    ("ClusterNameAlreadyExist", Code::NameTaken),
    ("ErrorClusterNameAlreadyExist", Code::NameTaken),
    ("StatusForbidden", Code::Forbidden),
    ("Forbidden", Code::Forbidden),
    ("Forbidden.*", Code::Forbidden),
    ("NoPermission", Code::Forbidden),
    ("NoPermission.*", Code::Forbidden),
    ("ErrorCheckAcl", Code::Forbidden),
    ("Err*RoleNotAttach", Code::RoleMissing),
    ("MissingAuth.*", Code::RoleMissing),
    ("EntityNotExist.Role", Code::RoleMissing),
    ("InsufficientBalance", Code::Payment),
    ("InvalidPayMethod", Code::Payment),
    ("Account.Arrearage", Code::Payment),
    ("QuotaExceeded", Code::Quota),
    ("QuotaExceeded.*", Code::Quota),
    ("ErrQuotaExceeded", Code::Quota),
    ("InvalidParameter", Code::Parameter),
    ("InvalidParameter.*", Code::Parameter),
    ("MissingParameter", Code::Parameter),
    ("MissingParameter.*", Code::Parameter),
    ("ParameterMissing", Code::Parameter),
    ("BadRequest", Code::Parameter),
    ("InstanceRouterExist", Code::Parameter),
    ("InvalidVSwitchId.IpNotEnough", Code::Parameter),
    ("DependencyViolation", Code::Busy),
    ("DependencyViolation.*", Code::Busy),
    ("ErrorClusterState", Code::Busy),
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

    /// Code first, then status: the status alone is unreliable (throttling as 400, an unknown key as 404; ack-api f.1).
    pub fn class(self, status: u16) -> Class {
        match (self, Kind::of(status)) {
            // Only a 4xx of this code may ever become a proof that a cluster is gone.
            (Code::ClusterNotFound, Kind::Server) => Class::Transient,
            (Code::ClusterNotFound, _) => Class::NotFound,
            (Code::PartNotFound, _) => Class::Unknown,
            (Code::NameTaken | Code::Parameter, _) => Class::User,
            (Code::Forbidden, _) => Class::Permission,
            (Code::RoleMissing | Code::Payment, _) => Class::Account,
            (Code::Quota, _) => Class::Quota,
            (Code::Busy, _) => Class::Busy,
            (Code::Throttled, _) => Class::Throttled,
            (Code::Internal | Code::NonceUsed, _) => Class::Transient,
            (Code::DateExpired, _) => Class::Clock,
            (Code::Signature | Code::Keys, _) => Class::Credentials,
            (Code::DateFormat | Code::Call, _) => Class::Unknown,

            (Code::Unlisted | Code::Absent, Kind::TooMany) => Class::Throttled,
            (Code::Unlisted | Code::Absent, Kind::Conflict) => Class::Busy,
            // A 404 that does not name the cluster has several meanings, and none is "gone" (ack-api g.23).
            (Code::Unlisted | Code::Absent, Kind::Server | Kind::NotFound | Kind::Timeout) => Class::Transient,
            (Code::Unlisted, Kind::Unauthorized) => Class::Credentials,
            (Code::Unlisted, Kind::Forbidden) => Class::Permission,
            (Code::Unlisted, Kind::Method) => Class::Unknown,
            (Code::Unlisted, Kind::OtherClient) => Class::User,
            // What a proxy refuses is nobody's spec and nobody's key.
            (Code::Absent, Kind::Unauthorized | Kind::Forbidden | Kind::Method | Kind::OtherClient) => Class::Transient,
        }
    }

    /// Whether an answer with this code means that the request was not executed: codes that are given before execution,
    /// with a 4xx. A code that a second copy of an executed request would meet as well is not among them.
    pub fn before_execution(self, status: u16) -> bool {
        let first = match self {
            Code::NameTaken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Parameter
            | Code::Throttled
            | Code::DateFormat
            | Code::Signature
            | Code::Keys => true,
            Code::ClusterNotFound
            | Code::PartNotFound
            | Code::Busy
            | Code::Internal
            | Code::DateExpired
            | Code::NonceUsed
            | Code::Call
            | Code::Unlisted
            | Code::Absent => false,
        };
        first && (400..500).contains(&status)
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
            | Code::NameTaken
            | Code::Forbidden
            | Code::RoleMissing
            | Code::Payment
            | Code::Quota
            | Code::Parameter
            | Code::Busy
            | Code::Throttled
            | Code::Internal
            | Code::Unlisted
            | Code::Absent => None,
        }
    }
}

impl Kind {
    fn of(status: u16) -> Kind {
        match status {
            401 => Kind::Unauthorized,
            403 => Kind::Forbidden,
            404 => Kind::NotFound,
            405 => Kind::Method,
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
mod tests {
    use super::*;
    use Class::*;

    /// Every code of ack-api f.3 and b.5: code, status, class, whether it proves that nothing was executed.
    const TABLE: &[(&str, u16, Class, bool)] = &[
        ("ErrorClusterNotFound", 404, NotFound, false),
        ("ErrorClusterNotFound", 400, NotFound, false),
        ("ErrorClusterNotFound", 502, Transient, false),
        ("ErrorNodePoolNotFound", 404, Unknown, false),
        ("AddonNotFound", 404, Unknown, false),
        ("ClusterNameAlreadyExist", 400, User, true),
        ("ErrorClusterNameAlreadyExist", 400, User, true),
        ("StatusForbidden", 403, Permission, true),
        ("Forbidden.RAM", 403, Permission, true),
        ("NoPermission", 403, Permission, true),
        ("Forbidden", 403, Permission, true),
        ("ErrorCheckAcl", 403, Permission, true),
        ("ErrManagedKuberneteRoleNotAttach", 400, Account, true),
        ("ErrKubernetesAuditRoleNotAttach", 400, Account, true),
        ("ErrManagedAddonRoleNotAttach", 400, Account, true),
        ("ErrManagedSecurityRoleNotAttach", 400, Account, true),
        ("ErrEdgeAddonRoleNotAttach", 400, Account, true),
        ("ErrAutoScalerRoleNotAttach", 400, Account, true),
        ("ErrAcrHelperRoleNotAttach", 400, Account, true),
        ("ErrCostExporterRoleNotAttach", 400, Account, true),
        ("ErrSomethingNewRoleNotAttach", 400, Account, true),
        ("MissingAuth.AliyuncsManagedSecurityRole", 400, Account, true),
        ("EntityNotExist.Role", 404, Account, true),
        ("ErrAuthorizationConflict", 400, Transient, false),
        ("InstanceRouterExist", 400, User, true),
        ("InvalidVSwitchId.IpNotEnough", 400, User, true),
        ("InvalidParameter", 400, User, true),
        ("InvalidParameter.Name", 400, User, true),
        ("MissingParameter", 400, User, true),
        ("ParameterMissing", 400, User, true),
        ("BadRequest", 400, User, true),
        ("QuotaExceeded", 403, Quota, true),
        ("QuotaExceeded.Cluster", 400, Quota, true),
        ("ErrQuotaExceeded", 400, Quota, true),
        ("InsufficientBalance", 403, Account, true),
        ("InvalidPayMethod", 400, Account, true),
        ("Account.Arrearage", 400, Account, true),
        ("DependencyViolation.Resource", 400, Busy, false),
        ("DependencyViolation.VSwitch", 400, Busy, false),
        ("ErrorClusterState", 400, Busy, false),
        ("ErrorSomethingElse", 409, Busy, false),
        ("ErrorQueryCluster", 500, Transient, false),
        ("Throttling", 400, Throttled, true),
        ("Throttling.User", 429, Throttled, true),
        ("Throttling.Api", 400, Throttled, true),
        ("Throttling.User", 503, Throttled, false),
        ("Rejected.Throttling", 400, Throttled, true),
        ("ServiceUnavailable", 503, Transient, false),
        ("InternalError", 500, Transient, false),
        ("UnknownError", 500, Transient, false),
        ("SystemError", 500, Transient, false),
        ("503", 400, Transient, false),
        ("Anything", 500, Transient, false),
        ("InvalidParameter", 500, User, false),
        ("InvalidTimeStamp.Expired", 400, Clock, false),
        ("InvalidTimeStamp.Format", 400, Unknown, true),
        ("SignatureNonceUsed", 400, Transient, false),
        ("SignatureDoesNotMatch", 400, Credentials, true),
        ("SignatureDoesNotMatch", 403, Credentials, true),
        ("InvalidAccessKeyId.NotFound", 404, Credentials, true),
        ("InvalidAccessKeyId.NotFound", 400, Credentials, true),
        ("InvalidAccessKeyId.Inactive", 400, Credentials, true),
        ("InvalidSecurityToken.Expired", 400, Credentials, true),
        ("MissingSecurityToken", 400, Credentials, true),
        ("InvalidSecurityToken.Malformed", 400, Credentials, true),
        ("InvalidSecurityToken.MismatchWithAccessKey", 400, Credentials, true),
        ("AuthenticationFail.NoPermission", 401, Credentials, true),
        ("AuthenticationFail.OIDCToken.Expired", 401, Credentials, true),
        ("IncompleteSignature", 400, Unknown, false),
        ("InvalidApi.NotFound", 404, Unknown, false),
        ("InvalidAction.NotFound", 404, Unknown, false),
        ("UnsupportedHTTPMethod", 405, Unknown, false),
        ("InvalidProtocol.NeedSsl", 400, Unknown, false),
        ("EmulatorDeletionProtection", 400, User, false),
        ("400", 400, User, false),
        ("SomethingNew", 404, Transient, false),
        ("SomethingNew", 401, Credentials, false),
        ("SomethingNew", 403, Permission, false),
        ("SomethingNew", 429, Throttled, false),
        ("SomethingNew", 302, Transient, false),
    ];

    #[test]
    fn every_code_of_the_fact_sheet_has_its_class() {
        for &(code, status, class, never_executed) in TABLE {
            let parsed = Code::parse(code);
            assert_eq!(parsed.class(status), class, "{code} {status}");
            assert_eq!(parsed.before_execution(status), never_executed, "{code} {status}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_nobodys_fault_and_proves_nothing() {
        for status in 300..600 {
            let class = Code::Absent.class(status);
            let wanted = match status {
                409 => Busy,
                429 => Throttled,
                _ => Transient,
            };
            assert_eq!(class, wanted, "{status}");
            assert!(!Code::Absent.before_execution(status));
        }
    }

    #[test]
    fn every_row_of_the_table_can_be_reached() {
        for (at, (pattern, _)) in CODES.iter().enumerate() {
            let code = pattern.replace('*', "X").replace('?', "0");
            let first = CODES.iter().position(|(pattern, _)| fits(pattern, &code));
            assert_eq!(first, Some(at), "{pattern}");
        }
    }
}
