//! The proof of the judgement and of what feeds it. It needs nothing but this crate, so it builds in seconds and a mutant of
//! the judgement is one more copy of this folder.

/// Every interleaving of operators, crashes, lost answers and users, over the very judgement that ships.
mod model;
/// What holds of views that nobody thought of.
mod properties;
/// Every view through the judgement: what it does and why it waits.
mod views;

use std::process::ExitCode;

use libtest_mimic::Arguments;

/// The word that has the model's large spaces walked instead of anything else.
const PROVE: &str = "prove";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some(PROVE) {
        return model::prove(words.next());
    }
    let tests = [views::tests(), properties::tests(), model::tests()].into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
