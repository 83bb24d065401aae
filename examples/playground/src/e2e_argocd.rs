//! `playground e2e-argocd`: the sample of deploy/argocd goes its whole way with a real Argo CD, from a commit to the end of
//! its cluster. Each step is awaited and printed; the first that does not come ends it with an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

use crate::argocd::{ArgoCd, Repository, bundle};
use crate::error::{Error, Result};
use crate::keeper::Kept;
use crate::objects::{AckClusters, condition};
use crate::stage::{Setup, Stage};
use crate::up::stop_signal;

const DEADLINE: Duration = Duration::from_secs(120);
const APPLICATION: &str = "demo-cluster";
/// The sample's folder in its repository, and its one AckCluster.
const FOLDER: &str = "clusters/demo";
const NAMESPACE: &str = "clusters";
const CLUSTER: &str = "demo";
const URL: &str = "https://git.example.com/platform/fleet.git";

/// Builds Argo CD once, then needs about a minute. Everything is taken down at its end, whatever that is.
#[derive(clap::Args, Debug)]
pub struct E2eArgocd {
    /// The operator's program [default: ack-operator beside this one]
    #[arg(long, value_name = "PATH")]
    operator: Option<PathBuf>,
}

impl E2eArgocd {
    pub async fn run(self) -> Result<()> {
        tokio::select! {
            outcome = self.go() => outcome,
            () = stop_signal() => Err(Error::Unexpected("interrupted".into())),
        }
    }

    async fn go(self) -> Result<()> {
        let began = Instant::now();
        let mut stage = Stage::set(Setup { operator: self.operator, ..Setup::default() }).await?;
        stage.start_operator().await?;
        let argocd = ArgoCd::start(stage.access(), stage.loopback()).await?;
        let round = Round::new(stage, argocd).await?;
        round.scripts()?;
        round.git_makes_it_healthy().await?;
        round.hold_and_resume().await?;
        round.edit().await?;
        round.prune().await?;
        round.leave().await?;
        println!("\nAll of it took {:.0} s.", began.elapsed().as_secs_f64());
        Ok(())
    }
}

struct Round {
    applications: Api<DynamicObject>,
    objects: AckClusters,
    repository: Repository,
    /// `kubectl get --watch` of the Application: one line an event, so that no passing state goes unseen.
    watch: Kept,
    argocd: ArgoCd,
    stage: Stage,
    clock: std::cell::Cell<Instant>,
}

/// What the Application says.
struct Seen {
    sync: String,
    health: String,
    /// Of the AckCluster in it.
    cluster: (String, String),
    operation: (String, String),
    reconciled: String,
}

impl Round {
    async fn new(stage: Stage, argocd: ArgoCd) -> Result<Round> {
        let client = stage.access().client().await?;
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let resource = ApiResource::from_gvk_with_plural(&kind, "applications");
        let applications = Api::namespaced_with(client.clone(), "argocd", &resource);
        let repository = Repository::init(stage.loopback().dir().join("fleet"))?;
        let objects = AckClusters::new(client, NAMESPACE);
        let mut command = stage.access().kubectl();
        let line = r#"jsonpath={.metadata.name} {.status.sync.status} {.status.resources[?(@.kind=="AckCluster")].health.status}{"\n"}"#;
        command.args(["-n", "argocd", "get", "applications", "--watch", "-o", line]);
        let watch = Kept::start("kubectl", &command, &stage.loopback().dir().join("applications.log"))?;
        let clock = Instant::now().into();
        Ok(Round { applications, objects, repository, watch, argocd, stage, clock })
    }

    /// The scripts in Argo CD's own Lua say of each fixture what our tests say.
    fn scripts(&self) -> Result<()> {
        let folder = bundle("resource_customizations/ackoperator.dev/AckCluster");
        let file = folder.join("health_test.yaml");
        let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
        let tests: Value = serde_saphyr::from_str(&text).map_err(|error| Error::Unexpected(error.to_string()))?;
        let tests = tests["tests"].as_array().cloned().unwrap_or_default();
        for test in &tests {
            let (input, want) = (text_of(&test["inputPath"]), text_of(&test["healthStatus"]["status"]));
            let answer = self.argocd.overrides("health", &folder.join(&input))?;
            expect(answer.contains(&format!("STATUS: {want}")), &format!("{input} is not {want}: {answer}"))?;
        }
        let actions = self.argocd.overrides("list-actions", &folder.join("testdata/running.yaml"))?;
        for action in ["pause", "resume", "reconcile"] {
            expect(actions.contains(action), &format!("no action {action}: {actions}"))?;
        }
        self.step(&format!("{} fixtures and 3 actions, in Argo CD's own Lua", tests.len()));
        Ok(())
    }

