//! One set of keys and what is shared by all objects that use it: client, budget, slots, clock, region lists, account id. Once
//! it is known who calls with them, all but the client is shared with his other keys.
//! Losing an account costs a few calls, never a cluster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;

use super::code::Code;
use super::credentials::{self, Credentials};
use super::endpoints::{ConfigError, Endpoints};
use super::error::Error;
use super::http::Wire;
use super::line::{Clock, Line};
use super::listing::{Age, Reader, RegionList};
use super::model::Identity;
use super::shared::{Serves, Shared};
use super::{Client, Stamp};
use crate::terms::{AccountId, Region};

/// Regions whose lists are kept. Nobody has so many; a spec can name any number.
const REGIONS: usize = 64;

/// One set of keys, in use.
pub struct Account {
    client: Client,
    /// Where the keys come from.
    source: String,
    stated: Option<AccountId>,
    without_sts: bool,
    id: Shared<AccountId>,
    caller: Mutex<Arc<Caller>>,
    callers: Arc<Callers>,
    audience: Arc<OnceLock<Audience>>,
}

/// Who calls, as STS tells it: what was seen, and what time it is there, are the caller's, whichever keys he uses. So keys that
/// are renewed begin where the last ones ended.
struct Caller {
    identity: String,
    readers: Mutex<HashMap<Region, Arc<Reader>>>,
    clock: Arc<Clock>,
}

/// All callers in use, by their identity.
type Callers = Mutex<HashMap<String, Weak<Caller>>>;

/// Is shown each list that is handed out, with the account that it is of, once that is known.
type Audience = Box<dyn Fn(&AccountId, &Region, &RegionList) + Send + Sync>;

impl Account {
    fn new(accounts: &Accounts, credentials: Credentials, source: &str) -> Self {
        let Accounts { wire, callers, audience, .. } = accounts;
        // Until it is known who calls, it is who has this access key.
        let (identity, stated) = (credentials.identity(), credentials.account_id.clone());
        let client = Client::new(Line::new(wire.clone(), credentials));
        let caller = Caller { identity, readers: Mutex::default(), clock: client.line.clock() };
        Self {
            client,
            source: source.to_owned(),
            stated,
            without_sts: wire.endpoints.without_sts,
            id: Shared::default(),
            caller: Mutex::new(Arc::new(caller)),
            callers: callers.clone(),
            audience: audience.clone(),
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The account that the keys belong to: STS's answer, asked once, with which a stated one must agree. Where there is
    /// no STS, what is stated.
    pub async fn id(&self) -> Result<AccountId, Error> {
        if self.without_sts {
            return self.stated.clone().ok_or(Error::Unstated);
        }
        let ask = async {
            let Identity { account, arn, session } = self.client.caller().await?.value;
            if let Some(arn) = arn {
                self.join(&account, &arn, session);
            }
            Ok(account)
        };
        let told = self.id.get(|_| Serves::Always, ask).await?;
        match &self.stated {
            Some(stated) if *stated != told => Err(Error::Misstated { stated: stated.clone(), told }),
            Some(_) | None => Ok(told),
        }
    }

    /// Shares what belongs to this caller with the other keys that he has. Of two sessions of one role each may have rights of
    /// its own, so they share what they see only where their keys come from one place.
    fn join(&self, account: &AccountId, arn: &str, session: bool) {
        let whose = credentials::digest(&["caller", account.as_str(), arn]);
        let identity = credentials::digest(&["eyes", &whose, if session { &self.source } else { "" }]);
        let caller = {
            let mut callers = self.callers.lock().expect("nothing panics while it holds this lock");
            callers.retain(|_, caller| caller.strong_count() > 0);
            let known = callers.get(&identity).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let caller =
                    Caller { identity: identity.clone(), readers: Mutex::default(), clock: self.client.line.clock() };
                let caller = Arc::new(caller);
                callers.insert(identity, Arc::downgrade(&caller));
                caller
            })
        };
        self.client.line.belongs_to(&whose, &caller.clock);
        *self.caller.lock().expect("nothing panics while it holds this lock") = caller;
    }

    /// Whose eyes these are: what was seen by another caller may be hidden from this one. Tells nothing about the key.
    pub fn identity(&self) -> String {
        self.caller().identity.clone()
    }

    fn caller(&self) -> Arc<Caller> {
        self.caller.lock().expect("nothing panics while it holds this lock").clone()
    }

