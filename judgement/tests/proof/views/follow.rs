//! Following a cluster at which ACK works: by the list, with the task at a pace, and closely where the list shows a change.

use super::*;

pub fn cases() -> Vec<Case> {
    [pace(), making(), busy(), going()].into_iter().flatten().collect()
}

/// What the list alone shows.
fn listed(goal: Goal, glance: Glance) -> View {
    view(goal, Standing::Known(known())).with(|v| v.seen.glance = Some(Ok(glance)))
}

/// A cluster that was asked for so long ago, and has never been read closely.
fn new(age: SignedDuration, glance: Glance) -> View {
    listed(Goal::Manage, glance).known(|known| (known.met, known.recorded) = (false, ago(age)))
}

fn followed(closely: Option<SignedDuration>, task: Option<SignedDuration>) -> Followed {
    Followed { closely: closely.map(ago), task: task.map(ago) }
}

/// How often a list is worth reading.
fn pace() -> Vec<Case> {
    let every = |wait| looks(Look::Glance { id: id(), every: wait });
    let unseen = |change: &dyn Fn(&mut View)| view(Goal::Manage, Standing::Known(known())).with(|v| change(v));
    vec![
        case(
            "a cluster that ACK has not shown yet is followed",
            unseen(&|_| ()).known(|k| k.met = false),
            every(secs(5)),
        ),
        case("and one at which ACK was at work", unseen(&|_| ()).known(|k| k.moving = true), every(secs(5))),
        case("and one that was followed", unseen(&|v| v.followed.closely = Some(NOW)), every(secs(5))),
        case(
            "and one whose deletion was asked for",
            view(Goal::Destroy, Standing::Known(known())).asked(asked(keys::DELETION, "options", secs(9))),
            every(secs(5)),
        ),
        case(
            "one whose deletion ACK refused is not",
            view(Goal::Destroy, Standing::Known(known()))
                .asked(Asked { end: Some(End::Refused("no".into())), ..asked(keys::DELETION, "options", secs(9)) }),
            every(mins(5)),
        ),
    ]
}

