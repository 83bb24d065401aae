//! The custom resource: what people write and what they read. No I/O, no cloud, no clock; of ours it knows only the
//! shared words.
//!
//! ```text
//! spec/         the CreateCluster body field by field, and the operator's own few fields
//! node_pool/    nodepools[]
//! status/       what is known, the sealed intents, and what was asked for
//! values.rs     masked text, numbers that ACK writes as strings
//! rules.rs      rules over several fields
//! crd.rs        the CRD as it is installed, with the rules that hold fields fixed
//! kept.rs       what of a status a definition keeps
//! misfits.rs    what of an object cannot be read
//! body.rs       spec -> the JSON that is sent
//! ```

pub mod body;
pub mod crd;
#[doc(hidden)]
pub mod fuzz;
mod kept;
mod misfits;
pub mod node_pool;
pub mod rules;
pub mod spec;
pub mod status;
pub mod values;

pub use crate::terms::tag;
pub use body::{BodyError, CONVERSIONS, body};
pub use crd::crd;
pub use kept::dropped_by;
pub use misfits::misfits;
pub use spec::{AckCluster, AckClusterSpec, DeletionPolicy, EndpointAccess, KubeconfigSecretRef, WorkerFields};
pub use status::{
    AckClusterStatus, CLUSTER_INTENT, ClusterOrigin, ConditionType, CreateIntent, IntentError, ProtectionSeen,
    PublishedKubeconfig, Request, TaskStage,
};

/// The finalizer: it stands while a cluster may exist in the cloud.
pub const FINALIZER: &str = "ackoperator.dev/cluster";

/// Annotations by which people speak to the operator. It never writes one.
pub mod annotation {
    /// `true`: nothing is done, not even a deletion; only an id that ACK answered is still recorded.
    pub const PAUSED: &str = "ackoperator.dev/paused";
    /// `true`: the cluster is reported, never changed.
    pub const OBSERVE: &str = "ackoperator.dev/observe";
    /// Any new value: look again now.
    pub const RECONCILE_AT: &str = "ackoperator.dev/reconcile-at";
    /// The old `cluster_id`: make another cluster after `CreateFailed` or `ClusterGone`.
    pub const RECREATE: &str = "ackoperator.dev/recreate";
    /// The nonce of the open intent: a person knows that nothing was made by it.
    pub const CONFIRM_ABSENT: &str = "ackoperator.dev/confirm-absent";
    /// The nonce that the cluster carries: take it over from another object.
    pub const TAKE_OVER: &str = "ackoperator.dev/take-over";
    /// The `cluster_id`: delete it although the CRD itself is being deleted.
    pub const CONFIRM_DELETE: &str = "ackoperator.dev/confirm-delete";
}

#[cfg(test)]
mod tests {
    use kube::Resource;

    use super::*;
    use crate::terms::GROUP;

    #[test]
    fn every_name_stands_under_the_one_group() {
        assert_eq!(AckCluster::group(&()), GROUP);
        let names = [
            FINALIZER,
            annotation::PAUSED,
            annotation::OBSERVE,
            annotation::RECONCILE_AT,
            annotation::RECREATE,
            annotation::CONFIRM_ABSENT,
            annotation::TAKE_OVER,
            annotation::CONFIRM_DELETE,
            tag::PREFIX,
            tag::INSTALLATION,
            tag::NAMESPACE,
            tag::NAME,
            tag::INTENT,
        ];
        for name in names {
            assert!(name.strip_prefix(GROUP).is_some_and(|rest| rest.starts_with('/')), "{name}");
        }
    }
}
