//! The operator's own parts of the spec, in camelCase. Data only.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::api::values::free_value;

/// Names a Secret of this namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct CredentialsRef {
    /// Secret with `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`; for STS also
    /// `ALIBABA_CLOUD_SECURITY_TOKEN`; where STS cannot be reached also `ALIBABA_CLOUD_ACCOUNT_ID`.
    #[x_kube(validation = (SECRET_NAME, "credentialsRef.name is the name of a Secret"))]
    pub name: String,
}

const SECRET_NAME: &str = r"self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')";

/// Where the kubeconfig is published.
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigSecretRef {
    /// Name of the Secret. It is made where there is none; one that this object does not own is never written.
    #[x_kube(validation = (SECRET_NAME, "kubeconfigSecretRef.name is the name of a Secret"))]
    pub name: String,
    /// How long its certificate is valid, in minutes, 15 to 4320; it is renewed before it ends. Absent: as long as ACK
    /// makes it, which is years.
    #[schemars(range(min = 15, max = 4320))]
    pub valid_minutes: Option<i64>,
    /// Which address of the API server it holds. Absent: the public one where there is one, else the one in the VPC.
    pub endpoint_access: Option<EndpointAccess>,
}

/// An address of the API server: on the internet, or in the VPC.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointAccess {
    Public,
    Private,
}

/// What becomes of the cluster in the cloud when the object is deleted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionPolicy {
    Delete,
    Retain,
}

/// How the old worker fields are sent. `Verbatim` is for gateways that still know them: ACK ended them region by region until
/// 2026-09-30 (ack-api k).
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerFields {
    Verbatim,
    AsNodePool,
}

/// What a deletion keeps or takes beside the cluster: the query of DeleteCluster (ack-api d.6).
#[skip_serializing_none]
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!(self.?retainAllResources.orValue(false) && self.?retainResources.orValue([]).size() > 0)", "retainAllResources: true keeps everything, so retainResources has no meaning beside it: drop one"))]
pub struct DeleteOptions {
    /// Ids of cloud resources to keep.
    #[schemars(length(max = 100))]
    pub retain_resources: Option<Vec<String>>,
    /// Keep every resource that ACK lists for the cluster. Service default: false.
    pub retain_all_resources: Option<bool>,
    /// What happens to a kind of resource. Service defaults: `SLB` is deleted, the others are kept.
    #[x_kube(validation = ("self.all(o, self.exists_one(other, other.resourceType == o.resourceType))", "options hold each resourceType once"))]
    pub options: Option<Vec<DeleteOption>>,
}

/// What happens to a kind of resource.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeleteOption {
    /// `SLB`, `ALB`, `SLS_Data`, `SLS_ControlPlane`, `PrivateZone`.
    #[schemars(length(min = 1, max = 64))]
    pub resource_type: String,
    /// `delete` or `retain`.
    #[schemars(extend("enum" = ["delete", "retain"]))]
    pub delete_mode: String,
}

/// A value of the body that comes from a Secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretValue {
    /// Where it goes: `login_password`, `user_data`, `nodepools/<name>/login_password`, `nodepools/<name>/user_data` or
    /// `addons/<name>/config`.
    #[x_kube(validation = ("self.matches('^(login_password|user_data|nodepools/[^/]+/(login_password|user_data)|addons/[^/]+/config)$')", "path is login_password, user_data, nodepools/<name>/login_password, nodepools/<name>/user_data or addons/<name>/config"))]
    pub path: String,
    /// Where it comes from.
    pub secret_key_ref: SecretKeyRef,
}

/// A key of a Secret of this namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[x_kube(validation = (SECRET_NAME, "secretKeyRef.name is the name of a Secret"))]
    pub name: String,
    /// Key in its data.
    #[x_kube(validation = ("self.matches('^[-._a-zA-Z0-9]+$')", "secretKeyRef.key holds letters, digits, dots, dashes and underscores"))]
    pub key: String,
}

/// A member of the body that this operator does not know.
#[derive(KubeSchema, Serialize, Clone, Debug, Default, PartialEq)]
pub struct ExtraParameter {
    /// Its name.
    #[x_kube(validation = ("self.matches('^[a-z][a-z0-9_]*$')", "an extra parameter's name holds lower case letters, digits and underscores"))]
    #[schemars(length(max = 64))]
    pub name: String,
    /// Its value: any JSON.
    #[schemars(schema_with = "free_value")]
    pub value: serde_json::Value,
}

/// The API server takes null for the required value and stores none; such an object must be read all the same.
impl<'de> Deserialize<'de> for ExtraParameter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            name: String,
            #[serde(default)]
            value: serde_json::Value,
        }
        Stored::deserialize(deserializer).map(|Stored { name, value }| ExtraParameter { name, value })
    }
}
