//! The shell around `decide` as the design has it: a look into the world, one guarded write or one call. Decides nothing.

use ack_judgement::decide::{Act, Ask, Evidence, Free, Look, Step, Verdict, decide};
use ack_judgement::sight;

use super::given::{self, NOBODY, PROTECTION, number, trouble};
use super::*;

impl Sim {
    /// What `decide` says to a pass that has its object.
    pub(super) fn judge(&self, w: &World, me: u8) -> Option<(Pass, Object, Evidence, Step)> {
        let At::Pass(pass) = w.workers[usize::from(me)].at else { return None };
        let o = pass.object?;
        let view = self.view(w, me, &pass, &o);
        let step = decide(&view, &self.rules);
        Some((pass, o, view.seen, step))
    }

    /// One step of a pass, as the shell does it.
    pub(super) fn go(&self, w: &mut World, me: u8) -> Option<()> {
        let Some((pass, o, seen, step)) = self.judge(w, me) else {
            let At::Pass(pass) = w.workers[usize::from(me)].at else { return None };
            if pass.call.is_some() {
                return self.call(w, me, How::Took);
            }
            let object = w.object.filter(|o| o.uid == pass.uid);
            let read = At::Pass(Pass { object, stale: false, ..pass });
            w.workers[usize::from(me)].at = if object.is_some() { read } else { At::Idle };
            return Some(());
        };
        match step {
            Step::Look(look) => self.look(w, me, (pass, o), look),
            Step::Rest(verdict) => {
                self.rest(w, me, (pass, o), verdict);
                Some(())
            }
            Step::Act(act) => self.act(w, me, (pass, o, seen), act),
        }
    }

