//! Every node of the spec's schema with every sort of value, on a real API server: what it takes is stored and sent exactly
//! as written, what it refuses changes nothing, how a spec came to be makes no difference, and going back restores.

/// What is tried at a node, made from the schema.
mod values;

use std::collections::BTreeMap;

use ack_operator::api::{self, AckClusterSpec};
use futures::stream::{self, StreamExt};
use kube::api::{Api, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, GroupVersionKind};
use libtest_mimic::Trial;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::cluster::object;
use crate::support::{RUNTIME, Scene, repository, shared};
use crate::trials;
use values::{Node, candidates, nodes, plain, put};

pub fn tests() -> Vec<Trial> {
    trials!("campaign":
        every_value_is_refused_or_sent_exactly_as_written,
        what_exclude_each_other_is_refused_together,
        what_a_cluster_was_asked_for_is_what_was_written,
    )
}

const NAMESPACE: &str = "campaign";

/// What a field needs beside it to be taken; null takes away.
fn companions(name: &str) -> Value {
    match name {
        "addons" => json!({"container_cidr": "172.20.0.0/16"}),
        "login_password" | "secretValues" => json!({"key_pair": null}),
        "worker_instance_charge_type" => json!({"worker_period": 1, "worker_period_unit": "Month"}),
        "zone_ids" => json!({"vpcid": null, "vswitch_ids": null}),
        "operation_policy" => {
            json!({"cluster_spec": "ack.pro.small", "maintenance_window": {"enable": true}})
        }
        "auto_mode" | "encryption_provider_key" | "maintenance_window" => json!({"cluster_spec": "ack.pro.small"}),
        name if name.starts_with("controlplane_log") => json!({
            "cluster_spec": "ack.pro.small", "controlplane_log_components": ["apiserver"],
            "controlplane_log_project": "k8s-log", "controlplane_log_ttl": "30",
        }),
        _ => json!({}),
    }
}

/// Every field with a value, by name.
fn every_field() -> Map<String, Value> {
    let text = std::fs::read_to_string(repository().join("tests/data/every-field.json")).expect("the data");
    let mut fields: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let own = json!({
        "credentialsRef": {"name": "s"}, "deletionPolicy": "Delete", "workerFields": "Verbatim", "adoptClusterId": "c1",
        "deleteOptions": {"retainResources": ["lb-1"], "retainAllResources": false, "options": [{"resourceType": "SLB", "deleteMode": "delete"}]},
        "secretValues": [{"path": "login_password", "secretKeyRef": {"name": "s", "key": "k"}}],
        "extraParameters": [{"name": "a", "value": 1}],
        "kubeconfigSecretRef": {"name": "s", "validMinutes": 60, "endpointAccess": "Public"},
    });
    fields.extend(own.as_object().cloned().unwrap_or_default());
    // What cannot stand beside the rest of its pool.
    let pool = &mut fields["nodepools"][0];
    pool["scaling_group"].as_object_mut().map(|group| group.remove("login_password"));
    pool["management"]["upgrade_config"].as_object_mut().map(|config| config.remove("surge_percentage"));
    fields
}

fn schema() -> Value {
    let crd = serde_json::to_value(api::crd()).expect("JSON");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

/// The smallest spec that holds this field.
fn base(name: &str) -> Value {
    let mut spec = json!({
        "name": "web", "region_id": "cn-hangzhou", "cluster_type": "ManagedKubernetes", "vpcid": "vpc-1",
        "vswitch_ids": ["vsw-1"], "num_of_nodes": 1, "worker_instance_types": ["ecs.g7.large"], "key_pair": "k",
        // What is tried here is that a value is sent as it was written.
        "workerFields": "Verbatim",
    });
    let members = spec.as_object_mut().expect("an object");
    for (name, value) in companions(name).as_object().into_iter().flatten() {
        let value = value.clone();
        if value.is_null() { drop(members.remove(name)) } else { drop(members.insert(name.clone(), value)) }
    }
    members.insert(name.to_owned(), every_field()[name].clone());
    spec
}

#[derive(Clone)]
struct Server {
    objects: Api<DynamicObject>,
}

impl Server {
    fn new() -> Server {
        let shared = shared();
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| shared.plane.namespace(NAMESPACE).expect("a namespace"));
        let kind = GroupVersionKind::gvk("ackoperator.dev", "v1alpha1", "AckCluster");
        let kind = ApiResource::from_gvk_with_plural(&kind, "ackclusters");
        Server { objects: Api::namespaced_with(shared.client.clone(), NAMESPACE, &kind) }
    }

    fn object(name: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": "ackoperator.dev/v1alpha1", "kind": "AckCluster", "metadata": {"name": name}, "spec": spec,
        })
    }

    /// Server-side apply as a user does it, with every misspelt member refused: the stored spec, or the sentence.
    async fn apply(&self, name: &str, spec: &Value, dry_run: bool) -> Result<Value, String> {
        let how = PatchParams {
            field_manager: Some("user".into()),
            field_validation: Some(ValidationDirective::Strict),
            force: true,
            dry_run,
        };
        let patch = Patch::Apply(Server::object(name, spec));
        said(self.objects.patch(name, &how, &patch).await.map(|object| object.data["spec"].clone()))
    }

    async fn lock(&self, name: &str, locked: bool) {
        let patch = Patch::Merge(json!({"status": {"specLocked": locked}}));
        self.objects.patch_status(name, &PatchParams::default(), &patch).await.expect("a status is taken");
    }
}

