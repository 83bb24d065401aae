//! Making a cluster, once: owner check, seal, send, resolve, adopt.

use super::*;

/// Everything before the seal is looked at, and nothing stands in its way.
fn ready(attempts: u32, last: Option<Closed>) -> View {
    view(Goal::Manage, new(attempts, last)).lists(list(secs(0))).with(|v| v.seen.body = Some(Ok(())))
}

/// All that proves an absence: a first list 31 s ago, a second one now, and a fence that works.
fn proven() -> View {
    view(Goal::Manage, sealed(mins(30)))
        .remembers(Memo::Absent { nonce: "n1".into(), began: ago(secs(31)) })
        .lists(list(secs(0)))
        .with(|v| v.seen.fence = Some(Ok(true)))
}

fn adopting() -> View {
    view(Goal::Manage, Standing::Adopting(id()))
}

pub fn cases() -> Vec<Case> {
    [begin(), send(), resolve(), absent(), adopt()].into_iter().flatten().collect()
}

fn begin() -> Vec<Case> {
    let seal = |attempt| acts(Act::Seal { attempt });
    let rival = |going| ready(0, None).lists(list(secs(0)).with(|l| l.rival = Some(Rival { id: id(), going })));
    let absent = |wait| Some(Closed::Absent { at: ago(wait) });
    let busy = |wait| Some(refused(Class::Quota, wait));
    let mended = Closed::Refused { class: Class::User, at: ago(secs(1)), mended: true, note: "".into() };
    vec![
        case("the finalizer comes first", ready(0, None).with(|v| v.finalizer = false), acts(Act::AddFinalizer)),
        case(
            "a live object with an open intent gets its finalizer back before anything else",
            view(Goal::Manage, mine(secs(60))).with(|v| v.finalizer = false),
            acts(Act::AddFinalizer),
        ),
        case(
            "a paused object that has a cluster gets its finalizer back too",
            view(Goal::Pause, Standing::Known(known())).with(|v| v.finalizer = false),
            acts(Act::AddFinalizer),
        ),
        case(
            "an observed object without a cluster needs no finalizer",
            view(Goal::Observe, new(0, None)).with(|v| v.finalizer = false),
            rests(Held(Reason::Observed)),
        ),
        case("a paused object rests", view(Goal::Pause, new(0, None)), rests(Held(Reason::Paused)).saying("paused")),
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
            ready(0, None).with(|v| {
                let missing = Trouble { reason: Some(Reason::CredentialsMissing), ..trouble(Class::Credentials) };
                v.seen.body = Some(Err(missing));
            }),
            rests(Stuck(Reason::CredentialsMissing)),
        ),
        case(
            "nothing is sealed before a list of this pass shows whose the name is",
            ready(0, None).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "a list that fails proves nothing",
            ready(0, None).with(|v| v.seen.listing = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)).again(secs(5)).ready(None),
        ),
        case(
            "trouble in a row slows down to five minutes",
            ready(0, None).with(|v| {
                v.seen.listing = Some(Err(trouble(Class::Transient)));
                v.streak = 9;
            }),
            rests(UnderWay(Reason::Unreachable)).again(mins(5)),
        ),
        case(
            "a throttled look waits as long as it was told",
            ready(0, None).with(|v| {
                v.seen.listing = Some(Err(Trouble { wait: Some(secs(77)), ..trouble(Class::Throttled) }));
            }),
            rests(UnderWay(Reason::Throttled)).again(secs(77)),
        ),
        case(
            "a torn list proves nothing",
            ready(0, None).lists(list(secs(0)).with(|l| l.whole = false)),
            rests(UnderWay(Reason::Unreachable)).saying("did not come whole"),
        ),
        case(
            "a list that seems too old is asked for again",
            ready(0, None).lists(list(secs(9))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(30)),
        ),
        case(
            "an answer is recorded with the account that was asked, whatever has become of object and credentials",
            view(Goal::Manage, new(0, None)).sent("n1", Sent::Created(id(), site())).with(|v| v.seen.account = None),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "a listed cluster of this object is recovered, not made again",
            ready(0, None).lists(list(secs(0)).with(|l| l.ours = vec![id()])),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "a torn list that shows our cluster is believed",
            ready(0, None).lists(list(secs(0)).with(|l| (l.ours, l.whole) = (vec![id()], false))),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "two listed clusters of this object are touched neither",
            ready(0, None).lists(list(secs(0)).with(|l| l.ours = vec![id(), "c2".into()])),
            rests(Stuck(Reason::DuplicateDetected)).saying("c1 and c2"),
        ),
        case(
            "none is made beside a cluster of the same name",
            rival(false),
            rests(Stuck(Reason::OwnershipConflict)).again(secs(30)).saying("spec.adoptClusterId: c1"),
        ),
        case(
            "a cluster of an earlier object is waited for while it goes",
            rival(true),
            rests(Stuck(Reason::OwnershipConflict)).again(secs(30)).saying("waiting until it is gone"),
        ),
        Case {
            rules: Rules { adopt_owned: true, ..Rules::default() },
            ..case("a rebuilt management cluster takes its clusters over", rival(false), acts(Act::Claim(id())))
        },
        Case {
            rules: Rules { adopt_owned: true, ..Rules::default() },
            ..case("one that goes is not taken over", rival(true), rests(Stuck(Reason::OwnershipConflict)))
        },
        case(
            "a wrong clock seals nothing",
            ready(0, None).with(|v| v.offset = -secs(61)),
            rests(UnderWay(Reason::ClockSkew)).again(secs(15)),
        ),
        case(
            "a list dated ahead of our clock shows no free name",
            ready(0, None).lists(list(secs(0)).with(|l| l.ahead = secs(61))),
            rests(UnderWay(Reason::ClockSkew)).again(secs(15)),
        ),
        case(
            "a cluster that such a list shows is believed all the same",
            ready(0, None).lists(list(secs(0)).with(|l| (l.ahead, l.ours) = (secs(61), vec![id()]))),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case("a clock a minute off may seal", ready(0, None).with(|v| v.offset = secs(60)), seal(1)),
        case("the first attempt is sealed", ready(0, None), seal(1)),
        case("an attempt number is never used twice", ready(3, Some(Closed::Unsent)), seal(4)),
        case("after the first absence the second attempt is sealed at once", ready(1, absent(secs(0))), seal(2)),
        case(
            "the third attempt waits ten minutes",
            ready(2, absent(mins(9))),
            rests(UnderWay(Reason::Creating)).again(mins(1)),
        ),
        case("and follows then", ready(2, absent(mins(10))), seal(3)),
        case("the fourth waits an hour", ready(3, absent(mins(59))), rests(UnderWay(Reason::Creating)).again(mins(1))),
        case(
            "what the spec did wrong is not tried again before ten minutes",
            ready(1, Some(refused(Class::User, mins(9)))),
            rests(Stuck(Reason::InvalidSpec)).again(mins(1)).saying("as ACK tells it"),
        ),
        case("a mended spec is tried at once", ready(1, Some(mended)), seal(2)),
        case(
            "after a refusal of the moment a list that began later must show no copy",
            ready(1, busy(mins(11))).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "right after a refusal of the moment nothing is sealed, mended or not",
            ready(
                1,
                Some(Closed::Refused { class: Class::Credentials, at: ago(secs(10)), mended: true, note: "".into() }),
            ),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(350)),
        ),
    ]
}

