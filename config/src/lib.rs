//! The contract between the operator, which writes, and the pod, which reads.
//!
//! Nothing here does I/O. Each file of the pod is one type ([`gateway::GatewayConfig`], [`ftpd::FtpdConfig`],
//! [`ftpd::Users`]), and its place in the pod is in [`paths`]. To know whether a change is in force, both sides compare
//! a [`Digest`] of the bytes that were written with one of the bytes that were read.

pub mod address;
pub mod ftpd;
pub mod gateway;
pub mod paths;
pub mod ports;
pub mod status;

mod digest;

pub use digest::Digest;

/// Error of a file between operator and pod that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to read {file}: {source}; the operator writes this file, so operator and pod are of different versions, or \
     it was edited by hand"
)]
pub struct ConfigError {
    /// The name of the file in its volume.
    pub file: &'static str,
    /// Error of the parser.
    pub source: serde_json::Error,
}
