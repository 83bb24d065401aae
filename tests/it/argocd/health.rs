//! Every status that the operator can write, by the very functions that write it, and what it means to a reader: the
//! health that the script gives it, and the state that kstatus (kpt, Flux, `helm --wait`) reads from it. No I/O.

use std::collections::HashMap;
use std::mem::discriminant;

use ack_operator::api::AckClusterStatus;
use ack_operator::decide::{Rules, Step, Verdict, Work};
use ack_operator::pass::report;
use ack_operator::terms::Reason;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::health_of;
use crate::trials;
use crate::views::total::{GOALS, walk};

pub fn tests() -> Vec<Trial> {
    trials!("argocd":
        every_end_has_the_health_that_its_reason_means,
        whatever_reason_and_truth_are_written_together_the_health_follows_the_kind_of_verdict,
        kstatus_reads_nothing_as_current_before_it_is_ready_and_nothing_as_in_progress_once_it_is_stalled,
        what_the_operator_has_not_seen_yet_is_in_progress_to_everybody,
    )
}

/// The object after these verdicts, one written over the other as pass follows pass.
fn after(verdicts: &[&Verdict]) -> Value {
    let mut status = AckClusterStatus::default();
    let object = ObjectMeta { generation: Some(3), ..ObjectMeta::default() };
    for verdict in verdicts {
        report::conditions(&mut status, &object, verdict, Timestamp::UNIX_EPOCH);
    }
    json!({"metadata": {"name": "demo", "generation": 3}, "status": status})
}

fn going(mut object: Value) -> Value {
    object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    object
}

/// What may have been so before: nothing, a cluster that serves, and one that does not.
fn pasts() -> [Vec<Verdict>; 3] {
    let verdict = |ready, work| Verdict::new(Some(ready), work);
    let creating = Work::UnderWay(Reason::Creating, "".into());
    [vec![], vec![verdict(true, Work::Done)], vec![verdict(false, creating)]]
}

/// Each verdict over each past.
fn objects(verdicts: impl IntoIterator<Item = Verdict>) -> Vec<(Verdict, Value)> {
    let over = |verdict: Verdict| {
        pasts().map(|past| {
            let all: Vec<_> = past.iter().chain([&verdict]).collect();
            (verdict.clone(), after(&all))
        })
    };
    verdicts.into_iter().filter(|verdict| verdict.work != Work::Same).flat_map(over).collect()
}

/// Every verdict that the types allow.
fn all() -> Vec<Verdict> {
    let mut all = vec![];
    for ready in [None, Some(true), Some(false)] {
        let each = Reason::ALL.iter().flat_map(|reason| {
            let note = || "as ACK tells it".into();
            [Work::UnderWay(*reason, note()), Work::Stuck(*reason, note()), Work::Held(*reason, note())]
        });
        all.extend(each.map(|work| Verdict::new(ready, work)));
    }
    all.push(Verdict::new(Some(true), Work::Done));
    all
}

/// The table of conditions, as health.
fn by_reason(reason: Reason, serves: bool) -> &'static str {
    use Reason::*;
    match reason {
        Creating | AwaitingOutcome | Deleting | Updating | Throttled | Unreachable | ClusterBusy | ClockSkew => {
            "Progressing"
        }
        Running | Applied => "Healthy",
        Paused => "Suspended",
        Observed => {
            if serves {
                "Healthy"
            } else {
                "Suspended"
            }
        }
        InvalidSpec | InvalidCredentials | CredentialsMissing | PermissionDenied | QuotaExceeded | AccountProblem
        | AccountChanged | CreateFailed | ClusterGone | OwnershipConflict | DuplicateDetected | FenceInert
        | ListNotTrusted | DefinitionOutdated | InternalError => "Degraded",
        UpdateFailed | WorkersMissing | SpecDiffers | DeletionProtected | DeletionHeld | DeleteFailed
        | SecretConflict | EndpointMissing => "Degraded",
        ClusterUnavailable => "Degraded",
        // Told of going objects only, which then go.
        Retained => "Progressing",
    }
}

