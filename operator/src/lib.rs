//! The operator: turns SafeTPServer and SafeTPUser resources into running servers.
//!
//! Only [`run()`] with its arguments and [`Reason`], for the reference page of conditions, leave this crate.

#![expect(unreachable_pub, reason = "all modules are private, so `pub` means: for the modules around")]

mod certs;
mod cluster;
mod conditions;
mod context;
mod controllers;
mod events;
mod http;
mod identity;
mod images;
mod leader;
mod metrics;
mod names;
mod owned;
mod reconcile;
mod registry;
mod run;
mod server;
mod signing_keys;
mod status;
mod users;

pub use conditions::Reason;
pub use images::Images;
pub use run::{RunArgs, run};
