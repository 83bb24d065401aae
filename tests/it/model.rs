//! Every interleaving of operators, people, ACK, the network and the clock, over the real `decide`. The world is as
//! hostile as the design says it may be; it never does what no operator could survive (see `World::actions`).
//!
//! Time is told backwards: now is always 0, and a tick makes everything that is remembered one older, up to an age at
//! which nothing depends on it any more. So runs are not bounded in time, nor in crashes, delays or changes of mind:
//! only in attempts (two) and in how long a process may sleep on a list it has read.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Instant;

use ack_operator::decide::{self, Act, Closed, Deed, Evidence, Free, Glance, Goal, Guard, Listing, Look, Owner, Rival};
use ack_operator::decide::{Existence, Known, Memo, Rules, Sent, Standing, State, Step, View, Word, decide};
use ack_operator::terms::{AccountId, Class, ClusterId, Intent, Nonce, Note, Outcome, Region, Site};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use stateright::{Checker, HasDiscoveries, Model, Property};

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
    at: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Listed {
    began: Tick,
    ours: [bool; CLUSTERS],
    rival: Option<(u8, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    mutant: Option<Mutant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Crash,
    Twin,
    Refuse,
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

impl Object {
    fn new(uid: u8) -> Object {
        Object {
            uid,
            deleting: false,
            finalizer: false,
            mode: Mode::Plain,
            guard: None,
            newer: true,
            confirmed: None,
            recreate: None,
            attempts: 0,
            intent: None,
            last: None,
            known: None,
            forgotten: 0,
        }
    }

    fn goal(&self) -> Goal {
        match (self.mode, self.deleting) {
            (Mode::Paused, _) => Goal::Pause,
            (Mode::Retain, true) => Goal::Release,
            (Mode::Plain, true) => Goal::Destroy,
            (_, false) => Goal::Manage,
        }
    }

    fn age(&mut self, sim: &Sim) {
        if let Some(intent) = &mut self.intent {
            older(&mut intent.date, sim.oldest());
        }
        if let Some(Last::Refused { at, .. }) = &mut self.last {
            older(at, -sim.sleep - APART);
        }
        if let Some(known) = &mut self.known {
            older(&mut known.believe_after, -1);
        }
    }
}

fn older(tick: &mut Tick, oldest: Tick) {
    *tick = (*tick - 1).max(oldest);
}

impl Cluster {
    fn visible(&self, lag: Tick) -> bool {
        self.born + lag <= 0
    }
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

    /// What the shell would build for `decide`. What proves nothing here is answered beforehand.
    fn view(&self, me: u8, pass: &Pass, o: &Object, memo: Option<Kept>) -> View {
        let pinned = |a| if self.is(Mutant::UnpinnedAccount) { pass.account } else { a };
        let mut words = vec![];
        if let Some(attempt) = o.confirmed {
            words.push(Word::ConfirmAbsent(NONCES[nonce(o.uid, attempt)].clone()));
        }
        if let Some(old) = o.recreate {
            words.push(Word::Recreate(id(old)));
        }
        let standing = match (&o.known, &o.intent) {
            (Some(known), _) => Standing::Known(Known {
                id: id(known.id),
                site: site(pinned(known.account)),
                adopted: false,
                met: known.met,
                believe_after: time(known.believe_after),
            }),
            (None, Some(intent)) => Standing::Sealed {
                intent: Intent {
                    attempt: intent.attempt.into(),
                    nonce: NONCES[nonce(o.uid, intent.attempt)].clone(),
                    date: time(intent.date),
                    believe_after: time(intent.date) + self.rules.believable(),
                    site: site(pinned(intent.account)),
                    outcome: Outcome::Open,
                },
                mine: pass.token && intent.sealer == me,
            },
            (None, None) => Standing::New {
                attempts: o.attempts.into(),
                last: o.last.map(|last| match last {
                    Last::Refused { momentary, at } => Closed::Refused {
                        class: if momentary { Class::Throttled } else { Class::User },
                        at: time(at),
                        mended: true,
                        note: NOTE.clone(),
                    },
                    Last::Absent => Closed::Absent { at: time(self.oldest()) },
                    Last::Unsent => Closed::Unsent,
                }),
                blank: o.finalizer && o.attempts == 0,
            },
        };
        let seen = Evidence {
            account: Some(Ok(account(pass.account))),
            glance: Some(Ok(Glance::Changed)),
            cluster: pass.cluster.map(|seen| {
                Ok(match seen {
                    None => Existence::Unknown,
                    Some((state, guarded)) => Existence::Here(decide::Cluster {
                        state,
                        word: NOTE.clone(),
                        guarded: Some(guarded),
                        owner: Owner::Mine,
                    }),
                })
            }),
            listing: pass.list.map(|list| {
                Ok(Listing {
                    began: time(list.began),
                    whole: true,
                    trusted: true,
                    ours: (0..).zip(list.ours).filter(|(_, there)| *there).map(|(c, _)| id(c)).collect(),
                    rival: list.rival.map(|(c, going)| Rival { id: id(c), going }),
                    undecided: None,
                })
            }),
            fence: Some(Ok(!self.is(Mutant::NoWindow))),
            body: Some(Ok(())),
            uprooted: Some(Ok(false)),
            drift: Some(Ok(Default::default())),
            progress: Some(Ok(NOTE.clone())),
            cause: Some(Ok(NOTE.clone())),
            leftovers: Some(Ok(NOTE.clone())),
            sent: pass.sent.map(|(attempt, sent)| {
                let sent = match sent {
                    Answer::Created(c) => Sent::Created(id(c)),
                    Answer::Refused { momentary } => {
                        Sent::Refused(if momentary { Class::Throttled } else { Class::User }, NOTE.clone())
                    }
                    Answer::Unknown => Sent::Unknown(NOTE.clone()),
                };
                (NONCES[nonce(o.uid, attempt)].clone(), sent)
            }),
            acted: pass.acted.map(|(deed, ok)| {
                let trouble = decide::Trouble { class: Class::Busy, reason: None, note: NOTE.clone(), wait: None };
                (deed, if ok { Ok(()) } else { Err(trouble) })
            }),
        };
        View {
            now: time(0),
            since: time(self.oldest()),
            offset: SignedDuration::ZERO,
            goal: o.goal(),
            guard: Guard { word: o.guard, newer: o.newer },
            finalizer: o.finalizer,
            region: REGION.clone(),
            standing,
            words,
            streak: 0,
            memo: memo.map(|memo| match memo {
                Kept::Absent { attempt, began } => {
                    Memo::Absent { nonce: NONCES[nonce(o.uid, attempt)].clone(), began: time(began) }
                }
                Kept::Gone { id: c, at } => Memo::Gone { id: id(c), at: time(at) },
                Kept::Asked { id: c, at } => Memo::Asked { id: id(c), at: time(at) },
            }),
            seen,
        }
    }

    /// One step of a pass, as the shell does it.
    fn go(&self, w: &mut World, me: u8) -> Option<()> {
        let worker = &mut w.workers[usize::from(me)];
        let Place::Pass(pass) = &mut worker.at else { return None };
        let Some(o) = pass.object else {
            pass.object = w.object.filter(|o| o.uid == pass.uid);
            pass.stale = false;
            if pass.object.is_none() {
                worker.at = Place::Idle;
            }
            return Some(());
        };
        match decide(&self.view(me, pass, &o, worker.memo), &self.rules) {
            Step::Look(Look::Listing { .. }) => {
                let there = |c: &Cluster| c.account == pass.account && c.visible(self.lag);
                pass.list = Some(Listed {
                    began: 0,
                    ours: w.clusters.map(|c| c.is_some_and(|c| there(&c) && c.uid == o.uid)),
                    rival: (0..).zip(&w.clusters).find_map(|(n, c)| {
                        let c = c.filter(|c| there(c) && c.uid != o.uid)?;
                        Some((n, c.state == State::Deleting))
                    }),
                });
            }
            Step::Look(Look::Cluster(id)) => {
                let c = w.clusters[usize::from(number(&id))];
                let c = c.filter(|c| c.account == pass.account && c.visible(self.lag));
                pass.cluster = Some(c.map(|c| (c.state, c.guarded)));
            }
            Step::Look(look) => panic!("answered beforehand: {look:?}"),
            Step::Rest(verdict) => {
                let met = matches!(pass.cluster, Some(Some(_))) && o.known.is_some_and(|known| !known.met);
                let stale = pass.stale;
                worker.memo = verdict.memo.map(|memo| match memo {
                    Memo::Absent { nonce, began } => {
                        let n = nonce.as_str().as_bytes()[1] - b'0';
                        Kept::Absent { attempt: n % ATTEMPTS + 1, began: tick(began) }
                    }
                    Memo::Gone { id, at } => Kept::Gone { id: number(&id), at: tick(at) },
                    Memo::Asked { id, at } => Kept::Asked { id: number(&id), at: tick(at) },
                });
                worker.at = Place::Idle;
                if met && !stale {
                    w.write(|o| o.known = o.known.map(|known| Recorded { met: true, believe_after: -1, ..known }));
                }
            }
            Step::Act(act) => self.act(w, me, act)?,
        }
        Some(())
    }

    /// One guarded write or one call. `None`: beyond what the model looks at.
    fn act(&self, w: &mut World, me: u8, act: Act) -> Option<()> {
        let worker = &mut w.workers[usize::from(me)];
        let Place::Pass(pass) = worker.at else { return None };
        let Some(o) = pass.object else { return None };
        let mut next = Pass { object: None, list: None, cluster: None, acted: None, ..pass };
        worker.at = Place::Idle;
        let current = w.object.is_some_and(|o| o.uid == pass.uid) && !pass.stale;
        let kept = match act {
            Act::AddFinalizer => current && w.write(|o| o.finalizer = true),
            Act::Seal { attempt } if attempt > ATTEMPTS.into() => return None,
            Act::Seal { attempt } => {
                next.token = true;
                let there = w.object.is_some_and(|o| o.uid == pass.uid);
                (current || there && self.is(Mutant::UnguardedSeal))
                    && w.write(|o| {
                        o.attempts = attempt as u8;
                        o.last = None;
                        o.intent = Some(Sealed { attempt: o.attempts, date: -SKEW, account: pass.account, sealer: me });
                    })
            }
            Act::Send { not_after } => {
                let intent = o.intent?;
                next.token = false;
                if not_after < time(0) {
                    next.sent = Some((intent.attempt, Answer::Refused { momentary: true }));
                    true
                } else {
                    *w.wire.iter_mut().find(|post| post.is_none())? = Some(Post {
                        uid: o.uid,
                        attempt: intent.attempt,
                        date: if self.is(Mutant::SignedNow) { 0 } else { intent.date },
                        account: pass.account,
                        guarded: o.guard == Some(true),
                        waiter: Some(me),
                        twin: false,
                        fading: false,
                    });
                    w.workers[usize::from(me)].at =
                        Place::Waiting { uid: o.uid, account: pass.account, attempt: intent.attempt };
                    return Some(());
                }
            }
            // Guarded by the uid and by "no other id is stored", and repeated until it is.
            Act::Record { id, .. } => {
                let there = w.object.filter(|o| o.uid == pass.uid && o.known.is_none());
                there.is_some_and(|o| {
                    let believe_after =
                        o.intent.map_or(-1, |intent| intent.date + tick(time(0) + self.rules.believable()));
                    let known = Recorded {
                        id: number(&id),
                        account: pass.account,
                        met: false,
                        believe_after: believe_after.max(-1),
                    };
                    w.write(|o| (o.known, o.intent, o.last) = (Some(known), None, None))
                }) || w.object.is_some_and(|o| o.uid == pass.uid)
            }
            Act::Close(closed) => {
                let last = match closed {
                    Closed::Refused { class, at, .. } => Last::Refused { momentary: class.momentary(), at: tick(at) },
                    Closed::Absent { .. } => Last::Absent,
                    Closed::Unsent => Last::Unsent,
                };
                next.token = false;
                current && w.write(|o| (o.intent, o.last) = (None, Some(last)))
            }
            Act::Protect { id, on } => {
                let slot = &mut w.clusters[usize::from(number(&id))];
                let there = slot.as_mut().filter(|c| c.account == pass.account && c.state == State::Running);
                if !on && !o.newer {
                    w.wrong = Some("old words undo a protection");
                }
                next.acted = Some((Deed::Protect, there.is_some()));
                if let Some(c) = there {
                    c.guarded = on;
                }
                true
            }
            Act::Delete { id, .. } => {
                let guarded = matches!(pass.cluster, Some(Some((State::Running, true))));
                if o.guard == Some(true) || guarded {
                    w.wrong = Some("a delete was sent against the protection");
                }
                let slot = &mut w.clusters[usize::from(number(&id))];
                let there = slot.as_mut().filter(|c| {
                    c.account == pass.account && matches!(c.state, State::Running | State::Failed) && !c.guarded
                });
                next.acted = Some((Deed::Delete, there.is_some()));
                if let Some(c) = there {
                    c.state = State::Deleting;
                }
                true
            }
            Act::Forget(old) => {
                current
                    && w.write(|o| {
                        if o.known.is_some_and(|known| known.id == number(&old)) {
                            (o.known, o.forgotten) = (None, o.forgotten + 1);
                        }
                    })
            }
            Act::Release(free) => {
                if current {
                    if let Free::Kept(id) = &free
                        && let Some(c) = &mut w.clusters[usize::from(number(id))]
                    {
                        c.kept = true;
                    }
                    w.write(|o| o.finalizer = false);
                    w.object = w.object.filter(|o| !o.deleting);
                }
                current
            }
            Act::Claim(_) => return None,
        };
        if kept {
            w.workers[usize::from(me)].at = Place::Pass(next);
        }
        Some(())
    }
}

impl World {
    /// A write to the object: whoever read it before is stale.
    fn write(&mut self, change: impl FnOnce(&mut Object)) -> bool {
        let Some(o) = &mut self.object else { return false };
        change(o);
        for worker in &mut self.workers {
            if let Place::Pass(pass) = &mut worker.at {
                pass.stale |= pass.object.is_some();
            }
        }
        true
    }

    /// The gateway gets a copy: a cluster, or nothing that is known.
    fn execute(&mut self, post: Post, sim: &Sim) -> Answer {
        let seen = &mut self.nonces[nonce(post.uid, post.attempt)];
        let next = usize::from(self.made[0] + self.made[1]);
        if !sim.in_window(post.date) || *seen != FORGOTTEN || next == CLUSTERS {
            return Answer::Unknown;
        }
        *seen = 0;
        self.made[usize::from(post.uid)] += 1;
        self.clusters[next] = Some(Cluster {
            uid: post.uid,
            attempt: post.attempt,
            account: post.account,
            born: 0,
            state: State::Making,
            guarded: post.guarded,
            kept: false,
        });
        Answer::Created(next as u8)
    }

    fn answer(&mut self, waiter: Option<u8>, sent: Answer) {
        let Some(me) = waiter else { return };
        let at = &mut self.workers[usize::from(me)].at;
        if let Place::Waiting { uid, account, attempt } = *at {
            *at = Place::Pass(Pass {
                uid,
                account,
                token: false,
                object: None,
                stale: false,
                list: None,
                cluster: None,
                sent: Some((attempt, sent)),
                acted: None,
            });
        }
    }

    fn tick(&mut self, sim: &Sim) {
        if let Some(o) = &mut self.object {
            o.age(sim);
        }
        for worker in &mut self.workers {
            match &mut worker.memo {
                Some(Kept::Absent { began: at, .. } | Kept::Gone { at, .. } | Kept::Asked { at, .. }) => {
                    older(at, -sim.sleep - APART);
                }
                None => {}
            }
            if let Place::Pass(pass) = &mut worker.at {
                if let Some(o) = &mut pass.object {
                    o.age(sim);
                }
                if let Some(list) = &mut pass.list {
                    list.began -= 1;
                }
            }
        }
        for post in &mut self.wire {
            *post = post.filter(|post| !post.fading);
            if let Some(post) = post {
                older(&mut post.date, sim.oldest());
            }
            *post = post.filter(|post| sim.in_window(post.date));
        }
        for c in self.clusters.iter_mut().flatten() {
            older(&mut c.born, -sim.lag);
        }
        for seen in &mut self.nonces {
            *seen = if *seen <= -WINDOW - SKEW { FORGOTTEN } else { *seen - 1 };
        }
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
            workers: [Worker { memo: None, at: Place::Idle }; 2],
            account: 0,
            wrong: None,
        }]
    }

    fn actions(&self, w: &World, out: &mut Vec<Do>) {
        let mut awake = true;
        for me in 0..self.workers {
            let worker = &w.workers[usize::from(me)];
            match &worker.at {
                Place::Idle if w.object.is_some() => out.push(Do::Start(me)),
                Place::Idle => {}
                Place::Pass(pass) => {
                    out.push(Do::Go(me));
                    if pass.object.is_none() && pass.sent.is_some_and(|(_, sent)| sent != Answer::Unknown) {
                        out.push(Do::Timeout(me));
                    }
                    awake &= pass.list.is_none_or(|list| list.began > -self.sleep);
                }
                Place::Waiting { .. } => out.push(Do::Timeout(me)),
            }
            if self.can(May::Crash) && *worker != (Worker { memo: None, at: Place::Idle }) {
                out.push(Do::Crash(me));
            }
        }
        for (copy, post) in w.wire.iter().enumerate() {
            let Some(post) = post else { continue };
            out.push(Do::Deliver(copy));
            if self.can(May::Twin) && !post.twin {
                out.push(Do::DeliverTwin(copy));
            }
            if self.can(May::Refuse) && !post.fading {
                // What is wrong with a request is wrong with its twin; what is wrong with the moment may pass.
                out.push(Do::Refuse { copy, momentary: true, twin: false });
                if !post.twin {
                    out.push(Do::Refuse { copy, momentary: false, twin: false });
                    if self.can(May::Twin) {
                        out.push(Do::Refuse { copy, momentary: true, twin: true });
                    }
                }
            }
        }
        if awake {
            out.push(Do::Tick);
        }
        for (n, c) in w.clusters.iter().enumerate() {
            let Some(c) = c else { continue };
            if matches!(c.state, State::Making | State::Deleting) {
                out.push(Do::Work(n));
            }
            if self.can(May::Fail) && c.state == State::Making {
                out.push(Do::Fail(n));
            }
            // Only once it is recorded: a cluster that goes before it was seen was never there for anybody.
            let recorded = w.object.and_then(|o| o.known).is_some_and(|known| usize::from(known.id) == n);
            if self.can(May::Vanish) && recorded && c.state == State::Running {
                out.push(Do::Vanish(n));
            }
            if self.can(May::Protect) && c.state == State::Running && !c.guarded {
                out.push(Do::Raise(n));
            }
        }
        if self.can(May::Swap) {
            out.push(Do::Swap);
        }
        match &w.object {
            Some(o) => {
                if self.can(May::Delete) && !o.deleting {
                    out.push(Do::Delete);
                }
                if self.can(May::Protect) {
                    out.push(Do::Guard);
                }
                for (may, mode) in [(May::Pause, Mode::Paused), (May::Retain, Mode::Retain)] {
                    if self.can(may) {
                        out.push(Do::Mode(if o.mode == mode { Mode::Plain } else { mode }));
                    }
                }
                // A person who looks when no copy lives any more, and sees that there is none.
                if let Some(intent) = o.intent
                    && self.can(May::Confirm)
                    && intent.date < -WINDOW - SKEW
                    && !w.clusters.iter().flatten().any(|c| c.uid == o.uid && c.attempt == intent.attempt)
                {
                    out.push(Do::Confirm);
                }
                if self.can(May::Fail) && o.known.is_some() {
                    out.push(Do::Recreate);
                }
            }
            None if self.can(May::Renew) && w.made[1] == 0 => out.push(Do::Renew),
            None => {}
        }
    }

    fn next_state(&self, last: &World, action: Do) -> Option<World> {
        let mut w = *last;
        match action {
            Do::Start(me) => {
                let o = w.object?;
                w.workers[usize::from(me)].at = Place::Pass(Pass {
                    uid: o.uid,
                    account: w.account,
                    token: false,
                    object: Some(o),
                    stale: false,
                    list: None,
                    cluster: None,
                    sent: None,
                    acted: None,
                });
            }
            Do::Go(me) => self.go(&mut w, me)?,
            Do::Crash(me) => {
                w.workers[usize::from(me)] = Worker { memo: None, at: Place::Idle };
                w.abandon(me);
            }
            Do::Timeout(me) => {
                match &mut w.workers[usize::from(me)].at {
                    Place::Pass(pass) => pass.sent = pass.sent.map(|(attempt, _)| (attempt, Answer::Unknown)),
                    _ => w.answer(Some(me), Answer::Unknown),
                }
                w.abandon(me);
            }
            Do::Deliver(copy) => {
                let post = w.wire[copy].take()?;
                let sent = w.execute(post, self);
                w.answer(post.waiter, sent);
            }
            Do::DeliverTwin(copy) => {
                let post = w.wire[copy]?;
                w.execute(post, self);
                w.wire[copy] = Some(Post { twin: true, ..post });
            }
            Do::Refuse { copy, momentary, twin } => {
                let post = w.wire[copy]?;
                w.wire[copy] = twin.then_some(Post { waiter: None, twin: true, fading: true, ..post });
                w.answer(post.waiter, Answer::Refused { momentary });
            }
            Do::Tick => w.tick(self),
            Do::Work(n) => {
                let c = w.clusters[n]?;
                w.clusters[n] = (c.state == State::Making).then_some(Cluster { state: State::Running, ..c });
            }
            Do::Fail(n) => w.clusters[n].as_mut()?.state = State::Failed,
            Do::Vanish(n) => w.clusters[n] = None,
            Do::Raise(n) => {
                let c = w.clusters[n].as_mut()?;
                c.guarded = true;
                let uid = c.uid;
                if let Some(o) = w.object.as_mut().filter(|o| o.uid == uid) {
                    o.newer = false;
                }
            }
            Do::Delete => {
                w.write(|o| o.deleting = true);
                w.object = w.object.filter(|o| o.finalizer);
            }
            Do::Guard => {
                w.write(|o| {
                    (o.guard, o.newer) = (Some(o.guard != Some(true)), true);
                });
            }
            Do::Mode(mode) => {
                w.write(|o| o.mode = mode);
            }
            Do::Swap => w.account = 1 - w.account,
            Do::Confirm => {
                w.write(|o| o.confirmed = o.intent.map(|intent| intent.attempt));
            }
            Do::Recreate => {
                w.write(|o| o.recreate = o.known.map(|known| known.id));
            }
            Do::Renew => w.object = Some(Object::new(1)),
        }
        (w != *last).then_some(w)
    }

    fn properties(&self) -> Vec<Property<Sim>> {
        vec![
            Property::always(ONE, |_, w: &World| {
                (0..2).all(|uid| {
                    let made = w.made[usize::from(uid)];
                    let word = w.object.filter(|o| o.uid == uid).map_or(made, |o| o.forgotten);
                    let alive = w.clusters.iter().flatten().filter(|c| c.uid == uid).count();
                    alive <= 1 && made <= 1 + word
                })
            }),
            Property::always(ORPHAN, |_, w: &World| {
                let owned = |c: &Cluster| c.kept || w.object.is_some_and(|o| o.uid == c.uid);
                w.clusters.iter().flatten().all(owned)
            }),
            Property::always(PROTECTED, |_, w: &World| w.wrong.is_none()),
            Property::sometimes(RUNS, |_, w: &World| {
                let runs =
                    |known: Recorded| w.clusters[usize::from(known.id)].is_some_and(|c| c.state == State::Running);
                w.object.and_then(|o| o.known).is_some_and(runs)
            }),
            Property::sometimes(AGAIN, |_, w: &World| w.wire.iter().flatten().any(|post| post.attempt == 2)),
            Property::sometimes(RELEASED, |_, w: &World| {
                w.object.is_none() && w.made[0] == 1 && w.clusters[0].is_none()
            }),
        ]
    }
}

