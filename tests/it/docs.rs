//! What the pages for users show is true: links lead somewhere, manifests are taken by a real API server, commands have the
//! flags that they are given. It reads the pages; the commands that change something are run by other tests and by the demo.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::playground::tools::{Tool, Toolbox};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{Scene, repository};
use crate::trials;

/// Needs no control plane.
pub fn pure() -> Vec<Trial> {
    trials!("docs":
        every_link_leads_somewhere,
        every_flag_that_is_named_is_one,
        every_annotation_that_is_named_is_one,
        every_manifest_and_policy_can_be_parsed,
    )
}

pub fn tests() -> Vec<Trial> {
    trials!("docs":
        every_cluster_on_a_page_is_taken_by_the_api_server,
        every_command_on_a_page_has_the_flags_that_it_is_given,
    )
}

/// A page: its path in the repository, and its text.
fn pages() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|end| end == "md") {
                found.push(entry);
            }
        }
    }
    let top = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let mut found: Vec<_> = top.iter().map(|page| repository().join(page)).collect();
    ["docs", "deploy", "charts"]
        .map(|folder| repository().join(folder))
        .iter()
        .filter(|folder| folder.is_dir())
        .for_each(|folder| walk(folder, &mut found));
    assert!(found.len() > 12, "{found:?}");
    found.into_iter().map(|page| (page.clone(), fs::read_to_string(&page).expect("a page"))).collect()
}

/// The fenced blocks of a language, in a list too.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let (mut found, mut open): (Vec<String>, Option<String>) = (vec![], None);
    for line in text.lines() {
        match &mut open {
            None if line.trim() == fence => open = Some(String::new()),
            None => {}
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some(block) => *block += &format!("{line}\n"),
        }
    }
    found
}

fn every_link_leads_somewhere() {
    for (page, text) in pages() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            let inside = !target.starts_with("http") && !path.is_empty();
            assert!(!inside || page.parent().unwrap().join(path).exists(), "{}: {target}", page.display());
        }
    }
}

/// The words in backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn every_flag_that_is_named_is_one() {
    let settings = fs::read_to_string(repository().join("docs/reference/settings.md")).expect("the settings");
    for (page, text) in pages() {
        for span in spans(&text).filter(|span| span.starts_with("--")) {
            let flag = span.split([' ', '=']).next().unwrap_or_default();
            let others = ["--protocol-times", "--set", "--reset-values"].contains(&flag);
            assert!(others || flag == "--help" || settings.contains(flag), "{}: {span}", page.display());
        }
    }
}

fn every_annotation_that_is_named_is_one() {
    let known = ["paused", "observe", "reconcile-at", "recreate", "confirm-absent", "take-over", "confirm-delete"];
    let others = ["allow-delete", "cluster", "v1alpha1"];
    for (page, text) in pages() {
        for rest in text.split("ackoperator.dev/").skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let found = word.is_empty() || word == "AckCluster" || known.iter().chain(&others).any(|one| *one == word);
            assert!(found, "{}: ackoperator.dev/{word}", page.display());
        }
    }
}

fn documents(text: &str) -> Vec<Value> {
    let blocks = blocks(text, "yaml");
    let documents = blocks.iter().flat_map(|block| block.split("\n---\n"));
    documents.map(|one| serde_saphyr::from_str(one).unwrap_or_else(|error| panic!("{error}\n{one}"))).collect()
}

