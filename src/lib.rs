//! Alibaba Cloud ACK clusters as Kubernetes resources.

pub mod api;
pub mod terms;
