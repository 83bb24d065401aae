//! Keeping a cluster: settled, failed, vanished.

use super::*;

fn shown(state: State) -> View {
    recorded(Goal::Manage).shows(cluster(state))
}

fn drifted(goal: Goal, change: impl FnOnce(&mut Drift)) -> View {
    recorded(goal).shows(cluster(State::Running)).drifts(Drift::default().with(change))
}

pub fn cases() -> Vec<Case> {
    [look(), truth(), states(), differences(), failed(), vanished()].into_iter().flatten().collect()
}

fn look() -> Vec<Case> {
    let unlisted = || view(Goal::Manage, Standing::Known(known()));
    let crowded = |ours| {
        recorded(Goal::Manage)
            .with(|v| v.seen.glance = Some(Ok(Glance::Crowded)))
            .lists(list(secs(1)).with(|l| l.ours = ours))
            .shows(cluster(State::Running))
    };
    vec![
        case(
            "a cluster is first glanced at in the shared list",
            unlisted(),
            looks(Look::Glance { id: id(), every: mins(5) }),
        ),
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
            crowded(vec![id(), "c2".into()]),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and cluster c2").ready(Some(false)),
        ),
        case("unless the fresh list shows that it is gone", crowded(vec![id()]), rests(Done)),
        case("a cluster that changed is looked at closely", recorded(Goal::Manage), looks(Look::Cluster(id()))),
        case("a paused object's cluster is not looked at", unlisted().with(|v| v.goal = Goal::Pause), {
            rests(Held(Reason::Paused))
        }),
    ]
}

/// `Ready` is what ACK says of the cluster, and nothing else.
fn truth() -> Vec<Case> {
    let glances =
        |class| view(Goal::Manage, Standing::Known(known())).with(|v| v.seen.take(Answer::Glance(Err(trouble(class)))));
    let reads = |class| recorded(Goal::Manage).with(|v| v.seen.take(Answer::Cluster(Err(trouble(class)))));
    let keys = |seen| view(Goal::Manage, Standing::Known(known())).with(|v| v.seen.account = Some(seen));
    let adopted = || {
        recorded(Goal::Manage).known(|known| known.adopted = true).with(|v| {
            v.seen.take(Answer::Glance(Err(trouble(Class::Permission))));
        })
    };
    vec![
        case(
            "a key that is switched off leaves a cluster that ran as ready as it was",
            keys(Err(trouble(Class::Credentials))),
            rests(Stuck(Reason::InvalidCredentials)).ready(None).again(mins(5)),
        ),
        case(
            "and so do the keys of another account",
            keys(Ok("200".into())),
            rests(Stuck(Reason::AccountChanged)).ready(None).saying("account 100").again(mins(10)),
        ),
        case("and a right that is lost", reads(Class::Permission), rests(Stuck(Reason::PermissionDenied)).ready(None)),
        case("and a quota", reads(Class::Quota), rests(Stuck(Reason::QuotaExceeded)).ready(None)),
        case("and a bill", glances(Class::Account), rests(Stuck(Reason::AccountProblem)).ready(None)),
        case("and a network", reads(Class::Transient), rests(UnderWay(Reason::Unreachable)).ready(None)),
        case("an adopted cluster of which the list is forbidden is read by itself", adopted(), {
            looks(Look::Cluster(id()))
        }),
        case(
            "and has one steady reason, as ready as it serves",
            adopted().shows(cluster(State::Running)),
            rests(Stuck(Reason::PermissionDenied)).ready(Some(true)).saying("as ACK tells it").again(mins(5)),
        ),
    ]
}

fn states() -> Vec<Case> {
    vec![
        case("a running cluster is ready", shown(State::Running), rests(Done).ready(Some(true)).again(mins(5))),
        case(
            "a cluster that is being made tells how far it is",
            shown(State::Making),
            rests(UnderWay(Reason::Creating))
                .again(secs(5))
                .until(mins(1))
                .saying("as ACK tells it")
                .ready(Some(false)),
        ),
        case("which is looked at first", shown(State::Making).with(|v| v.seen.progress = None), looks(Look::Progress)),
        case(
            "a task that cannot be read is not waited for",
            shown(State::Making).with(|v| v.seen.progress = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Creating)),
        ),
        case("a busy cluster serves", shown(State::Busy), rests(UnderWay(Reason::Updating)).ready(Some(true))),
        case(
            "a cluster that is down is told, not touched",
            shown(State::Down),
            rests(Held(Reason::ClusterUnavailable)).ready(Some(false)).saying("word"),
        ),
        case("a cluster that others delete is followed", shown(State::Deleting), rests(UnderWay(Reason::Deleting))),
        case(
            "a cluster that goes to be made anew is followed",
            shown(State::Deleting).word(Word::Recreate(id())),
            rests(UnderWay(Reason::Deleting)).saying("another one"),
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
        case(
            "what cannot be changed does not hold up what can",
            drifted(Goal::Manage, |d| (d.changes, d.differs) = (vec![wanted()], Some("vpcid differs".into()))),
            asks(Deed::Change(vec![wanted()]), Reason::Updating),
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
            rests(Stuck(Reason::CreateFailed)).again(mins(10)).saying("as ACK tells it").saying("recreate=c1"),
        ),
        case("its cause is looked for", shown(State::Failed).with(|v| v.seen.cause = None), looks(Look::Cause)),
        case("recreate deletes the failed cluster first", again(Goal::Manage), asks(Deed::Delete, Reason::Deleting)),
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
            rests(UnderWay(Reason::Unreachable)).again(secs(31)).keeping(Memo::Gone { id: id(), at: NOW }),
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
            gone(Goal::Manage).known(|known| (known.met, known.believe_after) = (false, NOW + secs(1))),
            rests(UnderWay(Reason::Creating)),
        ),
    ]
}
