//! The server over its real socket, driven as the gateway drives it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod access;
mod appends;
mod basics;
mod downloads;
mod hashes;
mod jail;
mod listings;
mod logins;
mod names;
mod old_clients;
mod process;
mod reload;
mod standing;
mod support;
mod trees;
mod uploads;
