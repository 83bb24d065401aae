//! Publishing the kubeconfig: what its Secret holds now, and writing a new one. A Secret that the object does not own is
//! never written, none is ever deleted, and nothing of a kubeconfig but its server's address is told to anybody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use kube::{Resource, ResourceExt};
use secrecy::ExposeSecret;
use serde_json::json;

use super::secrets::unread;
use super::state::Pass;
use super::store::{self, within};
use crate::api::{AckCluster, EndpointAccess, PublishedKubeconfig};
use crate::decide::{Answer, Deed, Published, Rules, Trouble};
use crate::terms::{Class, ClusterId};

/// The form in which Cluster API tools look for kubeconfigs.
const TYPE: &str = "cluster.x-k8s.io/secret";
const LABEL: &str = "cluster.x-k8s.io/cluster-name";
const KEY: &str = "value";

/// What the Secret says of itself: what it was made for, whom it reaches, until when, and when it is renewed.
const MADE_FOR: &str = "ackoperator.dev/made-for";
const SERVER: &str = "ackoperator.dev/server";
const EXPIRES_AT: &str = "ackoperator.dev/expires-at";
const RENEW_AT: &str = "ackoperator.dev/renew-at";

/// How long a kubeconfig is taken to last where ACK does not say.
const UNSAID: SignedDuration = SignedDuration::from_hours(24);

/// What is wanted of the Secret, as spec and cluster have it now.
struct Wish {
    name: String,
    access: EndpointAccess,
    minutes: Option<i64>,
    /// All that a kubeconfig depends on: where it differs, a new one is made.
    made_for: String,
}

pub(super) async fn look(pass: &mut Pass<'_>) -> Result<Published, Trouble> {
    let wish = match wish(pass) {
        Ok(wish) => wish,
        Err(nothing) => return Ok(nothing),
    };
    let secret = read(pass, &wish.name).await?;
    pass.learnt.kubeconfig = Some(None);
    let Some(secret) = secret else { return Ok(Published::Absent) };
    if !owned(&secret, &pass.object) {
        return Ok(foreign(&wish.name));
    }
    let Some((renew, published)) = published(&secret, &wish) else { return Ok(Published::Absent) };
    pass.learnt.kubeconfig = Some(Some(published));
    Ok(Published::Fresh { renew })
}

/// Gets a kubeconfig and writes it, both at most once. What came of it is the evidence.
pub(super) async fn publish(pass: &mut Pass<'_>, id: &ClusterId) {
    let outcome = renew(pass, id).await;
    pass.view.seen.acted.push((Deed::Publish, outcome.as_ref().map(drop).map_err(Clone::clone)));
    pass.view.seen.take(Answer::Kubeconfig(outcome));
    pass.tell_time();
}

async fn renew(pass: &mut Pass<'_>, id: &ClusterId) -> Result<Published, Trouble> {
    let wish = match wish(pass) {
        Ok(wish) => wish,
        Err(nothing) => return Ok(nothing),
    };
    let seen = read(pass, &wish.name).await?;
    if seen.as_ref().is_some_and(|secret| !owned(secret, &pass.object)) {
        return Ok(foreign(&wish.name));
    }
    let (region, account) = (pass.region(), pass.account().await?);
    let private = wish.access == EndpointAccess::Private;
    let answer = pass.client(&account).kubeconfig(&region, id, private, wish.minutes).await?;
    let now = account.gateway_now();
    let config = answer.value.config.expose_secret();
    let server = server(config).ok_or_else(|| {
        Trouble::new(Class::Transient, "ACK's answer holds no kubeconfig with the address of an API server")
    })?;
    let minutes = wish.minutes.map_or(UNSAID, SignedDuration::from_mins);
    let expires = answer.value.expiration.unwrap_or(now + minutes);
    let renew = renewal(now, expires, &pass.env.settings.rules);
    let published = PublishedKubeconfig {
        name: wish.name.clone(),
        endpoint_access: wish.access,
        server_url: server.chars().take(1024).collect(),
        expires_at: expires.to_string(),
        renew_at: renew.to_string(),
    };
    write(pass, &wish, seen, config, &published).await?;
    let note = format!("a kubeconfig for {server} is in Secret {}, valid until {expires:.0}", wish.name);
    pass.event(false, "KubeconfigPublished", "Publish", &note).await;
    pass.learnt.kubeconfig = Some(Some(published));
    Ok(Published::Fresh { renew })
}

