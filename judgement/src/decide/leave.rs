//! Letting go: never against the protection, never a cluster that is not ours, and never the finalizer before the
//! cluster is proven gone.

use super::asked::{May, Pace, Pause, Why};
use super::*;

/// The object goes and its cluster with it.
pub(super) fn destroy(v: &View, known: &Known, rules: &Rules) -> Result<Step, Step> {
    pinned(v, rules, &known.site.account)?;
    match &v.seen.glance {
        None => return Err(Step::Look(follow::glance(v, known, rules))),
        Some(Err(trouble)) if trouble.class != Class::Permission => {
            return Err(Step::Rest(troubled(v, rules, trouble)));
        }
        Some(_) => {}
    }
    follow::waits(v, known, rules)?;
    // The detail is what is read last before anything is asked of ACK.
    if v.seen.cluster.is_none() && v.guard.word != Some(true) && follow::asked(known).is_none() {
        ask(v, rules, &v.seen.turn, Look::Turn)?;
        ask(v, rules, &v.seen.uprooted, Look::Uprooted)?;
        keep::note_of(&v.seen.leftovers, Look::Leftovers(known.id.clone()), "")?;
    }
    match ask(v, rules, &v.seen.cluster, Look::Cluster(known.id.clone()))? {
        Existence::Unknown => {
            absence::gone(v, known, rules)?;
            Ok(Step::Act(Act::Release(Free::Gone)))
        }
        Existence::Here(cluster) => remove(v, known, cluster, rules),
    }
}

/// The object goes and its cluster stays. What is said of it is looked at first; nothing waits for that.
pub(super) fn retain(v: &View, known: &Known) -> Result<Step, Step> {
    let id = &known.id;
    let unread = || "it stays, with its tags; its state could not be read".into();
    let note: Note = match &v.seen.account {
        None => return Err(Step::Look(Look::Account)),
        Some(Ok(account)) if *account == known.site.account => match &v.seen.cluster {
            None => return Err(Step::Look(Look::Cluster(id.clone()))),
            Some(Ok(Existence::Here(cluster))) if cluster.state == State::Deleting => {
                "ACK is deleting it already, which deletionPolicy: Retain does not stop".into()
            }
            Some(Ok(Existence::Here(_))) => "it stays, with its tags".into(),
            Some(Ok(Existence::Unknown)) => "ACK does not know it".into(),
            Some(Err(_)) => unread(),
        },
        Some(Ok(_) | Err(_)) => unread(),
    };
    Ok(Step::Act(Act::Release(Free::Kept(id.clone(), note))))
}

/// No id and no open intent. That is enough where nothing was ever sealed, or the last attempt is proven absent. A list
/// must confirm it where the status was lost, and where a refusal depended on the moment: another copy of that request
/// may have fared better.
pub(super) fn leave(v: &View, last: Option<&Ended>, blank: bool, rules: &Rules) -> Result<Step, Step> {
    let free = if last.is_some() { Free::NeverMade } else { Free::NeverSealed };
    let nonce = last.map_or(&v.nonce, |last| &last.nonce);
    let confirmed = v.said(&Word::ConfirmAbsent(nonce.clone()));
    let blind = |step| once::blind(v, nonce, confirmed, step);
    absence::no_copies(v, last, rules).map_err(blind)?;
    if blank {
        lost(v, rules).map_err(blind)?;
    }
    Ok(Step::Act(Act::Release(free)))
}

/// `Ok` once a list shows that no cluster was made by an object whose status is empty although it once was about to seal.
fn lost(v: &View, rules: &Rules) -> Result<(), Step> {
    let list = absence::owner_list(v, rules)?;
    let stuck = |reason, note| Err(Step::Rest(Verdict::stuck(Some(false), reason, note).at(v.now + rules.slow)));
    if let Some(rival) = &list.rival {
        let note = format!(
            "the status of this object was lost, and cluster {} carries its name: it may be this object's; to leave it \
             there: deletionPolicy: Retain",
            rival.id
        );
        return stuck(Reason::OwnershipConflict, note);
    }
    if !list.trusted && !rules.lists_complete {
        let note = format!(
            "the status of this object was lost, and the list of region {} shows no other cluster that this operator made, so \
             it may hide one of this object's",
            v.region
        );
        return stuck(Reason::ListNotTrusted, note);
    }
    Ok(())
}

