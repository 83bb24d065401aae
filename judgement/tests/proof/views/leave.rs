//! Letting go: what was never made, what is kept, proof of absence.

use super::*;

fn going(state: State) -> View {
    recorded(Goal::Destroy).shows(cluster(state))
}

fn free(why: Free) -> Want {
    acts(Act::Release(why))
}

pub fn cases() -> Vec<Case> {
    [never_made(), copies(), lost(), keep(), gone()].into_iter().flatten().collect()
}

fn never_made() -> Vec<Case> {
    let leave = |last| view(Goal::Destroy, new(1, last));
    let keyless = |view: View| view.with(|v| v.seen = Evidence::default());
    vec![
        case(
            "what was never sealed may go at once, without keys",
            keyless(view(Goal::Destroy, new(0, None))),
            free(Free::NeverSealed),
        ),
        case(
            "and so may what was to adopt and never did",
            keyless(view(Goal::Destroy, Standing::New { adopt: Some(id()), attempts: 0, last: None, blank: false })),
            free(Free::NeverSealed),
        ),
        case("what is proven absent may go at once", leave(Some(Closed::Absent { at: ago(secs(1)) })), {
            free(Free::NeverMade)
        }),
        case("what was never sent may go at once", leave(Some(Closed::Unsent)), free(Free::NeverMade)),
        case("what ACK checked and refused made nothing", leave(Some(refused(Class::User, secs(1)))), {
            free(Free::NeverMade)
        }),
        case(
            "nor was a status lost that was empty when this pass put the finalizer on",
            keyless(view(Goal::Destroy, blank())).did(Deed::Hold, Ok(())),
            free(Free::NeverSealed),
        ),
        case(
            "without our finalizer a going object no longer waits for us",
            going(State::Running).with(|v| v.finalizer = false),
            rests(Held(Reason::Retained)),
        ),
    ]
}

/// A copy of a refused request may have fared better.
fn copies() -> Vec<Case> {
    let leave = |goal, class, wait| view(goal, new(1, Some(refused(class, wait))));
    let listed =
        |change: fn(&mut Listing)| leave(Goal::Destroy, Class::Throttled, mins(7)).lists(list(secs(1)).with(change));
    let late = || leave(Goal::Destroy, Class::Quota, mins(7));
    let off = |goal| {
        leave(goal, Class::Permission, mins(7)).with(|v| {
            v.seen.take(Answer::Listing(Err(trouble(Class::Credentials))));
        })
    };
    let two = |l: &mut Listing| l.ours = vec![id(), "c2".into()];
    let waits = || rests(UnderWay(Reason::AwaitingOutcome)).again(secs(350)).saying("confirm-absent=n1");
    vec![
        case(
            "after a refusal of the moment a copy may have fared better, so it waits for a list",
            leave(Goal::Destroy, Class::Throttled, secs(10)),
            waits(),
        ),
        case("also where the name is taken", leave(Goal::Destroy, Class::Taken, secs(10)), waits()),
        case("and where no table knows the code", leave(Goal::Destroy, Class::Refused, secs(10)), waits()),
        case("and lets go when that list shows nothing", listed(|_| {}), free(Free::NeverMade)),
        case(
            "and records what that list shows",
            listed(|l| l.ours = vec![id()]),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "a cluster without tags in it may be the one",
            listed(|l| l.undecided = Some(untagged(Some(mins(1))))),
            rests(UnderWay(Reason::AwaitingOutcome)).saying("c9"),
        ),
        case(
            "it is the list of the site to which the attempt was sent",
            late().with(|v| v.region = abroad().region),
            looks(Look::Elsewhere { region: site().region, began_after: ago(secs(5)) }),
        ),
        case(
            "the keys of another account see no copy, and both exits are named",
            late().with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).saying("confirm-absent=n1").saying("deletionPolicy: Retain"),
        ),
        case(
            "a key that is switched off names both exits too",
            off(Goal::Destroy),
            rests(Stuck(Reason::InvalidCredentials)).saying("confirm-absent=n1").saying("deletionPolicy: Retain"),
        ),
        case("the one is a person's word", off(Goal::Destroy).word(Word::ConfirmAbsent("n1".into())), {
            free(Free::NeverMade)
        }),
        case("the other names the mark", off(Goal::Release), free(Free::Untraced("n1".into()))),
        case(
            "two clusters that the list shows are not let go by retaining them",
            listed(two).with(|v| v.goal = Goal::Release),
            rests(Stuck(Reason::DuplicateDetected)),
        ),
    ]
}