fn is(object: &Value, kind: &str) -> bool {
    ::playground::objects::condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Each sort of end to which the views of the judgement come: those of every seventh beginning, which are all sorts there are.
fn every_end_has_the_health_that_its_reason_means() {
    let mut ends = HashMap::new();
    for goal in GOALS {
        let views = walk(goal, &Rules::default(), 7, &mut |_, step| {
            if let Step::Rest(verdict) = step {
                let reason = verdict.work.reason();
                ends.entry((discriminant(&verdict.work), reason, verdict.ready)).or_insert_with(|| verdict.clone());
            }
            Ok(())
        });
        views.unwrap();
    }
    assert!(ends.len() > 30, "{} ends", ends.len());
    for (verdict, object) in objects(ends.into_values()) {
        let reason = verdict.work.reason().expect("a reason");
        let object = if reason == Reason::Retained { going(object) } else { object };
        let want = by_reason(reason, is(&object, "Ready"));
        assert_eq!(health_of(&object)["status"], want, "{verdict:?}\n{object:#}");
    }
}

fn whatever_reason_and_truth_are_written_together_the_health_follows_the_kind_of_verdict() {
    let mut count = 0;
    for (verdict, object) in objects(all()) {
        count += 1;
        let serves = is(&object, "Ready");
        let (living, leaving) = match &verdict.work {
            Work::UnderWay(Reason::Paused, _) | Work::Stuck(Reason::Paused, _) | Work::Held(Reason::Paused, _) => {
                ("Suspended", "Suspended")
            }
            Work::UnderWay(..) => ("Progressing", "Progressing"),
            Work::Stuck(..) => ("Degraded", "Degraded"),
            Work::Held(Reason::Observed, _) if !serves => ("Suspended", "Progressing"),
            Work::Held(..) if !serves => ("Degraded", "Progressing"),
            Work::Done | Work::Held(..) | Work::Same => ("Healthy", "Progressing"),
        };
        let health = health_of(&object);
        assert_eq!(health["status"], living, "{verdict:?}\n{object:#}");
        assert!(health["deletionMessage"].is_null(), "{health}");
        let reason =
            ::playground::objects::condition(&object, "Ready").expect("Ready")["reason"].as_str().expect("a word");
        let told = health["message"].as_str().expect("a sentence");
        assert!(told.starts_with(reason) || living == "Suspended", "{told}");

        let paused = {
            let mut object = object.clone();
            object["metadata"]["annotations"] = json!({"ackoperator.dev/paused": "true"});
            object
        };
        assert_eq!(health_of(&paused)["status"], "Suspended");

        let health = health_of(&going(object));
        assert_eq!(health["status"], leaving, "going: {verdict:?}");
        assert_eq!(health["deletionMessage"], health["message"]);
    }
    println!("{count} statuses");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kstatus {
    InProgress,
    Failed,
    Current,
    Terminating,
}

/// The rules of kstatus for a kind that it does not know: deletion, generation, Reconciling, Stalled, Ready; an object
/// that says nothing of all that counts as done.
fn kstatus(object: &Value) -> Kstatus {
    let (metadata, status) = (&object["metadata"], &object["status"]);
    if metadata["deletionTimestamp"].is_string() {
        return Kstatus::Terminating;
    }
    if !status["observedGeneration"].is_null() && status["observedGeneration"] != metadata["generation"] {
        return Kstatus::InProgress;
    }
    if is(object, "Reconciling") {
        return Kstatus::InProgress;
    }
    if is(object, "Stalled") {
        return Kstatus::Failed;
    }
    match ::playground::objects::condition(object, "Ready") {
        Some(ready) if ready["status"] != "True" => Kstatus::InProgress,
        _ => Kstatus::Current,
    }
}

fn kstatus_reads_nothing_as_current_before_it_is_ready_and_nothing_as_in_progress_once_it_is_stalled() {
    for (verdict, object) in objects(all()) {
        let state = kstatus(&object);
        if state == Kstatus::Current {
            assert!(is(&object, "Ready"), "{verdict:?}\n{object:#}");
        }
        match &verdict.work {
            Work::UnderWay(..) => assert_eq!(state, Kstatus::InProgress),
            Work::Stuck(..) => assert_eq!(state, Kstatus::Failed),
            Work::Done => assert_eq!(state, Kstatus::Current),
            Work::Held(..) | Work::Same => assert_ne!(state, Kstatus::Failed),
        }
        // The two readers never contradict each other about being done.
        if health_of(&object)["status"] == "Healthy" {
            assert_eq!(state, Kstatus::Current, "{object:#}");
        }
        assert_eq!(kstatus(&going(object)), Kstatus::Terminating);
    }
}

fn what_the_operator_has_not_seen_yet_is_in_progress_to_everybody() {
    let unseen = super::fixtures::fixture("unseen");
    let edited = super::fixtures::fixture("edited");
    assert!(is(&edited, "Ready"), "it served before it was edited");
    for object in [unseen, edited] {
        assert_eq!(kstatus(&object), Kstatus::InProgress, "{object:#}");
        assert_eq!(health_of(&object)["status"], "Progressing");
    }
    let blank = json!({"metadata": {"name": "demo", "generation": 1}});
    assert_eq!(health_of(&blank)["status"], "Progressing", "also where the status is lost");
}
