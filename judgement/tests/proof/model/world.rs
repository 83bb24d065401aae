//! What the world does with what is sent to it, and how it ages. Knows nothing of `decide`.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;

/// So long ago that nothing depends on it.
const FAR: Tick = -100;

impl Object {
    pub(super) fn new(uid: u8) -> Object {
        Object {
            uid,
            deleting: false,
            finalizer: false,
            wiped: false,
            mode: Mode::Plain,
            guard: None,
            spec: 0,
            region: 0,
            adopt: None,
            confirmed: None,
            recreate: None,
            take_over: None,
            status: NO_STATUS,
            forgotten: 0,
        }
    }

    /// Its first attempt made a cluster that is recorded and was seen.
    fn begun(self) -> Object {
        let place = Place { account: 0, region: 0 };
        let outcome = Outcome::Made { at: FAR };
        let intent = Sealed { attempt: 1, nonce: 0, date: FAR, place, sealer: 0, spec: 0, guarded: false, outcome };
        let known = Recorded { id: 0, place, adopted: false, met: true, mark: Some(0) };
        let status = Status { intent: Some(intent), known: Some(known), ..NO_STATUS };
        Object { finalizer: true, status, ..self }
    }

    pub(super) fn goal(&self) -> Goal {
        match (self.mode, self.deleting) {
            (Mode::Paused, _) | (Mode::Observed, true) => Goal::Pause,
            (Mode::Observed, false) => Goal::Observe,
            (Mode::Retain, true) => Goal::Release,
            (Mode::Plain, true) => Goal::Destroy,
            (Mode::Plain | Mode::Retain, false) => Goal::Manage,
        }
    }

    /// Whether a cluster is of this object's making, as far as its status tells of an earlier uid.
    pub(super) fn marks(&self, c: &Cluster) -> bool {
        let inherited = |intent: Sealed| c.uid < 2 && given::nonce(c.uid, c.attempt) == intent.nonce;
        c.uid == self.uid || self.status.intent.is_some_and(inherited)
    }

    /// The region whose list is meant: where its cluster is, or its request was sent, or would be.
    pub(super) fn listed_region(&self) -> u8 {
        let pinned = self.status.known.map(|known| known.place).or(self.open().map(|open| open.place));
        pinned.map_or(self.region, |place| place.region)
    }

    /// An attempt has ended without a cluster.
    pub(super) fn ended(&self) -> bool {
        let over = |outcome| !matches!(outcome, Outcome::Open | Outcome::Made { .. });
        self.status.intent.is_some_and(|intent| over(intent.outcome))
    }

    pub(super) fn close(&mut self, outcome: Outcome) {
        if let Some(intent) = &mut self.status.intent {
            // Where it was sent counts where a copy may have fared otherwise.
            let refused = matches!(outcome, Outcome::Refused { .. });
            let place = if refused { intent.place } else { Place { account: 0, region: 0 } };
            *intent = Sealed { outcome, place, guarded: false, date: FAR, sealer: 0, ..*intent };
        }
    }

    /// What nothing depends on any more is the same for all.
    pub(super) fn forget_dates(&mut self, sim: &Sim) {
        let (Some(intent), Some(known)) = (&mut self.status.intent, self.status.known) else { return };
        let Outcome::Made { at } = &mut intent.outcome else { return };
        (intent.place, intent.guarded, intent.sealer) = (Place { account: 0, region: 0 }, false, 0);
        if known.met || time(intent.date) + sim.rules.believable() < time(-SKEW) {
            intent.date = FAR;
        }
        if known.mark.is_some() || *at + sim.copies() < -SKEW {
            *at = FAR;
        }
    }

