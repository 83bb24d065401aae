//! Every view that can come about: from each beginning, each question is answered in every way there is. It never
//! panics, always comes to an end, and what must not be done follows from no view at all.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use ack_judgement::decide::Verdict;

use super::*;

pub fn tests() -> Vec<Trial> {
    GOALS
        .into_iter()
        .map(|goal| {
            Trial::test(format!("views: whatever is so, nothing wrong follows: {goal:?}"), move || {
                let rules = Rules::default();
                let views = walk(goal, &rules, 1, &mut |view, step| sound(view, step, &rules))?;
                println!("{goal:?}: {views} views");
                if views < 1000 { Err("that were too few".into()) } else { Ok(()) }
            })
        })
        .collect()
}

pub const GOALS: [Goal; 5] = [Goal::Manage, Goal::Observe, Goal::Pause, Goal::Destroy, Goal::Release];

/// Shows `visit` every view that can come about from each beginning, or each `nth`, and what is decided in it; answers how
/// many there were.
pub fn walk(goal: Goal, rules: &Rules, nth: usize, visit: &mut Visit<'_>) -> Result<usize, String> {
    let mut walk = Walk { rules, visit, views: 0 };
    for view in beginnings(goal).into_iter().step_by(nth) {
        walk.from(view, 0)?;
    }
    Ok(walk.views)
}

type Visit<'a> = dyn FnMut(&View, &Step) -> Result<(), String> + 'a;

/// Nothing is done that must not be done, and who rests does rest.
pub fn sound(view: &View, step: &Step, rules: &Rules) -> Result<(), String> {
    match step {
        Step::Look(_) => Ok(()),
        Step::Act(act) => match wrong(act, view, rules) {
            Some(wrong) => Err(format!("{wrong}: {act:?} in {view:#?}")),
            None => standstill::comes_to_rest(view, act, rules),
        },
        Step::Rest(verdict) if verdict.again.is_some_and(|again| again <= view.now) && verdict.memo == view.memo => {
            Err(format!("it does not rest: {verdict:?} in {view:#?}"))
        }
        Step::Rest(_) => Ok(()),
    }
}

/// Whatever may be so when a pass begins, or after an act.
fn beginnings(goal: Goal) -> Vec<View> {
    let mut views = vec![];
    for standing in standings() {
        for finalizer in [true, false] {
            for memo in memos(goal, &standing) {
                for words in said(&standing) {
                    for guard in guards(&standing) {
                        let base = View {
                            finalizer,
                            guard,
                            words: words.clone(),
                            kubeconfig: guard.word.is_none().then_some(NOW),
                            memo: memo.clone(),
                            seen: Evidence::default(),
                            ..view(goal, standing.clone())
                        };
                        views.extend(sent(&standing).into_iter().map(|sent| base.clone().with(|v| v.seen.sent = sent)));
                        views.extend(
                            acted(&standing).into_iter().map(|acted| base.clone().with(|v| v.seen.acted = Some(acted))),
                        );
                    }
                }
            }
        }
    }
    views
}

fn standings() -> Vec<Standing> {
    let mut standings = vec![Standing::Adopting(id())];
    let ends = [Class::Throttled, Class::User].into_iter().flat_map(|class| {
        [(secs(10), true), (secs(10), false), (mins(20), false)].map(|(age, mended)| Closed::Refused {
            class,
            at: ago(age),
            mended,
            note: "".into(),
        })
    });
    let ends = ends.chain([Closed::Unsent, Closed::Absent { at: ago(secs(1)) }, Closed::Absent { at: ago(mins(90)) }]);
    for attempts in [1, 2, 3] {
        standings.extend(ends.clone().map(|last| new(attempts, Some(last))));
    }
    standings.extend([true, false].map(|blank| Standing::New { attempts: 0, last: None, blank }));
    for age in [mins(1), mins(15), mins(16), mins(21), mins(22), mins(60)] {
        standings.extend([sealed(age), mine(age)]);
    }
    for adopted in [true, false] {
        let late = Known { met: false, believe_after: NOW + secs(1), ..known() };
        standings.extend([known(), late].map(|known| Standing::Known(Known { adopted, ..known })));
    }
    standings
}

