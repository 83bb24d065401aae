//! Asking ACK for something: what is written down, what is read last, and how often. Told of changes and of the protection; the
//! mark and the deletion keep the same pace.

use super::*;

/// A cluster that serves and differs from the spec in this.
fn wants(changes: &[Change]) -> View {
    recorded(Goal::Manage).shows(cluster(State::Running)).drifts(drift(changes))
}

fn changes(changes: &[Change]) -> Want {
    asks(Deed::Change(changes.to_vec()), Reason::Updating).ready(Some(true))
}

/// The timezone was asked for so long ago and so often.
fn before(wait: SignedDuration, times: u32, end: Option<End>) -> View {
    wants(&[wanted()]).asked(Asked { times, end, ..asked("timezone", "d1", wait) })
}

fn taken() -> Memo {
    Memo::Taken(vec![("timezone".to_owned(), "d1".to_owned())])
}

fn just_did(change: &Change, outcome: Result<(), Class>) -> View {
    wants(std::slice::from_ref(change))
        .asked(asked(&change.key, &change.digest, secs(0)))
        .did(Deed::Change(vec![change.clone()]), outcome.map_err(trouble))
}

pub fn cases() -> Vec<Case> {
    [first(), last_look(), written(), pace(), lost(), refusals(), protection()].into_iter().flatten().collect()
}

fn first() -> Vec<Case> {
    let in_state = |state| recorded(Goal::Manage).shows(cluster(state)).drifts(drift(&[wanted()]));
    vec![
        case("what the spec wants otherwise is changed, and the object says so", wants(&[wanted()]), {
            changes(&[wanted()]).saying("timezone: UTC -> Shanghai").times(1)
        }),
        case("also after a change that failed", in_state(State::ChangeFailed), changes(&[wanted()])),
        case(
            "which is then waited for, not told as failed",
            in_state(State::ChangeFailed)
                .asked(asked("timezone", "d1", secs(0)))
                .did(Deed::Change(vec![wanted()]), Ok(())),
            rests(UnderWay(Reason::Updating)).again(secs(15)),
        ),
        case("not while something else is at work", in_state(State::Busy), rests(UnderWay(Reason::Updating))),
        case("not on a cluster that is down", in_state(State::Down), rests(Held(Reason::ClusterUnavailable))),
        case(
            "changes of one call are asked for together, and of another call apart",
            wants(&[wanted(), another(), Change { key: "name".into(), ..wanted() }]),
            changes(&[wanted(), Change { key: "name".into(), ..wanted() }]),
        ),
        case(
            "the next call follows at once",
            wants(&[wanted(), another()])
                .asked(asked("timezone", "d1", secs(0)))
                .did(Deed::Change(vec![wanted()]), Ok(())),
            changes(&[another()]).saying("timezone").saying("tags"),
        ),
        case(
            "one that ACK refuses does not hold up the other",
            wants(&[another(), wanted()])
                .asked(Asked { end: Some(End::Refused("no".into())), ..asked("tags", "d2", mins(1)) }),
            changes(&[wanted()]),
        ),
        case(
            "an observed cluster is not changed, and all that differs is told, protection first",
            wants(&[wanted(), another()]).guard(true, true).with(|v| v.goal = Goal::Observe),
            rests(Stuck(Reason::SpecDiffers))
                .saying("deletion_protection: false -> true, timezone: UTC -> Shanghai, tags: team=blue")
                .ready(Some(true)),
        ),
    ]
}

fn last_look() -> Vec<Case> {
    let crowded = |glance| wants(&[wanted()]).with(|v| v.seen.glance = Some(glance));
    let forbidden = || crowded(Err(trouble(Class::Permission)));
    vec![
        case(
            "a list that was read after the detail has the detail read again",
            crowded(Ok(Glance::Crowded)).lists(list(secs(1)).with(|l| l.ours = vec![id()])),
            looks(Look::Cluster(id())),
        ),
        case(
            "and then what differs anew",
            wants(&[wanted()]).with(|v| v.seen.take(Answer::Cluster(Ok(Existence::Here(cluster(State::Running)))))),
            looks(Look::Drift),
        ),
        case(
            "where the list may not be read nothing is asked for: a second cluster could carry our mark",
            forbidden(),
            rests(Stuck(Reason::PermissionDenied)).ready(None),
        ),
        case("an adopted cluster has no second one", forbidden().known(|k| k.adopted = true), changes(&[wanted()])),
    ]
}

