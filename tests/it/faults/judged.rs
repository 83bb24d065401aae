//! Every class of trouble at every look and every act, in every moment that `views` knows: it is named, waited out, and
//! nothing follows from it. Pure.

use std::collections::HashMap;
use std::mem::discriminant;

use ack_operator::decide::{
    Act, Deed, Evidence, Goal, Look, Rules, Sent, State, Step, Trouble, Verdict, View, Work, decide,
};
use ack_operator::decide::{Closed, Existence};
use ack_operator::terms::{Class, Note, Reason};
use jiff::SignedDuration;
use libtest_mimic::Trial;

use crate::views::total::{GOALS, walk};

pub fn tests() -> Vec<Trial> {
    GOALS
        .into_iter()
        .map(|goal| {
            let name = format!("faults: whatever a look or an act meets, it is named and nothing follows: {goal:?}");
            Trial::test(name, move || Ok(through(goal)?))
        })
        .collect()
}

const CLASSES: [Class; 11] = [
    Class::NotFound,
    Class::Throttled,
    Class::Transient,
    Class::Busy,
    Class::Credentials,
    Class::Permission,
    Class::User,
    Class::Quota,
    Class::Account,
    Class::Clock,
    Class::Unknown,
];

const SAYS: &str = "as ACK tells it";

/// Every class at every look and act of every standing: all of them at the first views, then one at each in turn, since
/// there are millions.
fn through(goal: Goal) -> Result<(), String> {
    let rules = Rules::default();
    let (mut troubles, mut places) = (0, HashMap::<_, usize>::new());
    walk(goal, &rules, 25, &mut |view, step| {
        let place = match step {
            Step::Look(look) => (Some(discriminant(look)), None),
            Step::Act(act) => (None, Some(discriminant(act))),
            Step::Rest(_) => return Ok(()),
        };
        let visits = places.entry((discriminant(&view.standing), place)).or_default();
        *visits += 1;
        let classes = if *visits <= 3 { &CLASSES[..] } else { &CLASSES[*visits % CLASSES.len()..][..1] };
        for class in classes {
            let right = match step {
                Step::Look(look) => looked(view, look, *class, &rules),
                Step::Act(act) => acted(view, act, *class, &rules),
                Step::Rest(_) => Ok(()),
            };
            right.map_err(|step| format!("{class:?} at {step:?} after {view:#?}"))?;
            troubles += 1;
        }
        Ok(())
    })?;
    println!("{goal:?}: {troubles} troubles in {} places", places.len());
    Ok(())
}

fn trouble(class: Class) -> Trouble {
    Trouble { class, reason: None, note: SAYS.into(), wait: Some(SignedDuration::from_secs(7)) }
}

/// A look fails. The answer is what is wrong then.
fn looked(view: &View, look: &Look, class: Class, rules: &Rules) -> Result<(), Step> {
    let mut failed = view.clone();
    fail(&mut failed.seen, look, trouble(class));
    let step = decide(&failed, rules);
    let right = match (look, &step) {
        // Good to have, and never worth waiting for.
        (Look::Progress | Look::Cause, Step::Rest(verdict)) => rests(view, verdict),
        (Look::Leftovers(_), Step::Act(Act::Delete { .. })) => true,
        // The cluster serves whether or not its kubeconfig can be had.
        (Look::Kubeconfig, Step::Rest(verdict)) => verdict.ready == Some(true) && rests(view, verdict),
        (_, Step::Rest(verdict)) => named(view, verdict, class, rules) && verdict.memo == view.memo,
        _ => false,
    };
    if right { Ok(()) } else { Err(step) }
}

