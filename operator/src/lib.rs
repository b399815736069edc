//! The operator: turns SafeTPServer and SafeTPUser resources into running servers.

pub mod certs;
pub mod cluster;
pub mod conditions;
pub mod context;
pub mod controllers;
pub mod events;
pub mod http;
pub mod images;
pub mod leader;
pub mod metrics;
pub mod names;
pub mod owned;
pub mod reconcile;
pub mod registry;
pub mod server;
pub mod signing_keys;
pub mod status;
pub mod users;
