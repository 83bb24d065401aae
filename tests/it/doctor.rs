//! `ack-operator doctor`: all fine with the chart's own rights, and each thing that can be amiss with its cure.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ::playground::emulated::Key;
use ack_operator::cli::{For, RIGHTS};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::object;
use crate::support::{Scene, shared};
use crate::trials;
use crate::upgrade::Replaced;

pub fn tests() -> Vec<Trial> {
    trials!("doctor":
        an_installation_that_is_whole_is_fine,
        without_keys_of_its_own_nothing_is_amiss,
        the_regions_of_the_objects_are_looked_at,
        each_right_that_is_missing_is_named,
        an_api_server_that_does_not_answer_is_told,
        an_endpoint_that_does_not_answer_is_told,
        keys_that_ack_does_not_take_are_told,
        a_clock_that_is_wrong_is_told,
        a_gateway_that_takes_what_it_must_refuse_is_told,
        a_proxy_is_used_for_the_cloud_and_not_for_this_machine,
        the_chart_grants_what_the_table_asks_and_nothing_more,
    )
}

/// What changes the definition that all share, so it runs alone.
pub fn alone() -> Vec<Trial> {
    trials!("doctor": a_definition_that_is_older_is_told)
}

/// How one doctor is called.
struct Call<'a> {
    kubeconfig: &'a Path,
    key: Option<Key>,
    flags: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl<'a> Call<'a> {
    fn new(scene: &'a Scene, flags: &[&str]) -> Call<'a> {
        let flags = ["--namespace", &scene.namespace].iter().chain(flags).map(|flag| flag.to_string()).collect();
        Call { kubeconfig: &scene.operator.kubeconfig, key: Some(Key::default()), flags, environment: vec![] }
    }

    /// Against the emulator.
    fn here(scene: &'a Scene, flags: &[&str]) -> Call<'a> {
        let mut call = Call::new(scene, flags);
        let url = scene.emulator.url();
        let more = ["--ack-endpoint", &url, "--sts-endpoint", &url];
        call.flags.extend(more.map(str::to_owned));
        call
    }

    /// Whether it ended with 0, and its lines.
    fn run(&self) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ack-operator"));
        let strange = |name: &str| name.starts_with("ALIBABA_CLOUD_") || name.to_ascii_lowercase().ends_with("_proxy");
        for (name, _) in std::env::vars_os().filter(|(name, _)| strange(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.arg("doctor").arg("--kubeconfig").arg(self.kubeconfig).args(&self.flags);
        command.envs(self.key.iter().flat_map(Key::environment)).envs(self.environment.clone());
        let output = command.output().expect("the doctor runs");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        println!("{lines}{}", String::from_utf8_lossy(&output.stderr));
        for line in lines.lines() {
            let fine = line.starts_with("ok       ") || line.starts_with("skipped  ");
            assert!(fine || line.starts_with("FAILED   ") && line.contains("; cure: "), "{line}");
        }
        (output.status.success(), lines)
    }

    /// Ends with 1 and a line that holds all these words; every other line is no failure unless it holds `also`.
    fn fails(&self, words: &[&str], also: &str) -> String {
        let (fine, lines) = self.run();
        let failed: Vec<_> = lines.lines().filter(|line| line.starts_with("FAILED")).collect();
        assert!(!fine && failed.iter().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}");
        let expected =
            |line: &&str| words.iter().all(|word| line.contains(word)) || !also.is_empty() && line.contains(also);
        assert!(failed.iter().all(expected), "{failed:#?}");
        lines
    }
}

fn an_installation_that_is_whole_is_fine() {
    let scene = Scene::new("doctor-fine");
    scene.allow_leases();
    let election = ["--leader-election", "--leader-election-namespace", &scene.namespace, "--region", "cn-beijing"];
    let (fine, lines) = Call::here(&scene, &election).run();
    assert!(fine && lines.lines().all(|line| line.starts_with("ok ")), "{lines}");
    // kubernetes, definition, each right, account; endpoint, credentials, clock, fence.
    assert_eq!(lines.lines().count(), 2 + RIGHTS.len() + 1 + 4);
    assert!(lines.contains(crate::support::OPERATOR_USER) && lines.contains("region cn-beijing"));
}

fn without_keys_of_its_own_nothing_is_amiss() {
    let scene = Scene::new("doctor-keyless");
    let mut call = Call::here(&scene, &[]);
    call.key = None;
    let (fine, lines) = call.run();
    assert!(fine && lines.contains("skipped  account: ") && lines.contains("spec.credentialsRef"), "{lines}");
    assert!(lines.contains("ok       endpoint: ") && lines.contains("ok       clock: "), "{lines}");
}

fn the_regions_of_the_objects_are_looked_at() {
    let scene = Scene::new("doctor-regions");
    for region in ["cn-shanghai", "ap-southeast-1"] {
        scene.apply(&object(&scene, region, json!({"region_id": region})));
    }
    let (fine, lines) = Call::here(&scene, &[]).run();
    assert!(fine && lines.contains("region cn-shanghai") && lines.contains("region ap-southeast-1"), "{lines}");
    assert!(!lines.contains("cn-hangzhou"), "{lines}");
}

/// The kubeconfig of a ServiceAccount of this scene that may nothing.
fn powerless(scene: &Scene) -> PathBuf {
    scene.kubectl(&["create", "serviceaccount", "powerless"]);
    let token = scene.kubectl(&["create", "token", "powerless"]);
    let text = fs::read_to_string(&scene.operator.kubeconfig).expect("a kubeconfig");
    let line = text.lines().find(|line| line.trim_start().starts_with("token: ")).expect("a token");
    let path = scene.dir().join(format!("{}.kubeconfig", scene.namespace));
    fs::write(&path, text.replace(line, &format!("    token: {}", token.trim()))).expect("a kubeconfig");
    path
}

fn each_right_that_is_missing_is_named() {
    let scene = Scene::new("doctor-rights");
    let kubeconfig = powerless(&scene);
    let mut call = Call::here(&scene, &["--leader-election", "--leader-election-namespace", "doctor-rights"]);
    call.kubeconfig = &kubeconfig;
    let lines =
        call.fails(&["rights: may not ", "in namespace doctor-rights", "grant it to system:serviceaccount:"], "");
    assert!(lines.contains("skipped  definition: ackoperator.dev/v1alpha1 is served"), "{lines}");
    for right in RIGHTS {
        let essential = matches!(right.wanted, For::Everything | For::Election);
        let word = if essential { "FAILED   rights" } else { "skipped  rights" };
        let line = format!("{word}: may not {} {} ", right.verbs.join(", "), right.resource);
        assert!(lines.contains(&line), "{line}");
    }
    // Every verb counts: with three of four the fourth is named.
    let rules =
        json!([{"apiGroups": ["ackoperator.dev"], "resources": ["ackclusters"], "verbs": ["get", "list", "watch"]}]);
    let metadata = json!({"name": "readers", "namespace": scene.namespace});
    scene.kubectl_apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules,
    }));
    scene.kubectl(&["create", "rolebinding", "readers", "--role=readers", "--serviceaccount=doctor-rights:powerless"]);
    scene.until("the fourth verb is named alone", || {
        call.run().1.contains("FAILED   rights: may not patch ackclusters in namespace doctor-rights").then_some(())
    });
}

