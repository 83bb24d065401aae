//! The rules of the custom resource, each on a real API server: one object that is taken and one that is refused with
//! exactly its sentence. The cases are rows of `tests/data/rules.yaml`; a test holds them against the CRD.

/// Schema bounds, tried at the limit and one beyond it.
mod bounds;
/// Fields that cannot change while the cluster exists.
mod fixed;
/// Objects from before a rule: they can still be written where it matters.
mod old;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use ack_operator::api;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use libtest_mimic::{Failed, Trial};
use serde_json::{Map, Value, json};

use crate::support::{self, RUNTIME};

const NAMESPACE: &str = "rules";

pub fn tests() -> Vec<Trial> {
    let mut trials = rows("rules");
    trials.extend(rows("pools"));
    trials.extend(fixed::tests());
    trials.push(test("no_rule_of_the_CRD_is_without_a_row", complete));
    trials.push(test("the_sample_of_the_seed_is_refused_by_exactly_two_sentences", sample));
    trials.push(test("every_example_is_taken", examples));
    trials.push(test("no_refusal_repeats_a_secret", secrets));
    trials.push(test("every_bound_holds_at_its_limit_and_not_beyond", bounds::bounds));
    trials.push(test("an_object_that_breaks_a_newer_rule_can_still_be_written_where_it_matters", old::old_objects));
    trials
}

fn test(name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    Trial::test(format!("rules::{name}"), test)
}

fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `tests/data/rules.yaml`.
static TABLE: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("tests/data/rules.yaml")).expect("the table can be read");
    serde_saphyr::from_str(&text).expect("the table is YAML")
});

/// One AckCluster API, of our group or of another one.
#[derive(Clone)]
struct Server {
    objects: Api<DynamicObject>,
    api_version: String,
    /// Keeps the control plane.
    shared: Arc<support::Shared>,
}

/// A cause by which the API server refuses: (field, sentence).
type Cause = (String, String);

impl Server {
    fn ours() -> Server {
        Server::of("ackoperator.dev")
    }

    fn of(group: &str) -> Server {
        let shared = support::shared();
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| shared.plane.namespace(NAMESPACE).expect("a namespace"));
        let kind =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1alpha1", "AckCluster"), "ackclusters");
        let objects = Api::namespaced_with(shared.client.clone(), NAMESPACE, &kind);
        Server { objects, api_version: format!("{group}/v1alpha1"), shared }
    }

    fn object(&self, name: &str, spec: &Value) -> DynamicObject {
        let object = json!({
            "apiVersion": self.api_version, "kind": "AckCluster",
            "metadata": { "name": name, "namespace": NAMESPACE }, "spec": spec
        });
        serde_json::from_value(object).expect("an object")
    }

    /// Creates, or only tries to.
    fn create(&self, name: &str, spec: &Value, dry_run: bool) -> Result<(), Vec<Cause>> {
        let how = PostParams { dry_run, ..PostParams::default() };
        refusal(RUNTIME.block_on(self.objects.create(&how, &self.object(name, spec))))
    }

    fn try_spec(&self, name: &str, spec: &Value) -> Result<(), Vec<Cause>> {
        self.create(name, spec, true)
    }

    fn merge(&self, name: &str, patch: &Value, dry_run: bool) -> Result<(), Vec<Cause>> {
        let how = PatchParams { dry_run, ..PatchParams::default() };
        refusal(RUNTIME.block_on(self.objects.patch(name, &how, &Patch::Merge(patch))))
    }

    fn merge_status(&self, name: &str, status: &Value) -> Result<(), Vec<Cause>> {
        let patch = json!({ "status": status });
        refusal(RUNTIME.block_on(self.objects.patch_status(name, &PatchParams::default(), &Patch::Merge(&patch))))
    }
}

/// The causes of a refusal. Anything but a refusal is no answer, and a panic.
fn refusal(answer: kube::Result<DynamicObject>) -> Result<(), Vec<Cause>> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_invalid() => {
            let causes = status.details.into_iter().flat_map(|details| details.causes);
            Err(causes.map(|cause| (cause.field.replace("<nil>", ""), sentence(&cause.message))).collect())
        }
        Err(error) => panic!("neither taken nor refused: {error}"),
    }
}

