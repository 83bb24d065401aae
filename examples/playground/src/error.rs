//! What can go wrong in the playground, as sentences for a person at a terminal. Never a panic.

use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, Error>;

/// Every variant says what was being done; a program's own last words ride along where there are any.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} {path}")]
    Io { what: &'static str, path: PathBuf, source: std::io::Error },

    #[error("go was not found (tried `{0}`); install Go 1.26 or newer, it builds the Kubernetes programs once")]
    GoMissing(String),

    #[error("building {name} failed; the end of what go said:\n{tail}")]
    Build { name: &'static str, tail: String },

    #[error("{file} does not pin a version of {module}")]
    NotPinned { file: PathBuf, module: &'static str },

    #[error("{name} did not start: {why}")]
    NotStarted { name: String, why: String },

    #[error("{name} ended by itself; the end of its log:\n{tail}")]
    Ended { name: String, tail: String },

    #[error("waited {seconds} s for {what} in vain; the end of the log:\n{tail}")]
    TooLate { what: String, seconds: u64, tail: String },

    #[error("no loopback address of the form 127.77.n.1 is free; is another program listening on all of them?")]
    NoAddress,

    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },

    #[error("the operator's program was not found at {0}; run `cargo build --workspace` or give --operator PATH")]
    OperatorMissing(PathBuf),

    #[error(
        "{0} holds no certificate authority, and without any the operator cannot trust the cloud; install the \
             package ca-certificates or give --ca-bundle FILE"
    )]
    NoAuthorities(PathBuf),

    #[error("the last stage of the Dockerfile cannot be packed without a container daemon because of `{0}`")]
    Dockerfile(String),

    #[error("a node cannot run here: {0}")]
    NoNode(String),

    #[error("{0}")]
    Unexpected(String),

    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),

    #[error("the API server")]
    Kube(#[from] kube::Error),

    #[error("the kubeconfig")]
    Kubeconfig(#[from] kube::config::KubeconfigError),

    #[error("the emulator")]
    Emulator(#[from] ack_emulator::Error),

    #[error("a request over HTTP")]
    Http(#[from] reqwest::Error),
}

impl Error {
    /// For `map_err`: `fs::write(&path, text).map_err(Error::io("cannot write", &path))?`.
    pub fn io(what: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_owned();
        move |source| Error::Io { what, path, source }
    }

    /// The error and its causes on one line.
    pub fn sentence(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        text
    }
}
