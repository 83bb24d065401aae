//! What people do in a run, and when they did what the oracles have to know: they protected the cluster, in the spec or in
//! ACK's console, they deleted it there, or they made a task of it fail.

use std::time::Instant;

use serde_json::{Value, json};

use ::playground::stage::ACCESS_SECRET;

use super::world::{NAME, World};
use crate::cluster::object;

/// Something is so from a moment on that lies between these two.
#[derive(Clone, Copy, Debug)]
pub struct Since<T> {
    pub began: Instant,
    pub ended: Instant,
    pub is: T,
}

/// All that may have been so at any moment from `from` to `to`. `all` is in the order of time.
pub fn during<T: Copy>(all: &[Since<T>], from: Instant, to: Instant) -> Vec<T> {
    let before = all.iter().rposition(|since| since.ended <= from).unwrap_or_default();
    all[before..].iter().filter(|since| since.began <= to).map(|since| since.is).collect()
}

/// What people have done so far.
#[derive(Default)]
pub struct Deeds {
    /// The `deletion_protection` of the stored spec.
    pub words: Vec<Since<Option<bool>>>,
    /// The deletion protection, as somebody switched it in the console, and of which cluster.
    pub console: Vec<(String, Since<bool>)>,
    /// The clusters that were deleted in the console.
    pub deleted: Vec<String>,
    /// The clusters of which a task failed, once for each.
    pub failed: Vec<String>,
}

impl World {
    /// Applies the smallest object with these members of the spec.
    pub fn apply(&self, spec: Value) -> Value {
        self.say(spec["deletion_protection"].as_bool(), || self.scene.apply(&object(&self.scene, NAME, spec)))
    }

    /// Changes these members of the spec.
    pub fn spec(&self, spec: Value) {
        match spec.get("deletion_protection").map(Value::as_bool) {
            Some(word) => self.say(word, || self.scene.merge(NAME, json!({ "spec": spec }))),
            None => self.scene.merge(NAME, json!({ "spec": spec })),
        };
    }

    fn say(&self, word: Option<bool>, write: impl FnOnce() -> Value) -> Value {
        let began = Instant::now();
        let stored = write();
        self.deeds.borrow_mut().words.push(Since { began, ended: Instant::now(), is: word });
        stored
    }

    /// The Secret that the objects name holds this one of the three keys: ours, a newer one of ours, another account's.
    pub fn use_key(&self, number: usize) {
        self.scene.secret(ACCESS_SECRET, &self.keys[number]);
    }

    pub fn key_id(&self, number: usize) -> &str {
        &self.keys[number].id
    }

    pub fn settings(&self, settings: Value) {
        self.scene.emulator.settings(&settings).expect("settings");
    }

    /// What happens to the cluster outside.
    pub fn outside(&self, change: &Value) {
        let cluster = self.living().first().map(|cluster| cluster.id.clone()).unwrap_or_default();
        let began = Instant::now();
        self.scene.emulator.outside(&cluster, change).expect("a living cluster");
        let mut deeds = self.deeds.borrow_mut();
        if let Some(is) = change["deletion_protection"].as_bool() {
            deeds.console.push((cluster.clone(), Since { began, ended: Instant::now(), is }));
        }
        if !change["fail_task"].is_null() {
            deeds.failed.push(cluster.clone());
        }
        if change["delete"] == true {
            deeds.deleted.push(cluster);
        }
    }

    /// A call of that kind waits at the door, and before it is lifted `meanwhile` is done.
    pub fn before_the_call(&mut self, kind: &'static str, start: impl FnOnce(&World), meanwhile: impl FnOnce(&World)) {
        self.book.bar(move |call| call.kind == kind);
        start(self);
        self.until("an operator comes to the call that is barred", |world| world.book.holds().then_some(()));
        meanwhile(self);
        self.book.lift();
    }
}
