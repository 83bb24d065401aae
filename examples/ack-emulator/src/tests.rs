//! The emulator as a client sees it: signed calls over HTTP, moved clocks instead of waiting.

mod bench;
mod recorded;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{Config, Emulator};
use bench::{Bench, REGION, Ways, body, code, text};

#[tokio::test]
async fn a_cluster_is_made_listed_late_changed_protected_and_deleted() {
    let bench = Bench::start().await;
    let pools = json!([{"scaling_group": {"desired_size": 2}}]);
    let id = bench.create(json!({"deletion_protection": true, "num_of_nodes": 1, "nodepools": pools})).await;
    let (detail, list) = (format!("/clusters/{id}"), format!("/regions/{REGION}/clusters"));
    let change = format!("/api/v2/clusters/{id}");
    let listed = async |bench: &Bench| bench.get(&list).await["clusters"].as_array().map_or(0, Vec::len);

    assert_eq!(bench.get(&detail).await["state"], "initial");
    assert_eq!(listed(&bench).await, 0);
    bench.advance(3);
    assert_eq!(listed(&bench).await, 1);
    for (verb, path, body) in [("PUT", &change, Some(json!({"deletion_protection": false}))), ("DELETE", &detail, None)]
    {
        let refused = bench.call(verb, path, body.as_ref()).await;
        assert_eq!(code(&refused).0, 400, "{refused:?}");
    }

    bench.advance(30);
    let tasks = bench.get(&format!("{detail}/tasks")).await;
    let task = format!("/tasks/{}", text(&tasks["tasks"][0]["task_id"]));
    let stages = |task: Value| {
        let stages = task["stages"].as_array().expect("stages").clone();
        stages.iter().map(|stage| text(&stage["state"])).collect::<Vec<_>>()
    };
    assert_eq!(stages(bench.get(&task).await), ["success", "success", "running", "pending"]);

    bench.advance(60);
    let running = bench.get(&detail).await;
    assert_eq!((&running["state"], &running["size"]), (&json!("running"), &json!(2)));
    assert!(text(&running["master_url"]).contains("intranet_api_server_endpoint"));
    assert_eq!(bench.get(&task).await["state"], "success");
    let refused = bench.call("DELETE", &detail, None).await;
    assert_eq!(code(&refused), (400, "EmulatorDeletionProtection".into()));

    let wish = json!({"deletion_protection": false, "cluster_name": "renamed"});
    assert_eq!(bench.call("PUT", &change, Some(&wish)).await.0, 200);
    let updating = bench.get(&detail).await;
    assert_eq!((&updating["state"], &updating["deletion_protection"]), (&json!("updating"), &json!(true)));
    bench.advance(6);
    let updated = bench.get(&detail).await;
    assert_eq!((&updated["name"], &updated["deletion_protection"]), (&json!("renamed"), &json!(false)));

    let options = "delete_options=[{\"resource_type\":\"SLB\",\"delete_mode\":\"retain\"}]";
    assert_eq!(bench.call("DELETE", &format!("{detail}?{options}"), None).await.0, 200);
    assert_eq!(bench.get(&detail).await["state"], "deleting");
    bench.advance(61);
    assert_eq!(code(&bench.call("GET", &detail, None).await), (404, "ErrorClusterNotFound".into()));
    assert_eq!(listed(&bench).await, 1, "lists lag behind a deletion too");
    bench.advance(2);
    assert_eq!(listed(&bench).await, 0);

    let [entry] = &bench.emulator.ledger()[..] else { panic!("one cluster ever") };
    assert_eq!((entry.state.as_str(), entry.name.as_str(), entry.account.as_str()), ("deleted", "renamed", "1"));
    assert!(!entry.deleted.is_empty() && entry.delete_options.contains_key("delete_options"));
    let effects = bench.journal().into_iter().filter(|(.., effect)| *effect).map(|(name, ..)| name);
    assert_eq!(effects.collect::<Vec<_>>(), ["CreateCluster", "ModifyCluster", "DeleteCluster"]);
}

