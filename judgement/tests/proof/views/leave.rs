//! Letting go: protection, ownership, proof of absence.

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
    acts(Act::Delete { id: id(), not_after: NOW + mins(1) })
}

fn asked(wait: SignedDuration) -> Memo {
    Memo::Asked { id: id(), at: ago(wait) }
}

pub fn cases() -> Vec<Case> {
    [never_made(), keep(), gone(), states(), ownership(), protection(), request()].into_iter().flatten().collect()
}

fn never_made() -> Vec<Case> {
    let leave = |last| view(Goal::Destroy, new(1, last));
    let blank = || view(Goal::Destroy, Standing::New { attempts: 0, last: None, blank: true });
    let free = |why| acts(Act::Release(why));
    vec![
        case("what was never sealed may go at once", view(Goal::Destroy, new(0, None)), free(Free::NeverSealed)),
        case("what is proven absent may go at once", leave(Some(Closed::Absent { at: ago(secs(1)) })), {
            free(Free::NeverMade)
        }),
        case("what was never sent may go at once", leave(Some(Closed::Unsent)), free(Free::NeverMade)),
        case("what the spec did wrong made nothing", leave(Some(refused(Class::User, secs(1)))), {
            free(Free::NeverMade)
        }),
        case(
            "after a refusal of the moment a copy may have fared better, so it waits for a list",
            leave(Some(refused(Class::Throttled, secs(10)))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(350)),
        ),
        case(
            "and lets go when that list shows nothing",
            leave(Some(refused(Class::Throttled, mins(7)))).lists(list(secs(1))),
            free(Free::NeverMade),
        ),
        case(
            "and records what that list shows",
            leave(Some(refused(Class::Throttled, mins(7)))).lists(list(secs(1)).with(|l| l.ours = vec![id()])),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case("an object that lost its status is looked for", blank(), {
            looks(Look::Listing { began_after: ago(secs(5)) })
        }),
        case(
            "with credentials, or it waits",
            blank().with(|v| v.seen.account = Some(Err(trouble(Class::Credentials)))),
            rests(Stuck(Reason::InvalidCredentials)),
        ),
        case("and may go when a whole list shows nothing", blank().lists(list(secs(1))), free(Free::NeverSealed)),
        case(
            "and may not when the list is torn",
            blank().lists(list(secs(1)).with(|l| l.whole = false)),
            rests(UnderWay(Reason::Unreachable)),
        ),
        case("what was never adopted may go", view(Goal::Destroy, Standing::Adopting(id())), free(Free::NeverSealed)),
        case(
            "without our finalizer a going object no longer waits for us",
            going(State::Running).with(|v| v.finalizer = false),
            rests(Held(Reason::Retained)),
        ),
    ]
}

fn keep() -> Vec<Case> {
    let unseen = |goal| view(goal, Standing::Known(known())).with(|v| v.seen = Evidence::default());
    vec![
        case("retain needs no credentials", unseen(Goal::Release), acts(Act::Release(Free::Kept(id())))),
        case("a deletion needs them", unseen(Goal::Destroy), looks(Look::Account)),
        case(
            "retain keeps a protected cluster",
            guarded(Some(true), false, Some(true)).with(|v| v.goal = Goal::Release),
            acts(Act::Release(Free::Kept(id()))),
        ),
        case("pausing holds a deletion", going(State::Running).with(|v| v.goal = Goal::Pause), {
            rests(Held(Reason::Paused))
        }),
        case(
            "nothing is deleted with the credentials of another account",
            going(State::Running).with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).saying("give credentials of account 100"),
        ),
        case("every deletion looks at the cluster first", recorded(Goal::Destroy), looks(Look::Cluster(id()))),
        case(
            "nothing is deleted while a second cluster carries our mark",
            going(State::Running)
                .with(|v| v.seen.glance = Some(Ok(Glance::Crowded)))
                .lists(list(secs(1)).with(|l| l.ours = vec![id(), "c2".into()])),
            rests(Stuck(Reason::DuplicateDetected)).saying("neither is touched"),
        ),
        case(
            "a Secret that went first leaves three ways out",
            recorded(Goal::Destroy).with(|v| {
                v.seen.account =
                    Some(Err(Trouble { reason: Some(Reason::CredentialsMissing), ..trouble(Class::Credentials) }))
            }),
            rests(Stuck(Reason::CredentialsMissing)).saying("deletionPolicy: Retain"),
        ),
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
    vec![
        case("one 404 lets nothing go", recorded(Goal::Destroy).unknown(), {
            waits().again(secs(30)).keeping(Memo::Gone { id: id(), at: NOW })
        }),
        case(
            "a second 404 too soon lets nothing go, and the first stays",
            recorded(Goal::Destroy).unknown().remembers(memo(secs(29))),
            waits().again(secs(1)).keeping(memo(secs(29))),
        ),
        case(
            "a 404 remembered of another cluster does not count",
            recorded(Goal::Destroy).unknown().remembers(Memo::Gone { id: "c0".into(), at: ago(mins(1)) }),
            waits().keeping(Memo::Gone { id: id(), at: NOW }),
        ),
        case("after two a list must confirm it", twice(), looks(Look::Listing { began_after: ago(secs(30)) })),
        case("two 404s and a list prove it gone", with_list(|_| {}), acts(Act::Release(Free::Gone))),
        case(
            "where the list shows nothing of ours, a trace must tell that it is of the cluster's own region",
            with_list(|l| l.trusted = false),
            looks(Look::Trace(id())),
        ),
        case(
            "which its task may be",
            with_list(|l| l.trusted = false).with(|v| v.seen.trace = Some(Ok(true))),
            acts(Act::Release(Free::Gone)),
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
        case(
            "a cluster never seen since its record is late, not gone",
            with_list(|_| {}).with(|v| {
                v.standing = Standing::Known(Known { met: false, believe_after: NOW + secs(1), ..known() });
            }),
            waits().again(secs(15)),
        ),
        case(
            "until nothing can be late any more",
            with_list(|_| {}).with(|v| {
                v.standing = Standing::Known(Known { met: false, believe_after: NOW, ..known() });
            }),
            acts(Act::Release(Free::Gone)),
        ),
    ]
}

fn states() -> Vec<Case> {
    vec![
        case("a running cluster is deleted", going(State::Running), delete()),
        case("one whose last change failed is deleted", going(State::ChangeFailed), delete()),
        case("one that is down is deleted", going(State::Down), delete()),
        case("a failed one is deleted", going(State::Failed), delete()),
        case(
            "a cluster that is being made is not deleted",
            going(State::Making),
            rests(UnderWay(Reason::Deleting)).again(secs(15)).saying("waiting for ACK to finish"),
        ),
        case("a busy cluster is not deleted", going(State::Busy), rests(UnderWay(Reason::Deleting))),
        case(
            "a cluster that goes is followed",
            going(State::Deleting),
            rests(UnderWay(Reason::Deleting)).again(secs(15)).saying("as ACK tells it"),
        ),
        case("with its progress", going(State::Deleting).with(|v| v.seen.progress = None), looks(Look::Progress)),
    ]
}

fn ownership() -> Vec<Case> {
    let owned = |owner| going(State::Running).shows(cluster(State::Running).with(|c| c.owner = owner));
    let adopted = |view: View| view.with(|v| v.standing = Standing::Known(known().with(|k| k.adopted = true)));
    let other = || Owner::Other("n9".into());
    let conflict = || rests(Stuck(Reason::OwnershipConflict)).again(mins(10));
    let uproots = |confirm: Option<&str>| {
        going(State::Running).with(|v| {
            v.seen.uprooted = Some(Ok(true));
            v.words.extend(confirm.map(|id| Word::ConfirmDelete(id.into())));
        })
    };
    vec![
        case("a cluster that lost our mark is not deleted", owned(Owner::Nobody), {
            conflict().saying("does not carry this object's mark any more")
        }),
        case("an adopted cluster gets our mark before it is deleted", adopted(owned(Owner::Nobody)), {
            acts(Act::Claim(id()))
        }),
        case(
            "a mark that ACK does not show yet is waited for",
            adopted(owned(Owner::Nobody)).did(Deed::Claim, Ok(())),
            rests(UnderWay(Reason::Deleting)).again(secs(30)),
        ),
        case(
            "a mark that ACK refuses is told",
            adopted(owned(Owner::Nobody)).did(Deed::Claim, Err(Class::Permission)),
            rests(Stuck(Reason::PermissionDenied)),
        ),
        case("once it shows the cluster is deleted", adopted(owned(Owner::Mine)).did(Deed::Claim, Ok(())), delete()),
        case("another object's cluster is not deleted", adopted(owned(other())), conflict().saying("take-over=n9")),
        case(
            "unless a person names its mark",
            adopted(owned(other())).word(Word::TakeOver("n9".into())),
            acts(Act::Claim(id())),
        ),
        case(
            "the wrong mark takes nothing over",
            adopted(owned(other())).word(Word::TakeOver("n8".into())),
            conflict(),
        ),
        case(
            "a claimed id is a conflict, whatever a person says",
            owned(Owner::Claimed("AckCluster x".into())).word(Word::TakeOver("n9".into())),
            conflict().saying("AckCluster x"),
        ),
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
    let protect = |on| acts(Act::Protect { id: id(), on });
    let waits = || rests(Stuck(Reason::DeletionProtected)).again(mins(5)).saying("deletionPolicy: Retain");
    let lift = |state| guarded(Some(false), true, Some(true)).shows(cluster(state).with(|c| c.guarded = Some(true)));
    vec![
        case("spec true: deletion waits", guarded(Some(true), true, Some(true)), waits().ready(Some(true))),
        case("spec true and flag missing: deletion waits", guarded(Some(true), true, None), waits()),
        case("spec true and flag off: it is switched on even now", guarded(Some(true), true, Some(false)), {
            protect(true)
        }),
        case(
            "and deletion waits whatever came of that",
            guarded(Some(true), true, Some(false)).did(Deed::Protect, Err(Class::Busy)),
            waits(),
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
            "what keeps ACK from protecting a cluster that is to stay is told",
            guarded(Some(true), false, Some(false)).did(Deed::Protect, Err(Class::Permission)),
            waits().saying("ACK did not switch it on: as ACK tells it"),
        ),
        case(
            "old words never undo an emergency protection, while deleting neither",
            guarded(Some(false), false, Some(true)),
            rests(Stuck(Reason::DeletionProtected)).saying("switched on in ACK after the spec said false"),
        ),
        case("a newer word lifts it first", guarded(Some(false), true, Some(true)), protect(false)),
        case("also on a failed cluster", lift(State::Failed), protect(false)),
        case(
            "a lift that ACK does not show yet is waited for",
            lift(State::Running).did(Deed::Protect, Ok(())),
            rests(UnderWay(Reason::Deleting)).again(secs(30)),
        ),
        case(
            "a running cluster that ACK will not unprotect is not deleted",
            lift(State::Running).did(Deed::Protect, Err(Class::Busy)),
            rests(UnderWay(Reason::ClusterBusy)),
        ),
        case(
            "a failed one is deleted as it is, for ACK refuses a protected one",
            lift(State::Failed).did(Deed::Protect, Err(Class::Busy)),
            delete(),
        ),
        case(
            "but not when the lift was not even heard",
            lift(State::Failed).did(Deed::Protect, Err(Class::Throttled)),
            rests(UnderWay(Reason::Throttled)),
        ),
        case(
            "a refused deletion of a failed one is told",
            lift(State::Failed).did(Deed::Delete, Err(Class::User)),
            rests(Stuck(Reason::DeleteFailed)).saying("as ACK tells it"),
        ),
    ]
}

fn request() -> Vec<Case> {
    let waits = || rests(UnderWay(Reason::Deleting)).again(secs(15)).ready(Some(false));
    let failed = || rests(Stuck(Reason::DeleteFailed));
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
            "a deletion that was asked for is remembered",
            going(State::Running).did(Deed::Delete, Ok(())),
            waits().keeping(asked(secs(0))),
        ),
        case(
            "and not asked for again while ACK is slow to show it",
            going(State::Running).remembers(asked(mins(4))),
            waits().keeping(asked(mins(4))),
        ),
        case("a deletion that came to nothing is asked for again", going(State::Running).remembers(asked(mins(5))), {
            delete()
        }),
        case(
            "and remembered from then on",
            going(State::Running).remembers(asked(mins(5))).did(Deed::Delete, Ok(())),
            waits().keeping(asked(secs(0))),
        ),
        case(
            "a deletion of another cluster does not count",
            going(State::Running).remembers(Memo::Asked { id: "c0".into(), at: ago(secs(1)) }),
            delete(),
        ),
        case(
            "a deletion that ACK refuses is told",
            going(State::Running).did(Deed::Delete, Err(Class::User)),
            failed().again(mins(10)).saying("as ACK tells it"),
        ),
        case(
            "one that was not heard is tried again",
            going(State::Running).did(Deed::Delete, Err(Class::Transient)),
            rests(UnderWay(Reason::Unreachable)).again(secs(5)),
        ),
        case(
            "a failed deletion tells its cause and the way out",
            going(State::DeleteFailed).remembers(asked(mins(2))),
            failed().again(mins(8)).keeping(asked(mins(2))).saying("as ACK tells it. Tried again at"),
        ),
        case("its cause is looked for", going(State::DeleteFailed).with(|v| v.seen.cause = None), looks(Look::Cause)),
        case(
            "a failed deletion whose request is forgotten waits as if it were asked for now",
            going(State::DeleteFailed),
            failed().again(mins(10)).keeping(asked(secs(0))),
        ),
        case("it is asked for again after ten minutes", going(State::DeleteFailed).remembers(asked(mins(10))), {
            delete()
        }),
        case(
            "and then not again for ten minutes",
            going(State::DeleteFailed).remembers(asked(mins(10))).did(Deed::Delete, Ok(())),
            waits().keeping(asked(secs(0))),
        ),
    ]
}
