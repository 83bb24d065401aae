//! `playground e2e-helm`: the chart as a user installs it, with the image as it is shipped, on a node that really runs its
//! pod. ACK's ledger says what came of it. The operator's program is never started from here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ack_emulator::{AccessKey, Config, Emulator};
use serde_json::{Value, json};

use crate::access::SYSTEM_NAMESPACE;
use crate::emulated::Key;
use crate::error::{Error, Result};
use crate::image::{REGISTRY, Stage};
use crate::keeper::write_private;
use crate::loopback::EMULATOR;
use crate::node::{MACHINE, Node};
use crate::objects::{AckClusters, condition};
use crate::stage::ACCESS_SECRET;
use crate::up::stop_signal;

const NAMESPACE: &str = "default";
const MANIFEST: &str = "examples/quickstart.yaml";
const NAME: &str = "quickstart";
/// What the cluster's time zone is changed to.
const TIMEZONE: &str = "Asia/Singapore";
const RELEASE: &str = "ack-operator";
const CRD: &str = "crd/ackclusters.ackoperator.dev";
const DEADLINE: Duration = Duration::from_secs(120);

/// Installs the chart from an image archive with `helm install --wait` on a node of its own, has a cluster made, upgrades,
/// tests, uninstalls, installs again and deletes the cluster; ends with 0 or the first thing that went wrong.
#[derive(clap::Args, Debug)]
pub struct E2eHelm {
    /// The image (`make image`)
    #[arg(long, value_name = "FILE")]
    archive: PathBuf,
}

impl E2eHelm {
    pub async fn run(self) -> Result<()> {
        tokio::select! {
            outcome = self.walk() => outcome,
            () = stop_signal() => Err(Error::Unexpected("stopped; everything is down".into())),
        }
    }

    async fn walk(self) -> Result<()> {
        let began = Instant::now();
        let trip = Trip::set_out(&self.archive, began).await?;
        let outcome = trip.whole().await;
        if outcome.is_err() {
            trip.autopsy();
        }
        drop(trip);
        outcome?;
        println!("{:5.1} s  everything is down again", began.elapsed().as_secs_f64());
        Ok(())
    }
}

/// A node with our image, an ACK that its pods reach, and the one object whose life is followed.
struct Trip {
    objects: AckClusters,
    emulator: Emulator,
    values: PathBuf,
    began: Instant,
    node: Node,
}

