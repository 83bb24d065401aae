//! The program: reads flags, starts the emulator, says where it listens, stays until it is told to stop. No logic.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ack_emulator::{AccessKey, Config, Emulator};
use clap::Parser;
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

/// A stand-in for Alibaba Cloud ACK's API (version 2015-12-15) and STS GetCallerIdentity.
///
/// It checks signatures (ACS3-HMAC-SHA256 and ROA HMAC-SHA1; RPC for STS), dates and nonces, lets clusters take time to
/// be created, changed and deleted, shows them late in lists, and refuses to delete protected ones. Official SDKs work
/// against it unchanged: give them an endpoint it listens on (they insist on TLS, see --tls-dir).
#[derive(Parser)]
#[command(version, after_help = AFTER)]
struct Flags {
    /// Where to listen; repeatable. Without REGION a port serves all regions, with it that one only, and answers
    /// ErrorClusterNotFound for the others' clusters. Port 0 picks a free one
    #[arg(long, value_name = "[REGION=]ADDR", default_value = "127.0.0.1:8099", value_parser = listen)]
    listen: Vec<(Option<String>, SocketAddr)>,

    /// Serve HTTPS with a certificate made on the spot; its authority is written to DIR/ca.pem
    #[arg(long, value_name = "DIR")]
    tls_dir: Option<PathBuf>,

    /// A key pair that may call; repeatable. Keys of different accounts do not see each other's clusters
    #[arg(long, value_name = "ID:SECRET[:ACCOUNT]", required = true)]
    access_key: Vec<AccessKey>,

    /// How much faster than real time clusters, tasks and list lag go; signed dates stay in real time
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    time_scale: f64,

    /// How long lists stay behind creations, changes and deletions
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    list_lag: Duration,

    /// How long a cluster stays `initial`
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = time)]
    create_time: Duration,

    /// How long a cluster stays `deleting`
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    delete_time: Duration,

    /// How long DescribeClusterDetail does not know a new cluster
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    detail_lag: Duration,

    /// A kubeconfig of a real API server, which every cluster hands out as its own. Without it they are made up
    #[arg(long, value_name = "FILE")]
    kubeconfig_server: Option<PathBuf>,
}

const AFTER: &str = "\
Beside the API, unsigned, for tests and demos:
  GET    /_emulator/ledger             every cluster ever created
  GET    /_emulator/journal[?since=N]  every call
  POST   /_emulator/faults             {\"operation\": \"CreateCluster\", \"when\": \"before\",
                                        \"do\": \"drop\", \"nth\": 1} or \"every\": true;
                                       when: \"before\" or \"after\" the effect;
                                       do: \"drop\", \"hang\", \"duplicate\", {\"delay\": \"2s\"},
                                       {\"hold\": \"5s\"}, or {\"status\": 503, \"code\": \"...\",
                                        \"headers\": {}, \"body\": \"text\"}
  DELETE /_emulator/faults
  POST   /_emulator/clusters/{id}      {\"state\": \"unavailable\"}, {\"name\": \"x\"},
                                       {\"delete\": true}, {\"fail_task\": true}
  POST   /_emulator/clock              {\"advance\": \"60s\"} moves clusters, tasks and lists on,
                                       {\"skew\": \"-6m\"} sets the gateway's clock
  GET    /_emulator/settings           switches for what is not known of the real service;
  POST   /_emulator/settings           changes those that are named

One line `listening on URL` is printed for each port once all are ready.";

fn listen(text: &str) -> Result<(Option<String>, SocketAddr), String> {
    let (region, address) = match text.split_once('=') {
        Some((region, address)) => (Some(region.to_owned()), address),
        None => (None, text),
    };
    let address = address.parse().map_err(|_| format!("`{address}` is not an IP address with a port"))?;
    Ok((region, address))
}

fn time(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "a time looks like 90s, 2s, 5m or 1m30s".to_owned())?;
    time.try_into().map_err(|_| "a time is not negative".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            eprintln!("ack-emulator: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    let Flags {
        listen,
        tls_dir,
        access_key,
        time_scale,
        list_lag,
        create_time,
        delete_time,
        detail_lag,
        kubeconfig_server,
    } = flags;
    let kubeconfig_server = kubeconfig_server.map(std::fs::read_to_string).transpose()?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let config = Config {
        listen,
        tls_dir,
        access_keys: access_key,
        time_scale,
        list_lag,
        create_time,
        delete_time,
        detail_lag,
        kubeconfig_server,
        ..Config::default()
    };
    let emulator = Emulator::start(config).await?;
    for (_, url) in emulator.urls() {
        println!("listening on {url}");
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
