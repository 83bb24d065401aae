//! Every interleaving of operators, people, ACK, the network and the clock, over the real `decide`. The world is as
//! hostile as the design says it may be (`moves.rs`).
//!
//! Time is told backwards: now is always 0, and a tick makes everything that is remembered one older, up to an age at
//! which nothing depends on it any more. So runs are not bounded in time, nor in crashes, delays or changes of mind:
//! only in attempts (two) and in how long a process may sleep on a list that it has read.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ack_judgement::decide::{Goal, Rules, State};
use ack_judgement::terms::Class;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use promises::ALWAYS;
use state::{
    Answer, Asks, At, CLUSTERS, Call, Cluster, Detail, Do, End, FORGOTTEN, Fault, How, IDLE, Item, Kept, Keys, Listed,
    Mode, NO_STATUS, Object, Outcome, Pass, Place, Post, Recorded, Sealed, Status, Tick, WORKERS, Wish, Worker, World,
};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// What is asked of ACK about a cluster that is there.
mod calls;
/// What `decide` is given, made by `sight` of what there is.
mod given;
/// What may happen next.
mod moves;
/// What must hold in every state, and what must be reached.
mod promises;
/// The shell that drives `decide`.
mod shell;
/// What there is.
mod state;
/// Who takes part in what.
mod table;
/// How ACK answers and the world ages.
mod world;

const WINDOW: Tick = 3;
const LISTED: Tick = 1;
const SKEW: Tick = 1;
const APART: Tick = 1;
const ATTEMPTS: u8 = 2;

/// Who takes part, and what may happen.
#[derive(Clone, Debug)]
struct Sim {
    rules: Rules,
    workers: u8,
    /// What people, cloud and network may do: the `Do`s by name.
    may: &'static [May],
    /// ACK's true list lag.
    lag: Tick,
    /// No process sleeps longer than this on a list it has read.
    sleep: Tick,
    /// A copy comes at most this much later than its refused twin.
    spread: Tick,
    /// Whether each state is asked if it comes to rest; that takes a hundred steps.
    calm: bool,
    /// How ACK refuses a request of which another copy may fare better.
    moment: Class,
    begins: Begins,
    /// A cluster that nobody here made, and whose mark it carries.
    stranger: Option<Option<u8>>,
    /// The spec names that one from the beginning.
    adopt: bool,
    /// It differs from the spec in what cannot be changed.
    doubt: bool,
    /// Another object of this operator records it.
    claimed: bool,
    /// How often the same thing is asked for is counted.
    paced: bool,
}

/// What there is at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    /// An object that was never looked at.
    New,
    /// Its cluster runs, is recorded and was seen.
    Running,
    /// ACK could not make it.
    Failed,
    /// Of a running one an object the status was restored under another uid, and the cluster was kept.
    Restored,
    /// The cluster of an earlier object of this name was kept.
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Crash,
    /// A pass may begin with the object as it was before its last write.
    Stale,
    /// Clocks are a tick off, either way.
    Skew,
    /// Lists are as old as they may be.
    Share,
    /// A cluster may be listed before it must.
    Early,
    /// And without its tags, which follow.
    Late,
    Twin,
    Refuse,
    /// Looks fail.
    Trouble,
    Tear,
    Filter,
    Slip,
    Miss,
    /// Details are missed again and again.
    Blind,
    Mute,
    /// The gateway takes any date, however old.
    Old,
    /// The status is lost.
    Lose,
    Wipe,
    Restore,
    Delete,
    Protect,
    Pause,
    Retain,
    Swap,
    Move,
    Confirm,
    /// People give wrong answers.
    Wrong,
    Fail,
    Vanish,
    Renew,
    /// The credentials come to see one resource group only, which is not the one that was asked for.
    Narrow,
    /// The credentials are another account's although they are said to be the same one's.
    Lie,
    /// There are no credentials.
    Keyless,
    /// Another field of the spec, which can be changed, is edited.
    Edit,
    /// One is edited of which no answer tells anything.
    Correct,
    /// Somebody else changes that field back in the cloud.
    Undo,
    /// ACK refuses what is asked of a cluster that is there.
    Deny,
    /// ACK takes what is asked and shows nothing of it.
    Void,
    /// What is asked of a cluster, or the answer, is lost.
    Lossy,
    /// Somebody takes the tags off a cluster that is recorded.
    Strip,
    /// Another operator adopts the same cluster.
    Rival,
    /// `spec.adoptClusterId` is set when it pleases.
    Adopt,
    TakeOver,
    Observe,
    /// A kubeconfig is wanted.
    Publish,
    /// CreateCluster answers with the id of a cluster that is somebody else's.
    Mislead,
}

fn time(tick: Tick) -> Timestamp {
    Timestamp::from_second(1_000_000 + 60 * i64::from(tick)).unwrap()
}

