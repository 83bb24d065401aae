//! Following a cluster at which ACK works: by the region's one list, which tells the state of all of them. The detail is read
//! where the list shows a change, and ACK's task at a pace.

use super::*;

pub(super) const CREATING: &str = "ACK is creating the cluster";

/// The look at the list that all objects of the region share: a newer one where ACK is at work.
pub(super) fn glance(v: &View, known: &Known, rules: &Rules) -> Look {
    let moves = !known.met || known.moving || v.followed != Followed::default() || asked(known).is_some();
    let every = if moves { rules.follow() } else { rules.poll_idle };
    Look::Glance { id: known.id.clone(), every }
}

/// What an object says whose cluster ACK has just begun to make.
pub fn making() -> Verdict {
    Verdict::under_way(Some(false), Reason::Creating, CREATING)
}

/// `Ok` unless the list alone tells that ACK is at work, so that there is nothing to do but wait.
pub(super) fn waits(v: &View, known: &Known, rules: &Rules) -> Result<(), Step> {
    let Some(Ok(glance)) = v.seen.glance.as_ref().filter(|_| v.seen.cluster.is_none()) else { return Ok(()) };
    let (soon, recorded) = (v.now + rules.follow(), past(v, known.recorded, rules));
    let asked = asked(known).map(|at| past(v, at, rules));
    let creating = |told: Option<Note>| match told {
        Some(note) => Verdict::under_way(Some(false), Reason::Creating, note),
        None => making(),
    };
    let deleting = |told: Option<Note>| leave::waiting(told.as_ref().map_or(leave::ASKED, Note::as_str));
    match (v.goal, glance, asked) {
        // A list may lag behind what was made a moment ago.
        (Goal::Manage | Goal::Observe, Glance::Absent, _) if !known.met && v.now < first(recorded, rules) => {
            Err(Step::Rest(making().at(soon)))
        }
        (Goal::Manage | Goal::Observe, Glance::Moving(State::Making), _) => {
            by_list(v, Some(recorded), Some(recorded), creating, rules)
        }
        (Goal::Destroy, Glance::Moving(State::Deleting), Some(at)) => by_list(v, Some(at), Some(at), deleting, rules),
        // A change may take longer than a kubeconfig lasts.
        (_, Glance::Moving(State::Busy), _) if keep::due(v).is_some_and(|due| due <= v.now) => Ok(()),
        // Whatever else ACK is at was read closely before, and told.
        (_, Glance::Moving(_), _) => by_list(v, None, None, |_| Verdict::new(None, Work::Same), rules),
        (Goal::Destroy, Glance::Absent, Some(_)) if known.met => absence::twice(v, known, rules).map(drop),
        // Or behind what was asked for.
        (Goal::Destroy, Glance::Same | Glance::Changed, Some(at)) if v.now < first(at, rules) => {
            Err(Step::Rest(deleting(None).at(soon)))
        }
        _ => Ok(()),
    }
}

/// When the deletion was asked for, if ACK may be at it.
pub(super) fn asked(known: &Known) -> Option<Timestamp> {
    known.asked.iter().find(|asked| asked.key == keys::DELETION && asked.end.is_none()).map(|asked| asked.at)
}

/// A time from the future was told by a clock that was wrong, and must put nothing off.
fn past(v: &View, at: Timestamp, rules: &Rules) -> Timestamp {
    if at > v.now + rules.allowed() { Timestamp::UNIX_EPOCH } else { at }
}

/// What is done within that time is not asked about: a list may lag by so much, and a task has hardly begun.
fn first(since: Timestamp, rules: &Rules) -> Timestamp {
    since + rules.poll_busy * 2
}

/// How long a list is enough, however busy ACK is.
pub(super) fn close(rules: &Rules) -> SignedDuration {
    rules.poll_busy * 20
}

/// `Ok` where the cluster is to be read closely. `known`: since when it is known without that. `task`: when ACK began, where
/// its task is worth reading.
fn by_list(
    v: &View,
    known: Option<Timestamp>,
    task: Option<Timestamp>,
    say: impl Fn(Option<Note>) -> Verdict,
    rules: &Rules,
) -> Result<(), Step> {
    let Some(read) = v.followed.closely.map(|at| past(v, at, rules)).or(known) else { return Ok(()) };
    let (close, pause) = (read + close(rules), rules.poll_busy * 4);
    if v.now >= close {
        return Ok(());
    }
    let due = task.map(|since| v.followed.task.map_or(first(since, rules), |at| past(v, at, rules) + pause));
    let (verdict, due) = match &v.seen.progress {
        None if due.is_some_and(|due| due <= v.now) => return Err(Step::Look(Look::Progress)),
        None if v.followed == Followed::default() => (say(None), due),
        None => (Verdict::new(None, Work::Same), due),
        Some(Err(_)) => (Verdict::new(None, Work::Same), Some(v.now + rules.poll_busy)),
        // Whatever the list still says.
        Some(Ok(Progress { over: true, .. })) => return Ok(()),
        Some(Ok(Progress { note, .. })) => (say(Some(note.clone())), Some(v.now + pause)),
    };
    let until = due.map_or(close, |due| due.min(close));
    Err(Step::Rest(moving(v, verdict, until, rules)))
}

/// The verdict of an object whose cluster need not be read before then, as long as the list shows it as it does now.
pub(super) fn moving(v: &View, verdict: Verdict, until: Timestamp, rules: &Rules) -> Verdict {
    let every = rules.follow();
    let until = keep::due(v).map_or(until, |due| until.min(due.max(v.now + rules.poll_busy)));
    let now = |read: bool, before| if read { Some(v.now) } else { before };
    let followed = Some(Followed {
        closely: now(v.seen.cluster.is_some(), v.followed.closely),
        task: now(v.seen.progress.is_some(), v.followed.task),
    });
    Verdict {
        by_list: Some(Box::new(ByList { until: Some(until), every, followed })),
        ..verdict.at(until.min(v.now + every))
    }
}
