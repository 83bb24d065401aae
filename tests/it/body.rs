//! What the user wrote is what is sent: JSON -> AckCluster -> body, with every field set. The names of the API come from
//! `tests/data/api-fields.json`, which was written from the API's description, not from the code.

use std::collections::{BTreeMap, BTreeSet};

use ack_operator::api::{self, AckCluster, AckClusterSpec, BodyError, CONVERSIONS};
use libtest_mimic::{Failed, Trial};
use secrecy::SecretString;
use serde_json::{Value, json};

pub fn tests() -> Vec<Trial> {
    let test =
        |name: &str, test: fn() -> Result<(), Failed>| Trial::test(format!("body::{}", name.replace(' ', "_")), test);
    vec![
        test("the spec has the names of the API, no more and no fewer", names),
        test("the operator's own names and the API's cannot be mistaken for each other", own_names),
        test("a body with every field set comes out as it went in", every_field),
        test("the sample of the seed comes out as it went in where the old worker fields are meant", sample),
        test("the sample of the seed asks for a node pool by default", sample_by_default),
        test("old worker fields that describe no pool stay as they are", no_pool),
        test("absent stays absent, and false, 0 and empty stay what they are", absent),
        test("numbers that ACK writes as strings are sent as strings", numbers),
        test("values from Secrets go where their paths say", secrets),
        test("a missing Secret or place is an error that names the path and no value", no_secret),
        test("the old worker fields become a node pool", as_node_pool),
        test("a very old single data disk becomes the pool's", single_disk),
        test("extra parameters are sent, and never hide a field", extra),
        test("the operator's tags follow the user's", tags),
        test("the Debug output of a whole object shows nothing secret", debug),
    ]
}

fn data(file: &str) -> Value {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn spec(value: &Value) -> AckClusterSpec {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn smallest(more: Value) -> AckClusterSpec {
    let mut value = json!({ "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes" });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec(&value)
}

fn send(spec: &AckClusterSpec) -> Result<Value, BodyError> {
    api::body("web", spec, &BTreeMap::new(), &[])
}

fn equal(left: &Value, right: &Value) -> Result<(), Failed> {
    if left == right {
        return Ok(());
    }
    let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    let (left, right) = (pretty(left), pretty(right));
    let lines = left.lines().zip(right.lines()).find(|(left, right)| left != right);
    Err(format!("first difference: {lines:?}\n{left}\n---\n{right}").into())
}

/// The paths of the schema below the spec, as `a.b` and `list[].c`; what is free inside has no paths.
fn schema_paths() -> BTreeSet<String> {
    fn walk(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            walk(property, &path, found);
            walk(&property["items"], &format!("{path}[]"), found);
            found.insert(path);
        }
    }
    let crd = serde_json::to_value(api::crd()).unwrap_or_default();
    let mut found = BTreeSet::new();
    walk(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], "", &mut found);
    found
}

fn is_own(path: &str) -> bool {
    path.split(['.', '[']).next().is_some_and(|first| first.chars().any(|c| c.is_ascii_uppercase()))
}

