//! Every view that can come about: from each beginning, each question is answered in every way there is. It never
//! panics, always comes to an end, and what must not be done follows from no view at all.

use std::mem::{Discriminant, discriminant};

use super::promises::{broken, broken_rest};
use super::*;

pub fn tests() -> Vec<Trial> {
    GOALS
        .into_iter()
        .map(|goal| {
            Trial::test(format!("views: whatever is so, nothing wrong follows: {goal:?}"), move || {
                let lax = Rules { adopt_owned: true, lists_complete: true, ..Rules::default() };
                for rules in [Rules::default(), lax] {
                    let nth = if rules.adopt_owned { 7 } else { 1 };
                    let views = walk(goal, &rules, nth, &mut |view, step| sound(view, step, &rules))?;
                    println!("{goal:?}: {views} views");
                    if views < 1000 / nth {
                        return Err("that were too few".into());
                    }
                }
                Ok(())
            })
        })
        .collect()
}

pub const GOALS: [Goal; 5] = [Goal::Manage, Goal::Observe, Goal::Pause, Goal::Destroy, Goal::Release];

/// Shows `visit` every view that can come about from each beginning, or each `nth`, and what is decided in it; answers how
/// many there were.
pub fn walk(goal: Goal, rules: &Rules, nth: usize, visit: &mut Visit<'_>) -> Result<usize, String> {
    let mut walk = Walk { rules, visit, views: 0 };
    for view in beginnings::of(goal).into_iter().step_by(nth) {
        walk.from(view, &mut vec![])?;
    }
    Ok(walk.views)
}

type Visit<'a> = dyn FnMut(&View, &Step) -> Result<(), String> + 'a;

/// Nothing is done that must not be done, and who rests does rest.
pub fn sound(view: &View, step: &Step, rules: &Rules) -> Result<(), String> {
    let broken = match step {
        Step::Look(_) => None,
        Step::Act(act) => broken(act, view, rules),
        Step::Rest(verdict) => broken_rest(verdict, view),
    };
    if let Some(broken) = broken {
        return Err(format!("{broken}: {step:?} in {view:#?}"));
    }
    match step {
        Step::Act(act) => standstill::comes_to_rest(view, act, rules),
        Step::Look(_) | Step::Rest(_) => Ok(()),
    }
}

struct Walk<'a, 'v> {
    rules: &'a Rules,
    visit: &'a mut Visit<'v>,
    views: usize,
}

impl Walk<'_, '_> {
    fn from(&mut self, view: View, before: &mut Vec<Discriminant<Look>>) -> Result<(), String> {
        self.views += 1;
        let step = decide(&view, self.rules);
        (self.visit)(&view, &step)?;
        let Step::Look(look) = &step else { return Ok(()) };
        let kind = discriminant(look);
        let again = before.contains(&kind);
        // Only the detail, and what is made of it, may be asked for twice: where something else was read since.
        if again && !matches!(look, Look::Cluster(_) if !view.seen.fresh) && *look != Look::Drift || before.len() == 16
        {
            return Err(format!("{look:?} is asked for twice in {view:#?}"));
        }
        before.push(kind);
        for answer in answers(look, &view, again) {
            let mut next = view.clone();
            next.seen.take(answer);
            self.from(next, before)?;
        }
        before.pop();
        Ok(())
    }
}