fn tick(time: Timestamp) -> Tick {
    (time.as_second() - 1_000_000).div_euclid(60).clamp(-120, 120) as Tick
}

fn ticks(n: Tick) -> SignedDuration {
    SignedDuration::from_mins(n.into())
}

impl Sim {
    fn can(&self, what: May) -> bool {
        self.may.contains(&what)
    }

    /// What the spec of that object holds of the field that can be changed; where nobody edits it, it counts as corrected
    /// whatever was refused.
    fn word(&self, o: &Object) -> u8 {
        if self.can(May::Edit) || self.can(May::Correct) { o.spec } else { 1 - o.spec }
    }

    /// How old that becomes for a process that slept.
    fn slept(&self, age: Tick) -> Tick {
        -self.sleep - age - if self.can(May::Skew) { SKEW } else { 0 }
    }

    /// So far back that every bound has passed even for a process that slept.
    fn oldest(&self) -> Tick {
        self.slept(tick(time(APART) + self.rules.believable()))
    }

    /// How long after a refusal a copy of that request may still come to light.
    fn copies(&self) -> Tick {
        tick(time(0) + self.rules.copied())
    }

    /// The gateway's clocks agree within `SKEW`, and the slowest decides.
    fn in_window(&self, date: Tick) -> bool {
        self.can(May::Old) || date.abs() <= WINDOW + SKEW
    }
}

impl Model for Sim {
    type State = World;
    type Action = Do;

    fn init_states(&self) -> Vec<World> {
        let world = World::new(self);
        vec![World { past: world.object.filter(|_| self.can(May::Stale)), ..world }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Do>) {
        self.moves(w, out);
    }

    fn next_state(&self, last: &World, action: Do) -> Option<World> {
        let mut next = *last;
        self.make(&mut next, action)?;
        self.watch(&mut next, action == Do::Tick);
        if self.workers > 1 {
            next.order(self.workers.into());
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Sim>> {
        promises::all()
    }
}

/// One walk through a whole space.
struct Walk {
    states: usize,
    took: Duration,
    /// What is not so, and how it comes to that.
    broken: Option<(&'static str, Vec<Do>)>,
    reached: BTreeSet<&'static str>,
}

/// Walks until the space or the first promise is at its end.
fn walk(sim: &Sim) -> Walk {
    let began = Instant::now();
    let done = sim.clone().checker().finish_when(HasDiscoveries::AnyFailures).threads(2).spawn_bfs().join();
    let mut found = done.discoveries();
    let broken = ALWAYS.into_iter().find_map(|bad| Some((bad, found.remove(bad)?.into_actions())));
    Walk { states: done.unique_state_count(), took: began.elapsed(), broken, reached: found.into_keys().collect() }
}

impl Walk {
    fn line(&self, name: &str) -> String {
        let seconds = self.took.as_secs_f64();
        format!("{:>9} states {seconds:>6.1} s {:>8.0} a second  {name}", self.states, self.states as f64 / seconds)
    }
}

/// A row of the table: who takes part in what, and what of the good is reached. Nothing bad ever is.
struct Row {
    name: &'static str,
    sim: Sim,
    reached: &'static [&'static str],
}

impl Row {
    fn walk(&self) -> Result<Walk, String> {
        let walk = walk(&self.sim);
        println!("{}", walk.line(self.name));
        if let Some((bad, steps)) = &walk.broken {
            return Err(format!("not so: {bad}, after {} steps: {steps:?}", steps.len()));
        }
        if walk.reached != self.reached.iter().copied().collect() {
            return Err(format!("reached: {:?}", walk.reached));
        }
        Ok(walk)
    }
}

/// The large spaces one after the other, or those of all whose name holds `some`, until a promise is broken.
pub fn prove(some: Option<String>) -> ExitCode {
    let rows = match &some {
        None => table::large(),
        Some(some) => {
            let all = [table::small(), table::dimensions(), table::large(), table::endless()].into_iter().flatten();
            all.filter(|row| row.name.contains(some.as_str())).collect()
        }
    };
    let (began, mut states) = (Instant::now(), 0);
    for row in &rows {
        match row.walk() {
            Ok(walk) => states += walk.states,
            Err(why) => {
                println!("{why}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{states:>9} states {:>6.1} s in {} spaces", began.elapsed().as_secs_f64(), rows.len());
    if rows.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

pub fn tests() -> Vec<Trial> {
    let holds = table::small()
        .into_iter()
        .chain(table::dimensions())
        .map(|row| Trial::test(format!("model: {}", row.name), move || row.walk().map(drop).map_err(Into::into)));
    let gaps = table::gaps().into_iter().map(|(name, sim)| {
        Trial::test(format!("model: gap: {name}"), move || {
            let walk = walk(&sim);
            println!("{}", walk.line(name));
            if walk.broken.is_some() { Ok(()) } else { Err("it is closed".into()) }
        })
    });
    holds.chain(gaps).collect()
}