/// Delete a cluster that is there, for a going object or because a person asked for another attempt.
pub(super) fn remove(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    let following = |verdict| Err(Step::Rest(follow::moving(v, verdict, v.now + follow::close(rules), rules)));
    match cluster.state {
        State::Deleting => {
            let note = keep::progress(v, "ACK is deleting the cluster")?;
            return following(Verdict::under_way(Some(false), Reason::Deleting, note));
        }
        State::Making | State::Busy => {
            let note = format!("waiting for ACK to finish (the cluster is {}), then it is deleted", cluster.word);
            return following(Verdict::under_way(None, Reason::Deleting, note));
        }
        State::Running | State::ChangeFailed | State::Down | State::Failed | State::DeleteFailed => {}
    }
    absence::alone(v, known, rules)?;
    owner::owned(v, known, cluster, Reason::Deleting, rules)?;
    if *ask(v, rules, &v.seen.uprooted, Look::Uprooted)? && !v.said(&Word::ConfirmDelete(id.clone())) {
        let note = format!(
            "the CustomResourceDefinition itself is being deleted, so the cluster is kept. To delete this one all the \
             same: kubectl annotate ackcluster NAME ackoperator.dev/confirm-delete={id}; to keep it: deletionPolicy: \
             Retain"
        );
        return Err(Step::Rest(
            Verdict::stuck(owner::serving(cluster), Reason::DeletionHeld, note).at(v.now + rules.poll_idle),
        ));
    }
    unprotected(v, known, cluster, rules)?;
    delete(v, known, cluster, rules)
}

/// `Ok` only when neither spec nor cloud protects the cluster.
fn unprotected(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    let waiting = |why: &str| {
        let note = format!(
            "{why}. To keep the cluster: deletionPolicy: Retain. To delete it: kubectl patch ackcluster NAME --type \
             merge -p '{{\"spec\":{{\"deletion_protection\":false}}}}'"
        );
        Verdict::stuck(owner::serving(cluster), Reason::DeletionProtected, note).at(v.now + rules.poll_idle)
    };
    let waits = |why: &str| Err(Step::Rest(waiting(why)));
    match (v.guard.word, cluster.guarded) {
        (Some(true), Some(false)) => Err(raise(v, known, cluster, waiting, rules)),
        (Some(true), _) => waits("deletion waits: spec.deletion_protection is true"),
        (None, Some(true)) => waits("deletion waits: the cluster's deletion protection is on in ACK"),
        (None, None) => waits("deletion waits: ACK does not say whether the cluster's deletion protection is on"),
        (Some(false), Some(true)) if v.guard.newer => lower(v, known, cluster, rules),
        (Some(false), Some(true)) => Err(Step::Rest(reversed(v, cluster, rules))),
        // A flag that the answer does not show: the spec says off, and ACK itself refuses a protected one.
        (Some(false) | None, Some(false)) | (Some(false), None) => Ok(()),
    }
}

/// The flag was switched on in ACK under a spec that said false already.
fn reversed(v: &View, cluster: &Cluster, rules: &Rules) -> Verdict {
    stays(v, cluster, rules, "deletion protection was switched on in ACK after the spec said false")
}

/// It was to be lifted, and is on still, or again.
fn unlifted(v: &View, cluster: &Cluster, rules: &Rules) -> Verdict {
    stays(v, cluster, rules, UNLIFTED)
}

fn stays(v: &View, cluster: &Cluster, rules: &Rules, why: &str) -> Verdict {
    let note = format!(
        "deletion waits: {why}. To keep the cluster: deletionPolicy: Retain. To delete it, lift the protection in ACK, or: \
         {LIFT}"
    );
    Verdict::stuck(owner::serving(cluster), Reason::DeletionProtected, note).at(v.now + rules.poll_idle)
}

/// Raised even now: the spec's word is that nothing deletes it, the console included.
fn raise(v: &View, known: &Known, cluster: &Cluster, waiting: impl Fn(&str) -> Verdict, rules: &Rules) -> Step {
    let protected = "deletion waits: spec.deletion_protection is true";
    let not_on = |why: &dyn std::fmt::Display| waiting(&format!("{protected}, though ACK did not switch it on: {why}"));
    let pace = Pace { failed: false, unshown: asked::day(rules) };
    Step::Rest(match asked::may(v, known, rules, (keys::PROTECTION, "true"), pace) {
        May::Ask(asked) => {
            return asked::step(v, known, cluster, rules, Deed::Protect(true), waiting(protected), vec![asked]);
        }
        May::Troubled(trouble) => not_on(&trouble.note),
        May::Rest(Pause { again, why: Why::Refused(note) }) => not_on(&note).at(again.min(v.now + rules.poll_idle)),
        May::Rest(Pause { again, why: Why::Failed | Why::Unshown | Why::Undone(_) }) => {
            waiting(protected).at(again.min(v.now + rules.poll_idle))
        }
        May::Wait => waiting(protected),
    })
}

