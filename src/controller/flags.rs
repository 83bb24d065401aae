//! The flags of `run`: what the operator is told, checked and put into settings. Starts nothing.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::{Election, Settings};
use crate::ack::sign::Algorithm;
use crate::ack::{self, ACCESS_KEY_ID, Accounts, Credentials, CredentialsError, Endpoints, Limits, Rate};
use crate::api;
use crate::decide::Rules;
use crate::pass::{self, Namespaces};

/// Flags of `ack-operator run`.
#[derive(Args)]
pub struct Flags {
    /// Kubernetes API to serve. Without it: $KUBECONFIG, ~/.kube/config, or the pod's service account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Namespace to watch; may be given more than once. Without it: all.
    #[arg(long = "namespace", value_name = "NAME", env = "WATCH_NAMESPACES", value_delimiter = ',')]
    namespaces: Vec<String>,

    /// Look only after AckClusters whose labels match, written as for kubectl --selector. The others are left alone in
    /// all things: a deletion of one waits for an operator that looks after it.
    #[arg(long, value_name = "LABELSELECTOR")]
    selector: Option<String>,

    /// Report, and change nothing in the cloud: every AckCluster is treated as if it had the annotation
    /// ackoperator.dev/observe. None is let go either: a deletion waits.
    #[arg(long)]
    read_only: bool,

    /// Names this installation in the tags of its clusters. Keep it when you rebuild the management cluster: the new one
    /// then finds the old clusters instead of buying new ones. Two management clusters that share an account and use the
    /// same namespaces and names need different ones.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = label)]
    installation: String,

    /// Take over clusters that an object of the same installation, namespace and name made before, as after a rebuild of
    /// the management cluster.
    #[arg(long)]
    adopt_owned: bool,

    /// The credentials in use list every cluster of their account. Say so only if it is true: an empty list then proves
    /// that a lost request made no cluster.
    #[arg(long)]
    lists_are_complete: bool,

    /// Namespaces whose objects may do without a Secret and use the operator's own credentials; * means all. Without it:
    /// none. Whoever may create AckClusters there may spend the money of that account.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = namespace)]
    default_credentials_namespaces: Vec<String>,

    /// Namespaces whose objects may adopt clusters with the operator's own credentials; * means all. Without it: none.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = namespace)]
    adoption_namespaces: Vec<String>,

    /// Namespaces whose objects may bring into a cluster, with the operator's own credentials, what is there already and
    /// may be another's: machines (instances, format_disk, keep_instance_name, eflo_node_group), snapshots of disks
    /// (snapshot_id) and databases (rds_instances); * means all. Without it: none.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = namespace)]
    attach_namespaces: Vec<String>,

    /// Tags for every cluster that is created, such as cost centres. An object's own tag of the same key wins. Together
    /// with the operator's four a cluster takes 20. Clusters that are there already keep what they have.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = tag)]
    default_tags: Vec<(String, String)>,

    /// Of several operators let one work, the one that holds a lease, while the others wait. It spares calls; that no
    /// two make the same cluster does not depend on it.
    #[arg(long)]
    leader_election: bool,

    /// Where that lease is. Without it: the namespace of the pod, or the kubeconfig's.
    #[arg(long, value_name = "NAMESPACE")]
    leader_election_namespace: Option<String>,

    /// What that lease is called.
    #[arg(long, value_name = "NAME", default_value = "ack-operator")]
    leader_election_name: String,

    /// How many objects of one region that share their credentials are worked on at once. ACK is asked four things at a time,
    /// so more of them only take room.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// The pace of looking while ACK is at work [default: 15s]: a third of it between two lists of the region, twice that
    /// before its task is first read and four times between the next; a cluster itself is read when its entry changes.
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll_busy: Option<SignedDuration>,

    /// How often to look at settled clusters, with one list for all of a region [default: 5m].
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll_idle: Option<SignedDuration>,