fn list(fields: &Value, part: &str) -> BTreeSet<String> {
    fields[part].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn names() -> Result<(), Failed> {
    let fields = data("api-fields.json");
    let api: BTreeSet<String> = list(&fields, "seed").union(&list(&fields, "today")).cloned().collect();
    let spec: BTreeSet<String> = schema_paths().into_iter().filter(|path| !is_own(path)).collect();
    let top = list(&fields, "seed").iter().filter(|path| !path.contains('.')).count();
    assert_eq!(top, 54, "the seed document has 54 top-level names");
    let missing: Vec<_> = api.difference(&spec).collect();
    let invented: Vec<_> = spec.difference(&api).collect();
    let (missing, invented) = (format!("{missing:?}"), format!("{invented:?}"));
    assert_eq!((missing.as_str(), invented.as_str()), ("[]", "[]"), "missing, invented");
    for left_out in fields["left_out"].as_object().into_iter().flatten() {
        assert!(!spec.contains(left_out.0), "{left_out:?} is in the spec");
    }
    Ok(())
}

fn own_names() -> Result<(), Failed> {
    let fields = data("api-fields.json");
    let known: BTreeSet<String> = ["seed", "today", "deprecated"].iter().flat_map(|part| list(&fields, part)).collect();
    let own: Vec<String> =
        schema_paths().into_iter().filter(|path| is_own(path) && !path.contains(['.', '['])).collect();
    assert_eq!(
        own,
        [
            "adoptClusterId",
            "credentialsRef",
            "deleteOptions",
            "deletionPolicy",
            "extraParameters",
            "kubeconfigSecretRef",
            "secretValues",
            "workerFields"
        ]
    );
    assert!(own.iter().all(|name| !name.contains('_') && !known.contains(name)));
    assert!(api::crd::names().iter().all(|name| !name.chars().any(|c| c.is_ascii_uppercase())));
    let all = json!({
        "adoptClusterId": "c1", "credentialsRef": {"name": "s"}, "deleteOptions": {}, "deletionPolicy": "Delete",
        "extraParameters": [{"name": "nothing"}], "kubeconfigSecretRef": {"name": "s"}, "secretValues": [],
        "workerFields": "Verbatim",
    });
    assert_eq!(all.as_object().map(|all| all.len()), Some(own.len()));
    equal(&send(&smallest(all))?, &send(&smallest(json!({})))?)
}

/// All paths of a JSON value that stop where the API's description stops.
fn json_paths(value: &Value, path: &str, known: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if known.contains(&path) {
                    json_paths(value, &path, known, found);
                    found.insert(path);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| json_paths(item, &format!("{path}[]"), known, found)),
        _ => {}
    }
}

fn every_field() -> Result<(), Failed> {
    let sent = data("every-field.json");
    let fields = data("api-fields.json");
    let api: BTreeSet<String> = list(&fields, "seed").union(&list(&fields, "today")).cloned().collect();
    let mut set = BTreeSet::new();
    json_paths(&sent, "", &api, &mut set);
    assert_eq!(api.difference(&set).collect::<Vec<_>>(), Vec::<&String>::new(), "every-field.json sets every field");

    for (what, how) in CONVERSIONS {
        println!("{what}: {how}");
    }
    // Through the whole object, as the API server hands it out.
    let mut written = sent.clone();
    written["workerFields"] = json!("Verbatim");
    let object = json!({
        "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster", "metadata": { "name": "web" }, "spec": written
    });
    let object: AckCluster = serde_json::from_value(object)?;
    let ours = [(api::tag::INTENT, "4f")];
    let mut body = api::body("web", &object.spec, &BTreeMap::new(), &ours)?;
    let tags = body["tags"].as_array_mut().ok_or("tags are a list")?;
    tags.retain(|tag| !tag["key"].as_str().unwrap_or_default().starts_with(api::tag::PREFIX));
    equal(&body, &sent)
}

fn sample() -> Result<(), Failed> {
    let sent = data("sample-request.json");
    let mut written = sent.clone();
    written["workerFields"] = json!("Verbatim");
    equal(&send(&spec(&written))?, &sent)
}

/// Today's ACK ignores or refuses the old fields, so the seed's own body must ask for its workers by a pool.
fn sample_by_default() -> Result<(), Failed> {
    let sent = data("sample-request.json");
    let body = send(&spec(&sent))?;
    let [pool] = &body["nodepools"].as_array().ok_or("a list of pools")?[..] else { return Err("one pool".into()) };
    assert_eq!(
        (&pool["nodepool_info"]["name"], &pool["scaling_group"]["desired_size"]),
        (&json!("default-nodepool"), &json!(3))
    );
    assert_eq!(pool["scaling_group"]["instance_charge_type"], "PrePaid", "what was written stays");
    let mut said = workers();
    said["workerFields"] = json!("AsNodePool");
    equal(&body["nodepools"], &send(&spec(&said))?["nodepools"])?;
    for attached in ["instances", "format_disk", "keep_instance_name"] {
        assert_eq!(body[attached], sent[attached], "no pool has {attached}, so it is sent as written");
    }
    assert!(body.get("num_of_nodes").is_none() && body.get("worker_instance_types").is_none());
    Ok(())
}

