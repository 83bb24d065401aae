//! What was recorded of the real service (ack-api k), and what tests of the operator need to see: answered as written down.

use serde_json::{Value, json};

use super::bench::{Bench, REGION, Ways, body, code, text};

async fn put_tags(bench: &Bench, id: &str, tags: Value) -> (u16, Value) {
    let body = json!({"region_id": REGION, "resource_type": "CLUSTER", "resource_ids": [id], "tags": tags});
    bench.call("PUT", "/tags", Some(&body)).await
}

#[tokio::test]
async fn an_unknown_task_and_a_change_in_the_wrong_state_are_refused_as_recorded() {
    let bench = Bench::start().await;
    let (status, answer) = bench.call("GET", "/tasks/T-none", None).await;
    assert_eq!((status, &answer["code"], &answer["status"]), (400, &json!("400"), &json!(400)));
    assert_eq!(answer["message"], "the task T-none not found");
    assert!(answer["requestId"].is_string(), "{answer}");

    let id = bench.create(json!({})).await;
    let (change, detail) = (format!("/api/v2/clusters/{id}"), format!("/clusters/{id}"));
    for (verb, path, body) in [("PUT", &change, Some(json!({"timezone": "UTC"}))), ("DELETE", &detail, None)] {
        let (status, answer) = bench.call(verb, path, body.as_ref()).await;
        assert_eq!((status, &answer["code"]), (400, &json!("InvalidStatus.Forbidden")), "{verb}");
        assert_eq!(answer["message"], "cannot operate cluster where state is initial");
    }
    let tagged = put_tags(&bench, &id, json!([{"key": "a", "value": "1"}])).await;
    assert_eq!(tagged.0, 200, "tags can be put on in any state");
}

#[tokio::test]
async fn a_cluster_belongs_to_a_resource_group_and_keys_may_see_only_some() {
    let bench = Bench::start().await;
    let own = bench.create(json!({"name": "own", "resource_group_id": "rg-own"})).await;
    let silent = bench.create(json!({"name": "silent"})).await;
    bench.advance(3);
    let items = bench.get(&format!("/regions/{REGION}/clusters")).await;
    let groups: Vec<_> =
        items["clusters"].as_array().expect("clusters").iter().map(|c| text(&c["resource_group_id"])).collect();
    assert_eq!(groups, ["rg-acfmdefault1", "rg-own"]);
    bench.set(json!({"visible_groups": {"narrow": ["rg-own"]}}));
    for (key, id, group, wanted) in
        [("narrow", &own, "rg-own", 200), ("narrow", &silent, "", 403), ("key", &silent, "rg-acfmdefault1", 200)]
    {
        let ways = Ways { key, ..bench.ways() };
        let (status, answer) = bench.call_with(ways, "GET", &format!("/clusters/{id}"), None).await.expect("an answer");
        assert_eq!((status, text(&answer["resource_group_id"]).as_str()), (wanted, group), "{key} {answer}");
    }
}

#[tokio::test]
async fn tags_can_come_some_seconds_late_are_at_most_twenty_and_change_from_outside() {
    let bench = Bench::start().await;
    bench.set(json!({"tags_lag": "100s", "list_lag": "0s"}));
    let id = bench.create(json!({"tags": [{"key": "a", "value": "1"}]})).await;
    let (path, list) = (format!("/clusters/{id}"), format!("/regions/{REGION}/clusters"));
    let keys = async || {
        let (detail, list) =
            (bench.get(&path).await["tags"].clone(), bench.get(&list).await["clusters"][0]["tags"].clone());
        assert_eq!(detail, list, "detail and list agree");
        detail.as_array().into_iter().flatten().map(|tag| text(&tag["key"])).collect::<Vec<_>>().join(" ")
    };
    bench.advance(95);
    assert_eq!(bench.get(&path).await["state"], "running");
    assert_eq!(keys().await, "", "it runs, and its tags are still to come");
    bench.advance(10);
    assert_eq!(keys().await, "a ack.aliyun.com");

    let more =
        |from: usize, to: usize| (from..to).map(|n| json!({"key": format!("k{n}"), "value": "v"})).collect::<Value>();
    assert_eq!(put_tags(&bench, &id, more(0, 19)).await.0, 200);
    assert_eq!(code(&put_tags(&bench, &id, more(19, 20)).await), (400, "LimitExceeded.TagNum".into()));
    assert_eq!(put_tags(&bench, &id, more(0, 5)).await.0, 200, "a tag that is there may get another value");

    bench.emulator.outside(&id, &json!({"tags": []})).expect("all are stripped");
    assert_eq!(keys().await, "ack.aliyun.com");
    bench.emulator.outside(&id, &json!({"tags": {"b": "2", "c": "3"}})).expect("two are set");
    bench.emulator.outside(&id, &json!({"tags": {"b": null}})).expect("one is stripped");
    assert_eq!(keys().await, "c ack.aliyun.com");
    assert!(bench.emulator.outside(&id, &json!({"tags": {"b": 1}})).is_err());
}

