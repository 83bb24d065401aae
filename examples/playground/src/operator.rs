//! How an operator is started here: its command line, its environment, its process. The operator is a program to us.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::emulated::Key;
use crate::error::{Error, Result};
use crate::keeper::Kept;

/// What an operator is told. Cheap to clone; start as many as you like from one.
#[derive(Clone, Debug)]
pub struct Operator {
    pub program: PathBuf,
    pub kubeconfig: PathBuf,
    /// ACK and STS both answer there.
    pub endpoint: String,
    /// Whom to trust, where the endpoint speaks TLS.
    pub ca_file: Option<PathBuf>,
    /// Empty: all.
    pub namespaces: Vec<String>,
    pub installation: String,
    /// `--protocol-times`; see [`crate::emulated::PROTOCOL_TIMES`]. `None`: the real ones.
    pub protocol_times: Option<String>,
    /// Its own keys, in its environment.
    pub key: Option<Key>,
    /// Where it tells its metrics; absent: nowhere.
    pub metrics: Option<SocketAddr>,
    /// More flags, after all others.
    pub more: Vec<String>,
}

impl Operator {
    /// Program and arguments, for people who want to start it themselves.
    pub fn command_line(&self, health: SocketAddr) -> Vec<String> {
        let Operator {
            program,
            kubeconfig,
            endpoint,
            ca_file,
            namespaces,
            installation,
            protocol_times,
            key: _,
            metrics,
            more,
        } = self;
        let mut line = vec![program.display().to_string(), "run".into()];
        let mut flag = |name: &str, value: String| line.extend([name.into(), value]);
        flag("--kubeconfig", kubeconfig.display().to_string());
        flag("--ack-endpoint", endpoint.clone());
        flag("--sts-endpoint", endpoint.clone());
        if let Some(file) = ca_file {
            flag("--ca-file", file.display().to_string());
        }
        for namespace in namespaces {
            flag("--namespace", namespace.clone());
        }
        flag("--installation", installation.clone());
        flag("--health-addr", health.to_string());
        flag("--metrics-addr", metrics.map_or("off".into(), |address| address.to_string()));
        flag("--log-format", "text".into());
        if let Some(times) = protocol_times {
            flag("--protocol-times", times.clone());
        }
        line.extend(more.iter().cloned());
        line
    }

    /// Starts one with its output appended to `log`. It does not inherit keys to anybody's real account.
    pub fn start(&self, health: SocketAddr, log: &Path) -> Result<Kept> {
        if !self.program.is_file() {
            return Err(Error::OperatorMissing(self.program.clone()));
        }
        let line = self.command_line(health);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ALIBABA_CLOUD_")) {
            command.env_remove(name);
        }
        command.envs(self.key.iter().flat_map(Key::environment));
        Kept::start("ack-operator", &command, log)
    }
}

/// `ack-operator` beside our own executable, or one folder up where that one is a test in `deps/`.
pub fn beside_us() -> PathBuf {
    let ours = env::current_exe().and_then(fs::canonicalize).unwrap_or_default();
    let beside = ours.with_file_name("ack-operator");
    match ours.parent() {
        Some(folder) if !beside.exists() && folder.ends_with("deps") => folder.with_file_name("ack-operator"),
        _ => beside,
    }
}