fn send() -> Vec<Case> {
    let refuses =
        |nonce: &str| view(Goal::Manage, sealed(mins(2))).sent(nonce, Sent::Refused(Class::Quota, "no more".into()));
    vec![
        case(
            "a sealer sends, until the date is nearly too old",
            view(Goal::Manage, mine(secs(60))),
            acts(Act::Send { not_after: ago(secs(60)) + mins(14) }),
        ),
        case(
            "a sealer that sees its object deleted writes the attempt off",
            view(Goal::Destroy, mine(secs(60))),
            acts(Act::Close(Closed::Unsent)),
        ),
        case(
            "a sealer that sees its object paused writes the attempt off",
            view(Goal::Pause, mine(secs(60))),
            acts(Act::Close(Closed::Unsent)),
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
            view(Goal::Destroy, sealed(secs(60))).sent("n1", Sent::Created(id(), site())).with(|v| v.finalizer = false),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "an id is recorded though the object is paused",
            view(Goal::Pause, sealed(secs(60))).sent("n1", Sent::Created(id(), site())),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
        ),
        case(
            "an id is recorded though the status was lost",
            view(Goal::Manage, new(0, None)).sent("n1", Sent::Created(id(), site())),
            acts(Act::Record { id: id(), site: site(), adopted: false }),
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
        case(
            "a refusal closes its attempt",
            refuses("n1"),
            acts(Act::Close(Closed::Refused { class: Class::Quota, at: NOW, mended: false, note: "no more".into() })),
        ),
        case(
            "a refusal that comes late does not close a later attempt",
            refuses("n0"),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
    ]
}

fn resolve() -> Vec<Case> {
    let waiting = |goal| view(goal, sealed(mins(5))).lists(list(secs(0)));
    let shown = |goal| waiting(goal).lists(list(secs(0)).with(|l| l.ours = vec![id()]));
    let confirm =
        |age, nonce: &str| view(Goal::Manage, sealed(age)).lists(list(secs(0))).word(Word::ConfirmAbsent(nonce.into()));
    let record = || acts(Act::Record { id: id(), site: site(), adopted: false });
    vec![
        case(
            "an open outcome is looked for by the credentials that sealed it",
            waiting(Goal::Manage).with(|v| v.seen.account = Some(Ok("200".into()))),
            rests(Stuck(Reason::AccountChanged)).saying("give credentials of account 100"),
        ),
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
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(15)).ready(Some(false)).saying("confirm-absent=n1"),
        ),
        case("an open outcome is never let go", waiting(Goal::Destroy), rests(UnderWay(Reason::AwaitingOutcome))),
        case("nor is it kept", waiting(Goal::Release), rests(UnderWay(Reason::AwaitingOutcome))),
        case(
            "shortly before the bound the next look is at the bound",
            view(Goal::Manage, sealed(mins(21) - secs(4))).lists(list(secs(0))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(4)),
        ),
        case(
            "after the bound a list of this pass is asked for, since an earlier one has settled nothing",
            view(Goal::Manage, sealed(mins(30))),
            looks(Look::Listing { began_after: ago(secs(5)) }),
        ),
        case(
            "a person's word that there is none counts from date, window and skew on",
            confirm(mins(16), "n1"),
            acts(Act::Close(Closed::Absent { at: NOW })),
        ),
        case(
            "a person's word that there is none does not count a second earlier",
            confirm(mins(16) - secs(1), "n1"),
            rests(UnderWay(Reason::AwaitingOutcome)),
        ),
        case(
            "a person's word does not count beside a list from before that",
            confirm(mins(16), "n1").lists(list(secs(1))),
            rests(UnderWay(Reason::AwaitingOutcome)),
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
        case(
            "a person's word for another attempt counts for nothing",
            confirm(mins(16), "n0"),
            rests(UnderWay(Reason::AwaitingOutcome)),
        ),
        case(
            "a person's word loses against a listed cluster",
            confirm(mins(16), "n1").lists(list(secs(0)).with(|l| l.ours = vec![id()])),
            record(),
        ),
        case(
            "a person's word lets a going object go",
            confirm(mins(16), "n1").with(|v| v.goal = Goal::Destroy),
            acts(Act::Release(Free::NeverMade)),
        ),
    ]
}

fn absent() -> Vec<Case> {
    let first = |began| Memo::Absent { nonce: "n1".into(), began };
    let late = || view(Goal::Manage, sealed(mins(30))).lists(list(secs(0)));
    let close = || acts(Act::Close(Closed::Absent { at: NOW }));
    vec![
        case("two lists apart and a working fence prove an absence", proven(), close()),
        case("a proven absence lets a going object go", proven().with(|v| v.goal = Goal::Destroy), {
            acts(Act::Release(Free::NeverMade))
        }),
        case(
            "one list does not prove an absence",
            late(),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(30)).keeping(first(NOW)),
        ),
        case(
            "a second list too soon does not prove it, and the first stays",
            late().remembers(first(ago(secs(29)))),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(1)).keeping(first(ago(secs(29)))),
        ),
        case(
            "two lists 30 s apart are asked to lie apart",
            late().remembers(first(ago(secs(30)))).with(|v| v.seen.listing = None),
            looks(Look::Listing { began_after: NOW }),
        ),
        case(
            "a list remembered for another attempt does not count",
            proven().remembers(Memo::Absent { nonce: "n0".into(), began: ago(secs(31)) }),
            rests(UnderWay(Reason::AwaitingOutcome)).keeping(first(NOW)),
        ),
        case(
            "a list remembered from the future was dated by a wrong clock and does not count",
            proven().remembers(first(NOW + mins(600))),
            rests(UnderWay(Reason::AwaitingOutcome)).keeping(first(NOW)),
        ),
        case(
            "a refusal is not noted as later than any copy of the request can live",
            view(Goal::Manage, sealed(mins(600))).sent("n1", Sent::Refused(Class::Quota, "full".into())),
            acts(Act::Close(Closed::Refused {
                class: Class::Quota,
                at: ago(mins(600)) + mins(21),
                mended: false,
                note: "full".into(),
            })),
        ),
        case(
            "a list remembered from before the bound does not count",
            proven().remembers(first(ago(mins(10)))),
            rests(UnderWay(Reason::AwaitingOutcome)).keeping(first(NOW)),
        ),
        case(
            "a list begun before the bound does not count, however late it is read",
            proven().lists(list(mins(10))),
            rests(UnderWay(Reason::AwaitingOutcome)).keeping(first(ago(secs(31)))),
        ),
        case(
            "a larger bound that was stored counts more than our own",
            proven().with(|v| {
                let Standing::Sealed { intent, .. } = &mut v.standing else { return };
                intent.believe_after = NOW + mins(1);
            }),
            rests(UnderWay(Reason::AwaitingOutcome)),
        ),
        case(
            "a smaller bound that was stored does not shorten our own",
            view(Goal::Manage, sealed(mins(20))).lists(list(secs(0))).with(|v| {
                let Standing::Sealed { intent, .. } = &mut v.standing else { return };
                intent.believe_after = ago(mins(5));
            }),
            rests(UnderWay(Reason::AwaitingOutcome)).keeping_nothing(),
        ),
        case(
            "a list dated ahead of our clock proves no absence and takes back none",
            proven().lists(list(secs(0)).with(|l| l.ahead = secs(61))),
            rests(UnderWay(Reason::ClockSkew)).again(secs(15)).keeping(first(ago(secs(31)))),
        ),
        case("a minute ahead it proves one", proven().lists(list(secs(0)).with(|l| l.ahead = secs(60))), close()),
        case(
            "a list as far behind proves one, for it began later than it says",
            proven().lists(list(secs(0)).with(|l| l.ahead = -mins(60))),
            close(),
        ),
        case(
            "a torn list proves no absence and takes back none",
            proven().lists(list(secs(0)).with(|l| l.whole = false)),
            rests(UnderWay(Reason::Unreachable)).again(secs(30)).keeping(first(ago(secs(31)))),
        ),
        case(
            "a list that fails takes back none",
            proven().with(|v| v.seen.listing = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)).keeping(first(ago(secs(31)))),
        ),
        case(
            "a cluster of our name without tags could be ours",
            proven().lists(list(secs(0)).with(|l| l.undecided = Some("c9".into()))),
            rests(Stuck(Reason::ListNotTrusted)).saying("cluster c9").keeping(first(ago(secs(31)))),
        ),
        case(
            "credentials that never showed a cluster of ours may hide one",
            proven().lists(list(secs(0)).with(|l| l.trusted = false)),
            rests(Stuck(Reason::ListNotTrusted)).saying("--lists-are-complete").keeping(first(ago(secs(31)))),
        ),
        case(
            "a list that may hide one does not count as the first of two",
            late().lists(list(secs(0)).with(|l| l.trusted = false)),
            rests(Stuck(Reason::ListNotTrusted)).keeping_nothing(),
        ),
        Case {
            rules: Rules { lists_complete: true, ..Rules::default() },
            ..case(
                "an administrator may vouch for the lists",
                proven().lists(list(secs(0)).with(|l| l.trusted = false)),
                close(),
            )
        },
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

