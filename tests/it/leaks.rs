//! No secret leaves. Every kind of secret is a mark that can be recognised; scenes lead them into every corner, and at the
//! end everything that the operators of the whole run wrote is searched for them, in every spelling.

use std::fs;

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, message, object};
use crate::support::{OPERATOR_USER, RUNTIME, Scene, audit, shared};
use crate::trials;

/// What must not be found. A new kind of secret is one more line here, and a scene that uses it.
const MARKS: &[(&str, &str)] = &[
    ("the access key id of every scene", "LTAI5tPlaygroundOnly"),
    ("the access key secret of every scene", "a-secret-that-opens-nothing"),
    ("a temporary access key id", TEMPORARY_ID),
    ("a temporary access key secret", TEMPORARY_SECRET),
    ("a security token", TOKEN),
    ("a password in the spec", PASSWORD),
    ("a password in a Secret", SECRET_PASSWORD),
    ("a password of a node pool", POOL_PASSWORD),
    ("a script in the spec", SCRIPT),
    ("a script in a Secret", SECRET_SCRIPT),
    ("the configuration of an addon", ADDON_TOKEN),
    ("a password written as a number", NUMBER_PASSWORD),
    ("half of a Secret that is malformed", BROKEN_SECRET),
    ("a kubeconfig's token", KUBECONFIG_TOKEN),
    ("a kubeconfig's client key", KUBECONFIG_KEY),
    ("a kubeconfig's client key as it stands there", KUBECONFIG_KEY_DATA),
];

const TEMPORARY_ID: &str = "STS.markTemporaryKeyId";
const TEMPORARY_SECRET: &str = "mark-temporary-key-secret";
const TOKEN: &str = "mark-security-token/of+a=session";
const PASSWORD: &str = "Mark-Pass_word-9(spec)";
const SECRET_PASSWORD: &str = "Mark-Pass_word-9(secret)";
const POOL_PASSWORD: &str = "Mark-Pass_word-9(pool)";
const SCRIPT: &str = "echo mark-of-a-script-in-the-spec";
const SECRET_SCRIPT: &str = "echo mark-of-a-script-in-a-secret";
const ADDON_TOKEN: &str = "mark-of-an-addons-configuration";
pub const NUMBER_PASSWORD: &str = "730517293846150";
const BROKEN_SECRET: &str = "mark-of-a-broken-secret";
const KUBECONFIG_TOKEN: &str = "mark-of-a-kubeconfigs-token";
const KUBECONFIG_KEY: &str = "-----BEGIN PRIVATE KEY----- mark-of-a-kubeconfigs-client-key";
/// The same in Base64.
const KUBECONFIG_KEY_DATA: &str = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tIG1hcmstb2YtYS1rdWJlY29uZmlncy1jbGllbnQta2V5";

pub fn tests() -> Vec<Trial> {
    trials!("leaks":
        a_life_with_every_kind_of_secret_and_everything_logged,
        a_refusal_that_repeats_a_secret_is_cleaned,
        a_failure_that_repeats_a_secret_is_cleaned,
        a_signature_that_does_not_match_shows_no_string_to_sign,
        a_malformed_secret_is_named_and_not_shown,
        a_kubeconfig_is_in_its_secret_and_nowhere_else,
    )
}

/// What must hold of everything that was written in the whole run; `main` runs it after all others.
pub fn afterwards() -> Vec<Trial> {
    trials!("leaks": nothing_that_was_written_holds_a_secret, nothing_panicked)
}

fn temporary() -> Key {
    let (id, secret) = (TEMPORARY_ID.into(), TEMPORARY_SECRET.into());
    Key { id, secret, account: "1000000000000042".into(), token: Some(TOKEN.into()) }
}

/// The scene's Secret `secret-values` holds what `secretValues` name.
fn scene(name: &str) -> Scene {
    let scene = Scene::with_keys(name, &[(ACCESS_SECRET, temporary())]);
    scene.kubectl_apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "secret-values", "namespace": scene.namespace},
        "stringData": {
            // As editors and `echo` leave it.
            "password": format!("{SECRET_PASSWORD}\n"), "pool": format!("{POOL_PASSWORD}\r\n"),
            "script": BASE64.encode(script(SECRET_SCRIPT)), "addon": addon(),
        },
    }));
    scene
}

fn script(mark: &str) -> String {
    format!("#!/bin/sh\n  {mark}\nexit 0\n")
}

/// As a person writes JSON.
fn addon() -> String {
    format!("{{\n  \"on\": true,\n  \"deep\": {{ \"token\": \"{ADDON_TOKEN}\" }}\n}}\n")
}

/// Two objects that hold every kind of secret: in the spec, and by reference.
fn plain(scene: &Scene) -> Value {
    object(scene, "plain", json!({"login_password": PASSWORD, "user_data": BASE64.encode(script(SCRIPT))}))
}