    /// A list of the region that began at or after `begun_after` (gateway time), shared with everybody who asks for
    /// one. The list's `began` is a lower bound, so compare it: after a slow answer it may lie before `begun_after`.
    pub async fn listing(&self, region: &Region, begun_after: Timestamp) -> Result<Arc<RegionList>, Error> {
        self.shown(region, self.reader(region).list(&self.client, region, begun_after).await)
    }

    /// A list of the region that is young enough, shared likewise: good enough to see whether something changed,
    /// never to conclude that something is absent.
    pub async fn recent(&self, region: &Region, age: Age) -> Result<Arc<RegionList>, Error> {
        self.shown(region, self.reader(region).recent(&self.client, region, age).await)
    }

    fn shown(&self, region: &Region, list: Result<Arc<RegionList>, Error>) -> Result<Arc<RegionList>, Error> {
        let id = if self.without_sts { self.stated.clone() } else { self.id.last() };
        if let (Ok(list), Some(id), Some(audience)) = (&list, id, self.audience.get()) {
            audience(&id, region, list);
        }
        list
    }

    /// Whether the gateway refuses an old date and a used nonce, by two free reads: one signed `off` ago, and one sent
    /// twice with one nonce.
    pub async fn fence(&self, region: &Region, off: SignedDuration) -> Result<bool, Error> {
        let now = self.gateway_now();
        let old = Stamp::fresh(now - off, now);
        match self.client.quota(region, Some(&old)).await {
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == Some(Code::DateExpired) => {}
            Err(error) => return Err(error),
        }
        let twice = Stamp::fresh(now, now);
        self.client.quota(region, Some(&twice)).await?;
        match self.client.quota(region, Some(&twice)).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == Some(Code::NonceUsed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn reader(&self, region: &Region) -> Arc<Reader> {
        let caller = self.caller();
        let mut readers = caller.readers.lock().expect("nothing panics while it holds this lock");
        if readers.len() >= REGIONS && !readers.contains_key(region) {
            readers.retain(|_, reader| Arc::strong_count(reader) > 1);
        }
        readers.entry(region.clone()).or_default().clone()
    }

    /// The gateway's time: the local clock, put right by what the last answer said.
    pub fn gateway_now(&self) -> Timestamp {
        self.client.gateway_now()
    }

    /// Gateway minus local clock. `None` until an answer of ACK has told its time.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        self.client.clock_offset()
    }
}

/// All accounts in use. Equal keys share one [`Account`] as long as somebody holds it: hold it as long as an object needs
/// the keys, or lists and budget begin anew each time.
pub struct Accounts {
    wire: Arc<Wire>,
    known: Mutex<HashMap<[u8; 32], Weak<Account>>>,
    callers: Arc<Callers>,
    audience: Arc<OnceLock<Audience>>,
}

impl Accounts {
    /// Reads the CA file and sets up TLS; opens no connection.
    pub fn new(endpoints: Endpoints) -> Result<Self, ConfigError> {
        Ok(Self {
            wire: Arc::new(Wire::new(endpoints)?),
            known: Mutex::default(),
            callers: Arc::default(),
            audience: Arc::default(),
        })
    }

    /// From now on `audience` is shown each list that is handed out to anybody, the same one more than once.
    pub fn show_lists_to(&self, audience: impl Fn(&AccountId, &Region, &RegionList) + Send + Sync + 'static) {
        let _ = self.audience.set(Box::new(audience));
    }

    /// `source` names where the keys come from: a Secret, or nothing for the operator's own.
    pub fn account(&self, credentials: Credentials, source: &str) -> Arc<Account> {
        let mut known = self.known.lock().expect("nothing panics while it holds this lock");
        let key = credentials.fingerprint();
        if let Some(account) = known.get(&key).and_then(Weak::upgrade) {
            return account;
        }
        known.retain(|_, account| account.strong_count() > 0);
        let account = Arc::new(Account::new(self, credentials, source));
        known.insert(key, Arc::downgrade(&account));
        account
    }

    /// Whether anybody answers at the region's endpoint, and how far its clock is ahead of ours where it tells the time.
    /// Sends nothing that is signed.
    pub async fn reach(&self, region: &Region) -> Result<Option<SignedDuration>, Error> {
        let begun = Timestamp::now();
        let date = self.wire.reach(region).await?;
        // The middle of what may be: the date was made on the way, and has lost its fraction.
        let half = Timestamp::now().duration_since(begun) / 2;
        Ok(date.map(|date| date.duration_since(begun) - half + SignedDuration::from_millis(500)))
    }

    /// Makes the count of calls known.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Calls of Alibaba Cloud's API, by what became of them: OK or the class of the error";
        registry.register("ackoperator_api_requests", help, self.wire.calls.clone());
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.wire.endpoints
    }
}