    fn age(&mut self, sim: &Sim) {
        if let Some(intent) = &mut self.status.intent {
            older(&mut intent.date, sim.oldest());
            match &mut intent.outcome {
                Outcome::Refused { at, .. } => older(at, sim.slept(sim.copies())),
                Outcome::Made { at } => older(at, FAR),
                Outcome::Open | Outcome::Absent | Outcome::Unsent => {}
            }
        }
        for wish in self.status.asked.iter_mut().flatten() {
            older(&mut wish.at, tick(time(-SKEW) - sim.rules.listed.max(sim.rules.slow)));
        }
        self.forget_dates(sim);
    }
}

fn older(tick: &mut Tick, oldest: Tick) {
    if *tick > oldest {
        *tick -= 1;
    }
}

impl Listed {
    fn age(&mut self, sim: &Sim) {
        self.began -= 1;
        for item in self.items.iter_mut().flatten().filter(|_| sim.can(May::Late)) {
            older(&mut item.born, sim.slept(sim.copies()));
        }
    }
}

impl Worker {
    /// By this operators are ordered, so that states which differ only in who is who count once.
    fn rank(&self, me: u8) -> u64 {
        let mut rank = DefaultHasher::new();
        let mut blank = *self;
        if let At::Pass(pass) = &mut blank.at {
            let open = |o: Object| o.open().is_some_and(|open| open.sealer == me);
            (pass.object.map(open), pass.object.map(|o| o.attempts())).hash(&mut rank);
            pass.object = None;
        }
        blank.hash(&mut rank);
        rank.finish()
    }
}

impl Worker {
    fn tick(&mut self, sim: &Sim) {
        match &mut self.memo {
            Some(Kept::Absent { began: at, .. } | Kept::Gone { at, .. }) => older(at, sim.slept(APART)),
            Some(Kept::Taken(_)) | None => {}
        }
        self.shared.iter_mut().for_each(|list| list.age(sim));
        self.shared = self.shared.filter(|list| list.began >= -sim.sleep);
        let At::Pass(pass) = &mut self.at else { return };
        pass.object.iter_mut().for_each(|o| o.age(sim));
        pass.list.iter_mut().chain(&mut pass.elsewhere).for_each(|list| list.age(sim));
        // Later than it may be sent by any clock is late.
        pass.call.iter_mut().for_each(|call| older(&mut call.not_after, -SKEW - 1));
        pass.cluster.iter_mut().flatten().for_each(|detail| older(&mut detail.read, -2 * SKEW - 1));
    }
}

impl Cluster {
    fn new(place: Place) -> Cluster {
        Cluster {
            uid: 0,
            attempt: 0,
            mark: None,
            marked: false,
            place,
            born: 0,
            shown: false,
            tagged: false,
            state: State::Making,
            guarded: false,
            upheld: false,
            value: 0,
            kept: false,
        }
    }
}

impl Pass {
    pub(super) fn new(uid: u8, account: u8, keys: Keys, skew: Tick) -> Pass {
        Pass {
            uid,
            account,
            keys,
            skew,
            token: false,
            object: None,
            stale: false,
            list: None,
            elsewhere: None,
            cluster: None,
            fresh: false,
            sent: None,
            acted: [None; 4],
            call: None,
        }
    }
}

