//! The shell around `decide` as the design has it: a View from what is known, a look into the world, one guarded write
//! or one call. Decides nothing.

use super::*;

impl Sim {
    /// What the shell would build for `decide`. What proves nothing here is answered beforehand.
    pub(super) fn view(&self, me: u8, pass: &Pass, o: &Object, memo: Option<Kept>) -> View {
        let mut words = vec![];
        if let Some(attempt) = o.confirmed {
            words.push(Word::ConfirmAbsent(o.nonce(attempt)));
        }
        if let Some(old) = o.recreate {
            words.push(Word::Recreate(id(old)));
        }
        let standing = match (&o.known, &o.intent) {
            (Some(known), _) => Standing::Known(Known {
                id: id(known.id),
                site: site(known.place),
                adopted: false,
                met: known.met,
                believe_after: time(known.believe_after),
            }),
            (None, Some(intent)) => Standing::Sealed {
                intent: Intent {
                    attempt: intent.attempt.into(),
                    nonce: o.nonce(intent.attempt),
                    date: time(intent.date),
                    believe_after: time(intent.date) + self.rules.believable(),
                    site: site(intent.place),
                    outcome: Outcome::Open,
                },
                mine: pass.token && intent.sealer == me,
            },
            (None, None) => Standing::New {
                attempts: o.attempts.into(),
                last: o.last.map(|last| match last {
                    Last::Refused { momentary, at } => {
                        Closed::Refused { class: refusal(momentary), at: time(at), mended: true, note: NOTE.clone() }
                    }
                    Last::Absent => Closed::Absent { at: time(self.oldest()) },
                    Last::Unsent => Closed::Unsent,
                }),
                blank: o.finalizer && o.attempts == 0,
            },
        };
        let told = || Some(Ok(NOTE.clone()));
        let seen = Evidence {
            account: Some(Ok(account(pass.account))),
            glance: Some(Ok(Glance::Changed)),
            cluster: pass.cluster.map(|seen| {
                Ok(seen.map_or(Existence::Unknown, |Detail { state, guarded }| {
                    Existence::Here(decide::Cluster { state, word: NOTE.clone(), guarded, owner: Owner::Mine })
                }))
            }),
            listing: pass.list.map(|list| {
                Ok(Listing {
                    began: time(list.began),
                    ahead: SignedDuration::ZERO,
                    whole: list.whole,
                    trusted: list.trusted,
                    ours: (0..).zip(list.ours).filter(|(_, there)| *there).map(|(c, _)| id(c)).collect(),
                    rival: list.rival.map(|(c, going)| Rival { id: id(c), going }),
                    undecided: None,
                })
            }),
            fence: Some(Ok(!self.can(May::Old))),
            body: Some(Ok(())),
            uprooted: Some(Ok(false)),
            drift: Some(Ok(Default::default())),
            progress: told(),
            cause: told(),
            trace: Some(Ok(true)),
            leftovers: told(),
            kubeconfig: None,
            sent: pass.sent.map(|(attempt, sent)| {
                let sent = match sent {
                    Answer::Created(c) => {
                        Sent::Created(id(c), site(Place { account: pass.account, region: o.site_region() }))
                    }
                    Answer::Refused { momentary } => Sent::Refused(refusal(momentary), NOTE.clone()),
                    Answer::Unknown => Sent::Unknown(NOTE.clone()),
                };
                (NONCES[nonce(pass.uid, attempt)].clone(), sent)
            }),
            acted: pass.acted.map(|(asked, ok)| {
                let deed = match asked {
                    Asked::Protection => Deed::Protect,
                    Asked::Deletion => Deed::Delete,
                };
                (deed, if ok { Ok(()) } else { Err(trouble(Class::Busy)) })
            }),
        };
        View {
            now: time(pass.skew),
            since: time(self.oldest()),
            offset: SignedDuration::ZERO,
            goal: o.goal(),
            guard: Guard { word: o.guard, newer: o.newer },
            finalizer: o.finalizer,
            kubeconfig: None,
            region: REGIONS[usize::from(o.region)].clone(),
            standing,
            words,
            streak: 0,
            memo: memo.map(|memo| match memo {
                Kept::Absent { attempt, began } => Memo::Absent { nonce: o.nonce(attempt), began: time(began) },
                Kept::Gone { id: c, at } => Memo::Gone { id: id(c), at: time(at) },
                Kept::Asked { id: c, at } => Memo::Asked { id: id(c), at: time(at) },
            }),
            seen,
        }
    }