#[tokio::test]
async fn bodies_of_the_wrong_form_are_refused_and_the_seeds_sample_is_taken() {
    let bench = Bench::start().await;
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/sample-request.json");
    let sample = std::fs::read_to_string(sample).expect("the sample is there");
    let (status, answer) = bench.call("POST", "/clusters", Some(&serde_json::from_str(&sample).expect("JSON"))).await;
    assert_eq!(status, 200, "{answer}");
    let cases = [
        (json!("text"), "InvalidParameter"),
        (json!({"region_id": REGION}), "MissingParameter"),
        (json!({"name": "demo"}), "MissingParameter"),
        (body(json!({"name": "with.dot"})), "InvalidParameter"),
        (body(json!({"region_id": "Nowhere"})), "InvalidParameter"),
        (body(json!({"num_of_nodes": "3"})), "InvalidParameter"),
        (body(json!({"snat_entry": null})), "InvalidParameter"),
        (body(json!({"worker_data_disks": [{"size": 40}]})), "InvalidParameter"),
        (body(json!({"nodepools": [{"scaling_group": {"desired_size": "2"}}]})), "InvalidParameter"),
        (body(json!({"tags": [{"key": "acs:x", "value": ""}]})), "InvalidParameter"),
    ];
    for (wrong, wanted) in cases {
        assert_eq!(code(&bench.call("POST", "/clusters", Some(&wrong)).await), (400, wanted.into()), "{wrong}");
    }
    let unknown = body(json!({"newer_than_this": 1}));
    assert_eq!(bench.call("POST", "/clusters", Some(&unknown)).await.0, 200);
    bench.set(json!({"strict_fields": "on"}));
    assert_eq!(bench.call("POST", "/clusters", Some(&unknown)).await.0, 400);
    assert_eq!(bench.emulator.ledger().len(), 2);
}

