//! The sidecar of a SafeTP pod. Its program is a gateway: it terminates TLS and X-SafeTP1, announces the external
//! address, and relays to the ftpd.
//!
//! [`settings`] keeps what the operator wrote in force, [`address`] learns what clients dial, [`gateway`] serves
//! clients, [`admin`] answers the kubelet, the operator and Prometheus, [`drain`] ends all of it in order, and
//! [`shut_in`] says what the process can still reach. The rules of the protocol are in `safetp-protocol`; here is the
//! I/O.

pub mod address;
pub mod admin;
pub mod args;
pub mod drain;
pub mod gateway;
pub mod metrics;
pub mod settings;
pub mod shut_in;
pub mod tls;

mod wire;