impl World {
    /// Nobody waits for that answer any more.
    fn abandon(&mut self, me: u8) {
        for post in self.wire.iter_mut().flatten() {
            post.waiter = post.waiter.filter(|waiter| *waiter != me);
        }
    }
}

const ONE: &str = "one cluster";
const ORPHAN: &str = "no orphan";
const PROTECTED: &str = "protection holds";
const RUNS: &str = "runs";
const AGAIN: &str = "a second attempt is sent";
const RELEASED: &str = "deleted and released";

fn sim(workers: u8, may: &'static [May]) -> Sim {
    let rules =
        Rules { apart: ticks(APART), slow: ticks(1), ..Rules::timed(ticks(WINDOW), ticks(LISTED), ticks(SKEW)) };
    Sim { rules, workers, may, lag: LISTED, sleep: RESOLVED + 1, mutant: None }
}

fn run(name: &str, sim: Sim) -> impl Checker<Sim> {
    let began = Instant::now();
    let done = sim.checker().finish_when(HasDiscoveries::AnyFailures).threads(2).spawn_bfs().join();
    let (states, seconds) = (done.unique_state_count(), began.elapsed().as_secs_f64());
    println!(
        "{name}: {states} states ({} edges) in {seconds:.1} s, {:.0} a second, depth {}",
        done.state_count(),
        states as f64 / seconds,
        done.max_depth()
    );
    done
}

