//! `playground demo`: the life of an AckCluster on a terminal, told by the commands that a user would type and what the
//! real kubectl prints. It changes nothing that is not shown.

use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::access::Access;
use crate::error::{Error, Result};
use crate::keeper::write_private;
use crate::objects::{AckClusters, condition};
use crate::repository;
use crate::stage::{GUEST_NAMESPACE, Setup, Stage};
use crate::tools::{Tool, Toolbox};
use crate::up::stop_signal;

const MANIFEST: &str = "examples/quickstart.yaml";
/// The Secret that it names for the kubeconfig.
const KUBECONFIG: &str = "quickstart-kubeconfig";

/// What the cluster's time zone is changed to.
const TIMEZONE: &str = "Asia/Singapore";

/// Starts everything, applies examples/quickstart.yaml and shows the cluster being created; then it is yours until
/// Ctrl-C.
#[derive(clap::Args, Debug)]
pub struct Demo {
    /// Go on by itself: change the cluster, delete it in vain, lift the protection, see it go, and end
    #[arg(long)]
    exit: bool,

    /// Use the API server of this kubeconfig; emulator and operator run here, for the namespace ack-playground only
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,

    /// The operator's program [default: ack-operator beside this one]
    #[arg(long, value_name = "PATH")]
    operator: Option<PathBuf>,

    /// More flags for the operator, after `--`
    #[arg(last = true, value_name = "OPERATOR FLAGS")]
    flags: Vec<String>,
}

impl Demo {
    pub async fn run(self) -> Result<()> {
        let theirs = self.kubeconfig.clone();
        let outcome = tokio::select! {
            outcome = self.show() => outcome,
            () = stop_signal() => {
                println!("\nTaking everything down.");
                Ok(())
            }
        };
        // The stage is gone by now, so nobody puts a finalizer back.
        match theirs {
            Some(kubeconfig) => outcome.and(leave(kubeconfig)),
            None => outcome,
        }
    }

    async fn show(self) -> Result<()> {
        let began = Instant::now();
        let user_has_server = self.kubeconfig.is_some();
        heading("A Kubernetes API, and an ACK, on this machine");
        let mut stage = Stage::set(Setup {
            kubeconfig: self.kubeconfig,
            operator: self.operator,
            flags: self.flags,
            ..Setup::default()
        })
        .await?;
        let server = stage.access().run_kubectl(&["version", "-o", "json"])?;
        let server: Value = serde_json::from_str(&server).unwrap_or_default();
        let version = server["serverVersion"]["gitVersion"].as_str().unwrap_or("?");
        let first_user = stage.access().run_kubectl(&[
            "config",
            "view",
            "--minify",
            "-o",
            "jsonpath={.clusters[0].cluster.server}",
        ])?;
        line("Kubernetes", &format!("{version} at {first_user}"));
        line("ACK", &format!("emulated at {}; clusters take seconds here, not minutes", stage.operator.endpoint));
        let installed = if user_has_server { "its CustomResourceDefinition" } else { "all of it but the pod" };
        line("chart", installed);
        let operator = stage.start_operator().await?;
        let rights = if user_has_server { "with your rights" } else { "with the chart's rights and no more" };
        line("operator", &format!("process {}, {rights}", operator.pid()));
        line("ready after", &format!("{:.1} s", began.elapsed().as_secs_f64()));

        let walk = Walk::new(&mut stage).await?;
        walk.create().await?;
        walk.use_kubeconfig(user_has_server).await?;
        if self.exit {
            walk.change().await?;
            if user_has_server {
                walk.delete_that_waits().await?;
            } else {
                walk.delete_that_is_refused().await?;
            }
            walk.let_go().await?;
            println!("\nAll of it took {:.0} s.", began.elapsed().as_secs_f64());
            return Ok(());
        }
        walk.next(user_has_server);
        std::future::pending().await
    }
}

