//! What a scrape of the real process shows: names, types and labels, and nothing of objects that are gone. The alerts are
//! held to it, and each has its page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use ::playground::cutting::{Book, Door};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{living, object};
use crate::support::{RUNTIME, Scene, repository};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("metrics":
        a_scrape_shows_what_dashboards_and_alerts_are_made_for,
        series_follow_their_objects_and_go_with_them,
        an_open_outcome_is_told_until_it_is_known,
        an_operator_that_can_no_longer_watch_is_not_ready,
        each_alert_uses_what_is_served_and_has_its_page,
    )
}

/// Every family that is served, with its type and its labels, the constant ones included.
const FAMILIES: &[(&str, &str, &[&str])] = &[
    ("ackoperator_api_requests", "counter", &["action", "code"]),
    ("ackoperator_build", "info", &["version"]),
    ("ackoperator_cluster_stalled", "gauge", &["name", "namespace", "reason"]),
    ("ackoperator_cluster_state", "gauge", &["name", "namespace", "state"]),
    ("ackoperator_create_unconfirmed", "gauge", &["name", "namespace"]),
    ("ackoperator_objects", "gauge", &["kept"]),
    ("ackoperator_orphans", "gauge", &["region"]),
    ("ackoperator_watch_failures", "counter", &[]),
    ("controller_runtime_active_workers", "gauge", &["controller"]),
    ("controller_runtime_reconcile", "counter", &["controller", "result"]),
    ("controller_runtime_reconcile_errors", "counter", &["controller"]),
    ("controller_runtime_reconcile_time_seconds", "histogram", &["controller", "le"]),
    ("leader_election_master_status", "gauge", &["name"]),
];

/// An operator that tells its metrics, with these flags.
fn start(scene: &mut Scene, flags: &[&str]) -> SocketAddr {
    let address = scene.address();
    scene.operator.metrics = Some(address);
    scene.start_operator(flags);
    address
}

/// One sample.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

#[derive(Debug)]
pub struct Scrape {
    text: String,
    types: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

impl Scrape {
    pub fn of(address: SocketAddr) -> Scrape {
        let text = RUNTIME.block_on(async {
            let answer = reqwest::get(format!("http://{address}/metrics")).await.expect("an answer");
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
            answer.text().await.expect("text")
        });
        assert!(text.ends_with("# EOF\n"));
        let (mut types, mut samples) = (BTreeMap::new(), vec![]);
        for line in text.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type");
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
                let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
                let labels = labels.map(|(key, value)| (key.to_owned(), value.trim_end_matches('"').to_owned()));
                let value = value.parse().expect("a number");
                samples.push(Sample { name: name.to_owned(), labels: labels.collect(), value });
            }
        }
        Scrape { text, types, samples }
    }

    /// The samples of that name whose labels hold these.
    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let fits =
            |sample: &&Sample| labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|v| v == value));
        self.samples.iter().filter(|sample| sample.name == name).filter(fits).collect()
    }

    /// Of the samples of that name whose labels hold these.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).iter().map(|sample| sample.value).sum()
    }

    /// The names of samples that a family of this type may have.
    fn names(&self) -> BTreeSet<String> {
        let suffixes = |kind: &str| match kind {
            "counter" => &["_total"][..],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        let types = self.types.iter();
        types.flat_map(|(name, kind)| suffixes(kind).iter().map(move |suffix| format!("{name}{suffix}"))).collect()
    }
}

