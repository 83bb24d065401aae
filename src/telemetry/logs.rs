//! Log lines, to standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends log lines to standard error, as `filter` chooses them (`info`, `ack_operator=debug`, ...).
///
/// # Errors
/// A filter that cannot be parsed.
pub fn logs(format: LogFormat, filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    // The client for Kubernetes logs whole answers that it cannot decode, and an answer may hold a password.
    let filter = EnvFilter::try_new(filter)?.add_directive("kube_client::client=error".parse()?);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people who watch, not for files.
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