impl Trip {
    async fn set_out(archive: &Path, began: Instant) -> Result<Trip> {
        let node = Node::start().await?;
        node.import(archive)?;
        let key = Key::default();
        // In a hurry, but with ACK's own window for dates: nobody may tell an operator in a pod another one.
        let Key { id, secret, account, token } = key.clone();
        let emulator = Emulator::start(Config {
            listen: vec![(None, (MACHINE, EMULATOR).into())],
            tls_dir: Some(node.plane.dir().join("ack")),
            access_keys: vec![AccessKey { id, secret, account, token }],
            list_lag: Duration::from_millis(500),
            create_time: Duration::from_secs(8),
            delete_time: Duration::from_secs(4),
            ..Config::default()
        })
        .await?;
        emulator.settings(&json!({"modify_time": "1s"}))?;

        let authority = emulator.ca().unwrap_or_default();
        let authority = std::fs::read_to_string(&authority).map_err(Error::io("cannot read", &authority))?;
        let values = json!({
            // No registry may be asked: what runs is what was imported.
            "image": {"registry": REGISTRY, "pullPolicy": "Never"},
            "api": {"endpoint": emulator.url(), "stsEndpoint": emulator.url(), "caBundle": authority},
            "reconcile": {"pollBusy": "1s"},
        });
        let file = node.plane.dir().join("values.json");
        write_private(&file, &values.to_string())?;
        node.plane.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {SYSTEM_NAMESPACE}\n  labels:\n    \
             pod-security.kubernetes.io/enforce: restricted\n"
        ))?;
        node.plane.apply(&key.secret_manifest(ACCESS_SECRET, NAMESPACE))?;
        let objects = AckClusters::new(node.plane.client().await?, NAMESPACE);
        let trip = Trip { objects, emulator, values: file, began, node };
        let name = Stage::of_the_operator()?.name();
        trip.say(&format!("a node is ready, with the image {name}; ACK is emulated at {}", trip.emulator.url()));
        Ok(trip)
    }

    async fn whole(&self) -> Result<()> {
        self.install().await?;
        let pod = self.pod()?;
        self.node.plane.run_kubectl(&["apply", "-f", &crate::repository().join(MANIFEST).display().to_string()])?;
        let object = self.object("its cluster to run", |object| is(object, "Ready")).await?;
        let id = object["status"]["cluster_id"].as_str().unwrap_or_default().to_owned();
        self.ledger(&id, false)?;
        self.say(&format!("{NAME} has a cluster, {id}, made by the pod {pod}"));

        self.helm("upgrade", &["--reuse-values", "--set=reconcile.pollIdle=10s", "--wait", "--timeout=3m"]).await?;
        let next = self.pod()?;
        expect(next != pod, "the upgrade has left the old pod")?;
        self.change(&json!({"timezone": TIMEZONE})).await?;
        self.ledger(&id, false)?;
        self.say(&format!("upgraded: the pod {next} has changed the same cluster, and made none"));

        self.helm("test", &["--logs"]).await?;
        self.say("helm test: the doctor is content");

        self.helm("uninstall", &["--wait"]).await?;
        self.node.plane.run_kubectl(&["get", CRD])?;
        let left = self.objects.get(NAME).await?.unwrap_or_default();
        expect(left["status"]["cluster_id"] == id.as_str(), "the object or its status went with the release")?;
        // Helm does not wait for what its own objects have made.
        let pods = ["get", "pods", "--namespace", SYSTEM_NAMESPACE, "--output=name"];
        let none = async || Ok(self.node.plane.run_kubectl(&pods)?.is_empty().then_some(()));
        until("the pod to go with the release", none).await?;
        self.ledger(&id, false)?;
        self.say("uninstalled: definition, object and cluster have stayed");

        self.install().await?;
        self.change(&json!({"deletion_protection": false})).await?;
        let object = self.object("the object to be well again", |object| is(object, "Ready")).await?;
        expect(object["status"]["cluster_id"] == id.as_str(), "installed again, the object has another cluster")?;
        self.ledger(&id, false)?;
        self.say("installed again: the same object has the same cluster, and nothing was made");

        self.objects.delete(NAME).await?;
        until("the object to go", async || Ok(self.objects.get(NAME).await?.is_none().then_some(()))).await?;
        self.ledger(&id, true)?;
        self.say("deleted: object and cluster are gone; one cluster was ever made");
        Ok(())
    }

    async fn install(&self) -> Result<()> {
        let values = format!("--values={}", self.values.display());
        self.helm("install", &[&values, "--wait", "--timeout=3m", "--hide-notes"]).await?;
        self.say(&format!("helm install --wait: the pod {} is ready", self.pod()?));
        Ok(())
    }

    /// Has the operator change the cluster, which shows that the one at work has taken the object over.
    async fn change(&self, spec: &Value) -> Result<()> {
        self.objects.merge(NAME, &json!({"spec": spec})).await?;
        self.object("the cluster to be as the object says", |object| {
            let seen = condition(object, "Synced").and_then(|synced| synced["observedGeneration"].as_i64());
            is(object, "Synced") && seen == object["metadata"]["generation"].as_i64()
        })
        .await
        .map(drop)
    }

    /// The chart is the repository's own; a verb that takes none does not get it.
    async fn helm(&self, verb: &str, more: &[&str]) -> Result<()> {
        let mut helm = Command::new(&self.node.plane.helm);
        helm.env("KUBECONFIG", self.node.plane.kubeconfig()).args([verb, RELEASE]);
        if matches!(verb, "install" | "upgrade") {
            helm.arg(crate::chart());
        }
        helm.arg(format!("--namespace={SYSTEM_NAMESPACE}")).args(more);
        let output = tokio::process::Command::from(helm).kill_on_drop(true).output().await;
        let output = output.map_err(Error::io("cannot run", &self.node.plane.helm))?;
        if output.status.success() {
            return Ok(());
        }
        let output = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(Error::Command { command: format!("helm {verb} {RELEASE} {}", more.join(" ")), output })
    }

    /// The name of the one pod that is not on its way out.
    fn pod(&self) -> Result<String> {
        let words = ["get", "pods", "--namespace", SYSTEM_NAMESPACE, "--output=json"];
        let pods: Value = serde_json::from_str(&self.node.plane.run_kubectl(&words)?).unwrap_or_default();
        let stay = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
        let pods: Vec<_> = pods["items"].as_array().into_iter().flatten().filter(stay).collect();
        match pods[..] {
            [pod] => Ok(pod["metadata"]["name"].as_str().unwrap_or_default().to_owned()),
            _ => Err(Error::Unexpected(format!("one pod should run, not {}", pods.len()))),
        }
    }

    async fn object(&self, what: &str, done: impl Fn(&Value) -> bool) -> Result<Value> {
        until(what, async || Ok(self.objects.get(NAME).await?.filter(&done))).await
    }

    /// What ACK itself says: this cluster and never another, alive or not.
    fn ledger(&self, id: &str, deleted: bool) -> Result<()> {
        match &self.emulator.ledger()[..] {
            [only] if only.id == id && only.deleted.is_empty() != deleted => Ok(()),
            ledger => Err(Error::Unexpected(format!("ACK's ledger is not one cluster {id}: {ledger:?}"))),
        }
    }

    fn say(&self, text: &str) {
        println!("{:5.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// What helps to understand a failure, before everything goes.
    fn autopsy(&self) {
        let logs = ["logs", "--selector=app.kubernetes.io/name=ack-operator", "--prefix", "--tail=30"];
        for words in [
            &["get", "pods,ackclusters", "--all-namespaces", "--output=wide"][..],
            &["get", "events", "--namespace", SYSTEM_NAMESPACE, "--sort-by=.lastTimestamp"],
            &[&logs[..], &["--namespace", SYSTEM_NAMESPACE]].concat(),
        ] {
            match self.node.plane.run_kubectl(words) {
                Ok(text) => eprintln!("--- kubectl {}\n{text}", words.join(" ")),
                Err(error) => eprintln!("--- {}", error.sentence()),
            }
        }
    }
}

fn is(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

fn expect(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Unexpected(otherwise.into())) }
}

/// Asks until there is an answer or the deadline is over.
async fn until<T>(what: &str, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let tail = "(the pod's log is above)".into();
    Err(Error::TooLate { what: what.into(), seconds: DEADLINE.as_secs(), tail })
}
