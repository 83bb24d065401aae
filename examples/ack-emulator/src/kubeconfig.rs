//! DescribeClusterUserKubeconfig (ack-api d.11). Changes nothing.

use jiff::SignedDuration;
use serde_json::json;

use crate::clock::utc;
use crate::operations::{Call, Outcome, reach};
use crate::refusal::Refusal;
use crate::settings::Missing;
use crate::world::World;

/// A kubeconfig of the caller: made up, or the one of the server that stands in for all clusters (ack-api d.11).
pub fn user_config(world: &mut World, call: &Call<'_>) -> Outcome {
    let at = reach(world, call, &call.ids[0])?;
    let private = call.flag("PrivateIpAddress")?;
    let life = match call.query("TemporaryDurationMinutes") {
        None => SignedDuration::from_hours(3 * 365 * 24),
        Some(text) => match text.parse::<i32>() {
            Ok(minutes @ 15..=4320) => call.settings.kubeconfig_minute * minutes,
            _ => return Err(Refusal::invalid("TemporaryDurationMinutes is a number from 15 to 4320")),
        },
    };
    let cluster = &world.clusters[at];
    if ["initial", "failed", "deleting", "delete_failed", "deleted"].contains(&cluster.state()) {
        return Err(Refusal::state_conflict(cluster.state()));
    }
    let server = cluster.endpoint(private);
    if server.is_none() && call.settings.missing_endpoint == Missing::Refuse {
        let message = "the cluster has no endpoint of that kind";
        return Err(Refusal::ack(400, "EmulatorEndpointMissing", message));
    }
    let user = &call.key.account;
    let config = match (&world.kubeconfig, &server) {
        (Some(config), Some(_)) => config.clone(),
        _ => format!(
            "apiVersion: v1\nkind: Config\npreferences: {{}}\nclusters:\n- name: kubernetes\n  cluster:\n    server: {}\n    \
             certificate-authority-data: RkFLRSBDQQ==\ncontexts:\n- name: {user}-{id}\n  context:\n    cluster: \
             kubernetes\n    user: \"{user}\"\ncurrent-context: {user}-{id}\nusers:\n- name: \"{user}\"\n  user:\n    \
             client-certificate-data: RkFLRSBDTElFTlQgQ0VSVA==\n    client-key-data: RkFLRSBDTElFTlQgS0VZ\n",
            server.unwrap_or_else(|| "\"\"".into()),
            id = cluster.id,
        ),
    };
    Ok(json!({"config": config, "expiration": utc(call.now.gateway + life)}))
}
