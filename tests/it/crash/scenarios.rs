//! What users do, one row a scenario: its name, its steps, and what must be so in the end. The steps hold under every cut.

use serde_json::{Value, json};

use super::judge::End;
use super::plan::{Plan, Trust};
use super::world::{NAME, World, has_id, has_reason};
use crate::cluster::{id, tag};

pub struct Scenario {
    pub name: &'static str,
    /// Its runs have these in turn.
    pub trusts: &'static [Trust],
    /// Starts the world and does what users do; calls count from where it says `begin`.
    pub story: fn(&str, Plan) -> World,
    pub end: End,
}

const fn row(name: &'static str, story: fn(&str, Plan) -> World, end: End) -> Scenario {
    Scenario { name, trusts: &[Trust::Flag, Trust::Neighbour], story, end }
}

/// A scenario in which no list proves that there is no cluster.
const fn alone(name: &'static str, story: fn(&str, Plan) -> World, end: End) -> Scenario {
    Scenario { name, trusts: &[Trust::Nothing], story, end }
}

pub static ALL: &[Scenario] = &[
    row("plain-create", plain_create, End::RUNNING),
    row("found-at-start", found_at_start, End::RUNNING),
    row("plain-delete", plain_delete, End::GONE),
    row("refused-then-corrected", refused_then_corrected, End::RUNNING),
    row("deleted-before-the-post", deleted_before_the_post, End { made: 0..=1, ..End::GONE }),
    row("deleted-during-create", deleted_during_create, End::GONE),
    row("deleted-and-recreated", deleted_and_recreated, End { made: 2..=2, ..End::RUNNING }),
    row("edited-during-create", edited_during_create, End::RUNNING),
    row("changed", changed, End::RUNNING),
    row("change-refused", change_refused, End::RUNNING),
    row("change-not-shown", change_not_shown, End { reasons: &["SpecDiffers"], ..End::RUNNING }),
    row("adopted", adopted, End::RUNNING),
    row("adopted-then-deleted", adopted_then_deleted, End::GONE),
    row("protected-then-deleted", protected_then_deleted, End::GONE),
    row("protected-in-spec", protected_in_spec, End::PROTECTED),
    row("protected-in-console", protected_in_console, End::PROTECTED),
    row("delete-failed", delete_failed, End::GONE),
    row("secret-rotated", secret_rotated, End::RUNNING),
    row("other-account", other_account, End::RUNNING),
    row("handed-over", handed_over, End::RUNNING),
    row("throttled-and-lagging", throttled_and_lagging, End::RUNNING),
    row("retained", retained, End { living: 1..=1, kept: true, ..End::GONE }),
    row("kubeconfig-renewed", kubeconfig_renewed, End::RUNNING),
    row("failed-then-recreated", failed_then_recreated, End { made: 2..=2, ..End::RUNNING }),
    row("vanished", vanished, End { reasons: &["ClusterGone"], living: 0..=0, ..End::RUNNING }),
    alone("create-alone", plain_create, End::UNKNOWN),
    alone(
        "hidden-alone",
        hidden_alone,
        End { reasons: &["PermissionDenied", "ListNotTrusted"], kept: true, ..End::UNKNOWN },
    ),
    alone("confirmed-alone", confirmed_alone, End::RUNNING),
];

/// A world whose calls count from its first moment.
fn begun(name: &str, plan: Plan) -> World {
    let mut world = World::with_operator(name, plan);
    world.begin();
    world
}

/// A world with a running cluster, whose calls count from then on.
fn running(name: &str, plan: Plan, spec: Value) -> World {
    let mut world = World::with_operator(name, plan);
    world.apply(spec);
    world.wait_for_reason("Running");
    world.settle("the cluster runs", |_| true);
    world.begin();
    world
}

/// An object that is deleted until it is gone.
fn delete(world: &mut World) {
    world.scene.delete(NAME);
    world.wait_until_gone();
}

fn plain_create(name: &str, plan: Plan) -> World {
    let world = begun(name, plan);
    world.apply(json!({}));
    world
}

/// The process starts where an object waits for it, so that its start is cut too.
fn found_at_start(name: &str, plan: Plan) -> World {
    let mut world = World::without_operator(name, plan);
    world.apply(json!({}));
    world.begin();
    world.start_operator();
    world
}

fn plain_delete(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({}));
    delete(&mut world);
    world
}

fn refused_then_corrected(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    let refusal = json!({"status": 400, "code": "InvalidParameter.VswitchIds", "message": "no such vSwitch"});
    world.scene.fault(json!({"operation": "CreateCluster", "every": true, "do": refusal}));
    world.apply(json!({}));
    world.wait_for_reason("InvalidSpec");
    world.scene.emulator.clear_faults();
    world.spec(json!({"vswitch_ids": ["vsw-corrected"]}));
    world
}

