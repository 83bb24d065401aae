//! The ACK client against the emulator; how it takes each kind of fault is in `faults`. What is asserted as a number is
//! taken from the emulator's journal and ledger, never from the client's word.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ack_emulator::{AccessKey, Config, Emulator, JournalEntry, Rule};
use ack_operator::ack::sign::Algorithm;
use ack_operator::ack::{
    Account, Accounts, Age, Code, Credentials, DeleteOptions, Endpoints, Error, Limits, Rate, Stamp, StateKind,
    TaskState, Turn, Urgency,
};
use ack_operator::terms::{AccountId, Class, ClusterId, Region};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

pub fn tests() -> Vec<Trial> {
    vec![
        trial("every operation is taken with ACS3", || every_operation(Algorithm::Acs3, None)),
        trial("every operation is taken with ROA, and STS with RPC", || every_operation(Algorithm::Roa, None)),
        trial("every operation is taken with ACS3 and an STS token", || {
            every_operation(Algorithm::Acs3, Some("tok/+en=="))
        }),
        trial("every operation is taken with ROA and an STS token", || {
            every_operation(Algorithm::Roa, Some("tok/+en=="))
        }),
        trial("TLS is trusted by the CA file only", trusts_the_ca_file),
        trial("wrong keys are credentials trouble and prove that nothing was executed", wrong_keys),
        trial("keys that were not accepted are not tried again for a while", barred_keys),
        trial("a region that does not know a key bars it there only", bars_by_region),
        trial("a cluster that is not known is told apart from every other 404", not_found),
        trial("a lost answer of a create proves nothing and is not repeated", lost_answers),
        trial("a refused connection proves that nothing was executed", refused_connection),
        trial("a late create is refused here without a call", late_here),
        trial("a late create is refused by the gateway and proves nothing", late_there),
        trial("a nonce used twice is refused and proves nothing", nonce_twice),
        trial("reads are tried three times and changes once", retries),
        trial("a throttled account waits as long as it was told, another does not", throttled),
        trial("a turn that was taken before is not waited for again", turns),
        trial("an access key has one budget, whatever is stated beside it", one_budget),
        trial("keys that are renewed keep budget, list and clock of who calls", renewed_keys),
        trial("those who share an account take turns by namespace, deletions before creates", fair_turns),
        trial("a hanging account takes no slot of another", hanging),
        trial("the gateway's clock is learnt from a refusal", skewed_clock),
        trial("64 objects that want the list at once cost one list", one_list_for_all),
        trial("a list serves whoever asks for no later one", list_cache),
        trial("a list of many pages is whole", many_pages),
        trial("an item that slips between two pages makes a list torn", torn_lists),
        trial("a torn list is read once for all who wait", one_torn_list_for_all),
        trial("a glance beside a hanging proof takes the last list at once", glance_beside_a_proof),
        trial("an item without a state leaves a list whole", stateless_item),
        trial("a refusal is told by what was asked", refusals_by_operation),
        trial("an outage is met once by all who wait", one_outage_for_all),
        trial("equal keys share one account as long as it is held", equal_keys),
        trial("a stated account counts where STS agrees or is not there", stated_accounts),
        trial("what ACK echoes shows no secret", echoes),
    ]
}

fn trial<F>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(format!("wire: {name}"), move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test());
        Ok(())
    })
}

const ACCOUNT: &str = "1000000000000001";
const SECRET: &str = "SecretOfTheTests";

fn region() -> Region {
    Region::from("cn-hangzhou")
}

pub fn keys(id: &str) -> Credentials {
    Credentials { access_key_id: id.into(), access_key_secret: SECRET.into(), security_token: None, account_id: None }
}

/// Keys `a` and `b` of two accounts, `t` with a token.
async fn emulator() -> Emulator {
    emulator_of(&[("a", ACCOUNT, None), ("b", "2", None), ("t", ACCOUNT, Some("tok/+en=="))]).await
}

/// One that knows these keys: id, account, token.
pub async fn emulator_of(keys: &[(&str, &str, Option<&str>)]) -> Emulator {
    let key = |(id, account, token): &(&str, &str, Option<&str>)| AccessKey {
        id: (*id).into(),
        secret: SECRET.into(),
        account: (*account).into(),
        token: token.map(Into::into),
    };
    let access_keys = keys.iter().map(key).collect();
    Emulator::start(Config { access_keys, list_lag: Duration::ZERO, ..Config::default() }).await.unwrap()
}

pub fn endpoints(url: &str) -> Endpoints {
    let fast = Rate { first: 1000, most: 1000, burst: 1000 };
    let limits = Limits { reads: fast, changes: fast, ..Limits::default() };
    let mut endpoints = Endpoints { limits, timeout: Duration::from_secs(10), ..Endpoints::default() };
    endpoints.set_ack(url).unwrap();
    endpoints.set_sts(url).unwrap();
    endpoints
}

fn account(url: &str) -> Arc<Account> {
    Accounts::new(endpoints(url)).unwrap().account(keys("a"), "")
}

