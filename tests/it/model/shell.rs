//! The shell around `decide` as the design has it: a View from what is known, a look into the world, one guarded write
//! or one call. Decides nothing.

use super::*;

impl Sim {
    /// What the shell would build for `decide`. What proves nothing here is answered beforehand.
    pub(super) fn view(&self, me: u8, pass: &Pass, o: &Object, memo: Option<Kept>) -> View {
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
            trace: Some(Ok(true)),
            leftovers: Some(Ok(NOTE.clone())),
            kubeconfig: None,
            sent: pass.sent.map(|(attempt, sent)| {
                let sent = match sent {
                    Answer::Created(c) => Sent::Created(id(c), site(pass.account)),
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
            kubeconfig: None,
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

    /// What `decide` says to a pass that has its object.
    pub(super) fn judge(&self, w: &World, me: u8) -> Option<(Pass, Object, Step)> {
        let worker = &w.workers[usize::from(me)];
        let Place::Pass(pass) = worker.at else { return None };
        let o = pass.object?;
        Some((pass, o, decide(&self.view(me, &pass, &o, worker.memo), &self.rules)))
    }

    /// One step of a pass, as the shell does it.
    pub(super) fn go(&self, w: &mut World, me: u8) -> Option<()> {
        let Some((mut pass, o, step)) = self.judge(w, me) else {
            let Place::Pass(pass) = w.workers[usize::from(me)].at else { return None };
            let object = w.object.filter(|o| o.uid == pass.uid);
            let read = Place::Pass(Pass { object, stale: false, ..pass });
            w.workers[usize::from(me)].at = if object.is_some() { read } else { Place::Idle };
            return Some(());
        };
        let worker = &mut w.workers[usize::from(me)];
        match step {
            Step::Look(Look::Listing { began_after }) => {
                let there = |c: &Cluster| c.account == pass.account && c.visible(self.lag);
                let fresh = Listed {
                    began: 0,
                    ours: w.clusters.map(|c| c.is_some_and(|c| there(&c) && c.uid == o.uid)),
                    rival: (0..).zip(&w.clusters).find_map(|(n, c)| {
                        let c = c.filter(|c| there(c) && c.uid != o.uid)?;
                        Some((n, c.state == State::Deleting))
                    }),
                };
                let old =
                    worker.shared.filter(|(account, list)| *account == pass.account && time(list.began) >= began_after);
                let list = old.map_or(fresh, |(_, list)| list);
                pass.list = Some(list);
                worker.at = Place::Pass(pass);
                worker.shared = self.can(May::Share).then_some((pass.account, list));
            }
            Step::Look(Look::Cluster(id)) => {
                let c = w.clusters[usize::from(number(&id))];
                let c = c.filter(|c| c.account == pass.account && c.visible(self.lag));
                pass.cluster = Some(c.map(|c| (c.state, c.guarded)));
                worker.at = Place::Pass(pass);
            }
            Step::Look(look) => panic!("answered beforehand: {look:?}"),
            Step::Rest(verdict) => {
                let met = matches!(pass.cluster, Some(Some(_))) && o.known.is_some_and(|known| !known.met);
                worker.memo = verdict.memo.map(|memo| match memo {
                    Memo::Absent { nonce, began } => {
                        let n = nonce.as_str().as_bytes()[1] - b'0';
                        Kept::Absent { attempt: n % ATTEMPTS + 1, began: tick(began) }
                    }
                    Memo::Gone { id, at } => Kept::Gone { id: number(&id), at: tick(at) },
                    Memo::Asked { id, at } => Kept::Asked { id: number(&id), at: tick(at) },
                });
                worker.at = Place::Idle;
                if met && !pass.stale {
                    w.write(|o| o.known = o.known.map(|known| Recorded { met: true, believe_after: -1, ..known }));
                }
            }
            Step::Act(act) => self.act(w, me, (pass, o), act)?,
        }
        Some(())
    }

    /// One guarded write or one call. `None`: beyond what the model looks at.
    fn act(&self, w: &mut World, me: u8, (pass, o): (Pass, Object), act: Act) -> Option<()> {
        let mut next = Pass { object: None, list: None, cluster: None, ..pass };
        w.workers[usize::from(me)].at = Place::Idle;
        let current = w.object.is_some_and(|o| o.uid == pass.uid) && !pass.stale;
        let spent = matches!(act, Act::Send { .. } | Act::Close(_));
        let landed = match &act {
            Act::AddFinalizer => current && w.write(|o| o.finalizer = true),
            Act::Seal { attempt } if *attempt > ATTEMPTS.into() => return None,
            Act::Seal { attempt } => {
                let there = w.object.is_some_and(|o| o.uid == pass.uid);
                (current || there && self.is(Mutant::UnguardedSeal))
                    && w.write(|o| {
                        o.attempts = *attempt as u8;
                        o.last = None;
                        o.intent = Some(Sealed { attempt: o.attempts, date: -SKEW, account: pass.account, sealer: me });
                    })
            }
            Act::Send { not_after } => {
                let intent = o.intent?;
                if *not_after < time(0) {
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
                        id: number(id),
                        account: pass.account,
                        met: false,
                        believe_after: believe_after.max(-1),
                    };
                    w.write(|o| (o.known, o.intent, o.last) = (Some(known), None, None))
                }) || w.object.is_some_and(|o| o.uid == pass.uid)
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
                let there = slot.as_mut().filter(|c| c.account == pass.account && c.state == State::Running);
                if !*on && (o.guard != Some(false) || !o.newer) {
                    w.wrong = Some("old words undo a protection");
                }
                next.acted = Some((Deed::Protect, there.is_some()));
                if let Some(c) = there {
                    c.guarded = *on;
                }
                true
            }
            Act::Delete { id, .. } => {
                let guarded = matches!(pass.cluster, Some(Some((State::Running, true))));
                if o.guard == Some(true) || guarded {
                    w.wrong = Some("a delete was sent against the protection");
                }
                let slot = &mut w.clusters[usize::from(number(id))];
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
            Act::Claim(_) | Act::Publish(_) => return None,
        };
        // After a conflict too the object is read afresh and judged anew.
        next.token = if let Act::Seal { .. } = act { landed } else { pass.token && !(landed && spent) };
        if w.object.is_some_and(|o| o.uid == pass.uid) {
            w.workers[usize::from(me)].at = Place::Pass(next);
        }
        Some(())
    }
}
