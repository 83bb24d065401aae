//! The only place that reads and writes AckClusters. Every write carries the resourceVersion it was decided on, so
//! that it lands on the object that was judged or not at all.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{DynamicObject, GetParams, ListParams, ObjectMeta, Patch, PatchParams, Request};
use kube::{Client, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::api::{self, AckCluster, AckClusterSpec, AckClusterStatus};
use crate::cache::Watched;

/// No call to the API server may hold a pass for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The queue is wide, the API server is not asked more than this at once: an answer may have 1.5 MB, and is in memory twice
/// while it is read.
static TURNS: Semaphore = Semaphore::const_new(16);

/// A longer object is not read: its decoded form takes some ten times its text, and many passes hold one at once.
const LONGEST: usize = 512 * 1024;

/// Objects longer than this wait for room. Ordinary ones are not.
const LONG: usize = 16 * 1024;

/// Room for long objects, in KiB of text: so many of them are in memory at once, whoever wrote them.
static ROOM: Semaphore = Semaphore::const_new(4 * 1024);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the Kubernetes API refused or failed")]
    Kube(#[from] kube::Error),
    #[error("the Kubernetes API did not answer within {} s", PATIENCE.as_secs())]
    Silent(#[from] tokio::time::error::Elapsed),
    /// The object is there and nothing may be concluded from it.
    #[error("the object cannot be understood: {}", .0.why)]
    Unreadable(Box<Unreadable>),
}

/// An object that does not decode, or whose status contradicts itself.
#[derive(Debug)]
pub struct Unreadable {
    pub metadata: ObjectMeta,
    pub conditions: Vec<Condition>,
    /// Names members, and never what a spec holds: that may be secret.
    pub why: String,
}

impl Error {
    /// Somebody else wrote first; read again and judge again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_conflict())
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_not_found())
    }

    /// What was written is refused, and would be refused again.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_invalid())
    }

    /// The API server's own sentence where it gave one.
    pub fn cause(&self) -> String {
        match self {
            Error::Kube(kube::Error::Api(status)) => status.message.clone(),
            other => other.to_string(),
        }
    }

    pub fn is_forbidden(&self) -> bool {
        matches!(self, Error::Kube(kube::Error::Api(status)) if status.is_forbidden())
    }
}

/// Bounds any call to the API server.
pub(crate) async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    let _turn = TURNS.acquire().await;
    Ok(tokio::time::timeout(PATIENCE, call).await??)
}

/// One AckCluster and the way to it. The client gets texts, which are decoded here: where its own decoding fails, it would log
/// the whole object, passwords included.
#[derive(Clone)]
pub struct Store {
    client: Client,
    url: String,
    name: String,
    /// Label selector of the objects that are managed; `None`: all.
    selector: Option<String>,
}

impl Store {
    pub fn new(client: Client, namespace: &str, name: &str, selector: Option<String>) -> Store {
        Store { client, url: AckCluster::url_path(&(), Some(namespace)), name: name.to_owned(), selector }
    }

    /// The object as the API server has it now, whether or not it is selected.
    pub async fn read(&self) -> Result<Option<AckCluster>, Error> {
        self.get().await?.as_deref().map(decoded).transpose()
    }

    /// The object as the API server has it now; `None` also where it is not selected. The watch may not have said so yet.
    pub async fn select(&self) -> Result<Option<AckCluster>, Error> {
        self.selected().await?.as_deref().map(decoded).transpose()
    }

