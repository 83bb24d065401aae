//! The programs that the playground needs and this machine may not have: etcd, those of Kubernetes, helm, and for the
//! round with Argo CD that and a Redis. Built once by Go from the modules pinned in `tools/` into a cache folder.
//! A program without a stamp that fits is never used, so half a build is never taken for a whole one; nothing is
//! downloaded but Go modules.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, process, thread};

use sha2::{Digest, Sha256};

use crate::access::run;
use crate::error::{Error, Result};
use crate::keeper::{self, Kept};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    Helm,
    ArgoCd,
    /// A Redis in memory, a main of our own around a module.
    Miniredis,
    Kubelet,
    KubeProxy,
    KubeScheduler,
}

/// Where a tool comes from: its folder under `tools/`, the module pinned there, the package that is its program.
struct Source {
    name: &'static str,
    folder: &'static str,
    module: &'static str,
    package: &'static str,
    /// Whether a `KUBEBUILDER_ASSETS` folder usually has it.
    asset: bool,
}

impl Tool {
    pub const ALL: [Tool; 7] = [
        Tool::Etcd,
        Tool::Kubectl,
        Tool::KubeApiserver,
        Tool::KubeControllerManager,
        Tool::Helm,
        Tool::ArgoCd,
        Tool::Miniredis,
    ];

    fn source(self) -> Source {
        let kube = |name, package, asset| Source { name, folder: "kube", module: "k8s.io/kubernetes", package, asset };
        match self {
            Tool::Etcd => {
                let module = "go.etcd.io/etcd/server/v3";
                Source { name: "etcd", folder: "etcd", module, package: module, asset: true }
            }
            Tool::KubeApiserver => kube("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", true),
            Tool::KubeControllerManager => {
                kube("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", true)
            }
            Tool::Kubectl => kube("kubectl", "k8s.io/kubernetes/cmd/kubectl", true),
            Tool::Kubelet => kube("kubelet", "k8s.io/kubernetes/cmd/kubelet", false),
            Tool::KubeProxy => kube("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy", false),
            Tool::KubeScheduler => kube("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", false),
            Tool::Helm => {
                let (module, package) = ("helm.sh/helm/v4", "helm.sh/helm/v4/cmd/helm");
                Source { name: "helm", folder: "helm", module, package, asset: false }
            }
            Tool::ArgoCd => {
                let (module, package) = ("github.com/argoproj/argo-cd/v3", "github.com/argoproj/argo-cd/v3/cmd");
                Source { name: "argocd", folder: "argocd", module, package, asset: false }
            }
            Tool::Miniredis => {
                let (module, package) = ("github.com/alicebob/miniredis/v2", "./miniredis");
                Source { name: "miniredis", folder: "argocd", module, package, asset: false }
            }
        }
    }

    pub fn name(self) -> &'static str {
        self.source().name
    }

    /// Go's linker flags. Without a version stamped in, the Kubernetes programs call themselves v0.0.0-master, which no
    /// chart's `kubeVersion` accepts.
    fn linker_flags(self, version: &str) -> String {
        let mut flags = String::from("-s -w");
        match self {
            Tool::KubeApiserver
            | Tool::KubeControllerManager
            | Tool::KubeProxy
            | Tool::KubeScheduler
            | Tool::Kubectl
            | Tool::Kubelet => {
                let mut numbers = version.trim_start_matches('v').split('.');
                let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
                for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
                    flags += &format!(
                        " -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
                         -X {package}.gitTreeState=clean -X {package}.gitCommit=none"
                    );
                }
            }
            Tool::Helm => flags += &format!(" -X helm.sh/helm/v4/internal/version.version={version}"),
            Tool::ArgoCd => {
                flags +=
                    &format!(" -X github.com/argoproj/argo-cd/v3/common.version={}", version.trim_start_matches('v'));
            }
            Tool::Etcd | Tool::Miniredis => {}
        }
        flags
    }
}

/// How tools are found and built. [`Toolbox::default`] is what everybody wants; tests give other folders and another go.
#[derive(Clone, Debug)]
pub struct Toolbox {
    /// The program that builds.
    pub go: PathBuf,
    /// The folder with the pinned modules, one folder each.
    pub modules: PathBuf,
    /// Where the built programs go, each with a stamp beside it.
    pub cache: PathBuf,
    /// A folder of ready programs that is looked into first (`KUBEBUILDER_ASSETS`).
    pub assets: Option<PathBuf>,
    /// Where the progress of builds goes, a line at a time.
    pub say: fn(String),
}

