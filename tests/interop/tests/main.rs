//! The pod with clients that others have written, and with the second implementation of X-SafeTP1.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod case;
mod clients;
mod hybrid;
mod page;
mod program;
mod safetp1;
mod stage;
mod tools;