/// A refusal of a person's mistake is an answer; all else is none.
fn said(answer: kube::Result<Value>) -> Result<Value, String> {
    match answer {
        Ok(spec) => Ok(spec),
        Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && status.code != 409 => Err(status.message),
        // So it is told under server-side apply that a type is wrong or a member unknown.
        Err(kube::Error::Api(status)) if status.message.starts_with("failed to create typed patch object") => {
            Err(status.message)
        }
        Err(error) => panic!("neither taken nor refused: {error}"),
    }
}

/// What the operator sends for a stored spec.
fn sent(spec: &Value) -> Value {
    let spec: AckClusterSpec = match serde_json::from_value(spec.clone()) {
        Ok(spec) => spec,
        Err(error) => return json!(format!("the operator cannot read it: {error}")),
    };
    let secrets = spec.secret_values.iter().flatten().map(|one| (one.path.clone(), SecretString::from("value")));
    let secrets: BTreeMap<_, _> = secrets.collect();
    api::body("web", &spec, &secrets, &[]).map_or_else(|error| json!(error.to_string()), |body| settled(&body))
}

/// Under server-side apply a list that is a map is taken away when its last item is; so an empty one counts as none.
fn settled(spec: &Value) -> Value {
    let mut spec = plain(spec);
    let members = spec.as_object_mut().expect("a spec");
    for list in ["tags", "addons", "secretValues", "extraParameters"] {
        if members.get(list) == Some(&json!([])) {
            members.remove(list);
        }
    }
    spec
}

/// What must be sent for a spec as it was written, reckoned apart from the code: the members of the API as they are, and
/// the numbers that ACK wants as strings. `None` where values come from elsewhere or are converted.
fn as_written(spec: &Value) -> Option<Value> {
    let pool = match spec["workerFields"].as_str() {
        None => spec.get("worker_instance_types").is_some(),
        Some(how) => how == "AsNodePool",
    };
    if spec.get("secretValues").is_some() || pool {
        return None;
    }
    let own = |name: &str| name.chars().any(|c| c.is_ascii_uppercase());
    let members = spec.as_object()?.iter().filter(|(name, _)| !own(name));
    let mut body: Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    body.entry("name").or_insert("web".into());
    for parameter in spec["extraParameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str()?.to_owned();
        if let Some(value) = parameter.get("value").filter(|value| !value.is_null()) {
            body.insert(name, value.clone());
        }
    }
    let mut body = Value::Object(body);
    let text = |value: &mut Value| {
        if value.is_number() {
            *value = plain(value).to_string().into();
        }
    };
    ["/node_cidr_mask", "/controlplane_log_ttl"].iter().filter_map(|at| body.pointer_mut(at).map(text)).count();
    let each = |list: Option<&mut Value>, members: &[&str]| {
        for item in list.and_then(Value::as_array_mut).into_iter().flatten() {
            members.iter().filter_map(|at| item.pointer_mut(at).map(text)).count();
        }
    };
    each(body.get_mut("worker_data_disks"), &["/size"]);
    let policy = "/management/auto_repair_policy/max_";
    let of_policy = [format!("{policy}parallel_repairing_nodes"), format!("{policy}unhealthy_nodes_threshold")];
    each(body.get_mut("nodepools"), &[&of_policy[0], &of_policy[1]]);
    Some(settled(&body))
}