fn an_api_server_that_does_not_answer_is_told() {
    let scene = Scene::new("doctor-nobody");
    let text = fs::read_to_string(&scene.operator.kubeconfig).expect("a kubeconfig");
    let server = text.lines().find(|line| line.trim_start().starts_with("server: ")).expect("a server");
    let path = scene.dir().join("doctor-nobody.kubeconfig");
    fs::write(&path, text.replace(server, "    server: https://127.0.0.1:1")).expect("a kubeconfig");
    let mut call = Call::here(&scene, &[]);
    call.kubeconfig = &path;
    let lines = call.fails(&["kubernetes: ", "--kubeconfig"], "");
    assert!(
        lines.contains("skipped  rights") && lines.contains("ok       fence"),
        "the cloud is looked at all the same"
    );
}

fn an_endpoint_that_does_not_answer_is_told() {
    let scene = Scene::new("doctor-endpoint");
    let call = Call::here(&scene, &["--region", "cn-x", "--ack-endpoint", "cn-x=http://127.0.0.1:1"]);
    let lines = call.fails(&["endpoint: region cn-x: cannot connect to 127.0.0.1:1", "--ack-endpoint"], "");
    for what in ["credentials", "clock", "fence"] {
        assert!(lines.contains(&format!("skipped  {what}")), "{what}");
    }
}

fn keys_that_ack_does_not_take_are_told() {
    let scene = Scene::new("doctor-keys");
    let mut call = Call::here(&scene, &[]);
    let wrong = Key { secret: "wrong-secret-of-nobody".into(), ..Key::default() };
    call.key = Some(wrong);
    let lines = call.fails(&["credentials: region cn-hangzhou: ", "access key that is active"], "account: ");
    assert!(!lines.contains("wrong-secret-of-nobody"));
    call.key = None;
    call.environment = vec![("ALIBABA_CLOUD_ACCESS_KEY_ID", "half".into())];
    assert!(!call.run().0, "half a key is a mistake");
}

