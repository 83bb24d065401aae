//! Keeping a cluster as the spec says, and telling how it fares. Never makes another cluster unless a person names the old
//! one, and changes none that may not be the one that was meant.

use super::asked::{May, Pace, Pause, Why};
use super::*;

/// An id is recorded and the object lives.
pub(super) fn keep(v: &View, known: &Known, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    pinned(v, rules, &known.site.account)?;
    if v.seen.cluster.is_none()
        && let Some(Ok(Glance::Same)) = &v.seen.glance
    {
        let idle = v.now + rules.poll_idle;
        match due(v) {
            // Due: the cluster is looked at closely, for only one that serves gives a kubeconfig.
            Some(due) if due <= v.now => {}
            due => return Ok(Step::Rest(Verdict::new(None, Work::Same).at(due.map_or(idle, |due| due.min(idle))))),
        }
    }
    absence::alone(v, known, rules)?;
    follow::waits(v, known, rules)?;
    let following = |verdict, until: SignedDuration| Step::Rest(follow::moving(v, verdict, v.now + until, rules));
    let Existence::Here(cluster) = ask(v, rules, &v.seen.cluster, Look::Cluster(id.clone()))? else {
        absence::gone(v, known, rules)?;
        return vanished(v, known, rules);
    };
    if let Owner::Claimed(_) = &cluster.owner {
        return Err(Step::Rest(owner::foreign(v, id, &cluster.owner).at(v.now + rules.slow)));
    }
    Ok(match cluster.state {
        State::Making => {
            let note = progress(v, follow::CREATING)?;
            following(Verdict::under_way(Some(false), Reason::Creating, note), rules.poll_busy * 4)
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
            following(Verdict::under_way(Some(false), Reason::Deleting, note), follow::close(rules))
        }
        State::DeleteFailed => {
            let note = "somebody tried to delete the cluster and ACK could not";
            Step::Rest(Verdict::stuck(Some(false), Reason::DeleteFailed, note).at(v.now + rules.slow))
        }
        State::Busy => {
            // A change may take longer than a kubeconfig lasts. What stands against publishing is told once it is over.
            if due(v).is_some_and(|due| due <= v.now) && cluster.owner == Owner::Mine {
                publish(v, id, rules)?;
            }
            let note = format!("ACK says that the cluster is {}", cluster.word);
            following(Verdict::under_way(Some(true), Reason::Updating, note), follow::close(rules))
        }
        State::Running | State::ChangeFailed => settle(v, known, cluster, rules)?,
    })
}

/// What is to be told of a cluster that serves. One reason is given, and never at the cost of the other sentences.
struct Told {
    /// Something is still to be asked for.
    open: bool,
    reason: Option<Reason>,
    sentences: Vec<Note>,
    again: Timestamp,
}

impl Told {
    fn tell(&mut self, reason: Reason, note: impl Into<Note>) {
        let note = note.into();
        self.reason.get_or_insert(reason);
        if !self.sentences.contains(&note) {
            self.sentences.push(note);
        }
    }

    fn look(&mut self, again: Timestamp) {
        self.again = self.again.min(again);
    }
}

/// The cluster serves: mark it, protect it as the spec says, change what differs, then say what still does.
fn settle(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let manage = v.goal == Goal::Manage;
    let drift = ask(v, rules, &v.seen.drift, Look::Drift)?;
    let mut told = Told { open: false, reason: None, sentences: vec![], again: v.now + rules.poll_idle };
    if let Some(note) = &drift.workers {
        told.tell(Reason::WorkersMissing, note.clone());
    }
    if let Some(note) = &drift.differs {
        told.tell(Reason::SpecDiffers, note.clone());
    }
    // What is adopted and not like the spec in what cannot be changed may be another cluster than the one that was meant.
    let doubtful = known.adopted && drift.fixed;
    if manage && !doubtful {
        owner::owned(v, known, cluster, Reason::Updating, rules)?;
        if cluster.state == State::Running {
            protect(v, known, cluster, &mut told, rules)?;
        }
        alter(v, known, cluster, &drift.changes, &mut told, rules)?;
    } else {
        pending(v, cluster, &drift.changes, &mut told);
    }
    if cluster.state == State::ChangeFailed {
        told.tell(Reason::UpdateFailed, "the last change of the cluster failed; see its tasks in ACK");
    }
    if let Some(Err(trouble)) = &v.seen.glance {
        told.tell(Reason::PermissionDenied, format!("the list of clusters cannot be read: {}", trouble.note));
    }
    let published = if doubtful { Verdict::done() } else { publish(v, &known.id, rules)? };
    let wished = manage && !drift.changes.is_empty();
    let settled = !wished && !told.open && matches!(v.seen.kubeconfig, None | Some(Ok(Published::Fresh { .. })));
    if let Work::Stuck(reason, note) = &published.work {
        told.tell(*reason, note.clone());
    }
    published.again.into_iter().for_each(|again| told.look(again));
    let by_list = settled.then(|| Box::new(ByList { until: due(v), every: rules.poll_idle, followed: None }));
    Ok(Step::Rest(Verdict { by_list, ..conclude(v, told, published, rules) }))
}