pub fn body(name: &str) -> Value {
    json!({
        "name": name, "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes", "vpcid": "vpc-1",
        "vswitch_ids": ["vsw-1"], "container_cidr": "172.20.0.0/16", "service_cidr": "172.21.0.0/20",
        "tags": [{"key": "env", "value": "测试 a+b"}],
    })
}

pub fn soon(account: &Account) -> Stamp {
    let now = account.gateway_now();
    Stamp::fresh(now, now + SignedDuration::from_mins(1))
}

async fn turn(account: &Account) -> Turn {
    account.client().turn(&region(), Urgency::Change, Duration::from_secs(30)).await.expect("a turn")
}

async fn create(account: &Account, name: &str) -> Result<ClusterId, Error> {
    create_in(turn(account).await, account, name).await
}

async fn create_in(turn: Turn, account: &Account, name: &str) -> Result<ClusterId, Error> {
    let created = account.client().create_cluster(turn, &body(name), &soon(account)).await;
    created.map(|answer| answer.value.cluster_id)
}

async fn modify(account: &Account, turn: Turn) -> Result<(), Error> {
    account.client().modify_cluster(turn, &"c0".into(), &Map::new(), &soon(account)).await.map(drop)
}

fn calls(emulator: &Emulator, operation: &str) -> Vec<JournalEntry> {
    emulator.journal(0).into_iter().filter(|call| call.operation == operation).collect()
}

pub fn fault(emulator: &Emulator, rule: Value) {
    emulator.fault(serde_json::from_value::<Rule>(rule).unwrap()).unwrap();
}

