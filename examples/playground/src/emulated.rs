//! The ACK of the playground: an emulator in a hurry, and the keys that it knows.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ack_emulator::{AccessKey, Config, Emulator};
use serde::Serialize;
use serde_json::json;

use crate::error::Result;

/// Times of the create protocol for `--protocol-times` (date window, list bound, clock skew): short enough for an unknown
/// outcome to resolve within a minute. The emulator's date window is the same as the first.
pub const PROTOCOL_TIMES: &str = "10s,2s,1s";
const DATE_WINDOW: Duration = Duration::from_secs(10);

/// An access key of an emulated account. It opens nothing else, so it may be printed.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub account: String,
    /// With it the key is a temporary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Default for Key {
    fn default() -> Self {
        Key {
            id: "LTAI5tPlaygroundOnly".into(),
            secret: "a-secret-that-opens-nothing".into(),
            account: ack_emulator::DEFAULT_ACCOUNT.into(),
            token: None,
        }
    }
}

impl Key {
    /// The variables that an operator with this key of its own has, which are the keys of a Secret too.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let token = self.token.as_deref().map(|token| ("ALIBABA_CLOUD_SECURITY_TOKEN", token));
        let key = [("ALIBABA_CLOUD_ACCESS_KEY_ID", &*self.id), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", &*self.secret)];
        key.into_iter().chain(token)
    }

    /// A Secret manifest that an AckCluster's `credentialsRef` can name.
    pub fn secret_manifest(&self, name: &str, namespace: &str) -> String {
        let data = BTreeMap::from_iter(self.environment());
        let metadata = json!({"name": name, "namespace": namespace});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}).to_string()
    }
}

/// Starts an emulator whose clusters take `create` to come and `delete` to go. With `tls_dir` it speaks TLS by an
/// authority of its own, whose certificate it puts there. Its clusters hand
/// out `kubeconfig_server` as their own, or made-up ones.
pub async fn start(
    address: SocketAddr,
    tls_dir: Option<PathBuf>,
    keys: &[Key],
    create: Duration,
    delete: Duration,
    kubeconfig_server: Option<String>,
) -> Result<Emulator> {
    let known = |Key { id, secret, account, token }: Key| AccessKey { id, secret, account, token };
    let emulator = Emulator::start(Config {
        listen: vec![(None, address)],
        tls_dir,
        access_keys: keys.iter().cloned().map(known).collect(),
        list_lag: Duration::from_millis(500),
        create_time: create,
        delete_time: delete,
        date_window: DATE_WINDOW,
        kubeconfig_server,
        ..Config::default()
    })
    .await?;
    emulator.settings(&json!({"modify_time": "1s"}))?;
    Ok(emulator)
}
