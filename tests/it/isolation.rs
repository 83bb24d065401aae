//! Trouble stays where it is: a wrong key, a hanging call, a throttled or refused object cost themselves and nobody else,
//! and each is tried again by its pace. Calls are counted in the emulator's journal.

use std::time::{Duration, Instant};

use ::playground::emulated::Key;
use ::playground::stage::ACCESS_SECRET;
use ack_emulator::JournalEntry;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::object;
use crate::support::{DEADLINE, Scene, eventually, ready};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("isolation":
        an_account_that_hangs_holds_nobody_up_but_itself,
        a_region_that_hangs_holds_no_other_region_up,
        every_trouble_is_tried_again_by_its_pace,
        no_call_is_signed_with_the_key_of_another_account,
        a_region_or_a_call_that_refuses_the_key_is_no_trouble_of_the_others,
        lists_that_do_not_come_whole_are_read_once_for_all_who_wait,
        a_list_of_clusters_without_a_state_is_a_list,
    )
}

/// What is measured in seconds, and so runs alone.
pub fn measured() -> Vec<Trial> {
    trials!("isolation": the_healthy_are_as_quick_beside_trouble_as_alone)
}

/// The protocol's window of these tests; all paces are parts of it, and an hour of the real ones is four windows.
const WINDOW: f64 = 10.0;
const HOUR: f64 = 4.0 * WINDOW;

/// A key of an account of its own, which the emulator knows.
pub fn key(number: usize) -> Key {
    Key {
        id: format!("LTAI5tTrouble{number:04}"),
        secret: format!("a-secret-of-account-number-{number}"),
        account: format!("{}", 1_000_000_000_000_000 + number),
        token: None,
    }
}

/// The smallest object, with the keys of that Secret.
fn with(scene: &Scene, name: &str, secret: &str) -> Value {
    object(scene, name, json!({"credentialsRef": {"name": secret}}))
}

fn calls_of(scene: &Scene, key: &Key) -> Vec<JournalEntry> {
    scene.emulator.journal(0).into_iter().filter(|call| call.access_key == key.id).collect()
}

fn an_account_that_hangs_holds_nobody_up_but_itself() {
    let hung = key(1);
    let mut scene = Scene::with_keys("hung-account", &[(ACCESS_SECRET, Key::default()), ("hung", hung.clone())]);
    scene.fault(json!({"access_key": hung.id, "do": "hang", "every": true}));
    // More of them than passes of one account are run at once, in ten regions.
    for number in 0..100 {
        let region = format!("cn-hung{}", number % 10);
        let spec = json!({"credentialsRef": {"name": "hung"}, "region_id": region});
        scene.apply(&object(&scene, &format!("hung-{number}"), spec));
    }
    scene.start_operator(&[]);
    scene.until("its calls hang", || (!calls_of(&scene, &hung).is_empty()).then_some(()));
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_ready("demo");
    let open = calls_of(&scene, &hung);
    assert!(open.len() <= 4, "{} calls of the account that hangs", open.len());
    assert!(open.iter().all(|call| call.status == 0));
}

fn a_region_that_hangs_holds_no_other_region_up() {
    let scene = Scene::with_operator("hung-region");
    scene.fault(json!({"region": "cn-hung", "do": "hang", "every": true}));
    for number in 0..80 {
        scene.apply(&object(&scene, &format!("hung-{number}"), json!({"region_id": "cn-hung"})));
    }
    let hung = |scene: &Scene| scene.emulator.journal(0).iter().filter(|call| call.region == "cn-hung").count();
    scene.until("its calls hang", || (hung(&scene) > 0).then_some(()));
    let began = Instant::now();
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_ready("demo");
    assert!(began.elapsed() < Duration::from_secs(30), "it waited for a call to time out");
    assert!(hung(&scene) <= 4);
}

/// How many passes a trouble takes within `seconds`, whose pace doubles from a 180th of the window to a third of it.
fn doubling(seconds: f64) -> f64 {
    let (mut passes, mut at, mut pace) = (1.0, 0.0, WINDOW / 180.0);
    loop {
        at += pace.min(WINDOW / 3.0);
        if at > seconds {
            return passes;
        }
        (passes, pace) = (passes + 1.0, pace * 2.0);
    }
}

