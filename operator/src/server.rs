//! A SafeTPServer, from its resource to its pods: validate → gather → decide → build → apply → observe → status. Each
//! step takes what the one before it made. Validating and building are pure; deciding also makes keys, certificates and
//! hashes of passwords; the others talk to the cluster or to pods.

mod apply;
mod decide;
mod finish;
mod gather;
mod objects;
mod observe;
mod reconcile;
mod status;
mod validate;

pub use observe::Prober;
pub use reconcile::{error_policy, reconcile};
