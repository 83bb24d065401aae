//! A real Kubernetes API on loopback: etcd, kube-apiserver and, on request, kube-controller-manager. RBAC, ServiceAccount
//! tokens and the audit log are on; there are no nodes and no scheduler here, so no pods run but on a `node`.

use std::fs;
use std::net::IpAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::Api;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::sync::OnceCell;

use crate::access::{Access, kubeconfig};
use crate::error::{Error, Result};
use crate::keeper::{Kept, write_private};
use crate::loopback::{self, Loopback};
use crate::tools::{Tool, Toolbox};

/// Generous: two cores may be busy with a compiler. Alone it takes about five seconds.
const DEADLINE: Duration = Duration::from_secs(120);
const ADMIN_TOKEN_FILE: &str = "tokens.csv";
/// Metadata of everything but the noise of the servers themselves; of AckClusters the request too, since a test may ask
/// what exactly the operator has written. Secrets' contents stay out.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ['system:apiserver']
- level: None
  nonResourceURLs: ['/readyz*', '/healthz*', '/livez*', '/openapi*', '/api', '/api/*', '/apis', '/apis/*', '/version']
- level: Request
  verbs: [create, update, patch, delete]
  resources: [{group: ackoperator.dev}]
- level: Metadata
";
/// What a namespace needs to be born and to end, an owner reference to mean something, and the roles `view` and `edit` to
/// take in what charts add to them.
const CONTROLLERS: &str = "clusterrole-aggregation-controller,namespace-controller,garbage-collector-controller,serviceaccount-controller,\
                           root-ca-certificate-publisher-controller,validatingadmissionpolicy-status-controller";

/// The addresses of Services. Only a node has any use for them.
pub const SERVICES: &str = "10.0.0.0/24";

/// How a control plane is met: by programs on this machine alone, or by the pods of a node too.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Where kube-apiserver listens.
    ip: IpAddr,
    /// What keeps the endpoints of the Service `kubernetes`.
    reconciler: &'static str,
    controllers: &'static str,
}

impl Face {
    /// A loopback address cannot stand in the Service `kubernetes`, and nobody asks for it where no pods run.
    pub fn machine(loopback: &Loopback) -> Face {
        Face { ip: loopback.ip(), reconciler: "none", controllers: CONTROLLERS }
    }

    /// At an address that pods reach.
    pub fn pods(ip: IpAddr) -> Face {
        Face { ip, reconciler: "lease", controllers: "*" }
    }

    fn url(self) -> String {
        format!("https://{}:{}", self.ip, loopback::KUBERNETES)
    }
}

/// Runs while this value lives, and no longer (see [`crate::keeper`]). Derefs to the administrator's [`Access`].
#[derive(Debug)]
pub struct ControlPlane {
    access: Access,
    toolbox: Toolbox,
    // Fields are dropped in this order: clients of the API server first, the folder last.
    controllers: OnceCell<Kept>,
    apiserver: Kept,
    etcd: Kept,
    face: Face,
    loopback: Loopback,
}

impl Deref for ControlPlane {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

impl ControlPlane {
    /// Builds what is missing, starts etcd and kube-apiserver on an address of their own and waits until `/readyz` says
    /// ok and the namespace `default` is there.
    pub async fn start() -> Result<ControlPlane> {
        ControlPlane::start_with(Toolbox::default()).await
    }

    pub async fn start_with(toolbox: Toolbox) -> Result<ControlPlane> {
        let loopback = Loopback::claim()?;
        let face = Face::machine(&loopback);
        ControlPlane::start_on(toolbox, loopback, face).await
    }

    /// With a loopback address and folder that somebody has claimed already.
    pub async fn start_on(toolbox: Toolbox, loopback: Loopback, face: Face) -> Result<ControlPlane> {
        let wanted = [Tool::Etcd, Tool::KubeApiserver, Tool::Kubectl, Tool::Helm];
        let [etcd, apiserver, kubectl, helm] = toolbox.await_ready(wanted).await?;
        let credentials = Credentials::write(&loopback, face)?;
        let etcd = start_etcd(&etcd, &loopback)?;
        let apiserver = start_apiserver(&apiserver, &loopback, face)?;
        let access = Access { kubeconfig: credentials.kubeconfig, kubectl, helm };
        let mut plane = ControlPlane { access, toolbox, controllers: OnceCell::new(), apiserver, etcd, face, loopback };
        plane.await_ready().await?;
        Ok(plane)
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.access.kubeconfig
    }

    /// `https://127.77.n.1:6443`, where no pods run.
    pub fn url(&self) -> String {
        self.face.url()
    }

    /// The address that everything of this control plane lives on; ask it for ports of your own.
    pub fn loopback(&self) -> &Loopback {
        &self.loopback
    }

    /// The control plane's own folder, gone with it.
    pub fn dir(&self) -> &Path {
        self.loopback.dir()
    }

    /// One JSON object a line, an `audit.k8s.io/v1` Event each; written before the request is answered.
    pub fn audit_log(&self) -> PathBuf {
        self.dir().join("audit.log")
    }

    /// Process ids of the servers, for tests that look whether they are gone.
    pub fn pids(&self) -> Vec<u32> {
        let controllers = self.controllers.get().map(Kept::pid).into_iter();
        controllers.chain([self.apiserver.pid(), self.etcd.pid()]).collect()
    }

    /// Renders and applies a chart; see [`Access::install`].
    pub fn install(&self, chart: &Path, values: &[&str]) -> Result<PathBuf> {
        self.access.install(chart, self.dir(), values)
    }

    /// Starts kube-controller-manager with the controllers for namespaces, owner references and ServiceAccounts, and
    /// waits until it has made the ServiceAccount `default`. A second call does nothing.
    pub async fn start_controllers(&self) -> Result<()> {
        self.controllers.get_or_try_init(|| self.controllers()).await.map(drop)
    }

