//! An API server as an administrator sees it, ours or one that a user has: kubectl, a client, and the chart installed
//! with nobody's rights but its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::error::{Error, Result};
use crate::keeper::write_private;

/// Where the playground puts the chart; also the release's name is `ack-operator`.
pub const SYSTEM_NAMESPACE: &str = "ack-operator-system";
const RELEASE: &str = "ack-operator";

/// Programs and a kubeconfig. Cheap to clone; holds no connection.
#[derive(Clone, Debug)]
pub struct Access {
    pub kubeconfig: PathBuf,
    pub kubectl: PathBuf,
    pub helm: PathBuf,
}

impl Access {
    /// `kubectl`, with our kubeconfig and no other.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null());
        command
    }

    /// Runs kubectl to its end and answers what it printed. An exit code other than 0 is an error with all its words.
    pub fn run_kubectl(&self, arguments: &[&str]) -> Result<String> {
        run(self.kubectl().args(arguments), None)
    }

    /// `kubectl apply --server-side` of one or more YAML documents.
    pub fn apply(&self, manifests: &str) -> Result<String> {
        let mut command = self.kubectl();
        command.args(["apply", "--server-side", "--force-conflicts", "-f", "-"]);
        run(&mut command, Some(manifests))
    }

    /// Makes a namespace, or leaves the one that is there.
    pub fn namespace(&self, name: &str) -> Result<()> {
        let manifest = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        self.apply(&manifest).map(drop)
    }

    /// A client with an administrator's rights.
    pub async fn client(&self) -> Result<kube::Client> {
        client(&self.kubeconfig).await
    }

    /// `helm template` of `chart`, with more arguments of helm's.
    pub fn render(&self, chart: &Path, arguments: &[&str]) -> Result<String> {
        let mut helm = Command::new(&self.helm);
        helm.args(["template", RELEASE]).arg(chart).args(["--namespace", SYSTEM_NAMESPACE]).args(arguments);
        run(&mut helm, None)
    }

    /// Applies `chart` with no pod of its own (nothing here would run one) and with more `values` (`key=value`), and writes
    /// into `dir` a kubeconfig of the chart's own ServiceAccount: a program that uses it has the rights that a user's
    /// installation has and nothing more.
    pub fn install(&self, chart: &Path, dir: &Path, values: &[&str]) -> Result<PathBuf> {
        let values = values.iter().flat_map(|value| ["--set", value]);
        let arguments: Vec<_> = ["--skip-tests", "--set", "replicaCount=0"].into_iter().chain(values).collect();
        let manifests = self.render(chart, &arguments)?;
        self.namespace(SYSTEM_NAMESPACE)?;
        self.apply(&manifests)?;
        self.await_crd()?;
        self.kubeconfig_of(SYSTEM_NAMESPACE, RELEASE, dir.join("operator.kubeconfig"))
    }

    /// Applies the chart's CustomResourceDefinition and nothing else of it.
    pub fn install_crd(&self, chart: &Path) -> Result<()> {
        self.apply(&self.render(chart, &["--show-only", "templates/crd.yaml"])?)?;
        self.await_crd()
    }

    fn await_crd(&self) -> Result<()> {
        let crd = "crd/ackclusters.ackoperator.dev";
        self.run_kubectl(&["wait", "--for=condition=Established", "--timeout=30s", crd]).map(drop)
    }

    /// Our kubeconfig with a ServiceAccount's token in it, written to `path`.
    pub fn kubeconfig_of(&self, namespace: &str, account: &str, path: PathBuf) -> Result<PathBuf> {
        let token = self.run_kubectl(&["create", "token", account, "-n", namespace, "--duration=48h"])?;
        let ours = Kubeconfig::read_from(&self.kubeconfig)?;
        let cluster = ours.clusters.first().and_then(|named| named.cluster.clone()).unwrap_or_default();
        let ca = cluster.certificate_authority_data.unwrap_or_default();
        write_private(&path, &kubeconfig(&cluster.server.unwrap_or_default(), &ca, account, token.trim()))?;
        Ok(path)
    }
}

/// A client for the API server and user that a kubeconfig names.
pub async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(Kubeconfig::read_from(kubeconfig)?, &options).await?;
    Ok(kube::Client::try_from(config)?)
}

/// The text of a kubeconfig with one user. `ca` is PEM in base64.
pub fn kubeconfig(server: &str, ca: &str, user: &str, token: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: playground
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: {user}
  user:
    token: {token}
contexts:
- name: playground
  context:
    cluster: playground
    user: {user}
    namespace: default
current-context: playground
"
    )
}

/// Runs a program to its end with `input` on its standard input.
pub fn run(command: &mut Command, input: Option<&str>) -> Result<String> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let line = format!("{name} {}", words.join(" "));
    let program = PathBuf::from(command.get_program());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(Error::io("cannot run", &program))?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A program that ends before it has read everything has more to say about that than this write has.
        let _ = stdin.write_all(input.as_bytes());
    }
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(Error::io("cannot wait for", &program))?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        return Ok(text);
    }
    let output = format!("{text}{}", String::from_utf8_lossy(&stderr)).trim().to_owned();
    Err(Error::Command { command: line, output })
}