/// A kind of trouble: what goes wrong, and how many calls it may take within so many seconds.
struct Kind {
    name: &'static str,
    /// `None`: ACK does not know its key.
    fault: Option<Value>,
    bound: fn(f64) -> f64,
    /// The reason that the object shows in the end.
    reason: &'static str,
}

fn answer(status: u16, code: &str) -> Value {
    json!({"do": {"status": status, "code": code, "message": "as the test says"}})
}

fn kinds() -> Vec<Kind> {
    let kind = |name, reason, bound, fault| Kind { name, fault: Some(fault), bound, reason };
    let retried: fn(f64) -> f64 = |t| 3.0 * doubling(t);
    let told = json!({"do": {"status": 429, "code": "Throttling.User", "headers": {"x-acs-retry-after": "1500"}}});
    let create = |status, code| {
        let mut fault = answer(status, code);
        fault["operation"] = "CreateCluster".into();
        fault
    };
    // A list before and a list after each attempt, the attempt, and STS once.
    let attempts: fn(f64) -> f64 = |t| 1.0 + 3.0 * (t / (WINDOW * 2.0 / 3.0)).ceil();
    vec![
        // Keys that ACK does not know are not tried for a third of the window.
        Kind {
            name: "wrong-key",
            fault: None,
            bound: |t| (t / (WINDOW / 3.0)).ceil() + 1.0,
            reason: "InvalidCredentials",
        },
        kind(
            "inactive-key",
            "InvalidCredentials",
            |t| (t / (WINDOW / 3.0)).ceil() + 1.0,
            answer(403, "InvalidAccessKeyId.Inactive"),
        ),
        kind("no-permission", "PermissionDenied", |t| (t / (WINDOW / 3.0)).ceil() + 1.0, answer(403, "Forbidden.RAM")),
        kind("throttled", "Throttled", retried, answer(429, "Throttling.User")),
        kind("throttled-and-told", "Throttled", |t| (t / 1.5).ceil() + 1.0, told),
        kind("down", "Unreachable", retried, answer(503, "ServiceUnavailable")),
        kind("cut", "Unreachable", retried, json!({"do": "drop"})),
        kind("a-page", "Unreachable", retried, json!({"do": {"status": 200, "body": "<html>hotel</html>"}})),
        kind("clock", "ClockSkew", |t| 2.0 * doubling(t), answer(400, "InvalidTimeStamp.Expired")),
        // A call that hangs takes as long as its client's patience, 30 s whatever the window is.
        kind("hangs", "Unreachable", |t| (t / 30.0).ceil() + 1.0, json!({"do": "hang"})),
        kind("refused", "InvalidSpec", attempts, create(400, "InvalidParameter.VpcId")),
        kind("no-quota", "QuotaExceeded", attempts, create(400, "QuotaExceeded.Cluster")),
    ]
}