    async fn git_makes_it_healthy(&self) -> Result<()> {
        let mut files = BTreeMap::new();
        for name in ["1-credentials.yaml", "2-ackcluster.yaml", "3-workloads.yaml"] {
            files.insert(format!("{FOLDER}/{name}"), Some(self.sample(&format!("example/{FOLDER}/{name}"))?));
        }
        self.repository.commit("a cluster", &files)?;
        self.stage.access().apply(&self.sample("example/application.yaml")?)?;
        self.until_app("Synced and Healthy, wave after wave", |app| {
            app.sync == "Synced"
                && app.health == "Healthy"
                && app.cluster.0 == "Healthy"
                && app.operation.0 == "Succeeded"
        })
        .await?;
        let events = self.events();
        let at = |word: &str| events.iter().position(|event| event.ends_with(word));
        expect(
            at("Progressing").is_some_and(|at_first| Some(at_first) < at("Healthy")),
            "it was not Progressing first",
        )?;
        self.step("before that it was Progressing");

        let object = self.object().await?;
        let ready = condition(&object, "Ready").cloned().unwrap_or_default();
        let workloads = self.applications.get("demo-workloads").await?;
        let born = workloads.metadata.creation_timestamp.map(|time| time.0.to_string()).unwrap_or_default();
        expect(
            born >= text_of(&ready["lastTransitionTime"]),
            "the workloads were synced before the cluster was ready",
        )?;
        self.step("workloads were synced after the cluster was ready");
        let ledger = self.stage.ledger();
        expect(ledger.len() == 1 && ledger[0].protected, "ACK does not have one protected cluster")?;
        self.step("ACK's ledger: one cluster, protected");
        Ok(())
    }

    async fn hold_and_resume(&self) -> Result<()> {
        let mark = self.events().len();
        let annotate = |value: &str| {
            let word = format!("ackoperator.dev/paused{value}");
            self.stage.access().run_kubectl(&["-n", NAMESPACE, "annotate", "ack", CLUSTER, &word])
        };
        annotate("=true")?;
        self.until_app("paused: Suspended", |app| app.cluster.0 == "Suspended").await?;
        annotate("-")?;
        self.until_app("resumed: Healthy", |app| app.cluster.0 == "Healthy" && app.health == "Healthy").await?;
        self.no_out_of_sync(mark)
    }

    async fn edit(&self) -> Result<()> {
        let mark = self.events().len();
        let file = format!("{FOLDER}/2-ackcluster.yaml");
        let text = self.sample(&format!("example/{file}"))?;
        let edited = text.replace("deletion_protection: true", "deletion_protection: false");
        expect(edited != text, "the sample is not protected")?;
        self.repository.commit("no protection", &BTreeMap::from([(file, Some(edited))]))?;
        self.refresh()?;
        self.until("an edit in Git reaches ACK", async || Ok(!self.stage.ledger()[0].protected)).await?;
        self.until("the operator has seen it", async || {
            let object = self.object().await?;
            let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            Ok(seen && condition(&object, "Ready").is_some_and(|ready| ready["reason"] == "Running"))
        })
        .await?;
        self.until_app("Synced and Healthy again", |app| app.sync == "Synced" && app.health == "Healthy").await?;
        // The commit itself is a difference, once.
        let since: Vec<_> = self.events().split_off(mark);
        let first = since.iter().position(|event| event.contains(" OutOfSync ")).unwrap_or(0);
        let after = since.iter().skip(first).position(|event| event.contains(" Synced ")).unwrap_or(0);
        self.no_out_of_sync(mark + first + after)
    }

    async fn prune(&self) -> Result<()> {
        let gone = ["2-ackcluster.yaml", "3-workloads.yaml"].map(|name| (format!("{FOLDER}/{name}"), None));
        self.repository.commit("no cluster", &gone.into())?;
        self.refresh()?;
        self.until_app("removed from Git: waits for a confirmation", |app| {
            app.operation.0 == "Running" && app.operation.1.contains("aiting for pruning confirmation")
        })
        .await?;
        for _ in 0..2 {
            let before = self.app().await?.reconciled;
            self.until("", async || Ok(self.app().await?.reconciled != before)).await?;
        }
        expect(
            self.object().await?["metadata"]["deletionTimestamp"].is_null(),
            "it was deleted without a confirmation",
        )?;
        self.step("two looks later nothing is deleted");

        let id = text_of(&self.object().await?["status"]["cluster_id"]);
        self.stage.outside(&id, &serde_json::json!({"deletion_protection": true}))?;
        let now = jiff::Timestamp::now().strftime("%FT%TZ");
        let approved = format!("argocd.argoproj.io/deletion-approved={now}");
        let words = ["-n", "argocd", "annotate", "application", APPLICATION, "--overwrite", &approved];
        self.stage.access().run_kubectl(&words)?;
        self.until("confirmed: its deletion is asked for", async || {
            Ok(self.object().await?["metadata"]["deletionTimestamp"].is_string())
        })
        .await?;
        self.until_app("protected in ACK's console: Degraded, DeletionProtected", |app| {
            app.cluster.0 == "Degraded" && app.cluster.1.starts_with("DeletionProtected: ")
        })
        .await?;
        expect(self.stage.ledger()[0].deleted.is_empty(), "a protected cluster was deleted")?;

        self.stage.outside(&id, &serde_json::json!({"deletion_protection": false}))?;
        self.until("protection lifted: gone", async || Ok(self.objects.get(CLUSTER).await?.is_none())).await?;
        let ledger = self.stage.ledger();
        expect(ledger.len() == 1 && !ledger[0].deleted.is_empty(), "ACK still has the cluster")?;
        self.step("ACK's ledger: no cluster");
        self.until_app("Synced and Healthy without it", |app| {
            app.sync == "Synced" && app.health == "Healthy" && app.operation.0 == "Succeeded"
        })
        .await
    }

