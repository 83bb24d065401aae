//! `playground bench`: what the operator costs, on a real Kubernetes API and an emulated ACK, with the times of the real
//! protocol. Counts are exact: calls by the emulator's journal, requests by the API server's audit log. Times and memory are
//! this machine's. Linux only (it reads /proc).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::emulated::Key;
use crate::error::{Error, Result};
use crate::footprint::{processor, resident};
use crate::objects::{AckClusters, condition, smallest};
use crate::stage::{Setup, Stage};

/// How many objects are written at once.
const WRITERS: usize = 8;

/// Measures a creation, a rest, a restart and a deletion of many clusters, and prints a figure a line.
#[derive(clap::Args, Debug)]
pub struct Bench {
    /// The operator's program [default: ack-operator beside this one]
    #[arg(long, value_name = "PATH")]
    operator: Option<PathBuf>,

    /// How many AckClusters, all in one namespace and one region
    #[arg(long, value_name = "N", default_value_t = 100)]
    objects: usize,

    /// Among how many accounts they are shared, each with a Secret of its own
    #[arg(long, value_name = "N", default_value_t = 1)]
    accounts: usize,

    /// How long ACK takes to make a cluster
    #[arg(long, value_name = "TIME", default_value = "60s")]
    create_time: String,

    /// How long to watch the clusters at rest, in seconds; polls come every 60 s
    #[arg(long, value_name = "SECONDS", default_value_t = 130)]
    rest: u64,

    /// How long each part may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    deadline: u64,

    /// More flags for the operator, after `--`
    #[arg(last = true, value_name = "OPERATOR FLAGS")]
    flags: Vec<String>,
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let keys: Vec<Key> = (0..self.accounts.max(1)).map(key).collect();
        let flags = ["--poll-idle", "60s"].map(str::to_owned).into_iter().chain(self.flags.iter().cloned()).collect();
        let setup = Setup { operator: self.operator.clone(), keys: keys.clone(), flags, ..Default::default() };
        let mut stage = Stage::set(setup).await?;
        // The real protocol's.
        stage.operator.protocol_times = None;
        stage.settings(
            &json!({"create_time": self.create_time, "delete_time": "2s", "list_lag": "1s", "date_window": "15m"}),
        )?;
        for (number, key) in keys.iter().enumerate() {
            stage.access().apply(&key.secret_manifest(&secret(number), &stage.namespace))?;
        }
        let objects = AckClusters::new(stage.access().client().await?, &stage.namespace);
        let mut meter = Meter::new(stage.audit_log().unwrap_or_default());

        stage.start_operator().await?;
        meter.read(&stage)?;
        println!("idle: {:.1} MiB", resident(meter.pid(&stage))?);
        self.create(&stage, &objects, &mut meter).await?;
        self.rest(&stage, &mut meter).await?;
        self.restart(&mut stage, &mut meter).await?;
        self.delete(&stage, &objects, &mut meter).await
    }

    async fn create(&self, stage: &Stage, objects: &AckClusters, meter: &mut Meter) -> Result<()> {
        let began = Instant::now();
        self.each(|number| async move {
            let mut object = smallest(&name(number), &secret(number % self.accounts.max(1)));
            object["spec"]["tags"] = json!([{"key": "team", "value": format!("t{}", number % 7)}]);
            objects.apply(&object).await.map(drop)
        })
        .await?;
        println!("{} objects applied in {:.1} s", self.objects, began.elapsed().as_secs_f64());
        let ready = |object: &Value| condition(object, "Ready").is_some_and(|ready| ready["status"] == "True");
        self.until(stage, objects, "all clusters to be ready", |all| {
            all.iter().filter(|o| ready(o)).count() == self.objects
        })
        .await?;
        let took = began.elapsed();
        // What is still to come of it.
        tokio::time::sleep(Duration::from_secs(3)).await;
        meter.print(stage, "create", took)
    }

    async fn rest(&self, stage: &Stage, meter: &mut Meter) -> Result<()> {
        meter.read(stage)?;
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs(self.rest)).await;
        meter.print(stage, "rest", began.elapsed())
    }

    /// From the start of a new process until neither it nor ACK hears anything new.
    async fn restart(&self, stage: &mut Stage, meter: &mut Meter) -> Result<()> {
        meter.read(stage)?;
        stage.operators.clear();
        let began = Instant::now();
        stage.start_operator().await?;
        meter.cpu = 0.0;
        let pid = meter.pid(stage);
        let (mut before, mut quiet) = ((0.0, 0), began);
        while quiet.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let now = (processor(pid)?, stage.journal(0).len());
            if now.0 - before.0 > 0.02 || now.1 != before.1 {
                quiet = Instant::now();
            }
            before = now;
        }
        meter.print(stage, "restart", quiet.duration_since(began))
    }

    async fn delete(&self, stage: &Stage, objects: &AckClusters, meter: &mut Meter) -> Result<()> {
        meter.read(stage)?;
        let began = Instant::now();
        self.each(|number| async move { objects.delete(&name(number)).await }).await?;
        self.until(stage, objects, "all objects to be gone", |all| all.is_empty()).await?;
        meter.print(stage, "delete", began.elapsed())
    }

    async fn each<F: Future<Output = Result<()>>>(&self, write: impl Fn(usize) -> F) -> Result<()> {
        stream::iter((0..self.objects).map(write)).buffer_unordered(WRITERS).try_collect().await
    }

    async fn until(
        &self,
        stage: &Stage,
        objects: &AckClusters,
        what: &str,
        done: impl Fn(&[Value]) -> bool,
    ) -> Result<()> {
        let (began, deadline) = (Instant::now(), Duration::from_secs(self.deadline));
        while !done(&objects.list().await?) {
            if began.elapsed() > deadline {
                return Err(stage.too_late(what, deadline));
            }
            tokio::time::sleep(Duration::from_millis(if self.objects > 500 { 5000 } else { 500 })).await;
        }
        Ok(())
    }
}

