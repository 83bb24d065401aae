//! Which runs a campaign makes, given what the references did. Pure: the lots are drawn from a number that is told.

use std::collections::BTreeMap;

use ::playground::cutting::Cut;

use super::campaign::{Reference, References};
use super::plan::{Plan, Sight};
use super::scenarios;

/// Every scenario with every trust that it has, as far as there is a reference.
fn known(references: &References) -> impl Iterator<Item = (Plan, &Reference)> {
    lives().filter_map(|plan| references.get(&plan.life()).map(|reference| (plan, reference)))
}

/// Every scenario with every trust that it has.
pub fn lives() -> impl Iterator<Item = Plan> {
    scenarios::ALL.iter().flat_map(|scenario| scenario.trusts.iter().map(|trust| Plan::reference(scenario, *trust)))
}

/// Every scenario once, with its trusts in turn.
pub fn lives_in_turn() -> impl Iterator<Item = Plan> {
    scenarios::ALL
        .iter()
        .enumerate()
        .map(|(place, scenario)| Plan::reference(scenario, scenario.trusts[place % scenario.trusts.len()]))
}

/// Whether it is this plan's turn to go through what has that number: each trust of a scenario takes its part of the numbers,
/// and the parts begin elsewhere in each scenario.
fn turn(plan: &Plan, number: usize) -> bool {
    let trusts = plan.scenario.trusts;
    let place = scenarios::ALL.iter().position(|scenario| scenario.name == plan.scenario.name).unwrap_or_default();
    trusts[(place + number) % trusts.len()] == plan.trust
}

/// Every call of every scenario, with every cut that is another event than the others there; half of the calls with each trust.
pub fn singles(references: &References) -> Vec<Plan> {
    let cut = |(life, reference): (Plan, &Reference)| {
        let cuts =
            |(number, call)| Cut::ALL.into_iter().filter(move |cut| cut.differs(call)).map(move |cut| (number, cut));
        let numbered = reference.numbered().filter(|(number, _)| turn(&life, *number));
        numbered.flat_map(cuts).map(|cut| Plan { cuts: vec![cut], ..life.clone() }).collect::<Vec<_>>()
    };
    known(references).flat_map(cut).collect()
}

/// How many events in turn are withheld, and from how many calls on the past is shown, in each scenario.
const EVENTS: usize = 8;
const PASTS: usize = 4;

/// Operators that see the past, skip events, see two different things, or sleep for five date windows.
pub fn sights(references: &References) -> Vec<Plan> {
    let mut plans = vec![];
    for (life, reference) in known(references) {
        let mut all = vec![];
        let plan = |cuts: &[_], sight| Plan { cuts: cuts.to_vec(), sight, ..life.clone() };
        let last = reference.numbered().count();
        all.extend((1..=reference.events.min(EVENTS)).map(|event| plan(&[], Some(Sight::Skip { event }))));
        let spread: Vec<_> = (1..=PASTS).map(|part| (last * part / (PASTS + 1)).max(1)).collect();
        for number in &spread {
            // The past from before everything, and from half way.
            for seen in [0, number / 2] {
                all.push(plan(&[(*number, Cut::Killed)], Some(Sight::Past { seen })));
            }
        }
        all.extend([1].iter().chain(&spread).map(|from| plan(&[], Some(Sight::Two { from: *from }))));
        // A sleep takes a minute, so only in the plainest lives, and at changes.
        if life.scenario.name.starts_with("plain-") {
            let changes = reference.numbered().filter(|(_, call)| call.changes());
            all.extend(changes.map(|(number, _)| plan(&[(number, Cut::Stopped)], None)));
        }
        plans.extend(all.into_iter().enumerate().filter(|(place, _)| turn(&life, *place)).map(|(_, plan)| plan));
    }
    // A short life has few calls, so that some of the spread may fall together.
    let mut seen = std::collections::BTreeSet::new();
    plans.retain(|plan| seen.insert(plan.to_string()));
    plans
}

/// `count` runs with two cuts each. The second may come after the last call of the reference, since a run that is cut is
/// longer.
pub fn pairs(references: &References, count: usize, seed: u64) -> Vec<Plan> {
    let numbers = |(life, reference): (Plan, &Reference)| {
        let last = reference.numbered().count();
        (1..=last).map(|number| (life.clone(), number, last)).collect::<Vec<_>>()
    };
    let all: Vec<_> = known(references).flat_map(numbers).collect();
    let mut lots = Lots(seed);
    let mut plans = BTreeMap::new();
    while plans.len() < count && !all.is_empty() {
        let (life, first, last) = &all[lots.below(all.len())];
        let second = first + 1 + lots.below(last + 10 - first);
        let cuts = [*first, second].map(|number| (number, Cut::ALL[lots.below(Cut::ALL.len())]));
        let plan = Plan { cuts: cuts.to_vec(), ..life.clone() };
        plans.insert(plan.to_string(), plan);
    }
    plans.into_values().collect()
}

/// Numbers that look drawn and are the same each time (splitmix64).
struct Lots(u64);

impl Lots {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }
}

/// The plans in an order whose every beginning is an even spread of them, so that long runs do not come together.
pub fn mixed(plans: Vec<Plan>) -> Vec<Plan> {
    let rounds = 61.min(plans.len());
    (0..rounds).flat_map(|first| plans.iter().skip(first).step_by(rounds).cloned()).collect()
}

/// `count` of the plans, evenly spread. The stride meets every cut, since it shares no divisor with their number.
pub fn spread(plans: Vec<Plan>, count: usize) -> Vec<Plan> {
    let mut stride = (plans.len() / count.max(1)).max(1);
    while stride.is_multiple_of(2) || stride.is_multiple_of(3) {
        stride -= 1;
    }
    plans.into_iter().step_by(stride).collect()
}
