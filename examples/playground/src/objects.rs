//! AckClusters as plain JSON, the way a user sees them: no type of the operator's is used, and nothing is defaulted.

use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::error::{Error, Result};

pub const GROUP: &str = "ackoperator.dev";
pub const VERSION: &str = "v1alpha1";

/// The AckClusters of one namespace.
#[derive(Clone, Debug)]
pub struct AckClusters {
    api: Api<DynamicObject>,
}

impl AckClusters {
    pub fn new(client: Client, namespace: &str) -> AckClusters {
        let resource =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, "AckCluster"), "ackclusters");
        AckClusters { api: Api::namespaced_with(client, namespace, &resource) }
    }

    /// `None` where there is none of that name.
    pub async fn get(&self, name: &str) -> Result<Option<Value>> {
        self.api.get_opt(name).await?.map(plain).transpose()
    }

    pub async fn list(&self) -> Result<Vec<Value>> {
        self.api.list(&ListParams::default()).await?.items.into_iter().map(plain).collect()
    }

    /// Server-side apply as the field manager `user`. `object` is whole: apiVersion, kind, metadata.name, spec.
    pub async fn apply(&self, object: &Value) -> Result<Value> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let parameters = PatchParams { field_manager: Some("user".into()), force: true, ..Default::default() };
        plain(self.api.patch(name, &parameters, &Patch::Apply(object)).await?)
    }

    /// JSON merge patch of the object.
    pub async fn merge(&self, name: &str, patch: &Value) -> Result<Value> {
        plain(self.api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// JSON merge patch of the object's status, as only the operator should; for tests that play somebody else.
    pub async fn merge_status(&self, name: &str, patch: &Value) -> Result<Value> {
        plain(self.api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// Asks for the deletion and does not wait for it.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.api.delete(name, &DeleteParams::default()).await?;
        Ok(())
    }
}

fn plain(object: DynamicObject) -> Result<Value> {
    serde_json::to_value(object).map_err(|error| Error::Unexpected(error.to_string()))
}

/// The condition of that type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// The smallest useful AckCluster, with credentials from the Secret `secret`. Change what a test is about.
pub fn smallest(name: &str, secret: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "AckCluster",
        "metadata": {"name": name},
        "spec": {
            "region_id": "cn-hangzhou",
            "cluster_type": "ManagedKubernetes",
            "vpcid": "vpc-bp1playground",
            "vswitch_ids": ["vsw-bp1playground"],
            "container_cidr": "172.20.0.0/16",
            "service_cidr": "172.21.0.0/20",
            "credentialsRef": {"name": secret},
        },
    })
}