/// An act fails, and what was seen before it is seen again.
fn acted(view: &View, act: &Act, class: Class, rules: &Rules) -> Result<(), Step> {
    let mut failed = view.clone();
    let deed = match act {
        Act::Claim(_) => Deed::Claim,
        Act::Protect { .. } => Deed::Protect,
        Act::Change { change, .. } => Deed::Change(change.clone()),
        Act::Delete { .. } => Deed::Delete,
        Act::Publish(_) => Deed::Publish,
        Act::Send { .. } => return sent(view, class, rules),
        // Writes to Kubernetes, which end the pass when they fail.
        Act::AddFinalizer
        | Act::Seal { .. }
        | Act::Record { .. }
        | Act::Close(_)
        | Act::Forget(_)
        | Act::Release(_) => {
            return Ok(());
        }
    };
    failed.seen.acted = Some((deed.clone(), Err(trouble(class))));
    if deed == Deed::Publish {
        failed.seen.kubeconfig = Some(Err(trouble(class)));
    }
    let step = decide(&failed, rules);
    // ACK changes a cluster only while it runs; another is deleted as it is, and ACK refuses a protected one.
    let runs = matches!(&view.seen.cluster, Some(Ok(Existence::Here(cluster))) if cluster.state == State::Running);
    let deletes = !runs && [Class::Busy, Class::User, Class::Unknown].contains(&class);
    let for_a_person = [Class::User, Class::Permission, Class::Quota, Class::Account].contains(&class);
    let right = match (deed.clone(), &step) {
        (Deed::Publish, Step::Rest(verdict)) => verdict.ready == Some(true) && rests(view, verdict),
        // What a person must mend is told, and nothing else waits for it.
        (Deed::Change(_), Step::Look(Look::Kubeconfig)) => for_a_person,
        (Deed::Change(_), Step::Rest(verdict)) if for_a_person => {
            verdict.ready == Some(true)
                && words(verdict).is_some_and(|(_, note)| note.as_str().contains(SAYS))
                && rests(view, verdict)
        }
        (Deed::Change(_), Step::Rest(verdict)) => {
            verdict.ready == Some(true) && {
                let ready = (class == Class::Credentials).then_some(false);
                named(view, &Verdict { ready, ..verdict.clone() }, class, rules)
            }
        }
        // The spec protects a cluster that is to go, and the cloud cannot be made to.
        (Deed::Protect, Step::Rest(Verdict { work: Work::Stuck(Reason::DeletionProtected, note), .. })) => {
            view.guard.word == Some(true) && note.as_str().contains(SAYS)
        }
        (Deed::Protect | Deed::Delete, Step::Rest(verdict))
            if class == Class::User && !(deletes && deed == Deed::Protect) =>
        {
            let said = words(verdict).is_some_and(|(reason, note)| {
                [Reason::UpdateFailed, Reason::DeleteFailed, Reason::InvalidSpec].contains(&reason)
                    && note.as_str().contains(SAYS)
            });
            said && rests(view, verdict)
        }
        (Deed::Protect, Step::Rest(verdict)) if deletes => rests(view, verdict),
        (_, Step::Rest(verdict)) => named(view, verdict, class, rules),
        (Deed::Protect, Step::Act(Act::Delete { .. }) | Step::Look(Look::Leftovers(_) | Look::Cause)) => deletes,
        _ => false,
    };
    if right { Ok(()) } else { Err(step) }
}

/// A refused request is closed, and one whose outcome is not known is looked for.
fn sent(view: &View, class: Class, rules: &Rules) -> Result<(), Step> {
    let ack_operator::decide::Standing::Sealed { intent, .. } = &view.standing else {
        return Err(Step::Act(Act::AddFinalizer));
    };
    let after = |sent: Sent| {
        let mut view = view.clone();
        view.seen.sent = Some((intent.nonce.clone(), sent));
        decide(&view, rules)
    };
    match after(Sent::Refused(class, SAYS.into())) {
        Step::Act(Act::Close(Closed::Refused { class: closed, note, .. }))
            if closed == class && note.as_str() == SAYS => {}
        step => return Err(step),
    }
    match after(Sent::Unknown(SAYS.into())) {
        Step::Look(_) => Ok(()),
        Step::Rest(verdict) if rests(view, &verdict) => Ok(()),
        step => Err(step),
    }
}

fn words(verdict: &Verdict) -> Option<(Reason, &Note)> {
    match &verdict.work {
        Work::UnderWay(reason, note) | Work::Stuck(reason, note) | Work::Held(reason, note) => Some((*reason, note)),
        Work::Done | Work::Same => None,
    }
}

fn rests(view: &View, verdict: &Verdict) -> bool {
    verdict.again.is_some_and(|again| again > view.now)
}

/// Reason and sentence are those of the trouble, what is known of the cluster stays known where no person is needed, and
/// the pace is that of the class.
fn named(view: &View, verdict: &Verdict, class: Class, rules: &Rules) -> bool {
    use Class::*;
    let stuck = [Credentials, Permission, User, Quota, Account].contains(&class);
    let said = words(verdict).is_some_and(|(reason, note)| reason == class.into() && note.as_str().contains(SAYS));
    let pace = rules.pace(class, trouble(class).wait, view.streak);
    said && matches!(verdict.work, Work::Stuck(..)) == stuck
        && verdict.ready == stuck.then_some(false)
        && pace.is_positive()
        && verdict.again == Some(view.now + pace)
}

fn fail(seen: &mut Evidence, look: &Look, trouble: Trouble) {
    match look {
        Look::Account => seen.account = Some(Err(trouble)),
        Look::Glance(_) => seen.glance = Some(Err(trouble)),
        Look::Cluster(_) => seen.cluster = Some(Err(trouble)),
        Look::Listing { .. } => seen.listing = Some(Err(trouble)),
        Look::Fence => seen.fence = Some(Err(trouble)),
        Look::Body => seen.body = Some(Err(trouble)),
        Look::Uprooted => seen.uprooted = Some(Err(trouble)),
        Look::Drift => seen.drift = Some(Err(trouble)),
        Look::Progress => seen.progress = Some(Err(trouble)),
        Look::Cause => seen.cause = Some(Err(trouble)),
        Look::Trace(_) => seen.trace = Some(Err(trouble)),
        Look::Leftovers(_) => seen.leftovers = Some(Err(trouble)),
        Look::Kubeconfig => seen.kubeconfig = Some(Err(trouble)),
    }
}
