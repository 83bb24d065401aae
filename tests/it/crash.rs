//! The real process, cut at every call it makes: the call is lost, its answer withheld, the process killed, the call
//! doubled, held, or delivered after its sender gave up; or the process sees the past. Whatever went wrong, the run must
//! come out as if nothing had, judged by ACK's ledger and journal, the stored object, what people did and when, the number of
//! writes and calls, and the processes' ends.

mod asks;
mod campaign;
mod choice;
mod judge;
mod people;
mod plan;
mod protection;
mod repeats;
mod scenarios;
mod world;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use libtest_mimic::Trial;

use crate::trials;
use campaign::{Outcome, References, run_all};
use judge::Counts;
use plan::Plan;

/// The word that makes this program a campaign.
pub const CAMPAIGN: &str = "__crash";

/// Runs mostly wait; so many at once keep two cores busy and not more.
const AT_ONCE: usize = 24;

/// How many runs the tests make beside the references: cuts, and troubled views.
const CUTS: usize = 60;
const SIGHTS: usize = 12;

/// The process cut at every call it makes, in every scenario; or only some of it.
#[derive(Parser)]
#[command(name = "make crash, with its ARGS")]
struct Flags {
    /// Only these runs, as a failure names them: SCENARIO@TRUST/CALL/CUT; or whole scenarios, with one trust or each.
    runs: Vec<String>,
    /// Instead of all single cuts so many runs, drawn by lot, with two cuts each.
    #[arg(long)]
    pairs: Option<usize>,
    /// What the lots are drawn by.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only so many of the runs, evenly spread.
    #[arg(long)]
    some: Option<usize>,
    /// Runs at once.
    #[arg(long, default_value_t = AT_ONCE)]
    at_once: usize,
    /// Show every call of the scenarios when nothing goes wrong.
    #[arg(long)]
    calls: bool,
}

/// A campaign from the command line; the first argument is the program's word.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match campaign(&Flags::parse_from(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn campaign(flags: &Flags) -> Result<bool, String> {
    let began = Instant::now();
    let wanted: Vec<_> = flags.runs.iter().map(|run| Plan::named(run)).collect::<Result<_, _>>()?;
    let wanted = wanted.concat();
    let of = |plan: &Plan| wanted.iter().filter(|wanted| wanted.life() == plan.life()).cloned().collect::<Vec<_>>();
    let lives = choice::lives().filter(|life| wanted.is_empty() || !of(life).is_empty()).collect();
    let (references, mut outcomes) = references(flags.at_once, lives);
    if flags.calls {
        show(&references);
    }
    let mut plans = match flags.pairs {
        Some(count) => {
            println!("{count} pairs of cuts, by seed {}", flags.seed);
            choice::pairs(&references, count, flags.seed)
        }
        None => [choice::singles(&references), choice::sights(&references)].concat(),
    };
    plans.retain(|plan| wanted.is_empty() || of(plan).iter().any(Plan::is_whole));
    plans.extend(wanted.iter().filter(|plan| !plan.is_whole()).cloned());
    if let Some(count) = flags.some {
        plans = choice::spread(plans, count);
    }
    println!("{} runs beside {} references", plans.len(), references.len());
    outcomes.extend(run_all(choice::mixed(plans), &references, flags.at_once));
    let failures = failures(&outcomes);
    failures.iter().for_each(|failure| println!("{failure}"));
    println!("{}, in {} s", summary(&outcomes, &references), began.elapsed().as_secs());
    println!("{} passed, {} failed", outcomes.len() - failures.len(), failures.len());
    Ok(failures.is_empty())
}

/// A line for each run that failed: how to do it again, and what was wrong.
fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let failed = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty());
    failed.map(|outcome| format!("make crash RUN={}: {}", outcome.plan, outcome.wrong.join("; "))).collect()
}

fn summary(outcomes: &[Outcome], references: &References) -> String {
    let single = |outcome: &&Outcome| outcome.plan.cuts.len() + usize::from(outcome.plan.sight.is_some()) == 1;
    let more = |outcome| Some((Outcome::more(outcome, references)?, &outcome.plan));
    let all: Vec<_> = outcomes.iter().filter(single).filter_map(more).collect();
    let most = |count: fn(&Counts) -> usize| {
        let most = all.iter().max_by_key(|(cost, _)| count(cost));
        most.map_or_else(|| "0".to_owned(), |(cost, plan)| format!("{} ({plan})", count(cost)))
    };
    format!(
        "{} runs were over before what was to go wrong; one trouble cost at most {} writes and {} calls",
        outcomes.iter().filter(|outcome| !outcome.met).count(),
        most(|cost| cost.writes),
        most(|cost| cost.calls),
    )
}

fn show(references: &References) {
    for (name, reference) in references {
        println!("{name}: {} writes, {} events", Counts::of(&reference.calls).writes, reference.events);
        for call in &reference.calls {
            let number = call.number.map_or(String::new(), |number| number.to_string());
            println!("{number:>4}  {call} -> {}", call.status);
        }
    }
}

/// These scenarios, with nothing going wrong.
fn references(at_once: usize, lives: Vec<Plan>) -> (References, Vec<Outcome>) {
    let outcomes = run_all(lives, &References::new(), at_once);
    let references = outcomes.iter().map(|outcome| (outcome.plan.life(), outcome.reference())).collect();
    (references, outcomes)
}

/// A part of the campaign, evenly spread; `make crash` is the whole.
pub fn tests() -> Vec<Trial> {
    trials!("crash": whatever_call_is_cut_the_outcome_is_the_same)
}

fn whatever_call_is_cut_the_outcome_is_the_same() {
    let at_once = AT_ONCE / 2;
    let (references, mut outcomes) = references(at_once, choice::lives_in_turn().collect());
    let cuts = choice::spread(choice::singles(&references), CUTS);
    let sights = choice::spread(choice::sights(&references), SIGHTS);
    // A view that is troubled may last for a minute, so those begin first.
    outcomes.extend(run_all([sights, cuts].concat(), &references, at_once));
    let failures = failures(&outcomes);
    println!("{} passed, {} failed", outcomes.len() - failures.len(), failures.len());
    assert!(outcomes.len() >= references.len() + CUTS + SIGHTS, "only {} runs", outcomes.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
