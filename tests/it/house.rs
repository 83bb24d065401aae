//! Who may use whom: holds the code to the arrows that `lib.rs` draws. Reads the sources as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

/// Each room and the rooms it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "controller", "telemetry"]),
    ("controller", &["ack", "api", "cache", "decide", "pass", "sight", "telemetry", "terms"]),
    ("pass", &["ack", "api", "cache", "decide", "drift", "sight", "terms"]),
    ("cache", &["api", "sight", "terms"]),
    ("cli", &["ack", "api", "decide", "terms"]),
    ("drift", &["api", "decide", "terms"]),
    ("sight", &["decide", "terms"]),
    ("decide", &["terms"]),
    ("api", &["terms"]),
    ("ack", &["terms"]),
    ("telemetry", &[]),
    ("terms", &[]),
];

/// Words that a pure room cannot do without to stop being pure.
const IMPURE: &[&str] =
    &["async fn", "tokio", "reqwest", "kube::Client", "::now()", "std::fs", "getrandom", "env::var"];

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("house::every_room_uses_only_the_rooms_below_it", arrows),
        Trial::test("house::the_judgement_and_the_drift_do_no_io_and_read_no_clock", purity),
        Trial::test("house::emulator_and_playground_share_no_code_with_the_operator", second_opinion),
    ]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Where the rooms are: the operator's own, and those of the judgement.
fn rooms() -> [PathBuf; 2] {
    ["src", "judgement/src"].map(|folder| root().join(folder))
}

/// `judgement/src/decide/once.rs` -> `decide`, `src/lib.rs` -> `lib`.
fn room(path: &Path) -> String {
    let inside = rooms().iter().find_map(|folder| path.strip_prefix(folder).ok()).expect("a source of ours").to_owned();
    let first = inside.iter().next().expect("a name").to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("readable");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms named after `crate::` and `ack_operator::`, also in `use crate::{a, b}`.
fn used(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for root in ["crate::", "ack_operator::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            let names = match rest.strip_prefix('{') {
                Some(list) => top_level(list),
                None => vec![rest],
            };
            rooms.extend(
                names.into_iter().map(|name| {
                    name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
                }),
            );
        }
    }
    rooms
}

/// The members of a brace list, without those of nested ones.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut names) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&list[begin..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn arrows() -> Result<(), Failed> {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in rooms().iter().flat_map(|folder| sources(folder)) {
        let from = room(&path);
        if from == "lib" {
            continue;
        }
        let (_, allowed) = ARROWS
            .iter()
            .find(|(name, _)| *name == from)
            .ok_or_else(|| format!("{from} is a new room: draw its arrows in lib.rs and here"))?;
        let arrows = seen.entry(from.clone()).or_default();
        for to in used(&code(&path)) {
            let known = ARROWS.iter().any(|(name, _)| *name == to);
            if known && to != from && !allowed.contains(&to.as_str()) {
                return Err(format!("{} uses {to}, but {from} may only use {allowed:?}", path.display()).into());
            }
            arrows.extend((known && to != from).then_some(to));
        }
    }
    // An arrow that is drawn and not there would make the map a wish.
    let drawn = ARROWS.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect()));
    let drawn: BTreeMap<String, BTreeSet<String>> = drawn.collect();
    if seen != drawn {
        return Err(format!("drawn: {drawn:?}\n  there: {seen:?}").into());
    }
    Ok(())
}

fn purity() -> Result<(), Failed> {
    for folder in ["judgement/src", "src/drift"] {
        for path in sources(&root().join(folder)) {
            let code = code(&path);
            if let Some(word) = IMPURE.iter().find(|word| code.contains(**word)) {
                return Err(format!("{} says {word}", path.display()).into());
            }
        }
    }
    Ok(())
}

fn second_opinion() -> Result<(), Failed> {
    for member in ["ack-emulator", "playground"] {
        let manifest = fs::read_to_string(root().join("examples").join(member).join("Cargo.toml"))?;
        if manifest.lines().any(|line| line.trim_start().starts_with("ack-operator")) {
            return Err(format!("{member} depends on the operator").into());
        }
    }
    Ok(())
}