/// What may be seen where `look` points. `again`: what is read once more may have changed.
fn answers(look: &Look, view: &View, again: bool) -> Vec<Answer> {
    fn each<T>(file: fn(Result<T, Trouble>) -> Answer, seen: impl IntoIterator<Item = T>) -> Vec<Answer> {
        seen.into_iter().map(Ok).chain([Err(trouble(Class::Transient))]).map(file).collect()
    }
    /// Where a right that is missing means something else than a network that is.
    fn rights<T>(file: fn(Result<T, Trouble>) -> Answer, seen: impl IntoIterator<Item = T>) -> Vec<Answer> {
        each(file, seen).into_iter().chain([file(Err(trouble(Class::Permission)))]).collect()
    }
    let none = || [Note::from("")];
    match look {
        Look::Account => rights(Answer::Account, ["100".into(), "200".into()]),
        // Once the detail was read, it no longer matters whether the entry is as before.
        Look::Glance { .. } if view.seen.cluster.is_some() => {
            rights(Answer::Glance, [Glance::Changed, Glance::Absent, Glance::Crowded])
        }
        Look::Glance { .. } => {
            let moving = [State::Making, State::Busy, State::Deleting].map(Glance::Moving);
            let others = [Glance::Same, Glance::Changed, Glance::Absent, Glance::Crowded];
            rights(Answer::Glance, moving.into_iter().chain(others))
        }
        Look::Cluster(_) if again => each(Answer::Cluster, changed(view)),
        Look::Cluster(_) => each(Answer::Cluster, existences()),
        Look::Listing { began_after } => rights(Answer::Listing, listings(*began_after, view)),
        Look::Elsewhere { began_after, .. } => rights(Answer::Elsewhere, listings(*began_after, view)),
        Look::Fence => each(Answer::Fence, [true, false]),
        Look::Body => each(Answer::Body, [()]),
        Look::Turn => each(Answer::Turn, [()]),
        Look::Uprooted => each(Answer::Uprooted, [true, false]),
        Look::Drift => {
            let drifts = [drift(&[]), drift(&[wanted(), another()]), Drift { fixed: true, ..drift(&[another()]) }];
            each(Answer::Drift, drifts)
        }
        Look::Progress => each(Answer::Progress, [false, true].map(|over| Progress { note: "".into(), over })),
        Look::Cause => each(Answer::Cause, none()),
        Look::Trace(_) => each(Answer::Trace, [true, false]),
        Look::Kubeconfig => {
            let fresh = |renew| Published::Fresh { renew };
            let foreign = [Published::Foreign("".into()), Published::NoEndpoint("".into())];
            each(Answer::Kubeconfig, [Published::Absent, fresh(NOW), fresh(NOW + mins(1))].into_iter().chain(foreign))
        }
        Look::Leftovers(_) => each(Answer::Leftovers, none()),
    }
}

fn existences() -> Vec<Existence> {
    use State::*;
    let other = |namesake| Owner::Other { nonce: "n9".into(), namesake };
    let mut existences = vec![Existence::Unknown];
    for state in [Making, Running, ChangeFailed, Busy, Down, Failed, Deleting, DeleteFailed] {
        // What is not ours is shown as what would be done most with.
        let ours = [None, Some(true), Some(false)].map(|guarded| (guarded, Owner::Mine));
        let others = [Owner::Nobody, other(true), other(false), Owner::Claimed("x".into())];
        for (guarded, owner) in ours.into_iter().chain(others.map(|owner| (Some(false), owner))) {
            existences.push(Existence::Here(Cluster { state, word: "".into(), guarded, owner, read: NOW - secs(3) }));
        }
    }
    existences
}

/// What may have become of the cluster between two reads.
fn changed(view: &View) -> Vec<Existence> {
    let Some(Ok(Existence::Here(before))) = &view.seen.cluster else { return existences() };
    let now = || Cluster { read: NOW - secs(1), ..before.clone() };
    let shown = [
        now(),
        now().with(|c| c.guarded = Some(true)),
        now().with(|c| c.guarded = Some(false)),
        now().with(|c| c.owner = Owner::Nobody),
        now().with(|c| c.state = State::Busy),
    ];
    shown.into_iter().map(Existence::Here).chain([Existence::Unknown]).collect()
}

fn listings(began_after: Timestamp, view: &View) -> Vec<Listing> {
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
    if matches!(view.standing, Standing::Known(_)) {
        return listings;
    }
    let rivals = [("n9", true, false), ("n9", true, true), ("n1", false, false)];
    listings.extend(rivals.map(|(nonce, namesake, going)| Listing {
        rival: Some(Rival { nonce: nonce.into(), namesake, ..rival(going) }),
        ..fine.clone()
    }));
    listings.extend([None, Some(mins(1))].map(|until| Listing { undecided: Some(untagged(until)), ..fine.clone() }));
    // What could be ours stays that, whoever vouches for the list and whatever else is in it.
    listings.push(Listing { undecided: Some(untagged(None)), trusted: false, began: NOW, ..fine.clone() });
    listings.push(Listing { rival: Some(rival(false)), undecided: Some(untagged(None)), began: NOW, ..fine });
    listings
}
