//! A SafeTPServer, from its resource to its pods: gather → validate → build → apply → status. Each step takes what only
//! the one before can make; only the first and the last two talk to the cluster.

mod address;
mod apply;
mod build;
mod certificate;
mod conflicts;
mod finish;
mod gather;
mod node_ports;
mod pods;
mod ports;
mod probe;
mod reconcile;
mod signing_key;
mod status;
mod validate;

pub use probe::Prober;
pub use reconcile::{ServerError, error_policy, reconcile};
