//! The contract between the operator, which writes, and the pod, which reads.
//!
//! Nothing here does I/O. A file of the pod is one type ([`gateway::GatewayConfig`], [`ftpd::FtpdConfig`],
//! [`ftpd::Users`]), its place in the pod is in [`paths`], and what both sides compare to know whether a change is in
//! force is a [`Digest`] over the bytes that were written and the bytes that were read.

pub mod address;
pub mod ftpd;
pub mod gateway;
pub mod paths;
pub mod ports;
pub mod status;

mod digest;

pub use digest::Digest;

/// Why a file between operator and pod could not be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to read {file}: {source}; the operator writes this file, so operator and pod are of different versions or it was edited by hand"
)]
pub struct ConfigError {
    /// The name of the file in its volume.
    pub file: &'static str,
    /// What the parser found.
    pub source: serde_json::Error,
}