fn deleted_before_the_post(name: &str, plan: Plan) -> World {
    let mut world = World::with_operator(name, plan);
    // The event that is told between seal and request waits until the user has deleted the object.
    world.book.bar(|call| call.is("POST", "events"));
    world.begin();
    world.apply(json!({}));
    world.wait("an intent is sealed", |object| !object["status"]["createIntents"][0]["nonce"].is_null());
    world.scene.delete(NAME);
    world.book.lift();
    world.wait_until_gone();
    world
}

fn deleted_during_create(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    world.apply(json!({}));
    world.wait_until_made();
    delete(&mut world);
    world
}

fn deleted_and_recreated(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let first = uid(&world.apply(json!({})));
    world.wait_until_made();
    world.scene.delete(NAME);
    // An apply that comes too early only touches the object that goes.
    world.until("the name is free again", |world| (uid(&world.apply(json!({}))) != first).then_some(()));
    world
}

fn edited_during_create(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.scene.fault(json!({"operation": "CreateCluster", "when": "after", "do": {"delay": "1s"}}));
    world.apply(json!({}));
    world.wait_until_made();
    world.spec(json!({"deletion_protection": true}));
    world.until("the cloud protects the cluster", |world| world.living().first()?.protected.then_some(()));
    world
}

fn changed(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"timezone": "Asia/Shanghai"}));
    world.spec(json!({"timezone": "Europe/Berlin", "tags": [{"key": "team", "value": "red"}]}));
    world.until("the cloud has the timezone and the tag", |world| {
        let cluster = world.living().into_iter().next()?;
        (cluster.shown["timezone"] == "Europe/Berlin" && tag(&cluster, "team") == Some("red")).then_some(())
    });
    world
}

/// ACK finds a change wrong until it is asked again.
fn change_refused(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"timezone": "Asia/Shanghai"}));
    let refusal = json!({"status": 400, "code": "InvalidParameter.Timezone", "message": "no such timezone"});
    world.scene.fault(json!({"operation": "ModifyCluster", "every": true, "do": refusal}));
    world.spec(json!({"timezone": "Europe/Berlin"}));
    world.wait_for_reason("UpdateFailed");
    world.scene.emulator.clear_faults();
    world.until("the cloud has the timezone", |world| {
        (world.living().first()?.shown["timezone"] == "Europe/Berlin").then_some(())
    });
    world
}

/// ACK takes a change and never shows it.
fn change_not_shown(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"timezone": "Asia/Shanghai"}));
    let taken = json!({"status": 202, "body": r#"{"task_id":"T-0","request_id":"R-0"}"#});
    world.scene.fault(json!({"operation": "ModifyCluster", "every": true, "do": taken}));
    world.spec(json!({"timezone": "Europe/Berlin"}));
    world.wait_for_reason("SpecDiffers");
    world
}

/// A world with a cluster that nobody's marks are on, and an object that adopts it. Beside it one of ours lives: an
/// adopted cluster has no task of ours, so without that a process that never saw it could not tell gone from elsewhere.
fn adopting(name: &str, plan: Plan, spec: Value) -> World {
    let mut world = World::with_operator(name, plan);
    world.apply(json!({"deletionPolicy": "Retain"}));
    let cluster = id(&world.wait_for_reason("Running"));
    delete(&mut world);
    world.outside(&json!({"tags": []}));
    world.add_neighbour();
    world.settle("the first object is gone", |_| true);
    world.begin();
    let mut spec = spec;
    spec["adoptClusterId"] = cluster.into();
    world.apply(spec);
    world
}

fn adopted(name: &str, plan: Plan) -> World {
    adopting(name, plan, json!({}))
}

fn adopted_then_deleted(name: &str, plan: Plan) -> World {
    let mut world = adopting(name, plan, json!({"deletionPolicy": "Delete", "deletion_protection": false}));
    world.wait("the cluster is adopted", has_id);
    delete(&mut world);
    world
}

fn protected_then_deleted(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"deletion_protection": false}));
    world.spec(json!({"deletion_protection": true}));
    world.until("the cloud protects the cluster", |world| world.living().first()?.protected.then_some(()));
    world.scene.delete(NAME);
    world.wait_for_reason("DeletionProtected");
    assert_eq!(world.living().len(), 1, "a protected cluster was deleted");
    world.spec(json!({"deletion_protection": false}));
    lift(&mut world);
    world
}

/// Waits until the object is gone. A lowering that may have taken effect is not repeated without a new word, so where that call
/// was cut the object asks for one: somebody says true, and false again once that is seen.
fn lift(world: &mut World) {
    let seen = |object: &Value| object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let waits = |object: &Value| has_reason(object, "DeletionProtected") && seen(object);
    while !world.until("the object is gone or asks for a word", |world| match world.get() {
        None => Some(true),
        Some(object) => waits(&object).then_some(false),
    }) {
        world.spec(json!({"deletion_protection": true}));
        world.wait("the new word is seen", seen);
        world.spec(json!({"deletion_protection": false}));
    }
}