async fn every_operation(signature: Algorithm, token: Option<&str>) {
    let emulator = emulator().await;
    let credentials =
        Credentials { security_token: token.map(Into::into), ..keys(if token.is_some() { "t" } else { "a" }) };
    let accounts = Accounts::new(Endpoints { signature, ..endpoints(&emulator.url()) }).unwrap();
    let account = accounts.account(credentials, "");
    let (client, region) = (account.client(), region());

    assert_eq!(account.id().await.unwrap(), AccountId::from(ACCOUNT));
    assert_eq!(client.quota(&region, None).await.unwrap().value.clusters, Some(50));
    let created = client.create_cluster(turn(&account).await, &body("one"), &soon(&account)).await.unwrap().value;
    let (id, task) = (created.cluster_id, created.task_id.unwrap());
    assert_eq!(client.cluster(&region, &id).await.unwrap().value.listed.state.kind, StateKind::Initial);
    assert_eq!(client.task(&region, &task).await.unwrap().unwrap().value.state, TaskState::Running);
    assert!(client.task(&region, &"T-unknown".into()).await.unwrap().is_none());

    emulator.advance(Duration::from_secs(600));
    let detail = client.cluster(&region, &id).await.unwrap().value;
    assert_eq!((detail.listed.state.kind, detail.listed.name.as_str()), (StateKind::Running, "one"));
    assert_eq!(detail.listed.tags["env"], "测试 a+b");
    assert_eq!(client.task(&region, &task).await.unwrap().unwrap().value.state, TaskState::Succeeded);
    assert!(client.tasks(&region, &id).await.unwrap().value.iter().any(|one| one.id == task));
    assert!(!client.events(&region, &id).await.unwrap().value.is_empty());
    assert!(!client.logs(&region, &id).await.unwrap().value.is_empty());
    assert!(!client.resources(&region, &id).await.unwrap().value.is_empty());

    let members = Map::from_iter([("deletion_protection".to_owned(), json!(true))]);
    assert!(
        client
            .modify_cluster(turn(&account).await, &id, &members, &soon(&account))
            .await
            .unwrap()
            .value
            .task_id
            .is_some()
    );
    emulator.advance(Duration::from_secs(600));
    let tags = BTreeMap::from([("more".to_owned(), "值/=".to_owned())]);
    client.tag(turn(&account).await, std::slice::from_ref(&id), &tags, &soon(&account)).await.unwrap();
    emulator.advance(Duration::from_secs(600));
    let list = account.listing(&region, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(list.whole && list.clusters.len() == 1);
    assert_eq!((list.clusters[0].deletion_protection, list.clusters[0].tags["more"].as_str()), (Some(true), "值/="));

    let options = DeleteOptions {
        retain_all_resources: Some(false),
        retain_resources: vec!["lb-1 [\"x\"]".into(), "盘".into()],
        options: vec![("SLB".into(), "retain".into())],
    };
    let refused = client.delete_cluster(turn(&account).await, &id, &options, &soon(&account)).await.unwrap_err();
    assert_eq!((refused.class(), refused.never_executed()), (Class::User, true), "its code is in no table: {refused}");
    let members = Map::from_iter([("deletion_protection".to_owned(), json!(false))]);
    client.modify_cluster(turn(&account).await, &id, &members, &soon(&account)).await.unwrap();
    emulator.advance(Duration::from_secs(600));
    client.delete_cluster(turn(&account).await, &id, &options, &soon(&account)).await.unwrap();
    let kept = &emulator.ledger()[0].delete_options;
    assert_eq!(kept["retain_resources"], r#"["lb-1 [\"x\"]","盘"]"#);
    assert_eq!(kept["delete_options"], r#"[{"delete_mode":"retain","resource_type":"SLB"}]"#);
    assert_eq!(kept["retain_all_resources"], "false");
    emulator.advance(Duration::from_secs(600));
    assert_eq!(client.cluster(&region, &id).await.unwrap_err().class(), Class::NotFound);

    let journal = emulator.journal(0);
    let wanted = |call: &JournalEntry| match (signature, call.operation.as_str()) {
        (Algorithm::Acs3, _) => "acs3",
        (Algorithm::Roa, "GetCallerIdentity") => "rpc",
        (Algorithm::Roa, _) => "roa",
    };
    assert!(journal.iter().all(|call| call.signature == wanted(call)), "{journal:?}");
    let offset = account.clock_offset().unwrap();
    assert!(offset.abs() < SignedDuration::from_secs(2), "{offset}");
}

async fn trusts_the_ca_file() {
    let dir = tempfile::tempdir().unwrap();
    let access_keys = vec![format!("a:{SECRET}").parse().unwrap()];
    let config = Config { access_keys, tls_dir: Some(dir.path().to_owned()), ..Config::default() };
    let emulator = Emulator::start(config).await.unwrap();
    let trusting = Endpoints { ca_file: emulator.ca(), ..endpoints(&emulator.url()) };
    Accounts::new(trusting).unwrap().account(keys("a"), "").client().quota(&region(), None).await.unwrap();
    let stranger = create(&account(&emulator.url()), "one").await.unwrap_err();
    assert!(matches!(&stranger, Error::Connect { .. }) && stranger.never_executed(), "{stranger}");
}

async fn wrong_keys() {
    let emulator = emulator().await;
    let accounts = Accounts::new(endpoints(&emulator.url())).unwrap();
    let wrong = Credentials { access_key_secret: "SomethingElse".into(), ..keys("a") };
    for credentials in [wrong, keys("nobody"), keys("t")] {
        let error = create(&accounts.account(credentials, ""), "one").await.unwrap_err();
        assert_eq!((error.class(), error.never_executed()), (Class::Credentials, true), "{error}");
        assert!(error.request_id().is_some());
    }
    assert_eq!(emulator.ledger(), []);
}

async fn not_found() {
    let emulator = emulator().await;
    let cluster = async || account(&emulator.url()).client().cluster(&region(), &"c0".into()).await.unwrap_err();
    assert_eq!(cluster().await.class(), Class::NotFound);
    for (code, class) in [
        ("InvalidAccessKeyId.NotFound", Class::Credentials),
        ("InvalidApi.NotFound", Class::Unknown),
        ("SomethingNew", Class::Unknown),
        ("ErrorNodePoolNotFound", Class::Unknown),
    ] {
        emulator.clear_faults();
        fault(&emulator, json!({"operation": "*", "every": true, "do": {"status": 404, "code": code}}));
        assert_eq!(cluster().await.class(), class, "{code}");
    }
}

async fn barred_keys() {
    let emulator = emulator().await;
    let mut endpoints = endpoints(&emulator.url());
    endpoints.limits.barred = Duration::from_millis(500);
    let account = Accounts::new(endpoints).unwrap().account(keys("a"), "");
    emulator.settings(&json!({"inactive_keys": ["a"]})).unwrap();
    for _ in 0..20 {
        let error = account.client().quota(&region(), None).await.unwrap_err();
        assert_eq!((error.class(), error.never_executed()), (Class::Credentials, true), "{error}");
    }
    assert_eq!(emulator.journal(0).len(), 1);
    emulator.settings(&json!({"inactive_keys": []})).unwrap();
    let mended = async {
        while account.client().quota(&region(), None).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), mended).await.expect("the keys are tried again");
    assert_eq!(emulator.journal(0).len(), 2);
}

/// A key is bad where it was refused; only STS speaks for all regions, and an unlisted 401 or a cluster's kubeconfig for
/// none.
async fn bars_by_region() {
    let (emulator, stranger) = (emulator().await, emulator_of(&[("b", "2", None)]).await);
    let mut endpoints = endpoints(&emulator.url());
    endpoints.set_ack(&format!("cn-beijing={}", stranger.url())).unwrap();
    let account = Accounts::new(endpoints).unwrap().account(keys("a"), "");
    let (here, there, client) = (region(), Region::from("cn-beijing"), account.client());
    for _ in 0..10 {
        assert_eq!(client.quota(&there, None).await.unwrap_err().class(), Class::Credentials);
        client.quota(&here, None).await.unwrap();
    }
    let asked = |emulator: &Emulator| calls(emulator, "DescribeUserQuota").len();
    assert_eq!((asked(&emulator), stranger.journal(0).len()), (10, 1));

    let unlisted = json!({"status": 401, "code": "SomethingNew"});
    fault(&emulator, json!({"operation": "DescribeUserQuota", "every": true, "do": unlisted}));
    for _ in 0..3 {
        assert_eq!(client.quota(&here, None).await.unwrap_err().class(), Class::Credentials);
    }
    assert_eq!(asked(&emulator), 13, "that is no word about the key");

    emulator.clear_faults();
    let unknown = json!({"status": 404, "code": "InvalidAccessKeyId.NotFound"});
    fault(&emulator, json!({"operation": "DescribeClusterUserKubeconfig", "every": true, "do": unknown}));
    for _ in 0..3 {
        let Err(error) = client.kubeconfig(&here, &"c0".into(), false, None).await else { panic!("it is refused") };
        assert_eq!(error.class(), Class::Credentials, "{error}");
        client.quota(&here, None).await.unwrap();
    }
    assert_eq!((asked(&emulator), calls(&emulator, "DescribeClusterUserKubeconfig").len()), (16, 3));

    let inactive = json!({"status": 400, "code": "InvalidAccessKeyId.Inactive"});
    fault(&emulator, json!({"operation": "GetCallerIdentity", "do": inactive}));
    client.caller().await.unwrap_err();
    assert_eq!(client.quota(&here, None).await.unwrap_err().class(), Class::Credentials);
    assert_eq!(asked(&emulator), 16, "STS said that the key is bad everywhere");
}

/// Every way in which an answer goes missing, before and after the effect.
async fn lost_answers() {
    let emulator = emulator().await;
    let endpoints = Endpoints { timeout: Duration::from_millis(500), ..endpoints(&emulator.url()) };
    let account = Accounts::new(endpoints).unwrap().account(keys("a"), "");
    for (when, action) in [
        ("before", json!("drop")),
        ("after", json!("drop")),
        ("after", json!("hang")),
        ("after", json!({"delay": "5s"})),
        ("after", json!({"status": 500, "code": "InternalError"})),
        ("after", json!({"status": 503, "code": "Throttling.User"})),
        ("after", json!({"status": 200, "body": "{}"})),
        ("after", json!({"status": 200, "body": "<html>"})),
        ("after", json!({"status": 502, "body": ""})),
        ("after", json!({"status": 408, "code": "SomethingNew"})),
        ("after", json!({"status": 409, "code": "SomethingNew"})),
        ("after", json!({"status": 429, "code": "SomethingNew"})),
    ] {
        emulator.clear_faults();
        let (ledger, journal) = (emulator.ledger().len(), calls(&emulator, "CreateCluster").len());
        fault(&emulator, json!({"operation": "CreateCluster", "when": when, "do": action}));
        let error = create(&account, "one").await.unwrap_err();
        assert!(!error.never_executed(), "{when} {action}: {error}");
        assert_eq!(emulator.ledger().len() - ledger, usize::from(when == "after"), "{when} {action}");
        assert_eq!(calls(&emulator, "CreateCluster").len() - journal, 1, "{when} {action}");
    }
}

async fn refused_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = create(&account(&url), "one").await.unwrap_err();
    assert!(matches!(&error, Error::Connect { .. }), "{error:?}");
    assert_eq!((error.class(), error.never_executed()), (Class::Transient, true));
    assert!(error.to_string().contains("refused"), "{error}");
}

async fn late_here() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let now = account.gateway_now();
    let stamp = Stamp::fresh(now, now - SignedDuration::from_secs(1));
    let error = account.client().create_cluster(turn(&account).await, &body("one"), &stamp).await.unwrap_err();
    assert!(matches!(&error, Error::TooLate { .. }) && error.never_executed(), "{error}");
    let (client, id, options) = (account.client(), ClusterId::from("c0"), DeleteOptions::default());
    let error = client.delete_cluster(turn(&account).await, &id, &options, &stamp).await;
    assert!(matches!(error, Err(Error::TooLate { .. })));
    let error = client.modify_cluster(turn(&account).await, &id, &Map::new(), &stamp).await;
    assert!(matches!(error, Err(Error::TooLate { .. })));
    let error = client.tag(turn(&account).await, &[id], &BTreeMap::new(), &stamp).await;
    assert!(matches!(error, Err(Error::TooLate { .. })));
    assert_eq!(emulator.journal(0), []);
}

