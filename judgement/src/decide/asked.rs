//! What was asked of ACK is written down before it is asked, so that a restart, a lost answer or another hand in the cloud
//! cannot have it asked for again and again. This file says when it may be asked for next, and what became of it.

use super::*;

/// What may be done about a wish that the cloud does not fulfil.
pub(super) enum May {
    /// Ask for it; this is to be written down.
    Ask(Asked),
    /// It was asked for a moment ago.
    Wait,
    /// Asking failed in this pass, in a way that passes by itself.
    Troubled(Trouble),
    Rest(Pause),
}

pub(super) struct Pause {
    pub again: Timestamp,
    pub why: Why,
}

/// Why a wish is not asked for now.
pub(super) enum Why {
    Refused(Note),
    Failed,
    /// ACK took it, or may have, and does not show it.
    Unshown,
    /// It was shown, and somebody else has changed it back since; so often it was asked for.
    Undone(u32),
}

/// How the cluster answers to a request of that sort.
pub(super) struct Pace {
    /// ACK says that the last change, or deletion, failed.
    pub failed: bool,
    /// How long something that ACK takes and does not show is left alone.
    pub unshown: SignedDuration,
}

/// Something that ACK takes and never shows may be shown in another form than the spec's, and some changes restart a
/// control plane: it is asked for once a day.
pub(super) fn day(rules: &Rules) -> SignedDuration {
    rules.slow * 144
}

impl Deed {
    /// Whether this asked for that. What else was asked for under the same key says nothing of it: a protection that could not be
    /// raised is not one that could not be lowered.
    fn asked_for(&self, key: &str, digest: &str) -> bool {
        match self {
            Deed::Claim => key == keys::MARKS,
            Deed::Protect(on) => key == keys::PROTECTION && digest == on.to_string(),
            Deed::Change(changes) => changes.iter().any(|change| change.key == key && change.digest == digest),
            Deed::Delete => key == keys::DELETION,
            Deed::Hold | Deed::Publish => false,
        }
    }
}

/// Whether an earlier request for the same has taken effect, or may have: nobody learnt that it did not. What then stands against
/// it may be another's word of a later time.
pub(super) fn repeated(known: &Known, asked: &Asked) -> bool {
    let refused = |before: &Asked| before.key == asked.key && matches!(before.end, Some(End::Refused(_)));
    asked.times > 1 && !known.asked.iter().any(refused)
}

/// Whether, and as what, this may be asked for now. Something undone by somebody else is set back at once, then after the
/// slow pace, then once a day.
pub(super) fn may(v: &View, known: &Known, rules: &Rules, (key, digest): (&str, &str), pace: Pace) -> May {
    let ask = |times| May::Ask(Asked { key: key.to_owned(), digest: digest.to_owned(), at: v.now, times, end: None });
    let tried = v.did(|deed| deed.asked_for(key, digest));
    if let Some(Err(trouble)) = tried
        && !trouble.class.refuses()
    {
        return May::Troubled(trouble.clone());
    }
    let Some(before) = known.asked.iter().find(|asked| asked.key == key && asked.digest == digest) else {
        return ask(1);
    };
    let at = match tried {
        // In this pass, whatever a clock told then: a call that took long puts it wrong for a moment.
        Some(_) => v.now,
        // A time from the future was told by a clock that was wrong, and must not put it off.
        None if before.at > v.now + rules.allowed() => Timestamp::UNIX_EPOCH,
        None => before.at.min(v.now),
    };
    if v.now >= at + day(rules) * 2 {
        return ask(1);
    }
    let lost = |note: Note| {
        let again = at + if before.times < 2 { rules.listed } else { rules.slow };
        if v.now >= again {
            return ask(before.times.saturating_add(1));
        }
        May::Troubled(Trouble { wait: Some(again.duration_since(v.now)), ..Trouble::new(Class::Transient, note) })
    };
    let end = match tried {
        Some(Err(trouble)) => Some(End::Refused(trouble.note.clone())),
        Some(Ok(())) | None => before.end.clone(),
    };
    let (again, why) = match end {
        Some(End::Refused(note)) => (at + rules.slow, Why::Refused(note)),
        Some(End::Shown) if before.times < 2 => return ask(2),
        Some(End::Shown) if before.times == 2 => (at + rules.slow, Why::Undone(2)),
        Some(End::Shown) => (at + day(rules), Why::Undone(before.times)),
        Some(End::Unshown) => (at + pace.unshown, Why::Unshown),
        Some(End::Lost(note)) => return lost(note),
        // What is shown right after it may still be the state before it.
        None if tried.is_some() => return May::Wait,
        None if pace.failed => (at + rules.slow, Why::Failed),
        None if v.now < at + rules.listed => return May::Wait,
        // Perhaps it never got there: the process died before it learnt the answer. Twice more, and not more often.
        None if before.times < 3 && !taken(v).iter().any(|(k, d)| k == key && d == digest) => {
            return lost("what ACK answered to the last request is not known".into());
        }
        None => (at + pace.unshown, Why::Unshown),
    };
    if v.now >= again { ask(before.times.saturating_add(1)) } else { May::Rest(Pause { again, why }) }
}

