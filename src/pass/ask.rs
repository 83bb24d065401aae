//! Asking ACK for what cannot be taken back. First the account's turn, then the guarded status write that says what is asked and
//! remembers it, which fails where the object is no longer what was judged, then the call, signed with the date of the read
//! that it was decided on. So nothing waits once it is allowed, and nothing is asked that the object as it is stored refuses.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::look;
use super::report;
use super::state::{Flow, Pass};
use super::store;
use crate::ack::{self, Client, DeleteOptions, Stamp, Turn, Urgency};
use crate::api::AckCluster;
use crate::decide::{Ask, Deed, Trouble, keys};
use crate::drift;
use crate::terms::{ClusterId, TaskId};

pub(super) async fn ask(pass: &mut Pass<'_>, wanted: Ask) -> Result<Flow, store::Error> {
    let Some(call) = call(pass, &wanted) else { return pass.reread().await };
    let region = pass.region();
    let (client, turn) = match pass.turn(&region, Urgency::Change).await {
        Ok(Some(ready)) => ready,
        Ok(None) => return Ok(Flow::Turn),
        // It was not asked for, so nothing of it is remembered.
        Err(trouble) => {
            pass.view.seen.account = Some(Err(trouble));
            return Ok(Flow::On);
        }
    };
    // What this was decided on is too old by now: with the turn at hand it is read again.
    if pass.now() > wanted.not_after {
        pass.turn = Some(turn);
        return pass.reread().await;
    }
    let status = report::asking(&pass.object, &wanted, &pass.learnt, Timestamp::now());
    match pass.store.confirm_status(&pass.object, &status).await {
        Ok(stored) => {
            pass.announce(&status).await;
            leftovers(pass, &wanted.deed).await;
            pass.object = stored;
        }
        Err(error) if error.is_conflict() => return pass.reread().await,
        Err(error) if error.is_not_found() => return Ok(Flow::End),
        Err(error) => return Err(error),
    }
    let stamp = Stamp::fresh(wanted.date, wanted.not_after);
    let outcome = send(&client, turn, &wanted.id, &call, &stamp).await;
    match &outcome {
        Ok(task) => {
            pass.entry.task = task.clone().map(|task| (wanted.id.clone(), task)).or(pass.entry.task.take());
            if let Deed::Protect(on) = wanted.deed {
                pass.learnt.switched = Some(on);
            }
            tell(pass, &wanted.deed).await;
        }
        Err(error) => {
            tracing::warn!(%error, request_id = error.request_id(), deed = ?wanted.deed, "ACK was asked in vain")
        }
    }
    pass.done(wanted.deed, outcome.map(drop).map_err(Trouble::from)).await
}

/// A request, ready to be sent.
enum Call {
    Set(drift::Call),
    Delete(DeleteOptions),
}

/// `None`: the drift is another one now.
fn call(pass: &Pass<'_>, wanted: &Ask) -> Option<Call> {
    Some(match &wanted.deed {
        Deed::Claim => {
            let tags = pass.me.tags(&pass.view.nonce);
            Call::Set(drift::Call::Tag(tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
        }
        Deed::Protect(on) => {
            Call::Set(drift::Call::Modify(Map::from_iter([(keys::PROTECTION.to_owned(), Value::Bool(*on))])))
        }
        Deed::Change(changes) => {
            let all = drift::changes(&look::differences(&pass.object, pass.learnt.detail.as_ref()?));
            let of = |change: &drift::Change| {
                changes.iter().any(|wanted| (wanted.key.as_str(), &wanted.digest) == (change.field, &change.digest))
            };
            Call::Set(drift::call(all.iter().filter(|change| of(change)))?)
        }
        Deed::Delete => Call::Delete(options(&pass.object)),
        Deed::Hold | Deed::Publish => return None,
    })
}

async fn send(
    client: &Client,
    turn: Turn,
    id: &ClusterId,
    call: &Call,
    stamp: &Stamp,
) -> Result<Option<TaskId>, ack::Error> {
    match call {
        Call::Set(drift::Call::Tag(tags)) => {
            client.tag(turn, std::slice::from_ref(id), tags, stamp).await.map(|_| None)
        }
        Call::Set(drift::Call::Modify(members)) => {
            client.modify_cluster(turn, id, members, stamp).await.map(|answer| answer.value.task_id)
        }
        Call::Delete(options) => {
            client.delete_cluster(turn, id, options, stamp).await.map(|answer| answer.value.task_id)
        }
    }
}

/// Names what a deletion leaves behind, before it is asked for.
async fn leftovers(pass: &Pass<'_>, deed: &Deed) {
    if let (Deed::Delete, Some(Ok(kept))) = (deed, &pass.view.seen.leftovers)
        && !kept.as_str().is_empty()
    {
        pass.event(true, "Leftovers", "DeleteCluster", &format!("these outlive the cluster: {kept}")).await;
    }
}

/// Events of one reason and one action are joined, with the first one's words, so each deed has an action of its own.
async fn tell(pass: &Pass<'_>, deed: &Deed) {
    let (action, note) = match deed {
        Deed::Claim => ("MarkCluster", "this object's tags were put on the cluster".to_owned()),
        Deed::Protect(on) => ("SwitchProtection", format!("deletion_protection: {} -> {on}", !on)),
        Deed::Change(changes) => {
            let words: Vec<_> = changes.iter().map(|change| change.words.as_str()).collect();
            ("ModifyCluster", words.join(", "))
        }
        // The change of reason tells it.
        Deed::Delete | Deed::Hold | Deed::Publish => return,
    };
    pass.event(false, "Modified", action, &note).await;
}

/// The query of DeleteCluster, one to one from the spec.
fn options(object: &AckCluster) -> DeleteOptions {
    let Some(wanted) = &object.spec.delete_options else { return DeleteOptions::default() };
    DeleteOptions {
        retain_all_resources: wanted.retain_all_resources,
        retain_resources: wanted.retain_resources.clone().unwrap_or_default(),
        options: wanted
            .options
            .iter()
            .flatten()
            .map(|option| (option.resource_type.clone(), option.delete_mode.clone()))
            .collect(),
    }
}
