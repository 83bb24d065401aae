//! The judgement: a [`View`] in, one [`Step`] out. It asks for what it wants to see, says what shall be done, or why
//! it rests. Pure: no I/O, no client, no clock, no randomness; every time it compares is a value it was given.
//!
//! The shell drives it in a loop: a `Look` is answered into [`Evidence`], an `Act` is one guarded write, one call, or for
//! what cannot be taken back the one and then the other; after it the object is read afresh. A `Rest` ends the pass. The
//! model and the tests drive the same function.

use jiff::{SignedDuration, Timestamp};

use crate::terms::{AccountId, Class, ClusterId, Intent, Nonce, Note, Reason, Region, Site};
pub use crate::terms::{Asked, End};

/// When a list proves that something is absent, and when a cluster is gone.
mod absence;
/// What an act leaves of a view.
mod after;
/// What was asked of ACK before, and when it may be asked for again.
mod asked;
mod evidence;
/// Following a cluster at which ACK works.
mod follow;
/// Keeping a cluster as the spec says.
mod keep;
/// Letting go.
mod leave;
/// Beginning: the seal, and adoption.
mod make;
/// Finding out what became of a sealed request.
mod once;
/// Whose a cluster is, and marking it.
mod owner;
mod rules;
mod step;
mod view;

pub use evidence::{
    Answer, Change, Cluster, Deed, Drift, Evidence, Existence, Glance, Listing, Owner, Progress, Published, Rival,
    Seen, Sent, State, Trouble, Undecided, Via,
};
pub use follow::making;
pub use make::{asking, queued};
pub use rules::Rules;
pub use step::{Act, Ask, ByList, Free, Lock, Look, Step, Verdict, Work};
pub use view::{Closed, Ended, Followed, Goal, Guard, Known, Mark, Memo, Standing, View, Word, keys};

/// How a protection is lifted that was raised in ACK after the spec said false: the word is given anew, and seen in between.
const LIFT: &str = "kubectl patch ackcluster NAME --type merge -p '{\"spec\":{\"deletion_protection\":true}}' && kubectl wait \
                    ackcluster NAME --for=jsonpath='{.status.protectionSeen.word}'=true && kubectl patch ackcluster NAME \
                    --type merge -p '{\"spec\":{\"deletion_protection\":false}}'";

/// Why a protection stays that was asked to be lifted.
const UNLIFTED: &str = "ACK was asked to lift deletion protection and it is on; somebody may have switched it on since, so it is \
                        not lifted again for the same word";

/// What to do next. Total: it has an answer for every view.
pub fn decide(view: &View, rules: &Rules) -> Step {
    match judge(view, rules).unwrap_or_else(|step| step) {
        Step::Rest(verdict) => Step::Rest(asked::concluded(view, rules, verdict)),
        step => step,
    }
}

/// The most urgent case first. `Err` is a step too: the one that gets what is missing.
fn judge(v: &View, rules: &Rules) -> Result<Step, Step> {
    use {Goal::*, Standing::*};
    // An answer that names a cluster is recorded before anything else is thought of, whatever the object has become.
    match (&v.seen.sent, &v.standing) {
        (Some((_, Sent::Created(id, _))), Known(known)) if known.id != *id => {
            let which = format!("clusters {} and {id}", known.id);
            return Ok(Step::Rest(absence::duplicate(&which).at(v.now + rules.slow)));
        }
        (Some((_, Sent::Created(id, site))), New { .. } | Sealed { .. }) => {
            return Ok(Step::Act(Act::Record { id: id.clone(), site: site.clone(), adopted: false }));
        }
        _ => {}
    }
    // What is shown right after a DELETE may still be the state before it.
    if let Some(outcome) = v.did(|deed| *deed == Deed::Delete) {
        return Ok(Step::Rest(leave::asked_for(v, outcome, rules)));
    }
    Ok(match (&v.goal, &v.standing) {
        // Without our finalizer a going object no longer waits for us.
        (Destroy | Release, _) if !v.finalizer => {
            Step::Rest(Verdict::held(None, Reason::Retained, "the finalizer is gone; nothing is done for this object"))
        }
        (Manage | Observe | Pause, Sealed { .. } | Known(_)) if !v.finalizer => hold(v, rules),

        (_, Sealed { intent, mine, said }) => once::resolve(v, intent, *mine, said.as_ref(), rules)?,

        (Pause, _) => Step::Rest(paused(rules)),
        (Manage | Observe, New { adopt: Some(id), last, .. }) => make::adopt(v, id, last.as_ref(), rules)?,
        (Observe, New { .. }) => {
            Step::Rest(Verdict::held(Some(false), Reason::Observed, "no cluster yet; observed only, so none is made"))
        }
        (Manage, New { attempts, last, .. }) => make::begin(v, *attempts, last.as_ref(), rules)?,
        (Manage | Observe, Known(known)) => keep::keep(v, known, rules)?,

        (Release, Known(known)) => leave::retain(v, known)?,
        (Destroy, Known(known)) => leave::destroy(v, known, rules)?,
        (Destroy | Release, New { last, blank, .. }) => {
            // Deleted right after this pass had put the finalizer on: nothing was sealed since, so no status was lost.
            let shown = matches!(&v.seen.listing, Some(Ok(list)) if !list.ours.is_empty());
            let held = !shown && matches!(v.did(|deed| *deed == Deed::Hold), Some(Ok(())));
            leave::leave(v, last.as_ref(), *blank && !held, rules)?
        }
    })
}

