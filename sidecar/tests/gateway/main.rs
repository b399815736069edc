//! The gateway with the embedded ftpd behind it, over real sockets, as clients see the pair.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

mod active;
mod address;
mod admin;
mod alpn;
mod binding;
mod broken;
mod ccc;
mod certificates;
mod disk;
mod downloads;
mod drain;
mod early;
mod exchanges;
mod hostile;
mod limits;
mod login;
mod pace;
mod ports;
mod process;
mod safetp1;
mod strangers;
mod transfers;
mod uploads;
