//! The tag operations (ack-api d.8) and the rules for tags. Changes no other member of a cluster.

use serde_json::{Value, json};

use crate::fields;
use crate::operations::{Call, Outcome, reach};
use crate::refusal::Refusal;
use crate::settings::Switch;
use crate::world::World;

/// Checks the tags of a CreateCluster body: at most 20, keys unique and up to 64 characters, values up to 128.
pub fn check_for_create(tags: &[Value]) -> Result<(), Refusal> {
    let keys: Vec<&str> = tags.iter().filter_map(|tag| tag["key"].as_str()).collect();
    if tags.len() > 20 || keys.len() != tags.len() {
        return Err(Refusal::invalid("tags must be at most 20, each with a key"));
    }
    for (at, tag) in tags.iter().enumerate() {
        let value = tag["value"].as_str().unwrap_or_default();
        let length = |text: &str| text.chars().count();
        let reserved = ["aliyun", "acs:", "http://", "https://"];
        let legal = (1..=64).contains(&length(keys[at]))
            && length(value) <= 128
            && !reserved.iter().any(|word| keys[at].starts_with(word) || value.starts_with(word))
            && !keys[..at].contains(&keys[at]);
        if !legal {
            return Err(Refusal::invalid(format!("the tag {} is not allowed", keys[at])));
        }
    }
    Ok(())
}

/// The clusters that a tag operation names, all of them reachable.
fn targets(world: &World, call: &Call<'_>, region: &str, kind: &str, ids: &[Value]) -> Result<Vec<usize>, Refusal> {
    if kind != "CLUSTER" {
        return Err(Refusal::invalid("resource_type must be CLUSTER"));
    }
    if ids.is_empty() || ids.len() > 50 {
        return Err(Refusal::invalid("resource_ids must name 1 to 50 clusters"));
    }
    let target = |id: &Value| {
        let id = id.as_str().ok_or_else(|| Refusal::invalid("resource_ids must be strings"))?;
        let at = reach(world, call, id)?;
        if world.clusters[at].region == region { Ok(at) } else { Err(Refusal::cluster_not_found(id)) }
    };
    ids.iter().map(target).collect()
}

fn targets_of_query(world: &World, call: &Call<'_>) -> Result<Vec<usize>, Refusal> {
    let query = |name: &str| call.query(name).ok_or_else(|| Refusal::missing(name));
    let ids = call.array("resource_ids")?.ok_or_else(|| Refusal::missing("resource_ids"))?;
    targets(world, call, query("region_id")?, query("resource_type")?, &ids)
}

/// TagResources: adds tags or overwrites their values.
pub fn tag(world: &mut World, call: &Call<'_>) -> Outcome {
    let body = call.body;
    let Some(members) = body.as_object() else { return Err(Refusal::invalid("the body must be a JSON object")) };
    fields::check(fields::TAG, members, call.settings.strict_fields == Switch::On)?;
    for name in ["region_id", "resource_type", "resource_ids", "tags"] {
        if body[name].is_null() {
            return Err(Refusal::missing(name));
        }
    }
    let (tags, ids) = (body["tags"].as_array(), body["resource_ids"].as_array());
    let tags = tags.map(Vec::as_slice).unwrap_or_default();
    check_for_create(tags)?;
    let forbidden = |tag: &Value| {
        let value = tag["value"].as_str().unwrap_or_default();
        value.is_empty() || value.contains("http://") || value.contains("https://")
    };
    if tags.is_empty() || tags.iter().any(forbidden) {
        return Err(Refusal::invalid("tags must be 1 to 20, their values not empty and without http:// and https://"));
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let ids = ids.map(Vec::as_slice).unwrap_or_default();
    let clusters = targets(world, call, text("region_id"), text("resource_type"), ids)?;
    let merged = |at: &usize| {
        let mut all = world.clusters[*at].tags().to_vec();
        for tag in tags {
            match all.iter_mut().find(|known| known["key"] == tag["key"]) {
                Some(known) => *known = tag.clone(),
                None => all.push(tag.clone()),
            }
        }
        // The limit is documented, its code is not (ack-api d.8).
        let too_many = || Refusal::ack(400, "LimitExceeded.TagNum", "a cluster has at most 20 tags");
        if all.len() > 20 { Err(too_many()) } else { Ok(all) }
    };
    let merged = clusters.iter().map(merged).collect::<Result<Vec<_>, _>>()?;
    put(world, call, clusters.into_iter().zip(merged))
}

/// UntagResources: takes off the keys of `tag_keys`, or with `all` every tag.
pub fn untag(world: &mut World, call: &Call<'_>) -> Outcome {
    let clusters = targets_of_query(world, call)?;
    let (keys, all) = (call.array("tag_keys")?.unwrap_or_default(), call.flag("all")?);
    if keys.is_empty() && !all {
        return Err(Refusal::missing("tag_keys"));
    }
    if keys.len() > 20 {
        return Err(Refusal::invalid("tag_keys must be at most 20"));
    }
    let gone = |tag: &Value| if keys.is_empty() { all } else { keys.contains(&tag["key"]) };
    let kept = |at: usize| (at, world.clusters[at].tags().iter().filter(|tag| !gone(tag)).cloned().collect());
    let kept: Vec<(usize, Vec<Value>)> = clusters.into_iter().map(kept).collect();
    put(world, call, kept)
}

fn put(world: &mut World, call: &Call<'_>, tags: impl IntoIterator<Item = (usize, Vec<Value>)>) -> Outcome {
    for (at, tags) in tags {
        let cluster = &mut world.clusters[at];
        cluster.set("tags", tags);
        cluster.changed(call.now.world, &call.now);
    }
    Ok(json!({"RequestId": call.request_id}))
}

/// ListTagResources, on one page.
pub fn list(world: &mut World, call: &Call<'_>) -> Outcome {
    let wanted = call.array("tags")?.unwrap_or_default();
    let fits = |tag: &Value| {
        let same = |wish: &Value| {
            let value = wish["value"].as_str().unwrap_or_default();
            wish["key"] == tag["key"] && (value.is_empty() || tag["value"] == value)
        };
        wanted.is_empty() || wanted.iter().any(same)
    };
    let mut rows = Vec::new();
    for at in targets_of_query(world, call)? {
        let cluster = &world.clusters[at];
        rows.extend(cluster.tags().iter().filter(|tag| fits(tag)).map(|tag| {
            json!({
                "resource_id": cluster.id, "resource_type": "CLUSTER", "tag_key": tag["key"], "tag_value": tag["value"],
            })
        }));
    }
    Ok(json!({"next_token": "", "request_id": call.request_id, "tag_resources": {"tag_resource": rows}}))
}
