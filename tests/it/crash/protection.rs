//! Whether the protection held. The oracles are what people did and when, ACK's ledger and journal, and what the doors saw;
//! nothing here is believed that an operator says.

use std::time::{Duration, Instant};

use ::playground::cutting::{Call, ON_ITS_WAY};

use super::asks::{ALLOWED, Ask};
use super::people::{Since, during};
use super::world::World;

/// How long a change of the emulated ACK takes, and a little for the clocks of a busy machine.
const IN_FORCE: Duration = Duration::from_millis(1500);

/// What two clocks that are read one after the other may differ by on a busy machine.
const BUSY: Duration = Duration::from_secs(1);

/// Every sentence is something that is wrong.
pub fn broken(world: &World, calls: &[Call], asks: &[Ask]) -> Vec<String> {
    let mut wrong = vec![];
    for ask in asks.iter().filter(|ask| ask.deletes() || ask.protects() == Some(false)) {
        let (Some(look), Some(write)) = (&ask.look, &ask.write) else {
            wrong
                .push(format!("{ask} was asked for without a look at the cluster and a write of the status before it"));
            continue;
        };
        wrong.extend(hasty(ask, look, write));
        wrong.extend(looked_away(calls, ask, look));
        wrong.extend(against_the_spec(world, ask, write));
        wrong.extend(against_the_flag(world, asks, ask, look));
    }
    // Each end of a cluster has one of these causes, so nothing escapes what is said above.
    let deeds = world.deeds.borrow();
    let asked = |id: &str| asks.iter().any(|ask| ask.deletes() && ask.entry.took_effect && ask.entry.cluster == id);
    for cluster in world.clusters().iter().filter(|cluster| !cluster.deleted.is_empty()) {
        if !asked(&cluster.id) && !deeds.deleted.contains(&cluster.id) {
            wrong.push(format!("{} was deleted by nobody who is known", cluster.id));
        }
    }
    wrong
}

/// The look, the write and the call come in this order and soon.
fn hasty(ask: &Ask, look: &Call, write: &Call) -> Option<String> {
    let read = look.answered.unwrap_or(look.came);
    if write.came < read {
        return Some(format!("{ask} was asked for without a write after the last look"));
    }
    let after = ask.call.came.duration_since(read);
    (after > ALLOWED + BUSY).then(|| format!("{ask} was asked for {after:?} after the last look"))
}

/// The look is the last of what is read for the decision: of the cluster, and whether its definition goes.
fn looked_away(calls: &[Call], ask: &Ask, look: &Call) -> Option<String> {
    let since = calls[..ask.place].iter().filter(|call| call.whose == ask.call.whose && call.came > look.came);
    let about = |call: &&Call| call.path.contains(&ask.entry.cluster) || call.kind == "customresourcedefinitions";
    let other = since.filter(|call| !call.changes()).find(about)?;
    Some(format!("{ask} was asked for after {other}, and the cluster was not looked at since"))
}

/// No deletion where the object as it was stored says true, and no lowering where it does not say false. The write that comes
/// before fails where the object is another one than was judged, so its moment counts; what is written into the spec
/// later is bounded by how long a call is on its way.
fn against_the_spec(world: &World, ask: &Ask, write: &Call) -> Option<String> {
    let words = &world.deeds.borrow().words;
    let stored = |call: &Call| call.answered.unwrap_or(call.came);
    let said = during(words, write.came, stored(write));
    let refused = |said: &[Option<bool>]| match ask.deletes() {
        true => said.iter().all(|word| *word == Some(true)),
        false => !said.contains(&Some(false)),
    };
    if refused(&said) {
        return Some(format!("{ask} was asked for while the spec's deletion_protection was {said:?}"));
    }
    let done = stored(&ask.call);
    let all_the_time = during(words, done.checked_sub(ALLOWED + ON_ITS_WAY + BUSY)?, done);
    let late = ask.entry.took_effect && refused(&all_the_time);
    late.then(|| format!("{ask} took effect long after the spec's deletion_protection was {all_the_time:?}"))
}

/// Where the last look shows the protection on there is no deletion; and what the console switched on is lowered only by a
/// word that was given since.
fn against_the_flag(world: &World, asks: &[Ask], ask: &Ask, look: &Call) -> Option<String> {
    let deeds = world.deeds.borrow();
    let flags = flags(world, asks, &ask.entry.cluster);
    let shown = during(&flags, look.came, look.answered.unwrap_or(look.came));
    if ask.deletes() {
        let on = shown.iter().all(|flag| *flag);
        return on.then(|| format!("{ask} was asked for while the cluster's protection was on"));
    }
    let of_console = deeds.console.iter().filter(|(cluster, _)| *cluster == ask.entry.cluster).map(|(_, since)| since);
    let last = flags.iter().rfind(|since| since.ended <= look.came)?;
    let raised = of_console.filter(|since| since.is).find(|since| since.began == last.began)?;
    let older = deeds.words.iter().all(|word| word.ended < raised.began);
    older.then(|| format!("{ask} lowers what the console switched on after the spec's last word"))
}

/// The protection of that cluster in ACK, in the order of time.
fn flags(world: &World, asks: &[Ask], id: &str) -> Vec<Since<bool>> {
    let deeds = world.deeds.borrow();
    let made = world.clusters().into_iter().find(|cluster| cluster.id == id);
    let first = deeds.words.first().map_or_else(Instant::now, |word| word.began);
    let is = made.is_some_and(|cluster| cluster.body["deletion_protection"] == true);
    let switched = asks.iter().filter(|ask| ask.entry.took_effect && ask.entry.cluster == id).filter_map(|ask| {
        let (began, done) = (ask.call.came, ask.call.answered.unwrap_or(ask.call.came));
        Some(Since { began, ended: done + IN_FORCE, is: ask.protects()? })
    });
    let console = deeds.console.iter().filter(|(cluster, _)| cluster == id).map(|(_, since)| *since);
    let mut all: Vec<_> =
        [Since { began: first, ended: first, is }].into_iter().chain(switched).chain(console).collect();
    all.sort_by_key(|since| since.began);
    all
}