fn written() -> Vec<Case> {
    let asked_now = || just_did(&wanted(), Ok(()));
    let settled = |end: Option<End>| wants(&[]).asked(Asked { end, ..asked("timezone", "d1", mins(1)) });
    vec![
        case(
            "what was asked for is waited for",
            asked_now(),
            rests(UnderWay(Reason::Updating)).again(secs(15)).ready(Some(true)).keeping(taken()).ends_nothing(),
        ),
        case(
            "and remembered as taken while ACK is at work on it",
            asked_now().shows(cluster(State::Busy)),
            rests(UnderWay(Reason::Updating)).keeping(taken()),
        ),
        case("what ACK shows is written down as shown", settled(None), rests(Done).ends("timezone", Some(End::Shown))),
        case("once", settled(Some(End::Shown)), rests(Done).ends_nothing()),
        case(
            "what ACK refuses is told in its words, and written down",
            just_did(&wanted(), Err(Class::Refused)),
            rests(Stuck(Reason::UpdateFailed))
                .saying("as ACK tells it")
                .ready(Some(true))
                .ends("timezone", Some(End::Refused("as ACK tells it".into()))),
        ),
        case(
            "also what the keys may not ask for",
            just_did(&wanted(), Err(Class::Permission)),
            rests(Stuck(Reason::UpdateFailed)).ready(Some(true)),
        ),
        case(
            "what certainly took no effect is as if it had not been asked for",
            wants(&[wanted()])
                .asked(asked("timezone", "d1", secs(0)))
                .did(Deed::Change(vec![wanted()]), Err(Trouble { unsent: true, ..trouble(Class::Busy) })),
            rests(UnderWay(Reason::ClusterBusy)).again(secs(15)).ready(Some(true)).ends("timezone", None),
        ),
        case(
            "what perhaps got there is not, and what came instead of an answer is written down",
            just_did(&wanted(), Err(Class::Transient)),
            rests(UnderWay(Reason::Unreachable))
                .ready(Some(true))
                .keeping_nothing()
                .ends("timezone", Some(End::Lost("as ACK tells it".into()))),
        ),
    ]
}

fn pace() -> Vec<Case> {
    let shown = |wait, times| before(wait, times, Some(End::Shown));
    let told = || rests(Stuck(Reason::SpecDiffers)).ready(Some(true));
    vec![
        case("what somebody else undoes is set back at once", shown(secs(1), 1), changes(&[wanted()]).times(2)),
        case("then at the slow pace, and that is told", shown(mins(9), 2), told().again(mins(1)).saying("2 times")),
        case("which is now", shown(mins(10), 2), changes(&[wanted()]).times(3)),
        case("then once a day", shown(hours(24) - mins(1), 3), told().again(mins(1)).saying("3 times")),
        case("which is now too", shown(hours(24), 7), changes(&[wanted()]).times(8)),
        case("what was left alone for two days is a new one", shown(hours(48), 7), changes(&[wanted()]).times(1)),
        case(
            "another wish for the same field is asked for at once",
            before(secs(1), 9, Some(End::Refused("no".into())))
                .drifts(drift(&[Change { digest: "d9".into(), ..wanted() }])),
            asks(Deed::Change(vec![Change { digest: "d9".into(), ..wanted() }]), Reason::Updating).times(1),
        ),
        case(
            "a time from the future was told by a wrong clock, and does not put it off",
            before(-hours(9), 2, Some(End::Shown)),
            changes(&[wanted()]).times(1),
        ),
        case("what ACK took and does not show is left alone for a day", before(hours(23), 1, Some(End::Unshown)), {
            told().again(mins(5)).saying("timezone")
        }),
        case(
            "a request whose answer was lost is told until it may be made again",
            before(mins(4), 1, Some(End::Lost("cut off".into()))),
            rests(UnderWay(Reason::Unreachable)).again(mins(1)).saying("cut off"),
        ),
        case("which is once ACK would show it", before(mins(5), 1, Some(End::Lost("cut off".into()))), {
            changes(&[wanted()]).times(2)
        }),
        case(
            "and then at the slow pace",
            before(mins(9), 2, Some(End::Lost("cut off".into()))),
            rests(UnderWay(Reason::Unreachable)).again(mins(1)),
        ),
        case("and then asked for again", before(hours(24), 1, Some(End::Unshown)), changes(&[wanted()]).times(2)),
    ]
}

