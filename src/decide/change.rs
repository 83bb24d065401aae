//! Keeping a cluster as the spec says, and telling how it fares. Changes nothing but the deletion protection, and
//! never makes another cluster unless a person names the old one.

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
            Step::Rest(Verdict::under_way(Some(true), Reason::Updating, note).at(soon))
        }
        State::Running | State::ChangeFailed => settle(v, known, cluster, rules)?,
    })
}

/// The cluster serves: protect it as the spec says, then say what differs.
fn settle(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    let idle = v.now + rules.poll_idle;
    if v.goal == Goal::Manage && cluster.state == State::Running {
        let wanted = match (v.guard.word, cluster.guarded) {
            (Some(true), Some(false)) => Some(true),
            (Some(false), Some(true)) if v.guard.newer => Some(false),
            _ => None,
        };
        if let Some(on) = wanted {
            let ours = cluster.owner == Owner::Mine || known.adopted && cluster.owner == Owner::Nobody;
            return match &v.seen.acted {
                _ if !ours => Err(Step::Rest(create::foreign(id, &cluster.owner).at(v.now + rules.slow))),
                Some((Deed::Protect, Ok(()))) => {
                    let note = if on { "switching deletion protection on" } else { "lifting deletion protection" };
                    Err(Step::Rest(Verdict::under_way(Some(true), Reason::Updating, note).at(v.now + rules.apart)))
                }
                Some((Deed::Protect, Err(trouble))) => Err(Step::Rest(refused(v, rules, trouble))),
                Some((Deed::Claim | Deed::Delete | Deed::Publish, _)) | None => {
                    Ok(Step::Act(Act::Protect { id: id.clone(), on }))
                }
            };
        }
    }
    let drift = ask(v, rules, &v.seen.drift, Look::Drift)?;
    let published = publish(v, id, rules)?;
    let missing = match &published.work {
        Work::Stuck(reason, note) => Some((*reason, note.clone())),
        Work::Done | Work::UnderWay(..) | Work::Held(..) | Work::Same => None,
    };
    let idle = published.again.map_or(idle, |again| again.min(idle));
    let verdict = if let Some(note) = &drift.workers {
        Verdict::stuck(Some(true), Reason::WorkersMissing, note.clone())
    } else if let Some(note) = &drift.differs {
        Verdict::stuck(Some(true), Reason::SpecDiffers, note.clone())
    } else if (v.guard.word, cluster.guarded) == (Some(false), Some(true)) && v.goal == Goal::Manage {
        let note = "deletion protection was switched on in ACK after the spec said false, and is not lifted by old words; \
                    set deletion_protection to true, or to true and then to false";
        Verdict::stuck(Some(true), Reason::SpecDiffers, note)
    } else if cluster.state == State::ChangeFailed {
        Verdict::stuck(Some(true), Reason::UpdateFailed, "the last change of the cluster failed; see its tasks in ACK")
    } else if published.work != Work::Done {
        published
    } else if v.goal == Goal::Observe {
        let note = if rules.read_only {
            "observed only: this operator runs with --read-only"
        } else {
            "observed only; remove ackoperator.dev/observe to have it changed"
        };
        Verdict::held(Some(true), Reason::Observed, note)
    } else {
        published
    };
    // One reason is told, and never at the cost of the other sentence.
    let work = match (verdict.work, missing) {
        (Work::Stuck(reason, note), Some((other, more))) if reason != other => {
            Work::Stuck(reason, format!("{note}. {more}").into())
        }
        (work, _) => work,
    };
    Ok(Step::Rest(Verdict { work, ..verdict }.at(idle)))
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
    let tried = matches!(v.seen.acted, Some((Deed::Publish, _)));
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
