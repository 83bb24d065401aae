//! One node that really runs pods, beside a control plane of ours: containerd, runc, kubelet, kube-proxy and a scheduler in
//! namespaces of their own, with images from archives and none from a registry. Linux, root. It leaves nothing behind but
//! Debian packages that it had to install; `tools/node` holds its settings.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::access::run;
use crate::control_plane::{ControlPlane, Face, SERVICES};
use crate::error::{Error, Result};
use crate::image::{File, archive};
use crate::keeper::Kept;
use crate::loopback::Loopback;
use crate::tools::{Tool, Toolbox};

/// Addresses for benchmarks (RFC 2544), which no network here uses: the machine's and the node's end of the link between
/// them. Pods are in 198.18.78.0/24, see `bridge.conflist`.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 1);
const NODE: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 2);
const PODS: &str = "198.18.78.0/24";
/// The machine's end; one node a machine.
const LINK: &str = "ack-node";
const CGROUP: &str = "ack-node";
const DEADLINE: Duration = Duration::from_secs(120);
/// What must be there, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 8] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("/usr/lib/cni/bridge", "containernetworking-plugins"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
];

/// Runs while this value lives. Pods reach this machine at [`MACHINE`].
#[derive(Debug)]
pub struct Node {
    // Fields are dropped in this order: clients of the API server, it, and what is left in the namespaces.
    daemons: Vec<Kept>,
    pub plane: ControlPlane,
    namespaces: Namespaces,
}

impl Node {
    /// Builds and installs what is missing, starts everything and waits until the node is ready for pods.
    pub async fn start() -> Result<Node> {
        machine_must_do()?;
        let toolbox = Toolbox::default();
        let [kubelet, proxy, scheduler] =
            toolbox.await_ready([Tool::Kubelet, Tool::KubeProxy, Tool::KubeScheduler]).await?;
        let loopback = Loopback::claim()?;
        let pause = pause(loopback.dir())?;
        let namespaces = Namespaces::start(loopback.dir())?;
        let plane = ControlPlane::start_on(toolbox, loopback, Face::pods(MACHINE.into())).await?;
        plane.start_controllers().await?;
        let mut node = Node { daemons: vec![], plane, namespaces };

        let settings = |file: &str| crate::repository().join("tools/node").join(file);
        let mut containerd = node.namespaces.command("containerd");
        node.daemon("containerd", containerd.arg("--config").arg(settings("containerd.toml")))?;
        node.until("containerd", |node| run(node.ctr().arg("version"), None).is_ok()).await?;
        node.import(&pause)?;

        let access = format!("--kubeconfig={}", node.plane.kubeconfig().display());
        let loopback = node.plane.loopback().ip();
        node.daemon(
            "kube-scheduler",
            Command::new(scheduler).args([&access, "--leader-elect=false", &format!("--bind-address={loopback}")]),
        )?;
        let mut kubelet = node.namespaces.command(kubelet);
        kubelet.arg(format!("--config={}", settings("kubelet.yaml").display()));
        kubelet.args([&access, "--hostname-override=node", &format!("--node-ip={NODE}")]);
        node.daemon("kubelet", kubelet.arg(format!("--cgroup-root=/{CGROUP}")))?;
        let mut proxy = node.namespaces.command(proxy);
        proxy.args([&access, "--hostname-override=node", "--proxy-mode=nftables", "--oom-score-adj=0"]);
        // The limits on connections are the machine's; from within a namespace they cannot be set.
        node.daemon("kube-proxy", proxy.args(["--conntrack-max-per-core=0", "--conntrack-min=0"]))?;

        let wait = ["wait", "node/node", "--for=condition=Ready", "--timeout=1s"];
        node.until("the node to be ready", |node| node.plane.run_kubectl(&wait).is_ok()).await?;
        let address = "{ 10.0.0.1 }";
        let translated = ["get", "element", "ip", "kube-proxy", "cluster-ips", address];
        let known = |node: &Node| run(node.namespaces.command("nft").args(translated), None).is_ok();
        node.until("kube-proxy to know the API server", known).await?;
        Ok(node)
    }

    /// Puts the images of an archive where the kubelet finds them.
    pub fn import(&self, archive: &Path) -> Result<()> {
        let archive = fs::canonicalize(archive).map_err(Error::io("cannot find", archive))?;
        run(self.ctr().args(["--namespace=k8s.io", "images", "import"]).arg(archive), None).map(drop)
    }

    fn ctr(&self) -> Command {
        self.namespaces.command("ctr")
    }

    fn daemon(&mut self, name: &str, command: &Command) -> Result<()> {
        let log = self.plane.dir().join(format!("{name}.log"));
        self.daemons.push(Kept::start(name, command, &log)?);
        Ok(())
    }