fn adopt() -> Vec<Case> {
    let owned = |owner| adopting().shows(cluster(State::Running).with(|c| c.owner = owner));
    let record = || acts(Act::Record { id: id(), site: site(), adopted: true });
    let other = || Owner::Other("n9".into());
    vec![
        case("a cluster to adopt is looked at", adopting(), looks(Look::Cluster(id()))),
        case(
            "nothing is adopted for an account that is not known",
            adopting().with(|v| v.seen.account = None),
            looks(Look::Account),
        ),
        case("a cluster of nobody is adopted", owned(Owner::Nobody), record()),
        case("a cluster of this object is adopted again", owned(Owner::Mine), record()),
        case("an observed object adopts too", owned(Owner::Nobody).with(|v| v.goal = Goal::Observe), record()),
        case(
            "what ACK does not know cannot be adopted",
            adopting().unknown(),
            rests(Stuck(Reason::InvalidSpec)).again(mins(10)).saying("spec.adoptClusterId"),
        ),
        case(
            "a cluster of another object is not adopted",
            owned(other()),
            rests(Stuck(Reason::OwnershipConflict)).saying("take-over=n9"),
        ),
        case(
            "a person may have it taken over",
            owned(other()).word(Word::TakeOver("n9".into())),
            acts(Act::Claim(id())),
        ),
        case(
            "the wrong word takes nothing over",
            owned(other()).word(Word::TakeOver("n8".into())),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        case(
            "an observed object takes nothing over",
            owned(other()).word(Word::TakeOver("n9".into())).with(|v| v.goal = Goal::Observe),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        case(
            "an id that another object records is not adopted",
            owned(Owner::Claimed("AckCluster x".into())),
            rests(Stuck(Reason::OwnershipConflict)).saying("AckCluster x"),
        ),
        case(
            "a takeover that ACK refused is not asked for again in the same pass",
            owned(other()).word(Word::TakeOver("n9".into())).did(Deed::Claim, Err(Class::Permission)),
            rests(Stuck(Reason::PermissionDenied)),
        ),
        case(
            "a takeover that ACK does not show yet is waited for",
            owned(other()).word(Word::TakeOver("n9".into())).did(Deed::Claim, Ok(())),
            rests(UnderWay(Reason::Creating)).again(secs(30)),
        ),
        Case {
            rules: Rules { adopt_owned: true, ..Rules::default() },
            ..case(
                "a cluster taken over by name that the list does not show yet is waited for",
                ready(0, None)
                    .lists(list(secs(0)).with(|l| l.rival = Some(Rival { id: id(), going: false })))
                    .did(Deed::Claim, Ok(())),
                rests(UnderWay(Reason::Creating)).again(secs(30)),
            )
        },
    ]
}
