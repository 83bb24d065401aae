//! All tests of the whole. Cheapest first; the `mod` lines are the table of contents.

/// What the others stand on.
mod support;

/// The control plane, its tools and its keepers.
mod playground;

use std::process::ExitCode;

/// The word that makes this program the playground's: a test runs it as another process.
const PLAYGROUND: &str = "__playground";

fn main() -> ExitCode {
    ::playground::keeper::hook();
    if std::env::args().nth(1).is_some_and(|word| word == PLAYGROUND) {
        return ::playground::cli::run(std::env::args_os().skip(1));
    }
    let mut arguments = libtest_mimic::Arguments::from_args();
    // Tests of the whole mostly wait.
    arguments.test_threads.get_or_insert(8);
    let mut trials = Vec::new();
    trials.extend(playground::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    support::stop();
    conclusion.exit_code()
}
