//! The CRD as it is installed: the schema of the types, the rules over several fields, and the rules that hold fields
//! fixed while the cluster exists. It makes values; it installs nothing.
//!
//! Three kinds of rules, because the API server lets an old object that breaks a newer rule be written only as long as
//! the broken part itself is not touched, and rules on the root are checked at every write of status and metadata:
//!
//! * a rule about one field sits at the field (`spec`, `node_pool`): untouched, it is not checked again;
//! * a rule about several fields ([`RULES`]) sits on `.spec`, and lets pass what was already broken before the write, so
//!   that the protection of such an object can still be changed;
//! * transition rules that read `status.specLocked` must sit on the root. Unchanged fields never break them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::AckCluster;
use super::rules::{RESERVED, RULES, Rule};
use super::spec::AckClusterSpec;

const LOCKED: &str = "oldSelf.?status.?specLocked.orValue(false)";

/// The CRD as it is installed.
pub fn crd() -> CustomResourceDefinition {
    let mut crd = serde_json::to_value(AckCluster::crd()).expect("a CRD is JSON");
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    tidy(schema);
    let marks = fixed();
    let spec = schema["properties"]["spec"]["properties"].as_object_mut().expect("the spec has properties");
    describe(spec, &marks);
    let names = body_names(spec);
    let known = names.iter().map(String::as_str).chain(RESERVED.iter().copied()).map(|name| format!("'{name}'"));
    let known = known.collect::<Vec<_>>().join(", ");
    add(
        &mut spec["extraParameters"]["items"]["properties"]["name"],
        json!({
            "rule": format!("!(self in [{known}])"),
            "message": "extraParameters are for what the spec does not have: give this one in the spec",
        }),
    );
    for Rule { field, cel, message } in RULES {
        add(
            &mut schema["properties"]["spec"],
            json!({ "rule": tolerant(cel), "message": message, "fieldPath": format!(".{field}"), "optionalOldSelf": true }),
        );
    }
    add(
        &mut schema["properties"]["spec"],
        json!({
            "rule": "!has(oldSelf.adoptClusterId) || has(self.adoptClusterId) && self.adoptClusterId == oldSelf.adoptClusterId",
            "message": "adoptClusterId stays as first written: delete this object (the cluster is kept) and make another",
            "fieldPath": ".adoptClusterId",
        }),
    );
    for rule in root(&marks) {
        add(schema, rule);
    }
    bound_conditions(&mut schema["properties"]["status"]["properties"]["conditions"]);
    schema["properties"]["status"]["properties"]["observedGeneration"]["default"] = json!(-1);
    // An object without any status would count as done with readers of kstatus until the first pass.
    schema["properties"]["status"]["default"] = json!({"observedGeneration": -1});
    serde_json::from_value(crd).expect("what was a CRD still is one")
}

/// The names of the body that the spec holds, of all its properties: those that are not the operator's camelCase.
fn body_names(spec: &Map<String, Value>) -> Vec<String> {
    spec.keys().filter(|name| !name.contains(|c: char| c.is_ascii_uppercase())).cloned().collect()
}

/// The names of CreateCluster's body that the spec holds, sorted.
pub fn names() -> Vec<String> {
    let schema = raw();
    let mut names = body_names(schema["properties"].as_object().expect("the spec has properties"));
    names.sort();
    names
}

/// What `rule` says of the new spec, or had already been broken before the write.
fn tolerant(rule: &str) -> String {
    format!("({rule}) || oldSelf.hasValue() && !({})", rule.replace("self.", "oldSelf.value()."))
}

fn add(schema: &mut Value, rule: Value) {
    match &mut schema["x-kubernetes-validations"] {
        Value::Array(rules) => rules.push(rule),
        none => *none = json!([rule]),
    }
}