fn referred(scene: &Scene) -> Value {
    let value = |path: &str, key: &str| json!({"path": path, "secretKeyRef": {"name": "secret-values", "key": key}});
    object(
        scene,
        "referred",
        json!({
            "region_id": "cn-beijing",
            "nodepools": [{
                "nodepool_info": {"name": "web"},
                "scaling_group": {
                    "vswitch_ids": ["vsw-bp1playground"], "instance_types": ["ecs.g7.xlarge"],
                    "instance_charge_type": "PostPaid", "desired_size": 1,
                },
            }],
            "addons": [{"name": "logtail-ds"}],
            "secretValues": [
                value("login_password", "password"), value("user_data", "script"),
                value("nodepools/web/login_password", "pool"), value("addons/logtail-ds/config", "addon"),
            ],
        }),
    )
}

fn a_life_with_every_kind_of_secret_and_everything_logged() {
    let mut scene = scene("every-secret");
    // All crates, not only ours.
    scene.operator.more = vec!["--log-level".into(), "trace".into()];
    scene.start_operator(&[]);
    scene.apply(&plain(&scene));
    scene.apply(&referred(&scene));
    for name in ["plain", "referred"] {
        scene.wait_for_ready(name);
    }
    let sent = json!(scene.emulator.ledger().iter().map(|cluster| &cluster.body).collect::<Vec<_>>()).to_string();
    let scripts = [SCRIPT, SECRET_SCRIPT].map(|mark| BASE64.encode(script(mark)));
    for mark in [PASSWORD, SECRET_PASSWORD, POOL_PASSWORD, ADDON_TOKEN, &scripts[0], &scripts[1]] {
        assert!(sent.contains(mark), "{mark} was not sent, so this trial would find nothing");
    }
    for password in [SECRET_PASSWORD, POOL_PASSWORD] {
        assert!(sent.contains(&format!("{password:?}")), "{password} was not sent without its line end");
    }
    for name in ["plain", "referred"] {
        scene.delete(name);
        scene.wait_until_gone(name);
    }
    assert!(scene.logs().len() > 100_000, "not everything was logged");
}

/// The two objects, each with its region and what ACK repeats of its request.
fn echoes() -> [(&'static str, &'static str, String); 2] {
    let keys = [TEMPORARY_ID, TEMPORARY_SECRET, TOKEN];
    let echo = |passwords: &[&str], more: Vec<String>| {
        let spelt = |mark: &&str| format!("{mark} and {} and {}", BASE64.encode(mark), percent(mark));
        let spelt = keys.iter().chain(passwords).map(spelt);
        // As Go's %q writes what stands in the Secret.
        let quoted = passwords.iter().map(|mark| format!("{:?}", format!("{mark}\n")));
        let all: Vec<_> = spelt.chain(quoted).chain(more).collect();
        format!("not taken: {}", all.join(", "))
    };
    // As it is, its text, as %q of that, and a line of it.
    let scripts = |mark: &str| {
        let text = script(mark);
        vec![BASE64.encode(&text), format!("{text:?}"), text, format!("line 2: {mark}: syntax error")]
    };
    // As it is, as %q, as a program writes it again, and the value alone.
    let again: Value = serde_json::from_str(&addon()).expect("JSON");
    let configs = vec![
        addon(),
        format!("{:?}", addon()),
        again.to_string(),
        format!("{:?}", again.to_string()),
        format!("unknown token {ADDON_TOKEN}"),
    ];
    [
        ("plain", "cn-hangzhou", echo(&[PASSWORD], scripts(SCRIPT))),
        ("referred", "cn-beijing", echo(&[SECRET_PASSWORD, POOL_PASSWORD], [scripts(SECRET_SCRIPT), configs].concat())),
    ]
}

fn a_refusal_that_repeats_a_secret_is_cleaned() {
    let mut scene = scene("refused-secrets");
    scene.start_operator(&[]);
    for (_, region, echo) in echoes() {
        let refusal = json!({"status": 400, "code": "InvalidParameter.Password", "message": echo});
        scene.fault(json!({"operation": "CreateCluster", "region": region, "every": true, "do": refusal}));
    }
    scene.apply(&plain(&scene));
    scene.apply(&referred(&scene));
    for name in ["plain", "referred"] {
        let refused = scene.wait_for_reason(name, "InvalidSpec");
        assert!(message(&refused).contains("not taken: ***"), "{}", message(&refused));
    }
}

