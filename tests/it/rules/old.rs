//! Objects that were stored before a rule was there. A rule that came later must not keep the operator from writing
//! their status, letting go of their finalizer, or the user from lifting their protection.

use ack_operator::api;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use libtest_mimic::Failed;
use serde_json::json;

use super::{Server, broken};
use crate::support::{self, RUNTIME, eventually};

/// A group of its own, so that no other test sees the definition change.
const GROUP: &str = "past.ackoperator.dev";

/// The definition under that group, as it is or with a schema that takes everything.
fn definition(permissive: bool) -> CustomResourceDefinition {
    let mut crd = serde_json::to_value(api::crd()).expect("JSON");
    crd["metadata"]["name"] = json!(format!("ackclusters.{GROUP}"));
    crd["spec"]["group"] = json!(GROUP);
    crd["spec"]["names"]["shortNames"] = json!([]);
    if permissive {
        let version = &mut crd["spec"]["versions"][0];
        version["selectableFields"] = json!([]);
        let free = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        version["schema"]["openAPIV3Schema"] =
            json!({ "type": "object", "properties": { "spec": free, "status": free } });
    }
    serde_json::from_value(crd).expect("a definition")
}

pub fn old_objects() -> Result<(), Failed> {
    let server = Server::of(GROUP);
    let definitions: Api<CustomResourceDefinition> = Api::all(server.shared.client.clone());
    let name = format!("ackclusters.{GROUP}");
    RUNTIME.block_on(definitions.create(&PostParams::default(), &definition(true)))?;
    let served = || RUNTIME.block_on(server.objects.list(&Default::default())).is_ok();
    eventually("the old definition is served", support::DEADLINE, || served().then_some(()), String::new);

    let old = broken();
    for (name, spec) in &old {
        server.create(name, spec, false).map_err(|causes| format!("{name}: {causes:?}"))?;
    }

    let mut strict = definition(false);
    strict.metadata.resource_version = RUNTIME.block_on(definitions.get(&name))?.metadata.resource_version;
    RUNTIME.block_on(definitions.replace(&name, &PostParams::default(), &strict))?;
    let refuses = || old.last().is_some_and(|(_, spec)| server.try_spec("new", spec).is_err());
    eventually("the new definition is in force", support::DEADLINE, || refuses().then_some(()), String::new);

    let mut failed = vec![];
    for (name, _) in &old {
        let finalizer = json!({ "metadata": { "finalizers": ["ackoperator.dev/cluster"] } });
        let writes = [
            ("its status", server.merge_status(name, &json!({ "state": "running", "specLocked": true }))),
            ("its finalizer", server.merge(name, &finalizer, false)),
            ("its protection", server.merge(name, &json!({ "spec": { "deletion_protection": true } }), false)),
            ("its protection, lifted", server.merge(name, &json!({ "spec": { "deletion_protection": false } }), false)),
            ("its policy", server.merge(name, &json!({ "spec": { "deletionPolicy": "Retain" } }), false)),
            ("its finalizer, gone", server.merge(name, &json!({ "metadata": { "finalizers": null } }), false)),
        ];
        failed.extend(
            writes.into_iter().filter_map(|(what, answer)| Some(format!("{name}: {what}: {:?}", answer.err()?))),
        );
    }
    // A fixed field with one value left can only be seen to be held here.
    let mended = json!({ "spec": { "cluster_type": "ManagedKubernetes" } });
    let held = server.merge("dedicated", &mended, true);
    let says = "cluster_type is fixed once the cluster exists: write the old value back, or make another AckCluster";
    assert_eq!(held, Err(vec![("spec.cluster_type".to_owned(), says.to_owned())]));
    RUNTIME.block_on(definitions.delete(&name, &Default::default()))?;
    println!("{} objects, each with a rule broken", old.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}
