//! What can go wrong with a call, in one table, and what becomes of it on three floors: which class the client gives it,
//! what the judgement makes of that class, and how the whole process fares. `hostile` takes its answers from the same
//! table.

/// Kind -> class, at the client.
mod client;
/// Class and moment of life -> what is done, through the judgement.
mod judged;
/// The table.
pub mod kinds;
/// The worst of them at every call of a life, with the whole process.
mod whole;

use libtest_mimic::Trial;

use crate::trials;
use client::every_kind_has_its_class_and_proves_no_more_than_it_may;
use whole::{a_fault_at_any_call_of_a_life_is_lived_through, a_fault_that_stays_is_named_and_asked_about_with_measure};

/// What needs no control plane.
pub fn pure() -> Vec<Trial> {
    let mut trials = trials!("faults": every_kind_has_its_class_and_proves_no_more_than_it_may);
    trials.extend(judged::tests());
    trials
}

pub fn tests() -> Vec<Trial> {
    trials!("faults":
        a_fault_at_any_call_of_a_life_is_lived_through,
        a_fault_that_stays_is_named_and_asked_about_with_measure,
    )
}
