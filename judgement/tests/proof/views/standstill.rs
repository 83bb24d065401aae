//! A pass over a world that stands still: what was asked for is not asked for again, whatever ACK says of it.

use super::*;

/// Over a world that stands still, of an ACK that takes everything and shows nothing of it or refuses everything, a pass
/// asks for each change once.
pub fn comes_to_rest(view: &View, act: &Act, rules: &Rules) -> Result<(), String> {
    let world = &view.seen;
    for went in [Ok(()), Err(trouble(Class::User)), Err(trouble(Class::Throttled))] {
        let (mut view, mut act, mut acts) = (view.clone(), act.clone(), vec![]);
        while let Some(deed) = deed(&act) {
            if acts.contains(&act) {
                return Err(format!("again and again: {acts:?} in {view:#?}"));
            }
            acts.push(act.clone());
            let kept = Evidence { account: world.account.clone(), sent: world.sent.clone(), ..Evidence::default() };
            view.seen = Evidence { acted: Some((deed, went.clone())), ..kept };
            let step = loop {
                match decide(&view, rules) {
                    Step::Look(look) => match as_before(world, &look) {
                        Some(fill) => fill(&mut view.seen, world),
                        None => break None,
                    },
                    Step::Act(next) => break Some(next),
                    Step::Rest(_) => break None,
                }
            };
            let Some(next) = step else { break };
            act = next;
        }
    }
    Ok(())
}

/// What this act asks of ACK, if it changes something there or publishes what comes from there.
fn deed(act: &Act) -> Option<Deed> {
    Some(match act {
        Act::Claim(_) => Deed::Claim,
        Act::Protect { .. } => Deed::Protect,
        Act::Change { change, .. } => Deed::Change(change.clone()),
        Act::Delete { .. } => Deed::Delete,
        Act::Publish(_) => Deed::Publish,
        Act::AddFinalizer
        | Act::Seal { .. }
        | Act::Send { .. }
        | Act::Record { .. }
        | Act::Close(_)
        | Act::Forget(_)
        | Act::Release(_) => return None,
    })
}

type Fill = fn(&mut Evidence, &Evidence);

/// Answers the look as it was answered before; what was not asked then shows what asks for most.
fn as_before(world: &Evidence, look: &Look) -> Option<Fill> {
    Some(match look {
        Look::Glance(_) if world.glance.is_some() => |seen, world| seen.glance = world.glance.clone(),
        Look::Cluster(_) if world.cluster.is_some() => |seen, world| seen.cluster = world.cluster.clone(),
        Look::Listing { .. } if world.listing.is_some() => |seen, world| seen.listing = world.listing.clone(),
        Look::Drift => |seen, world| {
            let wants = || Some(Ok(Drift { change: Some(wanted()), ..Drift::default() }));
            seen.drift = world.drift.clone().or_else(wants);
        },
        Look::Kubeconfig => |seen, world| {
            seen.kubeconfig = world.kubeconfig.clone().or(Some(Ok(Published::Absent)));
        },
        Look::Uprooted => |seen, _| seen.uprooted = Some(Ok(false)),
        Look::Progress => |seen, _| seen.progress = Some(Ok("".into())),
        Look::Cause => |seen, _| seen.cause = Some(Ok("".into())),
        Look::Leftovers(_) => |seen, _| seen.leftovers = Some(Ok("".into())),
        _ => return None,
    })
}
