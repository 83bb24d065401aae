//! Letting go: never against the protection, never a cluster that is not ours, and never the finalizer before the
//! cluster is proven gone.

use super::*;

/// The object goes and its cluster with it.
pub(super) fn destroy(v: &View, known: &Known, rules: &Rules) -> Result<Step, Step> {
    pinned(v, rules, &known.site.account)?;
    match ask(v, rules, &v.seen.cluster, Look::Cluster(known.id.clone()))? {
        Existence::Unknown => {
            gone(v, known, rules)?;
            Ok(Step::Act(Act::Release(Free::Gone)))
        }
        Existence::Here(cluster) => remove(v, known, cluster, rules),
    }
}

/// No id and no open intent. That is enough where nothing was ever sealed, or the last attempt is proven absent. A list
/// must confirm it where the status was lost, and where a refusal depended on the moment: another copy of that request
/// may have fared better.
pub(super) fn leave(v: &View, last: Option<&Closed>, blank: bool, rules: &Rules) -> Result<Step, Step> {
    let free = if last.is_some() { Free::NeverMade } else { Free::NeverSealed };
    let Some(began_after) = create::copies_until(v, last, rules).or(blank.then_some(v.since)) else {
        return Ok(Step::Act(Act::Release(free)));
    };
    ask(v, rules, &v.seen.account, Look::Account)?;
    create::owner_list(v, began_after, rules)?;
    Ok(Step::Act(Act::Release(free)))
}

/// `Ok` only when the cluster is proven gone: unknown twice, at least `apart`, and absent from a whole list begun
/// after the first time, in which no cluster carries a nonce of this uid; all of it told by the cluster's own region.
pub(super) fn gone(v: &View, known: &Known, rules: &Rules) -> Result<(), Step> {
    let id = &known.id;
    let again = |at: Timestamp, first: Timestamp| {
        let note = format!("ACK does not know cluster {id}; looking again before that is believed");
        let reason = if v.goal == Goal::Destroy { Reason::Deleting } else { Reason::Unreachable };
        let memo = Memo::Gone { id: id.clone(), at: first };
        Step::Rest(Verdict::under_way(Some(false), reason, note).at(at).keeping(memo))
    };
    if !known.met && v.now < known.believe_after {
        let note = format!("ACK has not shown cluster {id} yet; its record may lag until {}", known.believe_after);
        let reason = if v.goal == Goal::Destroy { Reason::Deleting } else { Reason::Creating };
        return Err(Step::Rest(Verdict::under_way(Some(false), reason, note).at(v.now + rules.poll_busy)));
    }
    let first = match &v.memo {
        // A clock that was set back meanwhile shall not put the second look off.
        Some(Memo::Gone { id: before, at }) if before == id => (*at).min(v.now),
        _ => return Err(again(v.now + rules.apart, v.now)),
    };
    if v.now < first + rules.apart {
        return Err(again(first + rules.apart, first));
    }
    let list = ask(v, rules, &v.seen.listing, Look::Listing { began_after: first })?;
    // A list that proves nothing is not asked for again: lists are shared, and one begun after `first` is what we have.
    // So the looking begins anew.
    if list.began < first || !list.whole {
        return Err(again(v.now + rules.apart, v.now));
    }
    match list.ours.iter().find(|other| *other != id) {
        Some(other) => {
            let which = format!("recorded cluster {id}, which is gone, and living cluster {other}");
            Err(Step::Rest(once::duplicate(&which).at(v.now + rules.slow).still(&v.memo)))
        }
        // The list lags behind the detail, or the other way round.
        None if list.ours.contains(id) => Err(again(v.now + rules.apart, v.now)),
        None => here(v, known, list, first, rules),
    }
}

