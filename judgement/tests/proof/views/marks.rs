//! The cluster's mark: seen before it is trusted, put on, put back, another's.

use super::*;

/// A cluster that serves, with this owner; of it the status knows this.
fn shown(goal: Goal, owner: Owner, adopted: bool, mark: Mark) -> View {
    recorded(goal)
        .shows(cluster(State::Running).with(|c| c.owner = owner))
        .known(|known| (known.adopted, known.mark) = (adopted, mark))
}

fn other() -> Owner {
    Owner::Other { nonce: "n9".into(), namesake: false }
}

fn claims() -> Want {
    asks(Deed::Claim, Reason::Updating).ready(Some(true))
}

fn conflict() -> Want {
    rests(Stuck(Reason::OwnershipConflict)).again(mins(10))
}

pub fn cases() -> Vec<Case> {
    [trusted(), adopted(), another(), pace()].into_iter().flatten().collect()
}

fn trusted() -> Vec<Case> {
    let unseen = |wait| shown(Goal::Manage, Owner::Nobody, false, Mark::Unseen).known(|k| k.recorded = ago(wait));
    let due = |view: View| {
        view.with(|v| {
            v.kubeconfig = Some(NOW);
            v.seen.kubeconfig = Some(Ok(Published::Absent));
        })
    };
    let wants = |view: View| view.guard(true, true).drifts(drift(&[wanted()]));
    vec![
        case(
            "nothing is published, changed or protected before ACK has shown our mark",
            wants(due(unseen(mins(6) - secs(1)))),
            rests(UnderWay(Reason::Updating)).again(secs(15)),
        ),
        case("nor told ready by that", unseen(mins(5)), rests(UnderWay(Reason::Updating)).ready(None)),
        case(
            "a mark that is not shown in time is a conflict",
            due(unseen(mins(6))),
            conflict().saying("take-over=n2").saying("deletionPolicy: Retain"),
        ),
        case("which a person may end", unseen(mins(6)).word(Word::TakeOver("n2".into())), claims()),
        case(
            "nothing is deleted before ACK has shown our mark",
            unseen(mins(5)).with(|v| v.goal = Goal::Destroy),
            rests(UnderWay(Reason::Deleting)).again(secs(15)),
        ),
        case(
            "a mark that was seen and vanished is put back",
            wants(shown(Goal::Manage, Owner::Nobody, false, Mark::Seen)),
            claims().times(1),
        ),
        case(
            "also before a deletion",
            shown(Goal::Destroy, Owner::Nobody, false, Mark::Seen),
            asks(Deed::Claim, Reason::Deleting),
        ),
        case(
            "and nothing is published meanwhile",
            due(shown(Goal::Manage, Owner::Nobody, false, Mark::Seen)).asked(asked(keys::MARKS, "n2", secs(9))),
            rests(UnderWay(Reason::Updating)).again(secs(30)),
        ),
    ]
}

fn adopted() -> Vec<Case> {
    let adopted = |goal| shown(goal, Owner::Nobody, true, Mark::Unseen);
    let doubtful = || {
        let fixed = Drift { fixed: true, differs: Some("vpcid differs".into()), ..drift(&[wanted()]) };
        adopted(Goal::Manage).guard(true, true).drifts(fixed)
    };
    vec![
        case("an adopted cluster gets our mark before anything else", adopted(Goal::Manage).guard(true, true), {
            claims()
        }),
        case("and before it is deleted", adopted(Goal::Destroy), asks(Deed::Claim, Reason::Deleting)),
        case(
            "what cannot be changed and differs is a doubt: neither marked, protected nor changed",
            doubtful(),
            rests(Stuck(Reason::SpecDiffers))
                .saying("vpcid differs")
                .saying("deletion_protection: false -> true")
                .saying("timezone: UTC -> Shanghai")
                .ready(Some(true)),
        ),
        case(
            "nor is its kubeconfig published",
            doubtful().with(|v| {
                v.kubeconfig = Some(NOW);
                v.seen.kubeconfig = Some(Ok(Published::Absent));
            }),
            rests(Stuck(Reason::SpecDiffers)),
        ),
        case("an observed one gets no mark", adopted(Goal::Observe), rests(Held(Reason::Observed)).ready(Some(true))),
        case(
            "of two that adopt one cluster the second finds the mark of the first",
            shown(Goal::Manage, other(), true, Mark::Unseen),
            conflict().saying("take-over=n9"),
        ),
        case(
            "and does not take it with it when it goes",
            shown(Goal::Destroy, other(), true, Mark::Unseen),
            conflict().saying("take-over=n9"),
        ),
    ]
}