    /// What `decide` says to a pass that has its object.
    pub(super) fn judge(&self, w: &World, me: u8) -> Option<(Pass, Object, Step)> {
        let worker = &w.workers[usize::from(me)];
        let At::Pass(pass) = worker.at else { return None };
        let o = pass.object?;
        Some((pass, o, decide(&self.view(me, &pass, &o, worker.memo), &self.rules)))
    }

    /// One step of a pass, as the shell does it.
    pub(super) fn go(&self, w: &mut World, me: u8) -> Option<()> {
        let Some((pass, o, step)) = self.judge(w, me) else {
            let At::Pass(pass) = w.workers[usize::from(me)].at else { return None };
            let object = w.object.filter(|o| o.uid == pass.uid);
            let read = At::Pass(Pass { object, stale: false, ..pass });
            w.workers[usize::from(me)].at = if object.is_some() { read } else { At::Idle };
            return Some(());
        };
        match step {
            Step::Look(Look::Listing { began_after }) => {
                let place = Place { account: pass.account, region: o.site_region() };
                let shared = w.workers[usize::from(me)].shared;
                let old = shared.filter(|(of, list)| *of == place && time(list.began) >= began_after);
                let list = old.map_or_else(|| self.list(w, &o, place), |(_, list)| list);
                self.listed(w, me, Pass { list: Some(list), ..pass }, place);
            }
            Step::Look(Look::Cluster(id)) => {
                let detail = self.detail(w, &pass, &o, &id);
                w.workers[usize::from(me)].at = At::Pass(Pass { cluster: Some(detail), ..pass });
            }
            Step::Look(look) => panic!("answered beforehand: {look:?}"),
            Step::Rest(verdict) => self.rest(w, me, (pass, o), verdict),
            Step::Act(act) => self.act(w, me, (pass, o), act)?,
        }
        Some(())
    }

    /// What a fresh list shows.
    fn list(&self, w: &World, o: &Object, place: Place) -> Listed {
        let there = |c: &Cluster| c.place == place && c.shown;
        Listed {
            began: 0,
            whole: true,
            trusted: true,
            ours: w.clusters.map(|c| c.is_some_and(|c| there(&c) && o.marks(&c))),
            rival: (0..).zip(&w.clusters).find_map(|(n, c)| {
                let c = c.filter(|c| there(c) && !o.marks(c))?;
                Some((n, c.state == State::Deleting))
            }),
        }
    }

    fn detail(&self, w: &World, pass: &Pass, o: &Object, id: &ClusterId) -> Option<Detail> {
        let place = Place { account: pass.account, region: o.site_region() };
        let c = w.clusters[usize::from(number(id))].filter(|c| c.place == place && c.shown)?;
        Some(Detail { state: c.state, guarded: Some(c.guarded) })
    }

    fn listed(&self, w: &mut World, me: u8, pass: Pass, place: Place) {
        let worker = &mut w.workers[usize::from(me)];
        worker.at = At::Pass(pass);
        // A torn list is not kept.
        let kept = pass.list.filter(|list| self.can(May::Share) && list.whole);
        worker.shared = kept.map(|list| (place, list));
    }