    async fn controllers(&self) -> Result<Kept> {
        let [program] = self.toolbox.await_ready([Tool::KubeControllerManager]).await?;
        let mut command = Command::new(program);
        command.arg(format!("--kubeconfig={}", self.kubeconfig().display()));
        command.arg(format!("--controllers={}", self.face.controllers));
        command.arg(format!("--bind-address={}", self.loopback.ip()));
        command.arg(format!("--secure-port={}", loopback::CONTROLLERS));
        command.arg(format!("--root-ca-file={}", self.dir().join("ca.crt").display()));
        command.arg(format!("--cert-dir={}", self.dir().display()));
        command.arg(format!("--flex-volume-plugin-dir={}", self.dir().join("volume-plugins").display()));
        command.args(["--leader-elect=false", "--use-service-account-credentials=false", "--profiling=false"]);
        let name = "kube-controller-manager";
        let mut controllers = Kept::start(name, &command, &self.dir().join(format!("{name}.log")))?;
        let accounts = Api::<ServiceAccount>::namespaced(self.access.client().await?, "default");
        let done = async || accounts.get("default").await.is_ok();
        await_true("the ServiceAccount default", &mut controllers, done).await?;
        Ok(controllers)
    }

    async fn await_ready(&mut self) -> Result<()> {
        let namespaces = Api::<Namespace>::all(self.access.client().await?);
        let probe = ["get", "--raw=/readyz", "--request-timeout=5s"];
        let ready = async || self.access.run_kubectl(&probe).is_ok() && namespaces.get("default").await.is_ok();
        let waited = await_true("kube-apiserver's /readyz", &mut self.apiserver, ready).await;
        // Where etcd has gone, kube-apiserver only complains; the cause is more useful.
        self.etcd.must_run().and(waited)
    }
}

/// Asks until the answer is yes, the process has ended or the deadline is over.
async fn await_true(what: &str, process: &mut Kept, ask: impl AsyncFn() -> bool) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        process.must_run()?;
        if let Ok(true) = tokio::time::timeout(Duration::from_secs(5), ask()).await {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::TooLate { what: what.into(), seconds: DEADLINE.as_secs(), tail: process.log_tail(15) })
}

fn start_etcd(program: &Path, loopback: &Loopback) -> Result<Kept> {
    let (client, peer) = (loopback.url("http", loopback::ETCD), loopback.url("http", loopback::ETCD_PEER));
    let mut command = Command::new(program);
    command.arg(format!("--data-dir={}", loopback.dir().join("etcd").display()));
    command.args(["--unsafe-no-fsync", "--log-level=warn", "--name=playground"]);
    command.arg(format!("--listen-client-urls={client}")).arg(format!("--advertise-client-urls={client}"));
    command.arg(format!("--listen-peer-urls={peer}")).arg(format!("--initial-advertise-peer-urls={peer}"));
    command.arg(format!("--initial-cluster=playground={peer}"));
    Kept::start("etcd", &command, &loopback.dir().join("etcd.log"))
}

fn start_apiserver(program: &Path, loopback: &Loopback, face: Face) -> Result<Kept> {
    let dir = loopback.dir();
    let file = |name: &str| dir.join(name).display().to_string();
    let policy = dir.join("audit-policy.yaml");
    fs::write(&policy, AUDIT_POLICY).map_err(Error::io("cannot write", &policy))?;
    let mut command = Command::new(program);
    command.args([
        format!("--etcd-servers={}", loopback.url("http", loopback::ETCD)),
        format!("--bind-address={}", face.ip),
        format!("--advertise-address={}", face.ip),
        format!("--endpoint-reconciler-type={}", face.reconciler),
        format!("--service-cluster-ip-range={SERVICES}"),
        format!("--secure-port={}", loopback::KUBERNETES),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--token-auth-file={}", file(ADMIN_TOKEN_FILE)),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", file("audit.log")),
    ]);
    command.args([
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--kubelet-preferred-address-types=InternalIP",
        "--audit-log-mode=blocking",
        // In megabytes: one file, never rotated away from a test that reads it.
        "--audit-log-maxsize=4096",
        "--profiling=false",
        // As on clusters that are careful: an owner reference that blocks deletion asks for a right.
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
    ]);
    Kept::start("kube-apiserver", &command, &dir.join("kube-apiserver.log"))
}

/// Keys and certificates of one control plane, made on the spot, written where only we can read.
struct Credentials {
    kubeconfig: PathBuf,
}

impl Credentials {
    fn write(loopback: &Loopback, face: Face) -> Result<Credentials> {
        let dir = loopback.dir();
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "ack-operator playground");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate()?;
        let names = ["kubernetes.default.svc", "kubernetes.default", "localhost"].map(String::from);
        let names: Vec<_> = names.into_iter().chain([face.ip.to_string(), "10.0.0.1".into()]).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let accounts = KeyPair::generate()?;
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|error| Error::Unexpected(format!("no random numbers: {error}")))?;
        let admin: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let tokens = format!("{admin},admin,admin,system:masters\n");
        for (name, text) in [
            ("ca.crt", ca_pem.clone()),
            ("apiserver.crt", certificate.pem()),
            ("apiserver.key", key.serialize_pem()),
            ("accounts.pub", accounts.public_key_pem()),
            ("accounts.key", accounts.serialize_pem()),
            (ADMIN_TOKEN_FILE, tokens),
        ] {
            write_private(&dir.join(name), &text)?;
        }
        let path = dir.join("admin.kubeconfig");
        write_private(&path, &kubeconfig(&face.url(), &BASE64.encode(ca_pem), "admin", &admin))?;
        Ok(Credentials { kubeconfig: path })
    }
}