#[tokio::test]
async fn a_change_replaces_an_object_member_by_what_is_sent() {
    let bench = Bench::start().await;
    let window = json!({"enable": true, "maintenance_time": "03:00:00Z", "duration": "3h", "weekly_period": "Monday"});
    let id = bench.create(json!({"maintenance_window": window})).await;
    bench.advance(91);
    let part = json!({"maintenance_window": {"enable": true, "duration": "4h"}});
    assert_eq!(bench.call("PUT", &format!("/api/v2/clusters/{id}"), Some(&part)).await.0, 200);
    bench.advance(6);
    let shown = bench.get(&format!("/clusters/{id}")).await;
    assert_eq!(shown["maintenance_window"], part["maintenance_window"], "what was not sent is gone");
}

#[tokio::test]
async fn a_fault_can_answer_in_acks_own_shape_with_any_code_and_a_list_of_causes() {
    let causes = json!([{"code": "EmptyCIDR"}, {"code": "InvalidPodVswitchIds"}]);
    // What the rule says; code, status and message of the answer. All have a request id.
    let cases = [
        (json!({"status": 400, "code": "QuotaExceeded", "body": {}}), json!("QuotaExceeded"), json!(400), json!("")),
        (
            json!({"status": 400, "code": "New.Code", "message": "why", "body": {}}),
            json!("New.Code"),
            json!(400),
            json!("why"),
        ),
        (
            json!({"status": 409, "body": {"code": "EmptyCIDR", "message": "empty", "data": causes}}),
            json!("EmptyCIDR"),
            json!(409),
            json!("empty"),
        ),
        (json!({"status": 403, "code": "Any", "shape": "ack"}), json!("Any"), json!(403), json!("")),
    ];
    for (answer, wanted, status, message) in cases {
        let bench = Bench::start().await;
        bench.fault(json!({"operation": "CreateCluster", "when": "after", "do": answer}));
        let (seen, said) = bench.call("POST", "/clusters", Some(&body(json!({})))).await;
        assert_eq!((json!(seen), &said["code"], &said["status"]), (status.clone(), &wanted, &status), "{said}");
        assert_eq!(said["message"], message);
        let id = text(&said["requestId"]);
        assert_eq!(id, bench.emulator.journal(0)[0].request_id, "{said}");
        assert!(answer["body"]["data"].is_null() || said["data"] == causes, "{said}");
        assert_eq!(bench.emulator.ledger().len(), 1, "it took effect all the same");
    }
    let bench = Bench::start().await;
    let rule = serde_json::from_value(json!({"do": {"status": 400, "body": 4}})).expect("a rule");
    assert!(bench.emulator.fault(rule).is_err());
}

#[tokio::test]
async fn the_journal_tells_what_a_change_sent_and_to_which_cluster() {
    let bench = Bench::start().await;
    let wish = body(json!({}));
    let id = bench.create(json!({})).await;
    bench.advance(91);
    let change = json!({"timezone": "UTC"});
    assert_eq!(bench.call("PUT", &format!("/api/v2/clusters/{id}"), Some(&change)).await.0, 200);
    let tags = json!([{"key": "a", "value": "1"}]);
    assert_eq!(put_tags(&bench, &id, tags.clone()).await.0, 200);
    let query = format!("region_id={REGION}&resource_ids=[\"{id}\"]&resource_type=CLUSTER&tag_keys=[\"a\"]");
    assert_eq!(bench.call("DELETE", &format!("/tags?{query}"), None).await.0, 200);
    bench.get(&format!("/clusters/{id}")).await;
    let journal = bench.emulator.journal(0);
    let seen: Vec<_> = journal.iter().map(|call| (call.operation.as_str(), call.cluster == id, &call.body)).collect();
    let of_tags = json!({"region_id": REGION, "resource_type": "CLUSTER", "resource_ids": [id], "tags": tags});
    assert_eq!(
        seen,
        [
            ("CreateCluster", true, &wish),
            ("ModifyCluster", true, &change),
            ("TagResources", true, &of_tags),
            ("UntagResources", true, &Value::Null),
            ("DescribeClusterDetail", false, &Value::Null),
        ]
    );
}
