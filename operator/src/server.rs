//! Reconciles a SafeTPServer, from its resource to its pods. Each stage has a file here, its parts lie in the folder of
//! its name, and it takes what the stages before it returned:
//!
//! | stage | from | to |
//! |---|---|---|
//! | `validate` | the resource | `ValidatedServer`, or what is wrong with the spec |
//! | `gather` | the cluster | `Gathered`: the server's objects, pods, users and Secrets |
//! | `decide` | both | `Decided`: logins, DSA key, address, certificate, ports |
//! | `objects` | `Decided` | `Prepared`: every object as it should be |
//! | `apply` | `Prepared` | `Applied`: every object as it is now |
//! | `observe` | `Applied`, the pods | `Observed`: how far the pods are |
//! | `status` | all of it | the status, the users' statuses, an event |
//!
//! Validating and building are pure, deciding all but pure (it generates keys, issues certificates and hashes
//! passwords); the others talk to the cluster or to pods. `reconcile` drives them, and `schedule` decides when again.

mod apply;
mod decide;
mod error;
mod gather;
mod objects;
mod observe;
mod reconcile;
mod schedule;
mod status;
mod validate;

pub use observe::Prober;
pub use reconcile::{error_policy, reconcile};
