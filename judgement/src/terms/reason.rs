//! The reasons that conditions give. The documentation of each is what the reference page says of it.

use std::fmt;

use super::Class;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The reason of a condition: a fixed word, with what it means and what the reader can do. The pages for users are made
        /// from these sentences.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, schemars::JsonSchema)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// Each of them once.
            pub const ALL: &[Reason] = &[$(Reason::$name),*];

            /// Nothing was learnt of the cluster, and trying again may help by itself.
            pub fn passes_by_itself(self) -> bool {
                matches!(self, Reason::Throttled | Reason::Unreachable | Reason::ClusterBusy | Reason::ClockSkew)
            }
        }
    };
}

reasons! {
    /// ACK is making the cluster, or the operator is about to ask for it. Nothing to do; the message shows the stages.
    Creating,
    /// The answer to the create request got lost, or a refusal may hide a cluster that was made. The message says until when
    /// the operator watches the list, and which annotation answers at once if you know the outcome.
    AwaitingOutcome,
    /// ACK is changing the cluster as the spec says. Nothing to do.
    Updating,
    /// ACK is deleting the cluster, or its end is being proven. Nothing to do; the object goes when it is proven.
    Deleting,
    /// ACK throttles this account. The operator waits as long as it was told and then calls half as often; if it stays, other
    /// tools use up the account's calls.
    Throttled,
    /// ACK or the network does not answer usefully, and nothing is concluded from that. Check the endpoint, the proxy and the
    /// network policy if it stays.
    Unreachable,
    /// The cluster is busy with something else, so ACK takes no change now. The operator waits.
    ClusterBusy,
    /// The clock of this machine or of the gateway is too far off to sign safely, or to believe that a list which lacks the
    /// cluster is recent. Set the machine's clock (NTP).
    ClockSkew,
    /// The cluster serves. Nothing to do.
    Running,
    /// The spec is applied (a reason of `Synced`). Nothing to do.
    Applied,
    /// The annotation `ackoperator.dev/paused` holds everything, a deletion too. Remove it to go on.
    Paused,
    /// The annotation `ackoperator.dev/observe` is set: reported, never changed. Remove it to go on.
    Observed,
    /// The object goes and the cluster stays, as `deletionPolicy: Retain` says. Nothing to do.
    Retained,
    /// ACK or the operator refuses what the spec says; the message has ACK's own words, and when or whether it is sent again.
    /// Change the spec.
    InvalidSpec,
    /// The key is unknown, inactive or wrong, or its token has expired. Correct the Secret; it is read again by itself.
    InvalidCredentials,
    /// There is no Secret of that name, a key is missing in it, or none is named and this namespace may not use the
    /// operator's own credentials. Create, correct or name the Secret, or have the administrator name the namespace.
    CredentialsMissing,
    /// RAM does not allow a call. Grant the action that the message names.
    PermissionDenied,
    /// A quota of the account is used up. Raise the quota or free some of it; it is tried again slowly.
    QuotaExceeded,
    /// Payment, activation of ACK or a service role is missing. The account's owner settles that in the console.
    AccountProblem,
    /// The credentials belong to another account than the cluster, so nothing is read or done with them. Give credentials of
    /// the account in `status.accountId`.
    AccountChanged,
    /// ACK could not make the cluster; the message has the cause. Remove it, then set `ackoperator.dev/recreate: <cluster_id>`,
    /// or delete the object.
    CreateFailed,
    /// The cluster vanished although nobody here asked for that. Delete the object, or set `ackoperator.dev/recreate:
    /// <cluster_id>` to have another one made.
    ClusterGone,
    /// The cluster belongs to another object. Name another cluster, let the other object go, or take it over with the
    /// annotation that the message prints.
    OwnershipConflict,
    /// More than one live cluster carries this object's marks, and neither is touched. Find out which one is used, and delete
    /// the other in the console.
    DuplicateDetected,
    /// The gateway accepts what it must refuse, so an absence cannot be proven. Look in the console, and answer with the
    /// annotation that the message prints.
    FenceInert,
    /// These credentials may not see the cluster that is looked for, or another region's endpoint answers, so an absence
    /// cannot be proven. Do what the message says, or start the operator with `--lists-are-complete` if they see all.
    ListNotTrusted,
    /// ACK could not apply a change; the message has the cause. Correct the spec or remove the cause; it is tried again at a slow pace,
    /// and at once when the change is another one.
    UpdateFailed,
    /// The cluster came up without the workers that the spec asks for, as regions do that ignore the old worker fields. Use
    /// `nodepools` or `workerFields: AsNodePool` in a new cluster, or add a pool.
    WorkersMissing,
    /// The cluster differs from the spec in what is not changed here, what ACK does not show as changed, or what somebody
    /// else changes back; the message names it. Write the cloud's values into the spec, or change the cluster in the console.
    SpecDiffers,
    /// Deletion waits until the protection is lifted. Keep the cluster with `deletionPolicy: Retain`, or set
    /// `deletion_protection: false`.
    DeletionProtected,
    /// Deletion waits for a person's word, as when the CustomResourceDefinition itself is being deleted. The message prints the
    /// annotation.
    DeletionHeld,
    /// ACK could not delete the cluster; the message has the cause and what is in the way. Remove that; it is tried again
    /// slowly.
    DeleteFailed,
    /// ACK says that the cluster is inactive, unavailable or stopped. Look at it in the console.
    ClusterUnavailable,
    /// The Secret for the kubeconfig exists and is not this object's. Name another one, or delete that one.
    SecretConflict,
    /// The cluster has no API server address of the kind that the kubeconfig shall hold. Change `endpointAccess`, or give the
    /// cluster such an address.
    EndpointMissing,
    /// This operator met a defect of its own while it worked on this object. Other objects are not touched, and this one is tried
    /// again. Report the message and the log line with this object's name.
    InternalError,
    /// The CustomResourceDefinition would drop what the operator must write down. Apply the operator's own:
    /// `ack-operator crd | kubectl apply --server-side -f -`.
    DefinitionOutdated,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<Class> for Reason {
    fn from(class: Class) -> Reason {
        match class {
            Class::Throttled => Reason::Throttled,
            // It is told only where nothing else is known of the object.
            Class::Queued => Reason::Creating,
            Class::Transient | Class::Unknown | Class::NotFound => Reason::Unreachable,
            Class::Busy => Reason::ClusterBusy,
            Class::Credentials => Reason::InvalidCredentials,
            Class::Permission => Reason::PermissionDenied,
            Class::User | Class::Taken | Class::Refused => Reason::InvalidSpec,
            Class::Quota => Reason::QuotaExceeded,
            Class::Account => Reason::AccountProblem,
            Class::Clock => Reason::ClockSkew,
        }
    }
}
