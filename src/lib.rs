//! Alibaba Cloud ACK clusters as Kubernetes resources.

pub mod terms;
