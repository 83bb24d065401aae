//! Keeping a cluster as the spec says, and telling how it fares: one change at a time, while it runs. Never makes
//! another cluster unless a person names the old one.

use super::*;

/// An id is recorded and the object lives.
pub(super) fn keep(v: &View, known: &Known, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    pinned(v, rules, &known.site.account)?;
    if v.seen.cluster.is_none() && *ask(v, rules, &v.seen.glance, Look::Glance(id.clone()))? == Glance::Same {
        let idle = v.now + rules.poll_idle;
        match due(v) {
            // Due: the cluster is looked at closely, for only one that serves gives a kubeconfig.
            Some(due) if due <= v.now => {}
            due => return Ok(Step::Rest(Verdict::new(None, Work::Same).at(due.map_or(idle, |due| due.min(idle))))),
        }
    }
    once::alone(v, known, rules)?;
    let soon = v.now + rules.poll_busy;
    let Existence::Here(cluster) = ask(v, rules, &v.seen.cluster, Look::Cluster(id.clone()))? else {
        delete::gone(v, known, rules)?;
        return vanished(v, known, rules);
    };
    if let Owner::Claimed(_) = &cluster.owner {
        return Err(Step::Rest(create::foreign(id, &cluster.owner).at(v.now + rules.slow)));
    }
    Ok(match cluster.state {
        State::Making => {
            let note = note_of(&v.seen.progress, Look::Progress, "ACK is creating the cluster")?;
            Step::Rest(Verdict::under_way(Some(false), Reason::Creating, note).at(soon))
        }
        State::Failed => failed(v, known, cluster, rules)?,
        State::Down => {
            let note = format!("ACK says that the cluster is {}", cluster.word);
            Step::Rest(Verdict::held(Some(false), Reason::ClusterUnavailable, note).at(v.now + rules.poll_idle))
        }
        State::Deleting => {
            let note = if v.said(&Word::Recreate(id.clone())) {
                "the cluster is being deleted; once it is gone another one is made"
            } else {
                "the cluster is being deleted, though nobody asked for that here"
            };
            Step::Rest(Verdict::under_way(Some(false), Reason::Deleting, note).at(soon))
        }
        State::DeleteFailed => {
            let note = "somebody tried to delete the cluster and ACK could not";
            Step::Rest(Verdict::stuck(Some(false), Reason::DeleteFailed, note).at(v.now + rules.slow))
        }
        State::Busy => {
            // A change may take longer than a kubeconfig lasts. What stands against publishing is told once it is over.
            if due(v).is_some_and(|due| due <= v.now) {
                publish(v, id, rules)?;
            }
            let note = format!("ACK says that the cluster is {}", cluster.word);
            let verdict = Verdict::under_way(Some(true), Reason::Updating, note).at(soon);
            Step::Rest(Verdict { memo: changed(v), ..verdict })
        }
        State::Running | State::ChangeFailed => settle(v, known, cluster, rules)?,
    })
}

/// The cluster serves: protect it as the spec says, change what differs, then say what still does.
fn settle(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let manage = v.goal == Goal::Manage;
    if manage && cluster.state == State::Running {
        protect(v, known, cluster, rules)?;
    }
    let drift = ask(v, rules, &v.seen.drift, Look::Drift)?;
    // What is adopted and not like the spec in what cannot be changed may be another cluster than the one that was meant.
    let doubtful = known.adopted && drift.fixed;
    let altered = match &drift.change {
        Some(change) if manage && !doubtful => Some(alter(v, known, cluster, change, rules)?),
        Some(Change { words, .. }) => {
            let when = if manage { "changed once what ACK cannot change agrees" } else { "this would be changed" };
            let note = format!("{when}: {words}");
            Some(Verdict::stuck(Some(true), Reason::SpecDiffers, note))
        }
        None => None,
    };
    let published = publish(v, &known.id, rules)?;

    let again = [&altered.as_ref().and_then(|verdict| verdict.again), &published.again];
    let again = again.into_iter().flatten().fold(v.now + rules.poll_idle, |idle, again| idle.min(*again));
    let memo = altered.as_ref().and_then(|verdict| verdict.memo.clone());
    let stuck = |verdict: Verdict| match verdict.work {
        Work::Stuck(reason, note) => Some((reason, note)),
        Work::Done | Work::UnderWay(..) | Work::Held(..) | Work::Same => None,
    };
    let reversed = manage && (v.guard.word, cluster.guarded) == (Some(false), Some(true));
    let old_words = "deletion protection was switched on in ACK after the spec said false, and is not lifted by old words; \
                     set deletion_protection to true, or to true and then to false";
    let failed = "the last change of the cluster failed; see its tasks in ACK";
    let troubles = [
        drift.workers.clone().map(|note| (Reason::WorkersMissing, note)),
        drift.differs.clone().map(|note| (Reason::SpecDiffers, note)),
        reversed.then(|| (Reason::SpecDiffers, old_words.into())),
        altered.and_then(stuck),
        (cluster.state == State::ChangeFailed).then(|| (Reason::UpdateFailed, failed.into())),
        stuck(published.clone()),
    ];
    // One reason is told, and never at the cost of the other sentences.
    let told = troubles.into_iter().flatten().reduce(|(reason, told), (_, more)| {
        let both = if told == more { told } else { format!("{told}. {more}").into() };
        (reason, both)
    });
    let verdict = match told {
        Some((reason, note)) => Verdict::stuck(Some(true), reason, note),
        None if published.work != Work::Done => published,
        None if v.goal == Goal::Observe => {
            let note = if rules.read_only {
                "observed only: this operator runs with --read-only"
            } else {
                "observed only; remove ackoperator.dev/observe to have it changed"
            };
            Verdict::held(Some(true), Reason::Observed, note)
        }
        None => published,
    };
    Ok(Step::Rest(Verdict { memo, ..verdict }.at(again)))
}