/// The step that puts our finalizer on the object, or says why it is not there.
fn hold(v: &View, rules: &Rules) -> Step {
    match v.did(|deed| *deed == Deed::Hold) {
        Some(Err(trouble)) => Step::Rest(troubled(v, rules, trouble)),
        Some(Ok(())) | None => Step::Act(Act::AddFinalizer),
    }
}

/// `Ok` once our finalizer is there. It comes right before the first thing that an object must not be lost after, so that one
/// which never got so far can be deleted by anybody at once.
fn held(v: &View, rules: &Rules) -> Result<(), Step> {
    if v.finalizer { Ok(()) } else { Err(hold(v, rules)) }
}

fn paused(rules: &Rules) -> Verdict {
    let note = if rules.read_only {
        "held: this operator runs with --read-only; it goes on once that is lifted"
    } else {
        "held by the annotation ackoperator.dev/paused or ackoperator.dev/observe; remove it to go on"
    };
    Verdict::held(None, Reason::Paused, note)
}

/// The answer to a look, or the step that gets it.
fn ask<'a, T>(v: &View, rules: &Rules, seen: &'a Seen<T>, look: Look) -> Result<&'a T, Step> {
    match seen {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(trouble)) => Err(Step::Rest(troubled(v, rules, trouble))),
        None => Err(Step::Look(look)),
    }
}

/// Credentials that belong to `account`, or the step that says why not.
fn pinned(v: &View, rules: &Rules, account: &AccountId) -> Result<(), Step> {
    let now = ask(v, rules, &v.seen.account, Look::Account)?;
    if now == account {
        return Ok(());
    }
    let note = format!(
        "the credentials in use belong to account {now}, the cluster to account {account}: nothing is read, changed or \
         deleted with them; give credentials of account {account}"
    );
    Err(Step::Rest(Verdict::stuck(unready(v), Reason::AccountChanged, note).at(v.now + rules.slow)))
}

/// What `Ready` is while a person must act. Of a recorded cluster it stays what ACK last said: troubles of keys, rights,
/// quotas and accounts do not make a cluster that serves unready.
fn unready(v: &View) -> Option<bool> {
    match v.standing {
        Standing::Known(_) => None,
        Standing::New { .. } | Standing::Sealed { .. } => Some(false),
    }
}

/// What trouble means for the object, and when to try again.
fn troubled(v: &View, rules: &Rules, trouble: &Trouble) -> Verdict {
    let reason = trouble.reason.unwrap_or_else(|| trouble.class.into());
    let wait = rules.pace(trouble.class, trouble.wait, v.streak);
    if trouble.class == Class::Queued {
        return Verdict::new(None, Work::Same).at(v.now + wait).still(&v.memo);
    }
    let note = match (v.goal, reason) {
        (Goal::Destroy, Reason::CredentialsMissing) => format!(
            "{}. The deletion waits for credentials: restore the Secret; or remove spec.credentialsRef where the \
             operator's own account is the cluster's; or keep the cluster with deletionPolicy: Retain",
            trouble.note
        )
        .into(),
        _ => trouble.note.clone(),
    };
    let verdict = if trouble.class.for_a_person() {
        Verdict::stuck(unready(v), reason, note)
    } else {
        Verdict::under_way(None, reason, note)
    };
    // Trouble proves nothing, so it takes nothing back of what was proven before.
    verdict.at(v.now + wait).still(&v.memo)
}