/// Takes our namespace out of a user's API server. Its clusters were emulated and are gone, so their finalizers would
/// wait for ever.
fn leave(kubeconfig: PathBuf) -> Result<()> {
    let [kubectl, helm] = Toolbox::default().ready([Tool::Kubectl, Tool::Helm])?;
    let access = Access { kubeconfig, kubectl, helm };
    let namespace = ["--namespace", GUEST_NAMESPACE];
    for object in access.run_kubectl(&[&namespace[..], &["get", "ack", "--output=name"]].concat())?.lines() {
        let patch = ["patch", object, "--type=merge", r#"--patch={"metadata":{"finalizers":null}}"#];
        access.run_kubectl(&[&namespace[..], &patch].concat())?;
    }
    access.run_kubectl(&["delete", "namespace", GUEST_NAMESPACE, "--wait=false"])?;
    println!("The namespace {GUEST_NAMESPACE} goes; the CustomResourceDefinition stays in your API server.");
    Ok(())
}

/// One object's way through its life. Each step fails when the object does not get where it should.
struct Walk<'a> {
    stage: &'a mut Stage,
    objects: AckClusters,
    name: String,
    cluster_id: std::cell::RefCell<String>,
}

impl<'a> Walk<'a> {
    async fn new(stage: &'a mut Stage) -> Result<Walk<'a>> {
        let file = repository().join(MANIFEST);
        let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
        let manifest: Value =
            serde_saphyr::from_str(&text).map_err(|error| Error::Unexpected(format!("{MANIFEST}: {error}")))?;
        let name = manifest["metadata"]["name"].as_str().unwrap_or("quickstart").to_owned();
        let objects = AckClusters::new(stage.access().client().await?, &stage.namespace);
        Ok(Walk { stage, objects, name, cluster_id: Default::default() })
    }

    async fn create(&self) -> Result<()> {
        heading("Create");
        self.kubectl(&["apply", "-f", MANIFEST]).await?;
        // kubectl makes its columns as wide as the first rows need, so the id had better be there; it comes at once.
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3)
            && self.objects.get(&self.name).await?.is_some_and(|object| object["status"]["cluster_id"].is_null())
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let running = |object: Option<&Value>| object.is_some_and(|object| is(object, "Ready", "True"));
        self.watch("its cluster to run", running).await?;
        println!();
        self.kubectl(&["events", "--for", &self.object()]).await?;
        let object = self.objects.get(&self.name).await?.unwrap_or_default();
        expect(object["status"]["size"] == 2, "the object runs without the two nodes of its pool")?;
        let id = object["status"]["cluster_id"].as_str().unwrap_or_default();
        expect(!id.is_empty(), "the object runs, but has no cluster_id")?;
        self.cluster_id.replace(id.into());
        self.ledger(false)
    }

    /// What the operator published, as a user would take it, and a real request with it.
    async fn use_kubeconfig(&self, made_up: bool) -> Result<()> {
        let secret = format!("secret/{KUBECONFIG}");
        println!();
        self.kubectl(&["get", &secret]).await?;
        if made_up {
            println!("\n{}", dim("Its kubeconfig is made up: no cluster stands behind this ACK."));
            return Ok(());
        }
        let output = r"go-template={{.data.value | base64decode}}";
        let arguments = self.arguments(&["get", &secret, "-o", output]);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let text = self.stage.access().run_kubectl(&words)?;
        let file = self.stage.access().kubeconfig.with_file_name("demo.kubeconfig");
        write_private(&file, &text)?;
        println!();
        prompt(&[arguments, vec![">".into(), file.display().to_string()]].concat());
        self.kubectl(&["--kubeconfig", &file.display().to_string(), "get", "namespaces"]).await
    }

