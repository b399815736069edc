//! A man in the middle between the real client and the real gateway: he flips, drops, doubles, swaps, cuts, inserts,
//! replays and withholds what they send each other, and a judge says whether one of them was deceived.
//!
//! [`case`] creates the cases from seeds, [`lane`] runs them on a pod of its own, [`verdict`] judges. Nothing here can
//! read what is protected: the proxy knows lines, records and blocks by their framing alone.
//!
//! `cargo test -p safetp-tampering` runs all cases, as root, since the man in the middle needs networks of his own;
//! `TAMPER_SEED=17 cargo test -p safetp-tampering -- --nocapture` runs one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "part of tests: what fails here fails the test that called it"
)]

pub mod case;
pub mod framing;
pub mod lane;
pub mod network;
pub mod operation;
pub mod proxy;
pub mod stream;
pub mod tamperer;
pub mod tape;
pub mod verdict;