    /// Where ACK's API answers: one URL for all regions, or REGION=URL for one; may be given more than once. Without it:
    /// cs.REGION.aliyuncs.com by HTTPS.
    #[arg(long = "ack-endpoint", value_name = "[REGION=]URL")]
    ack_endpoints: Vec<String>,

    /// Where STS answers, which tells whose credentials are in use. Without it: sts.aliyuncs.com by
    /// HTTPS.
    #[arg(long, value_name = "URL", env = "ALIBABA_CLOUD_STS_ENDPOINT")]
    sts_endpoint: Option<String>,

    /// There is no STS in this network: believe the account ids that Secrets and the environment state
    /// (ALIBABA_CLOUD_ACCOUNT_ID), and refuse keys beside which none is stated. Without it STS is asked whose keys are in
    /// use, and a stated id must agree with what it says.
    #[arg(long)]
    without_sts: bool,

    /// Reads a second that one access key makes in one region at most. It begins with 5, makes more while ACK bears that,
    /// and half as many once it throttles [default: 20].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    qps: Option<u32>,

    /// Changes, creates and deletions a second likewise. It begins with 1 [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    changes_qps: Option<u32>,

    /// Certificate authorities to trust beside the system's, for private endpoints and proxies.
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,

    /// Allow plain HTTP to endpoints that are not on this machine.
    #[arg(long)]
    allow_http: bool,

    /// How requests are signed.
    #[arg(long, value_enum, default_value_t = Algorithm::Acs3)]
    signature: Algorithm,

    /// ACK's date window, list lag and clock skew, comma separated; every pace scales with the window. They are ACK's
    /// properties, not yours: taken only where every endpoint is on this machine, so that a test of a long wait takes
    /// seconds.
    #[arg(long, value_name = "W,L,S", hide = true, value_parser = protocol_times)]
    protocol_times: Option<Rules>,
}

/// Why the flags or the environment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FlagError {
    #[error(transparent)]
    Endpoint(#[from] ack::ConfigError),
    #[error("the operator's own credentials, from the environment: {0}")]
    Credentials(#[from] CredentialsError),
    #[error("--protocol-times is for tests: every endpoint must be on this machine")]
    ScaledAbroad,
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    #[error("found neither a kubeconfig nor a pod's service account")]
    NoKubernetes(#[from] kube::config::InferConfigError),
}

impl Flags {
    /// What the shell is to do.
    ///
    /// # Errors
    /// A half-set environment is a mistake to be told, not a choice.
    pub fn settings(&self) -> Result<Settings, FlagError> {
        let credentials = match Credentials::from_env() {
            Ok(credentials) => Some(credentials),
            Err(CredentialsError::Missing(ACCESS_KEY_ID)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Settings {
            namespaces: self.namespaces.clone(),
            concurrency: self.concurrency,
            election: self.leader_election.then(|| Election {
                namespace: self.leader_election_namespace.clone(),
                name: self.leader_election_name.clone(),
            }),
            pass: pass::Settings {
                selector: self.selector.clone(),
                installation: self.installation.clone(),
                rules: self.rules(),
                credentials,
                default_credentials_namespaces: Namespaces::named(&self.default_credentials_namespaces),
                adoption_namespaces: Namespaces::named(&self.adoption_namespaces),
                attach_namespaces: Namespaces::named(&self.attach_namespaces),
                default_tags: self.default_tags.iter().cloned().collect(),
            },
        })
    }

    fn rules(&self) -> Rules {
        let timed = self.protocol_times.clone().unwrap_or_default();
        Rules {
            lists_complete: self.lists_are_complete,
            adopt_owned: self.adopt_owned,
            read_only: self.read_only,
            poll_busy: self.poll_busy.unwrap_or(timed.poll_busy),
            poll_idle: self.poll_idle.unwrap_or(timed.poll_idle),
            ..timed
        }
    }

    /// Where the cloud is, and how much may be asked of it.
    ///
    /// # Errors
    /// An endpoint that is none, plain HTTP to elsewhere, a CA file that is none, scaled times with a real cloud.
    pub fn accounts(&self) -> Result<Accounts, FlagError> {
        let scaled = self.protocol_times.is_some();
        let rate = |most: Option<u32>, usual: Rate| match (most, scaled) {
            (Some(most), _) => Rate { most, first: usual.first.min(most), ..usual },
            (None, false) => usual,
            (None, true) => Rate { first: 1000, most: 1000, burst: 1000 },
        };
        let usual = Limits::default();
        let mut endpoints = Endpoints {
            signature: self.signature,
            allow_http: self.allow_http,
            without_sts: self.without_sts,
            ca_file: self.ca_file.clone(),
            limits: Limits {
                reads: rate(self.qps, usual.reads),
                changes: rate(self.changes_qps, usual.changes),
                barred: Duration::try_from(self.rules().slow / 2).unwrap_or_default(),
                ..usual
            },
            ..Endpoints::default()
        };
        for endpoint in &self.ack_endpoints {
            endpoints.set_ack(endpoint)?;
        }
        if let Some(sts) = &self.sts_endpoint {
            endpoints.set_sts(sts)?;
        }
        endpoints.check()?;
        if scaled && !endpoints.all_loopback() {
            return Err(FlagError::ScaledAbroad);
        }
        Ok(Accounts::new(endpoints)?)
    }

    /// How to reach the Kubernetes API. Nothing is retried by itself: a pass decides what to do about a failure.
    ///
    /// # Errors
    /// No kubeconfig, or one that cannot be used.
    pub async fn kubernetes(&self) -> Result<kube::Config, FlagError> {
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path)?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?
            }
            None => kube::Config::infer().await?,
        };
        config.default_retry = false;
        Ok(config)
    }
}

