//! `ack-operator doctor`: whether what `run` needs is there, one line a check, each failure with its cure. Asks only, and
//! with the rights, keys and endpoints that `run` would have.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PostParams};
use kube::{Client, CustomResourceExt, Resource};

use super::rights::{DEFINITION, For, OBJECTS, Place, RIGHTS, Right};
use crate::ack::{self, Account, Accounts, Credentials};
use crate::api::{self, AckCluster};
use crate::decide::Rules;
use crate::terms::{Class, Region};

/// No call to the API server may hold the doctor for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to look if neither a flag nor an object names a region.
const SOMEWHERE: &str = "cn-hangzhou";

const APPLY: &str = "ack-operator crd | kubectl apply --server-side -f -";

/// Who is examined: what `run` would have.
pub struct Patient {
    pub client: Client,
    pub accounts: Accounts,
    /// The operator's own.
    pub credentials: Option<Credentials>,
    /// Empty: all.
    pub namespaces: Vec<String>,
    /// Namespace and name, where an election is wanted.
    pub lease: Option<(String, String)>,
    /// Empty: those of the objects that are there.
    pub regions: Vec<Region>,
    pub rules: Rules,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub what: &'static str,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fine(String),
    Failed {
        why: String,
        cure: String,
    },
    /// It need not be, or could not be looked at.
    Skipped(String),
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Check { what, outcome } = self;
        match outcome {
            Outcome::Fine(note) => write!(f, "ok       {what}: {note}"),
            Outcome::Failed { why, cure } => write!(f, "FAILED   {what}: {why}; cure: {cure}"),
            Outcome::Skipped(why) => write!(f, "skipped  {what}: {why}"),
        }
    }
}

fn failed(why: impl Into<String>, cure: impl Into<String>) -> Outcome {
    Outcome::Failed { why: why.into(), cure: cure.into() }
}

/// Examines `patient` and tells each check once it is made.
pub async fn doctor(patient: &Patient, mut tell: impl FnMut(Check)) {
    let user = user(&patient.client).await;
    let reached = user.is_ok();
    let who = user.clone().unwrap_or_default();
    let outcome = match user {
        Ok(user) => Outcome::Fine(format!("the API server answers; this is {user}")),
        Err(why) => failed(why, "mend --kubeconfig, the network, or HTTPS_PROXY and NO_PROXY"),
    };
    tell(Check { what: "kubernetes", outcome });
    if reached {
        tell(Check { what: "definition", outcome: definition(&patient.client).await });
        for right in RIGHTS {
            for namespace in scopes(patient, right.place) {
                tell(Check { what: "rights", outcome: rights(patient, right, namespace.as_deref(), &who).await });
            }
        }
    } else {
        let why = "the API server does not answer";
        ["definition", "rights"]
            .into_iter()
            .for_each(|what| tell(Check { what, outcome: Outcome::Skipped(why.into()) }));
    }
    let account = patient.credentials.clone().map(|credentials| patient.accounts.account(credentials, ""));
    tell(Check { what: "account", outcome: whose(account.as_deref()).await });
    for region in regions(patient, reached).await {
        cloud(patient, account.as_ref(), &region, &mut tell).await;
    }
}

/// Bounds a call to the API server, and turns its error into a sentence.
async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, call).await {
        Err(_) => Err(format!("the API server did not answer within {} s", PATIENCE.as_secs())),
        Ok(Err(kube::Error::Api(status))) => Err(status.message),
        Ok(Err(error)) => {
            let mut words = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                let cause_words = cause.to_string();
                if !words.contains(&cause_words) {
                    words = format!("{words}: {cause_words}");
                }
                source = cause.source();
            }
            Err(words)
        }
        Ok(Ok(answer)) => Ok(answer),
    }
}

async fn user(client: &Client) -> Result<String, String> {
    let reviews: Api<SelfSubjectReview> = Api::all(client.clone());
    let review = within(reviews.create(&PostParams::default(), &SelfSubjectReview::default())).await?;
    let user = review.status.and_then(|status| status.user_info).and_then(|info| info.username);
    Ok(user.unwrap_or_else(|| "somebody without a name".into()))
}

