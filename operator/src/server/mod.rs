//! A SafeTPServer, from its resource to its pods: validate → gather → decide → build → apply → observe → status. Each
//! step takes what the one before it made. Validating and building are pure; deciding also makes keys, certificates and
//! hashes of passwords; the others talk to the cluster or to pods.

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
