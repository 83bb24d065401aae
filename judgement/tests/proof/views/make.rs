//! Making a cluster, once: owner check, seal, send.

use super::*;

/// Everything before the seal is looked at, and nothing stands in its way.
fn ready(attempts: u32, last: Option<Closed>) -> View {
    view(Goal::Manage, new(attempts, last)).with(|v| v.seen.take(Answer::Body(Ok(())))).lists(list(secs(0)))
}

/// The last attempt was sent where the spec no longer points.
fn moved(view: View) -> View {
    view.with(|v| {
        let Standing::New { last: Some(last), .. } = &mut v.standing else { return };
        last.site = abroad();
    })
}

fn record(adopted: bool) -> Want {
    acts(Act::Record { id: id(), site: site(), adopted })
}

pub fn cases() -> Vec<Case> {
    [finalizer(), begin(), owner(), pace(), refusals(), send()].into_iter().flatten().collect()
}

fn finalizer() -> Vec<Case> {
    let without = |view: View| view.with(|v| v.finalizer = false);
    vec![
        case("the finalizer comes right before the seal", without(ready(0, None)), acts(Act::AddFinalizer)),
        case(
            "and not before the list shows that nothing stands in its way",
            without(ready(0, None).lists(list(secs(0)).with(|l| l.rival = Some(rival(false))))),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        case(
            "so an object without keys never gets one",
            without(view(Goal::Manage, new(0, None)).with(|v| {
                let missing = trouble(Class::Credentials).because(Reason::CredentialsMissing);
                v.seen.account = Some(Err(missing));
            })),
            rests(Stuck(Reason::CredentialsMissing)),
        ),
        case(
            "a finalizer that a policy refuses is told, and nothing is sealed",
            without(ready(0, None)).did(Deed::Hold, Err(trouble(Class::Permission))),
            rests(Stuck(Reason::PermissionDenied)).saying("as ACK tells it").again(mins(5)),
        ),
        case(
            "a live object with an open intent gets its finalizer back before anything else",
            without(view(Goal::Manage, mine(secs(60)))),
            acts(Act::AddFinalizer),
        ),
        case(
            "a paused object that has a cluster gets its finalizer back too",
            without(view(Goal::Pause, Standing::Known(known()))),
            acts(Act::AddFinalizer),
        ),
        case(
            "an observed object without a cluster needs no finalizer",
            without(view(Goal::Observe, new(0, None))),
            rests(Held(Reason::Observed)),
        ),
        case("a paused object rests", view(Goal::Pause, new(0, None)), rests(Held(Reason::Paused)).saying("paused")),
    ]
}

fn begin() -> Vec<Case> {
    let seal = |attempt| acts(Act::Seal { attempt });
    let ahead = |ahead| ready(0, None).lists(list(secs(0)).with(|l| l.ahead = ahead));
    let unlisted = |trouble| ready(0, None).with(|v| v.seen.listing = Some(Err(trouble)));
    vec![
        case(
            "nothing is sealed before the account is known",
            ready(0, None).with(|v| v.seen.account = None),
            looks(Look::Account),
        ),
        case(
            "nothing is sealed by credentials that tell no account",
            ready(0, None).with(|v| v.seen.account = Some(Err(trouble(Class::Credentials)))),
            rests(Stuck(Reason::InvalidCredentials)).again(mins(5)).ready(Some(false)),
        ),
        case(
            "nothing is sealed before the whole body is ready",
            ready(0, None).with(|v| v.seen.body = None),
            looks(Look::Body),
        ),
        case(
            "a body that lacks its Secret says so",
            ready(0, None)
                .with(|v| v.seen.body = Some(Err(trouble(Class::Credentials).because(Reason::CredentialsMissing)))),
            rests(Stuck(Reason::CredentialsMissing)),
        ),
        case(
            "nothing is sealed before a list of this pass shows whose the name is",
            ready(0, None).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "a list that fails proves nothing",
            unlisted(trouble(Class::Transient)),
            rests(UnderWay(Reason::Unreachable)).again(secs(5)).ready(None),
        ),
        case(
            "trouble in a row slows down to five minutes",
            unlisted(trouble(Class::Transient)).with(|v| v.streak = 9),
            rests(UnderWay(Reason::Unreachable)).again(mins(5)),
        ),
        case(
            "a throttled look waits as long as it was told",
            unlisted(Trouble { wait: Some(secs(77)), ..trouble(Class::Throttled) }),
            rests(UnderWay(Reason::Throttled)).again(secs(77)),
        ),
        case(
            "a look whose turn has not come yet says nothing new",
            unlisted(Trouble { wait: Some(secs(77)), ..trouble(Class::Queued) }),
            rests(Same).again(secs(77)),
        ),
        case(
            "a torn list proves nothing",
            ready(0, None).lists(list(secs(0)).with(|l| l.whole = false)),
            rests(UnderWay(Reason::Unreachable)).again(secs(30)),
        ),
        case(
            "a list that seems too old is asked for again",
            ready(0, None).lists(list(secs(9))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(30)),
        ),
        case(
            "a wrong clock seals nothing",
            ready(0, None).with(|v| v.offset = -secs(61)),
            rests(UnderWay(Reason::ClockSkew)).again(secs(15)),
        ),
        case("a clock a minute off may seal", ready(0, None).with(|v| v.offset = secs(60)), seal(1)),
        case("a list dated ahead of our clock shows no free name", ahead(secs(61)), {
            rests(UnderWay(Reason::ClockSkew)).again(secs(15))
        }),
        case("the first attempt is sealed", ready(0, None), seal(1)),
        case("an attempt number is never used twice", ready(3, Some(Closed::Unsent)), seal(4)),
    ]
}

fn owner() -> Vec<Case> {
    let beside = |going| ready(0, None).lists(list(secs(0)).with(|l| l.rival = Some(rival(going))));
    let untagged = |until| ready(0, None).lists(list(secs(0)).with(|l| l.undecided = Some(untagged(until))));
    vec![
        case(
            "a listed cluster of this object is recovered, not made again",
            ready(0, None).lists(list(secs(0)).with(|l| l.ours = vec![id()])),
            record(false),
        ),
        case(
            "a torn list that shows our cluster is believed",
            ready(0, None).lists(list(secs(0)).with(|l| (l.ours, l.whole) = (vec![id()], false))),
            record(false),
        ),
        case(
            "and so is one that is dated ahead of our clock",
            ready(0, None).lists(list(secs(0)).with(|l| (l.ahead, l.ours) = (secs(61), vec![id()]))),
            record(false),
        ),
        case(
            "two listed clusters of this object are touched neither",
            ready(0, None).lists(list(secs(0)).with(|l| l.ours = vec![id(), "c2".into()])),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and c2"),
        ),
        case(
            "none is made beside a cluster of the same name",
            beside(false),
            rests(Stuck(Reason::OwnershipConflict))
                .again(secs(30))
                .saying("spec.adoptClusterId: c9")
                .saying("take-over=n9"),
        ),
        case(
            "a cluster of an earlier object is waited for while it goes",
            beside(true),
            rests(Stuck(Reason::OwnershipConflict)).again(secs(30)).saying("c9"),
        ),
        adopting_owned(
            "a rebuilt management cluster takes its clusters over",
            beside(false),
            acts(Act::Record { id: "c9".into(), site: site(), adopted: false }),
        ),
        adopting_owned(
            "but none of another name, which a restored status tells of",
            ready(0, None).lists(list(secs(0)).with(|l| l.rival = Some(Rival { namesake: false, ..rival(false) }))),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        adopting_owned("one that goes is not taken over", beside(true), rests(Stuck(Reason::OwnershipConflict))),
        case(
            "a cluster of this name without tags yet may be ours, and none is made beside it",
            untagged(Some(mins(3))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(15)).saying("spec.adoptClusterId: c9"),
        ),
        case(
            "nor beside one of which nobody knows when it was made",
            untagged(None),
            rests(Stuck(Reason::ListNotTrusted)).again(mins(10)).saying("spec.adoptClusterId: c9"),
        ),
    ]
}

fn pace() -> Vec<Case> {
    let absent = |wait| Some(Closed::Absent { at: ago(wait) });
    let seal = |attempt| acts(Act::Seal { attempt });
    vec![
        case("after the first absence the second attempt is sealed at once", ready(1, absent(secs(0))), seal(2)),
        case(
            "the third attempt waits ten minutes",
            ready(2, absent(mins(9))),
            rests(UnderWay(Reason::Creating)).again(mins(1)),
        ),
        case("and follows then", ready(2, absent(mins(10))), seal(3)),
        case("the fourth waits an hour", ready(3, absent(mins(59))), rests(UnderWay(Reason::Creating)).again(mins(1))),
        case(
            "a quota is tried again slowly",
            ready(1, Some(refused(Class::Quota, mins(9)))),
            rests(Stuck(Reason::QuotaExceeded)).again(mins(1)).saying("as ACK tells it"),
        ),
        case("and so is a name that is taken", ready(1, Some(refused(Class::Taken, mins(9)))), {
            rests(Stuck(Reason::InvalidSpec)).again(mins(1)).saying("as ACK tells it")
        }),
        case("each by itself", ready(1, Some(refused(Class::Taken, mins(10)))), seal(2)),
        case(
            "a refusal that only a person ends is told until the next attempt, without a word between",
            ready(1, Some(refused(Class::Permission, mins(5)))).lists(list(secs(0))),
            rests(Stuck(Reason::PermissionDenied)).again(mins(1)).saying("as ACK tells it"),
        ),
    ]
}

fn refusals() -> Vec<Case> {
    let seal = acts(Act::Seal { attempt: 2 });
    let late = |class| ready(1, Some(corrected(class, secs(10))));
    let abroad_list = |list: Listing| {
        moved(ready(1, Some(corrected(Class::Quota, mins(7)))))
            .with(|v| v.seen.take(Answer::Elsewhere(Ok(list))))
            .lists(list_now())
    };
    let waits = || rests(UnderWay(Reason::AwaitingOutcome)).again(secs(350)).saying("confirm-absent=n1");
    vec![
        case(
            "what ACK checked and refuses is not sent again for the same spec",
            ready(1, Some(refused(Class::User, hours(24 * 30)))),
            rests(Stuck(Reason::InvalidSpec)).saying("as ACK tells it").saying("confirm-absent=n1"),
        ),
        case(
            "nor is what it refuses by a code that no table knows",
            ready(1, Some(refused(Class::Refused, hours(24 * 30)))),
            rests(Stuck(Reason::InvalidSpec)).saying("as ACK tells it").saying("confirm-absent=n1"),
        ),
        case(
            "a person may have the same spec asked for again",
            ready(1, Some(refused(Class::User, secs(9)))).word(Word::ConfirmAbsent("n1".into())),
            seal,
        ),
        case("a corrected spec is tried at once", late(Class::User), acts(Act::Seal { attempt: 2 })),
        case("but not before a copy of a refusal of the moment would be listed", late(Class::Credentials), waits()),
        case("nor of a name that is taken, perhaps by another copy", late(Class::Taken), waits()),
        case("nor of what no table knows", late(Class::Refused), waits()),
        case("nor of what nobody expected", late(Class::NotFound), waits()),
        case("a person's word ends that", late(Class::Taken).word(Word::ConfirmAbsent("n1".into())), {
            acts(Act::Seal { attempt: 2 })
        }),
        case(
            "a word about another attempt does not",
            late(Class::Taken).word(Word::ConfirmAbsent("n0".into())),
            rests(UnderWay(Reason::AwaitingOutcome)),
        ),
        case(
            "then a list that began late enough is asked for",
            ready(1, Some(corrected(Class::Quota, mins(6)))).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: NOW }),
        ),
        case(
            "at the site of the refused attempt, wherever the spec points now",
            moved(ready(1, Some(corrected(Class::Quota, mins(7))))),
            looks(Look::Elsewhere { region: abroad().region, began_after: ago(secs(5)) }),
        ),
        case(
            "a copy that is found there is recorded where it is",
            abroad_list(list_now().with(|l| l.ours = vec![id()])),
            acts(Act::Record { id: id(), site: abroad(), adopted: false }),
        ),
        case(
            "one without tags there may be it",
            abroad_list(list_now().with(|l| l.undecided = Some(untagged(Some(mins(1)))))),
            rests(UnderWay(Reason::AwaitingOutcome)).saying("c9").saying("confirm-absent=n1"),
        ),
        case(
            "a torn list of that site settles nothing",
            abroad_list(list_now().with(|l| l.whole = false)),
            rests(UnderWay(Reason::Unreachable)).saying("cn-beijing"),
        ),
        case(
            "nor does one that is dated ahead of our clock",
            abroad_list(list_now().with(|l| l.ahead = secs(61))),
            rests(UnderWay(Reason::ClockSkew)),
        ),
        case("one that shows nothing frees the next attempt", abroad_list(list_now()), acts(Act::Seal { attempt: 2 })),
        case(
            "the keys of another account see no copy",
            moved(ready(1, Some(corrected(Class::Quota, mins(7))))).with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).saying("account 100").ready(Some(false)),
        ),
    ]
}