    fn look(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), look: Look) -> Option<()> {
        let place = Place { account: pass.account, region: o.listed_region() };
        match look {
            Look::Listing { began_after } => {
                let list = self.fresh(w, me, &pass, place, tick(began_after));
                self.listed(w, me, Pass { list: Some(list), fresh: false, ..pass });
            }
            Look::Elsewhere { region, began_after } => {
                let place = Place { region: given::region(&region), ..place };
                let list = self.fresh(w, me, &pass, place, tick(began_after));
                self.listed(w, me, Pass { elsewhere: Some(list), fresh: false, ..pass });
            }
            Look::Cluster(_) if pass.keys == Keys::Narrow => {
                return self.troubled(w, me, (pass, o), &look, Class::Permission);
            }
            Look::Cluster(id) => {
                let detail = self.detail(w, &pass, place, number(&id));
                w.workers[usize::from(me)].at = At::Pass(Pass { cluster: Some(detail), fresh: true, ..pass });
            }
            look => panic!("answered beforehand: {look:?}"),
        }
        Some(())
    }

    /// The list that is shared, where it is late enough, else a new one.
    fn fresh(&self, w: &World, me: u8, pass: &Pass, place: Place, after: Tick) -> Listed {
        let shared = w.workers[usize::from(me)].shared;
        let same = |list: &Listed| list.place == place && list.keys == pass.keys && list.began >= after;
        shared.filter(same).unwrap_or_else(|| self.list(w, pass, place))
    }

    /// What a fresh list shows.
    pub(super) fn list(&self, w: &World, pass: &Pass, place: Place) -> Listed {
        let item = |c: &Cluster| Item {
            going: c.state == State::Deleting,
            mark: c.mark.filter(|_| c.tagged),
            born: if self.can(May::Late) { c.born } else { 0 },
        };
        let there = |c: &Cluster| c.place == place && c.shown && pass.keys == Keys::Whole;
        let items = w.clusters.map(|c| c.filter(there).as_ref().map(item));
        Listed { place, began: 0, whole: true, keys: pass.keys, items }
    }

    fn detail(&self, w: &World, pass: &Pass, place: Place, id: u8) -> Option<Detail> {
        let c = w.clusters[usize::from(id)].filter(|c| c.place == place && c.shown && pass.keys == Keys::Whole)?;
        let mark = c.mark.filter(|_| c.tagged);
        Some(Detail { state: c.state, guarded: Some(c.guarded), mark, value: c.value, read: 0 })
    }

    fn listed(&self, w: &mut World, me: u8, pass: Pass) {
        let worker = &mut w.workers[usize::from(me)];
        worker.at = At::Pass(pass);
        // A torn list is not kept.
        worker.shared = pass.elsewhere.or(pass.list).filter(|list| self.can(May::Share) && list.whole);
    }

    /// The next step is a look, and something is wrong with its answer. `None`: nothing comes of it.
    pub(super) fn misled(&self, w: &mut World, me: u8, fault: Fault) -> Option<()> {
        let (pass, o, _, step) = self.judge(w, me)?;
        let Step::Look(look) = step else { return None };
        let place = Place { account: pass.account, region: o.listed_region() };
        match (look, fault) {
            (look @ Look::Cluster(_), Fault::Trouble) => {
                self.troubled(w, me, (pass, o), &look, Class::NotFound)?;
            }
            (look, Fault::Trouble) => self.troubled(w, me, (pass, o), &look, Class::Throttled)?,
            (Look::Listing { .. }, Fault::Torn | Fault::Filtered | Fault::Slipped) => {
                w.slipped |= fault == Fault::Slipped;
                let list = Listed {
                    whole: fault != Fault::Torn,
                    keys: if fault == Fault::Filtered { Keys::False } else { pass.keys },
                    items: [None; CLUSTERS],
                    ..self.list(w, &pass, place)
                };
                self.listed(w, me, Pass { list: Some(list), fresh: false, ..pass });
            }
            (Look::Cluster(id), Fault::Missed | Fault::Mute) => {
                let seen = self.detail(w, &pass, place, number(&id))?;
                w.missed |= fault == Fault::Missed && !self.can(May::Blind);
                let cluster = Some((fault == Fault::Mute).then_some(Detail { guarded: None, ..seen }));
                w.workers[usize::from(me)].at = At::Pass(Pass { cluster, fresh: true, ..pass });
            }
            _ => return None,
        }
        Some(())
    }

    /// That look is answered with trouble.
    fn troubled(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), look: &Look, class: Class) -> Option<()> {
        let mut view = self.view(w, me, &pass, &o);
        match look {
            Look::Cluster(_) => view.seen.cluster = Some(Err(trouble(class))),
            Look::Elsewhere { .. } => view.seen.elsewhere = Some(Err(trouble(class))),
            _ => view.seen.listing = Some(Err(trouble(class))),
        }
        match decide(&view, &self.rules) {
            Step::Rest(verdict) => self.rest(w, me, (pass, o), verdict),
            Step::Act(act) => self.act(w, me, (pass, o, view.seen), act)?,
            Step::Look(_) => return None,
        }
        Some(())
    }

    fn rest(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), verdict: Verdict) {
        let worker = &mut w.workers[usize::from(me)];
        worker.memo = verdict.memo.map(given::kept);
        worker.at = At::Idle;
        let mut told = learnt(&pass, o);
        told.forget_dates(self);
        for end in &verdict.ends {
            let (key, end) = given::ended(end);
            let wish = &mut told.status.asked[key];
            *wish = end.and(wish.map(|wish| Wish { end, ..wish }));
        }
        if told != o && !pass.stale {
            w.write(|o| o.status = told.status);
        }
    }

    /// One guarded write or one call. `None`: beyond what the model looks at.
    fn act(&self, w: &mut World, me: u8, (pass, o, seen): (Pass, Object, Evidence), act: Act) -> Option<()> {
        let mut next = after(pass, seen);
        w.workers[usize::from(me)].at = At::Idle;
        let current = w.object.is_some_and(|o| o.uid == pass.uid) && !pass.stale;
        let spent = matches!(act, Act::Send { .. } | Act::Close(_));
        let seals = matches!(act, Act::Seal { .. });
        let landed = match act {
            Act::AddFinalizer => current && w.write(|o| (o.finalizer, o.wiped) = (true, false)),
            Act::Seal { attempt } if attempt > ATTEMPTS.into() => return None,
            Act::Seal { attempt } => self.seal(w, me, &pass, attempt as u8, current),
            Act::Send { not_after } => {
                let intent = o.open()?;
                if not_after < time(pass.skew) {
                    next.sent = Some((intent.attempt, Answer::Refused(Class::Throttled)));
                } else {
                    self.send(w, me, &pass, &o, intent)?;
                    return Some(());
                }
                true
            }
            // Guarded by the uid and by "no other id is stored", and repeated until it is.
            Act::Record { id, site, adopted } => {
                let there = w.object.filter(|o| o.uid == pass.uid);
                let free = there.filter(|o| o.status.known.is_none());
                if let Some(o) = free {
                    self.record(w, &o, &pass, number(&id), given::place(&site), adopted);
                }
                there.is_some()
            }
            Act::Close(how) => current && w.write(|o| o.close(given::closed(&how))),
            Act::Ask(ask) => {
                next.call = self.ask(w, &pass, &o, ask, current);
                current
            }
            Act::Forget(old) => {
                if o.recreate != Some(number(&old)) {
                    w.wrong = Some("a cluster is forgotten unasked");
                }
                w.published &= !current;
                current
                    && w.write(|o| {
                        if o.status.known.is_some_and(|known| known.id == number(&old)) {
                            (o.status.known, o.forgotten) = (None, o.forgotten + 1);
                            o.status.asked = [None; 4];
                            o.status.flag = None;
                        }
                    })
            }
            Act::Publish(id) => {
                let c = w.clusters[usize::from(number(&id))];
                if c.is_some_and(|c| !c.marked || self.claimed) {
                    w.wrong = Some("the kubeconfig of another's cluster is published");
                }
                w.published = true;
                true
            }
            Act::Release(free) => {
                if current {
                    w.release(free);
                }
                current
            }
        };
        // After a conflict too the object is read afresh and judged anew.
        next.token = if seals { landed } else { pass.token && !(landed && spent) };
        if next.call.is_some() || w.object.is_some_and(|o| o.uid == pass.uid) {
            w.workers[usize::from(me)].at = At::Pass(next);
        }
        Some(())
    }

    fn seal(&self, w: &mut World, me: u8, pass: &Pass, attempt: u8, current: bool) -> bool {
        let date = pass.skew - SKEW;
        let account = if pass.account == NOBODY { 0 } else { pass.account };
        let seal = |o: &mut Object| {
            let nonce = given::nonce(o.uid, attempt);
            let (place, spec) = (Place { account, region: o.region }, o.spec);
            let (guarded, outcome) = (o.guard == Some(true), Outcome::Open);
            o.status.intent = Some(Sealed { attempt, nonce, date, place, sealer: me, spec, guarded, outcome });
            o.status.flag = sight::sealed(o.guard);
        };
        let landed = current && w.write(seal);
        let sealed = &mut w.sealed[usize::from(pass.uid)];
        if landed && *sealed >= attempt {
            w.wrong = Some("an attempt number is used twice");
        } else if landed {
            *sealed = attempt;
        }
        landed
    }

    fn send(&self, w: &mut World, me: u8, pass: &Pass, o: &Object, intent: Sealed) -> Option<()> {
        *w.wire.iter_mut().find(|post| post.is_none())? = Some(Post {
            uid: o.uid,
            attempt: intent.attempt,
            date: intent.date,
            place: intent.place,
            guarded: intent.guarded,
            value: intent.spec,
            waiter: Some(me),
            twin: false,
            fading: None,
        });
        let Pass { uid, account, skew, .. } = *pass;
        w.workers[usize::from(me)].at = At::Waiting { uid, account, skew, attempt: intent.attempt };
        Some(())
    }

    /// Stores the id, and where the cluster is.
    fn record(&self, w: &mut World, o: &Object, pass: &Pass, id: u8, place: Place, adopted: bool) {
        let c = w.clusters[usize::from(id)];
        let told = matches!(pass.sent, Some((_, Answer::Created(c))) if c == id);
        let given = |mark: u8| o.take_over == Some(mark) || self.rules.adopt_owned && mark != given::ELSEWHERE;
        let alien =
            |c: &Cluster| c.mark.is_some_and(|mark| !o.marks(c) && !given(mark)) || c.mark.is_none() && !adopted;
        // Of a mark that comes and goes, what was read counts.
        if !told && !self.can(May::Rival) && !self.can(May::Strip) && c.is_some_and(|c| alien(&c)) {
            w.wrong = Some("somebody else's cluster is recorded");
        }
        let known = Recorded { id, place, adopted, met: false, mark: None };
        w.write(|o| {
            o.status.known = Some(known);
            if adopted {
                o.status.flag = None;
            }
            if let Some(intent) = o.status.intent.as_mut().filter(|_| !adopted) {
                (intent.outcome, intent.sealer) = (Outcome::Made { at: pass.skew }, 0);
            }
            o.forget_dates(self);
        });
    }

    /// The guarded write that says what is about to be asked for; the call is the next step.
    fn ask(&self, w: &mut World, pass: &Pass, o: &Object, ask: Ask, current: bool) -> Option<Call> {
        let mark = given::nonce_of(o.mark());
        let (key, digest) = given::deed(&ask.deed, &mark);
        let mut told = learnt(pass, *o);
        told.forget_dates(self);
        for asked in &ask.remember {
            let (key, wish) = given::wish(asked);
            told.status.asked[usize::from(key)] = Some(wish);
        }
        let landed = current && w.write(|o| o.status = told.status);
        let place = Place { account: pass.account, region: o.listed_region() };
        let call = Call { key, digest, id: number(&ask.id), place, not_after: tick(ask.not_after) };
        landed.then_some(call)
    }
}

