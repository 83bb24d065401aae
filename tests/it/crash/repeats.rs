//! Whether the same was asked of ACK twice, and how soon. By docs/guarantees.md the same is not asked for again once ACK has
//! taken it and shows it; after a lost answer it is, but not before `L`; and what ACK took and could not do, or refused, after
//! the slow pace. A new word of the protection begins anew. So each repetition needs a cause that is in the plan of the run, and
//! its time. Nobody undoes a change in these scenarios, so that there is no other cause.

use std::collections::BTreeMap;
use std::time::Duration;

use ::playground::cutting::{Call, Cut};

use super::asks::{Ask, LISTED, SLOW, is_stored};
use super::world::World;

/// What is written down is in whole seconds, or a little older than the look at the door.
const ROUNDED: Duration = Duration::from_secs(1);

/// Every sentence is something that is wrong.
pub fn repeated(world: &World, calls: &[Call], asks: &[Ask]) -> Vec<String> {
    let mut groups = BTreeMap::<String, Vec<&Ask>>::new();
    for ask in asks {
        groups.entry(format!("{:?}", ask.content())).or_default().push(ask);
    }
    // One that was on its way for long came to ACK after the one that repeats it.
    groups.values_mut().for_each(|group| group.sort_by_key(|ask| ask.place));
    groups
        .values()
        .flat_map(|group| [too_often(world, calls, group), too_soon(world, calls, group)])
        .flatten()
        .collect()
}

/// Once for each wish, and once more for each answer that was lost, each task that failed, and each other operator, which has
/// not heard the answer.
fn too_often(world: &World, calls: &[Call], group: &[&Ask]) -> Option<String> {
    let done = group.iter().filter(|ask| ask.taken()).count();
    let lost = group.iter().filter(|ask| ask.taken() && forgotten(calls, ask)).count();
    let failed = world.deeds.borrow().failed.iter().filter(|id| **id == group[0].entry.cluster).count();
    // The first word is the one with which the cluster was made.
    let words = &world.deeds.borrow().words;
    let wish = group[0].protects();
    let wishes = words.iter().skip(1).filter(|word| wish.is_some() && word.is == wish).count().max(1);
    let handed = group.windows(2).filter(|pair| pair[0].call.whose != pair[1].call.whose).count();
    let allowed = wishes + lost + handed + if group[0].deletes() { failed } else { 0 };
    (done > allowed).then(|| format!("{} was taken {done} times, where {allowed} are allowed", group[0]))
}

/// Nobody may know what came of it: its answer was lost, or its operator died, or slept, before it wrote that down.
fn forgotten(calls: &[Call], ask: &Ask) -> bool {
    let since = ask.call.answered.unwrap_or(ask.call.came);
    let later = calls[ask.place..].iter().filter(|call| call.whose == ask.call.whose);
    let mut until_written = later.take_while(|call| !(is_stored(call) && call.came > since));
    ask.unread() || until_written.any(|call| matches!(call.cut, Some(Cut::Killed | Cut::Stopped)))
}

/// Between two that ask for the same, from the look for the first to the write before the second.
fn too_soon(world: &World, calls: &[Call], group: &[&Ask]) -> Option<String> {
    let words = &world.deeds.borrow().words;
    group.windows(2).find_map(|pair| {
        let [first, second] = pair else { return None };
        if first.call.nonce == second.call.nonce {
            return None;
        }
        let answered = first.taken() || first.entry.code.starts_with("InvalidParameter");
        let known = answered && !forgotten(calls, first) && first.call.whose == second.call.whose;
        let pace = if known { SLOW } else { LISTED } - ROUNDED;
        let (look, write) = (first.look.as_ref()?, second.write.as_ref()?);
        let apart = write.came.saturating_duration_since(look.came);
        let anew =
            second.protects().is_some() && words.iter().any(|word| look.came < word.ended && word.began < write.came);
        (!anew && apart < pace).then(|| format!("{second} was asked for again after {apart:?}, not {pace:?}"))
    })
}
