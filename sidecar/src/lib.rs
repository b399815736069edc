//! The gateway of a SafeTP pod: ends the security, announces the address that it has learned, and relays to the ftpd.
//!
//! [`settings`] keeps what the operator wrote in force, [`address`] learns what clients dial, [`gateway`] serves
//! clients, [`admin`] answers the kubelet, the operator and Prometheus, [`drain`] ends all of it in order, and [`shut_in`]
//! says what is left of the system to reach. The rules of the protocol are in `safetp-protocol`; here is the I/O.

pub mod address;
pub mod admin;
pub mod args;
pub mod drain;
pub mod gateway;
pub mod metrics;
pub mod settings;
pub mod shut_in;

mod watch_dir;
