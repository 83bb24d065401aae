//! One object, one cluster: answers that get lost, requests that arrive late, processes that are killed at the worst
//! moments. The ledger says how many clusters there ever were.

use std::net::{Ipv4Addr, SocketAddr};

use ack_emulator::{Config, Emulator, JournalEntry};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::cluster::{id, living, message};
use crate::support::{RUNTIME, Scene};

/// Refusals that hide an executed request, and refusals that are one.
mod copies;
/// Another management cluster, another status, another account.
mod elsewhere;
/// Processes that die, freeze and come back.
mod killed;
/// Answers that get lost, requests that come late or twice.
mod lost;
/// Objects that change while their cluster is made.
mod meanwhile;
/// What an absence is believed from, and what not.
mod proof;

pub fn tests() -> Vec<Trial> {
    [killed::tests(), lost::tests(), copies::tests(), meanwhile::tests(), proof::tests(), elsewhere::tests()]
        .into_iter()
        .flatten()
        .collect()
}

/// Waits until a CreateCluster had its effect.
fn executed(scene: &Scene) {
    scene.until("CreateCluster was executed", || creates(scene).iter().any(|call| call.took_effect).then_some(()));
}

/// The calls of CreateCluster.
fn creates(scene: &Scene) -> Vec<JournalEntry> {
    scene.emulator.journal(0).into_iter().filter(|call| call.operation == "CreateCluster").collect()
}

/// One cluster ever, and the object has it.
fn settles_on_one(scene: &Scene, name: &str) {
    let object = scene.wait_for_reason(name, "Running");
    assert_eq!(scene.clusters_made(), 1, "{:#?}", scene.emulator.ledger());
    assert_eq!(living(scene)[0].id, id(&object));
}

/// The object while the outcome of its request is open. It says until when it waits and what a person may type.
fn awaits(scene: &Scene, name: &str) -> Value {
    let waiting = scene.wait_for_reason(name, "AwaitingOutcome");
    let words = [format!("confirm-absent={}", intent(&waiting, "nonce")), "Watching the list until 20".into()];
    words.iter().for_each(|word| assert!(message(&waiting).contains(word), "{}", message(&waiting)));
    waiting
}

/// A text of the object's intent; empty where there is none.
fn intent(object: &Value, member: &str) -> String {
    object["status"]["createIntents"][0][member].as_str().unwrap_or_default().to_owned()
}

/// The object, once its intent is stored.
fn sealed(scene: &Scene, name: &str) -> Value {
    scene.wait_for(name, "an intent is sealed", |object| !intent(object, "nonce").is_empty())
}

/// As long as it lives every event in the scene's namespace hangs for some seconds. An operator tells one between
/// seal and request.
struct HeldEvents(Emulator);

const HELD_SECONDS: u32 = 10;

impl HeldEvents {
    fn begin(scene: &Scene) -> HeldEvents {
        let config = Config {
            listen: vec![(None, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))],
            tls_dir: Some(scene.dir().join(format!("{}-webhook", scene.namespace))),
            ..Config::default()
        };
        let webhook = RUNTIME.block_on(Emulator::start(config)).expect("a webhook that hangs");
        webhook.fault(serde_json::from_value(json!({"every": true, "do": "hang"})).expect("a rule")).expect("a fault");
        let ca = std::fs::read(webhook.ca().expect("an authority")).expect("its certificate");
        scene.kubectl_apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": scene.namespace},
            "webhooks": [{
                "name": "events.ackoperator.test", "failurePolicy": "Ignore", "timeoutSeconds": HELD_SECONDS,
                "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": {
                    "url": format!("{}/hold", webhook.url()), "caBundle": k8s_openapi::ByteString(ca),
                },
                "rules": [{
                    "apiGroups": ["", "events.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE"],
                    "resources": ["events"],
                }],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}},
            }],
        }));
        let probe = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"generateName": "probe-"}, "reason": "Probe",
            "type": "Normal", "involvedObject": {"kind": "Pod", "name": "probe", "namespace": scene.namespace},
        });
        scene.until("the webhook is in force", || {
            let _ = scene.try_kubectl_with(&["create", "--request-timeout=1s"], &probe);
            (!webhook.journal(0).is_empty()).then_some(())
        });
        HeldEvents(webhook)
    }

    /// New events are no longer held; those that hang come free within seconds.
    fn end(self, scene: &Scene) {
        scene.kubectl(&["delete", "validatingwebhookconfiguration", &scene.namespace]);
        drop(self.0);
    }
}

/// The API server refuses each status of this scene's objects that `expression` (CEL) does not hold for. `marked` is a
/// patch of the status that it must refuse.
pub fn refuse_status(scene: &Scene, expression: &str, marked: &Value) {
    let unmarked: serde_json::Map<_, _> =
        marked.as_object().into_iter().flatten().map(|(k, _)| (k.clone(), Value::Null)).collect();
    refuse(scene, "ackclusters/status", expression, || {
        let refused = scene.try_merge_status("probe", json!({"status": marked})).is_err();
        if !refused {
            scene.merge_status("probe", json!({"status": unmarked}));
        }
        refused
    });
}

/// The API server refuses each update of this scene's objects that `expression` (CEL) does not hold for. `refused` tries to
/// do so with the object `probe`: the policy takes a moment to be in force.
fn refuse(scene: &Scene, resource: &str, expression: &str, refused: impl Fn() -> bool) {
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}});
    scene.kubectl_apply(&json!({
        "apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
                "metadata": {"name": scene.namespace},
                "spec": {
                    "failurePolicy": "Fail",
                    "matchConstraints": {"resourceRules": [{
                        "apiGroups": ["ackoperator.dev"], "apiVersions": ["*"], "operations": ["UPDATE"],
                        "resources": [resource],
                    }]},
                    "validations": [{"expression": expression, "message": "the test does not store that"}],
                },
            },
            {
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": scene.namespace},
                "spec": {
                    "policyName": scene.namespace, "validationActions": ["Deny"],
                    "matchResources": {"namespaceSelector": selector},
                },
            },
        ],
    }));
    let mut probe = scene.smallest("probe");
    probe["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
    scene.apply(&probe);
    scene.until("the policy is in force", || refused().then_some(()));
}

/// Takes [`refuse`] back.
pub fn accept_status(scene: &Scene) {
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        scene.kubectl(&["delete", kind, &scene.namespace]);
    }
}