/// `Invalid value: "vsw-1": sentence` -> `sentence`. Of objects and lists the API server prints no value.
fn sentence(message: &str) -> String {
    let Some(rest) = message.strip_prefix("Invalid value: ") else { return message.to_owned() };
    let value = match rest.chars().next() {
        Some('"') => rest[1..].find("\": ").map(|end| end + 2),
        Some('0'..='9') => rest.find(": "),
        _ => None,
    };
    value.map_or(rest, |end| &rest[end + 2..]).to_owned()
}

/// JSON merge patch (RFC 7386).
fn merged(base: &Value, patch: &Value) -> Value {
    let (Value::Object(base), Value::Object(patch)) = (base, patch) else { return patch.clone() };
    let mut merged = base.clone();
    for (name, value) in patch {
        match value {
            Value::Null => drop(merged.remove(name)),
            value => drop(merged.insert(name.clone(), merged_or(base.get(name), value))),
        }
    }
    Value::Object(merged)
}

fn merged_or(base: Option<&Value>, patch: &Value) -> Value {
    merged(base.unwrap_or(&Value::Object(Map::new())), patch)
}

/// A spec of a row and the object's name: `case` merged over the base, or over the pool of the base.
fn case(part: &str, case: &Value, number: usize) -> (String, Value) {
    let mut case = case.clone();
    let name = case.as_object_mut().and_then(|case| case.remove("metadata.name"));
    let name = name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or(format!("{part}-{number}"));
    let spec = match part {
        "pools" => merged(&TABLE["base"], &json!({ "nodepools": [merged(&TABLE["pool"], &case)] })),
        _ => merged(&TABLE["base"], &case),
    };
    (name, spec)
}

/// A spec for each rule that breaks it, with a name for its object.
pub fn broken() -> Vec<(String, Value)> {
    let of = |part: &'static str| {
        let rows = TABLE[part].as_array().into_iter().flatten().enumerate();
        rows.map(move |(number, row)| case(part, &row["bad"], number))
    };
    let mut all: Vec<_> = ["rules", "pools"].into_iter().flat_map(of).collect();
    all.push(("dedicated".into(), merged(&TABLE["base"], &json!({ "cluster_type": "Kubernetes" }))));
    all
}

fn rows(part: &'static str) -> Vec<Trial> {
    let rows = TABLE[part].as_array().expect("rows");
    let trials = rows.iter().enumerate().map(|(number, row)| {
        let name = format!(
            "rules::{}_says_{}",
            row["at"].as_str().unwrap_or_default(),
            row["says"].as_str().unwrap_or_default()
        );
        Trial::test(name.replace(' ', "_"), move || {
            let server = Server::ours();
            let (name, good) = case(part, &row["good"], number);
            if let Err(causes) = server.try_spec(&name, &good) {
                return Err(format!("the good one is refused: {causes:?}\n{good}").into());
            }
            let (name, bad) = case(part, &row["bad"], number);
            let want = vec![(
                row["at"].as_str().unwrap_or_default().to_owned(),
                row["says"].as_str().unwrap_or_default().to_owned(),
            )];
            match server.try_spec(&name, &bad) {
                Ok(()) => Err(format!("the bad one is taken: {bad}").into()),
                Err(causes) if causes == want => Ok(()),
                Err(causes) => Err(format!("refused by\n{causes:?}\ninstead of\n{want:?}").into()),
            }
        })
    });
    trials.collect()
}

/// All messages below `.spec` and on the root, as `path: message`, indices as `[0]`.
fn messages() -> BTreeSet<String> {
    fn walk(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let field = rule["fieldPath"].as_str().unwrap_or_default();
            found.insert(format!("{path}{field}: {}", rule["message"].as_str().unwrap_or_default()));
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            walk(property, &format!("{path}.{name}"), found);
        }
        if schema["items"].is_object() {
            walk(&schema["items"], &format!("{path}[0]"), found);
        }
    }
    let crd = serde_json::to_value(api::crd()).expect("JSON");
    let mut found = BTreeSet::new();
    walk(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "", &mut found);
    found.into_iter().map(|message| message.trim_start_matches('.').to_owned()).collect()
}

