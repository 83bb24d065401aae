//! What must hold in every state, and what must be reached in some, or the model would be too tame.

use super::*;

pub(super) const ONE: &str = "one cluster";
pub(super) const ORPHAN: &str = "no orphan";
pub(super) const PROTECTED: &str = "protection holds";
pub(super) const RIGHT: &str = "nothing is done that must not be";
pub(super) const CALM: &str = "comes to rest";

pub(super) const RUNS: &str = "runs";
pub(super) const LATE: &str = "made after its sender gave up";
pub(super) const AGAIN: &str = "a second attempt is sent";
pub(super) const TWICE: &str = "a copy comes after its twin made the cluster";
pub(super) const RELEASED: &str = "deleted and released";
pub(super) const WAITS: &str = "a deletion waits for the protection";
pub(super) const KEPT: &str = "kept and released";
pub(super) const ANEW: &str = "made anew at a person's word";
pub(super) const RIVAL: &str = "an earlier object's cluster stands in the way";
pub(super) const RESTORED: &str = "known under a new uid by a restored status";
pub(super) const STRANGE: &str = "known, and the credentials are another account's";
pub(super) const HIDDEN: &str = "recorded, and hidden from the keys";
pub(super) const TAKEN: &str = "an earlier object's cluster is taken over";
pub(super) const MARKED: &str = "a stranger's cluster carries this object's mark";
pub(super) const OTHERS: &str = "recorded, and it carries another's mark";
pub(super) const STRIPPED: &str = "recorded and seen, and it carries no mark";
pub(super) const UNDONE: &str = "asked for as often as it may be, and undone";

/// What must hold in every state.
pub(super) const ALWAYS: [&str; 5] = [ONE, ORPHAN, PROTECTED, RIGHT, CALM];

impl World {
    fn clusters(&self) -> impl Iterator<Item = (u8, &Cluster)> {
        (0..).zip(&self.clusters).filter_map(|(n, c)| Some((n, c.as_ref()?)))
    }

    fn known(&self) -> Option<(&Object, &Cluster)> {
        let o = self.object.as_ref()?;
        Some((o, self.clusters[usize::from(o.status.known?.id)].as_ref()?))
    }

    fn one(&self) -> bool {
        (0..2).all(|uid| {
            let made = self.made[usize::from(uid)];
            let object = self.object.filter(|o| o.uid == uid);
            let word = object.map_or(made, |o| o.forgotten);
            let its = |(n, c): &(u8, &Cluster)| {
                c.uid == uid
                    || object
                        .is_some_and(|o| o.marks(c) || o.status.known.is_some_and(|known| known.id == *n && !c.kept))
            };
            self.clusters().filter(its).count() <= 1 && made <= 1 + word
        })
    }

    fn orphaned(&self, n: u8, c: &Cluster) -> bool {
        let its = |o: Object| o.marks(c) || o.status.known.is_some_and(|known| known.id == n);
        c.uid < 2 && !c.kept && !self.left && !self.object.is_some_and(its)
    }
}

