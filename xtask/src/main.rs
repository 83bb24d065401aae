//! What is more than one cargo line. `mutants`: breaks the protocol on purpose, one way after the other, in a copy, and
//! shows by what each is caught. Never touches the sources that ship.

use std::process::ExitCode;

/// The lean crate under `target`, and one mutation after the other in it.
mod copy;
/// The mutations, as data.
mod list;
/// Runs them all and prints the table.
mod mutants;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["mutants"] => mutants::run(""),
        ["mutants", some] => mutants::run(some),
        _ => {
            eprintln!("usage: xtask mutants [PART OF A NAME[, ANOTHER...]]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