/// A fifth of its time before it ends, and several polls before where that fits in its second half.
fn renewal(now: Timestamp, expires: Timestamp, rules: &Rules) -> Timestamp {
    let life = expires.duration_since(now).max(SignedDuration::ZERO);
    now + (life - (life / 5).max((rules.poll_idle * 3).min(life / 2)))
}

/// What is wanted, or what the cluster lacks for it.
fn wish(pass: &Pass<'_>) -> Result<Wish, Published> {
    let wanted = pass.object.spec.kubeconfig_secret_ref.clone().unwrap_or_default();
    let detail = pass.learnt.detail.as_ref();
    let filled = |address: Option<&String>| address.filter(|address| !address.is_empty()).cloned();
    let public = filled(detail.and_then(|detail| detail.api_server_endpoint.as_ref()));
    let private = filled(detail.and_then(|detail| detail.intranet_api_server_endpoint.as_ref()));
    let (access, address) = match (wanted.endpoint_access, public, private) {
        (Some(EndpointAccess::Public) | None, Some(public), _) => (EndpointAccess::Public, public),
        (Some(EndpointAccess::Private), _, Some(private)) | (None, None, Some(private)) => {
            (EndpointAccess::Private, private)
        }
        (Some(EndpointAccess::Public), None, _) => {
            let note = "the cluster has no public endpoint, and kubeconfigSecretRef asks for it: set endpointAccess to \
                        Private, drop it, or give the cluster a public endpoint";
            return Err(Published::NoEndpoint(note.into()));
        }
        (Some(EndpointAccess::Private) | None, _, None) => {
            let note = "ACK does not show the address for which kubeconfigSecretRef asks";
            return Err(Published::NoEndpoint(note.into()));
        }
    };
    let id = pass.cluster_id().map(|id| id.to_string()).unwrap_or_default();
    let minutes = wanted.valid_minutes.map_or_else(|| "-".to_owned(), |minutes| minutes.to_string());
    let made_for = format!("{id} {access:?} {address} {minutes}");
    Ok(Wish { name: wanted.name, access, minutes: wanted.valid_minutes, made_for })
}

fn api(pass: &Pass<'_>) -> Api<Secret> {
    Api::namespaced(pass.env.client.clone(), &pass.object.namespace().unwrap_or_default())
}

async fn read(pass: &Pass<'_>, name: &str) -> Result<Option<Secret>, Trouble> {
    within(api(pass).get_opt(name)).await.map_err(|error| unread(&error, &format!("Secret {name}")))
}

fn owned(secret: &Secret, object: &AckCluster) -> bool {
    let uid = object.uid();
    secret.owner_references().iter().any(|owner| owner.controller == Some(true) && Some(&owner.uid) == uid.as_ref())
}

fn foreign(name: &str) -> Published {
    let note = format!(
        "Secret {name} exists and does not belong to this object, so no kubeconfig is written into it: give \
         kubeconfigSecretRef another name, or delete that Secret"
    );
    Published::Foreign(note.into())
}

/// What our Secret holds, if that is what is wanted.
fn published(secret: &Secret, wish: &Wish) -> Option<(Timestamp, PublishedKubeconfig)> {
    let said = secret.annotations();
    let filled = secret.data.as_ref().and_then(|data| data.get(KEY)).is_some_and(|value| !value.0.is_empty());
    if !filled || said.get(MADE_FOR) != Some(&wish.made_for) {
        return None;
    }
    let published = PublishedKubeconfig {
        name: wish.name.clone(),
        endpoint_access: wish.access,
        server_url: said.get(SERVER)?.clone(),
        expires_at: said.get(EXPIRES_AT)?.clone(),
        renew_at: said.get(RENEW_AT)?.clone(),
    };
    Some((published.renew_at.parse().ok()?, published))
}

