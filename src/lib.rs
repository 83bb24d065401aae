//! Alibaba Cloud ACK clusters as Kubernetes resources.

pub mod terms;

pub mod decide;