impl Default for Toolbox {
    fn default() -> Self {
        let repository = crate::repository();
        let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Toolbox {
            go: "go".into(),
            modules: repository.join("tools"),
            cache: path("ACK_OPERATOR_CACHE").unwrap_or_else(|| repository.join(".cache")).join("bin"),
            assets: path("KUBEBUILDER_ASSETS"),
            say: |line| eprintln!("{line}"),
        }
    }
}

impl Toolbox {
    /// The paths of `wanted`, in that order, building what is not there yet saying how far it is. Processes
    /// that ask at the same time wait for the one that builds.
    pub fn ready<const N: usize>(&self, wanted: [Tool; N]) -> Result<[PathBuf; N]> {
        let paths = wanted.map(|tool| self.asset(tool).unwrap_or_else(|| self.cache.join(tool.name())));
        let to_build = |tool: &Tool| self.asset(*tool).is_none();
        let stamps = wanted.iter().copied().filter(to_build).map(|tool| Ok((tool, self.stamp(tool)?)));
        let stamps = stamps.collect::<Result<Vec<_>>>()?;
        if stamps.iter().all(|(tool, stamp)| self.is_built(*tool, stamp)) {
            return Ok(paths);
        }

        fs::create_dir_all(&self.cache).map_err(Error::io("cannot make", &self.cache))?;
        let lock = self.cache.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(Error::io("cannot write", &lock))?;
        if file.try_lock().is_err() {
            (self.say)("another process is building the Kubernetes programs; waiting for it".into());
            file.lock().map_err(Error::io("cannot lock", &lock))?;
        }
        self.sweep();
        let missing: Vec<_> = stamps.iter().filter(|(tool, stamp)| !self.is_built(*tool, stamp)).collect();
        for (number, (tool, stamp)) in missing.iter().enumerate() {
            self.build(*tool, stamp, number + 1, missing.len())?;
        }
        Ok(paths)
    }

    /// [`Toolbox::ready`] on a thread of its own, so that a signal can still end us.
    pub async fn await_ready<const N: usize>(&self, wanted: [Tool; N]) -> Result<[PathBuf; N]> {
        let toolbox = self.clone();
        let built = tokio::task::spawn_blocking(move || toolbox.ready(wanted)).await;
        built.map_err(|error| Error::Unexpected(error.to_string()))?
    }

    /// Where the sources of a tool's module are, for what it brings beside its program.
    pub fn module_dir(&self, tool: Tool) -> Result<PathBuf> {
        let source = tool.source();
        let mut go = Command::new(&self.go);
        go.current_dir(self.modules.join(source.folder)).args(["mod", "download", "-json", source.module]);
        let text = run(self.environment(tool, &mut go)?, None)?;
        let module: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        module["Dir"].as_str().map(PathBuf::from).ok_or(Error::Unexpected(format!("go tells no folder: {text}")))
    }

