//! The sixth stage: what the pods do, by what Kubernetes and they themselves report.

pub(super) mod pods;
pub(super) mod probe;

pub use probe::Prober;
