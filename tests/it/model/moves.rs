//! What may happen next, and what comes of it. As hostile as the design says the world may be, and never more: each
//! thing that no operator could survive is left out with its reason.

use super::*;

impl Sim {
    /// What may happen next.
    pub(super) fn moves(&self, w: &World, out: &mut Vec<Do>) {
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
            if self.can(May::Crash) && *worker != IDLE {
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
                // Deleted without its finalizer it goes at once, and nobody can help it.
                if self.can(May::Delete)
                    && !o.deleting
                    && (o.finalizer || w.made[usize::from(o.uid)] == 0 && o.attempts == 0)
                {
                    out.push(Do::Delete);
                }
                // Nobody survives a status lost between the seal and the list that shows what came of it.
                if self.can(May::Lose) && !o.deleting {
                    let settled = w.wire.iter().all(Option::is_none)
                        && w.clusters.iter().flatten().all(|c| c.visible(self.lag))
                        && w.workers.iter().all(|worker| worker.at == Place::Idle);
                    if settled {
                        out.push(Do::LoseStatus);
                    }
                    out.push(Do::LoseFinalizer);
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

    /// `None`: nothing comes of it.
    pub(super) fn make(&self, w: &mut World, action: Do) -> Option<()> {
        match action {
            Do::Start(me) => {
                let o = w.object?;
                w.workers[usize::from(me)].at = Place::Pass(Pass { object: Some(o), ..Pass::new(o.uid, w.account) });
            }
            Do::Go(me) => {
                self.go(w, me)?;
                // Two operators rest as soon as they know that they will: it touches nobody else.
                if self.workers > 1 && matches!(self.judge(w, me), Some((_, _, Step::Rest(_)))) {
                    self.go(w, me)?;
                }
            }
            Do::Crash(me) => {
                w.workers[usize::from(me)] = IDLE;
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
            Do::LoseStatus => {
                w.write(|o| {
                    *o = Object { forgotten: o.forgotten, finalizer: o.finalizer, guard: o.guard, ..Object::new(o.uid) }
                });
            }
            Do::LoseFinalizer => {
                w.write(|o| o.finalizer = false);
            }
        }
        Some(())
    }
}