fn conclude(v: &View, told: Told, published: Verdict, rules: &Rules) -> Verdict {
    let again = told.again;
    let verdict = match told.reason {
        Some(reason) => {
            let note = told.sentences.iter().map(Note::as_str).collect::<Vec<_>>().join(". ");
            Verdict::stuck(Some(true), reason, note)
        }
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
    verdict.at(again)
}

/// What would be changed, the protection first, where nothing is.
fn pending(v: &View, cluster: &Cluster, changes: &[Change], told: &mut Told) {
    let protection = match (v.guard.word, cluster.guarded) {
        (Some(word), Some(flag)) if word != flag => Some(format!("deletion_protection: {flag} -> {word}")),
        _ => None,
    };
    let words: Vec<_> = protection.into_iter().chain(changes.iter().map(|change| change.words.to_string())).collect();
    if !words.is_empty() {
        let when = if v.goal == Goal::Manage {
            "changed once the fields that ACK cannot change agree"
        } else {
            "this would be changed"
        };
        told.tell(Reason::SpecDiffers, format!("{when}: {}", words.join(", ")));
    }
}

/// How the cluster answers to changes.
fn pace(cluster: &Cluster, rules: &Rules) -> Pace {
    Pace { failed: cluster.state == State::ChangeFailed, unshown: asked::day(rules) }
}

/// `Ok` unless the protection is to be switched first.
fn protect(v: &View, known: &Known, cluster: &Cluster, told: &mut Told, rules: &Rules) -> Result<(), Step> {
    let stays = |why: &str| format!("{why}. To keep it on: deletion_protection: true; to lift it: {LIFT}");
    let on = match (v.guard.word, cluster.guarded) {
        (Some(true), Some(false)) => true,
        (Some(false), Some(true)) if v.guard.newer => false,
        (Some(false), Some(true)) => {
            let why = "deletion protection was switched on in ACK after the spec said false, so it stays on";
            told.tell(Reason::SpecDiffers, stays(why));
            return Ok(());
        }
        _ => return Ok(()),
    };
    let note = if on { "switching deletion protection on" } else { "lifting deletion protection" };
    let switching = || Verdict::under_way(Some(true), Reason::Updating, note).at(v.now + rules.apart);
    match asked::may(v, known, rules, (keys::PROTECTION, &on.to_string()), pace(cluster, rules)) {
        // A flag that is on again, or still, may have been raised by somebody since: lowering it takes a new word.
        May::Ask(asked) if !on && asked::repeated(known, &asked) => told.tell(Reason::SpecDiffers, stays(UNLIFTED)),
        May::Ask(asked) => {
            return Err(asked::step(v, known, cluster, rules, Deed::Protect(on), switching(), vec![asked]));
        }
        May::Wait => return Err(Step::Rest(switching())),
        May::Troubled(trouble) => {
            return Err(Step::Rest(Verdict { ready: Some(true), ..troubled(v, rules, &trouble) }));
        }
        May::Rest(Pause { again, why }) => match why {
            Why::Unshown | Why::Undone(_) if !on => told.tell(Reason::SpecDiffers, stays(UNLIFTED)),
            why => rests(note, again, why, told),
        },
    }
    Ok(())
}

/// Asks for what may be asked for, waits for what was asked for, and tells of the rest. Calls that do not depend on each other
/// do not hold each other up.
fn alter(
    v: &View,
    known: &Known,
    cluster: &Cluster,
    changes: &[Change],
    told: &mut Told,
    rules: &Rules,
) -> Result<(), Step> {
    let (mut due, mut waiting) = (vec![], vec![]);
    for change in changes {
        match asked::may(v, known, rules, (&change.key, &change.digest), pace(cluster, rules)) {
            May::Ask(asked) => due.push((change, asked)),
            May::Wait => waiting.push(change.words.as_str()),
            May::Troubled(trouble) => {
                return Err(Step::Rest(Verdict { ready: Some(true), ..troubled(v, rules, &trouble) }));
            }
            May::Rest(Pause { again, why }) => rests(change.words.as_str(), again, why, told),
        }
    }
    let changing = |words: &[&str]| {
        let note = format!("changing {}", words.join(", "));
        Verdict::under_way(Some(true), Reason::Updating, note).at(v.now + rules.poll_busy)
    };
    if let Some(&(Change { via, .. }, _)) = due.first() {
        let (changes, remember): (Vec<_>, Vec<_>) = due
            .iter()
            .filter(|(change, _)| change.via == *via)
            .map(|(change, asked)| ((*change).clone(), asked.clone()))
            .unzip();
        let words: Vec<&str> =
            waiting.iter().copied().chain(changes.iter().map(|change| change.words.as_str())).collect();
        let verdict = changing(&words);
        return Err(asked::step(v, known, cluster, rules, Deed::Change(changes.clone()), verdict, remember));
    }
    if waiting.is_empty() { Ok(()) } else { Err(Step::Rest(changing(&waiting))) }
}

/// Tells of a wish that is not asked for now.
fn rests(words: &str, again: Timestamp, why: Why, told: &mut Told) {
    let (reason, what) = match why {
        Why::Refused(refusal) => (Reason::UpdateFailed, format!("ACK refused the change: {refusal}")),
        Why::Failed => (Reason::UpdateFailed, "the change failed".to_owned()),
        Why::Unshown => (Reason::SpecDiffers, "the change was asked for and ACK does not show it".to_owned()),
        Why::Undone(times) => (Reason::SpecDiffers, format!("somebody else changes it back (asked for {times} times)")),
    };
    told.tell(reason, format!("{what} ({words}). Asked for again at {again:.0}, or as soon as the spec changes"));
    told.open = true;
    told.look(again);
}

/// When the kubeconfig must be looked at. An observed object has none made or renewed.
pub(super) fn due(v: &View) -> Option<Timestamp> {
    v.kubeconfig.filter(|_| v.goal == Goal::Manage)
}

/// The kubeconfig of a cluster that serves: done where none is wanted or it is as it should be, and then when to look at
/// it again; or what stands against it. Nothing else waits for it.
fn publish(v: &View, id: &ClusterId, rules: &Rules) -> Result<Verdict, Step> {
    if due(v).is_none() {
        return Ok(Verdict::done());
    }
    let tried = v.did(|deed| *deed == Deed::Publish).is_some();
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

/// ACK could not make the cluster. It is kept until a person names it in `/recreate`.
fn failed(v: &View, known: &Known, cluster: &Cluster, rules: &Rules) -> Result<Step, Step> {
    let id = &known.id;
    if v.goal == Goal::Manage && v.said(&Word::Recreate(id.clone())) {
        return leave::remove(v, known, cluster, rules);
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

/// How far ACK's task has come.
pub(super) fn progress(v: &View, otherwise: &str) -> Result<Note, Step> {
    match &v.seen.progress {
        None => Err(Step::Look(Look::Progress)),
        Some(Ok(Progress { note, .. })) => Ok(note.clone()),
        Some(Err(_)) => Ok(otherwise.into()),
    }
}

/// What ACK tells beyond the state is good to have and never worth waiting for.
pub(super) fn note_of(seen: &Seen<Note>, look: Look, otherwise: &str) -> Result<Note, Step> {
    match seen {
        None => Err(Step::Look(look)),
        Some(Ok(note)) => Ok(note.clone()),
        Some(Err(_)) => Ok(otherwise.into()),
    }
}
