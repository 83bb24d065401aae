//! Answers of the right shape are read to the last member; answers of odd shape are read as far as they go.

use std::path::Path;

use serde_json::json;

use super::*;

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples").join(format!("{name}.json"));
    json::parse(&std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

const ID: &str = "c1f4a0b2c3d4e5f60718293a4b5c6d7e8";

fn none() -> Secrets {
    Secrets::default()
}

#[test]
fn the_answer_to_a_create_names_cluster_task_and_request() {
    let created = created(&sample("create-cluster.response")).unwrap();
    assert_eq!(created.cluster_id.as_str(), ID);
    assert_eq!(created.task_id, Some(TaskId::from("T-67f0a1b2c3d4e5f601000001")));
    assert_eq!(created.request_id.as_deref(), Some("5D2E7C1A-9B3F-4E60-8A17-0C4D2F6B9E31"));
    assert_eq!(accepted(&sample("delete-cluster.response")).task_id, Some(TaskId::from("T-67f0a1b2c3d4e5f601000003")));
}

#[test]
fn swapped_ids_are_put_right_by_their_form() {
    let swapped = json!({"cluster_id": "c1", "task_id": "5D2E7C1A-9B3F", "RequestId": "T-1"});
    let created = created(&swapped).unwrap();
    assert_eq!((created.task_id, created.request_id.as_deref()), (Some("T-1".into()), Some("5D2E7C1A-9B3F")));
}

#[test]
fn a_create_without_a_cluster_id_is_no_success() {
    for body in [json!({}), json!({"cluster_id": null}), json!({"cluster_id": ""}), json!([]), json!("c1"), json!(null)]
    {
        assert!(created(&body).is_err(), "{body}");
    }
}

#[test]
fn a_running_cluster_is_read_with_the_json_in_its_strings() {
    let detail = detail(&sample("describe-cluster-detail.running"), &ID.into()).unwrap();
    assert_eq!(detail.listed.state, State { word: "running".into(), kind: StateKind::Running });
    assert_eq!(detail.listed.name, "demo-cluster");
    assert_eq!(detail.listed.tags["env"], "prod");
    assert_eq!(detail.listed.deletion_protection, Some(false));
    assert_eq!(detail.listed.size, Some(3));
    assert_eq!(detail.listed.resource_group_id.as_deref(), Some("rg-acfm0000000fake"));
    assert_eq!(detail.listed.current_version.as_deref(), Some("1.33.3-aliyun.1"));
    assert_eq!(detail.listed.created, Some("2026-11-03T02:15:30Z".parse().unwrap()));
    assert_eq!(detail.api_server_endpoint.as_deref(), Some("https://203.0.113.10:6443"));
    assert_eq!(detail.intranet_api_server_endpoint.as_deref(), Some("https://192.168.0.251:6443"));
    assert_eq!(detail.body["meta_data"]["Capabilities"]["NodeCIDRMask"], "26");
    assert_eq!(detail.body["node_cidr_mask"], "26");
}

#[test]
fn every_sample_of_a_detail_has_the_state_of_its_name() {
    use StateKind::*;
    let kinds = [
        ("running", Running),
        ("initial", Initial),
        ("failed", Failed),
        ("deleting", Deleting),
        ("delete_failed", DeleteFailed),
        ("updating", Updating),
    ];
    for (name, kind) in kinds {
        let detail = detail(&sample(&format!("describe-cluster-detail.{name}")), &ID.into()).unwrap();
        assert_eq!((detail.listed.state.word.as_str(), detail.listed.state.kind), (name, kind));
    }
}

#[test]
fn odd_members_are_absent_and_fail_nothing() {
    let odd = json!({
        "cluster_id": ID, "state": "Delete_Failed", "name": null, "tags": null, "size": "3", "created": "yesterday",
        "deletion_protection": "true", "master_url": "", "meta_data": "{", "current_version": "", "more": {"x": 1},
    });
    let detail = detail(&odd, &ID.into()).unwrap();
    assert_eq!(detail.listed.state, State { word: "Delete_Failed".into(), kind: StateKind::DeleteFailed });
    assert_eq!((detail.listed.size, detail.listed.deletion_protection), (Some(3), Some(true)));
    assert_eq!((detail.listed.created, detail.api_server_endpoint, detail.listed.current_version), (None, None, None));
    let silent = json!({"cluster_id": ID, "state": "running"});
    assert_eq!(super::detail(&silent, &ID.into()).unwrap().listed.deletion_protection, None, "silence is not false");
}

#[test]
fn an_answer_about_another_cluster_is_not_believed() {
    assert!(detail(&sample("describe-cluster-detail.running"), &"c2".into()).is_err());
    assert!(detail(&json!({"state": "running"}), &ID.into()).is_err());
}

#[test]
fn states_are_known_by_every_spelling() {
    for (word, kind) in [
        ("running", StateKind::Running),
        ("Upgrading", StateKind::Upgrading),
        ("deleteFailed", StateKind::DeleteFailed),
        ("delete_failed", StateKind::DeleteFailed),
        ("updating_failed", StateKind::UpdatingFailed),
        ("hibernating", StateKind::Other),
        ("", StateKind::Other),
    ] {
        assert_eq!(State::new(word), State { word: word.into(), kind });
    }
    for (word, state) in [
        ("fail", TaskState::Failed),
        ("failed", TaskState::Failed),
        ("FAILED", TaskState::Failed),
        ("success", TaskState::Succeeded),
        ("canceled", TaskState::Cancelled),
        ("cancelled", TaskState::Cancelled),
        ("paused", TaskState::Paused),
        ("pending", TaskState::Running),
        ("pondering", TaskState::Other),
    ] {
        assert_eq!(TaskState::new(word), state, "{word}");
    }
}

#[test]
fn tasks_tell_progress_and_cause() {
    let running = task(&sample("describe-task-info.running"), &none()).unwrap();
    assert_eq!((running.progress(), running.doing()), ((1, 2), Some("creating control plane")));
    assert!(!running.state.ended() && running.error.is_none());
    for name in ["failed", "fail-short-spelling"] {
        let failed = task(&sample(&format!("describe-task-info.{name}")), &none()).unwrap();
        let error = failed.error.unwrap();
        assert_eq!((failed.state, error.code.as_deref()), (TaskState::Failed, Some("ErrQuotaExceeded")));
        assert!(error.message.contains("NAT gateways"));
    }
    let parts = task(&sample("describe-task-info.scaleout-success"), &none()).unwrap();
    assert_eq!(parts.state, TaskState::Succeeded);
    assert_eq!(parts.results.iter().map(|part| part.1).collect::<Vec<_>>(), [TaskState::Succeeded, TaskState::Failed]);
    assert_eq!(task(&sample("describe-task-info.success"), &none()).unwrap().state, TaskState::Succeeded);

    let listed = tasks(&sample("describe-cluster-tasks"), &none()).unwrap();
    assert_eq!(listed.iter().map(|task| task.state).collect::<Vec<_>>(), [TaskState::Running, TaskState::Failed]);
    assert_eq!(listed[1].error.as_ref().unwrap().message, "Addon status not match");
}

#[test]
fn events_logs_and_resources_are_read_newest_first() {
    let events = events(&sample("describe-cluster-events"), &none()).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].level.as_deref(), events[0].message.as_str()), (Some("info"), "Succeed to create cluster"));
    let logs = logs(&sample("describe-cluster-logs"), &none()).unwrap();
    assert_eq!(logs[1].text, "create nat gateway");
    let resources = resources(&sample("describe-cluster-resources")).unwrap();
    let flags: Vec<_> = resources.iter().map(|r| (r.auto_create, r.delete_by_default)).collect();
    assert_eq!(flags[0], (Some(true), Some(true)));
    assert_eq!(flags[3], (Some(false), Some(false)));
    assert_eq!(resources[0].kind, "ALIYUN::SLB::LoadBalancer");
    for empty in [json!([]), json!(null)] {
        assert_eq!(super::resources(&empty).unwrap(), []);
        assert_eq!(super::logs(&empty, &none()).unwrap(), []);
    }
    assert!(super::resources(&json!({"code": "x"})).is_err());
}

