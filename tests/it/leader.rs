//! Two operators of which one works: a killed leader, one that slept, a lease that was taken or deleted, a hand-over. Each
//! has keys of its own, so the emulator's journal tells who called. That there is one cluster never depended on any of it.

use std::time::Instant;

use ::playground::emulated::Key;
use ::playground::keeper::Signal;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Scene, eventually};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("leader":
        who_waits_is_ready_and_calls_nobody,
        a_killed_leader_is_followed_by_the_next,
        a_leader_that_slept_through_its_lease_stops,
        a_leader_that_slept_without_a_rival_goes_on,
        a_leader_whose_lease_is_taken_stops,
        a_deleted_lease_has_one_holder_again,
        a_leader_that_is_told_to_stop_hands_over_at_once,
    )
}

const FLAGS: [&str; 4] = ["--leader-election", "--leader-election-namespace", "", "--poll-idle"];

struct Pair(Scene);

impl Pair {
    /// Two operators, of which the first leads, and an object whose cluster is made.
    fn new(name: &str) -> Pair {
        let keys: Vec<_> = (0..2).map(Pair::key).collect();
        let secrets: Vec<_> = ["first", "second"].into_iter().zip(keys).collect();
        let mut pair = Pair(Scene::with_keys(name, &secrets));
        pair.0.allow_leases();
        pair.start(0);
        pair.0.until("the first one leads", || pair.holder().map(drop));
        pair.start(1);
        let mut object = pair.0.smallest("demo");
        object["spec"].as_object_mut().expect("a spec").remove("credentialsRef");
        pair.0.apply(&object);
        pair.0.wait_for_ready("demo");
        pair
    }

    fn key(number: usize) -> Key {
        Key { id: format!("LTAI5tLeader{number}"), ..Key::default() }
    }

    fn start(&mut self, number: usize) {
        self.0.operator.key = Some(Pair::key(number));
        let namespace = self.0.namespace.clone();
        let mut flags = FLAGS;
        flags[2] = &namespace;
        let own = ["--default-credentials-namespaces", &namespace];
        self.0.start_operator(&[&flags[..], &["500ms"], &own].concat());
    }

    fn lease(&self) -> Option<Value> {
        let text = self.0.kubectl(&["get", "lease", "ack-operator", "--ignore-not-found", "-o", "json"]);
        serde_json::from_str(&text).ok()
    }

