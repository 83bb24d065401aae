//! Reading Secrets: whose credentials serve an object, and the secret parts of its body. Reads by name only, never
//! lists or watches, and never keeps a value longer than the account that was made of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube::{Client, ResourceExt};
use secrecy::SecretString;

use super::Env;
use super::store::{self, within};
use crate::ack::{Account, Credentials};
use crate::api::AckCluster;
use crate::cache::Watched;
use crate::decide::Trouble;
use crate::terms::{Class, Reason};

/// How long a value may be that goes into a request body: user data has 16 KiB, a certificate some 10.
const LONGEST: usize = 64 * 1024;

/// What was read of each credentials Secret. One is not read more often than ACK is looked at, nor twice at once.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Key, Arc<Slot>>>);

/// What was read, and when. Held by whoever reads; who waits gets the same.
type Slot = tokio::sync::Mutex<Option<(Instant, Resolved)>>;

/// Namespace and name of a Secret.
type Key = (String, String);

/// Whose credentials serve an object, or why none do.
pub(super) type Resolved = Result<Arc<Account>, Trouble>;

/// Who wants to use keys, and which.
pub(super) struct Holder<'a> {
    pub namespace: String,
    pub name: String,
    /// `None`: the operator's own.
    secret: Option<&'a str>,
    adopts: bool,
}

impl<'a> From<&'a AckCluster> for Holder<'a> {
    fn from(object: &'a AckCluster) -> Self {
        Holder {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            secret: object.spec.credentials_ref.as_ref().map(|secret| secret.name.as_str()),
            adopts: object.spec.adopt_cluster_id.is_some(),
        }
    }
}

impl<'a> From<&'a Watched> for Holder<'a> {
    fn from(object: &'a Watched) -> Self {
        Holder {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            secret: object.secret.as_deref(),
            adopts: object.adopts.is_some(),
        }
    }
}

/// The account that serves this object: of the Secret it names, else the operator's own where the namespace may use it.
pub(super) async fn account(env: &Env, holder: &Holder<'_>) -> Resolved {
    let Some(secret) = holder.secret else { return own(env, holder) };
    let (key, interval) = ((holder.namespace.clone(), secret.to_owned()), env.settings.secret_interval());
    let slot = env.credentials.slot(&key);
    let mut slot = slot.lock().await;
    if let Some((_, answer)) = slot.as_ref().filter(|(read, _)| read.elapsed() < interval) {
        return answer.clone();
    }
    env.credentials.prune(interval);
    let answer = read(&env.client, &key.0, &key.1).await.and_then(|data| {
        let get = |name: &str| data.get(name).map(|value| value.0.as_slice());
        let credentials =
            Credentials::from_secret(get).map_err(|e| missing(format!("Secret {}/{}: {e}", key.0, key.1)))?;
        Ok(env.accounts.account(credentials, &format!("{}/{}", key.0, key.1)))
    });
    *slot = Some((Instant::now(), answer.clone()));
    answer
}

impl Cache {
    fn slot(&self, key: &Key) -> Arc<Slot> {
        self.0.lock().expect("credentials").entry(key.clone()).or_default().clone()
    }

    /// What is too old to be used keeps no keys in memory either.
    fn prune(&self, interval: Duration) {
        let old = |slot: &Slot| {
            slot.try_lock().is_ok_and(|slot| slot.as_ref().is_none_or(|(read, _)| read.elapsed() >= interval))
        };
        self.0.lock().expect("credentials").retain(|_, slot| Arc::strong_count(slot) > 1 || !old(slot));
    }
}

fn own(env: &Env, holder: &Holder<'_>) -> Resolved {
    let (settings, namespace) = (&env.settings, &holder.namespace);
    let Some(credentials) = &settings.credentials else {
        return Err(missing(
            "spec.credentialsRef is absent and the operator has no credentials of its own; name a Secret with \
             ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
                .into(),
        ));
    };
    if !settings.default_credentials_namespaces.allow(namespace) {
        return Err(missing(format!(
            "namespace {namespace} may not use the operator's own credentials; {}",
            super::shared::cure(holder, "--default-credentials-namespaces", "credentials.namespaces")
        )));
    }
    if holder.adopts && !settings.adoption_namespaces.allow(namespace) {
        return Err(missing(format!(
            "namespace {namespace} may not adopt clusters with the operator's own credentials; {}",
            super::shared::cure(holder, "--adoption-namespaces", "adoption.namespaces")
        )));
    }
    Ok(env.accounts.account(credentials.clone(), ""))
}

/// The values that `spec.secretValues` names, by path.
pub(super) async fn values(env: &Env, object: &AckCluster) -> Result<BTreeMap<String, SecretString>, Trouble> {
    let namespace = object.namespace().unwrap_or_default();
    let mut values = BTreeMap::new();
    for wanted in object.spec.secret_values.iter().flatten() {
        let from = &wanted.secret_key_ref;
        let data = read(&env.client, &namespace, &from.name).await?;
        let missing = || missing(format!("Secret {namespace}/{} has no text under key {}", from.name, from.key));
        let value = data.get(&from.key).ok_or_else(missing)?;
        if value.0.len() > LONGEST {
            let note = format!(
                "Secret {namespace}/{}: the value under key {} is longer than {} KiB",
                from.name,
                from.key,
                LONGEST / 1024
            );
            return Err(Trouble::new(Class::User, note));
        }
        let text = std::str::from_utf8(&value.0).map_err(|_| missing())?;
        values.insert(wanted.path.clone(), SecretString::from(text.to_owned()));
    }
    Ok(values)
}

async fn read(client: &Client, namespace: &str, name: &str) -> Result<BTreeMap<String, ByteString>, Trouble> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    match within(secrets.get_opt(name)).await {
        Ok(Some(secret)) => Ok(secret.data.unwrap_or_default()),
        Ok(None) => Err(missing(format!("Secret {namespace}/{name} does not exist"))),
        Err(error) => Err(unread(&error, &format!("Secret {namespace}/{name}"))),
    }
}

fn missing(note: String) -> Trouble {
    Trouble::new(Class::Credentials, note).because(Reason::CredentialsMissing)
}

/// Trouble with the Kubernetes API, where a pass needs to read something else than its object.
pub(super) fn unread(error: &store::Error, what: &str) -> Trouble {
    let (class, note) = if error.is_forbidden() {
        (Class::Permission, format!("the operator may not read {what}; grant it `get`"))
    } else {
        (Class::Transient, format!("{what} could not be read from the Kubernetes API"))
    };
    Trouble::new(class, note)
}
