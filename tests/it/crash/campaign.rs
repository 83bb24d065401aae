//! Runs plans, many at once, each judged by itself, and tells how far it is. A failed run is one line that says how to do
//! it again, and a log that stays.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::playground::cutting::Call;

use super::judge::{Counts, arrived, judge};
use super::plan::Plan;
use crate::support::shared;

/// How often a campaign tells how far it is.
const TELL: Duration = Duration::from_secs(15);

/// What a run left behind.
pub struct Outcome {
    pub plan: Plan,
    /// Every sentence is something that is wrong.
    pub wrong: Vec<String>,
    /// Whether all that was to go wrong did: a run may be over before the call that was to be cut.
    pub met: bool,
    pub calls: Vec<Call>,
    /// Watch events of the first operator.
    events: usize,
}

/// What a scenario does when nothing goes wrong.
pub struct Reference {
    /// Those with a number are where a run can be cut.
    pub calls: Vec<Call>,
    pub events: usize,
}

/// By scenario and trust, as [`Plan::life`] names them.
pub type References = BTreeMap<String, Reference>;

impl Outcome {
    /// What it cost more than when nothing goes wrong; `None` where there is nothing to hold it against.
    pub fn more(&self, references: &References) -> Option<Counts> {
        let (usual, cost) = (Counts::of(&references.get(&self.plan.life())?.calls), Counts::of(&self.calls));
        Some(Counts { writes: cost.writes.saturating_sub(usual.writes), calls: cost.calls.saturating_sub(usual.calls) })
    }

    pub fn reference(&self) -> Reference {
        Reference { calls: self.calls.clone(), events: self.events }
    }
}

impl Reference {
    /// The calls that have a number, and these.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Call)> {
        self.calls.iter().filter_map(|call| Some((call.number?, call)))
    }
}

fn run(plan: &Plan, references: &References) -> Outcome {
    let scenario = plan.scenario;
    let namespace = plan.namespace();
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut world = (scenario.story)(&namespace, plan.clone());
        world.settle("it came to rest as it should", |world| arrived(world, &scenario.end));
        let (calls, events, met) = (world.book.calls(), world.events(), world.met());
        let mut wrong = judge(&world, plan, references.get(&plan.life()));
        wrong.extend(world.end());
        (wrong, met, calls, events)
    }));
    let (wrong, met, calls, events) = told.unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        (vec![text.unwrap_or_default()], true, vec![], 0)
    });
    let outcome = Outcome { plan: plan.clone(), wrong, met, calls, events };
    put_away(&namespace, !outcome.wrong.is_empty());
    outcome
}

/// The logs of a failed run stay where the build is, all others go.
fn put_away(namespace: &str, keep: bool) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash");
    for number in 0..4 {
        let log = shared().plane.dir().join(format!("{namespace}-{number}.log"));
        if keep && log.exists() {
            let kept = folder.join(log.file_name().unwrap_or_default());
            let _ = fs::create_dir_all(&folder).and_then(|()| fs::copy(&log, &kept));
            println!("  its log: {}", kept.display());
        }
        let _ = fs::remove_file(&log);
    }
}

/// Runs all of them, `at_once` at a time. A failure is told when it happens.
pub fn run_all(plans: Vec<Plan>, references: &References, at_once: usize) -> Vec<Outcome> {
    let (total, began) = (plans.len(), Instant::now());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::<Outcome>::new());
    let told = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(total) {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(plan, references);
                    if !outcome.wrong.is_empty() {
                        println!("FAILED make crash RUN={plan}: {}", outcome.wrong.join("; "));
                    }
                    let mut outcomes = outcomes.lock().expect("outcomes");
                    outcomes.push(outcome);
                    let mut told = told.lock().expect("a time");
                    if told.elapsed() > TELL {
                        *told = Instant::now();
                        let failed = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
                        println!(
                            "  {} of {total} runs, {failed} failed, {} s",
                            outcomes.len(),
                            began.elapsed().as_secs()
                        );
                    }
                }
            });
        }
    });
    outcomes.into_inner().expect("outcomes")
}