/// The address that a kubeconfig reaches. Why one cannot be read is not told: an error may quote it.
pub(super) fn server(config: &str) -> Option<String> {
    let config = Kubeconfig::from_yaml(config).ok()?;
    let current = config.current_context?;
    let context = config.contexts.into_iter().find(|named| named.name == current)?.context?;
    let cluster = config.clusters.into_iter().find(|named| named.name == context.cluster)?.cluster?;
    cluster.server.filter(|server| server.starts_with("https://"))
}

/// Creates the Secret, or changes the one that was seen and no other.
async fn write(
    pass: &Pass<'_>,
    wish: &Wish,
    seen: Option<Secret>,
    config: &str,
    published: &PublishedKubeconfig,
) -> Result<(), Trouble> {
    let PublishedKubeconfig { name, server_url, expires_at, renew_at, endpoint_access: _ } = published;
    let said = [(MADE_FOR, &wish.made_for), (SERVER, server_url), (EXPIRES_AT, expires_at), (RENEW_AT, renew_at)];
    let annotations: BTreeMap<_, _> = said.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    // A label's value is no longer than 63 characters.
    let labels = BTreeMap::from([(LABEL.to_owned(), pass.object.name_any().chars().take(63).collect::<String>())]);
    let data = BTreeMap::from([(KEY.to_owned(), ByteString(config.as_bytes().to_vec()))]);
    let written = match seen {
        None => {
            let owner = OwnerReference {
                block_owner_deletion: None,
                ..pass.object.controller_owner_ref(&()).unwrap_or_default()
            };
            let mut secret = Secret { type_: Some(TYPE.to_owned()), data: Some(data), ..Secret::default() };
            secret.metadata.name = Some(name.clone());
            secret.metadata.labels = Some(labels);
            secret.metadata.annotations = Some(annotations);
            secret.metadata.owner_references = Some(vec![owner]);
            within(api(pass).create(&PostParams::default(), &secret)).await
        }
        Some(seen) => {
            let metadata = json!({
                "uid": seen.uid(), "resourceVersion": seen.resource_version(), "labels": labels, "annotations": annotations,
            });
            let patch = Patch::Merge(json!({ "metadata": metadata, "data": data }));
            within(api(pass).patch(name, &PatchParams::default(), &patch)).await
        }
    };
    written.map(drop).map_err(|error| unwritten(&error, name))
}

fn unwritten(error: &store::Error, name: &str) -> Trouble {
    let (class, note) = if error.is_forbidden() {
        let note = format!("the operator may not write Secret {name}; install the chart with kubeconfig.enabled: true");
        (Class::Permission, note)
    } else if error.is_invalid() {
        (Class::User, format!("the API server takes no Secret {name}: give kubeconfigSecretRef another name"))
    } else {
        (
            Class::Transient,
            format!("Secret {name} could not be written: it changed meanwhile, or the API server failed"),
        )
    };
    Trouble::new(class, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_is_renewed_a_fifth_before_its_end_or_some_polls_before() {
        let rules = Rules::default();
        let now = Timestamp::UNIX_EPOCH;
        // Minutes that it lives, minutes after which it is renewed; polls come every 5.
        for (life, renewed) in [(15, 8), (20, 10), (60, 45), (100, 80), (4320, 3456), (0, 0), (-5, 0)] {
            let at = renewal(now, now + SignedDuration::from_mins(life), &rules);
            let minutes = (at.duration_since(now).as_secs_f64() / 60.0).round();
            assert_eq!(minutes as i64, renewed, "{life}");
        }
    }

    #[test]
    fn the_server_of_the_current_context_is_told_and_nothing_else() {
        let text = include_str!("../../tests/data/samples/describe-cluster-user-kubeconfig.json");
        let sample: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(server(sample["config"].as_str().unwrap()).as_deref(), Some("https://203.0.113.10:6443"));
        for broken in ["", "{", "apiVersion: v1\nkind: Config\n"] {
            assert_eq!(server(broken), None, "{broken}");
        }
    }
}
