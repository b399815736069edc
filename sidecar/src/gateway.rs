//! Serves clients: one control listener, all data listeners, one task for each session.
//!
//! From the bottom up: `places` and `descriptors` decide who may stay and know nothing of sockets, `sessions` counts,
//! `shared` is the state that all sessions share, `session` serves one client, `accept` lets clients in, and `serve`
//! binds the ports and runs all of it.

mod accept;
mod backend;
mod client;
mod data;
mod descriptors;
mod listen;
mod place;
mod places;
mod serve;
mod session;
mod sessions;
mod shared;
mod unclosed;

pub use listen::{ListenError, listen};
pub use serve::Bound;
pub use shared::Gateway;
