//! The ACK of the playground: an emulator in a hurry, and the one key that it knows.

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
}

impl Default for Key {
    fn default() -> Self {
        Key {
            id: "LTAI5tPlaygroundOnly".into(),
            secret: "a-secret-that-opens-nothing".into(),
            account: ack_emulator::DEFAULT_ACCOUNT.into(),
        }
    }
}

impl Key {
    /// A Secret manifest that an AckCluster's `credentialsRef` can name.
    pub fn secret_manifest(&self, name: &str, namespace: &str) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "stringData": {
                "ALIBABA_CLOUD_ACCESS_KEY_ID": self.id,
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.secret,
            },
        })
        .to_string()
    }
}

/// Starts an emulator whose clusters take `create` to come and `delete` to go. With `tls_dir` it speaks TLS by an
/// authority of its own, whose certificate it puts there.
pub async fn start(
    address: SocketAddr,
    tls_dir: Option<PathBuf>,
    key: &Key,
    create: Duration,
    delete: Duration,
) -> Result<Emulator> {
    let Key { id, secret, account } = key.clone();
    let emulator = Emulator::start(Config {
        listen: vec![(None, address)],
        tls_dir,
        access_keys: vec![AccessKey { id, secret, account, token: None }],
        list_lag: Duration::from_millis(500),
        create_time: create,
        delete_time: delete,
        date_window: DATE_WINDOW,
        ..Config::default()
    })
    .await?;
    emulator.settings(&json!({"modify_time": "1s"}))?;
    Ok(emulator)
}
