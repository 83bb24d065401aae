//! Keeping a cluster: settled, changed, failed, vanished.

use super::*;

fn shown(state: State) -> View {
    recorded(Goal::Manage).shows(cluster(state))
}

fn guarded(state: State, word: bool, newer: bool, flag: Option<bool>) -> View {
    recorded(Goal::Manage).guard(word, newer).shows(cluster(state).with(|c| c.guarded = flag))
}

fn drifted(goal: Goal, change: impl FnOnce(&mut Drift)) -> View {
    recorded(goal).shows(cluster(State::Running)).with(|v| v.seen.drift = Some(Ok(Drift::default().with(change))))
}

pub fn cases() -> Vec<Case> {
    [look(), states(), protection(), differences(), changes(), failed(), vanished()].into_iter().flatten().collect()
}

fn look() -> Vec<Case> {
    let unlisted = || view(Goal::Manage, Standing::Known(known()));
    vec![
        case("a cluster is first glanced at in the shared list", unlisted(), looks(Look::Glance(id()))),
        case(
            "a cluster that looks the same costs no call and no write",
            unlisted().with(|v| v.seen.glance = Some(Ok(Glance::Same))),
            rests(Same).again(mins(5)),
        ),
        case(
            "a second cluster with our mark is looked for in a fresh list",
            unlisted().with(|v| v.seen.glance = Some(Ok(Glance::Crowded))),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "and neither is touched",
            shown(State::Running)
                .with(|v| v.seen.glance = Some(Ok(Glance::Crowded)))
                .lists(list(secs(1)).with(|l| l.ours = vec![id(), "c2".into()])),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and cluster c2").ready(Some(false)),
        ),
        case(
            "unless the fresh list shows that it is gone",
            shown(State::Running)
                .with(|v| v.seen.glance = Some(Ok(Glance::Crowded)))
                .lists(list(secs(1)).with(|l| l.ours = vec![id()])),
            rests(Done),
        ),
        case("a cluster that changed is looked at closely", recorded(Goal::Manage), looks(Look::Cluster(id()))),
        case(
            "nothing is read with the credentials of another account",
            unlisted().with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).again(mins(10)).ready(Some(false)),
        ),
        case(
            "a cluster that cannot be read keeps its last word",
            recorded(Goal::Manage).with(|v| v.seen.cluster = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)).ready(None),
        ),
        case(
            "an id that another object records as well is a conflict",
            recorded(Goal::Manage)
                .shows(cluster(State::Running).with(|c| c.owner = Owner::Claimed("AckCluster x".into()))),
            rests(Stuck(Reason::OwnershipConflict)).saying("AckCluster x"),
        ),
        case("a paused object's cluster is not looked at", unlisted().with(|v| v.goal = Goal::Pause), {
            rests(Held(Reason::Paused))
        }),
    ]
}

fn states() -> Vec<Case> {
    let untold = |state, tell: fn(&mut Evidence) -> &mut Seen<Note>| shown(state).with(|v| *tell(&mut v.seen) = None);
    vec![
        case("a running cluster is ready", shown(State::Running), rests(Done).ready(Some(true)).again(mins(5))),
        case(
            "a cluster that is being made tells how far it is",
            shown(State::Making),
            rests(UnderWay(Reason::Creating)).again(secs(15)).saying("as ACK tells it").ready(Some(false)),
        ),
        case("which is looked at first", untold(State::Making, |seen| &mut seen.progress), looks(Look::Progress)),
        case(
            "a task that cannot be read is not waited for",
            shown(State::Making).with(|v| v.seen.progress = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Creating)).saying("ACK is creating the cluster"),
        ),
        case("a busy cluster serves", shown(State::Busy), rests(UnderWay(Reason::Updating)).ready(Some(true))),
        case(
            "a cluster that is down is told, not touched",
            shown(State::Down),
            rests(Held(Reason::ClusterUnavailable)).ready(Some(false)).saying("word"),
        ),
        case(
            "a cluster that others delete is followed",
            shown(State::Deleting),
            rests(UnderWay(Reason::Deleting)).saying("nobody asked for that here"),
        ),
        case(
            "a cluster that goes to be made anew is followed",
            shown(State::Deleting).word(Word::Recreate(id())),
            rests(UnderWay(Reason::Deleting)).saying("once it is gone another one is made"),
        ),
        case(
            "a deletion of others that failed is told",
            shown(State::DeleteFailed),
            rests(Stuck(Reason::DeleteFailed)).again(mins(10)),
        ),
        case(
            "a cluster whose last change failed still serves",
            shown(State::ChangeFailed),
            rests(Stuck(Reason::UpdateFailed)).ready(Some(true)),
        ),
    ]
}