/// The whole space is walked, nothing bad is in it, and the good that is named is.
fn holds(name: &'static str, sim: Sim, reached: &'static [&'static str]) -> Trial {
    Trial::test(format!("model: {name}"), move || {
        let done = run(name, sim);
        for (property, path) in done.discoveries() {
            if [ONE, ORPHAN, PROTECTED].contains(&property) {
                return Err(format!("{property}: {:#?} {:?}", path.last_state().clone(), path.into_actions()).into());
            }
        }
        let found: BTreeSet<_> = done.discoveries().into_keys().collect();
        match reached.iter().find(|wanted| !found.contains(*wanted)) {
            Some(missing) => Err(format!("never: {missing}").into()),
            None => Ok(()),
        }
    })
}

/// The model sees what the missing part would have prevented.
fn breaks(name: &'static str, sim: Sim, property: &'static str) -> Trial {
    Trial::test(format!("model: {name}"), move || {
        let path = run(name, sim).discovery(property).ok_or(format!("{property} is not broken"))?;
        println!("{name}: {} steps: {:?}", path.clone().into_actions().len(), path.into_actions());
        Ok(())
    })
}

pub fn tests() -> Vec<Trial> {
    use May::*;
    let _with = |mutant, sim: Sim| Sim { mutant: Some(mutant), ..sim };
    let two = |sleep, may| Sim { sleep, ..sim(2, may) };
    vec![
        holds("pause", sim(1, &[Crash, Delete, Pause, Vanish]), &[RUNS, AGAIN, RELEASED]),
        holds("two operators 1", two(1, &[]), &[RUNS, AGAIN]),
        holds("two operators 2", two(2, &[]), &[RUNS, AGAIN]),
        holds("two operators 1 cr", two(1, &[Crash]), &[RUNS, AGAIN]),
        holds("two operators 1 cr del", two(1, &[Crash, Delete]), &[RUNS, AGAIN]),
    ]
}
