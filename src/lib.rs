//! Alibaba Cloud ACK clusters as Kubernetes resources.
//!
//! # The map
//!
//! ```text
//!  watch event, timer
//!        |
//!        v
//!  controller: whose turn is it?
//!        |
//!        v                +--------------------------------------------+
//!  pass --fresh object--> View --decide--> Step::Look -- look ---------+   one read; the answer goes into the View
//!                                 |                                    |
//!                                 +------> Step::Act --- act ----------+   one guarded patch, one call, or both
//!                                 |
//!                                 +------> Step::Rest -> report            one status write if it differs
//! ```
//!
//! * [`api`]: the custom resource, what people write and read. No I/O, no cloud, no clock.
//! * [`ack`]: the cloud, ACK's API. Knows nothing of Kubernetes.
//! * [`decide`]: the judgement. Pure: a View in, one Step out. A crate of its own (`judgement/`), with `sight` and the words.
//! * [`sight`]: what was read in, what `decide` is given out: whose a cluster is, what a list proves, how far an object has
//!   come. Pure.
//! * [`drift`]: spec and cloud in, differences and the next change out. Pure.
//! * [`pass`]: one pass over one object, the only place where Kubernetes and the cloud meet.
//! * [`cache`]: what is kept of each watched object, for everybody who asks about another object than his own.
//! * [`controller`]: the process: watches, the queue and whose turn it is, the lease, figures, orphans.
//! * [`cli`], [`telemetry`]: what else the program offers, and what it tells of itself.
//! * [`terms`]: the words they share.
//!
//! # Invariants, by what is absent
//!
//! * CreateCluster is called in one place (`pass::act`), by whoever holds the token of a stored seal, and the token
//!   is consumed before the first byte. There is no retry, no loop and no second place.
//! * Changes, tags and deletions are asked of ACK in one place (`pass::ask`), after the guarded write that remembers
//!   them.
//! * Nothing is written to an object without the resourceVersion it was judged on.
//! * No state is carried in memory between passes that safety needs. A process may be killed at any line.
//! * The finalizer is removed in one place, for a reason (`decide::Free`) that only the judgement can make.
//! * No default is filled into the body, and the operator writes nothing into a spec, label or annotation.
//! * No text of ACK reaches a condition, an event or a log before `ack::error` has cleaned it.

pub use ack_judgement::{decide, sight, terms};

pub mod ack;
pub mod api;
pub mod cache;
pub mod cli;
pub mod controller;
pub mod drift;
pub mod pass;
pub mod telemetry;