async fn late_there() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let now = account.gateway_now();
    let stamp = Stamp::fresh(now - SignedDuration::from_mins(16), now + SignedDuration::from_mins(1));
    let error = account.client().create_cluster(turn(&account).await, &body("one"), &stamp).await.unwrap_err();
    assert_eq!((error.kind(), error.class(), error.never_executed()), (Some(Code::DateExpired), Class::Clock, false));
    let probe = account.client().quota(&region(), Some(&stamp)).await.unwrap_err();
    assert_eq!(probe.kind(), Some(Code::DateExpired), "the probe of the fence is signed as it is told");
    assert_eq!((emulator.ledger().len(), emulator.journal(0).len()), (0, 2));
}

async fn nonce_twice() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let stamp = soon(&account);
    account.client().create_cluster(turn(&account).await, &body("one"), &stamp).await.unwrap();
    let error = account.client().create_cluster(turn(&account).await, &body("one"), &stamp).await.unwrap_err();
    assert_eq!((error.kind(), error.never_executed()), (Some(Code::NonceUsed), false), "{error}");
    let probe = soon(&account);
    account.client().quota(&region(), Some(&probe)).await.unwrap();
    let error = account.client().quota(&region(), Some(&probe)).await.unwrap_err();
    assert_eq!(error.kind(), Some(Code::NonceUsed));
    let create = &calls(&emulator, "CreateCluster")[0];
    assert_eq!((create.nonce.as_str(), emulator.ledger().len()), (stamp.nonce.as_str(), 1));
}