fn memos(goal: Goal, standing: &Standing) -> Vec<Option<Memo>> {
    let at = [secs(10), mins(11)].map(ago);
    let mut memos = vec![None];
    match standing {
        Standing::Sealed { .. } => memos.extend(at.map(|began| Some(Memo::Absent { nonce: "n1".into(), began }))),
        Standing::Known(_) => {
            memos.extend(at.map(|at| Some(Memo::Gone { id: id(), at })));
            memos.extend(at.map(|at| Some(Memo::Asked { id: id(), at })));
            if goal == Goal::Manage {
                memos.extend(at.map(|at| Some(Memo::Changed { change: wanted(), at, refusal: None })));
            }
        }
        Standing::New { .. } | Standing::Adopting(_) => {}
    }
    memos
}

fn said(standing: &Standing) -> Vec<Vec<Word>> {
    let all = || {
        vec![
            Word::ConfirmAbsent("n1".into()),
            Word::Recreate(id()),
            Word::TakeOver("n9".into()),
            Word::ConfirmDelete(id()),
        ]
    };
    match standing {
        Standing::New { .. } => vec![vec![]],
        Standing::Sealed { .. } | Standing::Adopting(_) | Standing::Known(_) => vec![vec![], all()],
    }
}

fn guards(standing: &Standing) -> Vec<Guard> {
    let silent = Guard { word: None, newer: false };
    match standing {
        Standing::Known(_) => vec![
            silent,
            Guard { word: Some(true), newer: true },
            Guard { word: Some(false), newer: true },
            Guard { word: Some(false), newer: false },
        ],
        Standing::New { .. } | Standing::Sealed { .. } | Standing::Adopting(_) => vec![silent],
    }
}

fn sent(standing: &Standing) -> Vec<Option<(ack_judgement::terms::Nonce, Sent)>> {
    let outcomes = || {
        [
            Sent::Created("c1".into(), site()),
            Sent::Created("c2".into(), site()),
            Sent::Refused(Class::Throttled, "".into()),
            Sent::Unknown("".into()),
        ]
    };
    let mut sent = vec![None];
    if !matches!(standing, Standing::Adopting(_)) {
        sent.extend(["n0", "n1"].into_iter().flat_map(|nonce| outcomes().map(|sent| Some((nonce.into(), sent)))));
    }
    sent
}

fn acted(standing: &Standing) -> Vec<(Deed, Result<(), Trouble>)> {
    let went = |deed: Deed| {
        [Ok(()), Err(trouble(Class::User)), Err(trouble(Class::Throttled))].map(|went| (deed.clone(), went))
    };
    match standing {
        Standing::Known(_) => {
            let deeds = [Deed::Claim, Deed::Protect, Deed::Change(wanted()), Deed::Delete, Deed::Publish];
            deeds.into_iter().flat_map(went).collect()
        }
        Standing::New { .. } | Standing::Adopting(_) => went(Deed::Claim).into(),
        Standing::Sealed { .. } => vec![],
    }
}

/// What a verdict says apart from its words and times.
fn shape(verdict: &Verdict) -> (Option<bool>, Discriminant<Work>, Option<Reason>) {
    let reason = match &verdict.work {
        Work::UnderWay(reason, _) | Work::Stuck(reason, _) | Work::Held(reason, _) => Some(*reason),
        Work::Done | Work::Same => None,
    };
    (verdict.ready, discriminant(&verdict.work), reason)
}

struct Walk<'a, 'v> {
    rules: &'a Rules,
    visit: &'a mut Visit<'v>,
    views: usize,
}

impl Walk<'_, '_> {
    fn from(&mut self, view: View, looks: usize) -> Result<(), String> {
        self.views += 1;
        let step = decide(&view, self.rules);
        (self.visit)(&view, &step)?;
        let Step::Look(look) = &step else { return Ok(()) };
        if looks == 12 {
            return Err(format!("it never ends: {view:#?}"));
        }
        for seen in answers(look, &view) {
            self.from(View { seen, ..view.clone() }, looks + 1)?;
        }
        Ok(())
    }
}

