//! Every class of trouble at every look and every act, in every moment that `views` knows: it is named, waited out, and
//! nothing follows from it. Pure.

use std::collections::HashMap;
use std::mem::discriminant;

use ack_operator::decide::{
    Act, Answer, Ask, Closed, Deed, End, Evidence, Existence, Free, Goal, Look, Memo, Rules, Sent, Standing, State,
    Step, Trouble, Verdict, View, Word, Work, decide,
};
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

const CLASSES: [Class; 13] = [
    Class::NotFound,
    Class::Throttled,
    Class::Transient,
    Class::Busy,
    Class::Credentials,
    Class::Permission,
    Class::User,
    Class::Taken,
    Class::Refused,
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
    Trouble { wait: Some(SignedDuration::from_secs(7)), ..Trouble::new(class, SAYS) }
}

/// A look fails. The answer is what is wrong then.
fn looked(view: &View, look: &Look, class: Class, rules: &Rules) -> Result<(), Step> {
    let mut failed = view.clone();
    failed.seen.take(failing(look, trouble(class)));
    let step = decide(&failed, rules);
    let going = matches!(view.goal, Goal::Destroy | Goal::Release);
    let right = match (look, &step) {
        // Good to have, and never worth waiting for.
        (Look::Progress | Look::Cause, Step::Rest(verdict)) => rests(view, verdict),
        (Look::Leftovers(_), Step::Look(Look::Cluster(_))) => true,
        // The cluster serves whether or not its kubeconfig can be had.
        (Look::Kubeconfig, Step::Rest(verdict)) => verdict.ready == Some(true) && rests(view, verdict),
        // Without the right to list, the cluster is read by itself; nothing is asked of ACK then.
        (Look::Glance { .. }, Step::Look(_)) => class == Class::Permission,
        // Who keeps the cluster waits for nothing that can only be read.
        (Look::Account | Look::Cluster(_), Step::Act(Act::Release(Free::Kept(..)))) => view.goal == Goal::Release,
        (_, Step::Act(Act::Release(Free::Untraced(_)))) => view.goal == Goal::Release && class.for_a_person(),
        // A person's word that there is no cluster is believed where only a person gets further.
        (_, Step::Act(Act::Release(Free::NeverMade | Free::NeverSealed))) => {
            going && class.for_a_person() && view.words.iter().any(|word| matches!(word, Word::ConfirmAbsent(_)))
        }
        (_, Step::Rest(verdict)) if unlisted(&failed) => rests(view, verdict),
        (_, Step::Rest(verdict)) => named(view, verdict, class, rules, unready(view)) && keeps(view, verdict),
        _ => false,
    };
    if right { Ok(()) } else { Err(step) }
}

/// An act fails, and what was seen before it is seen again.
fn acted(view: &View, act: &Act, class: Class, rules: &Rules) -> Result<(), Step> {
    if let Act::Send { .. } = act {
        return sent(view, class, rules);
    }
    // Writes to Kubernetes end the pass when they fail.
    let Some(deed) = act.deed() else { return Ok(()) };
    let mut failed = view.after(act, Err(trouble(class)));
    failed.seen = Evidence { acted: failed.seen.acted, ..view.seen.clone() };
    if deed == Deed::Publish {
        failed.seen.kubeconfig = Some(Err(trouble(class)));
    }
    let step = decide(&failed, rules);
    let serves = match &view.seen.cluster {
        Some(Ok(Existence::Here(cluster))) => {
            matches!(cluster.state, State::Running | State::ChangeFailed | State::Busy)
        }
        _ => false,
    };
    // ACK changes a cluster only while it runs; another is deleted as it is, and ACK refuses a protected one.
    let runs = matches!(&view.seen.cluster, Some(Ok(Existence::Here(cluster))) if cluster.state == State::Running);
    let said = |verdict: &Verdict| words(verdict).is_some_and(|(_, note)| note.as_str().contains(SAYS));
    let told = |verdict: &Verdict| said(verdict) && matches!(verdict.work, Work::Stuck(..)) && rests(view, verdict);
    let right = match (deed, &step) {
        (Deed::Publish, Step::Rest(verdict)) => verdict.ready == Some(true) && rests(view, verdict),
        // Without the right to list, that is what is named.
        (_, Step::Rest(verdict)) if unlisted(view) => said(verdict) && rests(view, verdict),
        // The spec protects a cluster that is to go, and the cloud cannot be made to.
        (Deed::Protect(true), Step::Rest(verdict))
            if words(verdict).is_some_and(|(reason, _)| reason == Reason::DeletionProtected) =>
        {
            said(verdict)
        }
        (Deed::Protect(false), Step::Act(Act::Ask(Ask { deed: Deed::Delete, .. })) | Step::Look(_)) if !runs => {
            class.refuses() || [Class::Busy, Class::Unknown].contains(&class)
        }
        (Deed::Protect(false), Step::Rest(verdict))
            if !runs && (class.refuses() || [Class::Busy, Class::Unknown].contains(&class)) =>
        {
            rests(view, verdict)
        }
        // What ACK refuses is told, and nothing that does not depend on it waits for it.
        (
            Deed::Protect(_) | Deed::Change(_),
            Step::Act(Act::Ask(Ask { deed: Deed::Change(_), .. })) | Step::Look(_),
        ) => class.refuses(),
        // While another one is waited for, it is written down, and told after that.
        (Deed::Protect(_) | Deed::Change(_), Step::Rest(verdict))
            if verdict.ends.iter().any(|(_, end)| matches!(end, Some(End::Refused(_)))) =>
        {
            rests(view, verdict)
        }
        (Deed::Claim | Deed::Protect(_) | Deed::Change(_) | Deed::Delete, Step::Rest(verdict)) if class.refuses() => {
            told(verdict)
        }
        (Deed::Claim, Step::Rest(verdict)) => named(view, verdict, class, rules, Some(serves)),
        (Deed::Protect(_) | Deed::Change(_), Step::Rest(verdict)) if view.goal == Goal::Manage && serves => {
            named(view, verdict, class, rules, Some(true))
        }
        (_, Step::Rest(verdict)) => named(view, verdict, class, rules, unready(view)),
        _ => false,
    };
    if right { Ok(()) } else { Err(step) }
}