async fn retries() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    fault(&emulator, json!({"every": true, "do": {"status": 503, "code": "ServiceUnavailable"}}));
    assert_eq!(account.client().quota(&region(), None).await.unwrap_err().class(), Class::Transient);
    let reads = calls(&emulator, "DescribeUserQuota");
    let nonces: std::collections::BTreeSet<_> = reads.iter().map(|call| &call.nonce).collect();
    assert_eq!((reads.len(), nonces.len()), (3, 3), "every attempt is signed anew");
    create(&account, "one").await.unwrap_err();
    modify(&account, turn(&account).await).await.unwrap_err();
    assert_eq!((calls(&emulator, "CreateCluster").len(), calls(&emulator, "ModifyCluster").len()), (1, 1));
    emulator.clear_faults();
    for action in
        [json!("drop"), json!({"status": 400, "code": "SignatureNonceUsed"}), json!({"status": 200, "body": "{"})]
    {
        fault(&emulator, json!({"operation": "DescribeUserQuota", "do": action}));
        account.client().quota(&region(), None).await.unwrap();
    }
}

async fn throttled() {
    let emulator = emulator().await;
    let accounts = Accounts::new(endpoints(&emulator.url())).unwrap();
    let (a, b) = (accounts.account(keys("a"), ""), accounts.account(keys("b"), ""));
    let slow = json!({"status": 400, "code": "Throttling.User", "headers": {"x-acs-retry-after": "60000"}});
    fault(&emulator, json!({"operation": "DescribeUserQuota", "access_key": "a", "do": slow}));
    let minute = Some(Duration::from_secs(60));
    let error = a.client().quota(&region(), None).await.unwrap_err();
    assert_eq!((error.class(), error.never_executed(), error.retry_after()), (Class::Throttled, true, minute));
    let error = a.client().quota(&region(), None).await.unwrap_err();
    assert!(matches!(&error, Error::Held { .. }) && error.never_executed(), "{error}");
    assert_eq!(calls(&emulator, "DescribeUserQuota").len(), 1);
    b.client().quota(&region(), None).await.unwrap();
    a.client().quota(&Region::from("cn-beijing"), None).await.unwrap();
    create(&a, "one").await.unwrap();
}

async fn turns() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let (mine, another) = (turn(&account).await, turn(&account).await);
    let slow = json!({"status": 400, "code": "Throttling.User", "headers": {"x-acs-retry-after": "60000"}});
    fault(&emulator, json!({"operation": "ModifyCluster", "do": slow}));
    modify(&account, turn(&account).await).await.unwrap_err();
    let error = account.client().turn(&region(), Urgency::Change, Duration::from_secs(30)).await.unwrap_err();
    assert!(matches!(&error, Error::Held { .. }) && error.class() == Class::Throttled, "{error}");
    account
        .client()
        .turn(&Region::from("cn-beijing"), Urgency::Change, Duration::from_secs(30))
        .await
        .expect("each region has its own");
    create_in(mine, &account, "one").await.expect("it waits for nobody");
    let asked = calls(&emulator, "ModifyCluster").len();
    modify(&account, another).await.unwrap_err();
    assert_eq!(calls(&emulator, "ModifyCluster").len(), asked + 1, "nor does a change");
}

/// Another token or account beside it makes other credentials, and the same budget; a secret that ACK does not take does not.
async fn one_budget() {
    let emulator = emulator().await;
    let slow = Rate { first: 1, most: 1, burst: 1 };
    let limits = Limits { changes: slow, ..endpoints(&emulator.url()).limits };
    let accounts = Accounts::new(Endpoints { limits, ..endpoints(&emulator.url()) }).unwrap();
    let stated = |id: &str| accounts.account(Credentials { account_id: Some(id.into()), ..keys("a") }, "");
    let (first, second, other) = (stated("1"), stated("2"), accounts.account(keys("b"), ""));
    for account in [&first, &second, &other] {
        account.client().quota(&region(), None).await.expect("the keys are good");
    }
    let wrong = accounts.account(Credentials { access_key_secret: "wrong".to_owned().into(), ..keys("a") }, "");
    wrong.client().quota(&region(), None).await.expect_err("the secret is wrong");
    turn(&first).await;
    let wait = |account: &Account| account.client().expected(&region(), Urgency::Create);
    assert!(wait(&second) > Duration::from_millis(500), "{:?}", wait(&second));
    assert_eq!(wait(&other), Duration::ZERO, "another key has another");
    assert_eq!(wait(&wrong), Duration::ZERO, "who only knows its id does not use it up");
}

