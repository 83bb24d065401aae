//! A running emulator with a client that signs (ROA) by itself, for the tests beside it. Judges nothing.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::clock::http_date;
use crate::{Config, Emulator, JournalEntry};

pub const REGION: &str = "cn-hangzhou";

/// A running emulator and a client of it.
pub struct Bench {
    pub emulator: Emulator,
    pub client: reqwest::Client,
    pub nonce: Cell<u64>,
}

/// What a call may differ in from the plain one.
pub struct Ways<'a> {
    pub key: &'a str,
    pub url: String,
    pub nonce: Option<&'a str>,
    pub date: Timestamp,
}

impl Bench {
    pub async fn start() -> Bench {
        let keys = ["key:secret:1", "other:secret:2", "narrow:secret:1"];
        let any = (None, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let config = Config {
            listen: vec![any.clone(), (Some("cn-beijing".into()), any.1), (Some(REGION.into()), any.1)],
            access_keys: keys.map(|key| key.parse().expect("a key")).into(),
            ..Config::default()
        };
        let emulator = Emulator::start(config).await.expect("started");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Bench { emulator, client, nonce: Default::default() }
    }

    pub fn ways(&self) -> Ways<'static> {
        Ways { key: "key", url: self.emulator.url(), nonce: None, date: Timestamp::now() }
    }

    /// A ROA-signed call: HTTP status and body; `None` when there was no answer.
    pub async fn call_with(
        &self,
        ways: Ways<'_>,
        verb: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        self.nonce.set(self.nonce.get() + 1);
        let nonce = ways.nonce.map_or_else(|| format!("nonce-{}", self.nonce.get()), str::to_owned);
        let date = http_date(ways.date);
        let own = format!(
            "x-acs-signature-method:HMAC-SHA1\nx-acs-signature-nonce:{nonce}\nx-acs-signature-version:1.0\n\
             x-acs-version:2015-12-15\n"
        );
        let kind = body.map_or("", |_| "application/json");
        let text = format!("{verb}\napplication/json\n\n{kind}\n{date}\n{own}{path}");
        let mac = Hmac::<Sha1>::new_from_slice(b"secret").expect("any length").chain_update(text);
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let verb = reqwest::Method::from_bytes(verb.as_bytes()).expect("a method");
        let mut request = self.client.request(verb, format!("{}{path}", ways.url)).header("accept", "application/json");
        for line in own.lines() {
            let (name, value) = line.split_once(':').expect("a header");
            request = request.header(name, value);
        }
        request = request.header("date", date).header("authorization", format!("acs {}:{signature}", ways.key));
        if let Some(body) = body {
            request = request.header("content-type", kind).body(body.to_string());
        }
        let response = request.timeout(Duration::from_secs(5)).send().await.ok()?;
        let status = response.status().as_u16();
        assert!(response.headers().contains_key("date"));
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn call(&self, verb: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call_with(self.ways(), verb, path, body).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).await.1
    }

    pub async fn create(&self, more: Value) -> String {
        let (status, answer) = self.call("POST", "/clusters", Some(&body(more))).await;
        assert_eq!(status, 200, "{answer}");
        text(&answer["cluster_id"])
    }

    pub fn advance(&self, seconds: u64) {
        self.emulator.advance(Duration::from_secs(seconds));
    }

    pub fn fault(&self, rule: Value) {
        self.emulator.fault(serde_json::from_value(rule).expect("a rule")).expect("understood");
    }

    pub fn set(&self, change: Value) {
        self.emulator.settings(&change).expect("understood");
    }

    /// Operation, status and effect of the calls so far.
    pub fn journal(&self) -> Vec<(String, u16, String, bool)> {
        let row = |entry: JournalEntry| (entry.operation, entry.status, entry.code, entry.took_effect);
        self.emulator.journal(0).into_iter().map(row).collect()
    }

    /// Waits until the journal or the ledger is as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Bench) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
        while !wanted(self) {
            assert!(tokio::time::Instant::now() < deadline, "{what}: {:?}", self.journal());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub fn body(more: Value) -> Value {
    let mut body = json!({"name": "demo", "region_id": REGION, "cluster_type": "ManagedKubernetes"});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn code((status, body): &(u16, Value)) -> (u16, String) {
    (*status, text(if body["code"].is_null() { &body["Code"] } else { &body["code"] }))
}
