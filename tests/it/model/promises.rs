//! What must hold in every state, and what must be reached in some, or the model would be too tame.

use super::*;

pub(super) const CALM: &str = "comes to rest";
pub(super) const ONE: &str = "one cluster";
pub(super) const ORPHAN: &str = "no orphan";
pub(super) const PROTECTED: &str = "protection holds";
pub(super) const RUNS: &str = "runs";
pub(super) const AGAIN: &str = "a second attempt is sent";
pub(super) const RELEASED: &str = "deleted and released";

/// What must hold in every state.
pub(super) const ALWAYS: [&str; 4] = [ONE, ORPHAN, PROTECTED, CALM];

pub(super) fn all() -> Vec<Property<Sim>> {
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
        Property::always(CALM, |sim, w: &World| !sim.calm || sim.calms(*w)),
        Property::sometimes(RUNS, |_, w: &World| {
            let runs = |known: Recorded| w.clusters[usize::from(known.id)].is_some_and(|c| c.state == State::Running);
            w.object.and_then(|o| o.known).is_some_and(runs)
        }),
        Property::sometimes(AGAIN, |_, w: &World| w.wire.iter().flatten().any(|post| post.attempt == 2)),
        Property::sometimes(RELEASED, |_, w: &World| w.object.is_none() && w.made[0] == 1 && w.clusters[0].is_none()),
    ]
}

impl Sim {
    /// Whatever has happened: if from now on nothing more does, one operator brings the object where it shall be, in
    /// passes of at most 16 steps.
    fn calms(&self, mut w: World) -> bool {
        for worker in &mut w.workers {
            worker.at = Place::Idle;
        }
        w.wire = [None; 3];
        for _ in 0..30 {
            for n in 0..CLUSTERS {
                w = self.next_state(&w, Do::Work(n)).unwrap_or(w);
            }
            w = self.next_state(&w, Do::Start(0)).unwrap_or(w);
            let mut steps = 0;
            while let Place::Pass(_) = w.workers[0].at {
                steps += 1;
                w = match self.next_state(&w, Do::Go(0)) {
                    Some(next) if steps <= 16 => next,
                    // Only a third attempt is beyond the model.
                    None if w.object.is_some_and(|o| o.attempts == ATTEMPTS) => return true,
                    _ => return false,
                };
                if let Some(copy) = w.wire.iter().position(Option::is_some) {
                    w = self.next_state(&w, Do::Deliver(copy)).unwrap_or(w);
                }
            }
            w = self.next_state(&w, Do::Tick).unwrap_or(w);
        }
        w.object.is_none_or(|o| !o.deleting && o.known.is_some() && o.intent.is_none())
    }
}
