//! The command line of `playground`. Reads flags, calls what does the work, prints what went wrong.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::demo::Demo;
use crate::e2e_argocd::E2eArgocd;
use crate::e2e_helm::E2eHelm;
use crate::footprint::Footprint;
use crate::image::Image;
use crate::up::Up;

const ABOUT: &str = "A real Kubernetes API and an emulated Alibaba Cloud ACK on loopback, to try ack-operator in";
const LONG_ABOUT: &str = "\
A real Kubernetes API (etcd, kube-apiserver) and an emulated Alibaba Cloud ACK on loopback, to try ack-operator in.

Needs Go once, to build the Kubernetes programs (about ten minutes on two cores); then everything starts in seconds. \
No containers, no account, nothing leaves this machine. Programs are looked for in KUBEBUILDER_ASSETS first, then in \
.cache/bin of the repository (ACK_OPERATOR_CACHE names another folder instead of .cache).";

#[derive(Parser)]
#[command(name = "playground", version, about = ABOUT, long_about = LONG_ABOUT, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show an AckCluster being created, and how to go on from there
    Demo(Demo),
    /// Start everything and leave it to you
    Up(Up),
    /// Print the operator's size, its crates and its memory
    Footprint(Footprint),
    /// Measure what the operator costs: calls, writes, memory, time
    Bench(Bench),
    /// Manage an AckCluster by a real Argo CD, from a Git repository to its end
    E2eArgocd(E2eArgocd),
    /// Pack the operator into an OCI archive, without a container daemon
    Image(Image),
    /// Install the chart by Helm on a node of its own, and see the operator at work in its pod (Linux, root)
    E2eHelm(E2eHelm),
}

/// Runs `playground` with `arguments`, the program's name first. Call [`crate::keeper::hook`] before.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = Cli::parse_from(arguments);
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                match cli.what {
                    What::Demo(demo) => demo.run().await,
                    What::Up(up) => up.run().await,
                    What::Footprint(footprint) => footprint.run().await,
                    What::Bench(bench) => bench.run().await,
                    What::E2eArgocd(round) => round.run().await,
                    What::Image(image) => image.run(),
                    What::E2eHelm(e2e) => e2e.run().await,
                }
            });
            // A build of the Kubernetes programs cannot be cancelled; it must not keep us.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(crate::Error::Io { what: "cannot start", path: "the runtime".into(), source: error }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("playground: {}", error.sentence());
            ExitCode::FAILURE
        }
    }
}