    /// The next step is a look, and something is wrong with its answer. `None`: nothing comes of it.
    pub(super) fn misled(&self, w: &mut World, me: u8, fault: Fault) -> Option<()> {
        let (pass, o, step) = self.judge(w, me)?;
        let place = Place { account: pass.account, region: o.site_region() };
        match (step, fault) {
            (Step::Look(look), Fault::Trouble) => {
                let mut view = self.view(me, &pass, &o, w.workers[usize::from(me)].memo);
                match look {
                    Look::Cluster(_) => view.seen.cluster = Some(Err(trouble(Class::NotFound))),
                    _ => view.seen.listing = Some(Err(trouble(Class::Throttled))),
                }
                match decide(&view, &self.rules) {
                    Step::Rest(verdict) => self.rest(w, me, (pass, o), verdict),
                    Step::Act(act) => self.act(w, me, (pass, o), act)?,
                    Step::Look(_) => return None,
                }
            }
            (Step::Look(Look::Listing { .. }), Fault::Torn | Fault::Filtered | Fault::Slipped) => {
                w.slipped |= fault == Fault::Slipped;
                let list = Listed {
                    whole: fault != Fault::Torn,
                    trusted: fault != Fault::Filtered,
                    ours: [false; CLUSTERS],
                    rival: None,
                    ..self.list(w, &o, place)
                };
                self.listed(w, me, Pass { list: Some(list), ..pass }, place);
            }
            (Step::Look(Look::Cluster(id)), Fault::Missed | Fault::Mute) => {
                let seen = self.detail(w, &pass, &o, &id)?;
                w.missed |= fault == Fault::Missed && !self.can(May::Blind);
                let cluster = Some((fault == Fault::Mute).then_some(Detail { guarded: None, ..seen }));
                w.workers[usize::from(me)].at = At::Pass(Pass { cluster, ..pass });
            }
            _ => return None,
        }
        Some(())
    }