    /// Who holds the lease; `None`: nobody.
    fn holder(&self) -> Option<String> {
        self.lease()?["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty()).map(str::to_owned)
    }

    /// How many calls came with the key of that operator.
    fn calls(&self, number: usize) -> usize {
        let key = Pair::key(number).id;
        self.0.emulator.journal(0).iter().filter(|call| call.access_key == key).count()
    }

    fn until_called(&self, number: usize) -> Instant {
        let before = self.calls(number);
        self.0.until("the other one works", || (self.calls(number) > before).then(Instant::now))
    }

    fn until_ended(&mut self, number: usize) {
        let ended = || (!self.0.operator_runs(number)).then_some(());
        eventually("the one that lost the lease ends", DEADLINE, ended, String::new);
    }

    /// Another holder, as another process would write it.
    fn take(&self) {
        let now = self.lease().expect("a lease")["spec"]["renewTime"].clone();
        let spec = json!({"holderIdentity": "somebody", "renewTime": now, "leaseDurationSeconds": 15});
        let patch = json!({"spec": spec}).to_string();
        self.0.kubectl(&["patch", "lease", "ack-operator", "--type=merge", "-p", &patch]);
    }

    /// One cluster ever, and it still does its work.
    fn one_cluster(&self) {
        self.0.merge("demo", json!({"spec": {"deletion_protection": true}}));
        self.0.until("the leader works", || self.0.emulator.ledger()[0].protected.then_some(()));
        assert_eq!((self.0.clusters_made(), self.0.calls("CreateCluster")), (1, 1));
    }
}

fn who_waits_is_ready_and_calls_nobody() {
    // Started, so ready: the harness waits for that.
    let pair = Pair::new("leader-waits");
    let leader = pair.holder();
    let before = pair.calls(0);
    pair.0.until("some more polls", || (pair.calls(0) > before + 20).then_some(()));
    assert_eq!(pair.calls(1), 0);
    assert_eq!(pair.holder(), leader, "the hold lasts");
    assert_eq!(pair.lease().expect("a lease")["spec"]["leaseDurationSeconds"], 15);
    pair.one_cluster();
}

fn a_killed_leader_is_followed_by_the_next() {
    let mut pair = Pair::new("leader-killed");
    assert_eq!(pair.calls(1), 0);
    pair.0.kill_operator(0);
    let killed = Instant::now();
    let gap = pair.until_called(1) - killed;
    println!("killed leader: {:.1} s until the next one called ACK", gap.as_secs_f64());
    let transitions = pair.lease().expect("a lease")["spec"]["leaseTransitions"].clone();
    assert_eq!(transitions, 1);
    pair.one_cluster();
}

fn a_leader_that_slept_through_its_lease_stops() {
    let mut pair = Pair::new("leader-slept");
    pair.0.signal_operator(0, Signal::STOP);
    let stopped = Instant::now();
    let gap = pair.until_called(1) - stopped;
    println!("stopped leader: {:.1} s until the next one called ACK", gap.as_secs_f64());
    let before = pair.calls(0);
    pair.0.signal_operator(0, Signal::CONT);
    pair.until_ended(0);
    let after = pair.calls(0) - before;
    println!("stopped leader: {after} calls after it woke");
    // A pass that was under way may end; each takes a few calls, and there is one object.
    assert!(after <= 6, "{after} calls");
    assert!(pair.0.logs().contains("the lease ack-operator is lost"));
    pair.one_cluster();
}

fn a_leader_that_slept_without_a_rival_goes_on() {
    let mut pair = Pair::new("leader-alone");
    pair.0.kill_operator(1);
    pair.0.signal_operator(0, Signal::STOP);
    pair.0.until("its hold is over by its own rules", || {
        let renewed = pair.lease()?["spec"]["renewTime"].as_str()?.parse::<jiff::Timestamp>().ok()?;
        (jiff::Timestamp::now().duration_since(renewed).as_secs() > 12).then_some(())
    });
    let before = pair.calls(0);
    pair.0.signal_operator(0, Signal::CONT);
    pair.0.until("it looks at what it has, again and again", || (pair.calls(0) > before + 5).then_some(()));
    assert!(pair.0.operator_runs(0));
    pair.one_cluster();
}

fn a_leader_whose_lease_is_taken_stops() {
    let mut pair = Pair::new("leader-taken");
    pair.take();
    pair.until_ended(0);
    pair.until_called(1);
    let journal = pair.0.emulator.journal(0);
    let callers: Vec<_> = journal.iter().map(|call| call.access_key == Pair::key(1).id).collect();
    assert!(callers.is_sorted(), "both called");
    pair.one_cluster();
}

fn a_deleted_lease_has_one_holder_again() {
    let mut pair = Pair::new("leader-deleted");
    let leader = pair.holder();
    pair.0.kubectl(&["delete", "lease", "ack-operator"]);
    // Either of them: whoever came first.
    let holder = pair.0.until("somebody holds it", || pair.holder());
    if leader == Some(holder) {
        assert!(pair.0.operator_runs(0) && pair.calls(1) == 0);
    } else {
        pair.until_ended(0);
        pair.until_called(1);
    }
    pair.one_cluster();
}

fn a_leader_that_is_told_to_stop_hands_over_at_once() {
    let mut pair = Pair::new("leader-stops");
    // A third one, as a rolling update has it.
    pair.start(1);
    let told = Instant::now();
    assert!(pair.0.stop_operator(0));
    let gap = pair.until_called(1) - told;
    println!("hand-over: {:.1} s from SIGTERM until the next one called ACK", gap.as_secs_f64());
    assert!(pair.0.logs().contains("let the lease go"), "it did not wait for the end of the lease");
    pair.one_cluster();
}
