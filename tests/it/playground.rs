//! The ground that the other tests stand on: builds that were cut short, servers that do not outlive us, and an operator
//! with the chart's rights and no more.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use ::playground::keeper::Kept;
use ::playground::tools::{Tool, Toolbox};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{self, DEADLINE, OPERATOR_USER, Scene, eventually, shared};

pub fn trials() -> Vec<Trial> {
    crate::trials!("playground":
        a_build_that_was_cut_short_is_never_taken_for_a_whole_one,
        a_tool_is_built_again_when_its_modules_change_and_not_before,
        ready_programs_are_used_and_missing_ones_built,
        a_missing_go_is_said_in_a_sentence, a_kept_process_ends_with_its_keeper,
        up_says_ready_and_takes_everything_down_on_sigterm,
        up_ends_with_its_standard_input,
        servers_do_not_outlive_a_playground_that_was_killed,
        the_operator_has_the_rights_of_the_chart_and_no_more,
        the_operator_ends_by_itself_when_it_is_told_to,
        a_namespace_that_ends_takes_its_cluster_along_though_its_secret_goes_first,
    )
}

/// A toolbox over a pinned module of our own and a `go` that is a script. `go` writes `whole` or, where the file `cut`
/// is there, half of it and fails; each build adds a line to `builds`.
struct Workshop {
    dir: tempfile::TempDir,
    toolbox: Toolbox,
}

impl Workshop {
    fn new() -> Workshop {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("tools/etcd")).expect("a folder");
        fs::write(path("tools/etcd/go.mod"), "require go.etcd.io/etcd/server/v3 v3.7.3\n").expect("go.mod");
        fs::write(path("tools/etcd/go.sum"), "").expect("go.sum");
        let script = r#"#!/bin/sh
here=$(dirname "$0")
if [ "$1" = env ]; then echo go1.99; exit; fi
while [ "$1" != -o ]; do shift; done
echo built >> "$here/builds"
printf wh > "$2"
if [ -e "$here/cut" ]; then echo "cut short" >&2; exit 1; fi
printf ole >> "$2"
"#;
        fs::write(path("go"), script).expect("a script");
        fs::set_permissions(path("go"), fs::Permissions::from_mode(0o755)).expect("a program");
        let toolbox = Toolbox { go: path("go"), modules: path("tools"), cache: path("bin"), assets: None, say: drop };
        Workshop { dir, toolbox }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn builds(&self) -> usize {
        fs::read_to_string(self.path("builds")).map_or(0, |text| text.lines().count())
    }

    /// The built program's content.
    fn etcd(&self) -> Result<String, String> {
        let [path] = self.toolbox.ready([Tool::Etcd]).map_err(|error| error.sentence())?;
        fs::read_to_string(path).map_err(|error| error.to_string())
    }
}

fn a_build_that_was_cut_short_is_never_taken_for_a_whole_one() {
    let shop = Workshop::new();
    fs::write(shop.path("cut"), "").expect("a file");
    let sentence = shop.etcd().expect_err("the build fails");
    assert!(sentence.contains("building etcd failed") && sentence.contains("cut short"), "{sentence}");
    assert!(!shop.path("bin/etcd").exists() && !shop.path("bin/etcd.stamp").exists());

    fs::remove_file(shop.path("cut")).expect("removed");
    assert_eq!(shop.etcd().as_deref(), Ok("whole"));
    assert_eq!(shop.builds(), 2);

    // A program that was cut short later, with its stamp still there; and one whose stamp is not.
    fs::write(shop.path("bin/etcd"), "wh").expect("a file");
    assert_eq!(shop.etcd().as_deref(), Ok("whole"));
    fs::remove_file(shop.path("bin/etcd.stamp")).expect("removed");
    assert_eq!(shop.etcd().as_deref(), Ok("whole"));
    assert_eq!(shop.builds(), 4);
    let left: Vec<_> = fs::read_dir(shop.path("bin")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 3, "program, stamp and lock, nothing of the builds: {left:?}");
}