/// Nodes of one base spec, tried one after the other on one object.
struct Chain {
    object: String,
    field: String,
    base: Value,
    nodes: Vec<Node>,
}

/// What came of the operations.
#[derive(Default)]
struct Tally {
    taken: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, answer: &Result<Value, String>) {
        *if answer.is_ok() { &mut self.taken } else { &mut self.refused } += 1;
    }

    fn expect(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.wrong.push(what());
        }
    }
}

/// How many nodes share an object.
const LINKS: usize = 12;

fn chains() -> Vec<Chain> {
    let schema = schema();
    let mut chains = vec![];
    for field in every_field().keys() {
        let base = base(field);
        let found = nodes(&schema["properties"][field], &base[field], &format!("/{field}"));
        for (number, links) in found.chunks(LINKS).enumerate() {
            let object = format!("{}-{number}", field.to_lowercase().replace('_', "-"));
            chains.push(Chain { object, field: field.clone(), base: base.clone(), nodes: links.to_vec() });
        }
    }
    chains
}

impl Chain {
    async fn run(&self, server: &Server) -> Tally {
        let (Chain { object, base, .. }, mut tally) = (self, Tally::default());
        let begun = server.apply(object, base, false).await;
        tally.count(&begun);
        if let Err(refusal) = begun {
            tally.wrong.push(format!("{object} cannot begin: {refusal}"));
            return tally;
        }
        for node in &self.nodes {
            self.link(server, node, &mut tally).await;
        }
        self.locked(server, &mut tally).await;
        tally
    }

    /// One node: each value over the last one that was taken, and back in the end.
    async fn link(&self, server: &Server, node: &Node, tally: &mut Tally) {
        let Chain { object, base, .. } = self;
        let mut last = base.clone();
        for value in candidates(node) {
            let mut written = last.clone();
            put(&mut written, &node.pointer, value.as_ref());
            let what = || format!("{}: {}", node.pointer, cut(&format!("{value:?}")));
            let answer = server.apply(object, &written, false).await;
            tally.count(&answer);
            match answer {
                Ok(stored) => {
                    let same = settled(&stored) == settled(&written);
                    tally.expect(same, || format!("{} is stored as {}", what(), cut(&stored.to_string())));
                    let body = sent(&stored);
                    tally.expect(as_written(&plain(&written)).is_none_or(|wanted| wanted == body), || {
                        format!("{} is sent as {}", what(), cut(&body.to_string()))
                    });
                    last = written;
                    // What is missing already may stay missing, so nothing is tried on top of a null.
                    if value == Some(Value::Null) {
                        self.stands(server, base, tally).await;
                        last = base.clone();
                    }
                }
                Err(refusal) => {
                    tally.expect(!refusal.is_empty(), || format!("{} is refused without a word", what()));
                    self.stands(server, &last, tally).await;
                }
            }
        }
        // The last one that was taken, without all that came before.
        let scratch = server.apply(&format!("{object}-again"), &last, true).await;
        tally.count(&scratch);
        let same = scratch.as_ref().is_ok_and(|scratch| sent(scratch) == sent(&last));
        tally.expect(same, || format!("{} from scratch: {}", node.pointer, cut(&format!("{scratch:?}"))));
        self.stands(server, base, tally).await;
    }

    /// That spec is taken, and is sent as if nothing had come before it.
    async fn stands(&self, server: &Server, spec: &Value, tally: &mut Tally) {
        let answer = server.apply(&self.object, spec, false).await;
        tally.count(&answer);
        let back = answer.as_ref().is_ok_and(|stored| sent(stored) == sent(spec));
        tally.expect(back, || format!("{} cannot go back: {}", self.object, cut(&format!("{answer:?}"))));
    }

    /// A field that ACK cannot change is held while the cluster exists, and free again after that.
    async fn locked(&self, server: &Server, tally: &mut Tally) {
        let Chain { object, field, base, nodes } = self;
        let node = nodes.iter().find(|node| node.pointer == format!("/{field}"));
        let Some(node) = node.filter(|_| api::crd::fixed().contains(field)) else { return };
        for value in
            candidates(node).into_iter().flatten().filter(|value| !value.is_null() && !same_text(value, &base[field]))
        {
            let mut written = base.clone();
            put(&mut written, &node.pointer, Some(&value));
            let free = server.apply(object, &written, true).await;
            tally.count(&free);
            if free.is_err() {
                continue;
            }
            server.lock(object, true).await;
            let held = server.apply(object, &written, false).await;
            tally.count(&held);
            tally.expect(held.is_err_and(|refusal| refusal.contains(field.as_str())), || {
                format!("{field} becomes {} although it is locked", cut(&value.to_string()))
            });
            self.stands(server, base, tally).await;
            server.lock(object, false).await;
        }
    }
}

