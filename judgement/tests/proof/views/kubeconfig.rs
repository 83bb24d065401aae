//! Publishing the kubeconfig: when it is looked for, got, renewed, and what stands against it.

use super::*;

/// A kubeconfig is wanted, and must be looked at so long from now.
fn due(wait: SignedDuration) -> View {
    view(Goal::Manage, Standing::Known(known())).with(|v| v.kubeconfig = Some(NOW + wait))
}

fn shown(state: State) -> View {
    due(secs(0)).with(|v| v.seen.glance = Some(Ok(Glance::Changed))).shows(cluster(state))
}

fn finds(published: Published) -> View {
    shown(State::Running).with(|v| v.seen.kubeconfig = Some(Ok(published)))
}

pub fn cases() -> Vec<Case> {
    let same = |wait| due(wait).with(|v| v.seen.glance = Some(Ok(Glance::Same)));
    let publish = || acts(Act::Publish(id()));
    let fresh = |wait| Published::Fresh { renew: NOW + wait };
    let observed = |view: View| view.with(|v| v.goal = Goal::Observe);
    vec![
        case("a fresh kubeconfig is left alone between looks", same(mins(60)), rests(Same).again(mins(5))),
        case("the next look is no later than its renewal", same(mins(2)), rests(Same).again(mins(2))),
        case("a due kubeconfig has the cluster looked at", same(secs(0)), looks(Look::Cluster(id()))),
        case("its Secret is looked at once the cluster serves", shown(State::Running), looks(Look::Kubeconfig)),
        case("no Secret is looked at while the cluster is made", shown(State::Making), {
            rests(UnderWay(Reason::Creating))
        }),
        case(
            "none is looked at where none is wanted",
            shown(State::Running).with(|v| v.kubeconfig = None),
            rests(Done),
        ),
        case("what is absent is published", finds(Published::Absent), publish()),
        case("what is due is renewed", finds(fresh(secs(0))), publish()),
        case("even while ACK is changing the cluster", finds(fresh(secs(0))).shows(cluster(State::Busy)), publish()),
        case(
            "but not of a cluster that does not show our mark",
            finds(fresh(secs(0))).shows(cluster(State::Busy).with(|c| c.owner = Owner::Nobody)),
            rests(UnderWay(Reason::Updating)),
        ),
        case("what is fresh needs nothing", finds(fresh(mins(2))), rests(Done).again(mins(2)).ready(Some(true))),
        case("for an observed cluster none is looked at or made", observed(shown(State::Running)), {
            rests(Held(Reason::Observed)).again(mins(5))
        }),
        case("nor is that cluster looked at for it", observed(same(secs(0))), rests(Same).again(mins(5))),
        case(
            "one that ends at once is not got twice in a pass",
            finds(fresh(secs(0))).did(Deed::Publish, Ok(())),
            rests(Done).again(secs(15)),
        ),
        case(
            "a Secret that is not ours is told and the cluster serves",
            finds(Published::Foreign("Secret x".into())),
            rests(Stuck(Reason::SecretConflict)).saying("Secret x").ready(Some(true)).again(mins(5)),
        ),
        case(
            "so is an endpoint that the cluster lacks",
            finds(Published::NoEndpoint("no public endpoint".into())),
            rests(Stuck(Reason::EndpointMissing)).saying("no public").ready(Some(true)),
        ),
        case(
            "what could not be got is tried again and the cluster serves",
            shown(State::Running).with(|v| v.seen.kubeconfig = Some(Err(trouble(Class::Transient)))),
            rests(UnderWay(Reason::Unreachable)).saying("kubeconfig").saying("as ACK tells it").ready(Some(true)),
        ),
        case(
            "protection comes first",
            finds(Published::Absent).guard(true, false),
            asks(Deed::Protect(true), Reason::Updating),
        ),
        case(
            "what differs is told before a Secret that is not ours",
            finds(Published::Foreign("Secret x".into()))
                .drifts(Drift { differs: Some("vpcid".into()), ..Drift::default() }),
            rests(Stuck(Reason::SpecDiffers)).saying("vpcid. Secret x"),
        ),
    ]
}