/// The rules that can only stand on the root.
fn root(marks: &[String]) -> Vec<Value> {
    let mut rules = vec![
        // The name cannot change, so it is checked once; an old object is never held up by it.
        json!({
            "rule": "oldSelf.hasValue() || self.metadata.name.size() <= 63",
            "message": "metadata.name has at most 63 characters: it is a tag of the cluster, whose value must be a legal label value",
            "optionalOldSelf": true,
        }),
        json!({
            "rule": "has(self.spec.name) || !self.metadata.name.contains('.') || (oldSelf.hasValue() && !has(oldSelf.value().spec.name))",
            "message": "metadata.name holds a dot, which no cluster name may: give spec.name",
            "fieldPath": ".spec.name",
            "optionalOldSelf": true,
        }),
    ];
    for path in marks {
        rules.push(match path.strip_prefix("nodepools[].") {
            Some(member) => pool_rule(member),
            None => field_rule(path),
        });
    }
    rules.push(json!({
        "rule": format!("!{LOCKED} || !oldSelf.spec.?rrsa_config.?enabled.orValue(false) || self.spec.?rrsa_config.?enabled.orValue(true)"),
        "message": "rrsa_config cannot be switched off once the cluster exists",
        "fieldPath": ".spec.rrsa_config",
    }));
    rules
}

/// Two optional members are the same. `old.?x == new.?x` would say so too, but the API server cannot price it.
fn same(old: &str, new: &str) -> String {
    format!("has({old}) ? has({new}) && {old} == {new} : !has({new})")
}

fn field_rule(name: &str) -> Value {
    let (old, new) = (format!("oldSelf.spec.{name}"), format!("self.spec.{name}"));
    // `24` and `"24"` are the same to ACK. A secret may leave the spec, for example to come from a Secret.
    let same = match name {
        "region_id" | "cluster_type" => format!("{old} == {new}"),
        "node_cidr_mask" => format!("has({old}) ? has({new}) && string({old}) == string({new}) : !has({new})"),
        "worker_data_disks" => {
            let disk = "string(d.size) + ' ' + d.category + ' ' + (has(d.encrypted) ? d.encrypted : '') + ' ' + (has(d.auto_snapshot_policy_id) ? d.auto_snapshot_policy_id : '')";
            format!("has({old}) ? has({new}) && {old}.map(d, {disk}) == {new}.map(d, {disk}) : !has({new})")
        }
        "login_password" | "user_data" => format!("!has({new}) || has({old}) && {old} == {new}"),
        _ => same(&old, &new),
    };
    let message = match name {
        "login_password" | "user_data" => {
            format!("{name} only counts at creation: once the cluster exists it may be removed, not changed")
        }
        _ => format!("{name} is fixed once the cluster exists: write the old value back, or make another AckCluster"),
    };
    json!({ "rule": format!("!{LOCKED} || ({same})"), "message": message, "fieldPath": format!(".spec.{name}") })
}

/// Pools are matched by name; a new pool is free. `member` is `group.name` or `name`.
fn pool_rule(member: &str) -> Value {
    let has = |pool: &str| match member.split_once('.') {
        Some((group, _)) => format!("(has({pool}.{group}) && has({pool}.{member}))"),
        None => format!("has({pool}.{member})"),
    };
    let same = format!("{} ? {} && o.{member} == n.{member} : !{}", has("o"), has("n"), has("n"));
    json!({
        "rule": format!("!{LOCKED} || !has(self.spec.nodepools) || !has(oldSelf.spec.nodepools) || self.spec.nodepools.all(n, oldSelf.spec.nodepools.all(o, o.nodepool_info.name != n.nodepool_info.name || ({same})))"),
        "message": format!("{member} of a node pool only counts when the pool is made: write the old value back, or make another pool"),
        "fieldPath": ".spec.nodepools",
    })
}

/// The schema of the spec as schemars makes it, marks included.
fn raw() -> Value {
    let settings = schemars::generate::SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<AckClusterSpec>().to_value()
}