fn a_tool_is_built_again_when_its_modules_change_and_not_before() {
    let shop = Workshop::new();
    for _ in 0..3 {
        assert_eq!(shop.etcd().as_deref(), Ok("whole"));
    }
    assert_eq!(shop.builds(), 1);
    fs::write(shop.path("tools/etcd/go.sum"), "another sum").expect("go.sum");
    assert_eq!(shop.etcd().as_deref(), Ok("whole"));
    assert_eq!(shop.builds(), 2);
}

fn ready_programs_are_used_and_missing_ones_built() {
    let mut shop = Workshop::new();
    fs::create_dir(shop.path("assets")).expect("a folder");
    fs::write(shop.path("assets/kubectl"), "theirs").expect("a file");
    shop.toolbox.assets = Some(shop.path("assets"));
    let [kubectl, etcd] = shop.toolbox.ready([Tool::Kubectl, Tool::Etcd]).expect("both are there");
    assert_eq!((kubectl, etcd), (shop.path("assets/kubectl"), shop.path("bin/etcd")));
}

fn a_missing_go_is_said_in_a_sentence() {
    let mut shop = Workshop::new();
    shop.toolbox.go = shop.path("no-go");
    let sentence = shop.etcd().expect_err("there is no go");
    assert!(sentence.contains("go was not found") && sentence.contains("install Go"), "{sentence}");
}

fn a_kept_process_ends_with_its_keeper() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("log");
    let mut command = Command::new("sh");
    command.args(["-c", "echo here; sleep 600 & wait"]);
    let kept = Kept::start("sh", &command, &log).expect("it starts");
    let pid = kept.pid();
    eventually("it has begun", DEADLINE, || (kept.log_tail(1) == "here").then_some(()), String::new);
    drop(kept);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());

    let error = Kept::start("nothing", &Command::new("/no/such/program"), &log).expect_err("it cannot start");
    assert!(error.sentence().contains("/no/such/program"), "{}", error.sentence());
}

/// `playground up --no-operator`, run by this very program.
struct Up {
    process: Child,
    dir: tempfile::TempDir,
    description: Value,
}

impl Up {
    fn start() -> Up {
        let dir = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args([crate::PLAYGROUND, "up", "--no-operator", "--dir"]).arg(dir.path());
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program runs once more");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says something");
        assert_eq!(line, "ready\n");
        let text = fs::read_to_string(dir.path().join("playground.json")).expect("playground.json");
        Up { process, dir, description: serde_json::from_str(&text).expect("JSON") }
    }

    fn path(&self, member: &str) -> PathBuf {
        self.description[member].as_str().unwrap_or_else(|| panic!("{member} is a path")).into()
    }

    /// The API server's and the emulator's addresses.
    fn addresses(&self) -> Vec<SocketAddr> {
        let kubeconfig = fs::read_to_string(self.path("kubeconfig")).expect("a kubeconfig");
        let server = kubeconfig.lines().find_map(|line| line.trim().strip_prefix("server: https://"));
        let emulator = self.description["emulator_url"].as_str().and_then(|url| url.strip_prefix("https://"));
        [server, emulator].map(|address| address.expect("a URL").parse().expect("an address")).into()
    }

    /// Waits until nobody listens any more.
    fn await_silence(&self, addresses: &[SocketAddr]) {
        let silent = || addresses.iter().all(|address| TcpStream::connect(address).is_err()).then_some(());
        eventually("nobody listens any more", DEADLINE, silent, String::new);
    }
}

fn up_says_ready_and_takes_everything_down_on_sigterm() {
    let mut up = Up::start();
    let addresses = up.addresses();
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_ok()));
    for member in ["kubeconfig", "operator_kubeconfig", "kubectl", "helm", "emulator_ca", "audit_log"] {
        assert!(up.path(member).is_file(), "{member} names a file: {:#}", up.description);
    }
    assert!(up.description["operator_command"].as_array().is_some_and(|words| words.len() > 2));
    assert_eq!(up.description["operator_pids"], serde_json::json!([]));

    let secret = Command::new(up.path("kubectl"))
        .args(["--kubeconfig", up.path("kubeconfig").to_str().expect("UTF-8")])
        .args(["get", "secret", "ack-credentials", "--namespace", "default", "--output", "name"])
        .output()
        .expect("kubectl runs");
    assert_eq!(String::from_utf8_lossy(&secret.stdout), "secret/ack-credentials\n");

    let folder = up.path("kubeconfig").parent().expect("a folder").to_owned();
    Command::new("kill").args(["-TERM", &up.process.id().to_string()]).status().expect("a signal is sent");
    assert!(up.process.wait().expect("it ends").success());
    up.await_silence(&addresses);
    assert!(!folder.exists(), "its folder is gone too");
    assert!(up.dir.path().exists(), "the folder that it was given is not");
}

