//! The scripts as Argo CD takes them: the patch of argocd-cm and the values for its Helm chart are made from the files in
//! upstream's layout, and nothing is written twice by hand. Writes with UPDATE=1 only.

use libtest_mimic::{Failed, Trial};
use serde_json::{Map, Value, json};

use super::{bundled, customization, fixtures, lua, read, read_yaml, yaml};
use crate::generated::check;
use crate::trials;

const ACTIONS: [&str; 3] = ["pause", "resume", "reconcile"];

pub fn tests() -> Vec<Trial> {
    let mut tests = trials!("argocd":
        scripts_cannot_reach_what_argo_cd_closes,
        an_action_writes_one_annotation_and_nothing_else,
        the_sample_asks_before_it_deletes_and_ignores_no_difference,
    );
    tests.push(Trial::test("generated::the_argocd_cm_patch_and_values_hold_the_scripts_as_they_are", generated));
    tests.push(Trial::test("generated::the_action_tests_for_argo_cd_are_what_the_scripts_do", action_tests));
    tests
}

/// The keys of argocd-cm.
fn settings() -> Map<String, Value> {
    let action =
        |name: &&str| json!({"name": name, "action.lua": read(customization(&format!("actions/{name}/action.lua")))});
    let actions = json!({
        "discovery.lua": read(customization("actions/discovery.lua")),
        "definitions": ACTIONS.iter().map(action).collect::<Vec<_>>(),
    });
    let settings = json!({
        "resource.customizations.health.ackoperator.dev_AckCluster": read(customization("health.lua")),
        "resource.customizations.actions.ackoperator.dev_AckCluster": yaml(&actions),
        "resource.links": read(bundled("resource-links.yaml")),
    });
    settings.as_object().cloned().unwrap_or_default()
}

fn generated() -> Result<(), Failed> {
    let note = "# Generated from resource_customizations/ and resource-links.yaml: UPDATE=1 cargo test generated\n";
    let patch = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": settings(),
    });
    check(bundled("argocd-cm.yaml"), &format!("{note}{}", yaml(&patch)))?;
    let values = json!({"configs": {"cm": settings()}});
    check(bundled("values.yaml"), &format!("{note}{}", yaml(&values)))
}

/// What upstream's harness runs: each action on a real object, and which actions it offers for which.
fn action_tests() -> Result<(), Failed> {
    let discovery = |state: &str| {
        let found = lua::run(&read(customization("actions/discovery.lua")), &fixtures::fixture(state))?;
        let result: Vec<_> = ["pause", "resume", "reconcile"]
            .iter()
            .map(|name| {
                let mut action = found[name].clone();
                action["name"] = (*name).into();
                action
            })
            .collect();
        Ok::<_, Failed>(json!({"inputPath": format!("../testdata/{state}.yaml"), "result": result}))
    };
    let mut actions = Vec::new();
    for (name, state) in [("pause", "running"), ("resume", "paused"), ("reconcile", "running")] {
        let output = format!("testdata/{name}.yaml");
        check(customization(&format!("actions/{output}")), &yaml(&acted(name, state)))?;
        actions.push(json!({
            "action": name, "inputPath": format!("../testdata/{state}.yaml"), "expectedOutputPath": output,
        }));
    }
    let tests = json!({"discoveryTests": [discovery("running")?, discovery("paused")?], "actionTests": actions});
    check(customization("actions/action_test.yaml"), &yaml(&tests))
}

fn acted(action: &str, state: &str) -> Value {
    let script = read(customization(&format!("actions/{action}/action.lua")));
    lua::run(&script, &fixtures::fixture(state)).unwrap_or_else(|error| panic!("{action}: {error}"))
}

fn scripts_cannot_reach_what_argo_cd_closes() {
    for library in ["string", "os", "io", "debug", "package"] {
        let found = lua::run(&format!("return {{ found = {library} ~= nil }}"), &json!({}));
        assert_eq!(found, Ok(json!({"found": false})), "{library}");
    }
    let endless = lua::run("while true do end", &json!({})).expect_err("it is stopped");
    assert!(endless.contains("too long"), "{endless}");
}

fn an_action_writes_one_annotation_and_nothing_else() {
    let bare = json!({"metadata": {"name": "demo", "resourceVersion": "7"}, "spec": {"tags": [{"key": "a"}]}});
    for (action, key, value) in [
        ("pause", "ackoperator.dev/paused", "true".into()),
        ("resume", "ackoperator.dev/paused", Value::Null),
        ("reconcile", "ackoperator.dev/reconcile-at", "7".into()),
    ] {
        let script = read(customization(&format!("actions/{action}/action.lua")));
        for before in [&bare, &fixtures::fixture("running"), &fixtures::fixture("paused")] {
            let mut after = lua::run(&script, before).expect("it runs");
            let value = match &value {
                Value::String(_) if action == "reconcile" => before["metadata"]["resourceVersion"].clone(),
                value => value.clone(),
            };
            assert_eq!(after["metadata"]["annotations"][key], value, "{action}");
            let mut before = before.clone();
            for object in [&mut before, &mut after] {
                object["metadata"]["annotations"].as_object_mut().map(|all| all.remove(key));
                if object["metadata"]["annotations"].as_object().is_none_or(Map::is_empty) {
                    object["metadata"].as_object_mut().map(|metadata| metadata.remove("annotations"));
                }
            }
            assert_eq!(after, before, "{action}");
        }
    }
}

fn the_sample_asks_before_it_deletes_and_ignores_no_difference() {
    let application = read_yaml(bundled("example/application.yaml"));
    assert!(application["spec"]["ignoreDifferences"].is_null(), "the operator writes nothing that differs");
    assert_eq!(application["metadata"]["annotations"]["argocd.argoproj.io/compare-options"], "ServerSideDiff=true");
    let options: Vec<_> = application["spec"]["syncPolicy"]["syncOptions"].as_array().into_iter().flatten().collect();
    for option in ["ServerSideApply=true", "PrunePropagationPolicy=background"] {
        assert!(options.iter().any(|found| *found == option), "{option}");
    }
    let wave = |file: &str| {
        let object = read_yaml(bundled("example/clusters/demo").join(file));
        object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"].as_str().map(str::to_owned)
    };
    let waves = ["1-credentials.yaml", "2-ackcluster.yaml", "3-workloads.yaml"].map(wave);
    assert_eq!(waves, ["-1", "0", "1"].map(|wave| Some(wave.to_owned())));
    let cluster = read_yaml(bundled("example/clusters/demo/2-ackcluster.yaml"));
    let options = &cluster["metadata"]["annotations"]["argocd.argoproj.io/sync-options"];
    assert_eq!(options, "Prune=confirm,Delete=confirm");
}
