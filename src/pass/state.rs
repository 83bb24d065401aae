//! What one pass holds while it judges one object: the object as last read, the view of it, whose credentials are in use.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::{Resource, ResourceExt};
use serde_json::Value;

use super::Env;
use super::Queue;
use super::memory::Entry;
use super::report::{self, Learnt};
use super::secrets::{self, Holder};
use super::store::{self, Store, Unreadable};
use super::view::{self, Start, start};
use crate::ack::{self, Account, Created, Turn, Urgency};
use crate::api::{AckCluster, AckClusterStatus};
use crate::decide::{Deed, Memo, Standing, Trouble, View};
use crate::sight::{self, Me};
use crate::terms::{AccountId, ClusterId, Reason, Region, Sealer};

/// How long a turn is waited for inside a pass.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a pass goes on after an act.
pub(super) enum Flow {
    On,
    End,
    /// Nothing more is done before it is the turn of the request that the pass has queued for.
    Turn,
}

/// What one pass knows and holds. Nothing of it outlives the pass but the entry in the memory.
pub(super) struct Pass<'a> {
    pub env: &'a Env,
    pub store: Store,
    /// As last read; every write is guarded by its resourceVersion.
    pub object: AckCluster,
    pub view: View,
    /// Who the object is in the cloud, and its status, as `sight` asks for them.
    pub me: Me,
    pub status: sight::Status,
    pub entry: Entry,
    pub learnt: Learnt,
    /// The token of the seal that this pass made, until the request is sent.
    pub sealer: Option<Sealer>,
    /// The turn of the request, taken before the seal.
    pub turn: Option<Turn>,
    /// Where it is to be waited for, once the pass has ended.
    pub queue: Option<Queue>,
    /// The request body that the seal was made for.
    pub body: Option<Value>,
    pub created: Option<Created>,
    account: Option<secrets::Resolved>,
    /// Whether that account is the operator's own, which other namespaces may share. Said of the spec by which it was
    /// resolved: another spec in the same pass has no other account.
    pub shared: bool,
}

impl<'a> Pass<'a> {
    /// A pass over the object as it was just read.
    pub fn begin(
        env: &'a Env,
        store: Store,
        object: AckCluster,
        entry: Entry,
        turn: Option<Turn>,
    ) -> Result<Self, store::Error> {
        let clock = clock(entry.account.as_deref());
        let begun = start(&object, &entry, None, clock, &env.settings);
        let Start { view, me, status } = begun.map_err(|e| unreadable(&object, &e))?;
        Ok(Pass {
            env,
            store,
            object,
            view,
            me,
            status,
            entry,
            learnt: Learnt::default(),
            sealer: None,
            turn,
            queue: None,
            body: None,
            created: None,
            account: None,
            shared: true,
        })
    }

    /// The account of this pass: resolved once, and then bound to it.
    pub async fn account(&mut self) -> secrets::Resolved {
        if self.account.is_none() {
            let mut resolved = secrets::account(self.env, &Holder::from(&self.object)).await;
            self.shared = self.object.spec.credentials_ref.is_none();
            // A namespace that is being emptied may take its Secrets before its clusters.
            if let (Err(trouble), Some(held)) = (&resolved, &self.entry.account)
                && trouble.reason == Some(Reason::CredentialsMissing)
                && self.object.metadata.deletion_timestamp.is_some()
            {
                resolved = Ok(held.clone());
            }
            if let Ok(account) = &resolved {
                self.entry.account = Some(account.clone());
            }
            self.account = Some(resolved);
        }
        self.account.clone().expect("just resolved")
    }

    /// What ACK showed was shown to an identity. Another one begins without it: what that one does not see proves nothing.
    pub fn seen_by(&mut self, identity: String) {
        if self.entry.identity.as_ref().is_some_and(|before| *before != identity) {
            self.entry.shown = None;
            for memo in [&mut self.entry.memo, &mut self.view.memo] {
                *memo = memo.take().filter(|memo| matches!(memo, Memo::Taken(_)));
            }
        }
        self.entry.identity = Some(identity);
    }

    /// The turn of a change in that region, with the client to take it. `None`: others are before it, and the pass is to end, so that nothing is held while it
    /// waits.
    pub async fn turn(&mut self, region: &Region, urgency: Urgency) -> Result<Option<(ack::Client, Turn)>, Trouble> {
        let account = self.account().await?;
        let client = self.client(&account);
        let held = self.turn.take_if(|turn| turn.region() == region);
        if let Some(turn) = held.or_else(|| client.turn_at_once(region)) {
            return Ok(Some((client, turn)));
        }
        // What ACK itself holds up is told.
        if let Some(error) = client.held(region) {
            return Err(error.into());
        }
        // What was asked for before in this pass is written down at its end, for which the next turn is waited for here.
        if self.asked() {
            let turn = client.turn(region, urgency, PATIENCE).await?;
            return Ok(Some((client, turn)));
        }
        self.queue = Some(Queue { client, region: region.clone(), urgency });
        Ok(None)
    }

    /// Whether something was asked of ACK in this pass.
    pub fn asked(&self) -> bool {
        self.view.seen.acted.iter().any(|(deed, _)| *deed != Deed::Hold)
    }

    /// The account's client, in the lane of this object's namespace.
    pub fn client(&self, account: &Account) -> ack::Client {
        account.client().within(&self.object.namespace().unwrap_or_default())
    }