    async fn leave(&self) -> Result<()> {
        self.stage.access().run_kubectl(&["-n", "argocd", "delete", "application", APPLICATION, "--wait=false"])?;
        let gone = async || Ok(self.applications.get_opt(APPLICATION).await?.is_none());
        self.until("the Application is deleted", gone).await
    }

    /// A file of the sample, with this repository and the emulated account in it.
    fn sample(&self, path: &str) -> Result<String> {
        let file = bundle(path);
        let text = fs::read_to_string(&file).map_err(Error::io("cannot read", &file))?;
        let key = &self.stage.key;
        let text = text.replace(URL, &self.repository.url()).replace("your-access-key-id", &key.id);
        Ok(text.replace("your-access-key-secret", &key.secret))
    }

    /// Tells Argo CD to look now, and not at its next turn.
    fn refresh(&self) -> Result<()> {
        let word = "argocd.argoproj.io/refresh=normal";
        let words = ["-n", "argocd", "annotate", "application", APPLICATION, "--overwrite", word];
        self.stage.access().run_kubectl(&words).map(drop)
    }

    async fn object(&self) -> Result<Value> {
        Ok(self.objects.get(CLUSTER).await?.unwrap_or_default())
    }

    async fn app(&self) -> Result<Seen> {
        let app = self.applications.get_opt(APPLICATION).await?.map(|app| app.data).unwrap_or_default();
        let status = &app["status"];
        let resources = status["resources"].as_array().cloned().unwrap_or_default();
        let cluster = resources.iter().find(|resource| resource["kind"] == "AckCluster").cloned().unwrap_or_default();
        let pair = |value: &Value, first: &str| (text_of(&value[first]), text_of(&value["message"]));
        Ok(Seen {
            sync: text_of(&status["sync"]["status"]),
            health: text_of(&status["health"]["status"]),
            cluster: pair(&cluster["health"], "status"),
            operation: pair(&status["operationState"], "phase"),
            reconciled: text_of(&status["reconciledAt"]),
        })
    }

    /// Every state that our Application went through, oldest first.
    fn events(&self) -> Vec<String> {
        let all = self.watch.log_tail(usize::MAX);
        all.lines().filter(|line| line.starts_with(APPLICATION)).map(|line| line.trim().to_owned()).collect()
    }

    fn no_out_of_sync(&self, mark: usize) -> Result<()> {
        let since = self.events().split_off(mark);
        expect(!since.iter().any(|event| event.contains(" OutOfSync")), &format!("a false OutOfSync: {since:#?}"))?;
        self.step(&format!("no false OutOfSync in {} events", since.len()));
        Ok(())
    }

    async fn until_app(&self, what: &str, done: impl Fn(&Seen) -> bool) -> Result<()> {
        self.until(what, async || Ok(done(&self.app().await?))).await
    }

    /// Asks until the answer is yes. An empty `what` is no step of its own.
    async fn until(&self, what: &str, ask: impl AsyncFn() -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !ask().await? {
            if began.elapsed() > DEADLINE {
                let app = self.applications.get_opt(APPLICATION).await?.map(|app| app.data["status"].to_string());
                let tail = format!(
                    "{}\nthe object: {:#}\nthe Application: {}",
                    self.argocd.log_tail(),
                    self.object().await?["status"],
                    app.unwrap_or_default()
                );
                return Err(Error::TooLate { what: what.into(), seconds: DEADLINE.as_secs(), tail });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if !what.is_empty() {
            self.step(what);
        }
        Ok(())
    }

    /// Prints what was reached, and how long it took.
    fn step(&self, what: &str) {
        println!("  ok {:>6.1} s  {what}", self.clock.replace(Instant::now()).elapsed().as_secs_f64());
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn expect(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Unexpected(otherwise.into())) }
}
