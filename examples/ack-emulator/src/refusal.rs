//! How ACK says no: one refusal, written in either of the two shapes of ack-api f.1. Texts are our own; codes and
//! statuses are the fact sheet's. Never decides whether to refuse.

use serde_json::{Value, json};

/// Who refuses, which decides the spelling of the error's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `code`, `message`, `requestId`, `status`: the ACK backend.
    Ack,
    /// `Code`, `Message`, `RequestId`, `HostId`: the API gateway and STS.
    Gateway,
}

/// An error answer before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub shape: Shape,
}

impl Refusal {
    /// A refusal of the backend.
    pub fn ack(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal { status, code: code.into(), message: message.into(), shape: Shape::Ack }
    }

    /// A refusal of the gateway or of STS.
    pub fn gateway(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal { status, code: code.into(), message: message.into(), shape: Shape::Gateway }
    }

    /// 404 `ErrorClusterNotFound`: unknown, of another region or of another account (ack-api a.1).
    pub fn cluster_not_found(id: &str) -> Refusal {
        Refusal::ack(404, "ErrorClusterNotFound", format!("the cluster ({id}) is not known here"))
    }

    /// 400 `InvalidStatus.Forbidden`: a change or a deletion in a state that does not allow it, as recorded (ack-api k).
    pub fn wrong_state(state: &str) -> Refusal {
        Refusal::ack(400, "InvalidStatus.Forbidden", format!("cannot operate cluster where state is {state}"))
    }

    /// 400 `ErrorClusterState`: a question that the state does not allow (ack-api f.5: the real code is not known).
    pub fn state_conflict(state: &str) -> Refusal {
        Refusal::ack(400, "ErrorClusterState", format!("the cluster is {state}, the operation is not allowed now"))
    }

    /// 400 `MissingParameter`.
    pub fn missing(name: &str) -> Refusal {
        Refusal::ack(400, "MissingParameter", format!("{name} is mandatory for this action"))
    }

    /// 400 `InvalidParameter`.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::ack(400, "InvalidParameter", message)
    }

    /// The JSON body.
    pub fn body(&self, operation: &str, request_id: &str, host: &str) -> Value {
        match self.shape {
            Shape::Gateway => json!({
                "RequestId": request_id, "HostId": host, "Code": self.code, "Message": self.message,
            }),
            Shape::Ack => {
                let mut body = json!({
                    "code": self.code, "message": self.message, "requestId": request_id, "status": self.status,
                });
                if self.status == 403 {
                    body["accessDeniedDetail"] = json!({
                        "AuthAction": format!("cs:{operation}"), "AuthPrincipalType": "SubUser",
                        "NoPermissionType": "ImplicitDeny", "PolicyType": "AccountLevelIdentityBasedPolicy",
                    });
                }
                body
            }
        }
    }
}