/// The fields of the spec that are fixed while the cluster exists, which are those that the types mark `x-fixed`, sorted;
/// members of pools as `nodepools[].a.b`.
pub fn fixed() -> Vec<String> {
    fn walk(schema: &Value, path: &str, found: &mut Vec<String>) {
        if schema["x-fixed"] == true {
            found.push(path.to_owned());
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            walk(property, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
        }
        for part in schema["anyOf"].as_array().into_iter().flatten() {
            walk(part, path, found);
        }
        if schema["items"].is_object() {
            walk(&schema["items"], &format!("{path}[]"), found);
        }
    }
    let mut found = vec![];
    walk(&raw(), "", &mut found);
    found.sort();
    found
}

/// Fields of the body that ACK changes, but this operator does not.
pub const BY_HAND: &[&str] = &[
    "kubernetes_version",
    "addons",
    "encryption_provider_key",
    "controlplane_log_components",
    "controlplane_log_project",
    "controlplane_log_ttl",
    "audit_log_config",
    "nodepools",
];

/// Adds to each description of a field whether it can be changed.
fn describe(spec: &mut Map<String, Value>, marks: &[String]) {
    let say = |property: &mut Value, end: &str| {
        let text = property["description"].as_str().unwrap_or_default();
        property["description"] = json!(format!("{text} {end}"));
    };
    for (name, property) in &mut *spec {
        let end = if marks.contains(name) {
            "Fixed once the cluster exists."
        } else if BY_HAND.contains(&name.as_str()) {
            "On a running cluster a new value is reported (`SpecDiffers`) and not put in force."
        } else {
            "Can be changed."
        };
        say(property, end);
    }
    for member in marks.iter().filter_map(|mark| mark.strip_prefix("nodepools[].")) {
        let pointer = format!("/items/properties/{}", member.replace('.', "/properties/"));
        if let Some(property) = spec.get_mut("nodepools").and_then(|pools| pools.pointer_mut(&pointer)) {
            say(property, "Only counts when the pool is made.");
        }
    }
}

/// No `nullable`: `null` is no value of any field. Descriptions become one line. What has no bound of its own gets one,
/// since the API server prices a rule by the largest value that it may meet.
fn tidy(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.remove("nullable");
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::String(text)) = members.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let unbounded = match members.get("type").and_then(Value::as_str) {
        Some("string") if !members.contains_key("enum") && !members.contains_key("format") => Some(("maxLength", 253)),
        Some("array") => Some(("maxItems", 20)),
        _ => None,
    };
    if let Some((bound, limit)) = unbounded {
        members.entry(bound).or_insert(json!(limit));
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(tidy);
    }
    for part in ["items", "additionalProperties"] {
        if let Some(part) = members.get_mut(part) {
            tidy(part);
        }
    }
}

/// The bounds that Kubernetes documents for its own type.
fn bound_conditions(conditions: &mut Value) {
    let members = &mut conditions["items"]["properties"];
    for (member, limit) in [("type", 316), ("reason", 1024), ("message", 32768)] {
        members[member]["maxLength"] = json!(limit);
    }
    members["status"]["enum"] = json!(["True", "False", "Unknown"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `see` with the path and the schema of everything below the root.
    fn walk(schema: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
        see(path, schema);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            walk(property, &format!("{path}.{name}"), see);
        }
        for part in ["items", "additionalProperties"] {
            if schema[part].is_object() {
                walk(&schema[part], &format!("{path}[]"), see);
            }
        }
    }

    fn schema() -> Value {
        let crd = serde_json::to_value(crd()).unwrap();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
    }

    #[test]
    fn every_string_list_and_map_has_a_bound_and_nothing_is_nullable() {
        walk(&schema(), "", &mut |path, schema| {
            let bounded = match schema["type"].as_str() {
                Some("string") => ["maxLength", "enum", "format"].iter().any(|bound| !schema[bound].is_null()),
                Some("array") => !schema["maxItems"].is_null(),
                Some("object") if !schema["additionalProperties"].is_null() => !schema["maxProperties"].is_null(),
                _ => true,
            };
            assert!(bounded, "{path} has no bound: {schema}");
            assert!(
                schema["nullable"].is_null() && schema["anyOf"].is_null() && schema["oneOf"].is_null(),
                "{path}: {schema}"
            );
            assert!(!schema["enum"].as_array().is_some_and(|words| words.contains(&Value::Null)), "{path}");
            assert!(matches!(schema["format"].as_str(), None | Some("int64" | "date-time")), "{path}: {schema}");
        });
    }

    #[test]
    fn every_field_is_described_in_one_line() {
        walk(&schema(), "", &mut |path, schema| {
            let own = path.starts_with(".spec") && !path.ends_with("[]") || path.starts_with(".status.");
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(
                !own || path.contains("[]") && path.starts_with(".status") || text.len() > 2,
                "{path} has no description"
            );
            assert!(!path.starts_with(".spec") || !text.contains('\n'), "{path}");
        });
    }

    #[test]
    fn a_rule_already_broken_before_the_write_lets_it_pass() {
        assert_eq!(
            tolerant("!(has(self.a) && self.?b.orValue(false))"),
            "(!(has(self.a) && self.?b.orValue(false))) || oldSelf.hasValue() && !(!(has(oldSelf.value().a) && oldSelf.value().?b.orValue(false)))"
        );
    }
}