impl World {
    pub(super) fn new(sim: &Sim) -> World {
        let stranger = |mark| Cluster {
            uid: 2,
            mark,
            shown: true,
            tagged: true,
            born: -sim.lag,
            state: State::Running,
            value: 1,
            ..Cluster::new(Place { account: 0, region: 0 })
        };
        let kept = matches!(sim.begins, Begins::Restored | Begins::Kept);
        let state = if sim.begins == Begins::Failed { State::Failed } else { State::Running };
        let (mark, marked) = (Some(0), true);
        let own = Cluster { mark, marked, uid: 0, attempt: 1, value: 0, kept, state, ..stranger(None) };
        let first = sim.stranger.map(stranger).or((sim.begins != Begins::New).then_some(own));
        let adopt = sim.adopt.then_some(0);
        let object = match sim.begins {
            Begins::New => Object { adopt, ..Object::new(0) },
            Begins::Running | Begins::Failed => Object::new(0).begun(),
            Begins::Restored => Object { finalizer: false, wiped: true, ..Object::new(1).begun() },
            Begins::Kept => Object::new(1),
        };
        let made = u8::from(sim.begins != Begins::New);
        World {
            object: Some(object),
            past: None,
            copy: None,
            clusters: [first, None, None],
            ids: u8::from(first.is_some()),
            made: [made, 0],
            sealed: [made, u8::from(sim.begins == Begins::Restored)],
            nonces: [FORGOTTEN; 4],
            wire: [None; 3],
            workers: [IDLE; WORKERS],
            account: 0,
            keys: Keys::Whole,
            published: false,
            rival: None,
            left: false,
            slipped: false,
            missed: false,
            allowed: [calls::LONG_AGO; 5],
            asks: [calls::NOT_ASKED; 4],
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
        let open = |intent: &&mut Sealed| intent.outcome == Outcome::Open;
        for intent in objects.filter_map(|o| o.status.intent.as_mut()).filter(open) {
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
            && self.clusters.iter().flatten().all(|c| c.shown && c.tagged)
            && self.workers.iter().all(|worker| worker.at == At::Idle)
    }

    /// The gateway gets a copy: a cluster, or nothing that is known.
    pub(super) fn execute(&mut self, post: Post, sim: &Sim) -> Answer {
        let nonce = given::nonce(post.uid, post.attempt);
        let seen = &mut self.nonces[usize::from(nonce)];
        let next = usize::from(self.ids);
        if !sim.in_window(post.date) || *seen != FORGOTTEN || next == CLUSTERS {
            return Answer::Unknown;
        }
        *seen = 0;
        self.made[usize::from(post.uid)] += 1;
        self.ids += 1;
        self.clusters[next] = Some(Cluster {
            uid: post.uid,
            attempt: post.attempt,
            mark: Some(nonce),
            marked: true,
            shown: sim.lag == 0,
            tagged: sim.lag == 0,
            guarded: post.guarded,
            value: post.value,
            ..Cluster::new(post.place)
        });
        Answer::Created(next as u8)
    }

    pub(super) fn answer(&mut self, waiter: Option<u8>, sent: Answer) {
        let Some(me) = waiter else { return };
        let keys = self.keys;
        let at = &mut self.workers[usize::from(me)].at;
        if let At::Waiting { uid, account, skew, attempt } = *at {
            *at = At::Pass(Pass { sent: Some((attempt, sent)), ..Pass::new(uid, account, keys, skew) });
        }
    }

    pub(super) fn tick(&mut self, sim: &Sim) {
        for o in [&mut self.object, &mut self.past, &mut self.copy].into_iter().flatten() {
            o.age(sim);
        }
        for worker in &mut self.workers {
            worker.tick(sim);
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
            older(&mut c.born, if sim.can(May::Late) { sim.slept(sim.copies()) } else { -sim.lag });
            c.shown |= c.born + sim.lag <= 0;
            c.tagged |= c.born + sim.lag + if sim.can(May::Late) { SKEW } else { 0 } <= 0;
        }
        for seen in &mut self.nonces {
            *seen = if *seen <= -WINDOW - SKEW { FORGOTTEN } else { *seen - 1 };
        }
        for asks in self.asks.iter_mut().filter(|asks| asks.times > 0 || asks.refused) {
            older(&mut asks.last, -LISTED - SKEW);
        }
        // A mark that is put on late is refused by whoever is about to put it.
        self.rival = self.rival.filter(|read| *read > -SKEW).map(|read| read - 1);
    }

    /// Nobody waits for that answer any more.
    pub(super) fn abandon(&mut self, me: u8) {
        for post in self.wire.iter_mut().flatten() {
            post.waiter = post.waiter.filter(|waiter| *waiter != me);
        }
    }
}
