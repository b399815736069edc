//! The product on a real cluster, driven by the clients that people use. `make test` starts the cluster; each test has
//! a namespace of its own, so they run side by side.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "these are tests: a missing field must fail one, and what was measured is printed"
)]

mod address;
mod close_notify;
mod crowd;
mod deletion;
mod node_port;
mod privileges;
mod quiet;
mod readme;
mod restart;
mod rotation;
mod safetp1;
mod transfers;
mod watching;
mod wrong_input;