fn a_clock_that_is_wrong_is_told() {
    let scene = Scene::new("doctor-clock");
    scene.emulator.skew(jiff::SignedDuration::from_mins(6));
    let mut call = Call::here(&scene, &[]);
    call.fails(&["clock: this clock is ", "off that of region cn-hangzhou", "NTP"], "");
    call.key = None;
    call.fails(&["clock: this clock is ", "NTP"], "");
}

fn a_gateway_that_takes_what_it_must_refuse_is_told() {
    let scene = Scene::new("doctor-fence");
    scene.emulator.settings(&json!({"nonce_check": "off"})).expect("a setting");
    Call::here(&scene, &[]).fails(&["fence: region cn-hangzhou takes requests that it must refuse"], "");
}

/// Writes down the first line of whatever comes, and refuses it.
fn recorder() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let lines = Arc::new(Mutex::new(vec![]));
    let kept = lines.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 1024];
            let length = stream.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..length]).into_owned();
            kept.lock().expect("lines").push(text.lines().next().unwrap_or_default().to_owned());
            let _ =
                stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (url, lines)
}

fn a_proxy_is_used_for_the_cloud_and_not_for_this_machine() {
    let scene = Scene::new("doctor-proxy");
    let (proxy, asked) = recorder();
    let emulator = format!("cn-x={}", scene.emulator.url());
    let mut call = Call::new(&scene, &["--region", "cn-x", "--region", "cn-far", "--ack-endpoint", &emulator]);
    call.environment = vec![("HTTPS_PROXY", proxy.clone()), ("HTTP_PROXY", proxy), ("NO_PROXY", "127.0.0.0/8".into())];
    let lines = call.fails(&["endpoint: region cn-far"], "account: STS does not tell");
    assert!(lines.contains("ok       fence: region cn-x"), "an endpoint on this machine takes no proxy");
    let asked: BTreeSet<_> = asked.lock().expect("lines").iter().cloned().collect();
    let wanted = ["cs.cn-far.aliyuncs.com:443", "sts.aliyuncs.com:443"];
    assert_eq!(asked, wanted.map(|host| format!("CONNECT {host} HTTP/1.1")).into_iter().collect());
    // Without the exception the API server is asked through the proxy too, as every other program would.
    call.environment.retain(|(name, _)| *name != "NO_PROXY");
    assert!(call.run().1.contains("FAILED   kubernetes: "));
}

/// `(group, resource, verb)` of every role that is bound to the operator's ServiceAccount.
fn granted(flags: &[&str]) -> BTreeSet<(String, String, String)> {
    let text =
        shared().plane.render(&::playground::chart(), flags).unwrap_or_else(|error| panic!("{}", error.sentence()));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let bindings =
        documents.iter().filter(|document| document["kind"].as_str().is_some_and(|kind| kind.ends_with("Binding")));
    let ours = bindings.filter(|binding| binding["subjects"][0]["kind"] == "ServiceAccount");
    let mut found = BTreeSet::new();
    let words = |list: &Value| {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    for role in ours.map(|binding| &binding["roleRef"]) {
        let same = |document: &&Value| document["kind"] == role["kind"] && document["metadata"]["name"] == role["name"];
        let rules = documents.iter().find(same).and_then(|role| role["rules"].as_array()).expect("the role is there");
        for rule in rules {
            for group in words(&rule["apiGroups"]) {
                for resource in words(&rule["resources"]) {
                    found.extend(words(&rule["verbs"]).into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
                }
            }
        }
    }
    found
}

fn asked(wanted: impl Fn(For) -> bool) -> BTreeSet<(String, String, String)> {
    let rows = RIGHTS.iter().filter(|right| wanted(right.wanted));
    rows.flat_map(|r| r.verbs.iter().map(|verb| (r.group.into(), r.resource.into(), verb.to_string()))).collect()
}

fn the_chart_grants_what_the_table_asks_and_nothing_more() {
    let election = ["--set", "leaderElection.enabled=true"];
    for (flags, asked) in [(&[][..], asked(|wanted| wanted != For::Election)), (&election, asked(|_| true))] {
        let granted = granted(flags);
        let differ: Vec<_> = granted.symmetric_difference(&asked).collect();
        assert!(differ.is_empty(), "{flags:?}: {differ:?}");
    }
}

fn a_definition_that_is_older_is_told() {
    let scene = Scene::new("doctor-definition");
    let call = Call::here(&scene, &[]);
    {
        let _older = Replaced::by(&scene, |schema| {
            let status = schema["properties"]["status"]["properties"].as_object_mut().expect("a status");
            status.remove("createIntents");
        });
        let cure = "ack-operator crd | kubectl apply";
        call.fails(&["definition: ", "drops status.createIntents", cure], "");
    }
    assert!(call.run().0);
}