/// Without machine types nothing asks for a machine, and ACK takes no pool.
fn no_pool() -> Result<(), Failed> {
    let old = json!({
        "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes", "name": "web", "num_of_nodes": 0,
        "runtime": { "name": "containerd" }, "key_pair": "k",
    });
    equal(&send(&spec(&old))?, &old)
}

fn absent() -> Result<(), Failed> {
    let body = send(&smallest(json!({})))?;
    equal(&body, &json!({ "name": "web", "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes" }))?;
    let set = json!({
        "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes", "name": "other", "deletion_protection": false,
        "num_of_nodes": 0, "cluster_spec": "", "taints": [], "rrsa_config": {}, "runtime": { "name": "" }
    });
    equal(&send(&spec(&set))?, &set)
}

fn numbers() -> Result<(), Failed> {
    let body = send(&smallest(json!({
        "node_cidr_mask": 26,
        "controlplane_log_ttl": 30,
        "worker_data_disks": [{ "category": "cloud_essd", "size": 40 }, { "category": "cloud_essd", "size": "50" }],
        "nodepools": [{
            "nodepool_info": { "name": "p" },
            "scaling_group": { "vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid", "data_disks": [{ "size": 40 }] },
            "management": { "auto_repair_policy": { "max_parallel_repairing_nodes": 1, "max_unhealthy_nodes_threshold": "20%" } }
        }]
    })))?;
    assert_eq!(body["node_cidr_mask"], "26");
    assert_eq!(body["controlplane_log_ttl"], "30");
    assert_eq!(body["worker_data_disks"][0]["size"], "40");
    assert_eq!(body["worker_data_disks"][1]["size"], "50");
    let pool = &body["nodepools"][0];
    assert_eq!(pool["scaling_group"]["data_disks"][0]["size"], 40);
    let policy = &pool["management"]["auto_repair_policy"];
    equal(policy, &json!({ "max_parallel_repairing_nodes": "1", "max_unhealthy_nodes_threshold": "20%" }))
}

const PATHS: [&str; 5] = [
    "login_password",
    "user_data",
    "nodepools/web/login_password",
    "nodepools/web/user_data",
    "addons/logtail-ds/config",
];

fn from_secrets(paths: &[&str]) -> Value {
    let values = paths.iter().map(|path| json!({ "path": path, "secretKeyRef": { "name": "s", "key": "k" } }));
    json!({
        "addons": [{ "name": "flannel" }, { "name": "logtail-ds" }],
        "nodepools": [
            { "nodepool_info": { "name": "other" }, "scaling_group": { "vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid" } },
            { "nodepool_info": { "name": "web" }, "scaling_group": { "vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid" } }
        ],
        "secretValues": values.collect::<Vec<_>>()
    })
}

fn secrets() -> Result<(), Failed> {
    let values = PATHS.map(|path| (path.to_owned(), SecretString::from(format!("value of {path}"))));
    let body = api::body("web", &smallest(from_secrets(&PATHS)), &BTreeMap::from(values), &[])?;
    for (pointer, path) in [
        ("/login_password", PATHS[0]),
        ("/user_data", PATHS[1]),
        ("/nodepools/1/scaling_group/login_password", PATHS[2]),
        ("/nodepools/1/kubernetes_config/user_data", PATHS[3]),
        ("/addons/1/config", PATHS[4]),
    ] {
        assert_eq!(body.pointer(pointer), Some(&json!(format!("value of {path}"))), "{pointer}");
    }
    assert!(body["secretValues"].is_null() && body["nodepools"][0]["kubernetes_config"].is_null());
    Ok(())
}

