//! The program `playground`. Everything it does is in the library, so that tests can be it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    playground::keeper::hook();
    playground::cli::run(std::env::args_os())
}
