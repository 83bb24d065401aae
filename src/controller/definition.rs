//! Whether the API server keeps what this operator writes. A CustomResourceDefinition that is older than the operator
//! drops members of a status in silence, and a seal that is not stored seals nothing. Reads the definition, never writes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use kube::{Client, CustomResourceExt};

use super::secrets::unread;
use super::store::within;
use crate::api::{self, AckCluster};
use crate::decide::Trouble;
use crate::terms::{Class, Reason};

/// How many members a message names.
const NAMED: usize = 4;

/// The last answer. A good one holds until the API server shows otherwise.
#[derive(Default)]
pub(super) struct Definition(Mutex<Option<(Instant, Result<(), Trouble>)>>);

impl Definition {
    /// `Ok` where every member of a status that this operator writes is kept. Asked again every `interval` until it is.
    pub async fn keeps(&self, client: &Client, interval: Duration) -> Result<(), Trouble> {
        if let Some((asked, answer)) = self.0.lock().expect("definition").as_ref()
            && (answer.is_ok() || asked.elapsed() < interval)
        {
            return answer.clone();
        }
        let answer = look(client).await;
        *self.0.lock().expect("definition") = Some((Instant::now(), answer.clone()));
        answer
    }

    /// A write came back without what was written: whatever was known of the definition is out of date.
    pub fn dropped(&self, member: &str) -> Trouble {
        *self.0.lock().expect("definition") = None;
        outdated(&[member.to_owned()])
    }
}

async fn look(client: &Client) -> Result<(), Trouble> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = AckCluster::crd_name();
    let served = match within(definitions.get(name)).await {
        Ok(served) => served,
        // Then it shows only when a seal comes back without what was written.
        Err(error) if error.is_forbidden() => {
            tracing::warn!("the operator may not read the CustomResourceDefinition {name}; grant it `get`");
            return Ok(());
        }
        Err(error) => return Err(unread(&error, &format!("the CustomResourceDefinition {name}"))),
    };
    let lost = api::dropped_by(&served);
    if lost.is_empty() { Ok(()) } else { Err(outdated(&lost)) }
}

fn outdated(lost: &[String]) -> Trouble {
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = lost[..lost.len().min(NAMED)].join(", ");
    let note = format!(
        "the API server drops {named}{more}: its CustomResourceDefinition is not the one of this operator. Nothing is \
         asked of ACK before that is mended: ack-operator crd | kubectl apply --server-side -f -"
    );
    Trouble { class: Class::Permission, reason: Some(Reason::DefinitionOutdated), note: note.into(), wait: None }
}
