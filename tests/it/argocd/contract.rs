//! What GitOps tools need of an operator: that it writes nothing that somebody else has declared, so that what is in Git
//! and what is in the cluster never differ by its doing.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{OPERATOR_USER, Scene, audit, repository};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("argocd": the_same_manifest_applied_again_differs_in_nothing_in_either_mode)
}

/// What must hold of the audit log of the whole run.
pub fn afterwards() -> Vec<Trial> {
    trials!("argocd": no_operator_wrote_a_spec_a_label_or_an_annotation)
}

fn the_same_manifest_applied_again_differs_in_nothing_in_either_mode() {
    let scene = Scene::with_operator("argocd-diff");
    let modes: [(&str, &[&str]); 2] = [("client", &[]), ("server", &["--server-side"])];
    for file in ["quickstart", "seed-sample", "pro-terway", "nodepools", "retain"] {
        let text = std::fs::read_to_string(repository().join(format!("examples/{file}.yaml"))).expect("an example");
        let mut manifest: Value = serde_saphyr::from_str(&text).expect("one object");
        for (mode, flags) in modes {
            let name = format!("{file}-{mode}");
            manifest["metadata"]["name"] = name.as_str().into();
            manifest["metadata"]["labels"] = json!({"team": "platform"});
            manifest["metadata"]["annotations"] = json!({"example.com/owner": "platform"});
            let kubectl = |command: &'static str| {
                let words: Vec<_> = [command].iter().chain(flags).copied().collect();
                scene.try_kubectl_with(&words, &manifest)
            };
            kubectl("apply").unwrap_or_else(|error| panic!("{name}: {error}"));
            let object = scene
                .wait_for(&name, "the operator has written what it writes", |o| o["status"]["observedGeneration"] == 1);
            for declared in ["/spec", "/metadata/labels", "/metadata/annotations/example.com~1owner"] {
                assert_eq!(object.pointer(declared), manifest.pointer(declared), "{name}: {declared}");
            }
            // `kubectl diff` fails where there is any difference, and prints it. It reads the object twice, so one try may
            // see a status that was written in between.
            scene.until(&format!("{name} differs in nothing"), || {
                kubectl("diff").is_ok_and(|out| out.is_empty()).then_some(())
            });
            kubectl("apply").unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = scene.get(&name).expect("it is there");
            assert_eq!(again["metadata"]["generation"], 1, "{name}");
        }
    }
}

fn no_operator_wrote_a_spec_a_label_or_an_annotation() {
    let writes = audit(|entry| {
        let verbs = ["create", "update", "patch", "delete", "deletecollection"];
        entry["user"]["username"] == OPERATOR_USER
            && entry["objectRef"]["resource"] == "ackclusters"
            && verbs.iter().any(|verb| entry["verb"] == *verb)
    });
    assert!(!writes.is_empty(), "the audit log saw no write of an operator at all");
    for write in &writes {
        assert_eq!(write["verb"], "patch", "{write:#}");
        let body = &write["requestObject"];
        let of_status = write["objectRef"]["subresource"] == "status";
        for (path, _) in leaves("", body) {
            let guard = ["/metadata/resourceVersion", "/metadata/uid"].contains(&path.as_str());
            let own = if of_status { path.starts_with("/status") } else { path.starts_with("/metadata/finalizers") };
            assert!(guard || own, "{path} in {write:#}");
        }
    }
    println!("{} writes", writes.len());
}

/// The members that hold no others, each with its path. A list counts as one.
fn leaves(path: &str, value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().flat_map(|(key, value)| leaves(&format!("{path}/{key}"), value)).collect()
        }
        value => vec![(path.to_owned(), value.clone())],
    }
}
