//! Whatever may be so when a pass begins, or goes on after an act.

use super::*;

pub fn of(goal: Goal) -> Vec<View> {
    let mut views = vec![];
    for (standing, acted) in standings(goal) {
        for finalizer in [true, false] {
            for (memo, words, guard) in told(goal, &standing) {
                let base = View {
                    finalizer,
                    guard,
                    words,
                    kubeconfig: guard.word.is_none().then_some(NOW),
                    memo,
                    seen: Evidence { acted: acted.clone(), ..Evidence::default() },
                    ..view(goal, standing.clone())
                };
                views.extend(sent(&base).into_iter().map(|sent| base.clone().with(|v| v.seen.sent = sent)));
            }
        }
    }
    views
}

type Acted = Vec<(Deed, Result<(), Trouble>)>;

/// How far the object is, with what was done in this pass.
fn standings(goal: Goal) -> Vec<(Standing, Acted)> {
    let mut standings: Vec<(Standing, Acted)> = news().into_iter().map(|new| (new, vec![])).collect();
    let held = Deed::Hold;
    standings.extend([Ok(()), Err(trouble(Class::Permission))].map(|went| (new(0, None), vec![(held.clone(), went)])));
    for age in [mins(1), mins(15), mins(16), mins(21), mins(22), mins(60)] {
        standings.extend([sealed(age), mine(age)].map(|sealed| (sealed, vec![])));
    }
    standings.extend(knowns().into_iter().map(|known| (Standing::Known(known), vec![])));
    standings.extend(wishes().into_iter().flat_map(just_asked));
    // What was asked for before has a say only where something may be asked for.
    let acts = matches!(goal, Goal::Manage | Goal::Destroy);
    standings.retain(|(standing, _)| acts || !matches!(standing, Standing::Known(known) if !known.asked.is_empty()));
    standings
}

fn news() -> Vec<Standing> {
    let classes = [Class::Throttled, Class::Taken, Class::Refused, Class::User];
    let ends = classes.into_iter().flat_map(|class| {
        [(secs(10), true), (secs(10), false), (mins(20), true), (mins(20), false)]
            .map(|(age, corrected)| Closed::Refused { class, at: ago(age), corrected, note: "".into() })
    });
    let ends = ends.chain([Closed::Unsent, Closed::Absent { at: ago(secs(1)) }, Closed::Absent { at: ago(mins(90)) }]);
    let mut news = vec![];
    for (attempts, site) in [(1, site()), (2, site()), (3, site()), (1, abroad())] {
        for how in ends.clone() {
            let last = Some(Ended { nonce: "n1".into(), site: site.clone(), how });
            news.push(Standing::New { adopt: None, attempts, last: last.clone(), blank: false });
            if attempts == 1 {
                news.push(Standing::New { adopt: Some(id()), attempts, last, blank: false });
            }
        }
    }
    for adopt in [None, Some(id())] {
        news.extend([true, false].map(|blank| Standing::New { adopt: adopt.clone(), attempts: 0, last: None, blank }));
    }
    news
}

/// What is known of a recorded cluster, and what was asked for it before.
fn knowns() -> Vec<Known> {
    let adopted = known().with(|k| (k.adopted, k.mark) = (true, Mark::Unseen));
    let mut knowns = vec![
        known(),
        known().with(|k| (k.mark, k.recorded) = (Mark::Unseen, ago(mins(1)))),
        known().with(|k| k.mark = Mark::Unseen),
        known().with(|k| k.mark = Mark::Another),
        known().with(|k| (k.met, k.believe_after) = (false, NOW + secs(1))),
        adopted.clone(),
        adopted.with(|k| k.mark = Mark::Seen),
    ];
    let pasts = [
        (mins(2), 1, None),
        (mins(6), 1, None),
        (mins(6), 2, None),
        (mins(2), 1, Some(End::Shown)),
        (mins(2), 2, Some(End::Shown)),
        (mins(11), 2, Some(End::Shown)),
        (mins(11), 3, Some(End::Shown)),
        (hours(25), 3, Some(End::Unshown)),
        (mins(2), 1, Some(End::Refused("".into()))),
        (mins(11), 4, Some(End::Refused("".into()))),
        (hours(49), 9, Some(End::Unshown)),
        (-hours(1), 2, None),
    ];
    for (wait, times, end) in pasts {
        for on in ["true", "false"] {
            knowns.push(known().with(|k| {
                let wishes =
                    [(keys::MARKS, "n2"), (keys::PROTECTION, on), (keys::DELETION, "options"), ("timezone", "d1")];
                k.asked =
                    wishes.map(|(key, digest)| Asked { times, end: end.clone(), ..asked(key, digest, wait) }).into();
            }));
        }
    }
    knowns
}