    async fn get(&self) -> Result<Option<String>, Error> {
        match self.send(|url| url.get(&self.name, &GetParams::default())).await {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a selector means is the API server's to say, so it is asked for a list of this one object.
    async fn selected(&self) -> Result<Option<String>, Error> {
        let Some(selector) = &self.selector else { return self.get().await };
        let this = ListParams::default().labels(selector).fields(&format!("metadata.name={}", self.name));
        let text = self.send(|url| url.list(&this)).await?;
        let List { items } = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
        Ok(items.into_iter().next().map(|item| String::from(Box::<str>::from(item))))
    }

    /// The object as [`Store::select`] has it, and the room that it takes as long as it is held.
    pub async fn open(&self) -> Result<Option<(AckCluster, Option<SemaphorePermit<'static>>)>, Error> {
        let length = match self.selected().await? {
            Some(text) if text.len() > LONG && text.len() <= LONGEST => text.len(),
            Some(text) => return decoded(&text).map(|object| Some((object, None))),
            None => return Ok(None),
        };
        // The text is dropped while it waits.
        let room = ROOM.acquire_many(u32::try_from(length / 1024).unwrap_or(u32::MAX));
        let room = tokio::time::timeout(PATIENCE, room).await?.ok();
        Ok(self.select().await?.map(|object| (object, room)))
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
        let patch = Patch::Merge(patch);
        decoded(&self.send(|url| url.patch(&self.name, &PatchParams::default(), &patch)).await?)
    }

    /// Writes what differs between the status that was seen and `status`; nothing where nothing differs.
    pub async fn write_status(
        &self,
        seen: &AckCluster,
        status: &AckClusterStatus,
    ) -> Result<Option<AckCluster>, Error> {
        let Some(difference) = difference(seen.status.as_ref(), status) else { return Ok(None) };
        decoded(&self.patch_status(&seen.metadata, difference.into()).await?).map(Some)
    }

    /// Writes likewise, and where nothing differs an empty patch: it fails unless the object is still the one that was seen.
    pub async fn confirm_status(&self, seen: &AckCluster, status: &AckClusterStatus) -> Result<AckCluster, Error> {
        let difference = difference(seen.status.as_ref(), status).unwrap_or_default();
        decoded(&self.patch_status(&seen.metadata, difference.into()).await?)
    }

    /// Writes the conditions of an object that cannot be understood, and nothing else.
    pub async fn write_conditions(&self, seen: &ObjectMeta, conditions: &[Condition]) -> Result<(), Error> {
        self.patch_status(seen, json!({ "conditions": conditions })).await.map(drop)
    }

    async fn patch_status(&self, seen: &ObjectMeta, status: Value) -> Result<String, Error> {
        let patch = json!({ "metadata": { "resourceVersion": seen.resource_version }, "status": status });
        let patch = Patch::Merge(patch);
        self.send(|url| url.patch_subresource("status", &self.name, &PatchParams::default(), &patch)).await
    }

    async fn send(
        &self,
        request: impl FnOnce(Request) -> Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<String, Error> {
        let request = request(Request::new(&self.url)).map_err(kube::Error::BuildRequest)?;
        within(self.client.request_text(request)).await
    }
}

/// What is nested deeper than the decoder goes, or is of other types than the definition asks for, is [`Unreadable`].
fn decoded(text: &str) -> Result<AckCluster, Error> {
    let unreadable = |metadata: ObjectMeta, conditions, why: String| {
        Err(Error::Unreadable(Box::new(Unreadable { metadata, conditions, why })))
    };
    let outlined = |why: String| {
        let kept: Watched = serde_json::from_str(text).map_err(kube::Error::SerdeError)?;
        let conditions = serde_json::from_str::<Outline>(text).unwrap_or_default().status.conditions;
        unreadable(kept.meta().clone(), conditions, why)
    };
    if text.len() > LONGEST {
        return outlined(format!("it has {} KiB, and no more than {} are read", text.len() / 1024, LONGEST / 1024));
    }
    let Ok(DynamicObject { types: _, mut metadata, mut data }) = serde_json::from_str::<DynamicObject>(text) else {
        return outlined("something in it is nested more than 120 deep".into());
    };
    metadata.managed_fields = None;
    let (spec, status) = (data["spec"].take(), data["status"].take());
    match (AckClusterSpec::deserialize(&spec), Option::deserialize(&status)) {
        (Ok(spec), Ok(status)) => Ok(AckCluster { metadata, spec, status }),
        _ => {
            let conditions = Vec::deserialize(&status["conditions"]).unwrap_or_default();
            let misfits = api::misfits(&spec, &status).join(", ");
            unreadable(
                metadata,
                conditions,
                format!("{misfits}: not of the type that the CustomResourceDefinition asks for"),
            )
        }
    }
}

/// A list whose items are decoded one by one.
#[derive(Deserialize)]
struct List {
    items: Vec<Box<RawValue>>,
}

/// What is needed to say something about an object of which nothing else can be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline {
    status: Conditions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conditions {
    conditions: Vec<Condition>,
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