fn list_now() -> Listing {
    list(secs(0))
}

fn send() -> Vec<Case> {
    let answered = |nonce: &str| {
        let refused = Sent::Refused(Class::Quota, "no more".into());
        view(Goal::Manage, sealed(mins(2))).sent(nonce, refused)
    };
    let close =
        |at| acts(Act::Close(Closed::Refused { class: Class::Quota, at, corrected: false, note: "no more".into() }));
    let created = |goal, standing| view(goal, standing).sent("n1", Sent::Created(id(), site()));
    let unsent = || acts(Act::Close(Closed::Unsent));
    vec![
        case(
            "a sealer sends, until the date is nearly too old",
            view(Goal::Manage, mine(secs(60))),
            acts(Act::Send { not_after: ago(secs(60)) + mins(14) }),
        ),
        case("a sealer that sees its object deleted writes the attempt off", view(Goal::Destroy, mine(secs(60))), {
            unsent()
        }),
        case("and so where it is paused", view(Goal::Pause, mine(secs(60))), unsent()),
        case(
            "and with the keys of another account than made the owner check",
            view(Goal::Manage, mine(secs(60))).with(|v| v.seen.account = Some(Ok("200".into()))),
            unsent(),
        ),
        case(
            "a sealed request of somebody else is never sent",
            view(Goal::Manage, sealed(secs(60))),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "a request is sent once",
            view(Goal::Manage, mine(secs(60))).sent("n1", Sent::Unknown("timeout".into())),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "an id is recorded before anything else is thought of",
            created(Goal::Destroy, sealed(secs(60))).with(|v| v.finalizer = false),
            record(false),
        ),
        case("an id is recorded though the object is paused", created(Goal::Pause, sealed(secs(60))), record(false)),
        case("an id is recorded though the status was lost", created(Goal::Manage, new(0, None)), record(false)),
        case(
            "with the account that was asked, whatever has become of object and credentials",
            created(Goal::Manage, new(0, None)).with(|v| v.seen.account = None),
            record(false),
        ),
        case(
            "a second id beside the recorded one is a duplicate",
            recorded(Goal::Manage).sent("n1", Sent::Created("c2".into(), site())),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and c2"),
        ),
        case(
            "the recorded id itself is no duplicate",
            recorded(Goal::Manage).sent("n1", Sent::Created(id(), site())).shows(cluster(State::Running)),
            rests(Done),
        ),
        case("a refusal closes its attempt", answered("n1"), close(NOW)),
        case(
            "and is not noted as later than any copy of the request can live",
            view(Goal::Manage, sealed(hours(10))).sent("n1", Sent::Refused(Class::Quota, "no more".into())),
            close(ago(hours(10)) + mins(21)),
        ),
        case(
            "a refusal that comes late does not close a later attempt",
            answered("n0"),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
    ]
}