fn complete() -> Result<(), Failed> {
    let mut known = BTreeSet::new();
    for part in ["rules", "pools"] {
        for row in TABLE[part].as_array().into_iter().flatten() {
            let (at, says) = (row["at"].as_str().unwrap_or_default(), row["says"].as_str().unwrap_or_default());
            known.insert(format!("{at}: {says}"));
        }
    }
    known.extend(fixed::messages());
    let messages = messages();
    println!("{} rules", messages.len());
    let untried: Vec<_> = messages.difference(&known).collect();
    let stale: Vec<_> = known.difference(&messages).collect();
    if untried.is_empty() && stale.is_empty() {
        return Ok(());
    }
    Err(format!("without a row: {untried:#?}\nrows without a rule: {stale:#?}").into())
}

fn sample() -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("tests/data/sample-request.json"))?;
    let mut spec: Value = serde_json::from_str(&text)?;
    let server = Server::ours();
    let mut causes = server.try_spec("sample", &spec).expect_err("the sample holds contradictions");
    causes.sort();
    let says = |field: &str, message: &str| (field.to_owned(), message.to_owned());
    assert_eq!(
        causes,
        [
            says("spec.login_password", "login_password and key_pair exclude each other: keep one of them"),
            says(
                "spec.security_group_id",
                "security_group_id and is_enterprise_security_group: true exclude each other: keep one of them"
            ),
        ]
    );
    for contradiction in ["login_password", "is_enterprise_security_group"] {
        spec.as_object_mut().map(|spec| spec.remove(contradiction));
    }
    server.try_spec("sample", &spec).map_err(|causes| format!("mended and still refused: {causes:?}").into())
}

fn examples() -> Result<(), Failed> {
    let server = Server::ours();
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("examples"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let path = path.to_string_lossy().into_owned();
        // Field validation is strict with kubectl: a misspelt field would not pass.
        server.shared.plane.run_kubectl(&[
            "create",
            "--namespace",
            NAMESPACE,
            "--dry-run=server",
            "--validate=strict",
            "--filename",
            &path,
        ])?;
        let object: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path)?)?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let protected = object["spec"]["deletion_protection"] == true;
        assert!(object["kind"] != "AckCluster" || protected, "{name} is not protected");
        seen.insert(name);
    }
    let want = ["ack-credentials", "adopt", "nodepools", "pro-terway", "quickstart", "retain", "seed-sample"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), want);
    let sample: Value = serde_saphyr::from_str(&std::fs::read_to_string(root().join("examples/seed-sample.yaml"))?)?;
    let mut spec = sample["spec"].clone();
    let mut seed: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("tests/data/sample-request.json"))?)?;
    for contradiction in ["login_password", "is_enterprise_security_group"] {
        seed.as_object_mut().map(|seed| seed.remove(contradiction));
    }
    spec.as_object_mut().map(|spec| spec.remove("credentialsRef"));
    assert_eq!(spec, seed, "seed-sample.yaml is the sample but for the two");
    // Nothing was left behind.
    assert!(
        RUNTIME
            .block_on(server.objects.list(&ListParams::default().fields("metadata.name=quickstart")))?
            .items
            .is_empty()
    );
    Ok(())
}

fn secrets() -> Result<(), Failed> {
    let server = Server::ours();
    for password in ["Zebra1", "zebrazebra", "Zebra-zebra-zebra-zebra-zebra-zebra", "Zebra\\1234"] {
        let spec = merged(
            &TABLE["base"],
            &json!({
                "login_password": password, "key_pair": "k", "user_data": format!("#{password}"), "user_ca": password,
                "nodepools": [merged(&TABLE["pool"], &json!({ "scaling_group": { "login_password": password }, "kubernetes_config": { "user_data": format!("#{password}") } }))]
            }),
        );
        let how = PostParams { dry_run: true, ..PostParams::default() };
        let error =
            RUNTIME.block_on(server.objects.create(&how, &server.object("secret", &spec))).expect_err("refused");
        let text = format!("{error:?}");
        assert!(!text.to_lowercase().contains("zebra"), "{password} is in {text}");
    }
    Ok(())
}
