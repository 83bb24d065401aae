//! What `run` asks of the Kubernetes API: one table. The doctor asks for each row, and a test holds the chart to it.

use crate::terms::GROUP;

/// A resource and what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    pub group: &'static str,
    /// With its subresource, as in a role.
    pub resource: &'static str,
    pub verbs: &'static [&'static str],
    pub place: Place,
    pub wanted: For,
}

/// Where a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In every namespace that is watched, or everywhere.
    Watched,
    /// For our own CustomResourceDefinition, which has no namespace.
    Definition,
    /// For the one lease, in its namespace.
    Lease,
}

/// What does not work without a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// The operator.
    Everything,
    /// Comparing the definition before ACK is asked.
    Comparison,
    /// `spec.kubeconfigSecretRef`.
    Kubeconfigs,
    /// `--leader-election`.
    Election,
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    place: Place,
    wanted: For,
) -> Right {
    Right { group, resource, verbs, place, wanted }
}

/// The objects themselves.
pub const OBJECTS: Right =
    right(GROUP, "ackclusters", &["get", "list", "watch", "patch"], Place::Watched, For::Everything);

/// Our CustomResourceDefinition.
pub const DEFINITION: Right =
    right("apiextensions.k8s.io", "customresourcedefinitions", &["get"], Place::Definition, For::Comparison);

/// All of it.
pub const RIGHTS: [Right; 8] = [
    OBJECTS,
    right(GROUP, "ackclusters/status", &["patch"], Place::Watched, For::Everything),
    right("events.k8s.io", "events", &["create", "patch"], Place::Watched, For::Everything),
    right("", "secrets", &["get"], Place::Watched, For::Everything),
    right("", "secrets", &["create", "patch"], Place::Watched, For::Kubeconfigs),
    right(GROUP, "ackclusters/finalizers", &["update"], Place::Watched, For::Kubeconfigs),
    DEFINITION,
    right("coordination.k8s.io", "leases", &["get", "create", "update"], Place::Lease, For::Election),
];
