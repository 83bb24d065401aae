//! Alibaba Cloud ACK clusters as Kubernetes resources.

pub mod ack;
pub mod terms;

pub mod decide;