fn every_manifest_and_policy_can_be_parsed() {
    let client = fs::read_to_string(repository().join("src/ack/mod.rs")).expect("the client");
    let client: String = client.split_whitespace().collect();
    let called = client.split("Call::new(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let called: BTreeSet<_> = called.map(|name| format!("cs:{name}")).collect();
    for (page, text) in pages() {
        documents(&text);
        for block in blocks(&text, "json") {
            let policy: Value =
                serde_json::from_str(&block).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            let granted = policy["Statement"][0]["Action"].as_array().expect("actions");
            let granted: BTreeSet<_> = granted.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
            assert_eq!(granted, called, "the RAM policy grants what the client calls, and nothing else");
        }
    }
}

fn every_cluster_on_a_page_is_taken_by_the_api_server() {
    let scene = Scene::new("docs-clusters");
    let mut taken = 0;
    for (page, text) in pages() {
        for mut object in documents(&text).into_iter().filter(|object| object["kind"] == "AckCluster") {
            object["metadata"]["namespace"] = json!(scene.namespace);
            let said = scene.try_kubectl_with(&["create", "--dry-run=server"], &object);
            assert!(said.is_ok(), "{}: {said:?}", page.display());
            taken += 1;
        }
    }
    assert!(taken >= 3, "{taken} clusters");
}

/// A command of a page in its words: `\` joins lines, `|` and `&&` part commands.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = vec![];
    for block in blocks(text, "sh") {
        for line in block.replace("\\\n", " ").lines() {
            let line = line.split(" # ").next().unwrap_or_default();
            for command in line.split(" | ").flat_map(|part| part.split(" && ")) {
                let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
                if !words.is_empty() {
                    found.push(words);
                }
            }
        }
    }
    found
}

fn help(program: &Path, words: &[&str]) -> String {
    let output = Command::new(program).args(words).arg("--help").output().expect("a program");
    assert!(output.status.success(), "{} {words:?} is no command", program.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn every_command_on_a_page_has_the_flags_that_it_is_given() {
    let [kubectl, helm] = Toolbox::default().ready([Tool::Kubectl, Tool::Helm]).expect("the tools");
    let operator = PathBuf::from(env!("CARGO_BIN_EXE_ack-operator"));
    let options = Command::new(&kubectl).arg("options").output().expect("kubectl");
    let options = String::from_utf8_lossy(&options.stdout).into_owned();
    let makefile = fs::read_to_string(repository().join("Makefile")).expect("the Makefile");
    let values = fs::read_to_string(repository().join("charts/ack-operator/values.yaml")).expect("the values");
    let values: Value = serde_saphyr::from_str(&values).expect("values");
    let verbs = [
        "get", "apply", "create", "delete", "patch", "annotate", "wait", "explain", "describe", "events", "logs",
        "exec", "rollout",
    ];
    let mut seen = 0;
    for (page, text) in pages() {
        for words in commands(&text) {
            let line = format!("{}: {}", page.display(), words.join(" "));
            // What follows -- is another program's.
            let texts: Vec<&str> = words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
            let known = match texts[0] {
                "make" => {
                    assert!(makefile.contains(&format!("\n{}:", texts[1])), "{line}");
                    continue;
                }
                "kubectl" => {
                    let verb = texts.iter().position(|word| verbs.contains(word)).unwrap_or_else(|| panic!("{line}"));
                    let depth = match texts[verb] {
                        "create" if texts.get(verb + 1) == Some(&"secret") => 3,
                        "create" | "rollout" => 2,
                        _ => 1,
                    };
                    help(&kubectl, &texts[verb..verb + depth]) + &options
                }
                "helm" => help(&helm, &texts[1..2]),
                "ack-operator" => help(&operator, &texts[1..2]),
                // Programs of everybody's machine.
                "base64" | "docker" | "cargo" | "UPDATE=1" => continue,
                other => panic!("{line}: {other} is not known to this test"),
            };
            for flag in texts.iter().filter(|word| word.starts_with("--")).filter_map(|word| word.split('=').next()) {
                assert!(known.contains(&format!("{flag}=")) || known.contains(&format!("{flag} ")), "{line}: {flag}");
            }
            for path in texts.iter().filter(|word| word.contains('/') && Path::new(word).extension().is_some()) {
                let ours = ["examples", "crds", "charts", "deploy"].iter().any(|folder| path.starts_with(folder));
                assert!(!ours || repository().join(path).exists(), "{line}: {path}");
            }
            for set in texts.windows(2).filter(|pair| pair[0] == "--set").map(|pair| pair[1]) {
                let path = set.split('=').next().unwrap_or_default();
                let pointer = format!("/{}", path.replace('.', "/"));
                assert!(values.pointer(&pointer).is_some(), "{line}: the chart has no value {path}");
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} commands");
}
