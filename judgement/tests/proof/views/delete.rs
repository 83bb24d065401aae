//! Deleting a cluster: its state, the CRD, the protection, the request.

use super::*;

fn going(state: State) -> View {
    recorded(Goal::Destroy).shows(cluster(state))
}

fn guarded(word: Option<bool>, newer: bool, flag: Option<bool>) -> View {
    going(State::Running)
        .with(|v| v.guard = Guard { word, newer })
        .shows(cluster(State::Running).with(|c| c.guarded = flag))
}

fn delete() -> Want {
    asks(Deed::Delete, Reason::Deleting).ready(Some(false))
}

pub fn cases() -> Vec<Case> {
    [states(), uprooted(), protection(), lift(), request()].into_iter().flatten().collect()
}

fn states() -> Vec<Case> {
    let crowded = |ours| {
        recorded(Goal::Destroy)
            .with(|v| v.seen.glance = Some(Ok(Glance::Crowded)))
            .lists(list(secs(1)).with(|l| l.ours = ours))
            .shows(cluster(State::Running))
    };
    vec![
        case("a running cluster is deleted", going(State::Running), delete().times(1)),
        case("one whose last change failed is deleted", going(State::ChangeFailed), delete()),
        case("one that is down is deleted", going(State::Down), delete()),
        case("a failed one is deleted", going(State::Failed), delete()),
        case(
            "a cluster that is being made is not deleted",
            going(State::Making),
            rests(UnderWay(Reason::Deleting)).again(secs(5)).until(mins(5)),
        ),
        case("a busy cluster is not deleted", going(State::Busy), rests(UnderWay(Reason::Deleting))),
        case(
            "a cluster that goes is followed",
            going(State::Deleting),
            rests(UnderWay(Reason::Deleting)).again(secs(5)).until(mins(5)).saying("as ACK tells it"),
        ),
        case("with its progress", going(State::Deleting).with(|v| v.seen.progress = None), looks(Look::Progress)),
        case(
            "nothing is deleted while a second cluster carries our mark",
            crowded(vec![id(), "c2".into()]),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and cluster c2"),
        ),
        case("once that one is gone it is", crowded(vec![id()]), delete()),
        case(
            "a torn list does not show that it is gone",
            crowded(vec![id()]).with(|v| {
                v.seen.listing = Some(Ok(list(secs(1)).with(|l| l.whole = false)));
            }),
            rests(UnderWay(Reason::Unreachable)).again(secs(30)),
        ),
        case(
            "nor does one from before the pass",
            crowded(vec![id()]).with(|v| v.seen.listing = Some(Ok(list(secs(6))))),
            rests(UnderWay(Reason::Unreachable)).again(secs(30)),
        ),
    ]
}

fn uprooted() -> Vec<Case> {
    let uproots = |confirm: Option<&str>| {
        going(State::Running).with(|v| {
            v.seen.uprooted = Some(Ok(true));
            v.words.extend(confirm.map(|id| Word::ConfirmDelete(id.into())));
        })
    };
    vec![
        case("whether the CRD goes is looked at", going(State::Running).with(|v| v.seen.uprooted = None), {
            looks(Look::Uprooted)
        }),
        case(
            "the CRD going holds a deletion",
            uproots(None),
            rests(Stuck(Reason::DeletionHeld)).saying("confirm-delete=c1").ready(Some(true)),
        ),
        case("until a person confirms it", uproots(Some("c1")), delete()),
        case("by the right id", uproots(Some("c0")), rests(Stuck(Reason::DeletionHeld))),
        case(
            "a CRD that cannot be read holds it too",
            going(State::Running).with(|v| v.seen.uprooted = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)),
        ),
    ]
}

fn protection() -> Vec<Case> {
    let waits = || rests(Stuck(Reason::DeletionProtected)).again(mins(5)).saying("deletionPolicy: Retain");
    let raise = || guarded(Some(true), true, Some(false));
    let raised = |outcome| raise().asked(asked(keys::PROTECTION, "true", secs(0))).did(Deed::Protect(true), outcome);
    vec![
        case("spec true: deletion waits", guarded(Some(true), true, Some(true)), waits().ready(Some(true))),
        case("spec true and flag missing: deletion waits", guarded(Some(true), true, None), waits()),
        case("spec true and flag off: it is switched on even now", raise(), {
            asks(Deed::Protect(true), Reason::DeletionProtected)
        }),
        case("and deletion waits whatever came of that", raised(Err(trouble(Class::Busy))), waits()),
        case(
            "what keeps ACK from protecting a cluster that is to stay is told",
            raised(Err(trouble(Class::Permission))),
            rests(Stuck(Reason::DeletionProtected)).saying("as ACK tells it"),
        ),
        case("spec silent and flag on: deletion waits", guarded(None, false, Some(true)), waits()),
        case("spec silent and flag missing: deletion waits", guarded(None, false, None), waits()),
        case("spec silent and flag off: deleted", guarded(None, false, Some(false)), delete()),
        case("spec false and flag off: deleted", guarded(Some(false), false, Some(false)), delete()),
        case(
            "spec false and flag missing: deleted, for ACK refuses a protected one",
            guarded(Some(false), false, None),
            delete(),
        ),
        case(
            "old words never undo an emergency protection, while deleting neither",
            guarded(Some(false), false, Some(true)),
            rests(Stuck(Reason::DeletionProtected)).saying("deletionPolicy: Retain").saying("kubectl wait"),
        ),
    ]
}

