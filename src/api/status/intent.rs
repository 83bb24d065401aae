//! The sealed intent as it is stored: what was written down before CreateCluster was called, and what became of it. A stored
//! intent that cannot be read whole is an error, never a guess.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::terms::{Class, Intent, Nonce, Outcome, Region, Site, reckonable};

/// Key of the intent that makes the cluster itself in `createIntents`.
pub const CLUSTER_INTENT: &str = "cluster";

/// What was written down before CreateCluster was called. Times are RFC 3339, gateway time.
#[skip_serializing_none]
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CreateIntent {
    /// What it makes: `cluster`.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// Counted from 1; never used twice for one uid.
    #[schemars(range(min = 1))]
    pub attempt: i64,
    /// 40 hex digits; also the value of the intent tag in the cloud.
    #[schemars(length(max = 64))]
    pub nonce: String,
    /// Date under which the request is signed.
    #[schemars(length(max = 64))]
    pub date: String,
    /// A list begun before this proves no absence.
    #[schemars(length(max = 64))]
    pub believe_after: String,
    /// Account in which it was sent.
    #[schemars(length(max = 64))]
    pub account: String,
    /// Region to which it was sent.
    #[schemars(length(max = 63))]
    pub region: String,
    /// Name of the cluster that it makes.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Resource group that it asks for; absent: the account's default one.
    #[schemars(length(max = 128))]
    pub resource_group: Option<String>,
    /// Digest of the spec that it was made from.
    #[schemars(length(max = 64))]
    pub spec_hash: String,
    /// The try that sealed it; only that one may send.
    #[schemars(length(max = 64))]
    pub sealer: String,
    /// The installation that it was sealed for.
    #[schemars(length(max = 63))]
    pub installation: String,
    /// `Open`, `Made`, `Refused`, `Absent` or `Unsent`.
    #[schemars(extend("enum" = ["Open", "Made", "Refused", "Absent", "Unsent"]))]
    pub outcome: String,
    /// Class of the refusal, as the operator sorts it.
    #[schemars(length(max = 32))]
    pub outcome_class: Option<String>,
    /// When the outcome was recorded; absent while it is open or was never sent.
    #[schemars(length(max = 64))]
    pub outcome_at: Option<String>,
    /// What ACK said where it refused, or what came back instead of an outcome.
    #[schemars(length(max = 512))]
    pub outcome_message: Option<String>,
}