fn a_scrape_shows_what_dashboards_and_alerts_are_made_for() {
    let mut scene = Scene::new("metrics");
    scene.allow_leases();
    let namespace = scene.namespace.clone();
    let address = start(&mut scene, &["--leader-election", "--leader-election-namespace", &namespace]);
    scene.apply(&scene.smallest("demo"));
    scene.apply(&object(&scene, "broken", json!({"credentialsRef": {"name": "no-such-secret"}})));
    scene.wait_for_reason("demo", "Running");
    scene.wait_for_reason("broken", "CredentialsMissing");
    let of_broken = [("namespace", "metrics"), ("name", "broken"), ("reason", "CredentialsMissing")];
    // The cache follows the status by a moment.
    let scrape = scene.until("the last status is told", || {
        let scrape = Scrape::of(address);
        let running = [("name", "demo"), ("state", "running")];
        let told = scrape.sum("ackoperator_cluster_state", &running) == 1.0
            && scrape.sum("ackoperator_cluster_stalled", &of_broken) == 1.0;
        told.then_some(scrape)
    });
    let kinds: Vec<_> = scrape.types.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(kinds, FAMILIES.iter().map(|(name, kind, _)| (*name, *kind)).collect::<Vec<_>>());
    let names = scrape.names();
    for sample in &scrape.samples {
        assert!(names.contains(&sample.name), "{sample:?}");
        let family =
            FAMILIES.iter().filter(|(name, ..)| sample.name.starts_with(name)).max_by_key(|(name, ..)| name.len());
        let (_, _, labels) = family.expect("a family");
        let extra = |label: &&str| **label != *"le" || sample.name.ends_with("_bucket");
        assert_eq!(sample.labels.keys().collect::<Vec<_>>(), labels.iter().copied().filter(extra).collect::<Vec<_>>());
    }
    assert_eq!(scrape.sum("ackoperator_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(scrape.sum("leader_election_master_status", &[("name", "ack-operator")]), 1.0);
    assert_eq!(scrape.sum("ackoperator_cluster_state", &[("name", "broken"), ("state", "none")]), 1.0);
    assert_eq!(scrape.find("ackoperator_cluster_stalled", &[]).len(), 1);
    assert_eq!(scrape.sum("ackoperator_create_unconfirmed", &[]), 0.0);

    let passes =
        |result| scrape.sum("controller_runtime_reconcile_total", &[("controller", "ackcluster"), ("result", result)]);
    let all = scrape.sum("controller_runtime_reconcile_total", &[]);
    assert!(passes("requeue_after") >= 2.0, "{}", scrape.text);
    assert_eq!(scrape.sum("controller_runtime_reconcile_errors_total", &[]), passes("error"));
    assert!(scrape.sum("controller_runtime_reconcile_time_seconds_count", &[]) >= 2.0);
    assert!(
        (scrape.sum("controller_runtime_reconcile_time_seconds_count", &[]) - all).abs() <= 1.0,
        "counted together"
    );
    assert_eq!(scrape.find("controller_runtime_reconcile_time_seconds_bucket", &[]).len(), 41);

    // By the emulator's own account; calls that are on their way are in neither or in one.
    let calls = |action| scrape.sum("ackoperator_api_requests_total", &[("action", action), ("code", "OK")]);
    assert_eq!(calls("CreateCluster") as usize, scene.calls("CreateCluster"));
    assert!(calls("DescribeClusterDetail") > 0.0 && calls("GetCallerIdentity") >= 1.0);
    for secret in ["LTAI5tPlaygroundOnly", "a-secret-that-opens-nothing", living(&scene)[0].id.as_str()] {
        assert!(!scrape.text.contains(secret), "{secret}");
    }
}

fn series_follow_their_objects_and_go_with_them() {
    let mut scene = Scene::new("metrics-series");
    let address = start(&mut scene, &[]);
    assert!(Scrape::of(address).find("leader_election_master_status", &[]).is_empty(), "no election, no series");
    for name in ["demo", "other"] {
        scene.apply(&object(&scene, name, json!({"deletion_protection": false})));
        scene.wait_for_ready(name);
    }
    let states = |name: &str| {
        let scrape = Scrape::of(address);
        let samples = scrape.find("ackoperator_cluster_state", &[("name", name)]);
        samples.iter().map(|sample| sample.labels["state"].clone()).collect::<Vec<_>>()
    };
    scene.until("it is told that it runs", || (states("demo") == ["running"]).then_some(()));
    // A word that nobody knows is no label.
    let id = living(&scene).iter().find(|cluster| cluster.name == "demo").expect("a cluster").id.clone();
    scene.emulator.outside(&id, &json!({"state": "brand_new_word"})).expect("a state");
    scene.until("another state is told", || (states("demo") == ["other"]).then_some(()));
    scene.emulator.outside(&id, &json!({"state": "running"})).expect("a state");
    scene.delete("demo");
    scene.wait_until_gone("demo");
    scene.until("nothing is told of it any more", || states("demo").is_empty().then_some(()));
    assert_eq!(states("other"), ["running"]);
    let gone = Scrape::of(address);
    assert!(
        gone.samples.iter().all(|sample| sample.labels.get("name").is_none_or(|name| name == "other")),
        "{}",
        gone.text
    );
}

fn an_open_outcome_is_told_until_it_is_known() {
    let mut scene = Scene::new("metrics-open");
    scene.fault(json!({"operation": "CreateCluster", "when": "before", "do": "drop"}));
    let address = start(&mut scene, &["--lists-are-complete"]);
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_reason("demo", "AwaitingOutcome");
    let open = || Scrape::of(address).sum("ackoperator_create_unconfirmed", &[("name", "demo")]);
    scene.until("the open outcome is told", || (open() == 1.0).then_some(()));
    scene.wait_for_ready("demo");
    scene.until("nothing is open", || (open() == 0.0).then_some(()));
    let lost = [("action", "CreateCluster"), ("code", "Transient")];
    assert_eq!(Scrape::of(address).sum("ackoperator_api_requests_total", &lost), 1.0);
}

/// The words of PromQL that our alerts use.
const PROMQL: &[&str] = &["absent", "by", "max", "rate", "scalar", "sum"];

/// What an expression names, without its strings, label matchers, ranges and groupings.
fn named(expression: &str) -> BTreeSet<String> {
    let (mut plain, mut depth) = (String::new(), 0);
    for c in expression.replace("by (", "by {").chars() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            // The end of a grouping, which has no parenthesis of its own in it.
            ')' if depth > 0 => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let words = plain.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    words.filter(|word| !PROMQL.contains(word)).map(str::to_owned).collect()
}

/// Its way to the API server is cut, and ACK's is not.
fn an_operator_that_can_no_longer_watch_is_not_ready() {
    let mut scene = Scene::new("metrics-watch");
    let book = Arc::new(Book::new(&[], |_, _| {}));
    let dir = scene.dir().join("metrics-watch-door");
    let ack = scene.emulator.url();
    let door = Door::open(&book, 0, &scene.operator.kubeconfig, &ack, &dir);
    let door = RUNTIME.block_on(door).unwrap_or_else(|error| panic!("{}", error.sentence()));
    scene.operator.kubeconfig.clone_from(&door.kubeconfig);
    let metrics = start(&mut scene, &[]);
    let probe = |path: &str| {
        let answer = RUNTIME.block_on(reqwest::get(format!("http://{}/{path}", scene.probes[0]))).expect("an answer");
        (answer.status().as_u16(), RUNTIME.block_on(answer.text()).unwrap_or_default())
    };
    assert_eq!(probe("readyz").0, 200);
    drop(door);
    let said = scene.until("it is not ready", || Some(probe("readyz")).filter(|(status, _)| *status == 503));
    assert!(said.1.contains("cannot be watched"), "{}", said.1);
    assert!(Scrape::of(metrics).sum("ackoperator_watch_failures_total", &[]) >= 2.0);
    assert_eq!(probe("healthz").0, 200, "a restart would not help");
}

fn each_alert_uses_what_is_served_and_has_its_page() {
    let mut scene = Scene::new("metrics-alerts");
    let address = start(&mut scene, &[]);
    // A family without a sample is not served, so there must have been a call.
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_ready("demo");
    let served = Scrape::of(address).names();
    let text = fs::read_to_string(repository().join("charts/ack-operator/files/alerts.yaml")).expect("the alerts");
    let alerts: Value = serde_saphyr::from_str(&text).expect("YAML");
    let rules: Vec<_> =
        alerts["groups"].as_array().expect("groups").iter().flat_map(|g| g["rules"].as_array()).flatten().collect();
    assert!(rules.len() >= 3);
    let mut pages = BTreeSet::new();
    for rule in rules {
        let (name, expression) =
            (rule["alert"].as_str().expect("a name"), rule["expr"].as_str().expect("an expression"));
        let named = named(expression);
        assert!(!named.is_empty() && named.is_subset(&served), "{name}: {named:?}");
        assert!(
            rule["for"].is_string()
                && rule["labels"]["severity"].is_string()
                && rule["annotations"]["summary"].is_string()
        );
        let page = format!("docs/runbooks/{name}.md");
        assert_eq!(rule["annotations"]["runbook_url"], *page);
        let words = fs::read_to_string(repository().join(&page)).unwrap_or_default();
        assert!(words.starts_with(&format!("# {name}\n")), "{page}");
        pages.insert(format!("{name}.md"));
    }
    let there = fs::read_dir(repository().join("docs/runbooks")).expect("the pages").flatten();
    assert_eq!(there.map(|page| page.file_name().to_string_lossy().into_owned()).collect::<BTreeSet<_>>(), pages);
}