/// `26` and `"26"` are one value where ACK takes a text.
fn same_text(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text(one) == text(other)
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

fn every_value_is_refused_or_sent_exactly_as_written() {
    let server = Server::new();
    let chains = chains();
    let tallies: Vec<Tally> =
        RUNTIME.block_on(stream::iter(&chains).map(|chain| chain.run(&server)).buffer_unordered(8).collect());
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (taken, refused) = (sum(|tally| tally.taken), sum(|tally| tally.refused));
    println!("{} operations on {} objects: {taken} taken, {refused} refused", taken + refused, chains.len());
    let wrong: Vec<_> = tallies.into_iter().flat_map(|tally| tally.wrong).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(taken + refused >= 2000, "only {} operations", taken + refused);
}

/// The pairs that the definition itself names.
fn pairs() -> Vec<(String, String)> {
    fn walk(schema: &Value, found: &mut Vec<(String, String)>) {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().unwrap_or_default();
            let pair = message.split_once(" exclude each other").and_then(|(pair, _)| pair.split_once(" and "));
            found.extend(pair.map(|(one, other)| (one.to_owned(), other.to_owned())));
        }
        schema["properties"].as_object().into_iter().flatten().for_each(|(_, schema)| walk(schema, found));
        if schema["items"].is_object() {
            walk(&schema["items"], found);
        }
    }
    let mut found = vec![];
    walk(&schema(), &mut found);
    found
}

fn what_exclude_each_other_is_refused_together() {
    let server = Server::new();
    let fields = every_field();
    let mut tried = 0;
    for (one, other) in pairs() {
        let value = |name: &str| fields.get(name.split(':').next().unwrap_or_default()).cloned();
        let (Some(first), Some(second)) = (value(&one), value(&other)) else { continue };
        let mut spec = base(&one);
        spec[one.split(':').next().unwrap_or_default()] = first;
        spec[other.split(':').next().unwrap_or_default()] = second;
        let refusal = RUNTIME.block_on(server.apply("pair", &spec, true)).expect_err(&format!("{one} and {other}"));
        assert!(refusal.contains(&format!("{one} and {other} exclude each other")), "{refusal}");
        tried += 1;
    }
    println!("{tried} pairs");
    assert!(tried >= 3, "only {tried} pairs");
}

/// A sample of the bases, made by a real operator: the emulator's ledger has the body as it was received.
fn what_a_cluster_was_asked_for_is_what_was_written() {
    let scene = Scene::with_operator("campaign-sent");
    let skipped = [
        "adoptClusterId",
        "credentialsRef",
        "secretValues",
        "kubeconfigSecretRef",
        "region_id",
        "cluster_type",
        "deletion_protection",
    ];
    let fields = every_field();
    let sample: Vec<_> = fields.keys().filter(|name| !skipped.contains(&name.as_str())).step_by(4).collect();
    let named = |field: &str| field.to_lowercase().replace('_', "-");
    for field in &sample {
        let mut spec = base(field);
        spec["name"] = named(field).into();
        scene.apply(&object(&scene, &named(field), spec));
    }
    for field in &sample {
        let written =
            scene.wait_for(&named(field), "it has a cluster", |object| object["status"]["cluster_id"].is_string());
        let made = scene.emulator.ledger().into_iter().find(|cluster| cluster.name == named(field)).expect("a cluster");
        let mut body = made.body;
        let ours = |tag: &Value| tag["key"].as_str().is_some_and(|key| key.starts_with("ackoperator.dev/"));
        if let Some(tags) = body["tags"].as_array_mut() {
            tags.retain(|tag| !ours(tag));
        }
        if body["tags"] == json!([]) {
            body.as_object_mut().map(|body| body.remove("tags"));
        }
        assert_eq!(Some(settled(&body)), as_written(&written["spec"]), "{field}");
    }
    println!("{} bodies", sample.len());
}
