//! Which of several operators works: the one that holds a Lease of coordination.k8s.io, by client-go's rules and times.
//! It spares calls and nothing else. No promise rests on it: that no two make the same cluster rests on the seal alone.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::{self, Either, FutureExt, Shared};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as Stored, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::{sleep, timeout};

use super::{Election, Metrics};
use crate::ack::Stamp;

/// A holder that has not renewed for so long has lost the lease to whoever takes it first.
const DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for so long stops, well before anybody else may begin.
const RENEWAL: Duration = Duration::from_secs(10);
/// Between two tries to take or renew it.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// The lease has another holder now, or could not be renewed in time. End the process; started again, it waits its turn.
#[derive(Debug, thiserror::Error)]
#[error("the lease {0} is lost; another operator may work now")]
pub struct Lost(String);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the Kubernetes API refused or failed: {}", cause(.0))]
    Kube(#[from] kube::Error),
    #[error("the Kubernetes API did not answer in time")]
    Silent(#[from] tokio::time::error::Elapsed),
}

fn cause(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// The lease, as one process sees it.
pub(super) struct Lease {
    leases: Api<Stored>,
    name: String,
    /// Differs for every process, also for two of one pod.
    me: String,
    /// Until when this process may work.
    until: Mutex<Option<Instant>>,
    metrics: Metrics,
}

/// Another's hold on the lease: its version, and since when this process has seen that one. So a hold ends by our own
/// clock alone, and those of two machines need not agree.
type Watched = Option<(Option<String>, Instant)>;

/// Runs `work` while the lease is held, and lets the lease go after it. Work is told to stop by `stop`, or by the loss.
pub(super) async fn lead<F: Future<Output = ()>>(
    lease: Arc<Lease>,
    ready: impl Fn(),
    stop: Shared<impl Future<Output = ()> + Send + 'static>,
    work: impl FnOnce(future::BoxFuture<'static, ()>) -> F,
) -> Result<(), Lost> {
    if let Either::Right(_) = future::select(Box::pin(lease.win(ready)), stop.clone()).await {
        return Ok(());
    }
    // A task of its own, since passes keep this one busy.
    let keeper = tokio::spawn({
        let lease = lease.clone();
        async move { lease.keep().await }
    });
    let abort = keeper.abort_handle();
    let lost = keeper.map(drop).shared();
    let told = lost.clone();
    work(async move { drop(future::select(stop, told).await) }.boxed()).await;
    if lost.peek().is_some() {
        return Err(Lost(lease.name.clone()));
    }
    abort.abort();
    lease.release().await;
    Ok(())
}

impl Lease {
    pub fn new(client: &Client, election: &Election, metrics: Metrics) -> Lease {
        let namespace = election.namespace.as_deref().unwrap_or(client.default_namespace());
        let pod = ["POD_NAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok());
        let now = Timestamp::now();
        let me = format!("{}_{}", pod.unwrap_or_else(|| "ack-operator".into()), Stamp::fresh(now, now).nonce);
        let leases = Api::namespaced(client.clone(), namespace);
        metrics.leads(&election.name, false);
        Lease { leases, name: election.name.clone(), me, until: Mutex::default(), metrics }
    }

    /// Whether this process may begin something now.
    pub fn held(&self) -> bool {
        self.until.lock().expect("lease").is_some_and(|until| Instant::now() < until)
    }

    fn hold(&self, until: Option<Instant>) {
        *self.until.lock().expect("lease") = until;
        self.metrics.leads(&self.name, until.is_some());
    }

    /// Comes back once the lease is ours. `waiting` is called when somebody else is seen to hold it.
    async fn win(&self, waiting: impl Fn()) {
        let (mut watched, mut told) = (None, String::new());
        loop {
            let begun = Instant::now();
            let now = match self.attempt(&mut watched).await {
                Ok(true) => {
                    self.hold(Some(begun + RENEWAL));
                    tracing::info!(lease = self.name, holder = self.me, "leading");
                    return;
                }
                Ok(false) => {
                    waiting();
                    "another operator leads; waiting".to_owned()
                }
                Err(error) => format!("the lease cannot be had: {error}"),
            };
            if now != told {
                tracing::info!(lease = self.name, holder = self.me, "{now}");
                told = now;
            }
            sleep(RETRY).await;
        }
    }

    /// Renews the lease until it is lost.
    async fn keep(&self) {
        loop {
            sleep(RETRY).await;
            let begun = Instant::now();
            match self.attempt(&mut None).await {
                // Whatever time has passed: nobody else has written since, so nobody else has led.
                Ok(true) => self.hold(Some(begun + RENEWAL)),
                Err(error) if self.held() => tracing::warn!(lease = self.name, %error, "the lease is not renewed yet"),
                Ok(false) | Err(_) => break,
            }
        }
        self.hold(None);
        tracing::error!(lease = self.name, "the lease is lost; passes under way are finished, and none is begun");
    }

    /// Lets the next one have it at once.
    async fn release(&self) {
        self.hold(None);
        let let_go = async {
            let stored = self.leases.get(&self.name).await?;
            let spec = stored.spec.clone().unwrap_or_default();
            if spec.holder_identity.as_ref() == Some(&self.me) {
                let spec = LeaseSpec { holder_identity: None, renew_time: Some(MicroTime(Timestamp::now())), ..spec };
                self.leases.replace(&self.name, &PostParams::default(), &Stored { spec: Some(spec), ..stored }).await?;
            }
            Ok::<_, kube::Error>(())
        };
        match timeout(RENEWAL, let_go).await.map_err(Error::from).and_then(|gone| Ok(gone?)) {
            Ok(()) => tracing::info!(lease = self.name, "let the lease go"),
            Err(error) => tracing::info!(lease = self.name, %error, "the lease was not let go, and ends by itself"),
        }
    }

    /// One try to take or renew it: a read, and a write on the version that was read. `false`: somebody else has it.
    async fn attempt(&self, watched: &mut Watched) -> Result<bool, Error> {
        timeout(RENEWAL / 2, self.try_once(watched)).await?
    }

    async fn try_once(&self, watched: &mut Watched) -> Result<bool, Error> {
        let stored = self.leases.get_opt(&self.name).await?;
        let there = stored.is_some();
        let Stored { mut metadata, spec } = stored.unwrap_or_default();
        let (version, spec) = (metadata.resource_version.clone(), spec.unwrap_or_default());
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let ours = holder == self.me;
        if !ours && !holder.is_empty() {
            let promised = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            let promised = promised.map_or(DURATION, Duration::from_secs);
            match watched {
                Some((seen, since)) if *seen == version && since.elapsed() > promised => {}
                Some((seen, _)) if *seen == version => return Ok(false),
                _ => {
                    *watched = Some((version, Instant::now()));
                    return Ok(false);
                }
            }
        }
        let now = Some(MicroTime(Timestamp::now()));
        metadata.name = Some(self.name.clone());
        let spec = LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: Some(DURATION.as_secs() as i32),
            acquire_time: if ours { spec.acquire_time.clone() } else { now.clone() },
            renew_time: now,
            lease_transitions: Some(spec.lease_transitions.unwrap_or_default() + i32::from(there && !ours)),
            ..spec
        };
        let (lease, how) = (Stored { metadata, spec: Some(spec) }, PostParams::default());
        match there {
            true => self.leases.replace(&self.name, &how, &lease).await?,
            false => self.leases.create(&how, &lease).await?,
        };
        Ok(true)
    }
}