    /// What the object asks for by its spec as it is now; `None` before the account is known.
    pub fn wanted(&self) -> Option<sight::Wanted> {
        let Some(Ok(account)) = &self.view.seen.account else { return None };
        Some(view::wanted(&self.object, AccountId::clone(account)))
    }

    pub fn now(&self) -> Timestamp {
        clock(self.entry.account.as_deref()).0
    }

    /// After every look and act: what time it is at the gateway.
    pub fn tell_time(&mut self) {
        (self.view.now, self.view.offset) = clock(self.entry.account.as_deref());
        // A pass that began by a clock which was set back meanwhile did not begin in the future.
        self.view.since = self.view.since.min(view::fresh_from(self.view.now));
    }

    pub fn cluster_id(&self) -> Option<ClusterId> {
        self.object.status.as_ref().and_then(|status| status.cluster_id.as_deref()).map(ClusterId::from)
    }

    /// The site of the recorded cluster, else where the spec wants one.
    pub fn region(&self) -> Region {
        match &self.view.standing {
            Standing::Known(known) => known.site.region.clone(),
            Standing::Sealed { intent, .. } => intent.site.region.clone(),
            Standing::New { .. } => self.view.region.clone(),
        }
    }

    /// After a guarded write: go on with the object as it is now. A conflict is no failure, only news.
    pub async fn after(&mut self, written: Result<Option<AckCluster>, store::Error>) -> Result<Flow, store::Error> {
        match written {
            Err(error) if error.is_not_found() => Ok(Flow::End),
            Err(error) if !error.is_conflict() => Err(error),
            Ok(_) | Err(_) => self.reread().await,
        }
    }

    /// Reads the object afresh and begins to judge anew. Only whose credentials these are and what was asked of ACK is
    /// still true after an act.
    pub async fn reread(&mut self) -> Result<Flow, store::Error> {
        let uid = self.object.uid();
        // A create that is sealed is completed, also where the object has left the selection meanwhile.
        let fresh = if self.sealer.is_some() { self.store.read().await? } else { self.store.select().await? };
        let Some(object) = fresh.filter(|fresh| fresh.uid() == uid) else { return Ok(Flow::End) };
        let clock = clock(self.entry.account.as_deref());
        let mut seen = std::mem::take(&mut self.view.seen).after_act();
        let keys = |object: &AckCluster| (object.spec.credentials_ref.clone(), object.spec.adopt_cluster_id.clone());
        // Who may use which keys for what was asked of another spec. What is sealed is sent with the keys that it was sealed for.
        if keys(&object) != keys(&self.object) && self.sealer.is_none() {
            (self.account, seen.account, self.turn) = (None, None, None);
        }
        let since = self.view.since;
        let again = start(&object, &self.entry, self.sealer.as_ref(), clock, &self.env.settings);
        let Start { view, me, status } = again.map_err(|e| unreadable(&object, &e))?;
        (self.view, self.me, self.status) = (View { since: since.max(view.since), seen, ..view }, me, status);
        self.object = object;
        Ok(Flow::On)
    }

    /// Keeps what came of something that was done, and looks at the object afresh.
    pub async fn done(&mut self, deed: Deed, outcome: Result<(), Trouble>) -> Result<Flow, store::Error> {
        self.view.seen.acted.push((deed, outcome));
        self.reread_patiently().await
    }

    /// [`Pass::reread`], tried for some seconds: what this pass alone knows of what it asked for must not be lost with one read.
    pub async fn reread_patiently(&mut self) -> Result<Flow, store::Error> {
        for pause in [1, 2, 4].map(|tenths| Duration::from_millis(tenths * 200)) {
            match self.reread().await {
                Err(error @ store::Error::Unreadable(_)) => return Err(error),
                Err(error) => tracing::info!(%error, "the object could not be read; trying again"),
                Ok(flow) => return Ok(flow),
            }
            tokio::time::sleep(pause).await;
        }
        self.reread().await
    }

    /// An event for a change of reason.
    pub async fn announce(&self, status: &AckClusterStatus) {
        if let Some((warning, reason, message)) = report::transition(&self.object, status) {
            self.event(warning, &reason, "Reconcile", &message).await;
        }
    }

    /// Tells an event. Nothing depends on it, so a failure is only logged.
    pub async fn event(&self, warning: bool, reason: &str, action: &str, note: &str) {
        tracing::info!(reason, note);
        if let Err(error) = self.env.publish(&self.object.object_ref(&()), warning, reason, action, note).await {
            tracing::debug!(%error, "the event was not taken");
        }
    }
}

fn unreadable(object: &AckCluster, error: &view::Unreadable) -> store::Error {
    let conditions = object.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
    let (metadata, why) = (object.metadata.clone(), error.to_string());
    store::Error::Unreadable(Box::new(Unreadable { metadata, conditions, why }))
}

/// Gateway time as this account last heard it, else our own.
fn clock(account: Option<&Account>) -> (Timestamp, SignedDuration) {
    match account {
        Some(account) => (account.gateway_now(), account.clock_offset().unwrap_or_default()),
        None => (Timestamp::now(), SignedDuration::ZERO),
    }
}

/// What an error of ACK means to the judgement.
impl From<ack::Error> for Trouble {
    fn from(error: ack::Error) -> Self {
        Trouble {
            class: error.class(),
            reason: None,
            note: error.to_string().into(),
            wait: error.retry_after().and_then(|wait| SignedDuration::try_from(wait).ok()),
            unsent: error.never_executed(),
        }
    }
}