/// The status was lost, or the pass that was about to seal died.
fn lost() -> Vec<Case> {
    let lost = |goal| view(goal, blank());
    let listed = |change: fn(&mut Listing)| lost(Goal::Destroy).lists(list(secs(1)).with(change));
    let confirmed = |view: View| view.word(Word::ConfirmAbsent("n2".into()));
    let kept = |view: View| view.with(|v| v.goal = Goal::Release);
    let untraced = || free(Free::Untraced("n2".into()));
    vec![
        case("an object that lost its status is looked for", lost(Goal::Destroy), {
            looks(Look::Listing { began_after: ago(secs(5)) })
        }),
        case(
            "with credentials, or it waits and says how it goes without",
            lost(Goal::Destroy).with(|v| v.seen.account = Some(Err(trouble(Class::Credentials)))),
            rests(Stuck(Reason::InvalidCredentials)).saying("confirm-absent=n2").saying("deletionPolicy: Retain"),
        ),
        case("and may go when a whole list shows nothing", listed(|_| {}), free(Free::NeverSealed)),
        case("and may not when the list is torn", listed(|l| l.whole = false), {
            rests(UnderWay(Reason::Unreachable))
        }),
        case(
            "nor by a list that may hide one",
            listed(|l| l.trusted = false),
            rests(Stuck(Reason::ListNotTrusted)).saying("confirm-absent=n2").saying("deletionPolicy: Retain"),
        ),
        vouching("for which the administrator may vouch", listed(|l| l.trusted = false), free(Free::NeverSealed)),
        case(
            "nor beside a cluster of its name, which may be an attempt that nobody counts any more",
            listed(|l| l.rival = Some(rival(false))),
            rests(Stuck(Reason::OwnershipConflict)).saying("c9").saying("deletionPolicy: Retain"),
        ),
        case("not even while that one goes", listed(|l| l.rival = Some(rival(true))), {
            rests(Stuck(Reason::OwnershipConflict)).saying("c9")
        }),
        case(
            "nor beside one without tags",
            listed(|l| l.undecided = Some(untagged(Some(mins(1))))),
            rests(UnderWay(Reason::AwaitingOutcome)).saying("c9"),
        ),
        case("a person's word lets it go", confirmed(listed(|l| l.trusted = false)), free(Free::NeverMade)),
        case("where its cluster is to stay it goes, and its mark is named", kept(listed(|l| l.trusted = false)), {
            untraced()
        }),
        case(
            "also without keys",
            kept(lost(Goal::Destroy)).with(|v| v.seen.account = Some(Err(trouble(Class::Credentials)))),
            untraced(),
        ),
        case(
            "but neither a person's word nor Retain lets go of two clusters that the list shows",
            confirmed(listed(|l| l.ours = vec![id(), "c2".into()])),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and c2"),
        ),
    ]
}

fn keep() -> Vec<Case> {
    let kept = |says: &str| free(Free::Kept(id(), says.into()));
    let unseen = |goal| view(goal, Standing::Known(known())).with(|v| v.seen = Evidence::default());
    let keyless = |goal| {
        unseen(goal).with(|v| {
            let missing = trouble(Class::Credentials).because(Reason::CredentialsMissing);
            v.seen.account = Some(Err(missing));
        })
    };
    let shows = |state| going(state).with(|v| v.goal = Goal::Release);
    vec![
        case("what is kept is looked at first", unseen(Goal::Release), looks(Look::Account)),
        case("retain needs no credentials", keyless(Goal::Release), {
            kept("it stays, with its tags; its state could not be read")
        }),
        case("a cluster that stays is said to stay", shows(State::Running), kept("it stays, with its tags")),
        case(
            "and one that ACK is deleting is not",
            shows(State::Deleting),
            kept("ACK is deleting it already, which deletionPolicy: Retain does not stop"),
        ),
        case("nor one that it does not know", shows(State::Running).unknown(), kept("ACK does not know it")),
        case(
            "a cluster that cannot be read holds nobody",
            shows(State::Running).with(|v| v.seen.take(Answer::Cluster(Err(trouble(Class::Transient))))),
            kept("it stays, with its tags; its state could not be read"),
        ),
        case(
            "retain keeps a protected cluster",
            going(State::Running)
                .guard(true, false)
                .shows(cluster(State::Running).with(|c| c.guarded = Some(true)))
                .with(|v| v.goal = Goal::Release),
            kept("it stays, with its tags"),
        ),
        case("a deletion needs credentials", unseen(Goal::Destroy), looks(Look::Account)),
        case(
            "a Secret that went first leaves the ways out named",
            keyless(Goal::Destroy),
            rests(Stuck(Reason::CredentialsMissing)).saying("deletionPolicy: Retain").ready(None),
        ),
        case("pausing holds a deletion", going(State::Running).with(|v| v.goal = Goal::Pause), {
            rests(Held(Reason::Paused))
        }),
        case(
            "nothing is deleted with the credentials of another account",
            going(State::Running).with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).saying("account 100"),
        ),
        case("every deletion looks at the list first", view(Goal::Destroy, Standing::Known(known())), {
            looks(Look::Glance { id: id(), every: mins(5) })
        }),
        case(
            "another kind of 404 is not gone",
            recorded(Goal::Destroy).with(|v| v.seen.cluster = Some(Err(trouble(Class::Unknown)))),
            rests(UnderWay(Reason::Unreachable)),
        ),
    ]
}

