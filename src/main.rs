//! The command line: reads flags and environment, and starts what they ask for. No logic.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use ack_operator::ack::sign::Algorithm;
use ack_operator::ack::{Accounts, Credentials, Endpoints, Limits, Rate};
use ack_operator::api;
use ack_operator::controller::{self, Namespaces, Settings};
use ack_operator::decide::Rules;
use ack_operator::telemetry::{self, LogFormat, Ready};
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::signal::unix::{SignalKind, signal};

/// Alibaba Cloud ACK clusters as Kubernetes resources.
///
/// Write an AckCluster whose spec is the body of ACK's CreateCluster API; this operator creates the cluster, follows it,
/// and deletes it with the object, but never against its deletion protection, and never twice.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator until it is told to stop (SIGTERM or Ctrl-C).
    Run(Box<Run>),
    /// Print the CustomResourceDefinition, to be applied before the operator runs: ack-operator crd | kubectl apply
    /// --server-side -f -
    Crd,
}

#[derive(Args)]
struct Run {
    /// Kubernetes API to serve. Without it: $KUBECONFIG, ~/.kube/config, or the pod's service account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Namespace to watch; may be given more than once. Without it: all.
    #[arg(long = "namespace", value_name = "NAME", env = "WATCH_NAMESPACES", value_delimiter = ',')]
    namespaces: Vec<String>,

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

    /// Namespaces whose objects may do without a Secret and use the operator's own credentials. Without it: all.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    default_credentials_namespaces: Option<Vec<String>>,

    /// Namespaces whose objects may adopt clusters with the operator's own credentials. Without it: none.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    adoption_namespaces: Vec<String>,

    /// How many objects are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// How often to look while ACK is at work [default: 15s].
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll_busy: Option<SignedDuration>,

    /// How often to look at settled clusters, with one list for all of a region [default: 5m].
    #[arg(long, value_name = "TIME", value_parser = time)]
    poll_idle: Option<SignedDuration>,

    /// Where ACK's API answers: one URL for all regions, or REGION=URL for one; may be given more than once. Without it:
    /// https://cs.REGION.aliyuncs.com.
    #[arg(long = "ack-endpoint", value_name = "[REGION=]URL")]
    ack_endpoints: Vec<String>,

    /// Where STS answers, which tells whose credentials are in use. Without it: https://sts.aliyuncs.com.
    #[arg(long, value_name = "URL", env = "ALIBABA_CLOUD_STS_ENDPOINT")]
    sts_endpoint: Option<String>,

    /// Reads a second that one account may make in one region; changes are always far fewer [default: 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    qps: Option<u32>,

    /// Certificate authorities to trust beside the system's, for private endpoints and proxies.
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,

    /// Allow plain HTTP to endpoints that are not on this machine.
    #[arg(long)]
    allow_http: bool,

    /// How requests are signed.
    #[arg(long, value_enum, default_value_t = Algorithm::Acs3)]
    signature: Algorithm,

    /// Where /healthz and /readyz answer.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    health_addr: SocketAddr,

    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// What to log, for example info or warn,ack_operator=debug.
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", default_value = "info,kube=warn,kube_runtime=warn")]
    log_level: String,

    /// ACK's date window, list lag and clock skew, comma separated; every pace scales with the window. They are ACK's
    /// properties, not yours: taken only where every endpoint is on this machine, so that a test of a long wait takes
    /// seconds.
    #[arg(long, value_name = "W,L,S", hide = true, value_parser = protocol_times)]
    protocol_times: Option<Rules>,
}

fn time(text: &str) -> Result<SignedDuration, String> {
    let time: SignedDuration = text.parse().map_err(|e| format!("{e}; write it like 15s or 5m"))?;
    if time.is_positive() { Ok(time) } else { Err("must be longer than nothing".into()) }
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

fn protocol_times(text: &str) -> Result<Rules, String> {
    let times: Vec<_> = text.split(',').map(time).collect::<Result<_, _>>()?;
    let [window, listed, skew] = times[..] else { return Err("three times, W,L,S".into()) };
    let least = SignedDuration::from_secs;
    if window < least(10) || listed < least(2) || skew < least(1) {
        return Err("signed dates have whole seconds, so not below 10s,2s,1s".into());
    }
    Ok(Rules::timed(window, listed, skew))
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => start(*run).await,
        Command::Crd => {
            print!("{}", api::crd_yaml());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ack-operator: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn start(run: Run) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::logs(run.log_format, &run.log_level)?;
    let scaled = run.protocol_times.is_some();
    let timed = run.protocol_times.unwrap_or_default();
    let rules = Rules {
        lists_complete: run.lists_are_complete,
        adopt_owned: run.adopt_owned,
        poll_busy: run.poll_busy.unwrap_or(timed.poll_busy),
        poll_idle: run.poll_idle.unwrap_or(timed.poll_idle),
        ..timed
    };
    let per_second = run.qps.unwrap_or(if scaled { 1000 } else { 5 });
    let mut endpoints = Endpoints {
        signature: run.signature,
        allow_http: run.allow_http,
        ca_file: run.ca_file,
        limits: Limits { reads: Rate { per_second, burst: per_second * 4 }, ..Limits::default() },
        ..Endpoints::default()
    };
    for endpoint in &run.ack_endpoints {
        endpoints.set_ack(endpoint)?;
    }
    if let Some(sts) = &run.sts_endpoint {
        endpoints.set_sts(sts)?;
    }
    endpoints.check()?;
    if scaled && !endpoints.all_loopback() {
        return Err("--protocol-times is for tests: every endpoint must be on this machine".into());
    }
    let settings = Settings {
        namespaces: run.namespaces,
        installation: run.installation,
        rules,
        credentials: Credentials::from_env().ok(),
        default_credentials_namespaces: run
            .default_credentials_namespaces
            .map_or(Namespaces::All, Namespaces::Only),
        adoption_namespaces: Namespaces::Only(run.adoption_namespaces),
        concurrency: run.concurrency,
    };
    let client = kubernetes(run.kubeconfig).await?;
    let ready = Ready::default();
    let health = telemetry::health(run.health_addr, ready.clone()).await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), installation = settings.installation, "ack-operator starts");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: passes under way are finished first");
    };
    let accounts = Accounts::new(endpoints)?;
    tokio::select! {
        () = controller::run(client, accounts, settings, move || ready.now(), stop) => Ok(()),
        result = health => Err(result.err().map_or("the health port closed".into(), Into::into)),
    }
}

/// A client that never retries by itself: a pass decides what to do about a failure.
async fn kubernetes(kubeconfig: Option<PathBuf>) -> Result<kube::Client, Box<dyn std::error::Error>> {
    let mut config = match kubeconfig {
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path)?;
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?
        }
        None => kube::Config::infer().await?,
    };
    config.default_retry = false;
    Ok(kube::Client::try_from(config)?)
}