fn lift() -> Vec<Case> {
    let lift = |state| guarded(Some(false), true, Some(true)).shows(cluster(state).with(|c| c.guarded = Some(true)));
    let lowered = |state, class| {
        let asked = asked(keys::PROTECTION, "false", secs(0));
        lift(state).asked(asked).did(Deed::Protect(false), Err(trouble(class)))
    };
    vec![
        case("a newer word lifts it first", lift(State::Running), asks(Deed::Protect(false), Reason::Deleting)),
        case("also on a failed cluster", lift(State::Failed), asks(Deed::Protect(false), Reason::Deleting)),
        case(
            "a lift that ACK does not show yet is waited for",
            lift(State::Running).asked(asked(keys::PROTECTION, "false", secs(0))).did(Deed::Protect(false), Ok(())),
            rests(UnderWay(Reason::Deleting)).again(secs(30)),
        ),
        case(
            "a running cluster that ACK will not unprotect is not deleted",
            lowered(State::Running, Class::Refused),
            rests(Stuck(Reason::DeleteFailed)).saying("as ACK tells it").again(mins(10)),
        ),
        case(
            "nor one that is busy for a moment",
            lowered(State::Running, Class::Busy),
            rests(UnderWay(Reason::ClusterBusy)).again(secs(15)),
        ),
        case(
            "a failed one is deleted as it is, for ACK refuses a protected one",
            lowered(State::Failed, Class::Busy),
            delete(),
        ),
        case("also where ACK has its own words for that", lowered(State::Failed, Class::Refused), delete()),
        case(
            "but not where it was the raising that failed, before the spec said otherwise",
            lift(State::Failed)
                .asked(asked(keys::PROTECTION, "true", secs(0)))
                .did(Deed::Protect(true), Err(trouble(Class::Busy))),
            asks(Deed::Protect(false), Reason::Deleting),
        ),
        case(
            "but not when the lift was not even heard",
            lowered(State::Failed, Class::Throttled),
            rests(UnderWay(Reason::Throttled)),
        ),
        case(
            "a refused deletion of a failed one is told",
            lift(State::Failed).did(Deed::Delete, Err(trouble(Class::User))),
            rests(Stuck(Reason::DeleteFailed)).saying("as ACK tells it"),
        ),
    ]
}

fn request() -> Vec<Case> {
    let waits = || rests(UnderWay(Reason::Deleting)).ready(Some(false));
    let failed = || rests(Stuck(Reason::DeleteFailed));
    let before =
        |state, wait, times, end| going(state).asked(Asked { times, end, ..asked(keys::DELETION, "options", wait) });
    let refused = || Some(End::Refused("DependencyViolation: eni-1".into()));
    let just =
        |outcome| going(State::Running).asked(asked(keys::DELETION, "options", secs(0))).did(Deed::Delete, outcome);
    vec![
        case("what outlives the cluster is told before", going(State::Running).with(|v| v.seen.leftovers = None), {
            looks(Look::Leftovers(id()))
        }),
        case(
            "but not waited for",
            going(State::Running).with(|v| v.seen.leftovers = Some(Err(trouble(Class::Transient)))),
            delete(),
        ),
        case(
            "after which the detail is read again: a protection may have been raised meanwhile",
            going(State::Running).with(|v| v.seen.take(Answer::Leftovers(Ok("".into())))),
            looks(Look::Cluster(id())),
        ),
        case("a deletion that was asked for is not asked for again in this pass", just(Ok(())), waits().again(secs(5))),
        case(
            "nor while ACK is slow to show it",
            before(State::Running, mins(5) - secs(1), 1, None),
            waits().again(secs(15)),
        ),
        case("nor after a restart", before(State::Running, mins(4), 1, None).with(|v| v.memo = None), waits()),
        case("an answer that was lost has it asked for once more", before(State::Running, mins(5), 1, None), {
            delete().times(2)
        }),
        case(
            "and then slowly, which is told",
            before(State::Running, mins(6), 2, None),
            rests(UnderWay(Reason::Unreachable)).again(mins(4)),
        ),
        case(
            "and at last it is said that ACK does not begin it",
            before(State::Running, mins(6), 3, None),
            failed().again(mins(4)),
        ),
        case(
            "other options are another wish",
            going(State::Running).asked(asked(keys::DELETION, "others", secs(1))),
            delete().times(1),
        ),
        case(
            "a deletion that ACK refuses is told, and tried again slowly",
            just(Err(trouble(Class::Refused))),
            failed()
                .again(mins(10))
                .saying("as ACK tells it")
                .ends(keys::DELETION, Some(End::Refused("as ACK tells it".into()))),
        ),
        case(
            "with what depends on it, by one steady reason",
            before(State::Running, mins(9), 3, refused()),
            failed().again(mins(1)).saying("DependencyViolation: eni-1").ends_nothing(),
        ),
        case("and no more often", before(State::Running, mins(10), 3, refused()), delete().times(4)),
        case(
            "one that was not heard is tried again",
            just(Err(trouble(Class::Transient))),
            rests(UnderWay(Reason::Unreachable)).again(secs(5)),
        ),
        case(
            "and one that ACK was too busy for as if it had not been asked for",
            just(Err(Trouble { unsent: true, ..trouble(Class::Busy) })),
            rests(UnderWay(Reason::ClusterBusy)).again(secs(15)).ends(keys::DELETION, None),
        ),
        case(
            "a failed deletion tells its cause and the way out",
            before(State::DeleteFailed, mins(2), 1, None),
            failed().again(mins(8)).saying("as ACK tells it").saying("deleteOptions.retainResources"),
        ),
        case(
            "its cause is looked for",
            before(State::DeleteFailed, mins(2), 1, None).with(|v| v.seen.cause = None),
            looks(Look::Cause),
        ),
        case("it is asked for again after ten minutes", before(State::DeleteFailed, mins(10), 1, None), delete()),
    ]
}