fn gone() -> Vec<Case> {
    let memo = |wait| Memo::Gone { id: id(), at: ago(wait) };
    let twice = || recorded(Goal::Destroy).unknown().remembers(memo(secs(30)));
    let waits = || rests(UnderWay(Reason::Deleting));
    let with_list = |change: fn(&mut Listing)| twice().lists(list(secs(1)).with(change));
    let unmet = |until| with_list(|_| {}).known(|known| (known.met, known.believe_after) = (false, until));
    vec![
        case("one 404 lets nothing go", recorded(Goal::Destroy).unknown(), {
            waits().again(secs(31)).keeping(Memo::Gone { id: id(), at: NOW })
        }),
        case(
            "a second 404 too soon lets nothing go, and the first stays",
            recorded(Goal::Destroy).unknown().remembers(memo(secs(29))),
            waits().again(secs(2)).keeping(memo(secs(29))),
        ),
        case(
            "a 404 remembered of another cluster does not count",
            recorded(Goal::Destroy).unknown().remembers(Memo::Gone { id: "c0".into(), at: ago(mins(1)) }),
            waits().keeping(Memo::Gone { id: id(), at: NOW }),
        ),
        case("after two a list must confirm it", twice(), looks(Look::Listing { began_after: ago(secs(30)) })),
        case("two 404s and a list prove it gone", with_list(|_| {}), free(Free::Gone)),
        case(
            "where the list shows nothing of ours, a trace must tell that it is of the cluster's own region",
            with_list(|l| l.trusted = false),
            looks(Look::Trace(id())),
        ),
        case(
            "which its task may be",
            with_list(|l| l.trusted = false).with(|v| v.seen.trace = Some(Ok(true))),
            free(Free::Gone),
        ),
        case(
            "and without one another region may have answered",
            with_list(|l| l.trusted = false).with(|v| v.seen.trace = Some(Ok(false))),
            rests(Stuck(Reason::ListNotTrusted)).saying("--ack-endpoint").again(mins(10)).keeping(memo(secs(30))),
        ),
        case(
            "a list dated ahead of our clock confirms nothing",
            with_list(|l| l.ahead = secs(61)),
            rests(UnderWay(Reason::ClockSkew)).again(secs(15)).keeping(memo(secs(30))),
        ),
        case("a torn list confirms nothing", with_list(|l| l.whole = false), waits().keeping(memo(secs(0)))),
        case(
            "a list from before the first 404 confirms nothing",
            with_list(|l| l.began = ago(secs(31))),
            waits().keeping(memo(secs(0))),
        ),
        case(
            "a list that still shows it confirms nothing",
            with_list(|l| l.ours = vec![id()]),
            waits().keeping(memo(secs(0))),
        ),
        case(
            "another living cluster of this object is a duplicate",
            with_list(|l| l.ours = vec!["c2".into()]),
            rests(Stuck(Reason::DuplicateDetected)).saying("c2").keeping(memo(secs(30))),
        ),
        case(
            "and so it is beside one that still shows",
            with_list(|l| l.ours = vec![id(), "c2".into()]),
            rests(Stuck(Reason::DuplicateDetected)).saying("c2"),
        ),
        case(
            "trouble takes nothing back of what was seen",
            twice().with(|v| v.seen.listing = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)).keeping(memo(secs(30))),
        ),
        case("a cluster never seen since its record is late, not gone", unmet(NOW + secs(1)), waits().again(secs(15))),
        case("until nothing can be late any more", unmet(NOW), free(Free::Gone)),
    ]
}