fn protection() -> Vec<Case> {
    let protect = |on| acts(Act::Protect { id: id(), on });
    let raise = || guarded(State::Running, true, false, Some(false));
    let lower = || guarded(State::Running, false, true, Some(true));
    let adopted = |view: View| view.with(|v| v.standing = Standing::Known(known().with(|k| k.adopted = true)));
    let owned = |owner| raise().shows(cluster(State::Running).with(|c| c.owner = owner));
    vec![
        case("a protection that the spec wants is switched on", raise(), protect(true)),
        case("a protection is lowered at a new word", lower(), protect(false)),
        case(
            "old words never undo an emergency protection",
            guarded(State::Running, false, false, Some(true)),
            rests(Stuck(Reason::SpecDiffers)).saying("is not lifted by old words"),
        ),
        case("a flag that does not show is not repaired", guarded(State::Running, true, false, None), rests(Done)),
        case(
            "a silent spec leaves the flag alone",
            shown(State::Running).shows(cluster(State::Running).with(|c| c.guarded = Some(true))),
            rests(Done),
        ),
        case(
            "protection waits until the cluster runs",
            guarded(State::ChangeFailed, true, false, Some(false)),
            rests(Stuck(Reason::UpdateFailed)),
        ),
        case("an observed cluster is not protected", raise().with(|v| v.goal = Goal::Observe), {
            rests(Held(Reason::Observed))
        }),
        case("a change that ACK does not show yet is waited for", raise().did(Deed::Protect, Ok(())), {
            rests(UnderWay(Reason::Updating)).again(secs(30)).ready(Some(true))
        }),
        case(
            "a change that ACK refuses is told",
            lower().did(Deed::Protect, Err(Class::User)),
            rests(Stuck(Reason::UpdateFailed)).saying("as ACK tells it"),
        ),
        case(
            "a change that could not be asked for is tried again",
            raise().did(Deed::Protect, Err(Class::Throttled)),
            rests(UnderWay(Reason::Throttled)),
        ),
        case("an adopted cluster of nobody is protected", adopted(owned(Owner::Nobody)), protect(true)),
        case(
            "a cluster that lost our mark is not changed",
            owned(Owner::Nobody),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        case(
            "a cluster with another object's mark is not changed",
            adopted(owned(Owner::Other("n9".into()))),
            rests(Stuck(Reason::OwnershipConflict)).saying("take-over=n9"),
        ),
    ]
}

fn differences() -> Vec<Case> {
    let differs = |d: &mut Drift| d.differs = Some("vpcid differs".into());
    vec![
        case("differences are looked for", shown(State::Running).with(|v| v.seen.drift = None), looks(Look::Drift)),
        case(
            "missing workers are told",
            drifted(Goal::Manage, |d| d.workers = Some("2 of 3".into())),
            rests(Stuck(Reason::WorkersMissing)).saying("2 of 3").ready(Some(true)),
        ),
        case(
            "what differs is told",
            drifted(Goal::Manage, differs),
            rests(Stuck(Reason::SpecDiffers)).saying("vpcid differs").ready(Some(true)),
        ),
        case(
            "every sentence is told, under the first reason",
            drifted(Goal::Manage, |d| (d.workers, d.differs) = (Some("2 of 3".into()), Some("vpcid differs".into()))),
            rests(Stuck(Reason::WorkersMissing)).saying("2 of 3. vpcid differs"),
        ),
        case("and so for an observed cluster", drifted(Goal::Observe, differs), rests(Stuck(Reason::SpecDiffers))),
        case(
            "an observed cluster that is as the spec says is held",
            drifted(Goal::Observe, |_| {}),
            rests(Held(Reason::Observed)).ready(Some(true)).saying("ackoperator.dev/observe"),
        ),
    ]
}

fn failed() -> Vec<Case> {
    let again = |goal| recorded(goal).shows(cluster(State::Failed)).word(Word::Recreate(id()));
    vec![
        case(
            "a failed cluster is kept, with its cause and the word that makes another",
            shown(State::Failed),
            rests(Stuck(Reason::CreateFailed))
                .again(mins(10))
                .saying("as ACK tells it. The failed cluster c1 may hold"),
        ),
        case("its cause is looked for", shown(State::Failed).with(|v| v.seen.cause = None), looks(Look::Cause)),
        case(
            "recreate deletes the failed cluster first",
            again(Goal::Manage),
            acts(Act::Delete { id: id(), not_after: NOW + mins(1) }),
        ),
        case(
            "recreate minds the protection",
            again(Goal::Manage).guard(true, true).shows(cluster(State::Failed).with(|c| c.guarded = Some(true))),
            rests(Stuck(Reason::DeletionProtected)),
        ),
        case("an observed cluster is not recreated", again(Goal::Observe), rests(Stuck(Reason::CreateFailed))),
        case(
            "recreate with another id does nothing",
            shown(State::Failed).word(Word::Recreate("c0".into())),
            rests(Stuck(Reason::CreateFailed)),
        ),
        case("a running cluster is not recreated", shown(State::Running).word(Word::Recreate(id())), rests(Done)),
    ]
}

fn vanished() -> Vec<Case> {
    let gone =
        |goal| recorded(goal).unknown().remembers(Memo::Gone { id: id(), at: ago(secs(31)) }).lists(list(secs(1)));
    vec![
        case(
            "one 404 is not gone",
            recorded(Goal::Manage).unknown(),
            rests(UnderWay(Reason::Unreachable)).again(secs(30)).keeping(Memo::Gone { id: id(), at: NOW }),
        ),
        case(
            "a cluster that vanished is reported, never made again",
            gone(Goal::Manage),
            rests(Stuck(Reason::ClusterGone))
                .again(mins(10))
                .saying("recreate=c1")
                .ready(Some(false))
                .keeping(Memo::Gone { id: id(), at: ago(secs(31)) }),
        ),
        case(
            "only a person's word starts another",
            gone(Goal::Manage).word(Word::Recreate(id())),
            acts(Act::Forget(id())),
        ),
        case(
            "the word that made an earlier one counts for nothing",
            gone(Goal::Manage).word(Word::Recreate("c0".into())),
            rests(Stuck(Reason::ClusterGone)),
        ),
        case(
            "an observed object starts no other",
            gone(Goal::Observe).word(Word::Recreate(id())),
            rests(Stuck(Reason::ClusterGone)),
        ),
        case(
            "a cluster that ACK never showed is late, not gone",
            gone(Goal::Manage).with(|v| {
                v.standing = Standing::Known(Known { met: false, believe_after: NOW + secs(1), ..known() });
            }),
            rests(UnderWay(Reason::Creating)).saying("its record may lag"),
        ),
    ]
}

fn changes() -> Vec<Case> {
    let wants = || drifted(Goal::Manage, |d| d.change = Some(wanted()));
    let change = |change| acts(Act::Change { id: id(), change });
    let memo = |wait, refusal| Memo::Changed { change: wanted(), at: ago(wait), refusal };
    let taken = |wait| memo(wait, None);
    let refused = |wait| memo(wait, Some("as ACK tells it".into()));
    let adopted = |view: View| view.with(|v| v.standing = Standing::Known(known().with(|k| k.adopted = true)));
    let with = |cluster| {
        let drift = Drift { change: Some(wanted()), ..Drift::default() };
        wants().shows(cluster).with(|v| v.seen.drift = Some(Ok(drift)))
    };
    let owned = |owner| with(cluster(State::Running).with(|c| c.owner = owner));
    let in_state = |state| with(cluster(state));
    vec![
        case("what the spec wants otherwise is changed", wants(), change(wanted())),
        case("also after a change that failed", in_state(State::ChangeFailed), change(wanted())),
        case("not while something else is at work", in_state(State::Busy), rests(UnderWay(Reason::Updating))),
        case("not on a cluster that is down", in_state(State::Down), rests(Held(Reason::ClusterUnavailable))),
        case(
            "the protection comes first",
            guarded(State::Running, true, false, Some(false)).with(|v| {
                v.seen.drift = Some(Ok(Drift { change: Some(wanted()), ..Drift::default() }));
            }),
            acts(Act::Protect { id: id(), on: true }),
        ),
        case(
            "an observed cluster is not changed, and what differs is told",
            wants().with(|v| v.goal = Goal::Observe),
            rests(Stuck(Reason::SpecDiffers))
                .saying("would be changed: timezone: UTC -> Asia/Shanghai")
                .ready(Some(true)),
        ),
        case("an adopted cluster of nobody is changed", adopted(owned(Owner::Nobody)), change(wanted())),
        case(
            "but not while it may be another than the one that was meant",
            adopted(drifted(Goal::Manage, |d| (d.change, d.fixed) = (Some(wanted()), true))),
            rests(Stuck(Reason::SpecDiffers)).saying("once what ACK cannot change agrees"),
        ),
        case("a cluster that lost our mark is not", owned(Owner::Nobody), rests(Stuck(Reason::OwnershipConflict))),
        case(
            "one with another object's mark is not",
            adopted(owned(Owner::Other("n9".into()))),
            rests(Stuck(Reason::OwnershipConflict)).saying("take-over=n9"),
        ),
        case(
            "what was asked for is waited for",
            wants().did(Deed::Change(wanted()), Ok(())),
            rests(UnderWay(Reason::Updating)).again(secs(15)).ready(Some(true)).keeping(taken(secs(0))),
        ),
        case(
            "and remembered while ACK is at work on it",
            in_state(State::Busy).did(Deed::Change(wanted()), Ok(())),
            rests(UnderWay(Reason::Updating)).keeping(taken(secs(0))),
        ),
        case(
            "and after that",
            in_state(State::Busy).remembers(taken(mins(2))),
            rests(UnderWay(Reason::Updating)).keeping(taken(mins(2))),
        ),
        case(
            "an answer that is slow to show does not have it asked for again",
            wants().remembers(taken(mins(4))),
            rests(UnderWay(Reason::Updating)).keeping(taken(mins(4))),
        ),
        case(
            "what ACK took and does not show is told",
            wants().remembers(taken(mins(5))),
            rests(Stuck(Reason::SpecDiffers)).saying("does not show it").again(mins(5)).keeping(taken(mins(5))),
        ),
        case("and not asked for again for a day", wants().remembers(taken(mins(1439))), {
            rests(Stuck(Reason::SpecDiffers)).again(mins(1)).keeping(taken(mins(1439)))
        }),
        case("but then", wants().remembers(taken(mins(1440))), change(wanted())),
        case(
            "another change is asked for at once",
            drifted(Goal::Manage, |d| d.change = Some(another())).remembers(taken(secs(1))),
            change(another()),
        ),
        case(
            "one change is followed by the next",
            drifted(Goal::Manage, |d| d.change = Some(another())).did(Deed::Change(wanted()), Ok(())),
            change(another()),
        ),
        case(
            "a change that ACK refuses is told, and the cluster serves",
            wants().did(Deed::Change(wanted()), Err(Class::User)),
            rests(Stuck(Reason::UpdateFailed)).saying("as ACK tells it").ready(Some(true)).keeping(refused(secs(0))),
        ),
        case(
            "a kubeconfig that is due then waits for the next pass, and neither is asked for again in this one",
            wants().did(Deed::Change(wanted()), Err(Class::User)).with(|v| {
                v.kubeconfig = Some(NOW);
                v.seen.kubeconfig = Some(Ok(Published::Absent));
            }),
            rests(Stuck(Reason::UpdateFailed)).again(secs(15)).keeping(refused(secs(0))),
        ),
        case(
            "so is one that the keys may not ask for",
            wants().did(Deed::Change(wanted()), Err(Class::Permission)),
            rests(Stuck(Reason::UpdateFailed)).ready(Some(true)).keeping(refused(secs(0))),
        ),
        case(
            "and stays told",
            wants().remembers(refused(mins(9))),
            rests(Stuck(Reason::UpdateFailed)).saying("as ACK tells it").again(mins(1)).keeping(refused(mins(9))),
        ),
        case("it is asked for again after ten minutes", wants().remembers(refused(mins(10))), change(wanted())),
        case(
            "a change that could not be asked for is tried again",
            wants().did(Deed::Change(wanted()), Err(Class::Throttled)),
            rests(UnderWay(Reason::Throttled)).ready(Some(true)).keeping_nothing(),
        ),
        case(
            "one that failed at work is told, and asked for again after ten minutes",
            in_state(State::ChangeFailed).remembers(taken(mins(9))),
            rests(Stuck(Reason::UpdateFailed)).saying("the change failed").again(mins(1)),
        ),
        case("which is then", in_state(State::ChangeFailed).remembers(taken(mins(10))), change(wanted())),
        case(
            "what cannot be changed is told once the rest is done",
            drifted(Goal::Manage, |d| (d.change, d.differs) = (Some(wanted()), Some("vpcid differs".into()))),
            change(wanted()),
        ),
        case(
            "a change that took is forgotten",
            drifted(Goal::Manage, |_| {}).remembers(taken(secs(20))),
            rests(Done).keeping_nothing(),
        ),
    ]
}
