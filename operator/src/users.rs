//! Logins: planning which of them a server accepts, hashing their passwords, and reporting the status of a SafeTPUser.

pub mod hash;
pub mod logins;
mod reconcile;
mod resolve;

pub use reconcile::{error_policy, reconcile};
pub use resolve::{Resolved, resolve};
