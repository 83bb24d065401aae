//! The command line: reads flags and environment, and starts what they ask for. No logic.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use ack_operator::telemetry::{self, Health, Listen, LogFormat, Registry};
use ack_operator::{cli, controller};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Alibaba Cloud ACK clusters as Kubernetes resources.
///
/// Write an AckCluster whose spec is the body of ACK's CreateCluster API; this operator creates the cluster, follows it,
/// and deletes it with the object, but never against its deletion protection, and never creates it twice.
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
    /// Check what `run` needs: the definition, rights, endpoint, credentials, clock. Takes the flags of `run` that tell
    /// whom to connect to. Ends with 1 where a check failed.
    Doctor(Box<Doctor>),
    /// Print the CustomResourceDefinition, to be applied before the operator runs: ack-operator crd | kubectl apply
    /// --server-side -f -
    Crd,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    flags: controller::Flags,

    /// Where /healthz and /readyz answer.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    health_addr: SocketAddr,

    /// Where /metrics answers; off: nowhere.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    metrics_addr: Listen,

    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// What to log, for example info or warn,ack_operator=debug.
    #[arg(long, value_name = "FILTER", env = "RUST_LOG", default_value = "info,kube=warn,kube_runtime=warn")]
    log_level: String,
}

#[derive(Args)]
struct Doctor {
    #[command(flatten)]
    flags: controller::Flags,

    /// Region to ask ACK in; may be given more than once. Without it: those of the AckClusters, or cn-hangzhou.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => start(*run).await,
        Command::Doctor(doctor) => examine(*doctor).await,
        Command::Crd => {
            // Whoever reads may have seen enough.
            let _ = std::io::stdout().write_all(cli::crd().as_bytes());
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

async fn examine(Doctor { flags, regions }: Doctor) -> Result<(), Box<dyn std::error::Error>> {
    let (settings, accounts) = (flags.settings()?, flags.accounts()?);
    let client = kube::Client::try_from(flags.kubernetes().await?)?;
    let here = client.default_namespace().to_owned();
    let patient = cli::Patient {
        client,
        accounts,
        credentials: settings.pass.credentials,
        namespaces: settings.namespaces,
        lease: settings.election.map(|election| (election.namespace.unwrap_or(here), election.name)),
        regions: regions.iter().map(|region| region.as_str().into()).collect(),
        rules: settings.pass.rules,
    };
    let mut failures = 0;
    cli::doctor(&patient, |check| {
        failures += usize::from(matches!(check.outcome, cli::Outcome::Failed { .. }));
        println!("{check}");
    })
    .await;
    if failures == 0 { Ok(()) } else { Err(format!("checks that failed: {failures}").into()) }
}

async fn start(run: Run) -> Result<(), Box<dyn std::error::Error>> {
    let Run { flags, health_addr, metrics_addr, log_format, log_level } = run;
    telemetry::logs(log_format, &log_level)?;
    let (settings, accounts) = (flags.settings()?, flags.accounts()?);
    let client = kube::Client::try_from(flags.kubernetes().await?)?;
    let mut registry = Registry::default();
    let installation = settings.pass.installation.clone();
    let operator = controller::Operator::new(settings, accounts, &mut registry);
    let told = Health::default();
    let health = telemetry::health(health_addr, told.clone()).await?;
    let metrics = telemetry::metrics(metrics_addr, registry).await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), installation, "ack-operator starts");
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: passes under way are finished first");
    };
    tokio::select! {
        result = operator.run(client, told, stop) => Ok(result?),
        () = health => Err("the health port closed".into()),
        () = metrics => Err("the metrics port closed".into()),
    }
}
