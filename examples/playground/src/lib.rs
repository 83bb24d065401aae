//! A real Kubernetes API, an emulated ACK and the operator, all on loopback, without containers: what `make demo` shows
//! and the tests stand on.
//!
//! ```text
//! Toolbox       builds etcd, kube-apiserver, ... once          tools.rs
//! Kept          a process that cannot outlive us               keeper.rs
//! Loopback      an address and a folder of our own             loopback.rs
//! ControlPlane  etcd + kube-apiserver (+ controllers)          control_plane.rs
//!   derefs to Access   kubectl, client, install(chart)         access.rs
//! emulated      ACK's stand-in in this process, its one key   emulated.rs
//! Operator      how the operator's program is started          operator.rs
//! AckClusters   the objects as plain JSON                      objects.rs
//! Door, Book    where an operator's calls are cut            cutting/
//! Stage         all of it, for demo, up, footprint, bench         stage.rs
//! ArgoCd        Argo CD's processes beside a Stage             argocd.rs
//! Image         the operator as an OCI archive                 image.rs
//! Node          runs pods for a ControlPlane (Linux, root)     node.rs
//! ```
//!
//! The operator is only ever run as a program; none of its code is used here.

pub mod access;
mod argocd;
mod bench;
pub mod cli;
pub mod control_plane;
pub mod cutting;
mod demo;
mod e2e_argocd;
mod e2e_helm;
pub mod emulated;
pub mod error;
mod footprint;
pub mod image;
pub mod keeper;
pub mod loopback;
pub mod node;
pub mod objects;
pub mod operator;
pub mod stage;
pub mod tools;
mod up;

use std::path::{Path, PathBuf};

pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use loopback::Loopback;

/// The repository that this program was built from: chart, examples and pinned modules are read from it at run time.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")).to_owned()
}

/// The chart that is tried here.
pub fn chart() -> PathBuf {
    repository().join("charts/ack-operator")
}
