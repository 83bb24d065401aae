//! Rights, counted from the audit log: a whole life with nothing granted that is not used and nothing denied, cluster-wide
//! and for a release that somebody without a cluster's rights put into his namespace.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::values::NAMESPACED;
use super::{CHART, helm, objects, read_yaml};
use crate::cluster::{living, object};
use crate::support::{OPERATOR_USER, Scene, audit, repository, shared};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("chart":
        nothing_is_granted_that_a_life_does_not_use,
        a_release_by_somebody_who_is_no_administrator_works_and_is_denied_nothing,
    )
}

type Right = (String, String, String);

/// Asked for by the API server's own plugin OwnerReferencesPermissionEnforcement, which the playground runs: what a plugin
/// asks the authorizer is in no audit log.
fn unseen() -> Right {
    ("ackoperator.dev".into(), "ackclusters/finalizers".into(), "update".into())
}

/// What the roles of these objects grant the operator. Those that are aggregated are people's.
fn granted(rendered: &[Value]) -> BTreeSet<Right> {
    let words = |rule: &Value, member: &str| -> Vec<String> {
        let words = rule[member].as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let mut all = BTreeSet::new();
    let roles = rendered.iter().filter(|object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role")));
    for role in roles {
        let labels = role["metadata"]["labels"].as_object();
        if labels.is_some_and(|labels| labels.keys().any(|label| label.contains("aggregate-to"))) {
            continue;
        }
        for rule in role["rules"].as_array().into_iter().flatten() {
            for group in words(rule, "apiGroups") {
                for resource in words(rule, "resources") {
                    let rights = words(rule, "verbs").into_iter().map(|verb| (group.clone(), resource.clone(), verb));
                    all.extend(rights);
                }
            }
        }
    }
    all
}

/// What the user has asked for; panics where he was refused.
fn used(user: &str) -> BTreeSet<Right> {
    let entries = audit(|entry| entry["user"]["username"] == *user);
    let used = entries.iter().filter(|entry| entry["objectRef"]["resource"].is_string()).map(|entry| {
        let decision = &entry["annotations"]["authorization.k8s.io/decision"];
        assert_ne!(*decision, "forbid", "{entry:#}");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let reference = &entry["objectRef"];
        let resource = match word(&reference["subresource"]) {
            part if part.is_empty() => word(&reference["resource"]),
            part => format!("{}/{part}", word(&reference["resource"])),
        };
        (word(&reference["apiGroup"]), resource, word(&entry["verb"]))
    });
    used.collect()
}

/// Creation, kubeconfig, a change of it, an event twice, protection, deletion.
fn life(scene: &Scene, user: &str) {
    scene.apply(&object(scene, "demo", json!({"kubeconfigSecretRef": {"name": "demo-kubeconfig"}})));
    scene.wait_for_ready("demo");
    scene.merge("demo", json!({"spec": {"kubeconfigSecretRef": {"validMinutes": 120}}}));
    let has_used = |resource: &str, verb: &str| {
        used(user).iter().any(|(_, used, by)| used == resource && by == verb).then_some(())
    };
    scene.until("the Secret is written again", || has_used("secrets", "patch"));
    // An event that is told again is counted by a patch of the first one.
    for _ in 0..2 {
        for (paused, reason) in [("true", "Paused"), ("false", "Running")] {
            scene.annotate("demo", "paused", paused);
            scene.wait_for_reason("demo", reason);
        }
    }
    scene.until("an event is counted", || has_used("events", "patch"));
    scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene.delete("demo");
    scene.wait_for_reason("demo", "DeletionProtected");
    // A word that is taken back before its flag was seen on would lift nothing.
    scene.wait_for("demo", "the word is seen", |demo| demo["status"]["protectionSeen"]["word"] == true);
    scene.merge("demo", json!({"spec": {"deletion_protection": false}}));
    scene.wait_until_gone("demo");
    assert!(living(scene).is_empty());
}

fn nothing_is_granted_that_a_life_does_not_use() {
    let scene = Scene::with_operator("chart-rights");
    life(&scene, OPERATOR_USER);
    let rendered = objects(&helm(&["template", "x", CHART]).unwrap());
    let mut unused = granted(&rendered);
    unused.retain(|right| !used(OPERATOR_USER).contains(right) && *right != unseen());
    assert!(unused.is_empty(), "{unused:#?}");
}

fn a_release_by_somebody_who_is_no_administrator_works_and_is_denied_nothing() {
    let mut scene = Scene::new("chart-namespaced");
    scene.start_controllers();
    let namespace = scene.namespace.clone();
    // What an administrator does once: the definition is there, and a role that says what may be handed on.
    let installer = read_yaml(&repository().join("examples/policies/namespace-installer.yaml").display().to_string());
    scene.kubectl_apply(&installer);
    scene.kubectl(&["create", "serviceaccount", "installer"]);
    for (name, role) in [("admin", "admin"), ("installs", installer["metadata"]["name"].as_str().expect("a name"))] {
        let (role, account) = (format!("--clusterrole={role}"), format!("--serviceaccount={namespace}:installer"));
        scene.kubectl(&["create", "rolebinding", name, &role, &account]);
    }
    let plane = &shared().plane;
    let path = |name: &str| plane.dir().join(format!("{namespace}-{name}.kubeconfig"));
    let person = plane.kubeconfig_of(&namespace, "installer", path("person")).expect("a kubeconfig");
    // `admin` takes in its parts moments after the controllers have begun.
    scene.until("the person may make Deployments", || {
        let asked = ["auth", "can-i", "create", "deployments.apps", "--as"];
        let user = format!("system:serviceaccount:{namespace}:installer");
        plane.run_kubectl(&[&asked[..], &[&user, "-n", &namespace]].concat()).ok()
    });
    let watching = format!("watchNamespaces={{{namespace}}}");
    let values = ["--set", NAMESPACED[0], "--set", NAMESPACED[1], "--set", &watching];
    let install =
        ["install", "mine", CHART, "--namespace", &namespace, "--kubeconfig", person.to_str().expect("UTF-8")];
    helm(&[&install[..], &values].concat()).unwrap_or_else(|words| panic!("{words}"));

    scene.operator.kubeconfig =
        plane.kubeconfig_of(&namespace, "mine-ack-operator", path("operator")).expect("a kubeconfig");
    scene.start_operator(&[]);
    let user = format!("system:serviceaccount:{namespace}:mine-ack-operator");
    life(&scene, &user);
    let template = ["template", "mine", CHART, "--namespace", &namespace];
    let mut unused = granted(&objects(&helm(&[&template[..], &values].concat()).unwrap()));
    unused.retain(|right| !used(&user).contains(right) && *right != unseen());
    assert!(unused.is_empty(), "{unused:#?}");
}