/// ACK tells of a failure long after the request, and perhaps to another process.
fn a_failure_that_repeats_a_secret_is_cleaned() {
    let mut scene = scene("failed-secrets");
    scene.emulator.settings(&json!({"create_time": "2m"})).unwrap();
    scene.start_operator(&[]);
    scene.apply(&plain(&scene));
    scene.apply(&referred(&scene));
    let made = |scene: &Scene, name: &str| id(&scene.wait_for(name, "an id", |o| !id(o).is_empty()));
    let ids = ["plain", "referred"].map(|name| made(&scene, name));
    scene.kill_operator(0);
    for (id, (_, _, echo)) in ids.iter().zip(echoes()) {
        let failure = json!({"fail_task": {"code": "InvalidPassword", "message": echo}});
        scene.emulator.outside(id, &failure).unwrap();
    }
    scene.start_operator(&[]);
    for name in ["plain", "referred"] {
        let failed = scene.wait_for_reason(name, "CreateFailed");
        assert!(message(&failed).contains("not taken: ***"), "{}", message(&failed));
    }
}

fn a_signature_that_does_not_match_shows_no_string_to_sign() {
    for signature in ["acs3", "roa"] {
        let mut scene = scene(&format!("unsigned-{signature}"));
        let wrong = Key { secret: "a-secret-that-opens-nothing".into(), ..temporary() };
        scene.secret("wrong", &wrong);
        scene.start_operator(&["--signature", signature]);
        scene.apply(&object(&scene, "demo", json!({"credentialsRef": {"name": "wrong"}})));
        let refused = scene.wait_for_reason("demo", "InvalidCredentials");
        assert!(message(&refused).contains("the signature does not match"), "{}", message(&refused));
        assert!(!message(&refused).contains("x-acs-") && !message(&refused).contains("GET"), "{}", message(&refused));
    }
}