/// Temporary keys of one role: renewed in their Secret, and in another Secret, where they may have other rights.
async fn renewed_keys() {
    let sessions = ["t1", "t2", "t3"].map(|id| (id, ACCOUNT, Some("token")));
    let emulator = emulator_of(&sessions).await;
    emulator.skew(SignedDuration::from_hours(1));
    let slow = Rate { first: 1, most: 1, burst: 1 };
    let limits = Limits { changes: slow, ..endpoints(&emulator.url()).limits };
    let accounts = Accounts::new(Endpoints { limits, ..endpoints(&emulator.url()) }).unwrap();
    let of = |id: &str, source| {
        accounts.account(Credentials { security_token: Some("token".to_owned().into()), ..keys(id) }, source)
    };
    let (first, minute) = (of("t1", "ns/keys"), age(Duration::from_secs(60)));
    first.id().await.unwrap();
    let list = first.recent(&region(), minute).await.unwrap();
    turn(&first).await;

    let renewed = of("t2", "ns/keys");
    assert_ne!(renewed.identity(), first.identity(), "nobody has told yet who calls");
    renewed.id().await.unwrap();
    assert_eq!(renewed.identity(), first.identity());
    assert_eq!(renewed.clock_offset(), first.clock_offset());
    assert!(Arc::ptr_eq(&renewed.recent(&region(), minute).await.unwrap(), &list), "it is read again");
    let wait = |account: &Account| account.client().expected(&region(), Urgency::Create);
    assert!(wait(&renewed) > Duration::from_millis(500), "{:?}", wait(&renewed));

    let other = of("t3", "other/keys");
    other.id().await.unwrap();
    assert_ne!(other.identity(), first.identity(), "what one session sees may be hidden from another");
    assert!(!Arc::ptr_eq(&other.recent(&region(), minute).await.unwrap(), &list));
    assert!(wait(&other) > Duration::from_millis(500), "it is one caller all the same");
}

/// A namespace with many calls waiting, and one that comes later.
async fn fair_turns() {
    let emulator = emulator().await;
    let slow = Rate { first: 10, most: 10, burst: 1 };
    let limits = Limits { changes: slow, ..endpoints(&emulator.url()).limits };
    let accounts = Accounts::new(Endpoints { limits, ..endpoints(&emulator.url()) }).unwrap();
    let account = accounts.account(keys("a"), "");
    let (busy, quiet, place) = (account.client().within("busy"), account.client().within("quiet"), region());
    let got = std::cell::RefCell::new(vec![]);
    let take = |client: &ack_operator::ack::Client, urgency, name: &'static str| {
        let (client, got, place) = (client.clone(), &got, &place);
        async move {
            client.turn(place, urgency, Duration::from_secs(30)).await.expect("a turn");
            got.borrow_mut().push(name);
        }
    };
    let many = join_all((0..15).map(|_| take(&busy, Urgency::Create, "busy")));
    let later = async {
        tokio::task::yield_now().await;
        let deletion = take(&busy, Urgency::Change, "busy's deletion");
        tokio::join!(take(&quiet, Urgency::Create, "quiet"), deletion);
    };
    tokio::join!(many, later);
    let place = |name: &str| got.borrow().iter().position(|who| *who == name).expect("it got its turn");
    assert!(place("quiet") <= 4 && place("busy's deletion") <= 4, "{:?}", got.borrow());
}

async fn hanging() {
    let emulator = emulator().await;
    let accounts = Accounts::new(Endpoints { timeout: Duration::from_secs(1), ..endpoints(&emulator.url()) }).unwrap();
    let (a, b) = (accounts.account(keys("a"), ""), accounts.account(keys("b"), ""));
    fault(&emulator, json!({"access_key": "a", "every": true, "do": "hang"}));
    let region = region();
    let stuck = join_all((0..12).map(|_| a.client().quota(&region, None)));
    let others = async { join_all((0..12).map(|_| b.client().quota(&region, None))).await };
    let (stuck, others) = tokio::join!(stuck, others);
    assert!(others.iter().all(Result::is_ok));
    assert!(stuck.iter().all(|one| one.as_ref().is_err_and(|error| error.class() == Class::Transient)));
    let asked = emulator.journal(0).iter().filter(|call| call.access_key == "a").count();
    assert!((4..12).contains(&asked), "four slots: {asked} calls");
}

async fn skewed_clock() {
    let emulator = emulator().await;
    for minutes in [-60, 60] {
        let account = account(&emulator.url());
        let skew = SignedDuration::from_mins(minutes);
        emulator.skew(skew);
        assert_eq!(account.clock_offset(), None);
        account.client().quota(&region(), None).await.unwrap();
        let offset = account.clock_offset().unwrap();
        assert!((offset - skew).abs() < SignedDuration::from_secs(2), "{offset}");
        create(&account, "one").await.unwrap();
    }
}