/// What a pass has seen of the cluster, as it is written into the status.
fn learnt(pass: &Pass, o: Object) -> Object {
    let (mut o, me) = (o, o.me());
    let (Some(Some(detail)), Some(known)) = (pass.cluster, &mut o.status.known) else { return o };
    known.met = true;
    if let Some(mark) = detail.mark.filter(|mark| me.made(given::nonce_of(*mark).as_str())) {
        known.mark = Some(mark);
    }
    let switched = match pass.acted[usize::from(PROTECTION)] {
        Some((on, How::Took | How::Void)) => Some(on == 1),
        _ => None,
    };
    let quiet = detail.state == State::Running;
    o.status.flag = sight::seen(o.status.flag, o.guard, detail.guarded, quiet, switched);
    o
}

/// What is left of a pass after an act, as the evidence says itself.
fn after(pass: Pass, seen: Evidence) -> Pass {
    let Evidence { listing, elsewhere, cluster, fresh, sent, acted, .. } = seen.after_act();
    Pass {
        object: None,
        list: pass.list.filter(|_| listing.is_some()),
        elsewhere: pass.elsewhere.filter(|_| elsewhere.is_some()),
        cluster: pass.cluster.filter(|_| cluster.is_some()),
        fresh,
        sent: pass.sent.filter(|_| sent.is_some()),
        acted: if acted.is_empty() { [None; 4] } else { pass.acted },
        ..pass
    }
}

impl World {
    fn release(&mut self, free: Free) {
        let asked = self.object.is_some_and(|o| o.mode == Mode::Retain);
        match free {
            Free::Kept(id, _) => {
                if let Some(c) = &mut self.clusters[usize::from(number(&id))] {
                    c.kept = true;
                }
                if !asked {
                    self.wrong = Some("a cluster is kept unasked");
                }
            }
            Free::Untraced(_) => {
                self.left = true;
                if !asked {
                    self.wrong = Some("an object is let go unasked");
                }
            }
            Free::NeverSealed | Free::NeverMade | Free::Gone => {}
        }
        self.write(|o| o.finalizer = false);
        self.object = self.object.filter(|o| !o.deleting);
    }
}