/// Everything that may have been done in this pass.
fn wishes() -> Vec<(Deed, Vec<Asked>)> {
    let now = |key: &str, digest: &str| vec![asked(key, digest, secs(0))];
    vec![
        (Deed::Hold, vec![]),
        (Deed::Publish, vec![]),
        (Deed::Claim, now(keys::MARKS, "n2")),
        (Deed::Protect(true), now(keys::PROTECTION, "true")),
        (Deed::Protect(false), now(keys::PROTECTION, "false")),
        (Deed::Change(vec![wanted()]), now("timezone", "d1")),
        (Deed::Delete, now(keys::DELETION, "options")),
    ]
}

fn just_asked((deed, asked): (Deed, Vec<Asked>)) -> Vec<(Standing, Acted)> {
    let classes = [Class::User, Class::Throttled, Class::Busy];
    let went = [Ok(())].into_iter().chain(classes.map(|class| Err(trouble(class))));
    went.map(|went| {
        let known = known().with(|k| k.asked = asked.clone());
        (Standing::Known(known), vec![(deed.clone(), went)])
    })
    .collect()
}

/// What the last pass left, what people said, and what the spec says of the protection.
fn told(goal: Goal, standing: &Standing) -> Vec<(Option<Memo>, Vec<Word>, Guard)> {
    let silent = Guard { word: None, newer: false };
    let (memos, words, guards) = match standing {
        Standing::New { .. } => (vec![None], vec![vec![], said()], vec![silent]),
        Standing::Sealed { .. } => {
            let absent = [secs(10), mins(11)].map(|wait| Some(Memo::Absent { nonce: "n1".into(), began: ago(wait) }));
            ([None].into_iter().chain(absent).collect(), vec![vec![], said()], vec![silent])
        }
        Standing::Known(known) => {
            let memos = match (known.asked.is_empty(), goal) {
                (true, Goal::Manage | Goal::Observe | Goal::Destroy) => {
                    let gone = [secs(10), mins(11)].map(|wait| Some(Memo::Gone { id: id(), at: ago(wait) }));
                    [None].into_iter().chain(gone).collect()
                }
                (false, Goal::Manage | Goal::Destroy) => {
                    let taken = known.asked.iter().map(|asked| (asked.key.clone(), asked.digest.clone()));
                    vec![None, Some(Memo::Taken(taken.collect()))]
                }
                (_, Goal::Observe | Goal::Pause | Goal::Release) => vec![None],
            };
            let word = |word, newer| Guard { word: Some(word), newer };
            let guards = vec![silent, word(true, true), word(false, true), word(false, false)];
            (memos, vec![vec![], said()], guards)
        }
    };
    let mut told = vec![];
    for memo in memos {
        for words in &words {
            told.extend(guards.iter().map(|guard| (memo.clone(), words.clone(), *guard)));
        }
    }
    told
}

fn said() -> Vec<Word> {
    let absent = ["n1", "n2"].map(|nonce| Word::ConfirmAbsent(nonce.into()));
    let taken = ["n1", "n2", "n9"].map(|nonce| Word::TakeOver(nonce.into()));
    [Word::Recreate(id()), Word::ConfirmDelete(id())].into_iter().chain(absent).chain(taken).collect()
}

/// What may have been sent in this pass.
fn sent(view: &View) -> Vec<Option<(Nonce, Sent)>> {
    let plain = match &view.standing {
        Standing::Known(known) => known.asked.is_empty() && view.seen.acted.is_empty() && view.memo.is_none(),
        Standing::New { .. } | Standing::Sealed { .. } => true,
    };
    let outcomes = || {
        [
            Sent::Created("c1".into(), site()),
            Sent::Created("c2".into(), site()),
            Sent::Refused(Class::Throttled, "".into()),
            Sent::Unknown("".into()),
        ]
    };
    let mut sent = vec![None];
    if plain {
        sent.extend(["n0", "n1"].into_iter().flat_map(|nonce| outcomes().map(|sent| Some((nonce.into(), sent)))));
    }
    sent
}
