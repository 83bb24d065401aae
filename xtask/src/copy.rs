//! A copy of the judgement's crate and its proof, in which a mutation is made, built and run. One folder serves all
//! mutations in turn, and only what differs is written, so that little is compiled anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::list::Mutant;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}: {1}")]
    File(PathBuf, #[source] io::Error),
    #[error("cargo cannot be run: {0}")]
    Cargo(#[source] io::Error),
    /// The sources have moved on; mend the table.
    #[error("mutant {mutant:?}: its text is {times} times in {file}, not once: {text}")]
    Rotten { mutant: &'static str, file: &'static str, times: usize, text: &'static str },
    /// What does not compile proves nothing.
    #[error("{0:?} does not compile:\n{1}")]
    Broken(&'static str, String),
    /// Without this every mutant would seem to be caught.
    #[error("the copy fails without any mutation:\n{0}")]
    Unsound(String),
}

pub struct Copy {
    root: PathBuf,
    at: PathBuf,
}

impl Copy {
    pub fn new() -> Copy {
        let root = root();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Copy { at: root.join(target).join("mutants"), root }
    }

    /// Makes the copy as the sources are, but for what `mutant` changes, and builds it.
    pub fn build(&self, mutant: &Mutant) -> Result<(), Error> {
        self.write("Cargo.toml", include_str!("../lean.toml").to_owned())?;
        let lock = self.at.join("Cargo.lock");
        if !lock.exists() {
            let ours = self.root.join("Cargo.lock");
            fs::copy(&ours, &lock).map_err(|e| Error::File(ours, e))?;
        }
        for (path, mut text) in sources()? {
            for &(file, find, replace) in mutant.edits.iter().filter(|(file, ..)| Path::new(file) == path) {
                let times = text.matches(find).count();
                if times != 1 {
                    return Err(Error::Rotten { mutant: mutant.name, file, times, text: find });
                }
                text = text.replace(find, replace);
            }
            self.write(&path, text)?;
        }
        let built = self.cargo(&["build", "--quiet", "--profile", "prove"])?;
        if built.status.success() { Ok(()) } else { Err(Error::Broken(mutant.name, said(&built))) }
    }

    fn write(&self, path: impl AsRef<Path>, text: String) -> Result<(), Error> {
        let path = self.at.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.at);
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|e| Error::File(path, e))
    }

    fn cargo(&self, words: &[&str]) -> Result<Output, Error> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(words).current_dir(&self.at).env("CARGO_TARGET_DIR", self.at.join("target"));
        command.output().map_err(Error::Cargo)
    }

    /// What the tables beside the code say.
    pub fn tables(&self) -> Result<Output, Error> {
        self.cargo(&["test", "--quiet", "--lib", "--profile", "prove"])
    }

    /// What the program of this copy says.
    pub fn run(&self, words: &[&str]) -> Result<Output, Error> {
        let program = self.at.join("target/prove/proof");
        Command::new(&program).args(words).output().map_err(|e| Error::File(program, e))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// What is copied: each source of the judgement and of its proof by its path in the copy, and its text.
pub fn sources() -> Result<Vec<(PathBuf, String)>, Error> {
    let mut found = vec![];
    for folder in ["src", "tests"] {
        below(&root().join("judgement"), Path::new(folder), &mut found)?;
    }
    Ok(found)
}

/// The sources below `folder/name`.
fn below(folder: &Path, name: &Path, found: &mut Vec<(PathBuf, String)>) -> Result<(), Error> {
    let path = folder.join(name);
    let failed = |error| Error::File(path.clone(), error);
    if !path.is_dir() {
        found.push((name.to_owned(), fs::read_to_string(&path).map_err(failed)?));
        return Ok(());
    }
    for entry in fs::read_dir(&path).map_err(failed)? {
        below(folder, &name.join(entry.map_err(failed)?.file_name()), found)?;
    }
    Ok(())
}

/// Both streams as text.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
