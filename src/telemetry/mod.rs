//! What the process tells of itself: logs, metrics, and the answers to the kubelet's probes. Knows nothing of clusters.

mod health;
mod logs;
mod metrics;
mod port;

pub use health::{Health, UnderWay, health};
pub use logs::{LogFormat, logs};
pub use metrics::{Listen, Registry, metrics};
