//! What the world does with what is sent to it, and how it ages. Knows nothing of `decide`.

use super::*;

impl Object {
    pub(super) fn new(uid: u8) -> Object {
        Object {
            uid,
            deleting: false,
            finalizer: false,
            wiped: false,
            mode: Mode::Plain,
            guard: None,
            newer: true,
            region: 0,
            confirmed: None,
            recreate: None,
            attempts: 0,
            intent: None,
            last: None,
            known: None,
            forgotten: 0,
            inherited: None,
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

    /// The nonce of an attempt, as stored or as computed anew.
    pub(super) fn nonce(&self, attempt: u8) -> Nonce {
        let uid = if self.inherited == Some(attempt) { 0 } else { self.uid };
        NONCES[nonce(uid, attempt)].clone()
    }

    /// Whether a cluster carries one of this object's nonces.
    pub(super) fn marks(&self, c: &Cluster) -> bool {
        c.uid == self.uid || c.uid == 0 && self.inherited == Some(c.attempt)
    }

    /// The region in which its cluster is looked for, and whose request it is.
    pub(super) fn site_region(&self) -> u8 {
        let pinned = self.known.map(|known| known.place).or(self.intent.map(|intent| intent.place));
        pinned.map_or(self.region, |place| place.region)
    }

    fn age(&mut self, sim: &Sim) {
        if let Some(intent) = &mut self.intent {
            older(&mut intent.date, sim.oldest());
        }
        if let Some(Last::Refused { at, .. }) = &mut self.last {
            older(at, sim.slept(sim.copies()));
        }
        if let Some(known) = &mut self.known {
            older(&mut known.believe_after, -1 - SKEW);
        }
    }
}

fn older(tick: &mut Tick, oldest: Tick) {
    *tick = (*tick - 1).max(oldest);
}

impl Worker {
    /// By this operators are ordered, so that states which differ only in who is who count once.
    fn rank(&self, me: u8) -> impl Ord {
        let pass = match self.at {
            At::Idle => (0, None),
            At::Waiting { attempt, .. } => (attempt, None),
            At::Pass(pass) => {
                let read = pass.object.map(|o| (o.attempts, o.intent.is_some_and(|intent| intent.sealer == me)));
                (ATTEMPTS + 1, Some((pass.token, pass.stale, pass.skew, pass.list, pass.sent, read)))
            }
        };
        (pass, self.memo, self.shared)
    }
}

impl Pass {
    pub(super) fn new(uid: u8, account: u8, skew: Tick) -> Pass {
        Pass {
            uid,
            account,
            skew,
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
    pub(super) fn new() -> World {
        World {
            object: Some(Object::new(0)),
            past: None,
            copy: None,
            clusters: [None; CLUSTERS],
            made: [0; 2],
            sealed: [0; 2],
            nonces: [FORGOTTEN; 4],
            wire: [None; 3],
            workers: [IDLE; WORKERS],
            account: 0,
            slipped: false,
            missed: false,
            wrong: None,
        }
    }

    /// Put the operators in order; nothing else tells them apart.
    pub(super) fn order(&mut self, workers: usize) {
        let mut order = [0, 1, 2];
        order[..workers].sort_by_cached_key(|&me: &u8| self.workers[usize::from(me)].rank(me));
        if order == [0, 1, 2] {
            return;
        }
        self.workers = order.map(|me| self.workers[usize::from(me)]);
        let now = |was: u8| (0..).zip(order).find(|(_, me)| *me == was).map_or(was, |(at, _)| at);
        let passes = self.workers.iter_mut().filter_map(|worker| match &mut worker.at {
            At::Pass(pass) => pass.object.as_mut(),
            At::Idle | At::Waiting { .. } => None,
        });
        let objects = passes.chain(&mut self.object).chain(&mut self.past).chain(&mut self.copy);
        for intent in objects.filter_map(|o| o.intent.as_mut()) {
            intent.sealer = now(intent.sealer);
        }
        for post in self.wire.iter_mut().flatten() {
            post.waiter = post.waiter.map(now);
        }
    }

    /// A write to the object: whoever read it before is stale.
    pub(super) fn write(&mut self, change: impl FnOnce(&mut Object)) -> bool {
        let Some(o) = &mut self.object else { return false };
        let before = *o;
        change(o);
        self.past = self.past.and(Some(before));
        for worker in &mut self.workers {
            if let At::Pass(pass) = &mut worker.at {
                pass.stale |= pass.object.is_some();
            }
        }
        true
    }

    /// Nothing is under way, and the list shows what there is.
    pub(super) fn settled(&self) -> bool {
        self.wire.iter().all(Option::is_none)
            && self.clusters.iter().flatten().all(|c| c.shown)
            && self.workers.iter().all(|worker| worker.at == At::Idle)
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
            place: post.place,
            born: 0,
            shown: sim.lag == 0,
            state: State::Making,
            guarded: post.guarded,
            kept: false,
        });
        Answer::Created(next as u8)
    }

    pub(super) fn answer(&mut self, waiter: Option<u8>, sent: Answer) {
        let Some(me) = waiter else { return };
        let at = &mut self.workers[usize::from(me)].at;
        if let At::Waiting { uid, account, skew, attempt } = *at {
            *at = At::Pass(Pass { sent: Some((attempt, sent)), ..Pass::new(uid, account, skew) });
        }
    }

    pub(super) fn tick(&mut self, sim: &Sim) {
        for o in [&mut self.object, &mut self.past, &mut self.copy].into_iter().flatten() {
            o.age(sim);
        }
        for worker in &mut self.workers {
            match &mut worker.memo {
                Some(Kept::Absent { began: at, .. } | Kept::Gone { at, .. } | Kept::Asked { at, .. }) => {
                    older(at, sim.slept(APART));
                }
                None => {}
            }
            if let Some((_, list)) = &mut worker.shared {
                list.began -= 1;
            }
            worker.shared = worker.shared.filter(|(_, list)| list.began >= -sim.sleep);
            if let At::Pass(pass) = &mut worker.at {
                if let Some(o) = &mut pass.object {
                    o.age(sim);
                }
                if let Some(list) = &mut pass.list {
                    list.began -= 1;
                }
            }
        }
        for slot in &mut self.wire {
            let Some(post) = slot else { continue };
            older(&mut post.date, sim.oldest());
            let late = post.fading == Some(0) || !sim.in_window(post.date);
            post.fading = post.fading.map(|left| left - 1);
            if late {
                *slot = None;
            }
        }
        for c in self.clusters.iter_mut().flatten() {
            older(&mut c.born, -sim.lag);
            c.shown |= c.born + sim.lag <= 0;
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
