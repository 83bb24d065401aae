//! The model and the views over the judgement as it stands in this copy. `prove ROW` walks the model.

mod model;
mod views;

fn main() -> std::process::ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("prove") {
        return model::prove(words.next());
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), views::tests()).exit_code()
}
