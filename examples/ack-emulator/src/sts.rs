//! STS on the same ports (ack-api c.1): who a caller is. Hands out no credentials.

use serde_json::json;

use crate::operations::{Call, Outcome};
use crate::world::World;

/// GetCallerIdentity.
pub fn get_caller_identity(_: &mut World, call: &Call<'_>) -> Outcome {
    let account = &call.key.account;
    let (kind, arn, role) = match &call.key.token {
        None => ("RAMUser", format!("acs:ram::{account}:user/{}", call.key.id), ""),
        Some(_) => ("AssumedRoleUser", format!("acs:ram::{account}:assumed-role/emulator/session"), "300000000000001"),
    };
    let user = if role.is_empty() { "200000000000001" } else { "" };
    Ok(json!({
        "RequestId": call.request_id, "AccountId": account, "UserId": user, "RoleId": role, "Arn": arn,
        "IdentityType": kind, "PrincipalId": if role.is_empty() { user.to_owned() } else { format!("{role}:session") },
    }))
}
