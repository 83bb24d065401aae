//! The switches for what the fact sheet does not know (ack-api i), with the pessimistic reading as default, and the
//! times that tests scale. Data only; read by the world and by the gate.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $word:ident),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $word),* }
    )* };
}

words! {
    /// On or off.
    Switch { On, Off }
    /// Whether a second cluster may have the name of a living one of its account.
    Names { Allow, Reject }
    /// What `client_token` of CreateCluster does.
    Token { Ignore, Honour }
    /// When the tags of a create request are seen in answers.
    Tags {
        Immediately,
        /// Not while the cluster is `initial`.
        Late,
    }
    /// What the old worker fields do (ack-api g 18, k). ACK ended them by 2026-09-30: they have no effect, or are refused.
    /// `nodepools` always work.
    Workers { Honour, Ignore, Reject }
    /// How lists of clusters betray their reader.
    Lists {
        Whole,
        /// One item slips away at each page border; `total_count` stays true.
        Torn,
        /// `total_count` is one too many.
        Overcount,
    }
    /// What DescribeClusterUserKubeconfig does where the cluster lacks the endpoint: an error, or an empty server.
    Missing { Refuse, Empty }
    /// Whether a cluster may be deleted while it is being created.
    Early { Refuse, Allow }
    /// How a failed task spells its state (ack-api g 17).
    FailedWord { Failed, Fail }
}

/// All switches. JSON: the member names and words as written here; durations such as `90s`, `1m30s`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub duplicate_names: Names,
    pub client_token: Token,
    pub tags_visible: Tags,
    pub workers: Workers,
    /// Refuse unknown members of request bodies.
    pub strict_fields: Switch,
    pub nonce_check: Switch,
    pub date_check: Switch,
    pub lists: Lists,
    pub page_size_default: usize,
    pub page_size_max: usize,
    pub delete_while_initial: Early,
    pub task_failed_word: FailedWord,
    pub missing_endpoint: Missing,
    /// By access key: the names of the only clusters that it can see.
    pub visible_only: BTreeMap<String, Vec<String>>,
    /// By access key: the ids of the only resource groups whose clusters it can see, as a RAM policy on groups has it.
    pub visible_groups: BTreeMap<String, Vec<String>>,
    /// Access keys that were switched off.
    pub inactive_keys: Vec<String>,
    /// Access keys whose security token has run out.
    pub expired_tokens: Vec<String>,
    /// How long a deleted cluster still answers with state `deleted` before it is a 404.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub deleted_visible: SignedDuration,
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub list_lag: SignedDuration,
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub detail_lag: SignedDuration,
    /// How long after its creation a cluster shows no tags, whatever its state; beside `tags_visible`.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub tags_lag: SignedDuration,
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub create_time: SignedDuration,
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub modify_time: SignedDuration,
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub delete_time: SignedDuration,
    /// How long each of a temporary kubeconfig's minutes is.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub kubeconfig_minute: SignedDuration,
    /// How far a signed date may be from the gateway's clock. Nonces are remembered twice as long.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub date_window: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            duplicate_names: Names::Allow,
            client_token: Token::Ignore,
            tags_visible: Tags::Immediately,
            workers: Workers::Ignore,
            strict_fields: Switch::Off,
            nonce_check: Switch::On,
            date_check: Switch::On,
            lists: Lists::Whole,
            page_size_default: 10,
            page_size_max: 50,
            delete_while_initial: Early::Refuse,
            task_failed_word: FailedWord::Failed,
            missing_endpoint: Missing::Refuse,
            visible_only: BTreeMap::new(),
            visible_groups: BTreeMap::new(),
            inactive_keys: Vec::new(),
            expired_tokens: Vec::new(),
            deleted_visible: SignedDuration::ZERO,
            list_lag: SignedDuration::from_secs(2),
            detail_lag: SignedDuration::ZERO,
            tags_lag: SignedDuration::ZERO,
            create_time: SignedDuration::from_secs(90),
            modify_time: SignedDuration::from_secs(5),
            delete_time: SignedDuration::from_secs(60),
            kubeconfig_minute: SignedDuration::from_secs(60),
            date_window: SignedDuration::from_secs(900),
        }
    }
}

impl Settings {
    /// These settings, if they make sense.
    ///
    /// # Errors
    /// Says what does not.
    pub fn checked(self) -> Result<Settings, String> {
        let Settings { deleted_visible, list_lag, detail_lag, tags_lag, create_time, modify_time, .. } = &self;
        let Settings { delete_time, kubeconfig_minute, date_window, .. } = &self;
        let lags = [deleted_visible, list_lag, detail_lag, tags_lag];
        let times = [create_time, modify_time, delete_time, kubeconfig_minute, date_window];
        let year = SignedDuration::from_hours(366 * 24);
        if lags.iter().chain(&times).any(|time| time.is_negative() || **time > year) || self.date_window.is_zero() {
            return Err("durations are from 0 to a year, date_window is positive".into());
        }
        if self.page_size_default == 0 || self.page_size_max < self.page_size_default {
            return Err("page sizes are positive, the default is at most the maximum".into());
        }
        Ok(self)
    }

    /// These settings with the members of `change` in place of the old ones.
    ///
    /// # Errors
    /// Says which member or word is not understood; nothing is changed then.
    pub fn changed(&self, change: &Value) -> Result<Settings, String> {
        let Value::Object(change) = change else { return Err("settings are a JSON object".into()) };
        let mut all = serde_json::to_value(self).map_err(|e| e.to_string())?;
        for (name, value) in change {
            all[name] = value.clone();
        }
        serde_json::from_value::<Settings>(all).map_err(|e| e.to_string())?.checked()
    }
}
