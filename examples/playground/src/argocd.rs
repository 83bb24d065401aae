//! Argo CD as plain processes beside an API server: repo-server, application-controller and a Redis in memory, without
//! images, UI or argocd-server. It installs what is in deploy/argocd and nothing that a user would not.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::access::{Access, run};
use crate::error::{Error, Result};
use crate::keeper::Kept;
use crate::loopback::Loopback;
use crate::repository;
use crate::tools::{Tool, Toolbox};

const DEADLINE: Duration = Duration::from_secs(120);
/// What the two processes find in their namespace: without argocd-cm they do not start.
const OBJECTS: &str = "\
{apiVersion: v1, kind: Namespace, metadata: {name: argocd}}
---
{apiVersion: v1, kind: Secret, metadata: {name: argocd-secret, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
";
const PROJECT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: default, namespace: argocd}
spec:
  sourceRepos: ['*']
  destinations: [{namespace: '*', server: '*'}, {namespace: '*', name: '*'}]
  clusterResourceWhitelist: [{group: '*', kind: '*'}]
";

/// Runs while this value lives.
#[derive(Debug)]
pub struct ArgoCd {
    program: PathBuf,
    // Fields are dropped in this order: who asks before who answers.
    controller: Kept,
    repo_server: Kept,
    _redis: Kept,
}

impl ArgoCd {
    /// Builds it if need be, installs its definitions and our bundle, and waits until both processes listen.
    pub async fn start(access: &Access, loopback: &Loopback) -> Result<ArgoCd> {
        let toolbox = Toolbox::default();
        let [program, miniredis] = toolbox.await_ready([Tool::ArgoCd, Tool::Miniredis]).await?;
        install(access, &toolbox)?;

        let dir = loopback.dir().join("argocd");
        for folder in ["tls", "ssh", "tmp", "bin"] {
            fs::create_dir_all(dir.join(folder)).map_err(Error::io("cannot make", dir.join(folder)))?;
        }
        // Run at every look into Git, whether or not signatures are wanted; its answer then counts for nothing.
        let verify = dir.join("bin/git-verify-wrapper.sh");
        fs::write(&verify, "#!/bin/sh\n").map_err(Error::io("cannot write", &verify))?;
        fs::set_permissions(&verify, fs::Permissions::from_mode(0o755)).map_err(Error::io("cannot write", &verify))?;
        let before = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([dir.join("bin")].into_iter().chain(env::split_paths(&before)))
            .map_err(|error| Error::Unexpected(error.to_string()))?;

        let [redis, repo, repo_metrics, metrics] = [(); 4].map(|()| loopback.next());
        let start = |name: &str, arguments: &[String]| {
            let mut command = Command::new(&program);
            command.args(arguments).env("ARGOCD_BINARY_NAME", name).env("PATH", &path).current_dir(&dir);
            command.env("KUBECONFIG", &access.kubeconfig).env("ARGOCD_FAKE_IN_CLUSTER", "true");
            command.env("HOME", dir.join("tmp")).env("TMPDIR", dir.join("tmp")).env("ARGOCD_GPG_ENABLED", "false");
            command.env("ARGOCD_TLS_DATA_PATH", dir.join("tls")).env("ARGOCD_SSH_DATA_PATH", dir.join("ssh"));
            command.env("ARGOCD_ASK_PASS_SOCK", dir.join("ask-pass.sock"));
            Kept::start(name, &command, &dir.join(format!("{name}.log")))
        };
        let mut store = Command::new(miniredis);
        store.arg(redis.to_string());
        let mut redis_process = Kept::start("miniredis", &store, &dir.join("miniredis.log"))?;
        await_listening(&mut redis_process, redis).await?;
        let repo_server = start(
            "argocd-repo-server",
            &[
                format!("--address={}", repo.ip()),
                format!("--port={}", repo.port()),
                format!("--metrics-address={}", repo_metrics.ip()),
                format!("--metrics-port={}", repo_metrics.port()),
                format!("--redis={redis}"),
                // Without TLS it refuses the authority that it would trust by default.
                "--disable-tls".into(),
                "--client-ca-path=".into(),
                // A commit shall be seen at the next look, not minutes later.
                "--revision-cache-expiration=1s".into(),
            ],
        )?;
        let controller = start(
            "argocd-application-controller",
            &[
                format!("--kubeconfig={}", access.kubeconfig.display()),
                "--namespace=argocd".into(),
                format!("--metrics-port={}", metrics.port()),
                format!("--repo-server={repo}"),
                "--repo-server-plaintext".into(),
                format!("--redis={redis}"),
                "--app-resync=5".into(),
                "--app-resync-jitter=0".into(),
                "--persist-resource-health".into(),
            ],
        )?;
        let mut argocd = ArgoCd { program, controller, repo_server, _redis: redis_process };
        await_listening(&mut argocd.repo_server, repo).await?;
        await_listening(&mut argocd.controller, metrics).await?;
        Ok(argocd)
    }

    /// What the processes said last.
    pub fn log_tail(&self) -> String {
        [&self.controller, &self.repo_server].map(|process| process.log_tail(12)).join("\n---\n")
    }

    /// `argocd admin settings resource-overrides`: our scripts in Argo CD's own Lua, on an object in a file.
    pub fn overrides(&self, what: &str, object: &Path) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.env("ARGOCD_BINARY_NAME", "argocd").args(["admin", "settings", "resource-overrides", what]).arg(object);
        command.args(["--argocd-cm-path"]).arg(bundle("argocd-cm.yaml"));
        run(&mut command, None)
    }
}

