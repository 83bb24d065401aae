//! `playground footprint`: what the operator weighs, measured on the spot. Linux only (it reads /proc).

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::access::run;
use crate::error::{Error, Result};
use crate::objects::{AckClusters, condition, smallest};
use crate::repository;
use crate::stage::{ACCESS_SECRET, Setup, Stage};

const OBJECTS: usize = 100;
const DEADLINE: Duration = Duration::from_secs(180);

/// Prints the operator's size, its number of crates, and its memory idle and with 100 running clusters.
#[derive(clap::Args, Debug)]
pub struct Footprint {
    /// The operator's program [default: ack-operator beside this one]
    #[arg(long, value_name = "PATH")]
    operator: Option<PathBuf>,
}

impl Footprint {
    pub async fn run(self) -> Result<()> {
        let mut stage = Stage::set(Setup { operator: self.operator, ..Default::default() }).await?;
        let program = stage.operator.program.clone();
        let size = fs::metadata(&program).map_err(|_| Error::OperatorMissing(program))?.len();
        println!("binary           {:.1} MiB", size as f64 / f64::from(1 << 20));
        println!("crates           {}", crates()?);

        let pid = stage.start_operator().await?.pid();
        println!("memory, idle     {:.1} MiB", resident(pid)?);
        let objects = AckClusters::new(stage.access().client().await?, &stage.namespace);
        for number in 0..OBJECTS {
            objects.apply(&smallest(&format!("cluster-{number}"), ACCESS_SECRET)).await?;
        }
        let began = Instant::now();
        loop {
            let all = objects.list().await?;
            let ready = |object: &&serde_json::Value| condition(object, "Ready").is_some_and(|c| c["status"] == "True");
            if all.iter().filter(ready).count() == OBJECTS {
                break;
            }
            if began.elapsed() > DEADLINE {
                return Err(stage.too_late("100 clusters to run", DEADLINE));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        println!("memory, {OBJECTS} up   {:.1} MiB", resident(pid)?);
        Ok(())
    }
}

/// Crates that are compiled into the operator, itself included; tests' and build scripts' own ones are not.
fn crates() -> Result<usize> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--package", "ack-operator", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let text = run(tree.current_dir(repository()), None)?;
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split(" (").next()).map(str::trim).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names.iter().filter(|name| !name.is_empty()).count())
}

/// Seconds of the processor that the process has used.
pub(crate) fn processor(pid: u32) -> Result<f64> {
    let file = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
    // The program's name stands in parentheses; of what follows it, the twelfth and thirteenth are in hundredths of a second.
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

/// Resident memory in MiB.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
    let kib =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.unwrap_or_default() / 1024.0)
}
