//! The only place that reads and writes AckClusters. Every write carries the resourceVersion it was decided on, so
//! that it lands on the object that was judged or not at all.

use std::time::Duration;

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Map, Value, json};

use crate::api::{self, AckCluster, AckClusterStatus};

/// No call to the API server may hold a pass for longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the Kubernetes API refused or failed")]
    Kube(#[from] kube::Error),
    #[error("the Kubernetes API did not answer within {} s", PATIENCE.as_secs())]
    Silent(#[from] tokio::time::error::Elapsed),
}

impl Error {
    /// Somebody else wrote first; read again and judge again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_conflict())
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_not_found())
    }

    pub fn is_forbidden(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_forbidden())
    }
}

/// Bounds any call to the API server.
pub(super) async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    Ok(tokio::time::timeout(PATIENCE, call).await??)
}

/// One AckCluster and the way to it.
#[derive(Clone)]
pub(super) struct Store {
    api: Api<AckCluster>,
    name: String,
}

impl Store {
    pub fn new(client: Client, namespace: &str, name: &str) -> Store {
        Store { api: Api::namespaced(client, namespace), name: name.to_owned() }
    }

    /// The object as the API server has it now.
    pub async fn read(&self) -> Result<Option<AckCluster>, Error> {
        within(self.api.get_opt(&self.name)).await
    }

    pub async fn add_finalizer(&self, seen: &AckCluster) -> Result<AckCluster, Error> {
        let mut finalizers = seen.finalizers().to_vec();
        finalizers.push(api::FINALIZER.to_owned());
        self.finalizers(seen, finalizers).await
    }

    pub async fn remove_finalizer(&self, seen: &AckCluster) -> Result<AckCluster, Error> {
        let finalizers = seen.finalizers().iter().filter(|f| *f != api::FINALIZER).cloned().collect();
        self.finalizers(seen, finalizers).await
    }

    async fn finalizers(&self, seen: &AckCluster, finalizers: Vec<String>) -> Result<AckCluster, Error> {
        let patch = json!({ "metadata": { "resourceVersion": seen.resource_version(), "finalizers": finalizers } });
        within(self.api.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch))).await
    }

    /// Writes what differs between the status that was seen and `status`; nothing where nothing differs.
    pub async fn write_status(
        &self,
        seen: &AckCluster,
        status: &AckClusterStatus,
    ) -> Result<Option<AckCluster>, Error> {
        let Some(difference) = difference(seen.status.as_ref(), status) else { return Ok(None) };
        let patch = json!({ "metadata": { "resourceVersion": seen.resource_version() }, "status": difference });
        Ok(Some(within(self.api.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch))).await?))
    }
}

/// The members of the status that changed, `null` for those that go.
fn difference(old: Option<&AckClusterStatus>, new: &AckClusterStatus) -> Option<Map<String, Value>> {
    let members = |status: &AckClusterStatus| match serde_json::to_value(status) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (old, new) = (old.map(members).unwrap_or_default(), members(new));
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone()));
    let difference: Map<_, _> = gone.chain(changed).collect();
    (!difference.is_empty()).then_some(difference)
}