/// A file of deploy/argocd.
pub fn bundle(path: &str) -> PathBuf {
    repository().join("deploy/argocd").join(path)
}

fn install(access: &Access, toolbox: &Toolbox) -> Result<()> {
    access.apply(OBJECTS)?;
    let module = toolbox.module_dir(Tool::ArgoCd)?;
    for kind in ["application", "appproject"] {
        let file = module.join(format!("manifests/crds/{kind}-crd.yaml"));
        access.apply(&fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?)?;
        let crd = format!("crd/{kind}s.argoproj.io");
        // A definition that is brand new has no conditions yet, which `kubectl wait` takes for an error.
        let wait = ["wait", "--for=jsonpath={.status.acceptedNames.kind}", "--timeout=30s", &crd];
        access.run_kubectl(&wait)?;
        access.run_kubectl(&["wait", "--for=condition=Established", "--timeout=30s", &crd])?;
    }
    access.apply(PROJECT)?;
    // As a user does it: a patch of what Argo CD's own manifests have put there.
    let patch = bundle("argocd-cm.yaml");
    let patch = format!("--patch-file={}", patch.display());
    access.run_kubectl(&["-n", "argocd", "patch", "configmap", "argocd-cm", &patch]).map(drop)
}

async fn await_listening(process: &mut Kept, address: SocketAddr) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        process.must_run()?;
        if began.elapsed() > DEADLINE {
            let what = format!("{} to listen", process.name());
            return Err(Error::TooLate { what, seconds: DEADLINE.as_secs(), tail: process.log_tail(15) });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// A Git repository on disk, as an Application reads it.
#[derive(Debug)]
pub struct Repository {
    dir: PathBuf,
}

impl Repository {
    /// An empty one. Needs `git`.
    pub fn init(dir: PathBuf) -> Result<Repository> {
        fs::create_dir_all(&dir).map_err(Error::io("cannot make", &dir))?;
        let repository = Repository { dir };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    /// Puts these files there, removes those that are `None`, and commits.
    pub fn commit(&self, message: &str, files: &BTreeMap<String, Option<String>>) -> Result<()> {
        for (name, text) in files {
            let path = self.dir.join(name);
            let parent = path.parent().unwrap_or(&self.dir);
            fs::create_dir_all(parent).map_err(Error::io("cannot make", parent))?;
            match text {
                Some(text) => fs::write(&path, text).map_err(Error::io("cannot write", &path))?,
                None => fs::remove_file(&path).map_err(Error::io("cannot remove", &path))?,
            }
        }
        self.git(&["add", "--all"])?;
        self.git(&["-c", "user.name=playground", "-c", "user.email=p@example.com", "commit", "--quiet", "-m", message])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        let mut git = Command::new("git");
        run(git.current_dir(&self.dir).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null"), None).map(drop)
    }
}