#[tokio::test]
async fn the_switches_for_the_unknown_do_what_they_say() {
    let node = json!({"num_of_nodes": 2});
    let pool = json!({"nodepools": [{"scaling_group": {"desired_size": 2}}]});
    let tagged = |value: &str| json!({"nodepools": pool["nodepools"], "tags": [{"key": "a", "value": value}]});
    // Settings, first body, second body, the second's code, nodes of the first cluster once it runs.
    let cases = [
        (json!({}), json!({}), json!({}), "", 0),
        (json!({"duplicate_names": "reject"}), json!({}), json!({}), "ClusterNameAlreadyExist", 0),
        (json!({}), json!({"client_token": "t"}), json!({"client_token": "t"}), "", 0),
        (
            json!({"client_token": "honour"}),
            json!({"client_token": "t"}),
            json!({"client_token": "t", "name": "other"}),
            "EmulatorIdempotencyMismatch",
            0,
        ),
        (json!({"workers": "honour"}), node.clone(), pool.clone(), "", 2),
        (json!({}), node.clone(), pool.clone(), "", 0),
        (json!({"workers": "ignore"}), pool.clone(), pool.clone(), "", 2),
        (json!({"workers": "reject"}), pool.clone(), node, "InvalidParameter", 2),
        (json!({}), tagged("legal-value"), json!({}), "", 2),
        (json!({}), tagged("not legal"), json!({}), "", 0),
    ];
    for (settings, first, second, wanted, nodes) in cases {
        let bench = Bench::start().await;
        bench.set(settings.clone());
        let id = bench.create(first).await;
        let answer = bench.call("POST", "/clusters", Some(&body(second.clone()))).await;
        assert_eq!(code(&answer).1, wanted, "{settings} {second}");
        assert_eq!(bench.emulator.ledger().len(), 1 + usize::from(wanted.is_empty()), "{settings} {second}");
        bench.advance(90);
        assert_eq!(bench.get(&format!("/clusters/{id}")).await["size"], nodes, "{settings}");
    }
    let bench = Bench::start().await;
    for wrong in [json!({"typo": 1}), json!({"workers": "perhaps"}), json!({"list_lag": "-2s"}), json!([])] {
        assert!(bench.emulator.settings(&wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_repeated_client_token_that_is_honoured_gives_the_first_answer_and_has_no_effect() {
    let bench = Bench::start().await;
    bench.set(json!({"client_token": "honour"}));
    let first = bench.create(json!({"client_token": "t"})).await;
    assert_eq!(bench.create(json!({"client_token": "t"})).await, first);
    let effects: Vec<bool> = bench.journal().into_iter().map(|(.., effect)| effect).collect();
    assert_eq!(effects, [true, false]);
}

#[tokio::test]
async fn lists_have_pages_and_show_only_what_the_caller_may_see() {
    let bench = Bench::start().await;
    for (name, group) in [("a1", ""), ("a2", ""), ("b3", "rg-b"), ("b4", ""), ("b5", "rg-b")] {
        bench.create(json!({"name": name, "resource_group_id": group})).await;
    }
    bench.advance(3);
    let (all, beijing) = (bench.emulator.urls()[0].1.clone(), bench.emulator.urls()[1].1.clone());
    // Settings, port, key, query, names, total.
    let cases = [
        (json!({}), &all, "key", "?page_number=1&page_size=2", "b5 b4", 5),
        (json!({}), &all, "key", "?page_number=3&page_size=2", "a1", 5),
        (json!({}), &all, "key", "?page_number=4&page_size=2", "", 5),
        (json!({}), &all, "key", "?name=a", "a2 a1", 2),
        (json!({}), &all, "other", "", "", 0),
        (json!({}), &beijing, "key", "", "", 0),
        (json!({"visible_only": {"narrow": ["b4"]}}), &all, "narrow", "", "b4", 1),
        (json!({"visible_only": {"narrow": ["b4"]}}), &all, "key", "?name=b", "b5 b4 b3", 3),
        (json!({"visible_groups": {"narrow": ["rg-b"]}}), &all, "narrow", "", "b5 b3", 2),
        (json!({"visible_groups": {"narrow": ["rg-acfmdefault1"]}}), &all, "narrow", "", "b4 a2 a1", 3),
        (json!({"visible_groups": {"narrow": []}}), &all, "narrow", "", "", 0),
        (json!({"lists": "torn"}), &all, "key", "?page_number=2&page_size=2", "a2", 5),
        (json!({"lists": "overcount"}), &all, "key", "?name=a", "a2 a1", 3),
        (json!({"page_size_default": 2}), &all, "key", "", "b5 b4", 5),
        (json!({"page_size_max": 10}), &all, "key", "?page_size=50", "b5 b4 b3 a2 a1", 5),
    ];
    for (settings, url, key, query, names, total) in cases {
        bench.set(json!({"visible_only": {}, "visible_groups": {}, "lists": "whole", "page_size_default": 10, "page_size_max": 50}));
        bench.set(settings.clone());
        let ways = Ways { url: url.clone(), key, ..bench.ways() };
        let path = format!("/regions/{REGION}/clusters{query}");
        let (_, answer) = bench.call_with(ways, "GET", &path, None).await.expect("an answer");
        let items = answer["clusters"].as_array().expect("clusters");
        let seen: Vec<_> = items.iter().map(|item| text(&item["name"])).collect();
        assert_eq!((seen.join(" ").as_str(), &answer["page_info"]["total_count"]), (names, &json!(total)), "{query}");
    }
}

#[tokio::test]
async fn clusters_of_other_regions_and_accounts_are_not_found() {
    let bench = Bench::start().await;
    let id = bench.create(json!({})).await;
    let urls = bench.emulator.urls();
    let cases = [(0, "key", 200), (2, "key", 200), (1, "key", 404), (0, "other", 404), (0, "nobody", 404)];
    for (port, key, wanted) in cases {
        let ways = Ways { url: urls[port].1.clone(), key, ..bench.ways() };
        let answer = bench.call_with(ways, "GET", &format!("/clusters/{id}"), None).await.expect("an answer");
        assert_eq!(answer.0, wanted, "{port} {key}");
        let code = code(&answer).1;
        assert_eq!(code == "InvalidAccessKeyId.NotFound", key == "nobody", "{code}");
    }
    let ways = Ways { url: urls[1].1.clone(), ..bench.ways() };
    assert_eq!(bench.call_with(ways, "POST", "/clusters", Some(&body(json!({})))).await.expect("an answer").0, 400);
}

#[tokio::test]
async fn old_dates_and_used_nonces_are_refused_unless_the_fence_is_inert() {
    let bench = Bench::start().await;
    // Settings, seconds off, skew, nonce, wanted code.
    let cases = [
        (json!({}), 0, 0, "n1", ""),
        (json!({}), 0, 0, "n1", "SignatureNonceUsed"),
        (json!({}), -899, 0, "n2", ""),
        (json!({}), -902, 0, "n3", "InvalidTimeStamp.Expired"),
        (json!({}), 902, 0, "n4", "InvalidTimeStamp.Expired"),
        (json!({}), -902, -60, "n5", ""),
        (json!({}), -300, 660, "n6", "InvalidTimeStamp.Expired"),
        (json!({"date_window": "10s"}), -12, 0, "n7", "InvalidTimeStamp.Expired"),
        (json!({"nonce_check": "off"}), 0, 0, "n1", ""),
        (json!({"date_check": "off"}), -9000, 0, "n8", ""),
        (json!({"inactive_keys": ["key"]}), 0, 0, "n9", "InvalidAccessKeyId.Inactive"),
    ];
    for (settings, off, skew, nonce, wanted) in cases {
        let plain = json!({
            "date_window": "15m", "nonce_check": "on", "date_check": "on", "inactive_keys": [],
        });
        bench.set(plain);
        bench.set(settings.clone());
        bench.emulator.skew(SignedDuration::from_secs(skew));
        let date = Timestamp::now() + SignedDuration::from_secs(off);
        let ways = Ways { nonce: Some(nonce), date, ..bench.ways() };
        let answer = bench.call_with(ways, "GET", "/quota", None).await.expect("an answer");
        assert_eq!(code(&answer).1, wanted, "{settings} {off} {skew} {nonce}");
    }
}

#[tokio::test]
async fn faults_strike_before_or_after_the_effect_and_the_journal_tells_the_truth() {
    let throttled = json!({"status": 429, "code": "Throttling.User", "headers": {"x-acs-retry-after": "1500"}});
    // The rule, what the client sees (0: no answer), clusters made, status and effect of each call in the journal.
    type Case = (Value, (u16, &'static str), usize, Vec<(u16, bool)>);
    let cases: Vec<Case> = vec![
        (json!({"do": "drop"}), (0, ""), 0, vec![(0, false)]),
        (json!({"when": "after", "do": "drop"}), (0, ""), 1, vec![(0, true)]),
        (json!({"do": throttled}), (429, "Throttling.User"), 0, vec![(429, false)]),
        (json!({"when": "after", "do": throttled}), (429, "Throttling.User"), 1, vec![(429, true)]),
        (json!({"when": "after", "do": {"status": 200, "body": "<html>"}}), (200, ""), 1, vec![(200, true)]),
        (json!({"do": "duplicate"}), (400, "SignatureNonceUsed"), 1, vec![(200, true), (400, false)]),
        (json!({"do": {"duplicate": "first"}}), (200, ""), 1, vec![(200, true), (400, false)]),
        (json!({"do": {"delay": "20ms"}}), (200, ""), 1, vec![(200, true)]),
        (json!({"when": "after", "do": {"delay": "20ms"}}), (200, ""), 1, vec![(200, true)]),
        (json!({"do": {"hold": "20ms"}}), (200, ""), 1, vec![(200, true)]),
        (json!({"operation": "DeleteCluster", "do": "drop"}), (200, ""), 1, vec![(200, true)]),
        (json!({"access_key": "other", "do": "drop"}), (200, ""), 1, vec![(200, true)]),
    ];
    for (rule, wanted, made, journal) in cases {
        let bench = Bench::start().await;
        bench.fault(rule.clone());
        let answer = bench.call_with(bench.ways(), "POST", "/clusters", Some(&body(json!({})))).await;
        let seen = answer.as_ref().map_or((0, String::new()), code);
        assert_eq!((seen.0, seen.1.as_str()), wanted, "{rule}");
        assert_eq!(bench.emulator.ledger().len(), made, "{rule}");
        let seen: Vec<_> = bench.journal().into_iter().map(|(_, status, _, effect)| (status, effect)).collect();
        assert_eq!(seen, journal, "{rule}");
    }
    let bench = Bench::start().await;
    for wrong in
        [json!({"operation": "Typo", "do": "drop"}), json!({"do": "drop", "nth": 0}), json!({"do": {"status": 42}})]
    {
        assert!(bench.emulator.fault(serde_json::from_value(wrong.clone()).expect("a rule")).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_second_copy_can_be_throttled_while_the_first_took_effect() {
    let bench = Bench::start().await;
    bench.fault(json!({"do": "duplicate"}));
    bench.fault(json!({"do": {"status": 503, "code": "Throttling"}, "nth": 2}));
    let answer = bench.call("POST", "/clusters", Some(&body(json!({})))).await;
    assert_eq!(code(&answer), (503, "Throttling".into()));
    assert_eq!(bench.emulator.ledger().len(), 1);
}

#[tokio::test]
async fn a_held_call_is_delivered_though_its_client_has_gone_and_is_judged_by_the_clock_of_its_delivery() {
    for (window, made, code) in [("15m", 1, ""), ("1s", 0, "InvalidTimeStamp.Expired")] {
        let bench = Bench::start().await;
        bench.set(json!({"date_window": window}));
        bench.fault(json!({"operation": "CreateCluster", "do": {"hold": "800ms"}}));
        // The window of a second has passed when the call is delivered.
        let date = Timestamp::now() - SignedDuration::from_millis(900);
        let ways = Ways { date, ..bench.ways() };
        let wish = body(json!({}));
        tokio::select! {
            answer = bench.call_with(ways, "POST", "/clusters", Some(&wish)) => panic!("answered {answer:?}"),
            // Here the client gives up.
            () = bench.until("arrived", |bench| !bench.journal().is_empty()) => {}
        }
        assert_eq!(bench.journal(), [("CreateCluster".to_owned(), 0, String::new(), false)]);
        bench.until("delivered", |bench| bench.journal()[0].1 != 0).await;
        assert_eq!((bench.emulator.ledger().len(), bench.journal()[0].2.as_str()), (made, code));
    }
}

#[tokio::test]
async fn a_hanging_call_is_in_the_journal_at_once_and_stops_no_other() {
    for (when, made) in [("before", 0), ("after", 1)] {
        let bench = Bench::start().await;
        bench.fault(json!({"operation": "CreateCluster", "when": when, "do": "hang"}));
        let wish = body(json!({}));
        let hanging = bench.call_with(bench.ways(), "POST", "/clusters", Some(&wish));
        let others = async {
            bench.until("arrived", |bench| bench.emulator.ledger().len() == made && !bench.journal().is_empty()).await;
            assert_eq!(bench.call("GET", "/quota", None).await.0, 200);
        };
        tokio::select! {
            answer = hanging => panic!("it hangs, but answered {answer:?}"),
            () = others => {}
        }
        assert_eq!(bench.journal()[0], ("CreateCluster".to_owned(), 0, String::new(), made == 1));
    }
}

#[tokio::test]
async fn a_task_that_is_made_to_fail_leaves_its_state_its_cause_and_its_resource() {
    let bench = Bench::start().await;
    let id = bench.create(json!({})).await;
    let path = format!("/clusters/{id}");
    let failed = async |state: &str, kind: &str, resource: &str| {
        bench.emulator.outside(&id, &json!({"fail_task": {"code": "Why", "message": "because"}})).expect("a task runs");
        assert_eq!(bench.get(&path).await["state"], state);
        let tasks = bench.get(&format!("{path}/tasks")).await;
        let task = bench.get(&format!("/tasks/{}", text(&tasks["tasks"][0]["task_id"]))).await;
        assert_eq!(
            (&task["task_type"], &task["state"], &task["error"]["code"]),
            (&json!(kind), &json!("failed"), &json!("Why"))
        );
        assert_eq!(bench.get(&format!("{path}/events")).await["events"][0]["data"]["level"], "error");
        assert_eq!(bench.get(&format!("{path}/logs")).await[0]["cluster_log"], "because");
        let resources = bench.get(&format!("{path}/resources")).await.to_string();
        assert!(resource.is_empty() || resources.contains(resource), "{resources}");
        assert!(bench.emulator.outside(&id, &json!({"fail_task": true})).is_err(), "no task is left");
    };
    failed("failed", "cluster_create", "CREATE_FAILED").await;
    assert_eq!(bench.call("DELETE", &path, None).await.0, 200);
    failed("delete_failed", "cluster_delete", "DELETE_FAILED").await;
    bench.emulator.outside(&id, &json!({"state": "running"})).expect("understood");
    assert_eq!(bench.call("PUT", &format!("/api/v2{path}"), Some(&json!({"timezone": "UTC"}))).await.0, 200);
    failed("updating_failed", "cluster_modify", "").await;
    assert_ne!(bench.get(&path).await["timezone"], "UTC");
}

#[tokio::test]
async fn what_happens_outside_is_seen_late_in_lists_and_nonsense_is_refused() {
    let bench = Bench::start().await;
    let id = bench.create(json!({"deletion_protection": true})).await;
    bench.advance(100);
    let (path, list) = (format!("/clusters/{id}"), format!("/regions/{REGION}/clusters"));
    for wrong in [json!({}), json!({"no_member": 1}), json!({"state": 1}), json!({"size": "3"}), json!({"delete": 1})] {
        assert!(bench.emulator.outside(&id, &wrong).is_err(), "{wrong}");
    }
    bench.emulator.outside(&id, &json!({"state": "unavailable", "deletion_protection": null})).expect("understood");
    let detail = bench.get(&path).await;
    assert_eq!((&detail["state"], detail.get("deletion_protection")), (&json!("unavailable"), None));
    assert_eq!(bench.get(&list).await["clusters"][0]["state"], "running");
    bench.advance(2);
    assert_eq!(bench.get(&list).await["clusters"][0]["state"], "unavailable");
    bench.emulator.outside(&id, &json!({"delete": true})).expect("understood");
    assert_eq!(bench.call("GET", &path, None).await.0, 404);
    assert_eq!(bench.emulator.ledger()[0].state, "deleted");
    assert!(bench.emulator.outside(&id, &json!({"name": "x"})).is_err(), "it is gone");
}

#[tokio::test]
async fn tags_are_put_on_and_taken_off_and_can_be_late() {
    let bench = Bench::start().await;
    bench.set(json!({"tags_visible": "late", "detail_lag": "1s"}));
    let id = bench.create(json!({"tags": [{"key": "a", "value": "1"}]})).await;
    let path = format!("/clusters/{id}");
    assert_eq!(bench.call("GET", &path, None).await.0, 404, "the detail lags");
    bench.advance(2);
    assert_eq!(bench.get(&path).await["tags"], json!([]));
    bench.advance(90);
    let keys = async || {
        let tags = bench.get(&path).await["tags"].clone();
        tags.as_array().into_iter().flatten().map(|tag| text(&tag["key"])).collect::<Vec<_>>()
    };
    assert_eq!(keys().await, ["a", "ack.aliyun.com"]);
    let tags =
        |tags: Value| json!({"region_id": REGION, "resource_type": "CLUSTER", "resource_ids": [id], "tags": tags});
    let put = json!([{"key": "a", "value": "2"}, {"key": "b", "value": "3"}]);
    assert_eq!(bench.call("PUT", "/tags", Some(&tags(put))).await.0, 200);
    assert_eq!(keys().await, ["a", "b", "ack.aliyun.com"]);
    for wrong in [json!([]), json!([{"key": "c", "value": ""}]), json!([{"key": "c"}])] {
        assert_eq!(bench.call("PUT", "/tags", Some(&tags(wrong))).await.0, 400);
    }
    let query = format!("region_id={REGION}&resource_ids=[\"{id}\"]&resource_type=CLUSTER&tag_keys=[\"a\"]");
    assert_eq!(bench.call("DELETE", &format!("/tags?{query}"), None).await.0, 200);
    assert_eq!(keys().await, ["b", "ack.aliyun.com"]);
}

#[tokio::test]
async fn control_requests_that_are_not_understood_get_a_4xx() {
    let bench = Bench::start().await;
    let cases = [
        ("GET", "ledger", "", 200),
        ("GET", "journal?since=3", "", 200),
        ("GET", "journal?since=x", "", 400),
        ("POST", "ledger", "{}", 405),
        ("GET", "nothing", "", 404),
        ("POST", "faults", "{\"do\": \"drop\"}", 200),
        ("POST", "faults", "{\"do\": \"explode\"}", 400),
        ("POST", "faults", "not JSON", 400),
        ("POST", "faults", "{\"do\": \"drop\", \"whenn\": \"after\"}", 400),
        ("DELETE", "faults", "", 200),
        ("POST", "clusters/cnone", "{\"delete\": true}", 404),
        ("POST", "clock", "{\"advance\": \"60s\", \"skew\": \"-6m\"}", 200),
        ("POST", "clock", "{\"advance\": \"-60s\"}", 400),
        ("POST", "clock", "{}", 400),
        ("GET", "settings", "", 200),
        ("POST", "settings", "{\"workers\": \"ignore\", \"list_lag\": \"1m30s\"}", 200),
        ("POST", "settings", "{\"workers\": \"nobody\"}", 400),
    ];
    for (verb, path, body, wanted) in cases {
        let verb = reqwest::Method::from_bytes(verb.as_bytes()).expect("a method");
        let url = format!("{}/_emulator/{path}", bench.emulator.url());
        let answer = bench.client.request(verb.clone(), url).body(body).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), wanted, "{verb} {path} {body}");
    }
    assert_eq!(bench.emulator.settings(&json!({})).expect("read")["list_lag"], "1m 30s");
    assert!(bench.journal().is_empty());
}

#[tokio::test]
async fn https_is_served_under_the_authority_that_is_written_down() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config { tls_dir: Some(dir.path().join("made")), ..Config::default() };
    let emulator = Emulator::start(config).await.expect("started");
    let pem = std::fs::read(emulator.ca().expect("TLS is on")).expect("ca.pem is written");
    let authority = reqwest::Certificate::from_pem(&pem).expect("PEM");
    let url = format!("{}/_emulator/ledger", emulator.url());
    assert!(url.starts_with("https://"));
    for (trusted, wanted) in [(vec![authority], true), (vec![], false)] {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only(trusted).build().expect("a client");
        assert_eq!(client.get(&url).send().await.is_ok(), wanted);
    }
}

#[tokio::test]
async fn a_kubeconfig_is_given_by_clusters_that_serve_for_endpoints_that_they_have() {
    let bench = Bench::start().await;
    let id = bench.create(json!({})).await;
    let config = format!("/k8s/{id}/user_config");
    assert_eq!(code(&bench.call("GET", &config, None).await), (400, "ErrorClusterState".into()));
    bench.advance(91);
    assert_eq!(code(&bench.call("GET", &config, None).await), (400, "EmulatorEndpointMissing".into()));
    bench.set(json!({"missing_endpoint": "empty"}));
    assert!(text(&bench.get(&config).await["config"]).contains("server: \"\"\n"));

    let before = Timestamp::now();
    let query = "PrivateIpAddress=true&TemporaryDurationMinutes";
    let given = bench.get(&format!("{config}?{query}=20")).await;
    assert!(text(&given["config"]).contains("server: https://192.168.0.251:6443\n"), "{given}");
    let ends: Timestamp = text(&given["expiration"]).parse().expect("a time");
    let life = ends.duration_since(before).as_secs();
    assert!((1198..=1202).contains(&life), "{life}");
    for wrong in ["14", "4321", "soon"] {
        let refused = bench.call("GET", &format!("{config}?{query}={wrong}"), None).await;
        assert_eq!(code(&refused), (400, "InvalidParameter".into()), "{wrong}");
    }
}
