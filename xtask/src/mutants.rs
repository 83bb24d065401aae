//! Runs the mutations one after the other and prints by what each is caught. Fails if one survives.

use std::time::Instant;

use crate::copy::{Copy, Error, said};
use crate::list::{self, Mutant};

const NONE: Mutant = Mutant { name: "none", stands_for: "", row: "", edits: &[] };

/// `Ok(false)`: something survived.
pub fn run(some: &str) -> Result<bool, Error> {
    let copy = Copy::new();
    copy.build(&NONE)?;
    for words in [&[][..], &["prove", "an operator that crashes and sleeps"]] {
        let output = copy.run(words)?;
        if !output.status.success() {
            return Err(Error::Unsound(said(&output)));
        }
    }
    let (began, mut survivors, mut models, mut count) = (Instant::now(), vec![], 0, 0);
    println!("| mutant | it stands for | the model finds | views or tables that fail |\n|---|---|---|---|");
    let meant = |mutant: &&&Mutant| some.split(',').any(|some| mutant.name.contains(some.trim()));
    for mutant in list::all().iter().filter(meant) {
        copy.build(mutant)?;
        let (model, views) = (model(&copy, mutant)?, views(&copy)?.or(tables(&copy)?));
        let told = |found: &Option<String>| found.clone().unwrap_or_else(|| "-".into());
        println!("| {} | {} | {} | {} |", mutant.name, mutant.stands_for, told(&model), told(&views));
        count += 1;
        models += usize::from(model.is_some());
        if model.is_none() && views.is_none() {
            survivors.push(mutant.name);
        }
    }
    let seconds = began.elapsed().as_secs();
    let survived = survivors.len();
    println!("\n{count} mutants: {models} caught by the model, {survived} survived {survivors:?}, in {seconds} s");
    Ok(survivors.is_empty())
}

/// The promise that is broken, after how many steps, in which row. A row that is not named is none of the model's.
fn model(copy: &Copy, mutant: &Mutant) -> Result<Option<String>, Error> {
    if mutant.row.is_empty() {
        return Ok(None);
    }
    let began = Instant::now();
    let output = copy.run(&["prove", mutant.row])?;
    let text = said(&output);
    if output.status.success() {
        return Ok(None);
    }
    let line = text.lines().find(|line| ["not so:", "reached:", "panicked"].iter().any(|word| line.contains(word)));
    let line = line.unwrap_or("it fails").trim_start_matches("not so: ");
    let line = line.split(" steps").next().unwrap_or(line);
    Ok(Some(format!("{line} steps, {:.1} s ({})", began.elapsed().as_secs_f64(), mutant.row)))
}

/// The tables beside the code, and one that fails.
fn tables(copy: &Copy) -> Result<Option<String>, Error> {
    let text = said(&copy.tables()?);
    let failed =
        |line: &str| Some(line.strip_prefix("    ")?.trim().to_owned()).filter(|line| line.contains("::tests::"));
    Ok(text.lines().find_map(failed))
}

/// How many views and properties fail, and one of them. The model's own rows are not walked again.
fn views(copy: &Copy) -> Result<Option<String>, Error> {
    let output = copy.run(&["--test-threads", "2", "--skip", "model:"])?;
    let text = said(&output);
    let failed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("test views: ")?.trim().strip_suffix("FAILED"))
        .map(|line| line.trim().trim_end_matches('.').trim())
        .collect();
    Ok(match (failed.as_slice(), output.status.success()) {
        (_, true) => None,
        ([], false) => Some("it ends badly".into()),
        ([first, ..], false) => Some(format!("{}: {first}", failed.len())),
    })
}
