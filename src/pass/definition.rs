//! Whether the API server keeps what this operator writes, and whether it is about to drop it all. A
//! CustomResourceDefinition that is older than the operator drops members of a status in silence, and a seal that is not
//! stored seals nothing; one that is being deleted marks every object for deletion. Reads the definition, never writes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::{Client, CustomResourceExt, Resource};
use tokio::sync::OnceCell;

use super::secrets::unread;
use super::store::within;
use crate::api::{self, AckCluster};
use crate::decide::Trouble;
use crate::terms::{Class, Reason};

/// How many members a message names.
const NAMED: usize = 4;

/// By then discovery shows that a definition is being deleted. The API server notes it before it marks the first object,
/// and its discovery follows within moments; this is for servers that are several, and busy.
const SHOWN: Duration = Duration::from_secs(10);

/// What is known of the definition. A good answer holds until the API server shows otherwise.
#[derive(Default)]
pub(super) struct Definition {
    kept: Mutex<Option<(Instant, Result<(), Trouble>)>>,
    /// Whether we may read it. Who installs into a namespace without a cluster's rights cannot grant that.
    readable: OnceCell<bool>,
}

impl Definition {
    /// `Ok` where every member of a status that this operator writes is kept. Asked again every `interval` until it is.
    pub async fn keeps(&self, client: &Client, interval: Duration) -> Result<(), Trouble> {
        if let Some((asked, answer)) = self.kept.lock().expect("definition").as_ref()
            && (answer.is_ok() || asked.elapsed() < interval)
        {
            return answer.clone();
        }
        let answer = self.look(client).await;
        *self.kept.lock().expect("definition") = Some((Instant::now(), answer.clone()));
        answer
    }

    /// A write came back without what was written: whatever was known of the definition is out of date.
    pub fn dropped(&self, member: &str) -> Trouble {
        *self.kept.lock().expect("definition") = None;
        outdated(&[member.to_owned()])
    }

    /// Whether the definition is being deleted or gone, and its objects with it. Where it cannot be read, discovery
    /// answers, which everybody may read: of a definition that is being deleted it no longer offers `create`. Discovery is
    /// believed only `SHOWN` after the object's deletion was seen, for it may lag behind that.
    pub async fn is_going(&self, client: &Client, seen_for: Duration) -> Result<bool, Trouble> {
        if self.readable(client).await? {
            let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
            return match within(definitions.get_metadata_opt(AckCluster::crd_name())).await {
                Ok(found) => Ok(found.is_none_or(|crd| crd.metadata.deletion_timestamp.is_some())),
                Err(error) => Err(unread(&error, &named())),
            };
        }
        let served = within(client.list_api_group_resources(&AckCluster::api_version(&()))).await;
        let offered = match served {
            Ok(list) => list
                .resources
                .iter()
                .any(|kind| kind.name == AckCluster::plural(&()) && kind.verbs.iter().any(|verb| verb == "create")),
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(unread(&error, "what the API server offers (system:discovery)")),
        };
        match SHOWN.checked_sub(seen_for) {
            Some(wait) if offered && !wait.is_zero() => Err(Trouble {
                wait: SignedDuration::try_from(wait).ok(),
                ..Trouble::new(
                    Class::Transient,
                    format!("looking whether {} is being deleted, which would hold this deletion", named()),
                )
                .because(Reason::Deleting)
            }),
            _ => Ok(!offered),
        }
    }

    async fn look(&self, client: &Client) -> Result<(), Trouble> {
        if !self.readable(client).await? {
            // Then it shows only when a seal comes back without what was written.
            tracing::info!("this operator may not read {}, so it does not compare it with its own", named());
            return Ok(());
        }
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        let served = within(definitions.get(AckCluster::crd_name())).await.map_err(|e| unread(&e, &named()))?;
        let lost = api::dropped_by(&served);
        if lost.is_empty() { Ok(()) } else { Err(outdated(&lost)) }
    }

    /// Asked once, and of the API server itself: a request that is bound to be refused would fill its audit log.
    async fn readable(&self, client: &Client) -> Result<bool, Trouble> {
        let ask = async || {
            let attributes = ResourceAttributes {
                group: Some("apiextensions.k8s.io".into()),
                resource: Some("customresourcedefinitions".into()),
                name: Some(AckCluster::crd_name().into()),
                verb: Some("get".into()),
                ..ResourceAttributes::default()
            };
            let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
            let review = SelfSubjectAccessReview { spec, ..Default::default() };
            let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
            let answer = within(reviews.create(&PostParams::default(), &review)).await;
            let answer = answer.map_err(|error| unread(&error, "its own rights (system:basic-user)"))?;
            Ok(answer.status.is_some_and(|status| status.allowed))
        };
        self.readable.get_or_try_init(ask).await.copied()
    }
}

fn named() -> String {
    format!("the CustomResourceDefinition {}", AckCluster::crd_name())
}

fn outdated(lost: &[String]) -> Trouble {
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = lost[..lost.len().min(NAMED)].join(", ");
    let note = format!(
        "the API server drops {named}{more}: its CustomResourceDefinition is not the one of this operator. Nothing is \
         asked of ACK before that is mended: ack-operator crd | kubectl apply --server-side -f -"
    );
    Trouble::new(Class::Permission, note).because(Reason::DefinitionOutdated)
}