async fn one_list_for_all() {
    let emulator = emulator().await;
    let accounts = Accounts::new(endpoints(&emulator.url())).unwrap();
    let objects: Vec<_> = (0..64).map(|_| accounts.account(keys("a"), "")).collect();
    for index in 0..50 {
        create(&objects[0], &format!("c{index}")).await.unwrap();
    }
    let (region, now) = (region(), objects[0].gateway_now());
    let lists = join_all(objects.iter().map(|account| account.listing(&region, now))).await;
    for list in lists {
        let list = list.unwrap();
        assert!(list.whole && list.clusters.len() == 50 && list.began >= now, "{} {now}", list.began);
    }
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 1, "50 clusters are one page");
}

async fn list_cache() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let first = account.listing(&region(), Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(first.began <= account.gateway_now() && first.whole && first.clusters.is_empty());
    create(&account, "one").await.unwrap();
    assert_eq!(account.listing(&region(), first.began).await.unwrap(), first);
    let second = account.listing(&region(), account.gateway_now()).await.unwrap();
    assert!(second.began > first.began && second.clusters.len() == 1);
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 2);
    account.listing(&Region::from("cn-beijing"), first.began).await.unwrap();
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 3, "each region has its own");
}

async fn many_pages() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    for index in 0..101 {
        create(&account, &format!("c{index}")).await.unwrap();
    }
    let list = account.listing(&region(), Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(list.whole && list.clusters.len() == 101);
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 3);
    // A service that gives smaller pages than it was asked for is read to the end all the same.
    emulator.settings(&json!({"page_size_max": 30})).unwrap();
    let list = account.listing(&region(), account.gateway_now()).await.unwrap();
    assert!(list.whole && list.clusters.len() == 101);
}

async fn torn_lists() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    for index in 0..60 {
        create(&account, &format!("c{index}")).await.unwrap();
    }
    for (setting, count) in [("torn", 59), ("overcount", 60)] {
        emulator.settings(&json!({"lists": setting})).unwrap();
        let list = account.listing(&region(), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!((list.whole, list.clusters.len()), (false, count), "{setting}");
    }
    emulator.settings(&json!({"lists": "whole"})).unwrap();
    assert!(account.listing(&region(), Timestamp::UNIX_EPOCH).await.unwrap().whole, "a torn list is not kept");
}

/// A list as old as that, however many pages it has.
fn age(most: Duration) -> Age {
    Age { most, a_page: Duration::ZERO }
}

async fn one_torn_list_for_all() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    for index in 0..60 {
        create(&account, &format!("c{index}")).await.unwrap();
    }
    emulator.settings(&json!({"lists": "torn"})).unwrap();
    let (region, now) = (region(), account.gateway_now());
    let lists = join_all((0..64).map(|_| account.listing(&region, now))).await;
    assert!(lists.iter().all(|list| list.as_ref().is_ok_and(|list| !list.whole && list.clusters.len() == 59)));
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 3, "one list");
    let glance = account.recent(&region, age(Duration::from_secs(60))).await.unwrap();
    assert!(!glance.whole, "a torn list is good enough for a glance");
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 3);
    account.listing(&region, now).await.unwrap();
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 6, "who comes later has another read");
    let long = Age { most: Duration::ZERO, a_page: Duration::from_secs(30) };
    account.recent(&region, long).await.unwrap();
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 6, "a list of two pages may be a minute old");
}

async fn glance_beside_a_proof() {
    let emulator = emulator().await;
    let account = Accounts::new(Endpoints { timeout: Duration::from_secs(2), ..endpoints(&emulator.url()) }).unwrap();
    let account = account.account(keys("a"), "");
    let (region, minute) = (region(), Duration::from_secs(60));
    let first = account.listing(&region, Timestamp::UNIX_EPOCH).await.unwrap();
    fault(&emulator, json!({"operation": "DescribeClustersForRegion", "every": true, "do": "hang"}));
    let proof = account.listing(&region, account.gateway_now());
    let glances = async {
        while calls(&emulator, "DescribeClustersForRegion").len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let begun = std::time::Instant::now();
        for _ in 0..64 {
            assert_eq!(account.recent(&region, age(minute)).await.unwrap(), first);
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        // Where the last list is too old, what is under way is waited for, and taken as it comes.
        assert!(account.recent(&region, age(Duration::ZERO)).await.is_err());
    };
    let (proof, ()) = tokio::join!(proof, glances);
    assert!(proof.is_err());
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 2);
}

async fn stateless_item() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let id = create(&account, "one").await.unwrap();
    fault(&emulator, json!({"operation": "DescribeClustersForRegion", "every": true, "do": {"mangle": "no_state"}}));
    let list = account.listing(&region(), Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(list.whole && list.clusters.len() == 1);
    let item = &list.clusters[0];
    assert_eq!((&item.id, item.state.kind, item.state.word.as_str()), (&id, StateKind::Other, ""));
}