/// The answer was lost, or the process that asked.
fn lost() -> Vec<Case> {
    let failed = |view: View| view.shows(cluster(State::ChangeFailed)).drifts(drift(&[wanted()]));
    vec![
        case("what was asked for may be slow to show", before(mins(5) - secs(1), 1, None), {
            rests(UnderWay(Reason::Updating))
        }),
        case("of an answer that was lost it is asked for once more", before(mins(5), 1, None), {
            changes(&[wanted()]).times(2)
        }),
        case(
            "after the next restart slowly",
            before(mins(5), 2, None),
            rests(UnderWay(Reason::Unreachable)).again(mins(5)),
        ),
        case("and then once more", before(mins(10), 2, None), changes(&[wanted()]).times(3)),
        case(
            "and not again after the third",
            before(mins(10), 3, None),
            rests(Stuck(Reason::SpecDiffers)).again(mins(5)).ends("timezone", Some(End::Unshown)),
        ),
        case(
            "what ACK is known to have taken is not asked for once more",
            before(mins(5), 1, None).remembers(taken()),
            rests(Stuck(Reason::SpecDiffers)).again(mins(5)).ends("timezone", Some(End::Unshown)),
        ),
        case(
            "one that failed at work is told, and asked for again after ten minutes",
            failed(before(mins(9), 1, None)),
            rests(Stuck(Reason::UpdateFailed)).again(mins(1)),
        ),
        case("which is then", failed(before(mins(10), 1, None)), changes(&[wanted()]).times(2)),
    ]
}

fn refusals() -> Vec<Case> {
    let refused = |wait| before(wait, 1, Some(End::Refused("InvalidSecurityGroupId.NotFound".into())));
    vec![
        case(
            "a refusal stays told, by one steady reason",
            refused(mins(9)),
            rests(Stuck(Reason::UpdateFailed))
                .saying("InvalidSecurityGroupId.NotFound")
                .again(mins(1))
                .ready(Some(true))
                .ends_nothing(),
        ),
        case("it is asked for again after ten minutes", refused(mins(10)), changes(&[wanted()]).times(2)),
        case(
            "a kubeconfig that is due waits for the next pass, and neither is asked for again in this one",
            just_did(&wanted(), Err(Class::User)).did(Deed::Publish, Ok(())).with(|v| {
                v.kubeconfig = Some(NOW);
                v.seen.kubeconfig = Some(Ok(Published::Absent));
            }),
            rests(Stuck(Reason::UpdateFailed)).again(secs(15)),
        ),
    ]
}

fn protection() -> Vec<Case> {
    let guarded = |word, newer, flag| {
        recorded(Goal::Manage).guard(word, newer).shows(cluster(State::Running).with(|c| c.guarded = flag))
    };
    let raise = || guarded(true, false, Some(false));
    let lower = || guarded(false, true, Some(true));
    let protects = |on| asks(Deed::Protect(on), Reason::Updating).ready(Some(true));
    let flag = |wait, on: &str, times, end| Asked { times, end, ..asked(keys::PROTECTION, on, wait) };
    let emergency = || rests(Stuck(Reason::SpecDiffers)).saying("deletion_protection").ready(Some(true));
    vec![
        case("a protection that the spec wants is switched on", raise(), protects(true)),
        case("a protection is lowered at a new word", lower(), protects(false)),
        case(
            "old words never undo an emergency protection, and the cure waits until the new word is seen",
            guarded(false, false, Some(true)),
            emergency().saying("kubectl patch").saying("kubectl wait"),
        ),
        case(
            "nor does the same word twice, once the flag is on again",
            lower().asked(flag(hours(25), "false", 2, Some(End::Shown))),
            emergency(),
        ),
        case("a flag that does not show is not repaired", guarded(true, false, None), rests(Done)),
        case(
            "a silent spec leaves the flag alone",
            guarded(false, false, Some(true)).with(|v| v.guard.word = None),
            rests(Done),
        ),
        case(
            "protection waits until the cluster runs",
            raise().shows(cluster(State::ChangeFailed)),
            rests(Stuck(Reason::UpdateFailed)),
        ),
        case("the protection comes before any change", raise().drifts(drift(&[wanted()])), protects(true)),
        case(
            "a switch that ACK does not show yet is waited for",
            raise().asked(flag(secs(0), "true", 1, None)).did(Deed::Protect(true), Ok(())),
            rests(UnderWay(Reason::Updating)).again(secs(30)).ready(Some(true)),
        ),
        case(
            "a switch that ACK refuses is told, and the rest goes on",
            lower()
                .drifts(drift(&[wanted()]))
                .asked(flag(secs(0), "false", 1, None))
                .did(Deed::Protect(false), Err(trouble(Class::User))),
            changes(&[wanted()]),
        ),
        case(
            "one that could not be asked for is tried again",
            raise().asked(flag(secs(0), "true", 1, None)).did(Deed::Protect(true), Err(trouble(Class::Throttled))),
            rests(UnderWay(Reason::Throttled)).ready(Some(true)),
        ),
        case(
            "a console that keeps lowering it is answered at once, then slowly",
            raise().asked(flag(mins(9), "true", 2, Some(End::Shown))),
            rests(Stuck(Reason::SpecDiffers)).again(mins(1)).saying("2 times"),
        ),
    ]
}