    async fn change(&self) -> Result<()> {
        heading("Change");
        let patch = format!(r#"{{"spec":{{"timezone":"{TIMEZONE}"}}}}"#);
        self.kubectl(&["patch", &self.object(), "--type=merge", "-p", &patch]).await?;
        let applied = |object: Option<&Value>| {
            object.is_some_and(|object| {
                let seen = condition(object, "Synced").and_then(|synced| synced["observedGeneration"].as_i64());
                is(object, "Synced", "True") && seen == object["metadata"]["generation"].as_i64()
            })
        };
        self.watch("the change to be made", applied).await?;
        let changed = self.stage.ledger().iter().all(|cluster| cluster.shown["timezone"] == TIMEZONE);
        expect(changed, "ACK does not show what the spec says")?;
        println!();
        self.kubectl(&["events", "--for", &self.object()]).await
    }

    /// The chart's policies stand in the API server: the user hears no at once, and the object is not even marked.
    async fn delete_that_is_refused(&self) -> Result<()> {
        heading("Delete, which is refused");
        let refused = self.kubectl(&["delete", &self.object(), "--wait=false"]).await.is_err();
        expect(refused, "a protected object was taken for deletion")?;
        let object = self.objects.get(&self.name).await?.unwrap_or_default();
        expect(object["metadata"]["deletionTimestamp"].is_null(), "a refused deletion has begun all the same")?;
        self.ledger(false)
    }

    /// Without them, the operator's finalizer is what holds.
    async fn delete_that_waits(&self) -> Result<()> {
        heading("Delete, which waits");
        self.kubectl(&["delete", &self.object(), "--wait=false"]).await?;
        let held = |object: Option<&Value>| {
            object
                .and_then(|object| condition(object, "Ready"))
                .is_some_and(|ready| ready["reason"] == "DeletionProtected")
        };
        self.watch("the deletion to wait for the protection", held).await?;
        self.ledger(false)
    }

    async fn let_go(&self) -> Result<()> {
        heading("Lift the protection, and it goes");
        let patch = r#"{"spec":{"deletion_protection":false}}"#;
        self.kubectl(&["patch", &self.object(), "--type=merge", "-p", patch]).await?;
        // One that was refused has to be asked for again; one that waits goes on by itself.
        if self.objects.get(&self.name).await?.is_some_and(|object| object["metadata"]["deletionTimestamp"].is_null()) {
            self.kubectl(&["delete", &self.object(), "--wait=false"]).await?;
        }
        self.watch("the object to go", |object| object.is_none()).await?;
        println!();
        self.kubectl(&["get", "ack"]).await?;
        self.ledger(true)
    }

    fn object(&self) -> String {
        format!("ack/{}", self.name)
    }

    /// What ACK itself says: exactly one cluster ever made for this object, alive or not.
    fn ledger(&self, deleted: bool) -> Result<()> {
        let ledger = self.stage.ledger();
        let [cluster] = &ledger[..] else {
            return Err(Error::Unexpected(format!("ACK has made {} clusters for one object", ledger.len())));
        };
        expect(cluster.id == *self.cluster_id.borrow(), "ACK's cluster is not the one in the status")?;
        let gone = !cluster.deleted.is_empty();
        expect(gone == deleted, if gone { "the cluster was deleted" } else { "the cluster is still there" })?;
        let state = if gone { "deleted" } else { &cluster.state };
        println!("\n{}", dim(&format!("ACK's own ledger: one cluster ever, {}, {state}.", cluster.id)));
        Ok(())
    }

    /// Arguments with the namespace, where it is not the one that a user would be in anyway.
    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let namespace = if self.stage.namespace == "default" { vec![] } else { vec!["-n", &self.stage.namespace] };
        arguments.iter().copied().chain(namespace).map(String::from).collect()
    }

    /// Prints a command and what it prints.
    async fn kubectl(&self, arguments: &[&str]) -> Result<()> {
        let arguments = self.arguments(arguments);
        prompt(&arguments);
        let mut command = tokio::process::Command::from(self.stage.access().kubectl());
        command.args(&arguments).current_dir(repository()).kill_on_drop(true).stderr(Stdio::inherit());
        let status = command.stdout(Stdio::inherit()).status().await.map_err(Error::io("cannot run", "kubectl"))?;
        expect(status.success(), "kubectl did not succeed")
    }