/// A stored intent that cannot be read. Nothing may be sent or concluded from it: a person must look at the status.
#[derive(Debug, thiserror::Error)]
pub enum IntentError {
    #[error("createIntents `{key}`: {member} holds `{value}`, which is no time")]
    Time {
        key: String,
        member: &'static str,
        value: String,
        #[source]
        source: jiff::Error,
    },
    #[error("createIntents `{key}`: {member} holds `{value}`, which cannot be")]
    Far { key: String, member: &'static str, value: String },
    #[error("createIntents `{key}`: attempt {attempt} is out of range")]
    Attempt { key: String, attempt: i64 },
    #[error("createIntents `{key}`: `{region}` is no region")]
    Region { key: String, region: String },
    #[error("createIntents `{key}`: outcome `{outcome}` is not known, or lacks outcomeAt")]
    Outcome { key: String, outcome: String },
    #[error("createIntents `{key}`: {member} is empty")]
    Empty { key: String, member: &'static str },
}

impl CreateIntent {
    /// The stored form of `intent`. The other members are left empty for the caller to fill:
    /// `CreateIntent { name, spec_hash, sealer, installation, ..CreateIntent::of(key, &intent) }`.
    pub fn of(key: &str, intent: &Intent) -> CreateIntent {
        let Intent { attempt, nonce, date, believe_after, site: Site { account, region }, group, outcome } = intent;
        let mut stored = CreateIntent {
            key: key.to_owned(),
            attempt: i64::from(*attempt),
            nonce: nonce.to_string(),
            date: date.to_string(),
            believe_after: believe_after.to_string(),
            account: account.to_string(),
            region: region.to_string(),
            resource_group: group.as_deref().map(str::to_owned),
            ..CreateIntent::default()
        };
        stored.record(*outcome);
        stored
    }

    /// Writes what became of the request.
    pub fn record(&mut self, outcome: Outcome) {
        let (class, at) = match outcome {
            Outcome::Open | Outcome::Unsent => (None, None),
            Outcome::Made { at } => (None, Some(at)),
            Outcome::Refused { class, at } => (Some(class), Some(at)),
            Outcome::Absent { at } => (None, Some(at)),
        };
        self.outcome = outcome.word().to_owned();
        self.outcome_class = class.map(|class| class.word().to_owned());
        self.outcome_at = at.map(|at| at.to_string());
    }

    fn time(&self, member: &'static str, value: &str) -> Result<Timestamp, IntentError> {
        let (key, text) = (|| self.key.clone(), || value.to_owned());
        let time = value.parse().map_err(|source| IntentError::Time { key: key(), member, value: text(), source })?;
        if reckonable(time) { Ok(time) } else { Err(IntentError::Far { key: key(), member, value: text() }) }
    }
}

impl TryFrom<&CreateIntent> for Intent {
    type Error = IntentError;

    fn try_from(stored: &CreateIntent) -> Result<Intent, IntentError> {
        let key = || stored.key.clone();
        for (member, value) in [("nonce", &stored.nonce), ("account", &stored.account)] {
            if value.is_empty() {
                return Err(IntentError::Empty { key: key(), member });
            }
        }
        let at = stored.outcome_at.as_deref().map(|at| stored.time("outcomeAt", at)).transpose()?;
        let date = stored.time("date", &stored.date)?;
        let outcome = match (stored.outcome.as_str(), at) {
            ("Open", _) => Outcome::Open,
            // Earlier versions did not say when.
            ("Made", at) => Outcome::Made { at: at.unwrap_or(date) },
            ("Unsent", _) => Outcome::Unsent,
            ("Absent", Some(at)) => Outcome::Absent { at },
            ("Refused", Some(at)) => {
                Outcome::Refused { class: Class::from_word(stored.outcome_class.as_deref().unwrap_or_default()), at }
            }
            (outcome, _) => return Err(IntentError::Outcome { key: key(), outcome: outcome.to_owned() }),
        };
        Ok(Intent {
            attempt: u32::try_from(stored.attempt)
                .ok()
                .filter(|attempt| *attempt > 0)
                .ok_or_else(|| IntentError::Attempt { key: key(), attempt: stored.attempt })?,
            nonce: Nonce::from(stored.nonce.as_str()),
            date,
            believe_after: stored.time("believeAfter", &stored.believe_after)?,
            site: Site {
                account: stored.account.as_str().into(),
                region: Region::parse(&stored.region)
                    .ok_or_else(|| IntentError::Region { key: key(), region: stored.region.clone() })?,
            },
            group: stored.resource_group.as_deref().map(Arc::from),
            outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_reckoned_with_is_none() {
        let stored = CreateIntent::of("cluster", &intent(Outcome::Open));
        for far in ["9999-12-30T21:59:59Z", "-009999-01-02T01:59:59Z"] {
            let stored = CreateIntent { date: far.into(), ..stored.clone() };
            assert!(matches!(Intent::try_from(&stored), Err(IntentError::Far { .. })), "{far}");
        }
    }

    fn intent(outcome: Outcome) -> Intent {
        Intent {
            attempt: 3,
            nonce: "4f".into(),
            date: "2026-11-24T10:00:00Z".parse().unwrap(),
            believe_after: "2026-11-24T10:21:00Z".parse().unwrap(),
            site: Site { account: "1234".into(), region: "cn-hangzhou".into() },
            group: Some("rg-a".into()),
            outcome,
        }
    }

    #[test]
    fn a_stored_intent_reads_back_as_it_was() {
        let at = "2026-11-24T10:30:00Z".parse().unwrap();
        for outcome in [
            Outcome::Open,
            Outcome::Made { at },
            Outcome::Unsent,
            Outcome::Absent { at },
            Outcome::Refused { class: Class::Quota, at },
            Outcome::Refused { class: Class::Unknown, at },
        ] {
            let intent = intent(outcome);
            let stored = CreateIntent::of(CLUSTER_INTENT, &intent);
            let json = serde_json::to_value(&stored).unwrap();
            let back: CreateIntent = serde_json::from_value(json).unwrap();
            assert_eq!(Intent::try_from(&back).unwrap(), intent);
        }
    }

    #[test]
    fn a_broken_intent_is_refused_with_the_member_that_is_broken() {
        let whole = CreateIntent::of(CLUSTER_INTENT, &intent(Outcome::Open));
        for (broken, want) in [
            (CreateIntent { date: "yesterday".into(), ..whole.clone() }, "date holds `yesterday`"),
            (CreateIntent { attempt: 0, ..whole.clone() }, "attempt 0"),
            (CreateIntent { region: "moon".into(), ..whole.clone() }, "`moon` is no region"),
            (CreateIntent { nonce: String::new(), ..whole.clone() }, "nonce is empty"),
            (CreateIntent { outcome: "Refused".into(), ..whole.clone() }, "outcome `Refused`"),
            (CreateIntent { outcome: "Maybe".into(), ..whole.clone() }, "outcome `Maybe`"),
        ] {
            let error = Intent::try_from(&broken).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
