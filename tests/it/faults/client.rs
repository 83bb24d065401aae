//! Every kind at the client, against the emulator: a create, a detail and a list each. What went over the wire is counted
//! in the emulator's journal.

use std::sync::Arc;
use std::time::Duration;

use ack_operator::ack::{Account, Accounts, Endpoints, Error, Urgency};
use ack_operator::terms::{ClusterId, Region};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::kinds::{Kind, Met, kinds};
use crate::support::RUNTIME;
use crate::wire;

pub fn every_kind_has_its_class_and_proves_no_more_than_it_may() {
    let kinds = kinds();
    let names: std::collections::BTreeSet<_> = kinds.iter().map(|kind| kind.name).collect();
    assert!(names.len() == kinds.len() && kinds.len() >= 40, "{} kinds, {} names", kinds.len(), names.len());
    println!("{} kinds", kinds.len());
    let wrong = RUNTIME.block_on(async {
        // A key for each, so that no trouble with one shows in another.
        let keys: Vec<String> = (0..kinds.len()).map(|number| format!("key{number}")).collect();
        let emulator =
            wire::emulator_of(&keys.iter().map(|id| (id.as_str(), id.as_str(), None)).collect::<Vec<_>>()).await;
        let accounts =
            |timeout| Accounts::new(Endpoints { timeout, ..wire::endpoints(&emulator.url()) }).expect("endpoints");
        let (patient, hasty) = (accounts(Duration::from_secs(60)), accounts(Duration::from_secs(3)));
        let tried = kinds.iter().zip(&keys).enumerate().map(async |(number, (kind, key))| {
            let accounts = if kind.lasts { &hasty } else { &patient };
            let place =
                Place::new(&emulator, [&patient, accounts].map(|of| of.account(wire::keys(key), "")), kind, number)
                    .await;
            place.wrongs(&emulator, kind).await
        });
        join_all(tried).await.into_iter().flatten().collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A region with a cluster, where every call goes wrong in one way.
struct Place {
    region: Region,
    account: Arc<Account>,
    cluster: ClusterId,
}

impl Place {
    async fn new(
        emulator: &ack_emulator::Emulator,
        [patient, account]: [Arc<Account>; 2],
        kind: &Kind,
        number: usize,
    ) -> Place {
        let region = Region::from(format!("cn-kind{number}"));
        let cluster = create(&patient, &region).await.expect("no fault yet");
        wire::fault(emulator, json!({"region": region.as_str(), "every": true, "do": kind.deed}));
        Place { region, account, cluster }
    }

    async fn wrongs(&self, emulator: &ack_emulator::Emulator, kind: &Kind) -> Vec<String> {
        let Place { region, account, cluster } = self;
        let before = posts(emulator, region);
        let created = create(account, region).await;
        let sent = posts(emulator, region) - before;
        let detail = account.client().cluster(region, cluster).await;
        let list = account.listing(region, Timestamp::UNIX_EPOCH).await;

        let mut wrong = vec![];
        let mut expect = |what: &str, ok: bool, got: String| {
            if !ok {
                wrong.push(format!("{}: {what}: {got}", kind.name));
            }
        };
        let told = |error: Option<&Error>| error.is_none_or(|error| error.to_string().contains(kind.says));
        expect("the create", met(&created) == kind.create, format!("{created:?}"));
        expect("the detail", met(&detail) == kind.detail, format!("{:?}", detail.as_ref().err()));
        let read = match &list {
            Ok(list) if !list.whole => Met::Torn,
            other => met(other),
        };
        expect("the list", read == kind.list, format!("{:?}", list.as_ref().err()));
        expect("it is sent once", sent == 1, format!("{sent} times"));
        let refused = created.as_ref().err().is_some_and(Error::never_executed);
        expect("what it proves", refused == kind.refuses, format!("{created:?}"));
        for error in [created.as_ref().err(), detail.as_ref().err(), list.as_ref().err()] {
            expect("the sentence", told(error), format!("{error:?}"));
            expect("it is short", error.is_none_or(|e| e.to_string().chars().count() <= 600), format!("{error:?}"));
        }
        let offset = account.clock_offset().unwrap_or_default().abs();
        expect("the clock", offset < SignedDuration::from_mins(5), format!("{offset:#}"));
        wrong
    }
}

fn met<T>(outcome: &Result<T, Error>) -> Met {
    outcome.as_ref().map_or_else(|error| Met::Trouble(error.class()), |_| Met::Good)
}

async fn create(account: &Account, region: &Region) -> Result<ClusterId, Error> {
    let mut body: Value = wire::body("one");
    body["region_id"] = json!(region.as_str());
    let turn = account.client().turn(region, Urgency::Change, Duration::from_secs(30)).await?;
    let created = account.client().create_cluster(turn, &body, &wire::soon(account)).await;
    created.map(|answer| answer.value.cluster_id)
}

fn posts(emulator: &ack_emulator::Emulator, region: &Region) -> usize {
    let calls = emulator.journal(0);
    calls.iter().filter(|call| call.operation == "CreateCluster" && call.region == region.as_str()).count()
}