    /// What Go is run with, whatever the user's own settings are.
    fn environment<'a>(&self, tool: Tool, go: &'a mut Command) -> Result<&'a mut Command> {
        go.env("CGO_ENABLED", "0").env("GOWORK", "off").env_remove("GOFLAGS");
        // Where a module needs a newer Go than the one at hand, Go fetches it like any other module.
        if let Some(toolchain) = self.pinned(tool, "toolchain")? {
            go.env("GOTOOLCHAIN", toolchain);
        }
        Ok(go)
    }

    fn asset(&self, tool: Tool) -> Option<PathBuf> {
        let path = self.assets.as_ref().filter(|_| tool.source().asset)?.join(tool.name());
        path.is_file().then_some(path)
    }

    /// What the program was built from: version, go, and the exact set of modules.
    fn stamp(&self, tool: Tool) -> Result<String> {
        let source = tool.source();
        let folder = self.modules.join(source.folder);
        let read = |name: &str| fs::read(folder.join(name)).map_err(Error::io("cannot read", folder.join(name)));
        let mut modules = Sha256::new().chain_update(read("go.mod")?).chain_update(read("go.sum")?);
        if source.package.starts_with("./") {
            modules.update(read(&format!("{}/main.go", source.package))?);
        }
        let modules = modules.finalize();
        let modules: String = modules.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}@{} {} {modules}", source.name, self.version(tool)?, self.go_version()?))
    }

    fn version(&self, tool: Tool) -> Result<String> {
        let Source { module, folder, .. } = tool.source();
        let version = self.pinned(tool, module)?.filter(|word| word.starts_with('v'));
        version.ok_or_else(|| Error::NotPinned { file: self.modules.join(folder).join("go.mod"), module })
    }

    /// What follows `word` in the go.mod of a tool.
    fn pinned(&self, tool: Tool, word: &str) -> Result<Option<String>> {
        let file = self.modules.join(tool.source().folder).join("go.mod");
        let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
        Ok(text.split_whitespace().skip_while(|found| *found != word).nth(1).map(str::to_owned))
    }

    fn go_version(&self) -> Result<String> {
        let output = Command::new(&self.go).args(["env", "GOVERSION"]).output();
        match output {
            Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            _ => Err(Error::GoMissing(self.go.display().to_string())),
        }
    }

    fn stamp_file(&self, tool: Tool) -> PathBuf {
        self.cache.join(format!("{}.stamp", tool.name()))
    }

    /// The size is compared too: a copy that was cut short comes with an honest stamp.
    fn is_built(&self, tool: Tool, stamp: &str) -> bool {
        let Ok(program) = fs::metadata(self.cache.join(tool.name())) else { return false };
        fs::read_to_string(self.stamp_file(tool)).is_ok_and(|found| found == format!("{stamp} {}\n", program.len()))
    }

    /// Removes what builds that were killed have left. Called under the lock, so nobody needs it.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.cache).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(".building-") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Stamp away, program into place, stamp back: at no moment does a stamp stand beside a program that it is not for.
    fn build(&self, tool: Tool, stamp: &str, number: usize, of: usize) -> Result<()> {
        let source = tool.source();
        let version = self.version(tool)?;
        (self.say)(format!("building {} {version} ({number} of {of}; this happens once)", source.name));
        let program = self.cache.join(source.name);
        let half = self.cache.join(format!(".building-{}-{}", source.name, process::id()));
        let mut go = Command::new(&self.go);
        go.current_dir(self.modules.join(source.folder));
        go.args(["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", &tool.linker_flags(&version), "-o"]);
        self.environment(tool, go.arg(&half).arg(source.package))?;
        self.watch(source.name, &go, &half.with_extension("log"))?;

        let stamp_file = self.stamp_file(tool);
        let _ = fs::remove_file(&stamp_file);
        let size = fs::metadata(&half).map_err(Error::io("go wrote no", &half))?.len();
        File::open(&half).and_then(|file| file.sync_all()).map_err(Error::io("cannot write", &half))?;
        fs::rename(&half, &program).map_err(Error::io("cannot write", &program))?;
        let half_stamp = half.with_extension("stamp");
        fs::write(&half_stamp, format!("{stamp} {size}\n"))
            .and_then(|()| fs::rename(&half_stamp, &stamp_file))
            .map_err(Error::io("cannot write", &stamp_file))?;
        self.sweep();
        Ok(())
    }

    /// Runs `go build -v`, which names each package that it has compiled, and says every few seconds how far it is. Go is
    /// kept, or it would go on without us after a Ctrl-C.
    fn watch(&self, name: &'static str, go: &Command, log: &Path) -> Result<()> {
        const EVERY: Duration = Duration::from_secs(10);
        let began = Instant::now();
        let mut go = Kept::start("go build", go, log)?;
        let mut next = began + EVERY;
        let status = loop {
            if let Some(status) = go.ended() {
                break status;
            }
            if Instant::now() >= next {
                // A package path has no blank; whatever has one is a message.
                let packages = keeper::tail(log, usize::MAX).lines().filter(|line| !line.contains(' ')).count();
                let doing = if packages == 0 { "starting or linking".into() } else { format!("{packages} packages") };
                (self.say)(format!("  {name}: {doing}, {}", elapsed(began)));
                next += EVERY;
            }
            thread::sleep(Duration::from_millis(50));
        };
        if !status.success() {
            return Err(Error::Build { name, tail: go.log_tail(30) });
        }
        (self.say)(format!("  {name}: done, {}", elapsed(began)));
        Ok(())
    }
}

/// `5 s`, `1 min 05 s`.
fn elapsed(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}