    fn rest(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), verdict: Verdict) {
        let met = matches!(pass.cluster, Some(Some(_))) && o.known.is_some_and(|known| !known.met);
        let worker = &mut w.workers[usize::from(me)];
        worker.memo = verdict.memo.and_then(|memo| match memo {
            Memo::Absent { nonce, began } => {
                let n = nonce.as_str().as_bytes()[1] - b'0';
                Some(Kept::Absent { attempt: n % ATTEMPTS + 1, began: tick(began) })
            }
            Memo::Gone { id, at } => Some(Kept::Gone { id: number(&id), at: tick(at) }),
            Memo::Asked { id, at } => Some(Kept::Asked { id: number(&id), at: tick(at) }),
            Memo::Changed { .. } => None,
        });
        worker.at = At::Idle;
        if met && !pass.stale {
            w.write(|o| o.known = o.known.map(|known| Recorded { met: true, believe_after: -1 - SKEW, ..known }));
        }
    }

    /// One guarded write or one call. `None`: beyond what the model looks at.
    fn act(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), act: Act) -> Option<()> {
        let mut next = Pass { object: None, list: None, cluster: None, ..pass };
        w.workers[usize::from(me)].at = At::Idle;
        let current = w.object.is_some_and(|o| o.uid == pass.uid) && !pass.stale;
        let place = Place { account: pass.account, region: o.site_region() };
        let spent = matches!(act, Act::Send { .. } | Act::Close(_));
        let landed = match &act {
            Act::AddFinalizer => current && w.write(|o| (o.finalizer, o.wiped) = (true, false)),
            Act::Seal { attempt } if *attempt > ATTEMPTS.into() => return None,
            Act::Seal { attempt } => {
                let attempt = *attempt as u8;
                let date = pass.skew - SKEW;
                let seal = |o: &mut Object| {
                    (o.attempts, o.last, o.inherited) = (attempt, None, None);
                    o.intent = Some(Sealed { attempt, date, place, sealer: me });
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
            Act::Send { not_after } => {
                let intent = o.intent?;
                if *not_after < time(pass.skew) {
                    next.sent = Some((intent.attempt, Answer::Refused { momentary: true }));
                    true
                } else {
                    *w.wire.iter_mut().find(|post| post.is_none())? = Some(Post {
                        uid: o.uid,
                        attempt: intent.attempt,
                        date: intent.date,
                        place: intent.place,
                        guarded: o.guard == Some(true),
                        waiter: Some(me),
                        twin: false,
                        fading: None,
                    });
                    let Pass { uid, account, skew, .. } = pass;
                    w.workers[usize::from(me)].at = At::Waiting { uid, account, skew, attempt: intent.attempt };
                    return Some(());
                }
            }
            // Guarded by the uid and by "no other id is stored", and repeated until it is.
            Act::Record { id, .. } => {
                let there = w.object.filter(|o| o.uid == pass.uid);
                let free = there.filter(|o| o.known.is_none());
                if let Some(o) = free {
                    self.record(w, &o, number(id), place);
                }
                there.is_some()
            }
            Act::Close(closed) => {
                let last = match closed {
                    Closed::Refused { class, at, .. } => Last::Refused { momentary: class.momentary(), at: tick(*at) },
                    Closed::Absent { .. } => Last::Absent,
                    Closed::Unsent => Last::Unsent,
                };
                current && w.write(|o| (o.intent, o.last) = (None, Some(last)))
            }
            Act::Protect { id, on } => {
                let slot = &mut w.clusters[usize::from(number(id))];
                let there = slot.as_mut().filter(|c| c.place == place && c.state == State::Running);
                if !*on && (o.guard != Some(false) || !o.newer) {
                    w.wrong = Some("old words undo a protection");
                }
                next.acted = Some((Asked::Protection, there.is_some()));
                if let Some(c) = there {
                    c.guarded = *on;
                }
                true
            }
            Act::Delete { id, .. } => {
                w.wrong = self.wrongly_deleted(&pass, &o).or(w.wrong);
                let slot = &mut w.clusters[usize::from(number(id))];
                let there = slot
                    .as_mut()
                    .filter(|c| c.place == place && matches!(c.state, State::Running | State::Failed) && !c.guarded);
                next.acted = Some((Asked::Deletion, there.is_some()));
                if let Some(c) = there {
                    c.state = State::Deleting;
                }
                true
            }
            Act::Forget(old) => {
                if o.recreate != Some(number(old)) {
                    w.wrong = Some("a cluster is forgotten unasked");
                }
                current
                    && w.write(|o| {
                        if o.known.is_some_and(|known| known.id == number(old)) {
                            (o.known, o.forgotten) = (None, o.forgotten + 1);
                        }
                    })
            }
            Act::Release(free) => {
                if current {
                    if let Free::Kept(id) = free
                        && let Some(c) = &mut w.clusters[usize::from(number(id))]
                    {
                        c.kept = true;
                    }
                    w.write(|o| o.finalizer = false);
                    w.object = w.object.filter(|o| !o.deleting);
                }
                current
            }
            Act::Claim(_) | Act::Change { .. } | Act::Publish(_) => return None,
        };
        // After a conflict too the object is read afresh and judged anew.
        next.token = if let Act::Seal { .. } = act { landed } else { pass.token && !(landed && spent) };
        if w.object.is_some_and(|o| o.uid == pass.uid) {
            w.workers[usize::from(me)].at = At::Pass(next);
        }
        Some(())
    }

    /// Stores the id, and where the cluster is.
    fn record(&self, w: &mut World, o: &Object, id: u8, place: Place) {
        if o.known.is_some_and(|known| known.id != id) {
            w.wrong = Some("another id is overwritten");
        } else if w.clusters[usize::from(id)].is_some_and(|c| !o.marks(&c)) {
            w.wrong = Some("somebody else's cluster is recorded");
        }
        let counted = tick(time(0) + self.rules.believable());
        let believe_after = o.intent.map_or(-1 - SKEW, |intent| intent.date + counted).max(-1 - SKEW);
        let place = o.intent.map_or(place, |intent| intent.place);
        let known = Recorded { id, place, met: false, believe_after };
        w.write(|o| (o.known, o.intent, o.last) = (Some(known), None, None));
    }

    /// A DELETE against what the spec said or ACK showed.
    fn wrongly_deleted(&self, pass: &Pass, o: &Object) -> Option<&'static str> {
        let shown = pass.cluster.flatten();
        let guard = matches!(
            (o.guard, shown.map(|seen| (seen.state, seen.guarded))),
            (Some(true), _) | (None, Some((_, None))) | (_, Some((State::Running, Some(true))))
        );
        if guard {
            Some("a delete is sent against the protection")
        } else if o.goal() != Goal::Destroy && o.recreate != o.known.map(|known| known.id) {
            Some("a cluster is deleted unasked")
        } else {
            None
        }
    }
}