fn up_ends_with_its_standard_input() {
    let mut up = Up::start();
    let addresses = up.addresses();
    drop(up.process.stdin.take());
    assert!(up.process.wait().expect("it ends").success());
    up.await_silence(&addresses);
}

fn servers_do_not_outlive_a_playground_that_was_killed() {
    let mut up = Up::start();
    let addresses = up.addresses();
    up.process.kill().expect("SIGKILL is sent");
    up.process.wait().expect("it ends");
    up.await_silence(&addresses);
}

fn the_operator_has_the_rights_of_the_chart_and_no_more() {
    let shared = shared();
    let may = |verb: &str, resource: &str| {
        let (resource, part) = resource.split_once(':').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        let asked = ["auth", "can-i", verb, resource, &part, "--all-namespaces", "--as", OPERATOR_USER];
        // `no` comes with an exit code that is not 0, which makes it an error here.
        shared.plane.run_kubectl(&asked).is_ok_and(|answer| answer.trim() == "yes")
    };
    let our_crd = "customresourcedefinitions.apiextensions.k8s.io/ackclusters.ackoperator.dev";
    for (verb, resource, expected) in [
        ("list", "ackclusters", true),
        ("watch", "ackclusters", true),
        ("patch", "ackclusters", true),
        ("update", "ackclusters", false),
        ("create", "ackclusters", false),
        ("delete", "ackclusters", false),
        ("patch", "ackclusters:status", true),
        ("update", "ackclusters:finalizers", true),
        ("create", "events.events.k8s.io", true),
        ("patch", "events.events.k8s.io", true),
        ("get", "secrets", true),
        ("list", "secrets", false),
        ("watch", "secrets", false),
        ("create", "secrets", true),
        ("patch", "secrets", true),
        ("update", "secrets", false),
        ("delete", "secrets", false),
        ("get", our_crd, true),
        ("delete", our_crd, false),
        ("list", "customresourcedefinitions.apiextensions.k8s.io", false),
        ("get", "configmaps", false),
        ("list", "namespaces", false),
    ] {
        assert_eq!(may(verb, resource), expected, "{verb} {resource}");
    }
    let chart = support::repository().join("charts/ack-operator");
    let secrets = |values: &str| {
        let rendered = shared.plane.render(&chart, &["--set", values]).expect("the chart renders");
        rendered.matches("verbs: [create, patch]").count()
    };
    assert_eq!(
        (secrets("kubeconfig.enabled=true"), secrets("kubeconfig.enabled=false")),
        (2, 1),
        "Secrets are written for kubeconfigs only, events always"
    );
}

fn the_operator_ends_by_itself_when_it_is_told_to() {
    let mut scene = Scene::with_operator("told-to-end");
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_reason("demo", "Creating");
    assert!(scene.stop_operator(0), "it had to be killed:\n{}", scene.logs());
}

fn a_namespace_that_ends_takes_its_cluster_along_though_its_secret_goes_first() {
    let scene = Scene::with_operator("namespace-ends");
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_ready("demo");
    scene.start_controllers();
    scene.kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"]);
    scene.wait_until_gone("demo");
    let name = format!("namespace/{}", scene.namespace);
    let gone = || scene.kubectl(&["get", &name, "--ignore-not-found", "--output=name"]).is_empty().then_some(());
    scene.until("the namespace is gone", gone);
    assert!(scene.emulator.ledger().iter().all(|cluster| !cluster.deleted.is_empty()));
}