    /// Asks until the answer is yes, a daemon has ended or the deadline is over.
    async fn until(&mut self, what: &str, ask: impl Fn(&Node) -> bool) -> Result<()> {
        let began = Instant::now();
        loop {
            self.daemons.iter_mut().try_for_each(Kept::must_run)?;
            if ask(self) {
                return Ok(());
            }
            if began.elapsed() > DEADLINE {
                let tail = self.daemons.iter().map(|daemon| daemon.log_tail(5)).collect::<Vec<_>>().join("\n");
                return Err(Error::TooLate { what: what.into(), seconds: DEADLINE.as_secs(), tail });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A machine within this machine: its own mounts, network and processes, all of which end with its process 1.
#[derive(Debug)]
struct Namespaces {
    unshare: Kept,
}

impl Namespaces {
    fn start(dir: &Path) -> Result<Namespaces> {
        sweep();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.arg(crate::repository().join("tools/node/node.sh"));
        command.args([&NODE.to_string(), &MACHINE.to_string(), SERVICES, CGROUP]);
        let log = dir.join("node.log");
        let mut namespaces = Namespaces { unshare: Kept::start("the node's namespaces", &command, &log)? };

        // A veth that was put in before the namespace is there would be in ours.
        let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let pid = namespaces.unshare.pid().to_string();
        namespaces.until("its own network", || network(&pid) != network("self"))?;
        let ip = |arguments: &str| run(Command::new("ip").args(arguments.split(' ')), None);
        ip(&format!("link add {LINK} type veth peer name node netns {pid}"))?;
        ip(&format!("address add {MACHINE}/30 dev {LINK}"))?;
        ip(&format!("link set {LINK} up"))?;
        ip(&format!("route add {PODS} via {NODE}"))?;
        namespaces.until("its mounts and routes", || {
            fs::read_to_string(&log).is_ok_and(|text| text.lines().any(|line| line == "up"))
        })?;
        Ok(namespaces)
    }

    /// A program inside. The namespace of processes is the one of our `unshare`'s children.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let pid = self.unshare.pid();
        let mut command = Command::new("nsenter");
        command.args([format!("--target={pid}"), "--mount".into(), "--net".into()]);
        command.args([&format!("--pid=/proc/{pid}/ns/pid_for_children"), "--"]).arg(program);
        command
    }

    fn until(&mut self, what: &str, ask: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while !ask() {
            self.unshare.must_run()?;
            if began.elapsed() > DEADLINE {
                let tail = self.unshare.log_tail(5);
                return Err(Error::TooLate { what: what.into(), seconds: DEADLINE.as_secs(), tail });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.unshare.kill();
        sweep();
    }
}

/// Removes the cgroups of pods that were, which outlive every process. The last process may need a moment to go.
fn sweep() {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    for group in hierarchies.map(|hierarchy| hierarchy.join(CGROUP)).chain([Path::new("/sys/fs/cgroup").join(CGROUP)]) {
        let began = Instant::now();
        while group.exists() && began.elapsed() < Duration::from_secs(5) {
            remove(&group);
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A cgroup and those below it; their files are not files that one could remove.
fn remove(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// Linux, root, programs; those that are missing are installed where apt can.
fn machine_must_do() -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err(Error::NoNode("containers need Linux".into()));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::NoNode("namespaces, mounts and a network link need root".into()));
    }
    let missing = || {
        let absent = PROGRAMS.iter().filter(|(program, _)| !is_there(program));
        absent.map(|(program, package)| (*package, *program)).collect::<BTreeMap<_, _>>()
    };
    let packages: Vec<_> = missing().into_keys().collect();
    if packages.is_empty() {
        return Ok(());
    }
    if is_there("apt-get") {
        println!("apt-get install {}", packages.join(" "));
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "--yes", "--no-install-recommends"]);
        run(Command::new("apt-get").arg("update"), None)?;
        run(install.args(&packages), None)?;
    }
    match missing().into_values().next() {
        None => Ok(()),
        Some(program) => Err(Error::NoNode(format!("{program} is missing; install {}", packages.join(", ")))),
    }
}

/// On the search path, or at its own path.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The image of the process that holds a pod together, compiled on the spot.
fn pause(dir: &Path) -> Result<PathBuf> {
    let program = dir.join("pause");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-Copt-level=s", "-Cstrip=symbols", "-Ctarget-feature=+crt-static", "-o"]);
    run(rustc.arg(&program).arg(crate::repository().join("tools/node/pause.rs")), None)?;
    let bytes = fs::read(&program).map_err(Error::io("cannot read", &program))?;
    let files = [("pause".to_owned(), File { mode: 0o755, bytes })].into();
    let image = archive("localhost/pause:1", &files, &json!({"User": "65532:65532", "Entrypoint": ["/pause"]}))?;
    let path = dir.join("pause.tar");
    fs::write(&path, image).map_err(Error::io("cannot write", &path))?;
    Ok(path)
}
