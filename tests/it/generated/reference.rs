//! The reference pages: every field as the CRD describes it, every reason as its enum documents it, every flag as
//! `--help` tells it. Nothing here is written twice.

use std::fmt::Write;
use std::process::Command;

use ack_operator::{api, terms::Reason};
use libtest_mimic::Failed;
use serde_json::Value;

/// The first line of each page.
const MADE: &str = "<!-- Made by `UPDATE=1 cargo test generated`; change the code, not this page. -->";

pub fn fields() -> Result<String, Failed> {
    let crd = serde_json::to_value(api::crd())?;
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let mut page = format!(
        "{MADE}\n\n# Fields of an AckCluster\n\nNames in snake_case are ACK's own; names in camelCase are the operator's. \
         `[]` is a list, **bold** is required. What is left out is not sent.\n"
    );
    for (part, title) in [("spec", "Spec"), ("status", "Status")] {
        write!(page, "\n## {title}\n\n| field | type | meaning |\n|---|---|---|\n")?;
        rows(&mut page, &schema[part], "")?;
    }
    Ok(page)
}

fn rows(page: &mut String, schema: &Value, path: &str) -> Result<(), Failed> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let below = if field["items"].is_object() { "[]" } else { "" };
        let mark = if required(name) { "**" } else { "" };
        let text = field["description"].as_str().unwrap_or_default().replace('|', "\\|");
        writeln!(page, "| {mark}`{path}{name}{below}`{mark} | {} | {} |", kind(field), text.replace('\n', " "))?;
        let inner = if below.is_empty() { field } else { &field["items"] };
        rows(page, inner, &format!("{path}{name}{below}."))?;
    }
    Ok(())
}

/// The type with its bounds, in few words.
fn kind(field: &Value) -> String {
    if let Some(words) = field["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let base = match field["type"].as_str() {
        None => "text or number",
        Some("array") => return format!("list, at most {}", field["maxItems"]),
        Some("string") => "text",
        Some(other) => other,
    };
    let of = |low: &str, high: &str| match (field[low].as_f64(), field[high].as_f64()) {
        (Some(low), Some(high)) => format!(", {low} to {high}"),
        (Some(low), None) => format!(", {low} or more"),
        (None, Some(high)) => format!(", at most {high}"),
        (None, None) => String::new(),
    };
    let bounds = if base == "text" { of("minLength", "maxLength") } else { of("minimum", "maximum") };
    format!("{base}{bounds}")
}

pub fn conditions() -> Result<String, Failed> {
    let schema = schemars::schema_for!(Reason).to_value();
    let reasons = schema["oneOf"].as_array().ok_or("the reasons have no descriptions")?;
    let mut page = format!(
        "{MADE}\n\n# Conditions and their reasons\n\n\
         `Ready` and `Synced` are always there; `Reconciling` (it goes on by itself) and `Stalled` (a person must act) only \
         while they are True. `Ready` carries the most urgent reason, whatever its status. The message beside a reason has the \
         cause as ACK gave it.\n\n| reason | what it means, and what to do |\n|---|---|\n"
    );
    for reason in reasons {
        let text = reason["description"].as_str().ok_or("a reason without a sentence")?.replace('\n', " ");
        writeln!(page, "| `{}` | {text} |", reason["const"].as_str().ok_or("a reason without a word")?)?;
    }
    Ok(page)
}

pub fn settings() -> Result<String, Failed> {
    let mut page = format!(
        "{MADE}\n\n# Settings of the operator\n\nAs `ack-operator COMMAND --help` prints them. The chart's values are in \
         [`charts/ack-operator/values.yaml`](../../charts/ack-operator/values.yaml), each with its comment.\n"
    );
    for command in commands()? {
        let help = help(&[&command, "--help"])?;
        write!(page, "\n## ack-operator {command}\n\n```text\n{}\n```\n", help.trim_end())?;
    }
    Ok(page)
}

/// The subcommands, as the program itself lists them.
fn commands() -> Result<Vec<String>, Failed> {
    let help = help(&["--help"])?;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    Ok(names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(Into::into).collect())
}

fn help(arguments: &[&str]) -> Result<String, Failed> {
    // What the environment holds and how wide the screen is must not show.
    let output = Command::new(env!("CARGO_BIN_EXE_ack-operator")).args(arguments).env_clear().output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}
