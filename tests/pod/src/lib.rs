//! A pod in one process, for tests: the real gateway before the real embedded ftpd, over temporary directories and
//! loopback, in the test's own process.
//!
//! [`Pod`] starts both and ends them with itself. Programs are pointed at [`Pod::control_port`] and [`Pod::ca_file`];
//! [`Client`] and [`SafeClient`] are FTP clients in miniature for what no program would do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "part of tests: what fails here fails the test that called it"
)]

mod client;
mod config;
mod disk;
mod ftpd;
mod pod;
mod program;
mod safe_client;
mod threads;
mod volume;

use std::time::{Duration, Instant};

pub use client::Client;
pub use config::{announced, pinned};
pub use disk::Disk;
pub use pod::Pod;
pub use program::{Completed, Program, Running};
pub use safe_client::SafeClient;
pub use safetp_ftps::{Data, Trust};
pub use volume::{dsa_key, new_identity};

/// The address that a pod announces unless its configuration pins another one: what a load balancer would publish.
/// [`Client`] dials loopback whatever it is told.
pub const ADDRESS: &str = "203.0.113.7";
/// The user of most tests.
pub const USER: &str = "alice";
/// The other user.
pub const OTHER_USER: &str = "bob";
/// The password of both.
pub const PASSWORD: &str = "correct horse battery staple";
/// The name by which [`Client`] knows a pod.
pub const HOST: &str = "files.example.org";
/// The names in a pod's certificate.
pub const NAMES: [&str; 3] = ["localhost", "127.0.0.1", HOST];

/// Longer than anything in a test takes, so that a hang is a failure and not a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until the condition holds: for what happens soon after its cause, without a notice.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < limit, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5)); // between two looks at a condition that has a deadline
    }
}