async fn definition(client: &Client) -> Outcome {
    let name = AckCluster::crd_name();
    match allowed(client, &DEFINITION, "get", None, Some(name)).await {
        Ok(true) => {}
        Ok(false) => return served(client).await,
        Err(why) => return failed(why, "try again"),
    }
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let served = match within(definitions.get_opt(name)).await {
        Ok(Some(served)) => served,
        Ok(None) => return failed(format!("there is no {name}"), APPLY),
        Err(why) => return failed(why, "try again"),
    };
    if served.metadata.deletion_timestamp.is_some() {
        return failed(format!("{name} is being deleted"), "answer for each cluster as docs/guarantees.md says");
    }
    let version = AckCluster::version(&());
    if !served.spec.versions.iter().any(|one| one.name == version && one.served) {
        return failed(format!("{name} does not serve {version}"), APPLY);
    }
    match api::dropped_by(&served).as_slice() {
        [] => Outcome::Fine(format!("{name} serves {version} and keeps all that this operator writes")),
        lost => failed(format!("{name} is older than this operator and drops {}", lost.join(", ")), APPLY),
    }
}

/// As far as discovery tells, which everybody may ask.
async fn served(client: &Client) -> Outcome {
    let version = AckCluster::api_version(&());
    match within(client.list_api_group_resources(&version)).await {
        Ok(list) if list.resources.iter().any(|kind| kind.name == AckCluster::plural(&())) => {
            let name = AckCluster::crd_name();
            Outcome::Skipped(format!("{version} is served; this user may not read {name}, so it is not compared"))
        }
        Ok(_) => failed(format!("{version} serves no AckCluster"), APPLY),
        Err(why) => failed(format!("{version} is not served: {why}"), APPLY),
    }
}

/// The namespaces in which a right is asked for; `None`: all, or none.
fn scopes(patient: &Patient, place: Place) -> Vec<Option<String>> {
    match (place, &patient.lease) {
        (Place::Watched, _) if !patient.namespaces.is_empty() => patient.namespaces.iter().cloned().map(Some).collect(),
        (Place::Watched | Place::Definition, _) => vec![None],
        (Place::Lease, Some((namespace, _))) => vec![Some(namespace.clone())],
        (Place::Lease, None) => vec![],
    }
}

async fn rights(patient: &Patient, right: Right, namespace: Option<&str>, who: &str) -> Outcome {
    let name = match right.place {
        Place::Watched => None,
        Place::Definition => Some(AckCluster::crd_name()),
        Place::Lease => patient.lease.as_ref().map(|(_, name)| name.as_str()),
    };
    let mut missing = vec![];
    for verb in right.verbs {
        match allowed(&patient.client, &right, verb, namespace, name).await {
            Ok(true) => {}
            Ok(false) => missing.push(*verb),
            Err(why) => return failed(why, "try again"),
        }
    }
    let place = match (namespace, right.place) {
        (Some(namespace), _) => format!("in namespace {namespace}"),
        (None, Place::Definition) => format!("named {}", AckCluster::crd_name()),
        (None, _) => "in all namespaces".into(),
    };
    let Right { resource, wanted, .. } = right;
    let what = |verbs: &[&str]| format!("{} {resource} {place}", verbs.join(", "));
    if missing.is_empty() {
        return Outcome::Fine(format!("may {}", what(right.verbs)));
    }
    let lacks = format!("may not {}", what(&missing));
    match wanted {
        For::Everything | For::Election => {
            failed(lacks, format!("grant it to {who}, as the chart does with rbac.create: true"))
        }
        For::Kubeconfigs => Outcome::Skipped(format!("{lacks}, which only spec.kubeconfigSecretRef needs")),
        For::Comparison => {
            Outcome::Skipped(format!("{lacks}, so an older definition shows only when it drops something"))
        }
    }
}

