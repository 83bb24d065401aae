//! What tests of the whole stand on: one real control plane a run, started when first needed, and for each test a
//! [`Scene`] with a namespace, an emulated ACK and operators of its own. It asserts nothing about the operator itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use ::playground::emulated::{self, Key, PROTOCOL_TIMES};
use ::playground::keeper::{Kept, Signal};
use ::playground::objects::{AckClusters, smallest};
use ::playground::operator::Operator;
use ::playground::stage::{ACCESS_SECRET, await_ready};
use ::playground::{ControlPlane, Error};
use ack_emulator::Emulator;
use libtest_mimic::Trial;
use serde_json::Value;

/// How long a test waits for what should take seconds; the machine may be busy with other tests.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The operator's user in the audit log.
pub const OPERATOR_USER: &str = "system:serviceaccount:ack-operator-system:ack-operator";

/// Tests are plain functions; what is async inside runs here.
pub static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime starts"));

/// Names each function as a trial of its module: `trials!("delete": it_waits, it_goes)`.
#[macro_export]
macro_rules! trials {
    ($module:literal: $($test:ident),* $(,)?) => {
        vec![$($crate::support::trial(concat!($module, "::", stringify!($test)), $test)),*]
    };
}

pub fn trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// The control plane with the chart installed.
pub struct Shared {
    pub plane: ControlPlane,
    /// With the rights of the chart's ServiceAccount.
    pub operator_kubeconfig: PathBuf,
    /// With an administrator's.
    pub client: kube::Client,
}

impl Shared {
    /// A control plane with the chart, or the sentence that says why there is none.
    pub fn start() -> Result<Arc<Shared>, String> {
        let start = async {
            let plane = ControlPlane::start().await?;
            // Its policies refuse a deletion before the operator sees it, which is what most tests are about; `admission`
            // tries them in namespaces of its own.
            let operator_kubeconfig = plane.install(&::playground::chart(), &["admissionPolicy.enabled=false"])?;
            let client = plane.client().await?;
            Ok::<_, Error>(Arc::new(Shared { plane, operator_kubeconfig, client }))
        };
        RUNTIME.block_on(start).map_err(|error| error.sentence())
    }
}

/// Kept as a value that can be taken, since statics are never dropped. An error is kept too: it is everybody's.
static SHARED: Mutex<Option<Result<Arc<Shared>, String>>> = Mutex::new(None);

/// The run's control plane; started by the first caller, while the others wait. Panics with the cause if it cannot be had.
pub fn shared() -> Arc<Shared> {
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match shared.get_or_insert_with(Shared::start) {
        Ok(shared) => shared.clone(),
        Err(cause) => {
            let cause = cause.clone();
            drop(shared);
            panic!("the control plane that this test needs is not there: {cause}")
        }
    }
}

/// Whether any test of this run needed the control plane.
pub fn started() -> bool {
    SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).is_some()
}

/// Takes the control plane down; `main` calls it after the last test.
pub fn stop() {
    drop(SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take());
}

/// The words of the audit log, one entry a request that has been answered.
pub fn audit(keep: impl Fn(&Value) -> bool) -> Vec<Value> {
    let text = fs::read_to_string(shared().plane.audit_log()).expect("the audit log can be read");
    // The last line may be half written.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(keep).collect()
}