/// The spec protects the cluster while an operator that has judged otherwise is about to ask for its deletion: that pass lists
/// what the deletion leaves, right before its last look and its guarded write.
fn protected_in_spec(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"deletion_protection": false}));
    let delete = |world: &World| world.scene.delete(NAME);
    world.before_the_call("DescribeClusterResources", delete, |world| world.spec(json!({"deletion_protection": true})));
    world.wait_for_reason("DeletionProtected");
    world.until("the cloud protects the cluster", |world| world.living().first()?.protected.then_some(()));
    world
}

/// The same in the console, whose word is younger than the spec's.
fn protected_in_console(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({"deletion_protection": false}));
    let delete = |world: &World| world.scene.delete(NAME);
    let protect = |world: &World| world.outside(&json!({"deletion_protection": true}));
    world.before_the_call("DescribeClusterResources", delete, protect);
    world.wait_for_reason("DeletionProtected");
    world
}

/// These keys may not see the cluster that they make, so a list without it proves nothing.
fn hidden_alone(name: &str, plan: Plan) -> World {
    let world = begun(name, plan);
    world.settings(json!({"visible_only": {world.key_id(0): ["another"]}}));
    world.apply(json!({}));
    world
}

/// Where the outcome stays unknown, somebody looks into the console, finds no cluster, and says so.
fn confirmed_alone(name: &str, plan: Plan) -> World {
    let mut world = plain_create(name, plan);
    world.until("the cluster runs, or somebody has said that there is none", |world| {
        let object = world.get()?;
        if has_reason(&object, "ListNotTrusted") && world.living().is_empty() {
            world.scene.annotate(NAME, "confirm-absent", object["status"]["createIntents"][0]["nonce"].as_str()?);
        }
        has_reason(&object, "Running").then_some(())
    });
    world
}

fn delete_failed(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({}));
    world.settings(json!({"delete_time": "1h"}));
    world.scene.delete(NAME);
    world.until("the cluster is being deleted", |world| (world.living().first()?.state == "deleting").then_some(()));
    world.outside(&json!({"fail_task": {"code": "DependencyViolation.Resource", "message": "vsw-x is still in use"}}));
    world.settings(json!({"delete_time": "1s"}));
    world.wait_until_gone();
    world
}

fn secret_rotated(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.apply(json!({}));
    world.wait_until_made();
    world.use_key(1);
    let old = world.key_id(0).to_owned();
    world.settings(json!({"inactive_keys": [old]}));
    world
}

fn other_account(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.apply(json!({}));
    world.wait_until_made();
    world.use_key(2);
    world.wait_for_reason("AccountChanged");
    world.use_key(0);
    world
}

fn handed_over(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.apply(json!({}));
    world.wait_until_made();
    world.start_operator();
    world.retire(0);
    world
}

/// The first request is refused for the moment, lists are refused and late, and tags are late.
fn throttled_and_lagging(name: &str, plan: Plan) -> World {
    let world = begun(name, plan);
    world.settings(json!({"list_lag": "1500ms", "tags_visible": "late"}));
    let throttled = json!({"status": 429, "code": "Throttling.User"});
    world.scene.fault(json!({"operation": "CreateCluster", "do": throttled}));
    for nth in [1, 3, 4] {
        world.scene.fault(json!({"operation": "DescribeClustersForRegion", "nth": nth, "do": throttled}));
    }
    world.apply(json!({}));
    world
}

fn retained(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.apply(json!({"deletionPolicy": "Retain"}));
    world.wait_for_reason("Running");
    delete(&mut world);
    world
}

fn kubeconfig_renewed(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({}));
    // 15 minutes last 12 s at first, and then long enough.
    world.settings(json!({"kubeconfig_minute": "800ms"}));
    let ends = |object: &Value| object["status"]["kubeconfigSecretRef"]["expiresAt"].as_str().unwrap_or("").to_owned();
    world.spec(json!({"kubeconfigSecretRef": {"name": "demo-kubeconfig", "validMinutes": 15}}));
    let first = ends(&world.wait("a kubeconfig is published", |object| !ends(object).is_empty()));
    world.settings(json!({"kubeconfig_minute": "60s"}));
    world.wait("it is renewed", |object| ends(object) > first && has_reason(object, "Running"));
    world
}

fn failed_then_recreated(name: &str, plan: Plan) -> World {
    let mut world = begun(name, plan);
    world.settings(json!({"create_time": "1h"}));
    world.apply(json!({}));
    let cluster = id(&world.wait("an id", has_id));
    world.outside(&json!({"fail_task": true}));
    world.settings(json!({"create_time": "2s"}));
    world.wait_for_reason("CreateFailed");
    world.scene.annotate(NAME, "recreate", &cluster);
    world.wait("another cluster", |object| has_id(object) && id(object) != cluster);
    world
}

fn vanished(name: &str, plan: Plan) -> World {
    let mut world = running(name, plan, json!({}));
    world.outside(&json!({"delete": true}));
    world.wait_for_reason("ClusterGone");
    world
}
