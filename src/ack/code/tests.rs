//! Every code that is known, at every sort of call: its class, and what it proves.

use super::*;
use Class::*;
use Op::{Change, Create, Delete, Read};

const ALL: &[Op] = &[Read, Create, Change, Delete];
const WRITES: &[Op] = &[Create, Change, Delete];

/// Every code of ack-api f.3, b.5 and k, and those of T1, in ACK's own shape: code, status, operations, class, whether it
/// proves that nothing was executed.
const TABLE: &[(&str, u16, &[Op], Class, bool)] = &[
    ("ErrorClusterNotFound", 404, &[Read, Change, Delete], NotFound, false),
    ("ErrorClusterNotFound", 404, &[Create], Refused, true),
    ("ErrorClusterNotFound", 400, &[Read, Change, Delete], NotFound, false),
    ("ErrorClusterNotFound", 502, ALL, Transient, false),
    ("ErrorNodePoolNotFound", 404, &[Read], Unknown, true),
    ("ErrorNodePoolNotFound", 404, &[Create], Refused, true),
    ("ErrorNodePoolNotFound", 404, &[Change, Delete], User, true),
    ("AddonNotFound", 404, &[Read], Unknown, true),
    ("AddonNotFound", 404, &[Change, Delete], User, true),
    ("ClusterNameAlreadyExist", 400, &[Create], Taken, true),
    ("ErrorClusterNameAlreadyExist", 400, &[Create], Taken, true),
    ("ErrorClusterNameAlreadyExist", 400, &[Change], User, true),
    ("ErrorClusterNameAlreadyExist", 409, &[Create, Change], Busy, false),
    ("InstanceRouterExist", 400, &[Create], Taken, true),
    ("InvalidVSwitchId.IpNotEnough", 400, &[Create], Taken, true),
    ("InvalidVSwitchId.IpNotEnough", 400, &[Change], User, true),
    ("InvalidVSwitchId.IpNotEnough", 400, &[Read], Unknown, true),
    ("StatusForbidden", 403, ALL, Permission, true),
    ("Forbidden.RAM", 403, ALL, Permission, true),
    ("NoPermission", 403, ALL, Permission, true),
    ("Forbidden", 403, ALL, Permission, true),
    ("ForbiddenUpdateKMSState", 403, ALL, Permission, true),
    ("ForbiddenCheckControlPlaneLog", 403, ALL, Permission, true),
    ("ForbiddenQueryClusterNamespace", 403, ALL, Permission, true),
    ("APISERVER_403", 403, ALL, Permission, true),
    ("ErrorCheckAcl", 403, ALL, Permission, true),
    ("ErrManagedKuberneteRoleNotAttach", 400, ALL, Account, true),
    ("ErrKubernetesAuditRoleNotAttach", 400, ALL, Account, true),
    ("ErrManagedAddonRoleNotAttach", 400, ALL, Account, true),
    ("ErrManagedSecurityRoleNotAttach", 400, ALL, Account, true),
    ("ErrEdgeAddonRoleNotAttach", 400, ALL, Account, true),
    ("ErrAutoScalerRoleNotAttach", 400, ALL, Account, true),
    ("ErrAcrHelperRoleNotAttach", 400, ALL, Account, true),
    ("ErrCostExporterRoleNotAttach", 400, ALL, Account, true),
    ("ErrSomethingNewRoleNotAttach", 400, ALL, Account, true),
    ("MissingAuth.AliyuncsManagedSecurityRole", 400, ALL, Account, true),
    ("EntityNotExist.Role", 404, ALL, Account, true),
    ("ErrAuthorizationConflict", 400, ALL, Transient, false),
    ("InvalidParameter", 400, WRITES, User, true),
    ("InvalidParameter.Name", 400, WRITES, User, true),
    ("InvalidParameter.Management", 400, WRITES, User, true),
    ("InvalidParameter.Name", 400, &[Read], Unknown, true),
    ("InvalidParameters", 400, WRITES, User, true),
    ("MissingParameter", 400, WRITES, User, true),
    ("MissingParameter.Name", 400, WRITES, User, true),
    ("ParameterMissing", 400, WRITES, User, true),
    ("BadRequest", 400, WRITES, User, true),
    ("BadRequest", 400, &[Read], Unknown, true),
    ("EmptyCIDR", 400, WRITES, User, true),
    ("InvalidPodVswitchIds", 400, WRITES, User, true),
    ("InvalidCIDR", 400, WRITES, User, true),
    ("ZoneNotSupported", 400, WRITES, User, true),
    ("ErrorNotEnabled", 400, WRITES, User, true),
    ("ErrorNotEnabled", 400, &[Read], Unknown, true),
    ("InvalidParameter", 409, WRITES, Busy, false),
    ("InvalidParameter", 500, ALL, Transient, false),
    ("QuotaExceeded", 403, ALL, Quota, true),
    ("QuotaExceeded.Cluster", 400, ALL, Quota, true),
    ("QuotaExceed.AfterpayInstance", 403, ALL, Quota, true),
    ("QuotaExceed.ElasticQuota", 400, ALL, Quota, true),
    ("ErrQuotaExceeded", 400, ALL, Quota, true),
    ("InsufficientBalance", 403, ALL, Account, true),
    ("NotEnoughBalance", 400, ALL, Account, true),
    ("InvalidAccountStatus.NotEnoughBalance", 403, ALL, Account, true),
    ("InvalidPayMethod", 400, ALL, Account, true),
    ("Account.Arrearage", 400, ALL, Account, true),
    ("DependencyViolation.Resource", 400, &[Delete], User, true),
    ("DependencyViolation", 400, &[Delete], User, true),
    ("DependencyViolation.VSwitch", 400, &[Read, Create, Change], Busy, true),
    ("DependencyViolation.VSwitch", 503, ALL, Busy, false),
    ("ErrorClusterState", 400, ALL, Busy, true),
    ("InvalidStatus.Forbidden", 400, ALL, Busy, true),
    ("InvalidStatus.Unsupported", 400, ALL, Busy, true),
    ("ErrClusterNotReady", 400, ALL, Busy, true),
    ("ErrorSomethingElse", 409, ALL, Busy, false),
    ("ErrorQueryCluster", 500, ALL, Transient, false),
    ("ErrorQueryCluster", 400, ALL, Transient, false),
    ("Throttling", 400, ALL, Throttled, true),
    ("Throttling.User", 429, ALL, Throttled, true),
    ("Throttling.Api", 400, ALL, Throttled, true),
    ("Throttling.User", 503, ALL, Throttled, false),
    ("Rejected.Throttling", 400, ALL, Throttled, true),
    ("ServiceUnavailable", 503, ALL, Transient, false),
    ("InternalError", 500, ALL, Transient, false),
    ("UnknownError", 500, ALL, Transient, false),
    ("SystemError", 500, ALL, Transient, false),
    ("503", 400, ALL, Transient, false),
    ("Anything", 500, ALL, Transient, false),
    ("InvalidTimeStamp.Expired", 400, ALL, Clock, false),
    ("InvalidTimeStamp.Format", 400, ALL, Unknown, true),
    ("SignatureNonceUsed", 400, ALL, Transient, false),
    ("SignatureDoesNotMatch", 400, ALL, Credentials, true),
    ("SignatureDoesNotMatch", 403, ALL, Credentials, true),
    ("InvalidAccessKeyId.NotFound", 404, ALL, Credentials, true),
    ("InvalidAccessKeyId.NotFound", 400, ALL, Credentials, true),
    ("InvalidAccessKeyId.Inactive", 400, ALL, Credentials, true),
    ("InvalidSecurityToken.Expired", 400, ALL, Credentials, true),
    ("MissingSecurityToken", 400, ALL, Credentials, true),
    ("InvalidSecurityToken.Malformed", 400, ALL, Credentials, true),
    ("InvalidSecurityToken.MismatchWithAccessKey", 400, ALL, Credentials, true),
    ("AuthenticationFail.NoPermission", 401, ALL, Credentials, true),
    ("AuthenticationFail.OIDCToken.Expired", 401, ALL, Credentials, true),
    ("IncompleteSignature", 400, ALL, Unknown, false),
    ("InvalidApi.NotFound", 404, ALL, Unknown, false),
    ("InvalidAction.NotFound", 404, ALL, Unknown, false),
    ("UnsupportedHTTPMethod", 405, ALL, Unknown, false),
    ("InvalidProtocol.NeedSsl", 400, ALL, Unknown, false),
    // Codes that no table knows, as they come from services behind ACK.
    ("EmulatorDeletionProtection", 400, &[Delete], User, true),
    ("ErrorModifyDeletionProtectionFailed", 400, &[Change], User, true),
    ("InvalidSecurityGroupId.NotFound", 404, &[Change, Delete], User, true),
    ("InvalidVSwitchId.NotFound", 404, &[Create], Refused, true),
    ("InvalidVSwitchId.NotFound", 404, &[Read], Unknown, true),
    ("OperationDenied.NoStock", 403, &[Create], Permission, true),
    ("OperationDenied.NoStock", 400, &[Create], Refused, true),
    ("400", 400, &[Create], Refused, true),
    ("400", 400, &[Change, Delete], User, true),
    ("400", 400, &[Read], Unknown, true),
    ("SomethingNew", 405, &[Create], Refused, true),
    ("SomethingNew", 401, ALL, Credentials, true),
    ("SomethingNew", 403, ALL, Permission, true),
    ("SomethingNew", 407, ALL, Transient, false),
    ("SomethingNew", 408, ALL, Transient, false),
    ("SomethingNew", 429, ALL, Throttled, false),
    ("SomethingNew", 302, ALL, Transient, false),
];

