//! A pass over a world that stands still: what was asked for is not asked for again, whatever ACK says of it.

use super::*;

/// Over a world that stands still, of an ACK that takes everything and shows nothing of it or refuses everything, a pass
/// asks for each thing once.
pub fn comes_to_rest(view: &View, act: &Act, rules: &Rules) -> Result<(), String> {
    for went in [Ok(()), Err(trouble(Class::User)), Err(trouble(Class::Throttled))] {
        let (mut now, mut act, mut deeds) = (view.clone(), act.clone(), vec![]);
        while let Some(deed) = act.deed() {
            if deeds.contains(&deed) {
                return Err(format!("again and again: {deeds:?} in {view:#?}"));
            }
            deeds.push(deed);
            now = now.after(&act, went.clone());
            let Some(next) = next_act(&mut now, &view.seen, rules)? else { break };
            act = next;
        }
    }
    Ok(())
}

/// What the pass does next, once its looks are answered.
fn next_act(now: &mut View, world: &Evidence, rules: &Rules) -> Result<Option<Act>, String> {
    for _ in 0..20 {
        match decide(now, rules) {
            Step::Look(look) => match as_before(world, &look) {
                Some(answer) => now.seen.take(answer),
                None => return Ok(None),
            },
            Step::Act(next) => return Ok(Some(next)),
            Step::Rest(_) => return Ok(None),
        }
    }
    Err(format!("it never ends: {now:#?}"))
}

/// Answers the look as it was answered before; what was not asked then shows what asks for most.
fn as_before(world: &Evidence, look: &Look) -> Option<Answer> {
    let none = || Ok(Note::from(""));
    Some(match look {
        Look::Account => Answer::Account(world.account.clone()?),
        Look::Glance { .. } => Answer::Glance(world.glance.clone()?),
        Look::Cluster(_) => Answer::Cluster(world.cluster.clone()?),
        Look::Listing { .. } => Answer::Listing(world.listing.clone()?),
        Look::Elsewhere { .. } => Answer::Elsewhere(world.elsewhere.clone()?),
        Look::Fence => Answer::Fence(world.fence.clone()?),
        Look::Body => Answer::Body(world.body.clone()?),
        Look::Trace(_) => Answer::Trace(world.trace.clone()?),
        Look::Drift => Answer::Drift(world.drift.clone().unwrap_or_else(|| Ok(drift(&[wanted(), another()])))),
        Look::Kubeconfig => Answer::Kubeconfig(world.kubeconfig.clone().unwrap_or(Ok(Published::Absent))),
        Look::Turn => Answer::Turn(Ok(())),
        Look::Uprooted => Answer::Uprooted(Ok(false)),
        Look::Progress => Answer::Progress(Ok(Progress { note: "".into(), over: false })),
        Look::Cause => Answer::Cause(none()),
        Look::Leftovers(_) => Answer::Leftovers(none()),
    })
}