fn name(number: usize) -> String {
    format!("cluster-{number:05}")
}

fn secret(account: usize) -> String {
    format!("account-{account}")
}

fn key(account: usize) -> Key {
    let id = format!("LTAI5tPlayground{account:04}");
    Key { id, account: format!("{}", 1_000_000_000_000_000_u64 + account as u64), ..Key::default() }
}

/// How many, by name.
type Counts = BTreeMap<String, usize>;

/// What was read so far of journal, audit log and clock.
struct Meter {
    audit: PathBuf,
    at: u64,
    calls: usize,
    cpu: f64,
}

impl Meter {
    fn new(audit: PathBuf) -> Meter {
        Meter { audit, at: 0, calls: 0, cpu: 0.0 }
    }

    fn pid(&self, stage: &Stage) -> u32 {
        stage.operators.last().map_or(0, |operator| operator.pid())
    }

    /// The calls of ACK and the requests to the API server since the last reading, and the processor's seconds.
    fn read(&mut self, stage: &Stage) -> Result<(Counts, Counts, f64)> {
        let journal = stage.journal(self.calls);
        self.calls += journal.len();
        let mut calls = BTreeMap::new();
        journal.into_iter().for_each(|call| *calls.entry(call.operation).or_default() += 1);
        let cpu = processor(self.pid(stage))?;
        Ok((calls, self.requests()?, cpu - std::mem::replace(&mut self.cpu, cpu)))
    }

    fn requests(&mut self) -> Result<Counts> {
        let failed = Error::io("cannot read", &self.audit);
        let read = || -> std::io::Result<_> {
            let mut log = BufReader::new(File::open(&self.audit)?);
            log.seek(SeekFrom::Start(self.at))?;
            let (mut requests, mut at, mut line) = (BTreeMap::new(), self.at, String::new());
            while log.read_line(&mut line)? > 0 && line.ends_with('\n') {
                at += line.len() as u64;
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                line.clear();
                let user = entry["user"]["username"].as_str().unwrap_or_default();
                if user.ends_with(":ack-operator") && entry["stage"] == "ResponseComplete" {
                    let of = |member: &str| entry["objectRef"][member].as_str().unwrap_or_default().to_owned();
                    let (verb, part) = (entry["verb"].as_str().unwrap_or_default(), of("subresource"));
                    let part = if part.is_empty() { part } else { format!("/{part}") };
                    *requests.entry(format!("{verb} {}{part}", of("resource"))).or_default() += 1;
                }
            }
            Ok((requests, at))
        };
        let (requests, at) = read().map_err(failed)?;
        self.at = at;
        Ok(requests)
    }

    fn print(&mut self, stage: &Stage, what: &str, took: Duration) -> Result<()> {
        let (calls, requests, cpu) = self.read(stage)?;
        let list =
            |of: &Counts| of.iter().map(|(name, number)| format!("{name} {number}")).collect::<Vec<_>>().join(", ");
        println!("{what}: {:.1} s", took.as_secs_f64());
        println!("{what}: {} calls: {}", calls.values().sum::<usize>(), list(&calls));
        println!("{what}: requests: {}", list(&requests));
        println!("{what}: {cpu:.2} s of processor, {:.1} MiB", resident(self.pid(stage))?);
        Ok(())
    }
}