/// `Ok` unless the protection is to be switched first, or a cluster that is not ours would have to be changed.
fn protect(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    let on = match (v.guard.word, cluster.guarded) {
        (Some(true), Some(false)) => true,
        (Some(false), Some(true)) if v.guard.newer => false,
        _ => return Ok(()),
    };
    owned(v, known, cluster, rules)?;
    Err(match &v.seen.acted {
        Some((Deed::Protect, Ok(()))) => {
            let note = if on { "switching deletion protection on" } else { "lifting deletion protection" };
            Step::Rest(Verdict::under_way(Some(true), Reason::Updating, note).at(v.now + rules.apart))
        }
        Some((Deed::Protect, Err(trouble))) => Step::Rest(refused(v, rules, trouble)),
        Some((Deed::Claim | Deed::Change(_) | Deed::Delete | Deed::Publish, _)) | None => {
            Step::Act(Act::Protect { id: known.id.clone(), on })
        }
    })
}

/// `Ok` only for a cluster with our mark, or an adopted one of nobody's.
fn owned(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<(), Step> {
    if cluster.owner == Owner::Mine || known.adopted && cluster.owner == Owner::Nobody {
        return Ok(());
    }
    Err(Step::Rest(create::foreign(&known.id, &cluster.owner).at(v.now + rules.slow)))
}

/// The change is asked for, or waited for; else it did not come to be, and the verdict says why. What ACK refuses or
/// takes without showing it is asked for again at a slow pace, and at once when it is another change.
fn alter(v: &View, known: &Known, cluster: &Cluster, change: &Change, rules: &Rules) -> Result<Verdict, Step> {
    owned(v, known, cluster, rules)?;
    if let Some((Deed::Change(_), Err(trouble))) = &v.seen.acted
        && !for_a_person(trouble.class)
    {
        return Err(Step::Rest(Verdict { ready: Some(true), ..troubled(v, rules, trouble) }));
    }
    let ask = || Err(Step::Act(Act::Change { id: known.id.clone(), change: change.clone() }));
    let memo = changed(v).filter(|memo| matches!(memo, Memo::Changed { change: last, .. } if last.key == change.key));
    let Some(Memo::Changed { at, refusal, .. }) = &memo else { return ask() };
    let (words, at) = (&change.words, (*at).min(v.now));
    let failed = refusal.is_some() || cluster.state == State::ChangeFailed;
    // What ACK takes and never shows may be shown in another form than the spec's, and some changes restart a control plane:
    // once a day, where a refusal is tried again after ten minutes.
    let again = at + if failed { rules.slow } else { rules.slow * 144 };
    if v.now >= again {
        return ask();
    }
    if !failed && v.now < at + rules.listed {
        let waiting = Verdict::under_way(Some(true), Reason::Updating, format!("changing {words}"));
        return Err(Step::Rest(Verdict { memo, ..waiting }.at(v.now + rules.poll_busy)));
    }
    let (reason, what) = match refusal {
        Some(refusal) => (Reason::UpdateFailed, format!("ACK refused the change: {refusal}")),
        None if failed => (Reason::UpdateFailed, "the change failed".to_owned()),
        None => (Reason::SpecDiffers, "ACK took the change and does not show it".to_owned()),
    };
    let note = format!("{what} ({words}). Tried again at {again:.0}, or as soon as the spec changes");
    let verdict = Verdict::stuck(Some(true), reason, note);
    Ok(Verdict { memo, ..verdict }.at(again))
}

/// The change that was last asked for, in this pass or before.
fn changed(v: &View) -> Option<Memo> {
    let asked = |change: &Change, refusal| Memo::Changed { change: change.clone(), at: v.now, refusal };
    match (&v.seen.acted, &v.memo) {
        (Some((Deed::Change(change), Ok(()))), _) => Some(asked(change, None)),
        (Some((Deed::Change(change), Err(trouble))), _) if for_a_person(trouble.class) => {
            Some(asked(change, Some(trouble.note.clone())))
        }
        (_, Some(memo @ Memo::Changed { .. })) => Some(memo.clone()),
        _ => None,
    }
}

/// Refused for a reason that does not pass by itself.
fn for_a_person(class: Class) -> bool {
    matches!(class, Class::User | Class::Taken | Class::Refused | Class::Permission | Class::Quota | Class::Account)
}

/// When the kubeconfig must be seen to. An observed object has none made or renewed.
fn due(v: &View) -> Option<Timestamp> {
    v.kubeconfig.filter(|_| v.goal == Goal::Manage)
}

/// The kubeconfig of a cluster that serves: done where none is wanted or it is as it should be, and then when to see to
/// it again; or what stands against it. Nothing else waits for it.
fn publish(v: &View, id: &ClusterId, rules: &Rules) -> Result<Verdict, Step> {
    if due(v).is_none() {
        return Ok(Verdict::done());
    }
    // After a change the next pass publishes, for a pass remembers only what it asked for last.
    let tried = matches!(v.seen.acted, Some((Deed::Publish | Deed::Change(_), _)));
    let act = || Err(Step::Act(Act::Publish(id.clone())));
    Ok(match &v.seen.kubeconfig {
        None => return Err(Step::Look(Look::Kubeconfig)),
        Some(Ok(Published::Absent)) if !tried => return act(),
        Some(Ok(Published::Fresh { renew })) if *renew <= v.now && !tried => return act(),
        Some(Ok(Published::Absent)) => Verdict::done().at(v.now + rules.poll_busy),
        // One that ends sooner than it can be renewed is renewed at a bounded pace.
        Some(Ok(Published::Fresh { renew })) => Verdict::done().at((*renew).max(v.now + rules.poll_busy)),
        Some(Ok(Published::Foreign(note))) => {
            Verdict::stuck(Some(true), Reason::SecretConflict, note.clone()).at(v.now + rules.poll_idle)
        }
        Some(Ok(Published::NoEndpoint(note))) => {
            Verdict::stuck(Some(true), Reason::EndpointMissing, note.clone()).at(v.now + rules.poll_idle)
        }
        // The cluster serves whether or not its kubeconfig can be had.
        Some(Err(trouble)) => {
            let note = format!("the kubeconfig is not published: {}", trouble.note);
            Verdict { ready: Some(true), ..troubled(v, rules, &Trouble { note: note.into(), ..trouble.clone() }) }
        }
    })
}

/// ACK did not take a change. Where it says that the request is wrong, a person must see it.
fn refused(v: &View, rules: &Rules, trouble: &Trouble) -> Verdict {
    match trouble.class {
        Class::User => {
            let note = format!("ACK refused the change: {}", trouble.note);
            Verdict::stuck(Some(true), Reason::UpdateFailed, note).at(v.now + rules.slow)
        }
        _ => troubled(v, rules, trouble),
    }
}

/// ACK could not make the cluster. It is kept until a person names it in `/recreate`.
fn failed(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return delete::remove(v, known, cluster, rules);
    }
    let cause = note_of(&v.seen.cause, Look::Cause, "ACK gives no cause")?;
    let note = format!(
        "{cause}. The failed cluster {id} may hold machines that cost money. To delete it and try again: kubectl \
         annotate ackcluster NAME ackoperator.dev/recreate={id}; to give up, delete this object"
    );
    Ok(Step::Rest(Verdict::stuck(Some(false), Reason::CreateFailed, note).at(v.now + rules.slow)))
}

/// The cluster is proven gone although the object lives.
fn vanished(v: &View, known: &Known, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return Ok(Step::Act(Act::Forget(id.clone())));
    }
    let note = format!(
        "cluster {id} does not exist any more and nobody asked for that here; no other is made by itself. To make a new \
         one: kubectl annotate ackcluster NAME ackoperator.dev/recreate={id}"
    );
    // What is proven stays so until ACK shows the cluster again; to prove it anew would take the word back each time.
    Ok(Step::Rest(Verdict::stuck(Some(false), Reason::ClusterGone, note).at(v.now + rules.slow).still(&v.memo)))
}

/// What ACK tells beyond the state is good to have and never worth waiting for.
pub(super) fn note_of(seen: &Seen<Note>, look: Look, otherwise: &str) -> Result<Note, Step> {
    match seen {
        None => Err(Step::Look(look)),
        Some(Ok(note)) => Ok(note.clone()),
        Some(Err(_)) => Ok(otherwise.into()),
    }
}