/// What may be seen where `look` points. It was not seen before, or it would not have been asked for.
fn answers(look: &Look, view: &View) -> Vec<Evidence> {
    fn each<T>(
        view: &View,
        slot: fn(&mut Evidence) -> &mut Seen<T>,
        answers: impl IntoIterator<Item = T>,
    ) -> Vec<Evidence> {
        let answers = answers.into_iter().map(Ok).chain([Err(trouble(Class::Transient))]);
        answers
            .map(|answer| {
                view.seen.clone().with(|seen| {
                    assert!(slot(seen).is_none(), "asked twice");
                    *slot(seen) = Some(answer);
                })
            })
            .collect()
    }
    match look {
        Look::Account => each(view, |seen| &mut seen.account, ["100".into(), "200".into()]),
        Look::Glance(_) => each(view, |seen| &mut seen.glance, [Glance::Same, Glance::Changed, Glance::Crowded]),
        Look::Cluster(_) => each(view, |seen| &mut seen.cluster, existences()),
        Look::Listing { began_after } => each(view, |seen| &mut seen.listing, listings(*began_after)),
        Look::Fence => each(view, |seen| &mut seen.fence, [true, false]),
        Look::Body => each(view, |seen| &mut seen.body, [()]),
        Look::Uprooted => each(view, |seen| &mut seen.uprooted, [true, false]),
        Look::Drift => {
            let change = |change| Drift { change: Some(change), ..Drift::default() };
            let drifts = [Drift::default(), change(wanted()), Drift { fixed: true, ..change(another()) }];
            let some = if view.goal == Goal::Manage { 3 } else { 2 };
            each(view, |seen| &mut seen.drift, drifts.into_iter().take(some))
        }
        Look::Progress => each(view, |seen| &mut seen.progress, ["".into()]),
        Look::Cause => each(view, |seen| &mut seen.cause, ["".into()]),
        Look::Trace(_) => each(view, |seen| &mut seen.trace, [true, false]),
        Look::Kubeconfig => {
            let fresh = |renew| Published::Fresh { renew };
            let foreign = [Published::Foreign("".into()), Published::NoEndpoint("".into())];
            let own = [Published::Absent, fresh(NOW), fresh(NOW + mins(1))];
            each(view, |seen| &mut seen.kubeconfig, own.into_iter().chain(foreign))
        }
        Look::Leftovers(_) => each(view, |seen| &mut seen.leftovers, ["".into()]),
    }
}

fn existences() -> Vec<Existence> {
    use State::*;
    let mut existences = vec![Existence::Unknown];
    for state in [Making, Running, ChangeFailed, Busy, Down, Failed, Deleting, DeleteFailed] {
        for guarded in [None, Some(true), Some(false)] {
            for owner in [Owner::Mine, Owner::Nobody, Owner::Other("n9".into()), Owner::Claimed("x".into())] {
                existences.push(Existence::Here(Cluster { state, word: "".into(), guarded, owner }));
            }
        }
    }
    existences
}

fn listings(began_after: Timestamp) -> Vec<Listing> {
    let fine = Listing { began: began_after, ..list(secs(0)) };
    let mut listings = vec![];
    for began in [began_after, began_after - secs(1), NOW] {
        for whole in [true, false] {
            for ours in [vec![], vec![id()], vec!["c2".into()], vec![id(), "c2".into()]] {
                listings.push(Listing { began, whole, ours, ..fine.clone() });
            }
        }
    }
    listings.push(Listing { ahead: secs(61), ..fine.clone() });
    listings.push(Listing { trusted: false, ..fine.clone() });
    listings.push(Listing { undecided: Some("c9".into()), ..fine.clone() });
    listings
        .extend([true, false].map(|going| Listing { rival: Some(Rival { id: "c9".into(), going }), ..fine.clone() }));
    listings
}