/// The step that asks, or that reads the detail again where something else was read since. Where the list may not be read,
/// nothing shows that no second cluster carries this object's mark; an object that adopts has none made.
pub(super) fn step(
    v: &View,
    known: &Known,
    cluster: &Cluster,
    rules: &Rules,
    deed: Deed,
    verdict: Verdict,
    remember: Vec<Asked>,
) -> Step {
    if let Some(Err(trouble)) = &v.seen.glance
        && !known.adopted
    {
        return Step::Rest(troubled(v, rules, trouble));
    }
    let id = known.id.clone();
    if !v.seen.fresh {
        return Step::Look(Look::Cluster(id));
    }
    Step::Act(Act::Ask(Ask {
        id,
        deed,
        verdict: locked(v, verdict),
        remember,
        date: cluster.read,
        not_after: cluster.read + rules.allowed(),
    }))
}

/// What ACK is known to have taken, by key and digest: in this pass, or in an earlier one of this process.
fn taken(v: &View) -> Vec<(String, String)> {
    let Standing::Known(known) = &v.standing else { return vec![] };
    let mut taken = match &v.memo {
        Some(Memo::Taken(taken)) => taken.clone(),
        Some(Memo::Absent { .. } | Memo::Gone { .. }) | None => vec![],
    };
    for asked in &known.asked {
        if let Some(Ok(())) = v.did(|deed| deed.asked_for(&asked.key, &asked.digest)) {
            taken.push((asked.key.clone(), asked.digest.clone()));
        }
    }
    taken.sort();
    taken.dedup();
    taken
}

/// The verdict, with what became of what was asked for, and a reminder of what ACK took.
pub(super) fn concluded(v: &View, rules: &Rules, verdict: Verdict) -> Verdict {
    let Standing::Known(known) = &v.standing else { return verdict };
    let open: Vec<_> = {
        let asked = |key: &String, digest: &String| {
            known.asked.iter().any(|asked| (&asked.key, &asked.digest, &asked.end) == (key, digest, &None))
        };
        taken(v).into_iter().filter(|(key, digest)| asked(key, digest)).collect()
    };
    let memo = verdict.memo.clone().or((!open.is_empty()).then_some(Memo::Taken(open)));
    let ends = known.asked.iter().filter_map(|asked| Some((asked.key.clone(), end(v, rules, asked)?))).collect();
    Verdict { memo, ends, ..locked(v, verdict) }
}

/// A cluster that is like the spec binds it; one that failed or is gone does not.
fn locked(v: &View, verdict: Verdict) -> Verdict {
    let lock = match (verdict.work.reason(), &v.seen.drift) {
        (Some(Reason::CreateFailed | Reason::ClusterGone), _) => Lock::Free,
        (_, Some(Ok(drift))) if !drift.fixed => Lock::Hold,
        _ => Lock::Keep,
    };
    Verdict { lock, ..verdict }
}

/// What is new of a request: `Some(None)`, it took no effect and is as if it had not been made.
fn end(v: &View, rules: &Rules, asked: &Asked) -> Option<Option<End>> {
    // The spec has another word since, and the flag was seen on under it: what was asked for before says nothing of a request
    // under a later word.
    let other = v.guard.word.is_none_or(|word| asked.digest != word.to_string());
    if asked.key == keys::PROTECTION && other && flag(v) == Some(true) {
        return Some(None);
    }
    let end = match v.did(|deed| deed.asked_for(&asked.key, &asked.digest)) {
        Some(Err(trouble)) if trouble.class.refuses() => Some(End::Refused(trouble.note.clone())),
        Some(Err(trouble)) if trouble.unsent && asked.times < 2 => return Some(None),
        // How often it was asked for before must not be forgotten with it.
        Some(Err(trouble)) if trouble.unsent => Some(End::Refused(trouble.note.clone())),
        Some(Err(trouble)) => Some(End::Lost(trouble.note.clone())),
        Some(Ok(())) | None if shown(v, asked) => Some(End::Shown),
        Some(Ok(())) | None => {
            let late = v.now >= asked.at + rules.listed && asked.key != keys::DELETION;
            let known = asked.times > 2 || taken(v).contains(&(asked.key.clone(), asked.digest.clone()));
            (late && known && asked.end.is_none() && looked(v)).then_some(End::Unshown)
        }
    };
    end.filter(|end| asked.end.as_ref() != Some(end)).map(Some)
}

/// Whether the cluster was looked at closely, and serves.
fn looked(v: &View) -> bool {
    matches!(&v.seen.cluster, Some(Ok(Existence::Here(cluster))) if cluster.state == State::Running)
        && matches!(v.seen.drift, Some(Ok(_)))
}

/// The protection as ACK shows it.
fn flag(v: &View) -> Option<bool> {
    match &v.seen.cluster {
        Some(Ok(Existence::Here(cluster))) => cluster.guarded,
        Some(Ok(Existence::Unknown) | Err(_)) | None => None,
    }
}

/// Whether the cluster shows what was asked for.
fn shown(v: &View, asked: &Asked) -> bool {
    let Some(Ok(Existence::Here(cluster))) = &v.seen.cluster else { return false };
    match asked.key.as_str() {
        keys::MARKS => cluster.owner == Owner::Mine,
        keys::PROTECTION => cluster.guarded.is_some_and(|on| asked.digest == on.to_string()),
        keys::DELETION => false,
        field => match &v.seen.drift {
            Some(Ok(drift)) => !drift.changes.iter().any(|change| change.key == field),
            Some(Err(_)) | None => false,
        },
    }
}
