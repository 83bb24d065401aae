//! Finding out what became of a sealed request whose outcome is open.

use super::*;

/// All that proves an absence: a first list 31 s ago, a second one now, and a fence that works.
fn proven() -> View {
    view(Goal::Manage, sealed(mins(30)))
        .remembers(Memo::Absent { nonce: "n1".into(), began: ago(secs(31)) })
        .lists(list(secs(0)))
        .with(|v| v.seen.take(Answer::Fence(Ok(true))))
}

fn first(began: Timestamp) -> Memo {
    Memo::Absent { nonce: "n1".into(), began }
}

fn close() -> Want {
    acts(Act::Close(Closed::Absent { at: NOW }))
}

fn never_made() -> Want {
    acts(Act::Release(Free::NeverMade))
}

pub fn cases() -> Vec<Case> {
    [waiting(), person(), absent(), untrusted(), blind(), inherited()].into_iter().flatten().collect()
}

fn waiting() -> Vec<Case> {
    let waiting = |goal| view(goal, sealed(mins(5))).lists(list(secs(0)));
    let shown = |goal| waiting(goal).lists(list(secs(0)).with(|l| l.ours = vec![id()]));
    let record = || acts(Act::Record { id: id(), site: site(), adopted: false });
    let waits = || rests(UnderWay(Reason::AwaitingOutcome));
    let said = |standing| view(Goal::Manage, standing).lists(list(secs(0)));
    vec![
        case("a listed cluster is believed at once", shown(Goal::Manage), record()),
        case("a listed cluster is recorded while the object goes", shown(Goal::Destroy), record()),
        case("a listed cluster is recorded while the object is paused", shown(Goal::Pause), record()),
        case("a listed cluster is recorded while the object is observed", shown(Goal::Observe), record()),
        case(
            "a paused object looks on for its cluster",
            waiting(Goal::Pause),
            rests(Held(Reason::Paused)).again(secs(15)),
        ),
        case(
            "an open outcome waits until a copy could not live any more, and says how to cut it short",
            waiting(Goal::Manage),
            waits().again(secs(15)).ready(Some(false)).saying("confirm-absent=n1"),
        ),
        case(
            "and what came back instead of an outcome",
            said(Standing::Sealed { intent: intent(mins(5)), mine: false, said: Some("502 from a proxy".into()) }),
            waits().saying("502 from a proxy"),
        ),
        case(
            "in the pass that sent it too",
            said(mine(mins(5))).sent("n1", Sent::Unknown("cut after 30 s".into())),
            waits().saying("cut after 30 s"),
        ),
        case("an open outcome is never let go", waiting(Goal::Destroy), waits()),
        case("nor is it kept", waiting(Goal::Release), waits()),
        case(
            "shortly before the bound the next look is at the bound",
            said(sealed(mins(21) - secs(4))),
            waits().again(secs(4)),
        ),
        case(
            "after the bound a list of this pass is asked for, since an earlier one has settled nothing",
            view(Goal::Manage, sealed(mins(30))),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
    ]
}

fn person() -> Vec<Case> {
    let confirm =
        |age, nonce: &str| view(Goal::Manage, sealed(age)).lists(list(secs(0))).word(Word::ConfirmAbsent(nonce.into()));
    let waits = || rests(UnderWay(Reason::AwaitingOutcome));
    vec![
        case(
            "a person's word that there is none counts from date, window and skew on",
            confirm(mins(16), "n1"),
            close(),
        ),
        case(
            "a person's word that there is none does not count a second earlier",
            confirm(mins(16) - secs(1), "n1"),
            waits(),
        ),
        case(
            "a person's word does not count beside a list from before that",
            confirm(mins(16), "n1").lists(list(secs(1))),
            waits(),
        ),
        case(
            "so a later one is asked for",
            confirm(mins(16), "n1").with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: NOW }),
        ),
        case(
            "a person's word does not count beside a list dated ahead of our clock",
            confirm(mins(16), "n1").lists(list(secs(0)).with(|l| l.ahead = secs(61))),
            rests(UnderWay(Reason::ClockSkew)),
        ),
        case("a person's word for another attempt counts for nothing", confirm(mins(16), "n0"), waits()),
        case(
            "a person's word loses against a listed cluster",
            confirm(mins(16), "n1").lists(list(secs(0)).with(|l| l.ours = vec![id()])),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "a person knows better of a cluster without tags",
            confirm(mins(16), "n1").lists(list(secs(0)).with(|l| l.undecided = Some(untagged(None)))),
            close(),
        ),
        case(
            "a person's word lets a going object go",
            confirm(mins(16), "n1").with(|v| v.goal = Goal::Destroy),
            never_made(),
        ),
    ]
}

