//! Adopting a cluster instead of making one.

use super::*;

fn record(adopted: bool) -> Want {
    acts(Act::Record { id: id(), site: site(), adopted })
}

pub fn cases() -> Vec<Case> {
    let adopting = |last: Option<Closed>| {
        let last = last.map(|how| Ended { nonce: "n1".into(), site: site(), how });
        view(Goal::Manage, Standing::New { adopt: Some(id()), attempts: 1, last, blank: false })
    };
    let owned = |owner| adopting(None).shows(cluster(State::Running).with(|c| c.owner = owner));
    let other = |namesake| Owner::Other { nonce: "n9".into(), namesake };
    let observed = |view: View| view.with(|v| v.goal = Goal::Observe);
    let conflict = || rests(Stuck(Reason::OwnershipConflict)).again(mins(10));
    let takes = |view: View| view.word(Word::TakeOver("n9".into()));
    vec![
        case("a cluster to adopt is looked at", adopting(None), looks(Look::Cluster(id()))),
        case(
            "nothing is adopted for an account that is not known",
            adopting(None).with(|v| v.seen.account = None),
            looks(Look::Account),
        ),
        case(
            "the finalizer comes right before an adoption is recorded",
            owned(Owner::Nobody).with(|v| v.finalizer = false),
            acts(Act::AddFinalizer),
        ),
        case("a cluster without a mark is adopted", owned(Owner::Nobody), record(true)),
        case("a cluster of this object is adopted again", owned(Owner::Mine), record(true)),
        case("an observed object adopts too", observed(owned(Owner::Nobody)), record(true)),
        case(
            "adopting does not hide a refused attempt of which a copy may have fared better",
            adopting(Some(refused(Class::Quota, secs(10)))).shows(cluster(State::Running)),
            rests(UnderWay(Reason::AwaitingOutcome)).again(secs(350)).saying("confirm-absent=n1"),
        ),
        case(
            "and a copy that is found is recorded instead",
            adopting(Some(refused(Class::Quota, mins(7)))).lists(list(secs(0)).with(|l| l.ours = vec!["c2".into()])),
            acts(Act::Record { id: "c2".into(), site: site(), adopted: false }),
        ),
        case(
            "what ACK does not know cannot be adopted",
            adopting(None).unknown(),
            rests(Stuck(Reason::InvalidSpec)).again(mins(10)).saying("spec.adoptClusterId"),
        ),
        case("a cluster of another object is not adopted", owned(other(false)), conflict().saying("take-over=n9")),
        case("unless a person names its mark", takes(owned(other(false))), record(true)),
        case(
            "the wrong mark takes nothing over",
            owned(other(true)).word(Word::TakeOver("n8".into())),
            rests(Stuck(Reason::OwnershipConflict)),
        ),
        case("an observed object takes nothing over", observed(takes(owned(other(false)))), conflict()),
        adopting_owned("an earlier object's of this name is taken over", owned(other(true)), record(true)),
        adopting_owned("but none of another name", owned(other(false)), conflict()),
        case("an id that another object records is not adopted", takes(owned(Owner::Claimed("ns/x".into()))), {
            conflict().saying("ns/x")
        }),
    ]
}
