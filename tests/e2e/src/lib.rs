//! The whole product on a real cluster: what the demo and the end-to-end tests share.

pub mod capture;
pub mod clients;
pub mod cluster;
pub mod files;
pub mod ftps;
pub mod safetp;
pub mod scenario;

pub use safetp_testbed::Host;