fn absent() -> Vec<Case> {
    let late = || view(Goal::Manage, sealed(mins(30))).lists(list(secs(0)));
    let waits = || rests(UnderWay(Reason::AwaitingOutcome));
    let bound = |view: View, believe_after| {
        view.with(|v| {
            let Standing::Sealed { intent, .. } = &mut v.standing else { return };
            intent.believe_after = believe_after;
        })
    };
    vec![
        case("two lists apart and a working fence prove an absence", proven(), close()),
        case("a proven absence lets a going object go", proven().with(|v| v.goal = Goal::Destroy), never_made()),
        case("also one whose cluster was to stay", proven().with(|v| v.goal = Goal::Release), never_made()),
        case("one list does not prove an absence", late(), waits().again(secs(30)).keeping(first(NOW))),
        case(
            "a second list too soon does not prove it, and the first stays",
            late().remembers(first(ago(secs(29)))),
            waits().again(secs(1)).keeping(first(ago(secs(29)))),
        ),
        case(
            "two lists 30 s apart are asked to lie apart",
            late().remembers(first(ago(secs(30)))).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: NOW }),
        ),
        case(
            "a list remembered for another attempt does not count",
            proven().remembers(Memo::Absent { nonce: "n0".into(), began: ago(secs(31)) }),
            waits().keeping(first(NOW)),
        ),
        case(
            "a list remembered from the future was dated by a wrong clock and does not count",
            proven().remembers(first(NOW + mins(600))),
            waits().keeping(first(NOW)),
        ),
        case(
            "a list remembered from before the bound does not count",
            proven().remembers(first(ago(mins(10)))),
            waits().keeping(first(NOW)),
        ),
        case(
            "a list begun before the bound does not count, however late it is read",
            proven().lists(list(mins(10))),
            waits().keeping(first(ago(secs(31)))),
        ),
        case("a larger bound that was stored counts more than our own", bound(proven(), NOW + mins(1)), waits()),
        case(
            "a smaller bound that was stored does not shorten our own",
            bound(view(Goal::Manage, sealed(mins(20))).lists(list(secs(0))), ago(mins(5))),
            waits().keeping_nothing(),
        ),
        case("the fence is probed last", proven().with(|v| v.seen.fence = None), looks(Look::Fence)),
        case(
            "an inert fence seals nothing",
            proven().with(|v| v.seen.fence = Some(Ok(false))),
            rests(Stuck(Reason::FenceInert)).saying("confirm-absent=n1").keeping(first(NOW)),
        ),
        case(
            "a fence that cannot be probed proves nothing",
            proven().with(|v| v.seen.fence = Some(Err(trouble(Class::Unknown)))),
            rests(UnderWay(Reason::Unreachable)).keeping(first(ago(secs(31)))),
        ),
        case(
            "an observed object's open outcome is closed, and nothing more",
            proven().with(|v| v.goal = Goal::Observe),
            close(),
        ),
    ]
}

fn untrusted() -> Vec<Case> {
    let shows = |change: fn(&mut Listing)| proven().lists(list(secs(0)).with(change));
    let untrusted = || shows(|l| l.trusted = false);
    let kept = |want: Want| want.keeping(first(ago(secs(31))));
    vec![
        case(
            "a list dated ahead of our clock proves no absence and takes back none",
            shows(|l| l.ahead = secs(61)),
            kept(rests(UnderWay(Reason::ClockSkew)).again(secs(15))),
        ),
        case("a minute ahead it proves one", shows(|l| l.ahead = secs(60)), close()),
        case("a list as far behind proves one, for it began later than it says", shows(|l| l.ahead = -mins(60)), {
            close()
        }),
        case("a torn list proves no absence and takes back none", shows(|l| l.whole = false), {
            kept(rests(UnderWay(Reason::Unreachable)).again(secs(30)))
        }),
        case(
            "a list that fails takes back none",
            proven().with(|v| v.seen.listing = Some(Err(trouble(Class::Transient)))),
            kept(rests(UnderWay(Reason::Unreachable))),
        ),
        case(
            "a cluster of our name without tags could be ours",
            shows(|l| l.undecided = Some(untagged(Some(mins(1))))),
            kept(rests(Stuck(Reason::ListNotTrusted)).saying("cluster c9").saying("confirm-absent=n1")),
        ),
        case(
            "credentials that see no cluster of the same resource group may hide this one",
            untrusted(),
            kept(rests(Stuck(Reason::ListNotTrusted)).saying("--lists-are-complete").saying("confirm-absent=n1")),
        ),
        case(
            "so a going object waits",
            untrusted().with(|v| v.goal = Goal::Destroy),
            rests(Stuck(Reason::ListNotTrusted)),
        ),
        case(
            "a list that may hide one does not count as the first of two",
            view(Goal::Manage, sealed(mins(30))).lists(list(secs(0)).with(|l| l.trusted = false)),
            rests(Stuck(Reason::ListNotTrusted)).keeping_nothing(),
        ),
        vouching("an administrator may vouch for the lists", untrusted(), close()),
    ]
}