fn every_trouble_is_tried_again_by_its_pace() {
    let kinds = kinds();
    let keys: Vec<_> = (0..kinds.len()).map(|number| key(100 + number)).collect();
    let known = |(kind, key): (&Kind, &Key)| kind.fault.is_some().then(|| (kind.name, key.clone()));
    let secrets: Vec<_> = kinds.iter().zip(&keys).filter_map(known).collect();
    let mut scene = Scene::with_keys("paces", &secrets);
    for (kind, key) in kinds.iter().zip(&keys) {
        match kind.fault.clone() {
            Some(mut fault) => {
                fault["access_key"] = key.id.as_str().into();
                fault["every"] = true.into();
                scene.fault(fault);
            }
            None => scene.secret(kind.name, key),
        }
    }
    scene.start_operator(&[]);
    for kind in &kinds {
        scene.apply(&with(&scene, kind.name, kind.name));
    }
    let began = Instant::now();
    scene.until("an hour has passed", || (began.elapsed().as_secs_f64() >= HOUR).then_some(()));
    let (journal, seconds) = (scene.emulator.journal(0), began.elapsed().as_secs_f64());
    let writes = scene.operator_writes();
    let mut wrong = vec![];
    for (kind, key) in kinds.iter().zip(&keys) {
        let Kind { name, bound, reason, .. } = kind;
        let calls = journal.iter().filter(|call| call.access_key == key.id).count();
        let written = writes.iter().filter(|write| write["objectRef"]["name"] == *name).count();
        // What it shows in the end: for a moment of each attempt it is `Creating`.
        let object = scene.wait_for_reason(name, reason);
        let most = bound(seconds);
        println!("{name}: {calls} calls (at most {most}), {written} writes, {reason}");
        // An attempt is sealed, closed and told of; all else is said once, after the finalizer.
        let attempted = ["InvalidSpec", "QuotaExceeded"].contains(reason);
        let most_writes = if attempted { 1.0 + most } else { 2.0 };
        if calls == 0 || calls as f64 > most || written as f64 > most_writes {
            wrong.push(format!("{name}: {calls} calls, {written} writes, {reason}: {object:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn no_call_is_signed_with_the_key_of_another_account() {
    let keys = [key(1), key(2)];
    let secrets: Vec<_> = ["first", "second"].into_iter().zip(keys.clone()).collect();
    let mut scene = Scene::with_keys("two-accounts", &secrets);
    scene.emulator.settings(&json!({"create_time": "10m"})).unwrap();
    scene.fault(json!({"do": {"delay": "100ms"}, "every": true}));
    scene.start_operator(&["--poll-busy", "50ms", "--poll-idle", "500ms"]);
    for number in 0..40 {
        let secret = secrets[number % 2].0;
        let region = format!("cn-part{}", number / 2 % 5);
        let spec = json!({"credentialsRef": {"name": secret}, "region_id": region});
        scene.apply(&object(&scene, &format!("{secret}-{number}"), spec));
    }
    scene.until("all are made", || (scene.emulator.ledger().len() == 40).then_some(()));
    // Without lists each cluster is read by itself.
    const LIST: &str = "DescribeClustersForRegion";
    let forbidden = json!({"status": 403, "body": {"code": "Forbidden.RAM", "message": "no right to list"}});
    scene.fault(json!({"operation": LIST, "every": true, "do": forbidden}));
    const CALLS: usize = 5_000;
    // They take a quarter of a minute on a machine that does nothing else.
    eventually(
        "five thousand calls",
        DEADLINE * 3,
        || (!scene.emulator.journal(CALLS).is_empty()).then_some(()),
        || format!("{} calls", scene.emulator.journal(0).len()),
    );
    let ledger = scene.emulator.ledger();
    assert_eq!(ledger.len(), 40);
    for cluster in &ledger {
        let of = usize::from(cluster.name.starts_with("second"));
        assert_eq!(cluster.account, keys[of].account, "{}", cluster.name);
    }
    let mut told = 0;
    for call in scene.emulator.journal(0) {
        assert!(keys.iter().any(|key| (&key.id, &key.account) == (&call.access_key, &call.account)), "{call:?}");
        // The cluster that a call names belongs to the account that signed it; what names a task of another account
        // would be answered as unknown.
        let named = ledger.iter().find(|cluster| call.path.contains(&cluster.id));
        assert!(named.is_none_or(|cluster| cluster.account == call.account), "{call:?}");
        assert!(matches!(call.status, 0 | 200) || call.operation == LIST, "{call:?}");
        told += usize::from(named.is_some());
    }
    println!("{told} calls named a cluster");
    assert!(told > CALLS / 5);
}

/// One region does not know the key, as happens where it was never enabled; one object's kubeconfig is refused with a 401.
fn a_region_or_a_call_that_refuses_the_key_is_no_trouble_of_the_others() {
    let scene = Scene::with_operator("bad-region");
    scene.apply(&scene.smallest("well"));
    let since = scene.wait_for_reason("well", "Running");
    let unknown = json!({"status": 404, "code": "InvalidAccessKeyId.NotFound", "message": "not known here"});
    scene.fault(json!({"region": "cn-odd", "every": true, "do": unknown}));
    let unauthorized = json!({"status": 401, "body": {"code": "401", "message": "not you"}});
    scene.fault(json!({"operation": "DescribeClusterUserKubeconfig", "every": true, "do": unauthorized}));
    scene.apply(&object(&scene, "odd", json!({"region_id": "cn-odd"})));
    scene.apply(&object(&scene, "kubeless", json!({"kubeconfigSecretRef": {"name": "kube"}})));
    scene.wait_for_reason("odd", "InvalidCredentials");
    scene.until("its kubeconfig is refused", || (scene.calls("DescribeClusterUserKubeconfig") >= 1).then_some(()));
    let written = scene.operator_writes().len();
    for round in 0..5 {
        // A change of "well" needs every call to go through, while the others go on failing.
        let zone = if round % 2 == 0 { "Europe/Berlin" } else { "Asia/Shanghai" };
        let failed = || {
            let calls = scene.emulator.journal(0);
            calls.iter().filter(|call| call.region == "cn-odd" || call.status == 401).count()
        };
        let before = failed();
        scene.annotate("odd", "reconcile-at", &round.to_string());
        scene.annotate("kubeless", "reconcile-at", &round.to_string());
        scene.until("they fail again", || (failed() > before).then_some(()));
        scene.merge("well", json!({"spec": {"timezone": zone}}));
        scene.until("the change is made", || {
            scene.emulator.ledger().iter().any(|c| c.name == "well" && c.shown["timezone"] == zone).then_some(())
        });
    }
    let well = scene.get("well").unwrap();
    assert_eq!(ready(&well).unwrap()["lastTransitionTime"], ready(&since).unwrap()["lastTransitionTime"], "{well:#}");
    let writes = scene.operator_writes();
    let told: Vec<_> = writes[written..]
        .iter()
        .filter(|write| write["objectRef"]["name"] == "well")
        .filter_map(|write| write["requestObject"]["status"]["conditions"].as_array())
        .map(|conditions| conditions.iter().find(|c| c["type"] == "Ready").expect("Ready"))
        .map(|ready| (ready["status"].clone(), ready["reason"].clone()))
        .collect();
    let blamed = |(truth, reason): &(Value, Value)| truth != "True" || reason == "InvalidCredentials";
    assert!(!told.is_empty() && !told.iter().any(blamed), "{told:?}");
}

/// How often lists were read since, and for how long.
fn lists_since(scene: &Scene, journal: usize, began: Instant) -> (usize, f64) {
    let lists = scene.emulator.journal(journal).iter().filter(|c| c.operation == "DescribeClustersForRegion").count();
    (lists, began.elapsed().as_secs_f64())
}

/// Waits until no list that was read before now is fresh enough to be used.
fn outdated(scene: &Scene) {
    let old = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(6);
    scene.until("the last list is a new one", || {
        let calls = scene.emulator.journal(0);
        let mut lists = calls.iter().filter(|call| call.operation == "DescribeClustersForRegion");
        let last = lists.next_back()?.received.parse::<jiff::Timestamp>().expect("a time");
        (last > old).then_some(())
    });
}

/// Twenty objects wait for a list that does not come whole and takes its time. A running one beside them is deleted as if they
/// were not there: a glance waits for no proof.
fn lists_that_do_not_come_whole_are_read_once_for_all_who_wait() {
    let scene = Scene::with_operator("torn-for-all");
    scene.apply(&scene.smallest("well"));
    scene.wait_for_reason("well", "Running");
    scene.emulator.settings(&json!({"lists": "overcount"})).unwrap();
    scene.fault(json!({"operation": "DescribeClustersForRegion", "every": true, "do": {"delay": "300ms"}}));
    outdated(&scene);
    let names: Vec<_> = (0..20).map(|number| format!("waits-{number}")).collect();
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_reason(name, "Unreachable")));
    let (journal, began) = (scene.emulator.journal(0).len(), Instant::now());
    scene.delete("well");
    scene.until("the deletion is asked for", || (scene.calls("DeleteCluster") == 1).then_some(()));
    let (lists, _) = lists_since(&scene, journal, began);
    assert!(lists <= 12, "the deletion waited for {lists} lists");
    scene.until("ten lists more", || (lists_since(&scene, journal, began).0 >= lists + 10).then_some(()));
    let (lists, seconds) = lists_since(&scene, journal, began);
    // One list is under way at a time, and those who come meanwhile share the next one.
    assert!(lists as f64 <= 2.0 * seconds / 0.3 + 6.0, "{lists} lists in {seconds:.1} s for {} objects", names.len());
    assert_eq!(scene.calls("CreateCluster"), 1, "nothing is sealed");
    scene.emulator.clear_faults();
    scene.emulator.settings(&json!({"lists": "whole"})).unwrap();
    scene.wait_until_gone("well");
    names.iter().for_each(|name| drop(scene.wait_for_ready(name)));
}

fn a_list_of_clusters_without_a_state_is_a_list() {
    let scene = Scene::with_operator("stateless");
    scene.apply(&scene.smallest("first"));
    scene.wait_for_reason("first", "Running");
    scene.fault(json!({"operation": "DescribeClustersForRegion", "every": true, "do": {"mangle": "no_state"}}));
    outdated(&scene);
    let (journal, began) = (scene.emulator.journal(0).len(), Instant::now());
    let names: Vec<_> = (0..10).map(|number| format!("demo-{number}")).collect();
    names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
    names.iter().for_each(|name| drop(scene.wait_for_ready(name)));
    let (lists, seconds) = lists_since(&scene, journal, began);
    assert_eq!((scene.clusters_made(), scene.calls("CreateCluster")), (11, 11));
    assert!(lists as f64 <= 10.0 * seconds + 20.0, "{lists} lists in {seconds:.1} s");
}

fn the_healthy_are_as_quick_beside_trouble_as_alone() {
    let bad = ["wrong-key", "hangs", "throttled", "refused"];
    let keys = [key(0), key(1), key(2), key(3)];
    let mut secrets = vec![(ACCESS_SECRET, Key::default())];
    secrets.extend(bad.into_iter().zip(keys.clone()).skip(1));
    let mut scene = Scene::with_keys("beside-trouble", &secrets);
    scene.secret(bad[0], &keys[0]);
    let refused = json!({"operation": "CreateCluster", "do": answer(400, "InvalidParameter.VpcId")["do"]});
    for (key, mut fault) in keys[1..].iter().zip([json!({"do": "hang"}), answer(429, "Throttling.User"), refused]) {
        fault["access_key"] = key.id.as_str().into();
        fault["every"] = true.into();
        scene.fault(fault);
    }
    scene.start_operator(&[]);
    // Until the slowest of 16 runs. What else slows the machine differs from round to round, so the quickest counts.
    let round = |scene: &Scene, round: &str| {
        let names: Vec<_> = (0..16).map(|number| format!("{round}-{number}")).collect();
        let began = Instant::now();
        names.iter().for_each(|name| drop(scene.apply(&scene.smallest(name))));
        names.iter().for_each(|name| drop(scene.wait_for_ready(name)));
        began.elapsed().as_secs_f64()
    };
    let alone = round(&scene, "alone-a").min(round(&scene, "alone-b"));
    bad.iter().for_each(|name| drop(scene.apply(&with(&scene, name, name))));
    let mut beside = f64::INFINITY;
    for name in ["beside-a", "beside-b", "beside-c", "beside-d", "beside-e"] {
        beside = beside.min(round(&scene, name));
        if beside <= alone * 1.2 {
            break;
        }
    }
    println!("the slowest of 16: {alone:.2} s alone, {beside:.2} s beside trouble");
    for name in bad {
        let object = scene.get(name).expect("the object");
        assert!(ready(&object).is_none_or(|ready| ready["status"] != "True"), "{name} is no trouble: {object:#}");
    }
    assert!(beside <= alone * 1.2, "{alone:.2} s alone, {beside:.2} s beside trouble");
}
