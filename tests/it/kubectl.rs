//! At home in kubectl: the tables, `explain`, `wait`, `describe`, `diff` and dry runs, field selectors. The tables are made
//! from the fixtures that real objects left, so they show what people see; `UPDATE=1 cargo test kubectl` writes them.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::argocd::{STATES, fixture};
use crate::cluster::{id, object};
use crate::generated::check;
use crate::support::{Scene, ready, shared};
use crate::trials;

pub fn tests() -> Vec<Trial> {
    trials!("kubectl":
        the_tables_of_all_states_are_as_they_were_agreed,
        explain_teaches_every_field,
        wait_for_ready_is_right_after_an_edit,
        describe_shows_the_history,
        a_dry_run_refuses_and_takes_what_the_real_thing_does,
        objects_are_found_by_region_state_and_cluster,
    )
}

/// Without the column `AGE`, which differs from run to run, and without spaces at the ends of lines.
fn ageless(table: &str) -> String {
    let header = table.lines().next().unwrap_or_default();
    let from = header.find("AGE").expect("a column AGE");
    let to = header[from + 3..].find(|c| c != ' ').map_or(header.len(), |width| from + 3 + width);
    let cut = |line: &str| {
        let (left, right) = (line.get(..from).unwrap_or(line), line.get(to..).unwrap_or_default());
        format!("{left}{right}").trim_end().to_owned()
    };
    table.lines().map(|line| cut(line) + "\n").collect()
}

fn the_tables_of_all_states_are_as_they_were_agreed() {
    let scene = Scene::new("kubectl-tables");
    for (state, _) in STATES {
        let shown = fixture(state);
        scene.apply(&object(&scene, state, shown["spec"].clone()));
        scene.merge_status(state, json!({ "status": shown["status"] }));
    }
    let tables = [("get", vec!["get", "ack"]), ("wide", vec!["get", "ack", "-o", "wide"])];
    for (name, arguments) in tables {
        let table = ageless(&scene.kubectl(&arguments));
        check(format!("tests/data/kubectl/{name}.txt"), &table)
            .unwrap_or_else(|why| panic!("{}", why.message().unwrap()));
    }
}

fn explain_teaches_every_field() {
    let scene = Scene::new("kubectl-explain");
    let crd = serde_json::to_value(ack_operator::api::crd()).expect("JSON");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    for part in ["spec", "status"] {
        let told = scene.kubectl(&["explain", &format!("ackcluster.{part}")]);
        let told: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for (name, field) in schema[part]["properties"].as_object().expect("fields") {
            let words = field["description"].as_str().expect("a description");
            let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(name) && told.contains(&words), "{part}.{name}: {words}");
        }
    }
    let deep = scene.kubectl(&["explain", "ackcluster.spec.nodepools.scaling_group.instance_types"]);
    assert!(deep.contains("DESCRIPTION"), "{deep}");
}

fn wait_for_ready_is_right_after_an_edit() {
    let scene = Scene::with_operator("kubectl-wait");
    scene.apply(&scene.smallest("demo"));
    scene.kubectl(&["wait", "--for=condition=Ready", "ack/demo", "--timeout=60s"]);
    let edited = scene.merge("demo", json!({"spec": {"deletion_protection": true}}));
    scene.kubectl(&["wait", "--for=condition=Ready", "ack/demo", "--timeout=60s"]);
    let object = scene.get("demo").expect("the object");
    let condition = ready(&object).expect("Ready");
    assert!(condition["observedGeneration"].as_i64() >= edited["metadata"]["generation"].as_i64(), "{condition}");
}

fn describe_shows_the_history() {
    let scene = Scene::with_operator("kubectl-describe");
    scene.apply(&scene.smallest("demo"));
    let cluster = id(&scene.wait_for_reason("demo", "Running"));
    // Events are sent beside the status, so they may come a moment later.
    let told = scene.until("the events are there", || {
        let told = scene.kubectl(&["describe", "ack/demo"]);
        let events = told.split("Events:").nth(1)?;
        ["Creating", "Running"].iter().all(|reason| events.contains(reason)).then_some(told.clone())
    });
    for word in [cluster.as_str(), "the cluster is running and the spec is applied"] {
        assert!(told.contains(word), "{word}: {told}");
    }
}

fn a_dry_run_refuses_and_takes_what_the_real_thing_does() {
    let scene = Scene::with_operator("kubectl-dry");
    scene.apply(&scene.smallest("demo"));
    scene.wait_for_reason("demo", "Running");
    let apply = |more: &[&str], spec: Value| {
        let arguments: Vec<_> = ["apply", "--server-side", "--force-conflicts"].iter().chain(more).copied().collect();
        scene.try_kubectl_with(&arguments, &object(&scene, "demo", spec))
    };
    let moved = || json!({"container_cidr": "10.0.0.0/16"});
    for refused in [apply(&["--dry-run=server"], moved()), apply(&[], moved())] {
        let sentence = refused.expect_err("a fixed field");
        assert!(sentence.contains("container_cidr is fixed once the cluster exists"), "{sentence}");
    }
    let protected = || json!({"deletion_protection": true});
    apply(&["--dry-run=server"], protected()).expect("a field that can be changed");
    assert_ne!(scene.get("demo").expect("the object")["spec"]["deletion_protection"], json!(true));
    apply(&[], protected()).expect("the same");
    scene.until("ACK protects it", || (scene.calls("ModifyCluster") == 1).then_some(()));
}

fn objects_are_found_by_region_state_and_cluster() {
    let scene = Scene::with_operator("kubectl-find");
    scene.apply(&scene.smallest("here"));
    scene.apply(&object(&scene, "there", json!({"region_id": "cn-beijing"})));
    let cluster = id(&scene.wait_for_reason("here", "Running"));
    scene.wait_for_reason("there", "Running");
    for (selector, found) in [
        ("spec.region_id=cn-beijing".to_owned(), vec!["there"]),
        ("status.state=running".to_owned(), vec!["here", "there"]),
        ("status.state=failed".to_owned(), vec![]),
        (format!("status.cluster_id={cluster}"), vec!["here"]),
    ] {
        let names = scene.kubectl(&["get", "ack", "--field-selector", &selector, "-o", "name"]);
        let names: Vec<_> = names.lines().filter_map(|line| line.split('/').nth(1)).collect();
        assert_eq!(names, found, "{selector}");
    }
}

/// The first command that a sentence prints.
pub fn printed(sentence: &str) -> &str {
    let command = &sentence[sentence.find("kubectl ").unwrap_or_else(|| panic!("no command: {sentence}"))..];
    let ends = ["; ", ". ", ", or "].iter().filter_map(|end| command.find(end));
    &command[..ends.min().unwrap_or(command.len())]
}

/// Runs a command as a person who pastes it into a shell.
pub fn paste(command: &str) {
    let plane = &shared().plane;
    let tools = plane.kubectl.parent().expect("a folder of tools").display().to_string();
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap_or_default());
    let run = Command::new("sh").args(["-c", command]).env("PATH", path).env("KUBECONFIG", &plane.kubeconfig).output();
    let output = run.expect("a shell");
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
}