/// What is wrong with this act, if anything is.
fn wrong(act: &Act, v: &View, rules: &Rules) -> Option<&'static str> {
    let here = match &v.seen.cluster {
        Some(Ok(Existence::Here(cluster))) => Some(cluster),
        _ => None,
    };
    let unknown = matches!(v.seen.cluster, Some(Ok(Existence::Unknown)));
    let adopted = matches!(&v.standing, Standing::Known(known) if known.adopted);
    let empty = |list: &Listing| list.whole && list.ours.is_empty() && list.ahead <= rules.skew;
    let listed = v.seen.listing.as_ref().and_then(|list| list.as_ref().ok());
    let said = |word: Word| v.words.contains(&word);
    let (site_known, sealed) = match &v.standing {
        Standing::Known(known) => (Some(&known.site), None),
        Standing::Sealed { intent, .. } => (Some(&intent.site), Some(intent)),
        Standing::New { .. } | Standing::Adopting(_) => (None, None),
    };
    let theirs = site_known.is_some_and(|site| v.seen.account != Some(Ok(site.account.clone())));
    let living = matches!(v.goal, Goal::Manage);
    let quiet = matches!(act, Act::AddFinalizer | Act::Record { .. } | Act::Close(_));
    let no = |ok: bool, why: &'static str| (!ok).then_some(why);

    let own = match act {
        Act::AddFinalizer => {
            no(!v.finalizer && !matches!(v.goal, Goal::Destroy | Goal::Release), "a finalizer too many")
        }
        Act::Seal { attempt } => no(
            matches!(&v.standing, Standing::New { attempts, .. } if attempts + 1 == *attempt)
                && living
                && v.finalizer
                && listed.is_some_and(|list| empty(list) && list.rival.is_none())
                && v.seen.body == Some(Ok(()))
                && matches!(v.seen.account, Some(Ok(_))),
            "sealed without having looked",
        ),
        Act::Send { .. } => no(
            matches!(&v.standing, Standing::Sealed { intent, mine: true }
                if v.seen.sent.as_ref().is_none_or(|(nonce, _)| *nonce != intent.nonce))
                && living,
            "sent what was not to be sent",
        ),
        Act::Record { id, site: _, adopted } => no(
            matches!(&v.seen.sent, Some((_, Sent::Created(made, _))) if made == id)
                || listed.is_some_and(|list| list.ours == [id.clone()])
                || *adopted && v.standing == Standing::Adopting(id.clone()) && here.is_some(),
            "an id out of nowhere",
        ),
        Act::Close(Closed::Unsent) => no(
            matches!(v.standing, Standing::Sealed { mine: true, .. }) && !living,
            "written off though it may have been sent",
        ),
        Act::Close(Closed::Refused { .. }) => no(
            sealed.is_some_and(
                |intent| matches!(&v.seen.sent, Some((nonce, Sent::Refused(..))) if *nonce == intent.nonce),
            ),
            "closed by an answer to something else",
        ),
        Act::Close(Closed::Absent { .. }) => no(!theirs && absent(v, rules), "an absence without proof"),
        Act::Claim(_) => no(
            here.is_none_or(|cluster| !matches!(cluster.owner, Owner::Claimed(_) | Owner::Mine))
                && !matches!(v.seen.acted, Some((Deed::Claim, _))),
            "a claim too many",
        ),
        Act::Protect { on, .. } => no(
            v.guard.word == Some(*on)
                && (*on || v.guard.newer)
                && here.is_some_and(|cluster| cluster.guarded == Some(!on))
                && !matches!(v.seen.acted, Some((Deed::Protect, _))),
            "protection changed against the word",
        ),
        Act::Change { change, .. } => {
            let fit = here.is_some_and(|cluster| {
                let ours = cluster.owner == Owner::Mine || adopted && cluster.owner == Owner::Nobody;
                ours && matches!(cluster.state, State::Running | State::ChangeFailed)
            });
            let drift = v.seen.drift.as_ref().and_then(|drift| drift.as_ref().ok());
            let wanted = drift.is_some_and(|drift| drift.change.as_ref() == Some(change) && !(adopted && drift.fixed));
            let once = !matches!(&v.seen.acted, Some((Deed::Change(last), _)) if last == change)
                && !matches!(&v.memo, Some(Memo::Changed { change: last, at, .. }) if last == change && *at > v.now - rules.listed);
            no(living && fit && wanted && once, "a change too many")
        }
        Act::Delete { id, .. } => {
            let lift_refused = matches!(v.seen.acted, Some((Deed::Protect, Err(_))));
            let fit = here.is_some_and(|cluster| {
                let guard = match (v.guard.word, cluster.guarded) {
                    (Some(true), _) | (None, Some(true) | None) => false,
                    (Some(false), Some(true)) => v.guard.newer && lift_refused && cluster.state != State::Running,
                    (None | Some(false), Some(false)) | (Some(false), None) => true,
                };
                let wanted = v.goal == Goal::Destroy
                    || living && cluster.state == State::Failed && said(Word::Recreate(id.clone()));
                let state = !matches!(cluster.state, State::Making | State::Busy | State::Deleting);
                guard && wanted && state && cluster.owner == Owner::Mine
            });
            let rooted = v.seen.uprooted == Some(Ok(false)) || said(Word::ConfirmDelete(id.clone()));
            no(fit && rooted && !matches!(v.seen.acted, Some((Deed::Delete, _))), "deleted what was to stay")
        }
        Act::Publish(_) => {
            let serves = here.is_some_and(|cluster| {
                matches!(cluster.state, State::Running | State::ChangeFailed | State::Busy)
                    && !matches!(cluster.owner, Owner::Claimed(_))
            });
            let due = match &v.seen.kubeconfig {
                Some(Ok(Published::Absent)) => true,
                Some(Ok(Published::Fresh { renew })) => *renew <= v.now,
                Some(Ok(Published::Foreign(_) | Published::NoEndpoint(_)) | Err(_)) | None => false,
            };
            let once = !matches!(v.seen.acted, Some((Deed::Publish, _)));
            no(v.kubeconfig.is_some() && serves && due && once, "published unasked")
        }
        Act::Forget(id) => no(living && unknown && said(Word::Recreate(id.clone())), "forgotten unasked"),
        Act::Release(free) => {
            let going = matches!(v.goal, Goal::Destroy | Goal::Release);
            let free = match (free, &v.standing) {
                (Free::Kept(kept), Standing::Known(known)) => v.goal == Goal::Release && known.id == *kept,
                (Free::Gone, Standing::Known(_)) => {
                    let here = v.seen.trace == Some(Ok(true)) || listed.is_some_and(|list| list.trusted);
                    v.goal == Goal::Destroy && unknown && listed.is_some_and(empty) && here
                }
                (Free::NeverMade, Standing::Sealed { .. }) => !theirs && absent(v, rules),
                (Free::NeverMade, Standing::New { last: Some(Closed::Refused { class, at, .. }), .. })
                    if class.momentary() =>
                {
                    listed.is_some_and(|list| empty(list) && list.began >= *at + rules.copied())
                }
                (Free::NeverMade, Standing::New { last, .. }) => last.is_some(),
                (Free::NeverSealed, Standing::New { last, blank, .. }) => {
                    last.is_none() && (!blank || listed.is_some_and(empty))
                }
                (Free::NeverSealed, Standing::Adopting(_)) => true,
                _ => false,
            };
            no(going && v.finalizer && free, "let go too early")
        }
    };
    let calls =
        matches!(act, Act::Claim(_) | Act::Protect { .. } | Act::Delete { .. } | Act::Publish(_) | Act::Forget(_));
    own.or(no(quiet || !matches!(v.goal, Goal::Pause | Goal::Observe), "held, and yet it acts"))
        .or(no(!(calls && theirs), "done with another account's credentials"))
}

/// Two whole lists, apart and late enough, and all that makes them trustworthy; or a person's word.
fn absent(v: &View, rules: &Rules) -> bool {
    let Standing::Sealed { intent, .. } = &v.standing else { return false };
    let Some(Ok(list)) = &v.seen.listing else { return false };
    let dead = intent.believe_after.max(intent.date + rules.believable());
    let person = v.words.contains(&Word::ConfirmAbsent(intent.nonce.clone()))
        && list.began >= intent.date + rules.window + rules.skew;
    let before = matches!(&v.memo, Some(Memo::Absent { nonce, began })
        if *nonce == intent.nonce && *began >= dead && list.began >= *began + rules.apart);
    list.ours.is_empty()
        && list.ahead <= rules.skew
        && (person
            || before && list.whole && list.trusted && list.undecided.is_none() && v.seen.fence == Some(Ok(true)))
}