/// Asks until there is an answer. Panics after `deadline` with `what` and the words of `otherwise`.
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Option<T>,
    otherwise: impl FnOnce() -> String,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        if began.elapsed() > deadline {
            panic!("waited {} s in vain until {what}\n{}", deadline.as_secs(), otherwise());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A test's own world. Operators and emulator end with it.
pub struct Scene {
    pub namespace: String,
    /// The AckClusters of the namespace, with an administrator's rights.
    pub objects: AckClusters,
    pub emulator: Emulator,
    /// How the next operator is started; change it before.
    pub operator: Operator,
    operators: Vec<Kept>,
    /// Where each operator answers the kubelet.
    pub probes: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

impl Scene {
    /// A namespace with the Secret `ack-credentials`, and an emulator whose clusters take 2 s to come and 1 s to go; no
    /// operator yet. `name` must be unique among tests.
    pub fn new(name: &str) -> Scene {
        Scene::with_keys(name, &[(ACCESS_SECRET, Key::default())])
    }

    /// [`Scene::new`], with a Secret of that name for each key. The emulator knows them all.
    pub fn with_keys(name: &str, keys: &[(&str, Key)]) -> Scene {
        Scene::on(shared(), name, keys)
    }

    /// [`Scene::with_keys`] on another control plane. The audit log that is read is the shared one's.
    pub fn on(shared: Arc<Shared>, name: &str, keys: &[(&str, Key)]) -> Scene {
        let namespace = name.replace('_', "-");
        let space = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let secrets = keys.iter().map(|(secret, key)| key.secret_manifest(secret, &namespace));
        let manifests: Vec<_> = [space.to_string()].into_iter().chain(secrets).collect();
        shared.plane.apply(&manifests.join("\n---\n")).unwrap_or_else(panic);
        let keys: Vec<_> = keys.iter().map(|(_, key)| key.clone()).collect();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (create, delete) = (Duration::from_secs(2), Duration::from_secs(1));
        let kubeconfig = fs::read_to_string(&shared.plane.kubeconfig).expect("an administrator's kubeconfig");
        let emulator = emulated::start(anywhere, None, &keys, create, delete, Some(kubeconfig));
        let emulator = RUNTIME.block_on(emulator).unwrap_or_else(panic);
        let operator = Operator {
            program: env!("CARGO_BIN_EXE_ack-operator").into(),
            kubeconfig: shared.operator_kubeconfig.clone(),
            endpoint: emulator.url(),
            ca_file: None,
            namespaces: vec![namespace.clone()],
            installation: namespace.clone(),
            protocol_times: Some(PROTOCOL_TIMES.into()),
            key: None,
            metrics: None,
            // `leaks` searches what is logged at the most talkative level.
            more: vec!["--log-level".into(), "info,kube=warn,kube_runtime=warn,ack_operator=trace".into()],
        };
        let objects = AckClusters::new(shared.client.clone(), &namespace);
        Scene { namespace, objects, emulator, operator, operators: vec![], probes: vec![], shared }
    }

    /// [`Scene::new`] with one operator, ready.
    pub fn with_operator(name: &str) -> Scene {
        let mut scene = Scene::new(name);
        scene.start_operator(&[]);
        scene
    }

    /// The smallest useful AckCluster of this scene, for `apply`.
    pub fn smallest(&self, name: &str) -> Value {
        smallest(name, ACCESS_SECRET)
    }

    /// A loopback address with a port that nobody else uses.
    pub fn address(&self) -> SocketAddr {
        self.shared.plane.loopback().next()
    }

    /// Lets operators hold leases of this namespace; the chart grants that in its own.
    pub fn allow_leases(&self) {
        let metadata = serde_json::json!({"name": "leases", "namespace": self.namespace});
        self.kubectl_apply(&serde_json::json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata,
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}],
        }));
        self.kubectl_apply(&serde_json::json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "leases"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR_USER}],
        }));
    }

    /// Starts one more operator, with more flags, and waits until it is ready. Its number counts from 0.
    pub fn start_operator(&mut self, flags: &[&str]) -> usize {
        let number = self.operators.len();
        let log = self.log(number);
        let mut operator = self.operator.clone();
        operator.more.extend(flags.iter().map(|flag| flag.to_string()));
        let health = self.address();
        let mut kept = operator.start(health, &log).unwrap_or_else(panic);
        let url = format!("http://{health}/readyz");
        RUNTIME.block_on(await_ready(&mut kept, &url)).unwrap_or_else(panic);
        self.operators.push(kept);
        self.probes.push(health);
        number
    }

    fn log(&self, number: usize) -> PathBuf {
        self.shared.plane.dir().join(format!("{}-{number}.log", self.namespace))
    }

    /// SIGKILL; comes back when it is gone.
    pub fn kill_operator(&mut self, number: usize) {
        self.operators[number].kill();
    }

    /// SIGTERM; answers whether it went by itself within the deadline.
    pub fn stop_operator(&mut self, number: usize) -> bool {
        self.operators[number].stop(DEADLINE)
    }

    /// STOP and CONT freeze and wake it.
    pub fn signal_operator(&self, number: usize, signal: Signal) {
        self.operators[number].signal(signal);
    }

    /// Whether it still runs.
    pub fn operator_runs(&mut self, number: usize) -> bool {
        self.operators[number].ended().is_none()
    }

    /// A Secret with a key that the emulator need not know.
    pub fn secret(&self, name: &str, key: &Key) {
        self.shared.plane.apply(&key.secret_manifest(name, &self.namespace)).unwrap_or_else(panic);
    }

    /// A rule of the emulator that makes calls go wrong.
    pub fn fault(&self, rule: Value) {
        self.emulator.fault(serde_json::from_value(rule).expect("a rule")).expect("a fault");
    }

    /// All that the operators of this scene have written so far.
    pub fn logs(&self) -> String {
        (0..self.operators.len()).filter_map(|number| fs::read_to_string(self.log(number)).ok()).collect()
    }

    /// The object as the API server has stored it. Panics with the API server's sentence where it refuses.
    pub fn apply(&self, object: &Value) -> Value {
        self.try_apply(object).unwrap_or_else(|refusal| panic!("refused: {refusal}\n{object:#}"))
    }

    /// The stored object, or the API server's sentence.
    pub fn try_apply(&self, object: &Value) -> Result<Value, String> {
        RUNTIME.block_on(self.objects.apply(object)).map_err(refusal)
    }

    /// JSON merge patch of the object.
    pub fn merge(&self, name: &str, patch: Value) -> Value {
        RUNTIME.block_on(self.objects.merge(name, &patch)).unwrap_or_else(panic)
    }

    /// The annotation `ackoperator.dev/<word>`, one of the words that people say to the operator.
    pub fn annotate(&self, name: &str, word: &str, value: &str) -> Value {
        let key = format!("{}/{word}", ::playground::objects::GROUP);
        self.merge(name, serde_json::json!({"metadata": {"annotations": {key: value}}}))
    }

    /// Applies any manifest as an administrator, whatever its namespace.
    pub fn kubectl_apply(&self, manifest: &Value) {
        self.shared.plane.apply(&manifest.to_string()).unwrap_or_else(panic);
    }

    /// JSON merge patch of the status, or the API server's sentence.
    pub fn try_merge_status(&self, name: &str, patch: Value) -> Result<Value, String> {
        RUNTIME.block_on(self.objects.merge_status(name, &patch)).map_err(refusal)
    }

    /// JSON merge patch of the status, for tests that play somebody who should not.
    pub fn merge_status(&self, name: &str, patch: Value) -> Value {
        RUNTIME.block_on(self.objects.merge_status(name, &patch)).unwrap_or_else(panic)
    }

    pub fn get(&self, name: &str) -> Option<Value> {
        RUNTIME.block_on(self.objects.get(name)).unwrap_or_else(panic)
    }

    /// Asks for the deletion and does not wait for it.
    pub fn delete(&self, name: &str) {
        RUNTIME.block_on(self.objects.delete(name)).unwrap_or_else(panic);
    }

    /// The object, once `done` says yes of it; `what` completes the sentence "waited in vain until ...".
    pub fn wait_for(&self, name: &str, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        self.wait_within(DEADLINE, name, what, done)
    }

    pub fn wait_within(&self, deadline: Duration, name: &str, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        let ask = || self.get(name).filter(|object| done(object));
        eventually(&format!("{name}: {what}"), deadline, ask, || self.report(name))
    }

    /// The object, once its condition `Ready` has this reason.
    pub fn wait_for_reason(&self, name: &str, reason: &str) -> Value {
        let done = |object: &Value| ready(object).is_some_and(|ready| ready["reason"] == reason);
        self.wait_for(name, &format!("Ready has the reason {reason}"), done)
    }

    /// The object, once `Ready` is True.
    pub fn wait_for_ready(&self, name: &str) -> Value {
        let done = |object: &Value| ready(object).is_some_and(|ready| ready["status"] == "True");
        self.wait_for(name, "Ready is True", done)
    }

    pub fn wait_until_gone(&self, name: &str) {
        let ask = || self.get(name).is_none().then_some(());
        eventually(&format!("{name} is gone"), DEADLINE, ask, || self.report(name));
    }

    /// Waits for something that is not in an object: calls in the emulator's journal, an event, a line of a log.
    pub fn until<T>(&self, what: &str, ask: impl FnMut() -> Option<T>) -> T {
        eventually(what, DEADLINE, ask, || self.report(""))
    }

    /// What a person would look at when a wait was in vain.
    fn report(&self, name: &str) -> String {
        let object = if name.is_empty() { None } else { self.get(name) };
        let object = object.map_or("no object".into(), |object| format!("{object:#}"));
        let calls = self.emulator.journal(0);
        let last: Vec<_> = calls.iter().rev().take(10).rev().map(|call| format!("{call:?}")).collect();
        let logs: Vec<_> = self.operators.iter().map(|operator| operator.log_tail(20)).collect();
        format!("the object: {object}\nthe last calls:\n{}\nthe log:\n{}", last.join("\n"), logs.join("\n---\n"))
    }

    /// The control plane's folder.
    pub fn dir(&self) -> &Path {
        self.shared.plane.dir()
    }

    /// Runs kubectl with a manifest as its file, or answers its words.
    pub fn try_kubectl_with(&self, arguments: &[&str], manifest: &Value) -> Result<String, String> {
        let file = self.dir().join(format!("{}-manifest.json", self.namespace));
        fs::write(&file, manifest.to_string()).expect("a manifest can be written");
        let path = file.to_str().expect("a path in UTF-8");
        let arguments: Vec<_> =
            ["--namespace", &self.namespace, "--filename", path].iter().chain(arguments).copied().collect();
        self.shared.plane.run_kubectl(&arguments).map_err(|error| error.sentence())
    }

    /// Runs kubectl as an administrator in this scene's namespace. Panics with its words where it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let arguments: Vec<_> = ["--namespace", &self.namespace].iter().chain(arguments).copied().collect();
        self.shared.plane.run_kubectl(&arguments).unwrap_or_else(panic)
    }

    /// Namespaces end and owner references work from here on (kube-controller-manager).
    pub fn start_controllers(&self) {
        RUNTIME.block_on(self.shared.plane.start_controllers()).unwrap_or_else(panic);
    }

    /// The audit log's entries about this scene's AckClusters that the operator wrote: patches and puts, status included,
    /// refused ones too (`responseStatus.code`).
    pub fn operator_writes(&self) -> Vec<Value> {
        audit(|entry| {
            let of_operator = entry["user"]["username"] == OPERATOR_USER;
            let object = &entry["objectRef"];
            let ours = object["namespace"] == *self.namespace && object["resource"] == "ackclusters";
            of_operator && ours && ["patch", "update"].iter().any(|verb| entry["verb"] == *verb)
        })
    }

    /// How many clusters ACK has ever made here.
    pub fn clusters_made(&self) -> usize {
        self.emulator.ledger().len()
    }

    /// How many calls of `operation` have arrived.
    pub fn calls(&self, operation: &str) -> usize {
        self.emulator.journal(0).iter().filter(|call| call.operation == operation).count()
    }
}

/// The condition `Ready`.
pub fn ready(object: &Value) -> Option<&Value> {
    ::playground::objects::condition(object, "Ready")
}

/// The API server's own sentence.
fn refusal(error: Error) -> String {
    match error {
        Error::Kube(kube::Error::Api(status)) => status.message,
        error => error.sentence(),
    }
}

fn panic<T>(error: Error) -> T {
    panic!("{}", error.sentence())
}

/// Where the repository's files are.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