/// `Ok` only when the answers surely come from the cluster's own region, for another's endpoint knows no cluster either
/// and its list is empty (ack-api a.1): a living cluster of ours is listed there, or this one left a trace.
fn here(v: &View, known: &Known, list: &Listing, first: Timestamp, rules: &Rules) -> Result<(), Step> {
    once::dated(v, list, rules)?;
    let Known { id, site, .. } = known;
    if list.trusted || *ask(v, rules, &v.seen.trace, Look::Trace(id.clone()))? {
        return Ok(());
    }
    let note = format!(
        "ACK's answers know neither cluster {id} nor its task nor any other cluster of ours in {}, so they may come from \
         another region: check --ack-endpoint. If you know that the cluster is gone, or want to keep it: deletionPolicy: \
         Retain lets this object be deleted",
        site.region
    );
    let memo = Memo::Gone { id: id.clone(), at: first };
    Err(Step::Rest(Verdict::stuck(Some(false), Reason::ListNotTrusted, note).at(v.now + rules.slow).keeping(memo)))
}

/// Delete a cluster that is there, for a going object or because a person asked for another attempt.
pub(super) fn remove(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    let soon = v.now + rules.poll_busy;
    match cluster.state {
        State::Deleting => {
            let note = change::note_of(&v.seen.progress, Look::Progress, "ACK is deleting the cluster")?;
            return Err(Step::Rest(Verdict::under_way(Some(false), Reason::Deleting, note).at(soon)));
        }
        State::Making | State::Busy => {
            let note = format!("waiting for ACK to finish (the cluster is {}), then it is deleted", cluster.word);
            return Err(Step::Rest(Verdict::under_way(None, Reason::Deleting, note).at(soon)));
        }
        State::Running | State::ChangeFailed | State::Down | State::Failed | State::DeleteFailed => {}
    }
    once::alone(v, known, rules)?;
    owned(v, known, cluster, rules)?;
    if *ask(v, rules, &v.seen.uprooted, Look::Uprooted)? && !v.said(&Word::ConfirmDelete(id.clone())) {
        let note = format!(
            "the CustomResourceDefinition itself is being deleted, so the cluster is kept. To delete this one all the \
             same: kubectl annotate ackcluster NAME ackoperator.dev/confirm-delete={id}; to keep it: deletionPolicy: \
             Retain"
        );
        return Err(Step::Rest(
            Verdict::stuck(serving(cluster), Reason::DeletionHeld, note).at(v.now + rules.poll_idle),
        ));
    }
    unprotected(v, id, cluster, rules)?;
    delete(v, id, cluster, rules)
}

/// The detail shows a nonce of this uid, or an adopted cluster gets ours first, so that the proof is in the cloud.
fn owned(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    let claim = match &cluster.owner {
        Owner::Mine => return Ok(()),
        Owner::Nobody => known.adopted,
        Owner::Other(nonce) => v.said(&Word::TakeOver(nonce.clone())),
        Owner::Claimed(_) => false,
    };
    Err(if claim {
        create::claim(v, &known.id, Reason::Deleting, rules)
    } else {
        Step::Rest(create::foreign(&known.id, &cluster.owner).at(v.now + rules.slow))
    })
}