fn no_secret() -> Result<(), Failed> {
    let error = send(&smallest(from_secrets(&["user_data"]))).expect_err("no value");
    assert_eq!(error.to_string(), "secretValues: there is no value for user_data");
    for path in ["nodepools/none/user_data", "nodepools/web/key_pair", "addons/none/config", "key_pair", "a/b/c/d"] {
        let values = BTreeMap::from([(path.to_owned(), SecretString::from("Hello1234"))]);
        let error = api::body("web", &smallest(from_secrets(&[path])), &values, &[]).expect_err("no place");
        assert_eq!(error.to_string(), format!("secretValues: the spec has no place for {path}"));
        assert!(!format!("{error:?}").contains("Hello1234"));
    }
    Ok(())
}

/// The members that `AsNodePool` moves, and nothing that stays.
fn workers() -> Value {
    let mut workers = data("sample-request.json");
    let members = workers.as_object_mut().expect("an object");
    for gone in ["instances", "format_disk", "keep_instance_name"] {
        members.remove(gone);
    }
    workers
}

fn as_node_pool() -> Result<(), Failed> {
    let mut given = workers();
    given["workerFields"] = json!("AsNodePool");
    given["nodepools"] = json!([
        { "nodepool_info": { "name": "mine" }, "scaling_group": { "vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid" } }
    ]);
    let body = send(&spec(&given))?;
    equal(
        &body["nodepools"],
        &json!([
            {
                "nodepool_info": { "name": "default-nodepool" },
                "scaling_group": {
                    "desired_size": 3,
                    "vswitch_ids": ["vsw-8vbmoffowsztjaawj****"],
                    "instance_types": ["ecs.t6-c1m4.large"],
                    "system_disk_category": "cloud_essd",
                    "system_disk_size": 120,
                    "data_disks": [{
                        "category": "cloud_efficiency", "size": 40, "encrypted": "true",
                        "auto_snapshot_policy_id": "sp-8vbajx6y2hk21hco****"
                    }],
                    "instance_charge_type": "PrePaid",
                    "period": 1,
                    "period_unit": "Month",
                    "auto_renew": true,
                    "auto_renew_period": 1,
                    "key_pair": "sin-name",
                    "login_password": "Hello1234",
                    "image_id": "CentOS-xxx",
                    "image_type": "AliyunLinux",
                    "rds_instances": ["rm-xx", "rm-xx"],
                    "security_group_ids": ["sg-8vb7grbyvlb10j0i****"]
                },
                "kubernetes_config": {
                    "runtime": "docker",
                    "runtime_version": "19.03.5",
                    "cpu_policy": "none",
                    "taints": [{ "key": "1", "value": "1", "effect": "NoSchedule" }],
                    "user_data": "IyEvdXNyL2Jpbi9iYXNoCmVjaG8gIkhlbGxvIEFDSyEi",
                    "node_name_mode": "customized,aliyun.com,5,k8s",
                    "cms_enabled": true
                }
            },
            { "nodepool_info": { "name": "mine" }, "scaling_group": { "vswitch_ids": ["vsw-1"], "instance_charge_type": "PostPaid" } }
        ]),
    )?;
    // What is not about workers is as it was, and no worker field is left.
    let moved = [
        "num_of_nodes",
        "worker_instance_types",
        "worker_system_disk_category",
        "worker_system_disk_size",
        "worker_data_disks",
        "worker_instance_charge_type",
        "worker_period",
        "worker_period_unit",
        "worker_auto_renew",
        "worker_auto_renew_period",
        "key_pair",
        "login_password",
        "image_id",
        "rds_instances",
        "platform",
        "os_type",
        "runtime",
        "cpu_policy",
        "taints",
        "user_data",
        "node_name_mode",
        "cloud_monitor_flags",
    ];
    let mut rest = workers();
    let mut body = body;
    moved.iter().for_each(|name| drop(rest.as_object_mut().map(|rest| rest.remove(*name))));
    drop(body.as_object_mut().map(|body| body.remove("nodepools")));
    equal(&body, &rest)
}