/// T1 to T5: what one code is to each operation, over the wire.
async fn refusals_by_operation() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let (client, region, id) = (account.client(), region(), ClusterId::from("c0"));
    for (status, code, read, created, changed) in [
        (404, "InvalidSecurityGroupId.NotFound", Class::Unknown, Class::Refused, Class::User),
        (400, "EmptyCIDR", Class::Unknown, Class::User, Class::User),
        (400, "ClusterNameAlreadyExist", Class::Unknown, Class::Taken, Class::User),
        (400, "InvalidStatus.Forbidden", Class::Busy, Class::Busy, Class::Busy),
    ] {
        emulator.clear_faults();
        fault(&emulator, json!({"every": true, "do": {"status": status, "code": code, "message": "as ACK says"}}));
        let told = |error: Error, class: Class| {
            assert_eq!((error.class(), error.never_executed()), (class, true), "{code}: {error}");
            assert!(error.to_string().contains(&format!("{code}: as ACK says")), "{error}");
        };
        told(client.cluster(&region, &id).await.unwrap_err(), read);
        told(create(&account, "one").await.unwrap_err(), created);
        told(modify(&account, turn(&account).await).await.unwrap_err(), changed);
        let (options, stamp) = (DeleteOptions::default(), soon(&account));
        let deleted = client.delete_cluster(turn(&account).await, &id, &options, &stamp).await;
        told(deleted.unwrap_err(), changed);
    }
    emulator.clear_faults();
    let unknown = json!({"status": 400, "code": "400", "message": "the task T-1 not found"});
    fault(&emulator, json!({"operation": "DescribeTaskInfo", "every": true, "do": unknown}));
    assert!(client.task(&region, &"T-1".into()).await.unwrap().is_none());
}

async fn one_outage_for_all() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    fault(&emulator, json!({"every": true, "do": {"status": 503, "code": "ServiceUnavailable"}}));
    let region = region();
    let lists = join_all((0..64).map(|_| account.listing(&region, Timestamp::UNIX_EPOCH))).await;
    assert!(lists.iter().all(|list| list.as_ref().is_err_and(|error| error.class() == Class::Transient)));
    assert_eq!(calls(&emulator, "DescribeClustersForRegion").len(), 3, "one read and its two retries");
    let ids = join_all((0..64).map(|_| account.id())).await;
    assert!(ids.iter().all(Result::is_err));
    assert_eq!(calls(&emulator, "GetCallerIdentity").len(), 3);
}

async fn equal_keys() {
    let accounts = Accounts::new(endpoints("http://127.0.0.1:9")).unwrap();
    let (one, two) = (accounts.account(keys("a"), ""), accounts.account(keys("a"), ""));
    assert!(Arc::ptr_eq(&one, &two));
    let stated = Credentials { account_id: Some("7".into()), ..keys("a") };
    let stated = accounts.account(stated, "");
    assert!(!Arc::ptr_eq(&one, &stated) && !Arc::ptr_eq(&one, &accounts.account(keys("b"), "")));
    assert_eq!(one.identity(), stated.identity(), "an identity is that of the key");
    assert_ne!(one.identity(), accounts.account(keys("b"), "").identity());
}

async fn stated_accounts() {
    let emulator = emulator().await;
    let of = |without_sts, stated: Option<&str>| {
        let accounts = Accounts::new(Endpoints { without_sts, ..endpoints(&emulator.url()) }).unwrap();
        accounts.account(Credentials { account_id: stated.map(AccountId::from), ..keys("a") }, "")
    };
    assert_eq!(of(false, Some(ACCOUNT)).id().await.unwrap(), AccountId::from(ACCOUNT), "STS agrees");
    let wrong = of(false, Some("7"));
    for _ in 0..3 {
        let error = wrong.id().await.unwrap_err();
        assert_eq!((error.class(), error.never_executed()), (Class::Credentials, true));
        let said = error.to_string();
        assert!(["account 7", ACCOUNT, "ALIBABA_CLOUD_ACCOUNT_ID"].iter().all(|word| said.contains(word)), "{said}");
    }
    assert_eq!(calls(&emulator, "GetCallerIdentity").len(), 2, "once for each set of keys");
    assert_eq!(of(true, Some("7")).id().await.unwrap(), AccountId::from("7"), "there is nobody to ask");
    let error = of(true, None).id().await.unwrap_err();
    assert_eq!((error.class(), error.to_string().contains("--without-sts")), (Class::Credentials, true), "{error}");
    assert_eq!(calls(&emulator, "GetCallerIdentity").len(), 2, "where there is no STS none is asked");
}

async fn echoes() {
    let emulator = emulator().await;
    let account = account(&emulator.url());
    let mut body = body("one");
    body["login_password"] = json!("Hello1234");
    for (code, message) in [
        ("InvalidParameter", format!("bad Hello1234 of {SECRET}\u{1b}[31m 5D2E7C1A-9B3F-4E60-8A17-0C4D2F6B9E31")),
        ("SignatureDoesNotMatch", "server string to sign is:POST\nx-acs-security-token:Hello1234".to_owned()),
        ("Hello1234", SECRET.to_owned()),
    ] {
        fault(
            &emulator,
            json!({"operation": "CreateCluster", "do": {"status": 400, "code": code, "message": message}}),
        );
        let error = account.client().create_cluster(turn(&account).await, &body, &soon(&account)).await.unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!["Hello1234", SECRET, "\u{1b}", "to sign"].iter().any(|word| text.contains(word)), "{text}");
        }
        assert!(!error.to_string().contains("5D2E7C1A"), "{error}");
    }
}
