//! Everything together: an API server (ours or the user's), an emulated ACK, credentials, the chart, and as many
//! operators as are asked for. `up`, `demo`, `footprint` and `bench` differ only in what they do on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ack_emulator::{Emulator, JournalEntry, LedgerEntry};

use crate::access::Access;
use crate::control_plane::ControlPlane;
use crate::emulated::{self, Key, PROTOCOL_TIMES};
use crate::error::{Error, Result};
use crate::keeper::Kept;
use crate::loopback::{self, Loopback};
use crate::operator::{self, Operator};
use crate::tools::{Tool, Toolbox};

/// The Secret with the emulated account's keys.
pub const ACCESS_SECRET: &str = "ack-credentials";
/// Where we stay in an API server that is not ours.
pub const GUEST_NAMESPACE: &str = "ack-playground";
const DEADLINE: Duration = Duration::from_secs(60);
/// Long enough to see progress, short enough not to wait for it.
const CREATE_TIME: Duration = Duration::from_secs(8);
const DELETE_TIME: Duration = Duration::from_secs(4);

/// What a stage is set with.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// An API server that is there already; absent, one is started.
    pub kubeconfig: Option<PathBuf>,
    /// The operator's program; absent, the one beside ours.
    pub operator: Option<PathBuf>,
    /// More flags for operators.
    pub flags: Vec<String>,
    /// The access keys that the emulator knows; empty: one.
    pub keys: Vec<Key>,
}

/// Taken down when dropped: operators first, the API server last. A user's API server keeps what was applied.
#[derive(Debug)]
pub struct Stage {
    pub operators: Vec<Kept>,
    /// How the next operator is started.
    pub operator: Operator,
    /// The first access key that the emulator knows.
    pub key: Key,
    /// Where the Secret is and objects are expected.
    pub namespace: String,
    emulator: Emulator,
    ground: Ground,
}

/// Whose API server it is.
#[derive(Debug)]
enum Ground {
    Ours(Box<ControlPlane>),
    Theirs(Access, Loopback),
}

impl Stage {
    /// Starts all but operators.
    pub async fn set(setup: Setup) -> Result<Stage> {
        let (ground, namespace) = match setup.kubeconfig {
            None => (Ground::Ours(Box::new(ControlPlane::start().await?)), "default"),
            Some(kubeconfig) => {
                let [kubectl, helm] = Toolbox::default().await_ready([Tool::Kubectl, Tool::Helm]).await?;
                (Ground::Theirs(Access { kubeconfig, kubectl, helm }, Loopback::claim()?), GUEST_NAMESPACE)
            }
        };
        let (access, loopback) = (ground.access(), ground.loopback());
        let (kubeconfig, namespaces) = match &ground {
            Ground::Ours(plane) => (plane.install(&crate::chart(), &[])?, vec![]),
            Ground::Theirs(access, _) => {
                access.install_crd(&crate::chart())?;
                access.namespace(namespace)?;
                (access.kubeconfig.clone(), vec![namespace.to_owned()])
            }
        };
        // The rights to a user's own API server are not ours to hand out.
        let kubeconfig_server = match &ground {
            Ground::Ours(plane) => Some(read_text(&plane.kubeconfig)?),
            Ground::Theirs(..) => None,
        };
        let keys = if setup.keys.is_empty() { vec![Key::default()] } else { setup.keys };
        let key = keys[0].clone();
        let address = (loopback.ip(), loopback::EMULATOR).into();
        let emulator = emulated::start(
            address,
            Some(loopback.dir().join("ack")),
            &keys,
            CREATE_TIME,
            DELETE_TIME,
            kubeconfig_server,
        )
        .await?;
        access.apply(&key.secret_manifest(ACCESS_SECRET, namespace))?;
        let operator = Operator {
            program: setup.operator.unwrap_or_else(operator::beside_us),
            kubeconfig,
            endpoint: emulator.url(),
            ca_file: emulator.ca(),
            namespaces,
            installation: "playground".into(),
            protocol_times: Some(PROTOCOL_TIMES.into()),
            key: None,
            metrics: None,
            more: setup.flags,
        };
        let namespace = namespace.to_owned();
        Ok(Stage { operators: vec![], operator, key, namespace, emulator, ground })
    }

    pub fn access(&self) -> &Access {
        self.ground.access()
    }

    /// Of our own API server only.
    pub fn audit_log(&self) -> Option<PathBuf> {
        match &self.ground {
            Ground::Ours(plane) => Some(plane.audit_log()),
            Ground::Theirs(..) => None,
        }
    }

    /// kube-controller-manager, where the API server is ours.
    pub async fn start_controllers(&self) -> Result<()> {
        match &self.ground {
            Ground::Ours(plane) => plane.start_controllers().await,
            Ground::Theirs(..) => Ok(()),
        }
    }

    /// Starts one more operator and waits until it says that it is ready.
    pub async fn start_operator(&mut self) -> Result<&Kept> {
        let health = self.ground.loopback().next();
        let log = self.ground.loopback().dir().join(format!("operator-{}.log", self.operators.len() + 1));
        let mut operator = self.operator.start(health, &log)?;
        await_ready(&mut operator, &format!("http://{health}/readyz")).await?;
        self.operators.push(operator);
        Ok(&self.operators[self.operators.len() - 1])
    }

    /// How one more operator would be started by hand.
    pub fn operator_command(&self) -> Vec<String> {
        self.operator.command_line(self.ground.loopback().next())
    }

    /// Every cluster that ACK has ever made, by its own account.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.emulator.ledger()
    }

    /// The calls of ACK with a number above `since`.
    pub fn journal(&self, since: usize) -> Vec<JournalEntry> {
        self.emulator.journal(since)
    }

    /// Changes the emulator's settings.
    pub fn settings(&self, change: &serde_json::Value) -> Result<()> {
        self.emulator.settings(change)?;
        Ok(())
    }

    /// Something happens to a cluster outside of Kubernetes.
    pub fn outside(&self, id: &str, change: &serde_json::Value) -> Result<()> {
        Ok(self.emulator.outside(id, change)?)
    }

    /// Where everything of this stage lives.
    pub fn loopback(&self) -> &Loopback {
        self.ground.loopback()
    }

    /// The error of a wait that was in vain, with what the operators said last.
    pub fn too_late(&self, what: &str, deadline: Duration) -> Error {
        let tail = self.operators.iter().map(|operator| operator.log_tail(15)).collect::<Vec<_>>().join("\n");
        Error::TooLate { what: what.into(), seconds: deadline.as_secs(), tail }
    }
}

impl Ground {
    fn access(&self) -> &Access {
        match self {
            Ground::Ours(plane) => plane,
            Ground::Theirs(access, _) => access,
        }
    }

    fn loopback(&self) -> &Loopback {
        match self {
            Ground::Ours(plane) => plane.loopback(),
            Ground::Theirs(_, loopback) => loopback,
        }
    }
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io("cannot read", path))
}

/// Asks `url` until it answers with 200, the process has ended or the deadline is over.
pub async fn await_ready(process: &mut Kept, url: &str) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        process.must_run()?;
        if reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let what = format!("{} to be ready", process.name());
    Err(Error::TooLate { what, seconds: DEADLINE.as_secs(), tail: process.log_tail(15) })
}