async fn allowed(
    client: &Client,
    right: &Right,
    verb: &str,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Result<bool, String> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource, None),
    };
    let attributes = ResourceAttributes {
        group: Some(right.group.into()),
        resource: Some(resource.into()),
        subresource,
        verb: Some(verb.into()),
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let review = SelfSubjectAccessReview { spec, ..Default::default() };
    let answer = within(reviews.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Where to look in the cloud.
async fn regions(patient: &Patient, reached: bool) -> Vec<Region> {
    if !patient.regions.is_empty() {
        return patient.regions.clone();
    }
    let kind = ApiResource::erase::<AckCluster>(&());
    let mut found = BTreeSet::new();
    for namespace in scopes(patient, Place::Watched).iter().filter(|_| reached) {
        let objects: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(patient.client.clone(), namespace, &kind),
            None => Api::all_with(patient.client.clone(), &kind),
        };
        let may = allowed(&patient.client, &OBJECTS, "list", namespace.as_deref(), None).await == Ok(true);
        let listed = if may { within(objects.list(&ListParams::default())).await.ok() } else { None };
        let named = listed.into_iter().flatten().filter_map(|o| Region::parse(o.data["spec"]["region_id"].as_str()?));
        found.extend(named);
    }
    if found.is_empty() { vec![Region::from(SOMEWHERE)] } else { found.into_iter().collect() }
}

async fn whose(account: Option<&Account>) -> Outcome {
    let Some(account) = account else {
        return Outcome::Skipped(
            "the operator has no credentials of its own, so each AckCluster names its Secret in spec.credentialsRef"
                .into(),
        );
    };
    match account.id().await {
        Ok(id) => Outcome::Fine(format!("the operator's own credentials are of account {id}")),
        Err(error @ (ack::Error::Misstated { .. } | ack::Error::Unstated)) => failed(
            format!("it is not certain whose the operator's own credentials are: {error}"),
            "state the account of the operator's own keys in ALIBABA_CLOUD_ACCOUNT_ID, beside them",
        ),
        Err(error) => failed(
            format!("STS does not tell whose the operator's own credentials are: {error}"),
            format!(
                "{}; or, where there is no STS, state ALIBABA_CLOUD_ACCOUNT_ID and give --without-sts",
                cure(&error)
            ),
        ),
    }
}

/// The endpoint of one region, and what may be concluded from its answers.
async fn cloud(patient: &Patient, account: Option<&Arc<Account>>, region: &Region, tell: &mut impl FnMut(Check)) {
    let mut say = |what, outcome| tell(Check { what, outcome });
    let reached = patient.accounts.reach(region).await;
    let (there, told) = (reached.is_ok(), reached.as_ref().ok().copied().flatten());
    say(
        "endpoint",
        match reached {
            Ok(_) => Outcome::Fine(format!("somebody answers for region {region}")),
            Err(error) => failed(format!("region {region}: {error}"), cure(&error)),
        },
    );
    let skipped = |why: &str| Outcome::Skipped(format!("region {region}: {why}"));
    let mut accepted = false;
    say(
        "credentials",
        match account {
            _ if !there => skipped("its endpoint does not answer"),
            None => skipped("the operator has no credentials of its own"),
            Some(account) => match account.client().quota(region, None).await {
                Ok(_) => {
                    accepted = true;
                    Outcome::Fine(format!("ACK in region {region} takes the operator's own credentials"))
                }
                Err(error) => failed(format!("region {region}: {error}"), cure(&error)),
            },
        },
    );
    // An answer to a signed call, a refusal too, is the better witness.
    let offset = account.filter(|_| there).and_then(|account| account.clock_offset()).or(told);
    let most = patient.rules.skew;
    say(
        "clock",
        match offset {
            None => skipped("nobody told the time"),
            Some(offset) if offset.abs() <= most => {
                Outcome::Fine(format!("this clock and that of region {region} agree within {most:#}"))
            }
            Some(offset) => failed(
                format!("this clock is {:#} off that of region {region}", SignedDuration::from_secs(offset.as_secs())),
                "set this machine's clock by NTP; until then no cluster is made",
            ),
        },
    );
    say(
        "fence",
        match account.filter(|_| accepted) {
            None => skipped("that takes credentials that ACK accepts"),
            Some(account) => match account.fence(region, most + patient.rules.window).await {
                Ok(true) => Outcome::Fine(format!("region {region} refuses an old date and a used nonce")),
                Ok(false) => failed(
                    format!("region {region} takes requests that it must refuse, so a lost answer waits for a person"),
                    "use ACK's own endpoint, with nothing in between that signs or repeats requests",
                ),
                Err(error) => failed(format!("region {region}: {error}"), cure(&error)),
            },
        },
    );
}

/// What helps against an error of ACK.
fn cure(error: &ack::Error) -> &'static str {
    match error.class() {
        Class::Credentials => "give the operator an access key that is active, whole and not expired",
        Class::Permission => "grant the key cs:Describe* and sts:GetCallerIdentity in RAM",
        Class::Account => "activate ACK and its roles for the account, and pay what is due",
        Class::Throttled | Class::Queued | Class::Busy | Class::Quota => "try again later",
        Class::Clock => "set this machine's clock by NTP",
        Class::User | Class::Taken | Class::Refused => "mend --region",
        Class::Transient | Class::NotFound | Class::Unknown => {
            "mend --ack-endpoint, --sts-endpoint, --ca-file, DNS, HTTPS_PROXY and NO_PROXY, or the network's rules"
        }
    }
}