fn making() -> Vec<Case> {
    let moving = Glance::Moving(State::Making);
    let creating = || rests(UnderWay(Reason::Creating)).ready(Some(false));
    let later = |task| new(mins(3), moving).with(|v| v.followed = followed(None, Some(task)));
    let tells = |over| move |v: &mut View| v.seen.take(Answer::Progress(Ok(Progress { note: "3 of 9".into(), over })));
    vec![
        case("a list that lags is waited for", new(secs(29), Glance::Absent), creating().again(secs(5))),
        case("but not for long", new(secs(30), Glance::Absent), looks(Look::Cluster(id()))),
        case(
            "a cluster that was seen and is not listed is read closely",
            listed(Goal::Manage, Glance::Absent),
            looks(Look::Cluster(id())),
        ),
        case("what the list shows being made costs no call", new(secs(29), moving), {
            creating().again(secs(1)).until(secs(1))
        }),
        case("its task is read after a while", new(secs(30), moving), looks(Look::Progress)),
        case("and told", new(secs(30), moving).with(tells(false)), {
            creating().saying("3 of 9").again(secs(5)).until(mins(1))
        }),
        case("then each minute", later(secs(60)), looks(Look::Progress)),
        case("and meanwhile nothing", later(secs(59)), rests(Same).again(secs(1))),
        case("where it has ended, the list lags", later(secs(60)).with(tells(true)), looks(Look::Cluster(id()))),
        case(
            "where it cannot be read, nothing waits for it",
            later(secs(60)).with(|v| v.seen.take(Answer::Progress(Err(trouble(Class::Transient))))),
            rests(Same).again(secs(5)).until(secs(15)),
        ),
        case(
            "it is read closely all the same, now and then",
            new(mins(5), moving).with(|v| v.followed = followed(None, Some(secs(1)))),
            looks(Look::Cluster(id())),
        ),
        case(
            "as since it was last",
            new(mins(9), moving).with(|v| v.followed = followed(Some(mins(4)), Some(secs(9)))),
            rests(Same).until(secs(51)),
        ),
        case("a time from the future puts nothing off", new(-hours(1), moving), looks(Look::Cluster(id()))),
        case("nor does one that was read then", later(-hours(1)), looks(Look::Progress)),
        case(
            "an adopted cluster is read closely first",
            new(mins(1), moving).known(|known| (known.adopted, known.recorded) = (true, Timestamp::UNIX_EPOCH)),
            looks(Look::Cluster(id())),
        ),
        case(
            "a second cluster with our mark is not left alone for that",
            new(secs(9), Glance::Crowded),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
    ]
}

fn busy() -> Vec<Case> {
    let busy = |closely: Option<SignedDuration>| {
        listed(Goal::Manage, Glance::Moving(State::Busy)).with(|v| v.followed = followed(closely, None))
    };
    vec![
        case("what ACK is at is read closely once", busy(None), looks(Look::Cluster(id()))),
        case("and then left to the list", busy(Some(secs(40))), rests(Same).again(secs(5)).until(secs(260))),
        case("for a while", busy(Some(mins(5))), looks(Look::Cluster(id()))),
        case(
            "a kubeconfig that is due does not wait for it",
            busy(Some(secs(40))).with(|v| v.kubeconfig = Some(NOW)),
            looks(Look::Cluster(id())),
        ),
        case(
            "one that falls due meanwhile neither",
            busy(Some(secs(40))).with(|v| v.kubeconfig = Some(NOW + mins(2))),
            rests(Same).until(mins(2)),
        ),
        case(
            "a cluster that others delete is read closely once, too",
            listed(Goal::Manage, Glance::Moving(State::Deleting)),
            looks(Look::Cluster(id())),
        ),
    ]
}

fn going() -> Vec<Case> {
    let asked = |age, glance| listed(Goal::Destroy, glance).asked(asked(keys::DELETION, "options", age));
    let deleting = || rests(UnderWay(Reason::Deleting));
    let gone = |wait| Memo::Gone { id: id(), at: ago(wait) };
    let turn = |turn| listed(Goal::Destroy, Glance::Same).with(|v| v.seen.take(Answer::Turn(turn)));
    let unlisted = |memo| asked(mins(9), Glance::Absent).remembers(memo);
    vec![
        case("a deletion that the list does not show yet is waited for", asked(secs(29), Glance::Changed), {
            deleting().again(secs(5)).ready(Some(false))
        }),
        case("but not for long", asked(secs(30), Glance::Changed), looks(Look::Cluster(id()))),
        case("what the list shows going costs no call", asked(secs(9), Glance::Moving(State::Deleting)), {
            deleting().again(secs(5)).until(secs(21))
        }),
        case("its task is read after a while", asked(secs(30), Glance::Moving(State::Deleting)), looks(Look::Progress)),
        case(
            "what goes unasked is read closely",
            listed(Goal::Destroy, Glance::Moving(State::Deleting)).guard(true, true),
            looks(Look::Cluster(id())),
        ),
        case("nor for a time from the future", asked(-hours(1), Glance::Changed), looks(Look::Cluster(id()))),
        case("one that is listed no more is looked at once more, later", asked(mins(9), Glance::Absent), {
            rests(Same).again(secs(31)).keeping(gone(secs(0)))
        }),
        case("not before", unlisted(gone(secs(29))), rests(Same).again(secs(2)).keeping(gone(secs(29)))),
        case("and then closely", unlisted(gone(secs(30))), looks(Look::Cluster(id()))),
        case("before a deletion its turn is waited for", listed(Goal::Destroy, Glance::Same), looks(Look::Turn)),
        case("and nothing is read where ACK wants to be left alone", turn(Err(trouble(Class::Throttled))), {
            rests(UnderWay(Reason::Throttled))
        }),
        case("then all else is read before the detail", turn(Ok(())), looks(Look::Uprooted)),
        case(
            "which is not read where the spec protects the cluster",
            listed(Goal::Destroy, Glance::Same).guard(true, true),
            looks(Look::Cluster(id())),
        ),
        case(
            "one of which no deletion was asked for is read closely at once",
            listed(Goal::Destroy, Glance::Absent).guard(true, true),
            looks(Look::Cluster(id())),
        ),
    ]
}