fn a_malformed_secret_is_named_and_not_shown() {
    let scene = Scene::with_operator("malformed-secret");
    let key = Key { secret: format!("{BROKEN_SECRET}\nand another line"), ..Key::default() };
    scene.secret("broken", &key);
    scene.apply(&object(&scene, "demo", json!({"credentialsRef": {"name": "broken"}})));
    let missing = scene.wait_for_reason("demo", "CredentialsMissing");
    assert!(message(&missing).contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET"), "{}", message(&missing));
}

/// What ACK answers: first nothing that can be used, then a kubeconfig that can.
fn a_kubeconfig_is_in_its_secret_and_nowhere_else() {
    assert_eq!(BASE64.encode(KUBECONFIG_KEY), KUBECONFIG_KEY_DATA);
    let mut scene = Scene::new("secret-kubeconfig");
    scene.operator.more = vec!["--log-level".into(), "trace".into()];
    scene.start_operator(&[]);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": "https://192.0.2.1:6443"}}],
        "users": [{"name": "it", "user": {"token": KUBECONFIG_TOKEN, "client-key-data": KUBECONFIG_KEY_DATA}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    });
    let answer = |body: String| {
        scene.emulator.clear_faults();
        let answer = json!({"status": 200, "body": body});
        scene.fault(json!({"operation": "DescribeClusterUserKubeconfig", "every": true, "do": answer}));
    };
    let whole = |config: Value| json!({"config": config, "expiration": "2099-01-01T00:00:00Z"}).to_string();
    let good = config.to_string();
    let broken = [
        whole(format!("{good}}} {KUBECONFIG_TOKEN}").into()),
        whole(config.clone()),
        good.clone(),
        good[..good.len() - 9].to_owned(),
        format!("{KUBECONFIG_TOKEN} {KUBECONFIG_KEY_DATA} {KUBECONFIG_KEY}"),
    ];
    answer(broken[0].clone());
    scene.apply(&object(&scene, "demo", json!({"kubeconfigSecretRef": {"name": "demo-kubeconfig"}})));
    for (number, body) in broken.into_iter().enumerate() {
        let asked = scene.calls("DescribeClusterUserKubeconfig");
        answer(body);
        scene.annotate("demo", "reconcile-at", &number.to_string());
        scene.until("it is asked for", || (scene.calls("DescribeClusterUserKubeconfig") > asked).then_some(()));
        let told = scene.wait_for_reason("demo", "Unreachable");
        assert!(message(&told).contains("the kubeconfig is not published"), "{}", message(&told));
    }
    answer(whole(good.clone().into()));
    scene.wait_for_reason("demo", "Running");
    let secret = scene.kubectl(&["get", "secret", "demo-kubeconfig", "-o", "jsonpath={.data.value}"]);
    assert_eq!(BASE64.decode(secret).expect("Base64"), good.as_bytes(), "there it is");
    scene.delete("demo");
    scene.wait_until_gone("demo");
}

fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A mark as it is, in hex, as part of a URL, and inside of something longer in Base64, at each of three alignments.
fn spellings(mark: &str) -> Vec<String> {
    let hex = |upper: bool| -> String {
        mark.bytes().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect()
    };
    let quoted = serde_json::to_string(mark).expect("JSON");
    let mut all = vec![mark.to_owned(), hex(false), hex(true), percent(mark), quoted.trim_matches('"').to_owned()];
    for before in 0..3 {
        let coded = BASE64.encode(format!("{}{mark}", "x".repeat(before)));
        // The first and the last group depend on what stands beside the mark.
        let inner = coded[if before == 0 { 0 } else { 4 }..(before + mark.len()) / 3 * 4].to_owned();
        all.push(inner.replace('+', "-").replace('/', "_"));
        all.push(inner);
    }
    all.sort();
    all.dedup();
    all
}

/// Every place where an operator of this run may have left a word: its name, and all that stands there.
fn written() -> Vec<(String, String)> {
    let shared = shared();
    let mut all = vec![];
    for file in fs::read_dir(shared.plane.dir()).expect("the control plane's folder").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        // The logs of operators are named by their scene and their number in it.
        let stem = name.strip_suffix(".log").and_then(|stem| stem.rsplit_once('-'));
        if stem.is_some_and(|(_, number)| number.parse::<usize>().is_ok()) {
            let text = fs::read(file.path()).expect("a log can be read");
            all.push((name, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    let list = |kind: &str, group: &str, version: &str, plural: &str| {
        let kind = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        let api: Api<DynamicObject> = Api::all_with(shared.client.clone(), &kind);
        RUNTIME.block_on(api.list(&ListParams::default())).expect("a list").items
    };
    for object in list("AckCluster", "ackoperator.dev", "v1alpha1", "ackclusters") {
        let name = object.metadata.name.unwrap_or_default();
        all.push((format!("the status of {name}"), object.data["status"].to_string()));
    }
    for event in list("Event", "events.k8s.io", "v1", "events") {
        let name = event.metadata.name.unwrap_or_default();
        all.push((format!("the event {name}"), event.data.to_string()));
    }
    // All that operators ever sent to the API server about AckClusters, whatever has become of it.
    let sent = audit(|entry| entry["user"]["username"] == OPERATOR_USER && entry["requestObject"].is_object());
    all.extend(sent.into_iter().map(|entry| (entry["requestURI"].to_string(), entry["requestObject"].to_string())));
    all
}

/// What the clusters of all scenes let in: their kubeconfig is an administrator's of the control plane.
fn handed_out() -> String {
    let config = fs::read_to_string(shared().plane.kubeconfig()).expect("a kubeconfig");
    config.lines().find_map(|line| line.trim().strip_prefix("token: ")).expect("a token").to_owned()
}

fn nothing_that_was_written_holds_a_secret() {
    let places = written();
    let bytes: usize = places.iter().map(|(_, text)| text.len()).sum();
    let logs = places.iter().filter(|(name, _)| name.ends_with(".log")).count();
    let mut found = vec![];
    let handed_out = handed_out();
    for (what, mark) in MARKS.iter().chain([&("the token of every published kubeconfig", handed_out.as_str())]) {
        for spelling in spellings(mark) {
            assert!(spelling.len() >= 12, "{spelling} is too short to be recognised");
            let holds = places.iter().filter_map(|(name, text)| Some((name, text.find(&spelling)?, text)));
            found.extend(holds.map(|(name, at, text)| {
                let from = text[..at].rfind('\n').map_or(0, |line| line + 1);
                let line: String = text[from..].lines().next().unwrap_or_default().chars().take(600).collect();
                format!("{what}, as {spelling}, in {name}: {line}")
            }));
        }
    }
    println!("searched {} places, {logs} logs among them, {} MB", places.len(), bytes >> 20);
    assert!(logs > 0, "no log was found");
    assert!(found.is_empty(), "{}", found[..found.len().min(5)].join("\n"));
}

fn nothing_panicked() {
    let panicked: Vec<_> =
        written().into_iter().filter(|(_, text)| text.contains("panicked at")).map(|p| p.0).collect();
    assert!(panicked.is_empty(), "{panicked:?}");
}

/// A search that finds nothing must be able to find something.
pub fn pure() -> Vec<Trial> {
    trials!("leaks": a_mark_is_found_in_every_spelling)
}

fn a_mark_is_found_in_every_spelling() {
    for (what, mark) in MARKS {
        let whole = format!("user:{mark}@host");
        let quoted = json!({"message": whole}).to_string();
        let coded: Vec<_> = (0..3).map(|n| BASE64.encode(format!("{}{whole}", "-".repeat(n)))).collect();
        let hex: String = whole.bytes().map(|b| format!("{b:02x}")).collect();
        for text in [whole.clone(), quoted, hex, percent(&whole)].into_iter().chain(coded) {
            assert!(spellings(mark).iter().any(|spelling| text.contains(spelling)), "{what}: {text}");
        }
    }
}