fn single_disk() -> Result<(), Failed> {
    let old = json!({ "worker_data_disk_category": "cloud", "worker_data_disk_size": 40, "os_type": "Windows" });
    let verbatim = send(&smallest(old.clone()))?;
    assert_eq!(
        (&verbatim["worker_data_disk_category"], &verbatim["worker_data_disk_size"]),
        (&json!("cloud"), &json!(40))
    );
    let mut pool = old;
    pool["workerFields"] = json!("AsNodePool");
    let body = send(&smallest(pool))?;
    equal(
        &body["nodepools"][0]["scaling_group"],
        &json!({
            "data_disks": [{ "category": "cloud", "size": 40 }], "image_type": "Windows", "instance_charge_type": "PostPaid"
        }),
    )?;
    let wrong = json!({ "workerFields": "AsNodePool", "worker_data_disks": [{ "category": "cloud", "size": "big" }] });
    let error = send(&smallest(wrong)).expect_err("no number");
    assert_eq!(error.to_string(), "worker_data_disks[].size is big, which is no number");
    Ok(())
}

fn extra() -> Result<(), Failed> {
    let extra =
        |name: &str, value: Value| json!({ "extraParameters": [{ "name": name, "value": value }], "timezone": "UTC" });
    let body = send(&smallest(extra("worker_vswitch_ids", json!(["vsw-1", { "a": null }]))))?;
    assert_eq!(body["worker_vswitch_ids"], json!(["vsw-1", { "a": null }]));
    assert!(send(&smallest(extra("nothing", Value::Null)))?.get("nothing").is_none());
    for known in ["timezone", "name", "client_token"] {
        let error = send(&smallest(extra(known, json!("x")))).expect_err("a known name");
        assert_eq!(error.to_string(), format!("extraParameters: {known} is a name that the spec already knows"));
    }
    Ok(())
}

fn tags() -> Result<(), Failed> {
    let ours = [(api::tag::NAME, "web"), (api::tag::INTENT, "4f")];
    let none = api::body("web", &smallest(json!({})), &BTreeMap::new(), &ours)?;
    equal(
        &none["tags"],
        &json!([{ "key": api::tag::NAME, "value": "web" }, { "key": api::tag::INTENT, "value": "4f" }]),
    )?;
    let users = smallest(json!({ "tags": [{ "key": "a" }, { "key": api::tag::INTENT, "value": "forged" }] }));
    let body = api::body("web", &users, &BTreeMap::new(), &ours)?;
    equal(
        &body["tags"],
        &json!([{ "key": "a" }, { "key": api::tag::NAME, "value": "web" }, { "key": api::tag::INTENT, "value": "4f" }]),
    )?;
    // An administrator's tag gives way to the user's own.
    let added = [("a", "default"), ("cost-centre", "42"), (api::tag::INTENT, "4f")];
    let body = api::body("web", &users, &BTreeMap::new(), &added)?;
    let intent = json!({ "key": api::tag::INTENT, "value": "4f" });
    equal(&body["tags"], &json!([{ "key": "a" }, { "key": "cost-centre", "value": "42" }, intent]))
}

fn debug() -> Result<(), Failed> {
    let text = format!("{:?}", spec(&data("every-field.json")));
    for secret in ["Hello1234", "IyEvdXNyL2Jpbi9iYXNoCmVjaG8gIkhlbGxvIEFDSyEi", "IyEvYmluL3No", "BEGIN CERTIFICATE"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("vpc-8vbh3b9a2f38urhls"), "the rest is shown");
    Ok(())
}