/// `Ok` only when neither spec nor cloud protects the cluster.
fn unprotected(v: &View, id: &ClusterId, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    let protect = |on| Step::Act(Act::Protect { id: id.clone(), on });
    let waits = |why: &str| {
        let note = format!(
            "{why}. To keep the cluster: deletionPolicy: Retain. To delete it: kubectl patch ackcluster NAME --type \
             merge -p '{{\"spec\":{{\"deletion_protection\":false}}}}'"
        );
        Step::Rest(Verdict::stuck(serving(cluster), Reason::DeletionProtected, note).at(v.now + rules.poll_idle))
    };
    match (v.guard.word, cluster.guarded) {
        // Raised even now: the spec's word is that nothing deletes it, the console included.
        (Some(true), Some(false)) => match &v.seen.acted {
            Some((Deed::Protect, Err(trouble))) => Err(waits(&format!(
                "deletion waits: spec.deletion_protection is true, though ACK did not switch it on: {}",
                trouble.note
            ))),
            Some((Deed::Protect, Ok(()))) => Err(waits("deletion waits: spec.deletion_protection is true")),
            Some((Deed::Claim | Deed::Change(_) | Deed::Delete | Deed::Publish, _)) | None => Err(protect(true)),
        },
        (Some(true), _) => Err(waits("deletion waits: spec.deletion_protection is true")),
        (None, Some(true)) => Err(waits("deletion waits: the cluster's deletion protection is on in ACK")),
        (None, None) => Err(waits("deletion waits: ACK does not say whether the cluster's deletion protection is on")),
        (Some(false), Some(true)) if !v.guard.newer => Err(waits(
            "deletion waits: the cluster's deletion protection was switched on in ACK after the spec said false; set \
             deletion_protection to true and then to false, or lift it in ACK",
        )),
        (Some(false), Some(true)) => match &v.seen.acted {
            Some((Deed::Protect, Ok(()))) => {
                let note = "lifting deletion protection before the cluster is deleted";
                Err(Step::Rest(Verdict::under_way(None, Reason::Deleting, note).at(v.now + rules.apart)))
            }
            // ACK changes a cluster only while it runs. Another is deleted as it is; ACK refuses a protected one.
            Some((Deed::Protect, Err(trouble))) if cluster.state == State::Running || !final_word(trouble.class) => {
                Err(Step::Rest(troubled(v, rules, trouble)))
            }
            Some((Deed::Protect, Err(_)) | (Deed::Delete, _)) => Ok(()),
            Some((Deed::Claim | Deed::Change(_) | Deed::Publish, _)) | None => Err(protect(false)),
        },
        // A flag that the answer does not show: the spec says off, and ACK itself refuses a protected one.
        (Some(false) | None, Some(false)) | (Some(false), None) => Ok(()),
    }
}

fn final_word(class: Class) -> bool {
    matches!(class, Class::Busy | Class::User | Class::Unknown)
}

fn serving(cluster: &Cluster) -> Option<bool> {
    Some(matches!(cluster.state, State::Running | State::ChangeFailed))
}

/// The request itself, at most once for each look that shows the cluster, with the slow pace after a failure.
fn delete(v: &View, id: &ClusterId, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let asked = match &v.memo {
        Some(Memo::Asked { id: before, at }) if before == id => Some((*at).min(v.now)),
        _ => None,
    };
    let waiting = |asked| {
        Verdict::under_way(Some(false), Reason::Deleting, "ACK was asked to delete the cluster")
            .at(v.now + rules.poll_busy)
            .keeping(Memo::Asked { id: id.clone(), at: asked })
    };
    match &v.seen.acted {
        // What is shown after that may still be the state before it.
        Some((Deed::Delete, Ok(()))) => return Err(Step::Rest(waiting(v.now))),
        Some((Deed::Delete, Err(trouble))) => return Err(Step::Rest(refused(v, rules, trouble))),
        Some((Deed::Claim | Deed::Protect | Deed::Change(_) | Deed::Publish, _)) | None => {}
    }
    if cluster.state == State::DeleteFailed {
        let first = asked.unwrap_or(v.now);
        let again = first + rules.slow;
        if v.now < again {
            let cause = change::note_of(&v.seen.cause, Look::Cause, "ACK gives no cause")?;
            let note = format!(
                "ACK could not delete cluster {id}: {cause}. Tried again at {again}; to keep what is stuck, name it in \
                 deleteOptions.retainResources"
            );
            let memo = Memo::Asked { id: id.clone(), at: first };
            return Err(Step::Rest(Verdict::stuck(Some(false), Reason::DeleteFailed, note).at(again).keeping(memo)));
        }
    } else if let Some(at) = asked.filter(|at| v.now < *at + rules.listed) {
        // The answer is slower to show than the request was to send: do not ask twice for one deletion.
        return Err(Step::Rest(waiting(at)));
    }
    change::note_of(&v.seen.leftovers, Look::Leftovers(id.clone()), "")?;
    Ok(Step::Act(Act::Delete { id: id.clone(), not_after: v.now + rules.skew }))
}

/// ACK did not take the deletion: a dependency, a state, a protection that it does not show.
fn refused(v: &View, rules: &Rules, trouble: &Trouble) -> Verdict {
    match trouble.class {
        Class::User => {
            let note = format!("ACK refused to delete the cluster: {}", trouble.note);
            Verdict::stuck(None, Reason::DeleteFailed, note).at(v.now + rules.slow)
        }
        _ => troubled(v, rules, trouble),
    }
}
