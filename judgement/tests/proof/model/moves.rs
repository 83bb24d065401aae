//! What may happen next, and what comes of it. As hostile as the design says the world may be, and never more: each
//! thing that no operator could survive is left out with its reason.

use ack_judgement::decide::Step;

use super::*;

impl Sim {
    /// What may happen next.
    pub(super) fn moves(&self, w: &World, out: &mut Vec<Do>) {
        let mut awake = true;
        for me in 0..self.workers {
            let worker = &w.workers[usize::from(me)];
            match &worker.at {
                At::Idle => self.starts(w, me, out),
                At::Pass(pass) => {
                    out.push(Do::Go(me));
                    if pass.call.is_some() {
                        out.extend(self.calls().map(|how| Do::Call(me, how)));
                    } else if pass.object.is_some() {
                        out.extend(self.faults(w).map(|fault| Do::Look(me, fault)));
                    } else if pass.sent.is_some_and(|(_, sent)| sent != Answer::Unknown) {
                        out.push(Do::Timeout(me));
                    }
                    awake &= pass.list.is_none_or(|list| list.began > -self.sleep);
                    awake &= pass.elsewhere.is_none_or(|list| list.began > -self.sleep);
                }
                At::Waiting { .. } => out.push(Do::Timeout(me)),
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
            if self.can(May::Mislead) && post.fading.is_none() && !post.twin && w.clusters[0].is_some() {
                out.push(Do::Mislead(copy));
            }
            if self.can(May::Refuse) && post.fading.is_none() {
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
            if self.can(May::Early) && !c.shown || self.can(May::Late) && !c.tagged {
                out.push(Do::Appear(n));
            }
            if self.can(May::Fail) && c.state == State::Making {
                out.push(Do::Fail(n));
            }
            // Only once it is recorded: a cluster that goes before it was seen was never there for anybody.
            let known = w.object.and_then(|o| o.status.known);
            let recorded = known.is_some_and(|known| usize::from(known.id) == n);
            if self.can(May::Vanish) && recorded && c.state == State::Running {
                out.push(Do::Vanish(n));
            }
            if self.can(May::Protect) && c.state == State::Running && !c.guarded {
                out.push(Do::Raise(n));
            }
            // Nobody survives tags that are gone before the cluster was recorded.
            if self.can(May::Strip) && recorded && c.mark.is_some() {
                out.push(Do::Strip(n));
            }
            if self.can(May::Undo) && recorded && w.object.is_some_and(|o| c.value == o.spec) {
                out.push(Do::Undo(n));
            }
        }
        self.credentials(w, out);
        if self.can(May::Rival) {
            match w.rival {
                Some(_) => out.push(Do::RivalMarks),
                None if w.clusters[0].is_some_and(|c| c.mark.is_none()) => out.push(Do::RivalReads),
                None => {}
            }
        }
        match &w.object {
            Some(o) => self.words(w, o, out),
            None => {
                if self.can(May::Renew) && w.made[1] == 0 && w.sealed[1] == 0 {
                    out.push(Do::Renew);
                }
                // Once: the model has two uids.
                let first = w.copy.is_some_and(|copy| copy.uid == 0) && w.made[1] == 0 && w.sealed[1] == 0;
                if first && w.settled() {
                    out.push(Do::Restore);
                }
            }
        }
    }

    /// How a call may go.
    fn calls(&self) -> impl Iterator<Item = How> {
        [(How::Void, May::Void), (How::Lost, May::Lossy), (How::Dropped, May::Lossy), (How::Refused, May::Deny)]
            .into_iter()
            .filter_map(|(how, may)| self.can(may).then_some(how))
    }

    /// Whose credentials the Secret holds, and what they see.
    fn credentials(&self, w: &World, out: &mut Vec<Do>) {
        if self.can(May::Swap) {
            out.push(Do::Swap);
        }
        if self.can(May::Keyless) {
            out.push(Do::Keyless);
        }
        if self.can(May::Narrow) {
            out.push(Do::Keys(if w.keys == Keys::Whole { Keys::Narrow } else { Keys::Whole }));
        }
        // What is made under a false account is where nobody looks; an account is not believed unproven.
        let idle = w.workers.iter().all(|worker| worker.at == At::Idle);
        if self.can(May::Lie) && idle && w.object.is_some_and(|o| o.status.known.is_some()) {
            out.push(Do::Keys(if w.keys == Keys::Whole { Keys::False } else { Keys::Whole }));
        }
    }

    fn starts(&self, w: &World, me: u8, out: &mut Vec<Do>) {
        if w.object.is_none() {
            return;
        }
        out.push(Do::Start(me));
        if self.can(May::Skew) {
            out.extend([-SKEW, SKEW].map(|ahead| Do::StartSkewed(me, ahead)));
        }
        if w.past.is_some() && w.past != w.object {
            out.push(Do::StartStale(me));
        }
    }

    /// How the answer to a look may be wrong.
    fn faults(&self, w: &World) -> impl Iterator<Item = Fault> {
        [
            (Fault::Trouble, self.can(May::Trouble)),
            (Fault::Torn, self.can(May::Tear)),
            (Fault::Filtered, self.can(May::Filter)),
            (Fault::Slipped, self.can(May::Slip) && !w.slipped),
            (Fault::Missed, self.can(May::Blind) || self.can(May::Miss) && !w.missed),
            (Fault::Mute, self.can(May::Mute)),
        ]
        .into_iter()
        .filter_map(|(fault, may)| may.then_some(fault))
    }

    /// What people may do to an object.
    fn words(&self, w: &World, o: &Object, out: &mut Vec<Do>) {
        // Deleted while somebody has wiped its finalizer it goes at once, and nobody can help it.
        if self.can(May::Delete) && !o.deleting && (o.finalizer || !o.wiped) {
            out.push(Do::Delete);
        }
        // Nobody survives a status lost between the seal and the list that shows what came of it.
        if self.can(May::Lose) && !o.deleting && w.settled() {
            out.push(Do::LoseStatus);
        }
        if self.can(May::Wipe) && !o.deleting {
            out.push(Do::Wipe);
        }
        if self.can(May::Restore) && !o.deleting {
            match w.copy {
                None => out.push(Do::Backup),
                // An attempt's end, restored over a later attempt and deleted at once, goes by that end's word.
                Some(copy) if copy.ended() && copy.attempts() < o.attempts() => {}
                Some(_) if w.settled() => out.push(Do::Restore),
                Some(_) => {}
            }
        }
        if self.can(May::Protect) {
            out.extend([true, false].into_iter().filter(|word| o.guard != Some(*word)).map(Do::Guard));
        }
        for (may, mode) in [(May::Pause, Mode::Paused), (May::Retain, Mode::Retain), (May::Observe, Mode::Observed)] {
            if self.can(may) {
                out.push(Do::Mode(if o.mode == mode { Mode::Plain } else { mode }));
            }
        }
        let here = o.status.known.and_then(|known| w.clusters[usize::from(known.id)]);
        // The spec is locked from the seal on, until the cluster has failed; some of it is free again once it runs.
        if self.can(May::Move) && o.open().is_none() && here.is_none_or(|c| c.state == State::Failed) {
            out.push(Do::Move);
        }
        if self.can(May::Edit) && o.open().is_none() {
            out.push(Do::Edit);
        }
        let refused = |intent: Sealed| {
            matches!(intent.outcome, Outcome::Refused { .. }) && intent.spec == o.spec || o.status.known.is_some()
        };
        if self.can(May::Correct) && o.status.intent.is_some_and(refused) {
            out.push(Do::Edit);
        }
        if self.can(May::Adopt) && o.adopt.is_none() && o.status.known.is_none() && w.clusters[0].is_some() {
            out.push(Do::Adopt);
        }
        if self.can(May::TakeOver) {
            let marks = w.clusters.iter().flatten().map(|c| c.mark.unwrap_or(o.mark()));
            out.extend(marks.filter(|mark| o.take_over != Some(*mark)).map(Do::TakeOver));
        }
        self.answers(w, o, out);
    }

    /// What people answer when they are asked.
    fn answers(&self, w: &World, o: &Object, out: &mut Vec<Do>) {
        let asked = |outcome| matches!(outcome, Outcome::Open | Outcome::Refused { .. });
        if let Some(intent) = o.status.intent.filter(|intent| o.status.known.is_none() && asked(intent.outcome)) {
            let attempt = w.clusters.iter().flatten().find(|c| c.uid == o.uid && c.attempt == intent.attempt);
            let alive = w.wire.iter().flatten().any(|post| post.uid == o.uid && post.attempt == intent.attempt)
                || w.workers.iter().any(|worker| matches!(worker.at, At::Pass(pass) if pass.token));
            // A person who looks when no copy lives any more, and sees that there is none.
            let right = intent.date < -WINDOW - SKEW && !alive && attempt.is_none();
            // One who is wrong is survived if the list will show the cluster by the time from which the word counts.
            let wrong = intent.outcome == Outcome::Open
                && !alive
                && attempt.is_some_and(|c| c.shown || c.born + self.lag <= intent.date + WINDOW + SKEW);
            if self.can(May::Confirm) && right || self.can(May::Wrong) && wrong {
                out.push(Do::Confirm);
            }
        }
        if self.can(May::Fail)
            && let Some(known) = o.status.known
        {
            out.push(Do::Recreate(known.id));
            if self.can(May::Wrong) {
                out.push(Do::Recreate((known.id + 1) % CLUSTERS as u8));
            }
        }
    }

    /// `None`: nothing comes of it.
    pub(super) fn make(&self, w: &mut World, action: Do) -> Option<()> {
        let start = |w: &mut World, me: u8, o: Object, skew, stale| {
            let pass = Pass { object: Some(o), stale, ..Pass::new(o.uid, w.account, w.keys, skew) };
            w.workers[usize::from(me)].at = At::Pass(pass);
        };
        match action {
            Do::Start(me) => start(w, me, w.object?, 0, false),
            Do::StartSkewed(me, skew) => start(w, me, w.object?, skew, false),
            Do::StartStale(me) => start(w, me, w.past?, 0, true),
            Do::Go(me) => {
                self.go(w, me)?;
                // Several operators rest as soon as they know that they will: it touches nobody else.
                if self.workers > 1 && matches!(self.judge(w, me), Some((.., Step::Rest(_)))) {
                    self.go(w, me)?;
                }
            }
            Do::Look(me, fault) => self.misled(w, me, fault)?,
            Do::Call(me, how) => self.call(w, me, how)?,
            Do::Crash(me) => {
                w.workers[usize::from(me)] = IDLE;
                w.abandon(me);
            }
            Do::Timeout(me) => {
                match &mut w.workers[usize::from(me)].at {
                    At::Pass(pass) => pass.sent = pass.sent.map(|(attempt, _)| (attempt, Answer::Unknown)),
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
                w.wire[copy] = twin.then_some(Post { waiter: None, twin: true, fading: Some(self.spread), ..post });
                w.answer(post.waiter, Answer::Refused(if momentary { self.moment } else { Class::User }));
            }
            Do::Mislead(copy) => {
                let post = w.wire[copy].take()?;
                w.answer(post.waiter, Answer::Created(0));
            }
            Do::Tick => w.tick(self),
            Do::Appear(n) => {
                let c = w.clusters[n].as_mut()?;
                (c.shown, c.tagged) = (true, !self.can(May::Late) || c.shown);
            }
            Do::Work(n) => {
                let c = w.clusters[n]?;
                w.clusters[n] = (c.state == State::Making).then_some(Cluster { state: State::Running, ..c });
            }
            Do::Fail(n) => w.clusters[n].as_mut()?.state = State::Failed,
            Do::Vanish(n) => w.clusters[n] = None,
            Do::Raise(n) => {
                let c = w.clusters[n].as_mut()?;
                (c.guarded, c.upheld) = (true, true);
            }
            // Who refuses may be forgotten where somebody else has fulfilled it since.
            Do::Strip(n) => {
                w.clusters[n].as_mut()?.mark = None;
                w.asks[usize::from(given::MARKS)].refused = false;
            }
            Do::Undo(n) => {
                w.clusters[n].as_mut()?.value ^= 1;
                w.asks[usize::from(given::FIELD)].refused = false;
            }
            Do::Swap => w.account = 1 - w.account,
            Do::Delete => {
                w.write(|o| o.deleting = true);
                w.object = w.object.filter(|o| o.finalizer);
            }
            Do::Guard(word) => {
                w.write(|o| o.guard = Some(word));
                w.clusters.iter_mut().flatten().for_each(|c| c.upheld = false);
            }
            Do::Edit => {
                w.write(|o| o.spec ^= 1);
                // What a person asks for anew is another request.
                w.asks[usize::from(given::FIELD)] = calls::NOT_ASKED;
            }
            Do::Move => {
                w.write(|o| o.region = 1 - o.region);
            }
            Do::Mode(mode) => {
                w.write(|o| o.mode = mode);
            }
            Do::Confirm => {
                w.write(|o| o.confirmed = o.status.intent.map(|intent| intent.nonce));
            }
            Do::Recreate(id) => {
                w.write(|o| o.recreate = Some(id));
            }
            Do::Keys(keys) => w.keys = keys,
            Do::Keyless => w.account = if w.account == given::NOBODY { 0 } else { given::NOBODY },
            Do::Adopt => {
                w.write(|o| o.adopt = Some(0));
            }
            Do::TakeOver(nonce) => {
                w.write(|o| o.take_over = Some(nonce));
            }
            Do::RivalReads => w.rival = Some(0),
            Do::RivalMarks => {
                let c = w.clusters[0].as_mut()?;
                (c.mark, c.tagged, c.uid) = (Some(given::ELSEWHERE), true, 2);
                w.rival = None;
            }
            Do::Renew => w.object = Some(Object::new(1)),
            Do::LoseStatus => {
                w.write(|o| o.status = NO_STATUS);
                w.sealed[usize::from(w.object?.uid)] = 0;
            }
            Do::Wipe => {
                w.write(|o| (o.finalizer, o.wiped, o.confirmed, o.recreate) = (false, true, None, None));
            }
            Do::Backup => w.copy = w.object,
            Do::Restore => self.restore(w)?,
        }
        Some(())
    }

    /// The backup is put back: over the object that is there, or as a new one that brings the old status with it.
    fn restore(&self, w: &mut World) -> Option<()> {
        let copy = w.copy.take()?;
        let copy = Object { wiped: !copy.finalizer, ..copy };
        match w.object {
            Some(_) => {
                w.write(|o| *o = Object { forgotten: o.forgotten, ..copy });
            }
            None => {
                w.object = Some(Object { uid: 1, ..copy });
            }
        }
        let o = w.object?;
        w.sealed[usize::from(o.uid)] = o.attempts();
        Some(())
    }
}