    /// `kubectl get -w` on the screen until `done` says so of the object (`None`: it is gone).
    async fn watch(&self, what: &str, done: impl Fn(Option<&Value>) -> bool) -> Result<()> {
        const DEADLINE: Duration = Duration::from_secs(120);
        let arguments = self.arguments(&["get", &self.object(), "-w", "-o", "wide"]);
        println!();
        prompt(&arguments);
        let mut command = tokio::process::Command::from(self.stage.access().kubectl());
        command.args(&arguments).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(Error::io("cannot run", "kubectl"))?;
        let Some(output) = child.stdout.take() else { return Err(Error::Unexpected("no output".into())) };
        let mut lines = BufReader::new(output).lines();
        let began = Instant::now();
        let mut over = false;
        loop {
            // Once it is over, kubectl gets a moment to print what has led there.
            let patience = Duration::from_millis(if over { 400 } else { 150 });
            match tokio::time::timeout(patience, lines.next_line()).await {
                Ok(Ok(Some(text))) => println!("{}", text.trim_end()),
                _ if over => return Ok(()),
                _ => {
                    over = done(self.objects.get(&self.name).await?.as_ref());
                    if !over && began.elapsed() > DEADLINE {
                        return Err(self.stage.too_late(what, DEADLINE));
                    }
                }
            }
        }
    }

    fn next(&self, waits: bool) {
        let (access, object) = (self.stage.access(), self.object());
        let namespace =
            if self.stage.namespace == "default" { String::new() } else { format!(" -n {}", self.stage.namespace) };
        let log = self.stage.operators.first().map(|operator| operator.log().display().to_string()).unwrap_or_default();
        heading("Yours until Ctrl-C");
        println!("In another terminal:\n");
        println!("  export KUBECONFIG={}", access.kubeconfig.display());
        println!("  alias kubectl={}", access.kubectl.display());
        println!("\n  kubectl get ack{namespace} -w -o wide");
        println!("  kubectl describe {object}{namespace}");
        let lift = || {
            println!(
                r#"  kubectl patch {object}{namespace} --type=merge -p '{{"spec":{{"deletion_protection":false}}}}'"#
            );
        };
        let delete = format!("  kubectl delete {object}{namespace} --wait=false");
        if waits {
            println!("\nIt is protected. Try to delete it: the object waits and says why, the cluster stays.\n");
        } else {
            println!("\nIt is protected. Try to delete it: that is refused with the way out, the cluster stays.\n");
        }
        println!("{delete}");
        if waits {
            println!("\nLift the protection, and the deletion goes on by itself.\n");
            lift();
        } else {
            println!("\nLift the protection, and delete again.\n");
            lift();
            println!("{delete}");
        }
        println!("\nThe other side, and the operator's own words:\n");
        let ca = self.stage.operator.ca_file.clone().unwrap_or_default();
        println!("  curl --cacert {} {}/_emulator/ledger", ca.display(), self.stage.operator.endpoint);
        println!("  tail -f {log}");
    }
}

fn is(object: &Value, kind: &str, status: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == status)
}

fn expect(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Unexpected(otherwise.into())) }
}

fn styled(code: &str, text: &str) -> String {
    if stdout().is_terminal() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}

fn dim(text: &str) -> String {
    styled("2", text)
}

fn heading(text: &str) {
    println!("\n{}\n", styled("1", &format!("== {text}")));
}

fn line(what: &str, text: &str) {
    println!("  {what:<12} {text}");
}

/// The command as one would type it; words with blanks or braces in quotes.
fn prompt(arguments: &[String]) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@>".contains(c);
    let quoted = arguments.iter().map(|word| if word.chars().all(plain) { word.clone() } else { format!("'{word}'") });
    println!("{}", styled("36", &format!("$ kubectl {}", quoted.collect::<Vec<_>>().join(" "))));
    let _ = stdout().flush();
}
