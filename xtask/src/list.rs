//! The mutations as data: what is changed where, and what that stands for. A text that is not found exactly once in its
//! file is an error, so the table cannot rot.

/// What is looked at once: the absence of a cluster, and the answers of people.
mod absence;
/// The promises that were broken once, and what sight makes.
mod promises;
/// The seal, the shell around the judgement, and the constants.
mod protocol;
/// Beginning, keeping, letting go.
mod rooms;

/// One way to break the protocol.
pub struct Mutant {
    pub name: &'static str,
    pub stands_for: &'static str,
    /// The row of the model that should see it; empty where only a view can.
    pub row: &'static str,
    /// File in the copy, text that is there exactly once, and what takes its place.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
}

pub fn all() -> Vec<&'static Mutant> {
    [protocol::MUTANTS, absence::MUTANTS, rooms::MUTANTS, promises::MUTANTS].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::sources;

    #[test]
    fn every_mutation_finds_its_text_once() {
        let sources = sources().unwrap();
        let mut rotten = vec![];
        for mutant in all() {
            for (file, find, _) in mutant.edits {
                let text = sources.iter().find(|(path, _)| path == std::path::Path::new(file)).map(|(_, text)| text);
                let times = text.map_or(0, |text| text.matches(find).count());
                if times != 1 {
                    rotten.push(format!("{}: {times} times in {file}: {find}", mutant.name));
                }
            }
        }
        assert!(rotten.is_empty(), "{}", rotten.join("\n"));
    }
}
