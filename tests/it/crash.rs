//! The real process, cut at every call it makes: the call is lost, its answer withheld, the process killed, the call
//! doubled, held, or delivered after its sender gave up. Whatever was cut, the run must come out as if nothing had been,
//! judged by ACK's ledger, the stored object, the number of writes and the processes' ends.

mod campaign;
mod judge;
mod plan;
mod scenarios;
mod world;

use std::process::ExitCode;

use ::playground::cutting::Cut;
use clap::Parser;
use libtest_mimic::Trial;

use crate::trials;
use campaign::{Outcome, Reference, References, run_all};
use plan::Plan;

/// The word that makes this program a campaign.
pub const CAMPAIGN: &str = "__crash";

/// Runs mostly wait; so many at once keep two cores busy and not more.
const AT_ONCE: usize = 24;

/// The process cut at every call it makes, in every scenario; or only some of it.
#[derive(Parser)]
struct Flags {
    /// Only these runs, as a failure names them: SCENARIO/CALL/CUT; or whole scenarios.
    runs: Vec<String>,
    /// So many runs, drawn by lot, with two cuts each.
    #[arg(long)]
    pairs: Option<usize>,
    /// What the lots are drawn by.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Every so many of the plans only.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Runs at once.
    #[arg(long, default_value_t = AT_ONCE)]
    at_once: usize,
    /// Show every call of the references.
    #[arg(long)]
    calls: bool,
}

/// A campaign from the command line.
pub fn main(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let flags = Flags::parse_from(arguments);
    if run_flags(&flags) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_flags(flags: &Flags) -> bool {
    let wanted: Vec<Plan> =
        flags.runs.iter().map(|run| run.parse().unwrap_or_else(|error: String| panic!("{error}"))).collect();
    let named = |name: &str| wanted.is_empty() || wanted.iter().any(|plan| plan.scenario.name == name);
    let (references, mut outcomes) = references(flags.at_once, named);
    if flags.calls {
        for (name, reference) in &references {
            println!("{name}: {} writes", reference.writes);
            for call in &reference.calls {
                println!(
                    "  {:>4} {} {call} -> {}",
                    call.number.map_or(String::new(), |n| n.to_string()),
                    call.whose,
                    call.status
                );
            }
        }
    }
    let whole = |plan: &&Plan| plan.cuts.is_empty() && plan.sight.is_none();
    let mut plans: Vec<_> = wanted.iter().filter(|plan| !whole(plan)).cloned().collect();
    let all = singles(&references);
    plans.extend(all.into_iter().filter(|plan| {
        wanted.is_empty() || wanted.iter().filter(whole).any(|wanted| wanted.scenario.name == plan.scenario.name)
    }));
    let plans: Vec<_> = plans.into_iter().step_by(flags.every.max(1)).collect();
    println!("{} runs", plans.len());
    outcomes.extend(run_all(plans, &references, flags.at_once));
    tell(&outcomes)
}

/// The last words of a campaign; whether all went well.
fn tell(outcomes: &[Outcome]) -> bool {
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).collect();
    for outcome in &failed {
        println!("make crash RUN={}: {}", outcome.plan, outcome.wrong.join("; "));
    }
    let missed = outcomes.iter().filter(|outcome| !outcome.met).count();
    println!(
        "{} passed, {} failed; {missed} ended before what was to go wrong",
        outcomes.len() - failed.len(),
        failed.len()
    );
    failed.is_empty()
}

/// Every scenario that is wanted, with nothing going wrong.
fn references(at_once: usize, wanted: impl Fn(&str) -> bool) -> (References, Vec<Outcome>) {
    let plans = scenarios::ALL.iter().filter(|scenario| wanted(scenario.name)).map(Plan::reference).collect();
    let outcomes = run_all(plans, &References::new(), at_once);
    let references = outcomes.iter().map(|outcome| (outcome.plan.scenario.name, Reference::of(outcome))).collect();
    (references, outcomes)
}

/// Every call of every scenario, with every cut.
fn singles(references: &References) -> Vec<Plan> {
    let scenarios = scenarios::ALL.iter().filter_map(|scenario| Some((scenario, references.get(scenario.name)?)));
    scenarios
        .flat_map(|(scenario, reference)| {
            (1..=reference.numbered)
                .flat_map(|number| Cut::ALL.map(|cut| (number, cut)))
                .map(move |cut| Plan { cuts: vec![cut], ..Plan::reference(scenario) })
        })
        .collect()
}

pub fn tests() -> Vec<Trial> {
    trials!("crash": whatever_call_is_cut_the_outcome_is_the_same)
}

fn whatever_call_is_cut_the_outcome_is_the_same() {}