#[test]
fn a_page_counts_items_that_it_cannot_read() {
    let full = page(&sample("describe-clusters-for-region")).unwrap();
    assert_eq!((full.clusters.len(), full.items, full.total), (2, 2, Some(2)));
    assert_eq!(full.clusters[1].state.kind, StateKind::Initial);
    let empty = page(&sample("describe-clusters-for-region.empty")).unwrap();
    assert_eq!((empty.clusters.len(), empty.items, empty.total), (0, 0, Some(0)));
    let stateless = json!({"clusters": [{"cluster_id": "c1", "state": null}], "page_info": {"total_count": 1}});
    let stateless = page(&stateless).unwrap();
    assert_eq!((stateless.clusters.len(), stateless.items), (1, 1), "it is a cluster, whatever it does");
    assert_eq!(stateless.clusters[0].state, State { word: String::new(), kind: StateKind::Other });
    let odd = json!({"clusters": [{"name": "no id"}, 7], "page_info": {"total_count": "2"}});
    let odd = page(&odd).unwrap();
    assert_eq!((odd.clusters.len(), odd.items, odd.total), (0, 2, Some(2)));
    assert_eq!(page(&json!({"clusters": null})).unwrap().total, None);
    assert!(page(&json!({})).is_err(), "a missing list is not an empty one");
}

#[test]
fn what_tasks_say_is_cleaned_before_anybody_can_store_it() {
    let mut secrets = Secrets::default();
    secrets.add("Hello1234");
    let body = json!({"task_id": "T-1", "state": "fail", "error": {"message": "bad\npassword Hello1234"}});
    assert_eq!(task(&body, &secrets).unwrap().error.unwrap().message, "bad password ***");
}

#[test]
fn account_and_quota_are_numbers_in_any_dress() {
    let nobody = Identity { account: "123".into(), arn: None, session: true };
    assert_eq!(identity(&json!({"AccountId": 123})).unwrap(), nobody);
    assert_eq!(identity(&json!({"AccountId": "123", "Arn": ""})).unwrap(), nobody);
    assert!(identity(&json!({"RequestId": "x"})).is_err());
    for (kind, session) in [("RAMUser", false), ("Account", false), ("AssumedRoleUser", true), ("Another", true)] {
        let told = identity(&json!({"AccountId": "123", "Arn": "acs:ram::123:x", "IdentityType": kind})).unwrap();
        assert_eq!((told.arn.as_deref(), told.session), (Some("acs:ram::123:x"), session), "{kind}");
    }
    assert_eq!(quota(&sample("describe-user-quota")).unwrap().clusters, Some(50));
}