/// `Ok` where the protection need not be lowered first: ACK changes a cluster only while it runs; another is deleted as it is,
/// and ACK refuses a protected one.
fn lower(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    let lifting = || {
        let note = "lifting deletion protection before the cluster is deleted";
        Verdict::under_way(None, Reason::Deleting, note).at(v.now + rules.apart)
    };
    let runs = cluster.state == State::Running;
    let pace = Pace { failed: false, unshown: asked::day(rules) };
    Err(match asked::may(v, known, rules, (keys::PROTECTION, "false"), pace) {
        // A flag that is on again, or still, may have been raised by somebody since: lowering it takes a new word.
        May::Ask(asked) if asked::repeated(known, &asked) => Step::Rest(unlifted(v, cluster, rules)),
        May::Ask(asked) => asked::step(v, known, cluster, rules, Deed::Protect(false), lifting(), vec![asked]),
        May::Wait => Step::Rest(lifting()),
        May::Troubled(trouble) if !runs && matches!(trouble.class, Class::Busy | Class::Unknown) => return Ok(()),
        May::Troubled(trouble) => Step::Rest(troubled(v, rules, &trouble)),
        May::Rest(Pause { why: Why::Refused(_), .. }) if !runs => return Ok(()),
        May::Rest(Pause { again, why: Why::Refused(note) }) => {
            let note = format!("ACK did not lift the deletion protection: {note}. Asked for again at {again:.0}");
            Step::Rest(Verdict::stuck(owner::serving(cluster), Reason::DeleteFailed, note).at(again))
        }
        May::Rest(Pause { why: Why::Failed | Why::Unshown | Why::Undone(_), .. }) => {
            Step::Rest(unlifted(v, cluster, rules))
        }
    })
}

/// The request itself, remembered before it is made, with the slow pace after a failure.
fn delete(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    let pace = Pace { failed: cluster.state == State::DeleteFailed, unshown: rules.slow };
    Err(match asked::may(v, known, rules, (keys::DELETION, &v.delete_options), pace) {
        May::Ask(asked) => {
            keep::note_of(&v.seen.leftovers, Look::Leftovers(id.clone()), "")?;
            let verdict = waiting(ASKED).at(v.now + rules.poll_busy);
            return Ok(asked::step(v, known, cluster, rules, Deed::Delete, verdict, vec![asked]));
        }
        May::Wait => Step::Rest(waiting(ASKED).at(v.now + rules.poll_busy)),
        May::Troubled(trouble) => Step::Rest(troubled(v, rules, &trouble)),
        May::Rest(Pause { again, why }) => {
            let what = match why {
                Why::Refused(note) => format!("ACK refused to delete cluster {id}: {note}"),
                Why::Failed => {
                    let cause = keep::note_of(&v.seen.cause, Look::Cause, "ACK gives no cause")?;
                    format!("ACK could not delete cluster {id}: {cause}")
                }
                Why::Unshown | Why::Undone(_) => format!("ACK took the deletion of cluster {id} and does not begin it"),
            };
            let note = format!(
                "{what}. Asked for again at {again:.0}, or as soon as deleteOptions change; to keep what is stuck, name it in \
                 deleteOptions.retainResources"
            );
            Step::Rest(Verdict::stuck(owner::serving(cluster), Reason::DeleteFailed, note).at(again))
        }
    })
}

pub(super) const ASKED: &str = "ACK was asked to delete the cluster";

pub(super) fn waiting(note: &str) -> Verdict {
    Verdict::under_way(Some(false), Reason::Deleting, note)
}

/// What the object says right after a DELETE: what is shown then may still be the state before it.
pub(super) fn asked_for(v: &View, outcome: &Result<(), Trouble>, rules: &Rules) -> Verdict {
    match outcome {
        Ok(()) => waiting(ASKED).at(v.now + rules.follow()),
        Err(trouble) if trouble.class.refuses() => {
            let again = v.now + rules.slow;
            let note = format!(
                "ACK refused to delete the cluster: {}. Asked for again at {again:.0}, or as soon as deleteOptions change",
                trouble.note
            );
            Verdict::stuck(None, Reason::DeleteFailed, note).at(again)
        }
        Err(trouble) => troubled(v, rules, trouble),
    }
}
