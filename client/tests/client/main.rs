//! The client's program against the gateway and the embedded ftpd, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

mod active;
mod commands;
mod exit_codes;
mod known_servers;
mod lies;
mod prompt;
mod proxy;
mod resume;
mod safetp1;
mod terminal;
mod tls;