#[test]
fn every_code_of_the_fact_sheet_has_its_class() {
    for &(code, status, ops, class, never_executed) in TABLE {
        for &op in ops {
            let (parsed, told) = (Code::parse(code), Told { status, op, shape: true });
            assert_eq!(parsed.class(told), class, "{code} {status} {op:?}");
            assert_eq!(parsed.never_executed(told), never_executed, "{code} {status} {op:?}");
        }
    }
}

/// Every meaning under every status, at every operation.
fn everything(mut see: impl FnMut(Code, Told)) {
    let codes = TABLE.iter().map(|(code, ..)| Code::parse(code)).chain([Code::Absent]);
    for code in codes {
        for (status, &op) in (300..600).flat_map(|status| ALL.iter().map(move |op| (status, op))) {
            [true, false].into_iter().for_each(|shape| see(code, Told { status, op, shape }));
        }
    }
}

#[test]
fn a_refusal_that_blames_the_request_proves_that_it_was_not_executed_and_a_read_blames_none() {
    everything(|code, told| {
        let class = code.class(told);
        let blames = matches!(class, User | Taken | Refused);
        assert!(!blames || code.never_executed(told) && told.op != Read, "{code:?} {told:?}");
        let possible = told.shape && (400..500).contains(&told.status);
        assert!(possible || !code.never_executed(told), "{code:?} {told:?}");
    });
}

#[test]
fn an_answer_without_a_code_and_an_unlisted_one_without_a_request_id_are_nobodys_fault_and_prove_nothing() {
    everything(|code, told| {
        if code == Code::Absent || code == Code::Unlisted && !told.shape {
            let wanted = match told.status {
                409 => Busy,
                429 => Throttled,
                _ => Transient,
            };
            assert_eq!((code.class(told), code.never_executed(told)), (wanted, false), "{told:?}");
        }
    });
}

#[test]
fn every_row_of_the_table_can_be_reached() {
    for (at, (pattern, _)) in CODES.iter().enumerate() {
        let code = pattern.replace('*', "X").replace('?', "0");
        let first = CODES.iter().position(|(pattern, _)| fits(pattern, &code));
        assert_eq!(first, Some(at), "{pattern}");
    }
}
