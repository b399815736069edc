//! Logins: which of them a server accepts, and what a SafeTPUser's status says.

pub mod hash;
pub mod logins;
mod reconcile;
mod resolve;

pub use reconcile::{UserError, error_policy, reconcile};
pub use resolve::{Resolved, resolve};