/// The list may not be read.
fn unlisted(view: &View) -> bool {
    matches!(&view.seen.glance, Some(Err(trouble)) if trouble.class == Class::Permission)
}

/// Of a recorded cluster `Ready` stays what ACK said last.
fn unready(view: &View) -> Option<bool> {
    if let Standing::Known(_) = view.standing { None } else { Some(false) }
}

/// Trouble takes back nothing of what was remembered.
fn keeps(view: &View, verdict: &Verdict) -> bool {
    verdict.memo == view.memo
        || matches!((&view.memo, &verdict.memo), (Some(Memo::Taken(_)), _) | (None, Some(Memo::Taken(_))))
}

/// A refused request is closed, and one whose outcome is not known is looked for.
fn sent(view: &View, class: Class, rules: &Rules) -> Result<(), Step> {
    let Standing::Sealed { intent, .. } = &view.standing else {
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

/// Reason and sentence are those of the trouble, `Ready` is `stuck` where a person is needed and else as last known, and the
/// pace is that of the class.
fn named(view: &View, verdict: &Verdict, class: Class, rules: &Rules, stuck: Option<bool>) -> bool {
    let said = words(verdict).is_some_and(|(reason, note)| reason == class.into() && note.as_str().contains(SAYS));
    let pace = rules.pace(class, trouble(class).wait, view.streak);
    let person = class.for_a_person();
    said && matches!(verdict.work, Work::Stuck(..)) == person
        && (verdict.ready == if person { stuck } else { None } || verdict.ready == stuck)
        && pace.is_positive()
        && verdict.again == Some(view.now + pace)
}

fn failing(look: &Look, trouble: Trouble) -> Answer {
    match look {
        Look::Account => Answer::Account(Err(trouble)),
        Look::Glance { .. } => Answer::Glance(Err(trouble)),
        Look::Cluster(_) => Answer::Cluster(Err(trouble)),
        Look::Listing { .. } => Answer::Listing(Err(trouble)),
        Look::Elsewhere { .. } => Answer::Elsewhere(Err(trouble)),
        Look::Fence => Answer::Fence(Err(trouble)),
        Look::Body => Answer::Body(Err(trouble)),
        Look::Uprooted => Answer::Uprooted(Err(trouble)),
        Look::Drift => Answer::Drift(Err(trouble)),
        Look::Progress => Answer::Progress(Err(trouble)),
        Look::Cause => Answer::Cause(Err(trouble)),
        Look::Trace(_) => Answer::Trace(Err(trouble)),
        Look::Turn => Answer::Turn(Err(trouble)),
        Look::Leftovers(_) => Answer::Leftovers(Err(trouble)),
        Look::Kubeconfig => Answer::Kubeconfig(Err(trouble)),
    }
}