fn time(text: &str) -> Result<SignedDuration, String> {
    let time: SignedDuration = text.parse().map_err(|e| format!("{e}; write it like 15s or 5m"))?;
    if time.is_positive() { Ok(time) } else { Err("must be longer than nothing".into()) }
}

/// The name of a namespace, or all of them. A pattern would match none, and nobody would be told.
fn namespace(text: &str) -> Result<String, String> {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().is_none_or(|c| edge(*c)) && bytes.last().is_none_or(|c| edge(*c));
    let name = text.len() <= 63 && ends && bytes.iter().all(|c| edge(*c) || *c == b'-');
    if name || text == Namespaces::ALL {
        Ok(text.to_owned())
    } else {
        Err("give names of namespaces, or * alone for all of them".into())
    }
}

/// A legal Kubernetes label value, for it rides in a tag that ACK may put on nodes.
fn label(text: &str) -> Result<String, String> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if text.len() <= 63 && inner && edge(text.chars().next()) && edge(text.chars().last()) {
        Ok(text.to_owned())
    } else {
        Err("must be a legal label value: 1 to 63 letters, digits, - _ or ., letters or digits at both ends".into())
    }
}

/// What the CustomResourceDefinition asks of a tag in a spec.
fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it like cost-centre=42")?;
    let reserved = |part: &str| {
        ["aliyun", "acs:"].iter().any(|word| part.starts_with(word))
            || ["http://", "https://"].iter().any(|word| part.contains(word))
    };
    if key.is_empty() || key.chars().count() > 64 || value.chars().count() > 128 {
        Err("a key has 1 to 64 characters, a value at most 128".into())
    } else if reserved(key) || reserved(value) || key.starts_with(api::tag::PREFIX) {
        Err("neither begins with aliyun or acs: nor holds http:// or https://, and ackoperator.dev/ is ours".into())
    } else {
        Ok((key.to_owned(), value.to_owned()))
    }
}

fn protocol_times(text: &str) -> Result<Rules, String> {
    let times: Vec<_> = text.split(',').map(time).collect::<Result<_, _>>()?;
    let [window, listed, skew] = times[..] else { return Err("three times, W,L,S".into()) };
    let least = SignedDuration::from_secs;
    if window < least(10) || listed < least(2) || skew < least(1) {
        return Err("signed dates have whole seconds, so not below 10s,2s,1s".into());
    }
    Ok(Rules::timed(window, listed, skew))
}
