//! The judgement: a [`View`] in, one [`Step`] out. It asks for what it wants to see, says what shall be done, or why
//! it rests. Pure: no I/O, no client, no clock, no randomness; every time it compares is a value it was given.
//!
//! The shell drives it in a loop: a `Look` is answered into [`Evidence`], an `Act` is one guarded write or one call
//! after which the object is read afresh, a `Rest` ends the pass. The model and the tests drive the same function.

use jiff::{SignedDuration, Timestamp};

use crate::terms::{AccountId, Class, ClusterId, Intent, Note, Reason, Site};

mod change;
mod create;
mod delete;
mod once;
mod rules;
mod step;
mod view;

pub use rules::Rules;
pub use step::{Act, Free, Look, Step, Verdict, Work};
pub use view::{
    Change, Closed, Cluster, Deed, Drift, Evidence, Existence, Glance, Goal, Guard, Known, Listing, Memo, Owner,
    Published, Rival, Seen, Sent, Standing, State, Trouble, View, Word,
};

/// What to do next. Total: it has an answer for every view.
pub fn decide(view: &View, rules: &Rules) -> Step {
    judge(view, rules).unwrap_or_else(|step| step)
}

/// The most urgent case first. `Err` is a step too: the one that gets what is missing.
fn judge(v: &View, rules: &Rules) -> Result<Step, Step> {
    use {Goal::*, Standing::*};
    // An answer that names a cluster is recorded before anything else is thought of, whatever the object has become.
    match (&v.seen.sent, &v.standing) {
        (Some((_, Sent::Created(id, _))), Known(known)) if known.id != *id => {
            let which = format!("clusters {} and {id}", known.id);
            return Ok(Step::Rest(once::duplicate(&which).at(v.now + rules.slow)));
        }
        (Some((_, Sent::Created(id, site))), New { .. } | Sealed { .. } | Adopting(_)) => {
            return Ok(Step::Act(Act::Record { id: id.clone(), site: site.clone(), adopted: false }));
        }
        _ => {}
    }
    Ok(match (&v.goal, &v.standing) {
        // Without our finalizer a going object no longer waits for us.
        (Destroy | Release, _) if !v.finalizer => {
            Step::Rest(Verdict::held(None, Reason::Retained, "the finalizer is gone; nothing is done for this object"))
        }
        (Manage, _) if !v.finalizer => Step::Act(Act::AddFinalizer),
        (Observe | Pause, Sealed { .. } | Known(_)) if !v.finalizer => Step::Act(Act::AddFinalizer),

        (_, Sealed { intent, mine }) => once::resolve(v, intent, *mine, rules)?,

        (Pause, _) => Step::Rest(paused(rules)),
        (Observe, New { .. }) => {
            Step::Rest(Verdict::held(Some(false), Reason::Observed, "no cluster yet; observed only, so none is made"))
        }
        (Manage, New { attempts, last, .. }) => create::begin(v, *attempts, last.as_ref(), rules)?,
        (Manage | Observe, Adopting(id)) => create::adopt(v, id, rules)?,
        (Manage | Observe, Known(known)) => change::keep(v, known, rules)?,

        (Release, Known(known)) => Step::Act(Act::Release(Free::Kept(known.id.clone()))),
        (Destroy, Known(known)) => delete::destroy(v, known, rules)?,
        (Destroy | Release, Adopting(_)) => Step::Act(Act::Release(Free::NeverSealed)),
        (Destroy | Release, New { last, blank, .. }) => delete::leave(v, last.as_ref(), *blank, rules)?,
    })
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
    Err(Step::Rest(Verdict::stuck(Some(false), Reason::AccountChanged, note).at(v.now + rules.slow)))
}

/// What trouble means for the object, and when to try again.
fn troubled(v: &View, rules: &Rules, trouble: &Trouble) -> Verdict {
    let reason = trouble.reason.unwrap_or_else(|| trouble.class.into());
    let wait = rules.pace(trouble.class, trouble.wait, v.streak);
    let note = match (v.goal, reason) {
        (Goal::Destroy, Reason::CredentialsMissing) => format!(
            "{}. The deletion waits for credentials: restore the Secret; or remove spec.credentialsRef where the \
             operator's own account is the cluster's; or keep the cluster with deletionPolicy: Retain",
            trouble.note
        )
        .into(),
        _ => trouble.note.clone(),
    };
    let verdict = match trouble.class {
        Class::Throttled | Class::Transient | Class::Busy | Class::Clock | Class::NotFound | Class::Unknown => {
            Verdict::under_way(None, reason, note)
        }
        Class::Credentials
        | Class::Permission
        | Class::User
        | Class::Taken
        | Class::Refused
        | Class::Quota
        | Class::Account => Verdict::stuck(Some(false), reason, note),
    };
    // Trouble proves nothing, so it takes nothing back of what was proven before.
    verdict.at(v.now + wait).still(&v.memo)
}