/// Nothing can be read, and only a person gets further.
fn blind() -> Vec<Case> {
    let foreign = |goal, age| view(goal, sealed(age)).with(|v| v.seen.account = Some(Ok("200".into())));
    let off =
        |goal, age| view(goal, sealed(age)).with(|v| v.seen.take(Answer::Listing(Err(trouble(Class::Credentials)))));
    let confirmed = |view: View| view.word(Word::ConfirmAbsent("n1".into()));
    vec![
        case(
            "an open outcome is looked for by the credentials that sealed it",
            foreign(Goal::Manage, mins(5)),
            rests(Stuck(Reason::AccountChanged)).saying("account 100"),
        ),
        case(
            "a going object whose key is switched off names both exits",
            off(Goal::Destroy, mins(30)),
            rests(Stuck(Reason::InvalidCredentials)).saying("confirm-absent=n1").saying("deletionPolicy: Retain"),
        ),
        case("a person's word lets it go without a list", confirmed(off(Goal::Destroy, mins(16))), never_made()),
        case(
            "but not before every copy is dead",
            confirmed(off(Goal::Destroy, mins(16) - secs(1))),
            rests(Stuck(Reason::InvalidCredentials)),
        ),
        case(
            "and it closes no attempt of an object that lives",
            confirmed(off(Goal::Manage, mins(16))),
            rests(Stuck(Reason::InvalidCredentials)),
        ),
        case(
            "one whose cluster is to stay goes, and its mark is named",
            foreign(Goal::Release, mins(5)),
            acts(Act::Release(Free::Untraced("n1".into()))),
        ),
        case(
            "what passes by itself is no reason to let anything go",
            view(Goal::Release, sealed(mins(30))).with(|v| {
                v.seen.take(Answer::Listing(Err(trouble(Class::Transient))));
            }),
            rests(UnderWay(Reason::Unreachable)),
        ),
    ]
}

/// A backup brought an open intent of another uid, whose cluster is there.
fn inherited() -> Vec<Case> {
    let restored = |goal, going| {
        let rival = Rival { nonce: "n1".into(), namesake: false, ..rival(going) };
        view(goal, sealed(mins(30))).lists(list(secs(0)).with(|l| l.rival = Some(rival)))
    };
    let taken = |view: View| view.word(Word::TakeOver("n1".into()));
    let conflict = || rests(Stuck(Reason::OwnershipConflict)).again(secs(30));
    let record = || acts(Act::Record { id: "c9".into(), site: site(), adopted: false });
    vec![
        case(
            "a restored intent owns no cluster, and says what takes it over",
            restored(Goal::Manage, false),
            conflict().saying("c9").saying("take-over=n1"),
        ),
        case("which then does", taken(restored(Goal::Manage, false)), record()),
        adopting_owned(
            "as does the administrator's word where the names agree",
            restored(Goal::Manage, false)
                .lists(list(secs(0)).with(|l| l.rival = Some(Rival { nonce: "n1".into(), ..rival(false) }))),
            record(),
        ),
        adopting_owned("and not where they differ", restored(Goal::Manage, false), conflict()),
        case("but not while it goes", taken(restored(Goal::Manage, true)), conflict()),
        case("nor for an object that is observed", taken(restored(Goal::Observe, false)), conflict()),
        case(
            "nothing is deleted for it, and the way out is named",
            restored(Goal::Destroy, false),
            conflict().saying("deletionPolicy: Retain"),
        ),
        case(
            "a person knows that it is not this object's",
            restored(Goal::Destroy, false).word(Word::ConfirmAbsent("n1".into())),
            never_made(),
        ),
        case("where the cluster is to stay the object goes", restored(Goal::Release, false), {
            acts(Act::Release(Free::Kept("c9".into(), "it stays, with the mark of another object".into())))
        }),
    ]
}
