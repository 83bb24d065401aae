//! All tests of the whole. Cheapest first; the `mod` lines are the table of contents.

/// What the others stand on: one control plane a run, a scene a test.
mod support;

/// The body of CreateCluster: what the user wrote is what is sent.
mod body;
/// The pages for users: links, manifests, flags, commands.
mod docs;
/// Generated files are what the code says.
mod generated;
/// Who may use whom: the code against the arrows of its map.
mod house;
/// Every view that can come about, from the judgement's proof: other tests take whole floors of the operator through them.
#[allow(dead_code, reason = "its own cases run with the proof")]
#[path = "../../judgement/tests/proof/views/mod.rs"]
mod views;

/// Argo CD's view: the bundle's scripts over every status, and what GitOps needs of the operator.
mod argocd;
/// The main job: create, follow, protect, delete, keep, adopt, recreate.
mod cluster;
/// The process, cut at every call it makes.
mod crash;
/// Letting go under trouble: what is not gone, what does not go, who may say so.
mod delete;
/// What the doctor finds, and its cures.
mod doctor;
/// One table of all that can go wrong with a call: at the client, through the judgement, with the whole process.
mod faults;
/// Answers that no server should give, to the whole process.
mod hostile;
/// Trouble stays where it is: who else waits, and how often it is tried again.
mod isolation;
/// The kubeconfig of a finished cluster.
mod kubeconfig;
/// At home in kubectl: tables, explain, wait, describe, dry runs, selectors.
mod kubectl;
/// Two operators of which one works.
mod leader;
/// No secret leaves: marks in every corner, searched for in everything that was written.
mod leaks;
/// One object, one cluster: lost answers, late requests, killed processes.
mod once;
/// Clusters that belong to no object are told of and left alone.
mod orphans;
/// What holds of whatever comes: the signer, the decoders.
mod properties;
/// The rules of the custom resource, each on a real API server.
mod rules;
/// What an administrator's flags change.
mod settings;
/// The client against the emulator: both signatures, every operation, lost answers.
mod wire;

/// Policies of the API server itself: what is refused at once, what is warned about, and those of platform teams.
mod admission;
/// The chart: values, rights, what the API server takes, releases over time.
mod chart;

/// Definitions that are older or newer than what is stored.
mod upgrade;

/// Every leaf of the spec with every sort of value, on a real API server.
mod campaign;
mod change;
/// What a scrape shows, and the alerts on it.
mod metrics;
/// The control plane, its tools and its keepers.
mod playground;
/// Silence costs nothing: writes and calls, counted.
mod quiet;
/// What one tenant may write without another one noticing.
mod tenants;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// The word that makes this program the playground's: a test runs it as another process.
const PLAYGROUND: &str = "__playground";

/// Tests of the whole mostly wait, so more of them run at once than there are cores.
const WAITERS: usize = 8;

fn main() -> ExitCode {
    ::playground::keeper::hook();
    if std::env::args().nth(1).is_some_and(|word| word == PLAYGROUND) {
        return ::playground::cli::run(std::env::args_os().skip(1));
    }
    if std::env::args().nth(1).is_some_and(|word| word == crash::CAMPAIGN) {
        let outcome = crash::main(std::env::args_os().skip(1));
        support::stop();
        return outcome;
    }
    let pure = [
        house::tests(),
        generated::tests(),
        argocd::pure(),
        body::tests(),
        docs::pure(),
        wire::tests(),
        faults::pure(),
        properties::tests(),
        leaks::pure(),
        chart::pure(),
    ];
    let whole = [
        playground::trials(),
        docs::tests(),
        rules::tests(),
        argocd::tests(),
        cluster::tests(),
        change::tests(),
        delete::tests(),
        once::tests(),
        isolation::tests(),
        hostile::tests(),
        kubectl::tests(),
        faults::tests(),
        orphans::tests(),
        campaign::tests(),
        kubeconfig::tests(),
        settings::tests(),
        leader::tests(),
        metrics::tests(),
        tenants::tests(),
        doctor::tests(),
        leaks::tests(),
        admission::tests(),
        chart::tests(),
        quiet::tests(),
    ];
    // What is measured in seconds must not share the cores with what computes, and all logs are read at the end.
    let passed = run(pure, None)
        & run(whole, Some(WAITERS))
        & run([crash::tests()], Some(1))
        & run([isolation::measured(), upgrade::tests(), doctor::alone()], Some(1))
        & (!support::started() || run([quiet::afterwards(), leaks::afterwards(), argocd::afterwards()], None));
    support::stop();
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run<const N: usize>(trials: [Vec<Trial>; N], threads: Option<usize>) -> bool {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(threads);
    !libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).has_failed()
}