pub(super) fn all() -> Vec<Property<Sim>> {
    vec![
        Property::always(ONE, |_, w: &World| w.one()),
        Property::always(ORPHAN, |_, w: &World| w.clusters().all(|(n, c)| !w.orphaned(n, c))),
        Property::always(PROTECTED, |_, w: &World| w.wrong.is_none_or(|wrong| !wrong.contains("protection"))),
        Property::always(RIGHT, |_, w: &World| w.wrong.is_none()),
        Property::always(CALM, |sim, w: &World| !sim.calm || sim.calms(*w)),
        Property::sometimes(RUNS, |_, w: &World| w.known().is_some_and(|(_, c)| c.state == State::Running)),
        Property::sometimes(LATE, |_, w: &World| {
            let waits = |worker: &Worker| match worker.at {
                At::Idle => false,
                At::Pass(pass) => pass.sent.is_some(),
                At::Waiting { .. } => true,
            };
            w.object.is_some_and(|o| o.open().is_some()) && w.made[0] > 0 && !w.workers.iter().any(waits)
        }),
        Property::sometimes(AGAIN, |_, w: &World| w.wire.iter().flatten().any(|post| post.attempt == 2)),
        Property::sometimes(TWICE, |_, w: &World| {
            let made = |post: &Post| w.clusters().any(|(_, c)| (c.uid, c.attempt) == (post.uid, post.attempt));
            w.wire.iter().flatten().any(|post| post.twin && made(post))
        }),
        Property::sometimes(RELEASED, |_, w: &World| w.object.is_none() && w.made[0] == 1 && w.clusters[0].is_none()),
        Property::sometimes(WAITS, |_, w: &World| {
            w.known().is_some_and(|(o, c)| o.deleting && o.guard == Some(true) && c.guarded)
        }),
        Property::sometimes(KEPT, |_, w: &World| w.object.is_none() && w.clusters().any(|(_, c)| c.kept)),
        Property::sometimes(ANEW, |_, w: &World| w.known().is_some_and(|(o, _)| o.forgotten > 0)),
        Property::sometimes(RIVAL, |_, w: &World| {
            w.object.is_some_and(|o| o.finalizer && w.clusters().any(|(_, c)| c.shown && c.uid < 2 && !o.marks(c)))
        }),
        Property::sometimes(RESTORED, |_, w: &World| w.known().is_some_and(|(o, c)| (o.uid, c.uid) == (1, 0))),
        Property::sometimes(HIDDEN, |_, w: &World| w.known().is_some() && w.keys == Keys::Narrow),
        Property::sometimes(TAKEN, |sim, w: &World| {
            let first = |o: &Object| o.status.known.is_some_and(|known| known.id == 0);
            sim.begins != Begins::New && w.known().is_some_and(|(o, c)| first(o) && (o.uid, c.uid) == (1, 1))
        }),
        Property::sometimes(MARKED, |sim, w: &World| {
            let carries =
                |(o, c): (&Object, &Cluster)| o.status.known.is_some_and(|k| k.id == 0) && c.uid == o.uid && c.marked;
            sim.stranger.is_some() && w.known().is_some_and(carries)
        }),
        Property::sometimes(OTHERS, |_, w: &World| w.known().is_some_and(|(_, c)| c.mark == Some(given::ELSEWHERE))),
        Property::sometimes(STRIPPED, |_, w: &World| {
            let seen = |o: &Object| o.status.known.is_some_and(|known| known.mark.is_some());
            w.known().is_some_and(|(o, c)| seen(o) && c.mark.is_none())
        }),
        Property::sometimes(UNDONE, |_, w: &World| {
            let often = w.asks[usize::from(given::FIELD)].times == 3;
            often
                && w.known()
                    .is_some_and(|(o, c)| o.status.asked[3].is_some_and(|wish| wish.times == 3) && c.value != o.spec)
        }),
        Property::sometimes(STRANGE, |_, w: &World| w.known().is_some_and(|(_, c)| c.place.account != w.account)),
    ]
}

impl Sim {
    /// Whatever has happened: if from now on nothing more does, one operator brings the object where it shall be, in
    /// passes of at most 16 steps, and then nothing is written or asked for any more.
    fn calms(&self, mut w: World) -> bool {
        for worker in &mut w.workers {
            worker.at = At::Idle;
        }
        w.wire = [None; 3];
        const ROUNDS: usize = 20;
        for round in 0..ROUNDS + 3 {
            for n in 0..CLUSTERS {
                w = self.next_state(&w, Do::Work(n)).unwrap_or(w);
            }
            let before = (w.object, w.clusters, w.made);
            w = self.next_state(&w, Do::Start(0)).unwrap_or(w);
            let mut steps = 0;
            while let Some(me) = (0..self.workers).find(|me| w.workers[usize::from(*me)].at != At::Idle) {
                steps += 1;
                w = match self.next_state(&w, Do::Go(me)) {
                    Some(next) if steps <= 16 => next,
                    // Only a third attempt is beyond the model.
                    None if w.object.is_some_and(|o| o.attempts() == ATTEMPTS) => return true,
                    _ => return false,
                };
                if let Some(copy) = w.wire.iter().position(Option::is_some) {
                    w = self.next_state(&w, Do::Deliver(copy)).unwrap_or(w);
                }
            }
            if round >= ROUNDS && before != (w.object, w.clusters, w.made) {
                return false;
            }
            w = self.next_state(&w, Do::Tick).unwrap_or(w);
        }
        w.object.is_none_or(|o| w.held(&o) || !o.deleting && o.status.known.is_some())
    }
}

impl World {
    /// Only a person can bring this one further, and the object says so.
    fn held(&self, o: &Object) -> bool {
        let place = o.status.known.map(|known| known.place).or(o.status.intent.map(|intent| intent.place));
        let guarded = self.known().is_some_and(|(_, c)| o.guard == Some(true) || c.guarded && c.upheld);
        let rival = self.clusters().any(|(_, c)| !o.marks(c) && c.place.account == self.account);
        let alien = self.known().is_some_and(|(_, c)| c.mark.is_none_or(|mark| mark / ATTEMPTS != o.uid));
        o.mode == Mode::Paused
            || place.is_some_and(|place| place.account != self.account)
            || o.deleting && (guarded || alien)
            || o.status.known.is_none() && rival
    }
}
