//! What the world does with what is sent to it, and how it ages. Knows nothing of `decide`.

use super::*;

impl Object {
    pub(super) fn new(uid: u8) -> Object {
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

    pub(super) fn goal(&self) -> Goal {
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
    pub(super) fn visible(&self, lag: Tick) -> bool {
        self.born + lag <= 0
    }
}

impl Worker {
    /// By this two operators are ordered, so that a state and its mirror image count once.
    pub(super) fn rank(&self) -> impl Ord {
        let pass = match self.at {
            Place::Idle => (0, None),
            Place::Waiting { attempt, .. } => (attempt, None),
            Place::Pass(pass) => {
                (ATTEMPTS + 1, Some((pass.token, pass.stale, pass.list, pass.sent, pass.object.map(|o| o.attempts))))
            }
        };
        (pass, self.memo)
    }
}

impl Pass {
    pub(super) fn new(uid: u8, account: u8) -> Pass {
        Pass {
            uid,
            account,
            token: false,
            object: None,
            stale: false,
            list: None,
            cluster: None,
            sent: None,
            acted: None,
        }
    }
}

impl World {
    /// Put the two operators in each other's place; nothing else tells them apart.
    pub(super) fn mirror(&mut self) {
        self.workers.reverse();
        let passes = self.workers.iter_mut().filter_map(|worker| match &mut worker.at {
            Place::Pass(pass) => pass.object.as_mut(),
            Place::Idle | Place::Waiting { .. } => None,
        });
        for intent in passes.chain(&mut self.object).filter_map(|o| o.intent.as_mut()) {
            intent.sealer = 1 - intent.sealer;
        }
        for post in self.wire.iter_mut().flatten() {
            post.waiter = post.waiter.map(|waiter| 1 - waiter);
        }
    }

    /// A write to the object: whoever read it before is stale.
    pub(super) fn write(&mut self, change: impl FnOnce(&mut Object)) -> bool {
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
    pub(super) fn execute(&mut self, post: Post, sim: &Sim) -> Answer {
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

    pub(super) fn answer(&mut self, waiter: Option<u8>, sent: Answer) {
        let Some(me) = waiter else { return };
        let at = &mut self.workers[usize::from(me)].at;
        if let Place::Waiting { uid, account, attempt } = *at {
            *at = Place::Pass(Pass { sent: Some((attempt, sent)), ..Pass::new(uid, account) });
        }
    }

    pub(super) fn tick(&mut self, sim: &Sim) {
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
            if let Some((_, list)) = &mut worker.shared {
                list.began -= 1;
            }
            worker.shared = worker.shared.filter(|(_, list)| list.began >= -sim.sleep);
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

    /// Nobody waits for that answer any more.
    pub(super) fn abandon(&mut self, me: u8) {
        for post in self.wire.iter_mut().flatten() {
            post.waiter = post.waiter.filter(|waiter| *waiter != me);
        }
    }
}
