//! Every interleaving of operators, people, ACK, the network and the clock, over the real `decide`. The world is as
//! hostile as the design says it may be (`moves.rs`).
//!
//! Time is told backwards: now is always 0, and a tick makes everything that is remembered one older, up to an age at
//! which nothing depends on it any more. So runs are not bounded in time, nor in crashes, delays or changes of mind:
//! only in attempts (two) and in how long a process may sleep on a list that it has read.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Instant;

use ack_operator::decide::{self, Act, Closed, Deed, Evidence, Free, Glance, Goal, Guard, Listing, Look, Owner, Rival};
use ack_operator::decide::{Existence, Known, Memo, Rules, Sent, Standing, State, Step, View, Word, decide};
use ack_operator::terms::{AccountId, Class, ClusterId, Intent, Nonce, Note, Outcome, Region, Site};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use promises::{AGAIN, ALWAYS, ONE, ORPHAN, RELEASED, RUNS};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};

/// What may happen next.
mod moves;
/// What must hold in every state, and what must be reached.
mod promises;
/// The shell that drives `decide`.
mod shell;
/// How ACK answers and the world ages.
mod world;

/// A time in ticks, seen from now.
type Tick = i8;

const WINDOW: Tick = 3;
const LISTED: Tick = 1;
const SKEW: Tick = 1;
const APART: Tick = 1;
/// A resolution takes this long: `W + L + S`, and the second list.
const RESOLVED: Tick = WINDOW + LISTED + SKEW + APART;
const ATTEMPTS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Object {
    uid: u8,
    deleting: bool,
    finalizer: bool,
    mode: Mode,
    /// The spec's word on protection.
    guard: Option<bool>,
    /// It was given after the console's.
    newer: bool,
    confirmed: Option<u8>,
    recreate: Option<u8>,
    attempts: u8,
    intent: Option<Sealed>,
    last: Option<Last>,
    known: Option<Recorded>,
    forgotten: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mode {
    Plain,
    Paused,
    Retain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sealed {
    attempt: u8,
    date: Tick,
    account: u8,
    sealer: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Last {
    Refused { momentary: bool, at: Tick },
    Absent,
    Unsent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Recorded {
    id: u8,
    account: u8,
    met: bool,
    believe_after: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Cluster {
    uid: u8,
    attempt: u8,
    account: u8,
    born: Tick,
    state: State,
    guarded: bool,
    kept: bool,
}

/// A copy of a create request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Post {
    uid: u8,
    attempt: u8,
    date: Tick,
    account: u8,
    guarded: bool,
    waiter: Option<u8>,
    /// Its twin was delivered already.
    twin: bool,
    /// Its twin was refused, so it does not outlive the tick.
    fading: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Worker {
    memo: Option<Kept>,
    /// The last list that the process read, of which account. It outlives a pass.
    shared: Option<(u8, Listed)>,
    at: Place,
}

const IDLE: Worker = Worker { memo: None, shared: None, at: Place::Idle };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kept {
    Absent { attempt: u8, began: Tick },
    Gone { id: u8, at: Tick },
    Asked { id: u8, at: Tick },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Idle,
    Pass(Pass),
    /// The POST is out; the sealer's token is spent.
    Waiting {
        uid: u8,
        account: u8,
        attempt: u8,
    },
}

/// A pass between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pass {
    uid: u8,
    /// Whose credentials it took when it began.
    account: u8,
    token: bool,
    /// The object as read; `None`: to be read again.
    object: Option<Object>,
    /// Somebody has written since, so a guarded write gets a 409.
    stale: bool,
    list: Option<Listed>,
    cluster: Option<Option<(State, bool)>>,
    sent: Option<(u8, Answer)>,
    acted: Option<(Deed, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Listed {
    began: Tick,
    ours: [bool; CLUSTERS],
    rival: Option<(u8, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Answer {
    Created(u8),
    Refused { momentary: bool },
    Unknown,
}

const CLUSTERS: usize = 3;
const FORGOTTEN: Tick = Tick::MIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    object: Option<Object>,
    /// By id, which is never used twice.
    clusters: [Option<Cluster>; CLUSTERS],
    /// How many were made, for each uid.
    made: [u8; 2],
    /// When the gateway saw each nonce.
    nonces: [Tick; 4],
    wire: [Option<Post>; 3],
    workers: [Worker; 2],
    /// Whose credentials the Secret holds.
    account: u8,
    wrong: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Start(u8),
    Go(u8),
    Crash(u8),
    /// The answer is lost or late.
    Timeout(u8),
    Deliver(usize),
    /// Delivered, but the answer of a twin is the one that comes.
    DeliverTwin(usize),
    Refuse {
        copy: usize,
        momentary: bool,
        twin: bool,
    },
    Tick,
    Work(usize),
    Fail(usize),
    Vanish(usize),
    Raise(usize),
    Delete,
    Guard,
    Mode(Mode),
    Swap,
    Confirm,
    Recreate,
    Renew,
    LoseStatus,
    LoseFinalizer,
}

/// Who takes part, and what is broken on purpose.
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
    /// Whether each state is asked if it comes to rest; that takes a hundred steps.
    calm: bool,
    mutant: Option<Mutant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Crash,
    /// Lists are as old as they may be.
    Share,
    Twin,
    Refuse,
    /// The status is lost, or the finalizer.
    Lose,
    Delete,
    Protect,
    Pause,
    Retain,
    Swap,
    Confirm,
    Fail,
    Vanish,
    Renew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// The seal is written without the resourceVersion.
    UnguardedSeal,
    /// The request is signed with the time of sending.
    SignedNow,
    /// Whatever account the credentials belong to is taken for the cluster's.
    UnpinnedAccount,
    /// The gateway takes any date; the fence says what it finds.
    NoWindow,
    /// The gateway takes any date, and nobody probes it.
    NoWindowNoFence,
}
fn time(tick: Tick) -> Timestamp {
    Timestamp::from_second(1_000_000 + 60 * i64::from(tick)).unwrap()
}

fn tick(time: Timestamp) -> Tick {
    ((time.as_second() - 1_000_000).div_euclid(60)) as Tick
}

fn ticks(n: Tick) -> SignedDuration {
    SignedDuration::from_mins(n.into())
}

static ACCOUNTS: LazyLock<[AccountId; 2]> = LazyLock::new(|| ["a0", "a1"].map(AccountId::from));
static IDS: LazyLock<[ClusterId; CLUSTERS]> = LazyLock::new(|| ["c0", "c1", "c2"].map(ClusterId::from));
static NONCES: LazyLock<[Nonce; 4]> = LazyLock::new(|| ["n0", "n1", "n2", "n3"].map(Nonce::from));
static REGION: LazyLock<Region> = LazyLock::new(|| "cn-x".into());
static NOTE: LazyLock<Note> = LazyLock::new(|| "".into());

fn account(a: u8) -> AccountId {
    ACCOUNTS[usize::from(a)].clone()
}

fn id(c: u8) -> ClusterId {
    IDS[usize::from(c)].clone()
}

fn number(id: &ClusterId) -> u8 {
    id.as_str().as_bytes()[1] - b'0'
}

fn nonce(uid: u8, attempt: u8) -> usize {
    usize::from(uid * ATTEMPTS + attempt - 1)
}

fn site(a: u8) -> Site {
    Site { account: account(a), region: REGION.clone() }
}
impl Sim {
    fn can(&self, what: May) -> bool {
        self.may.contains(&what)
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// So far back that every bound has passed even for a process that slept.
    fn oldest(&self) -> Tick {
        -self.sleep - RESOLVED
    }

    fn date_checked(&self) -> bool {
        !self.is(Mutant::NoWindow) && !self.is(Mutant::NoWindowNoFence)
    }

    /// The gateway's clocks agree within `SKEW`, and the slowest decides.
    fn in_window(&self, date: Tick) -> bool {
        !self.date_checked() || date.abs() <= WINDOW + SKEW
    }
}

impl Model for Sim {
    type State = World;
    type Action = Do;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            object: Some(Object::new(0)),
            clusters: [None; CLUSTERS],
            made: [0; 2],
            nonces: [FORGOTTEN; 4],
            wire: [None; 3],
            workers: [IDLE; 2],
            account: 0,
            wrong: None,
        }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Do>) {
        self.moves(w, out);
    }

    fn next_state(&self, last: &World, action: Do) -> Option<World> {
        let mut next = *last;
        self.make(&mut next, action)?;
        if self.workers == 2 && next.workers[0].rank() > next.workers[1].rank() {
            next.mirror();
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Sim>> {
        promises::all()
    }
}

/// One operator, which may sleep through a whole resolution.
fn one(may: &'static [May]) -> Sim {
    let rules =
        Rules { apart: ticks(APART), slow: ticks(1), ..Rules::timed(ticks(WINDOW), ticks(LISTED), ticks(SKEW)) };
    Sim { rules, workers: 1, may, lag: LISTED, sleep: RESOLVED + 1, calm: false, mutant: None }
}

fn two(may: &'static [May]) -> Sim {
    Sim { workers: 2, sleep: 1, ..one(may) }
}

fn run(name: &str, sim: Sim) -> impl Checker<Sim> {
    let began = Instant::now();
    let done = sim.checker().finish_when(HasDiscoveries::AnyFailures).threads(2).spawn_bfs().join();
    let (states, seconds) = (done.unique_state_count(), began.elapsed().as_secs_f64());
    println!("{name}: {states} states in {seconds:.1} s, {:.0} a second", states as f64 / seconds);
    done
}

fn steps(path: &Path<World, Do>) -> String {
    let steps = path.clone().into_actions();
    format!("{} steps: {steps:?}", steps.len())
}

/// The whole space is walked: nothing bad is in it, and of the good exactly what is named.
fn holds(name: &'static str, sim: Sim, reached: &'static [&'static str]) -> Trial {
    Trial::test(format!("model: {name}"), move || {
        let mut found = run(name, sim).discoveries();
        for bad in ALWAYS {
            if let Some(path) = found.remove(bad) {
                return Err(format!("not so: {bad}, after {}, in {:#?}", steps(&path), path.last_state()).into());
            }
        }
        let found: BTreeSet<_> = found.into_keys().collect();
        if found != reached.iter().copied().collect() { Err(format!("reached: {found:?}").into()) } else { Ok(()) }
    })
}

/// The model sees what the missing part would have prevented.
fn breaks(name: &'static str, sim: Sim, property: &'static str) -> Trial {
    Trial::test(format!("model: {name}"), move || {
        let path = run(name, sim).discovery(property).ok_or(format!("it does not break: {property}"))?;
        println!("{name}: it breaks in {}", steps(&path));
        Ok(())
    })
}

pub fn tests() -> Vec<Trial> {
    use May::*;
    const ALL: &[&str] = &[RUNS, AGAIN, RELEASED];
    let awake = |may| Sim { sleep: 2, ..one(may) };
    let calm = |may| Sim { calm: true, ..awake(may) };
    let mutant = |mutant, sim: Sim| Sim { mutant: Some(mutant), ..sim };
    let uncounted = Rules { listed: ticks(0), ..one(&[]).rules };
    let slower = Rules { listed: ticks(2), ..one(&[]).rules };
    vec![
        holds("an operator that crashes and sleeps, on lists as old as they may be", one(&[Crash, Delete, Share]), ALL),
        holds("a list without lag", Sim { lag: 0, ..one(&[Crash, Delete, Refuse, Twin]) }, ALL),
        holds("requests refused, delivered twice, either in any order", one(&[Crash, Delete, Refuse, Twin]), ALL),
        holds("paused, confirmed absent, deleted in the console", awake(&[Crash, Delete, Pause, Confirm, Vanish]), ALL),
        holds("a status lost, a finalizer lost", one(&[Crash, Delete, Lose]), ALL),
        holds("protection here and in the console", awake(&[Crash, Delete, Protect]), ALL),
        holds("other credentials at any moment", awake(&[Crash, Delete, Swap]), ALL),
        holds("a failed cluster, made anew at a person's word", one(&[Crash, Delete, Fail, Vanish]), ALL),
        holds("a cluster kept, an object of the same name made anew", awake(&[Delete, Retain, Renew]), ALL),
        holds("each state comes to rest by itself", calm(&[Crash, Delete, Refuse, Twin, Share]), ALL),
        holds("each state comes to rest after losses", calm(&[Crash, Delete, Lose]), ALL),
        holds("two operators, the object deleted at any moment", two(&[Crash, Delete]), ALL),
        holds("two operators, requests refused and delivered twice", two(&[Crash, Refuse, Twin]), &[RUNS, AGAIN]),
        holds(
            "a gateway that takes old dates makes nothing twice while the fence is probed",
            mutant(Mutant::NoWindow, one(&[Crash, Delete])),
            ALL,
        ),
        breaks("without the fence it makes two", mutant(Mutant::NoWindowNoFence, one(&[])), ONE),
        breaks(
            "without resourceVersion on the seal two operators make two",
            mutant(Mutant::UnguardedSeal, two(&[])),
            ONE,
        ),
        breaks("signed with now, a process that wakes late makes a second", mutant(Mutant::SignedNow, one(&[])), ONE),
        breaks(
            "without the list's lag in the bound a second is made",
            Sim { lag: 3, rules: uncounted, ..one(&[]) },
            ONE,
        ),
        breaks("with any account's lists a second is made", mutant(Mutant::UnpinnedAccount, one(&[Swap])), ONE),
        breaks(
            "with any account's word the finalizer goes too early",
            mutant(Mutant::UnpinnedAccount, one(&[Swap, Delete])),
            ORPHAN,
        ),
        // Two gaps that remain. Both need one request delivered twice, with one copy executed and one refused.
        breaks(
            "gap: a list slower than the wait after a refusal hides the copy that was executed",
            Sim { lag: 2, rules: slower, ..one(&[Refuse, Twin]) },
            ONE,
        ),
        breaks(
            "gap: other credentials after a refusal do not see the copy that was executed",
            one(&[Refuse, Twin, Swap]),
            ONE,
        ),
    ]
}