fn another() -> Vec<Case> {
    let owned = |owner| shown(Goal::Manage, owner, false, Mark::Seen);
    let restored = |goal, owner| shown(goal, owner, false, Mark::Another);
    let namesake = || Owner::Other { nonce: "n9".into(), namesake: true };
    vec![
        case("a cluster with another object's mark is not changed", owned(other()).drifts(drift(&[wanted()])), {
            conflict().saying("take-over=n9").ready(Some(false))
        }),
        case("unless a person names that mark", owned(other()).word(Word::TakeOver("n9".into())), claims()),
        case("the wrong mark takes nothing over", owned(other()).word(Word::TakeOver("n8".into())), conflict()),
        case(
            "an id that another object records as well is a conflict, whatever a person says",
            owned(Owner::Claimed("ns/x".into())).word(Word::TakeOver("n9".into())),
            conflict().saying("ns/x"),
        ),
        case(
            "a status that was restored under another uid owns nothing: production outlives the drill",
            restored(Goal::Destroy, other()),
            conflict().saying("take-over=n9"),
        ),
        case("nor does it own a cluster without a mark", restored(Goal::Manage, Owner::Nobody), {
            conflict().saying("take-over=n2")
        }),
        case(
            "a person may have it taken over",
            restored(Goal::Manage, other()).word(Word::TakeOver("n9".into())),
            claims(),
        ),
        adopting_owned("so may the administrator where the names agree", restored(Goal::Manage, namesake()), claims()),
        adopting_owned("and not where they differ", restored(Goal::Manage, other()), conflict()),
        case("equal names alone prove nothing", restored(Goal::Destroy, namesake()), conflict()),
    ]
}

fn pace() -> Vec<Case> {
    let lost = || shown(Goal::Manage, Owner::Nobody, false, Mark::Seen);
    let put = |wait, times, end: Option<End>| lost().asked(Asked { times, end, ..asked(keys::MARKS, "n2", wait) });
    let refused = || Some(End::Refused("20 tags already".into()));
    let stuck = |reason| rests(Stuck(reason)).ready(Some(true));
    vec![
        case(
            "a mark that ACK does not show yet is waited for",
            lost().asked(asked(keys::MARKS, "n2", secs(0))).did(Deed::Claim, Ok(())),
            rests(UnderWay(Reason::Updating)).again(secs(30)),
        ),
        case(
            "once it shows the cluster is deleted",
            shown(Goal::Destroy, Owner::Mine, true, Mark::Unseen)
                .asked(asked(keys::MARKS, "n2", secs(9)))
                .did(Deed::Claim, Ok(())),
            asks(Deed::Delete, Reason::Deleting),
        ),
        case("a mark that was shown and is taken off is put back at once", put(mins(2), 1, Some(End::Shown)), {
            claims().times(2)
        }),
        case("then at the slow pace", put(mins(9), 2, Some(End::Shown)), {
            stuck(Reason::SpecDiffers).again(mins(1)).saying("2 times")
        }),
        case("which is now", put(mins(10), 2, Some(End::Shown)), claims().times(3)),
        case(
            "then once a day",
            put(hours(23), 3, Some(End::Shown)),
            stuck(Reason::SpecDiffers).again(mins(5)).saying("09:00:00Z"),
        ),
        case(
            "a mark that ACK refuses is told, and the cluster is only observed",
            put(mins(2), 1, refused()),
            stuck(Reason::UpdateFailed).again(mins(5)).saying("20 tags already"),
        ),
        case(
            "in the pass that asked too",
            lost().asked(asked(keys::MARKS, "n2", secs(0))).did(Deed::Claim, Err(trouble(Class::Permission))),
            stuck(Reason::UpdateFailed)
                .saying("as ACK tells it")
                .ends(keys::MARKS, Some(End::Refused("as ACK tells it".into()))),
        ),
        case("it is asked for again at the slow pace", put(mins(10), 1, refused()), claims()),
    ]
}
