//! One test binary. Its `mod` lines are the table of contents.

/// Every interleaving of operators, people, network, cloud and clock over the real `decide`.
mod model;
/// Case by case, what `decide` does with a view.
mod views;

fn main() {
    let args = libtest_mimic::Arguments::from_args();
    let tests = [views::tests(), model::tests()].into_iter().flatten().collect();
    libtest_mimic::run(&args, tests).exit();
}
