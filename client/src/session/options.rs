//! The options of a session, as the command line gives them.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;
use safetp_protocol::security::safetp1::BlockSize;

use crate::{known_servers::KnownServers, session::Dialogue};

/// The mechanism that protects a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// TLS by AUTH (RFC 4217).
    Tls,
    /// X-SafeTP1 (docs/x-safetp1.md).
    #[value(name = "x-safetp1")]
    SafeTp1,
}

/// The protection of data connections (RFC 2228, PROT). No mechanism here offers E.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataLevel {
    /// No protection.
    C,
    /// Integrity only (X-SafeTP1).
    S,
    /// Integrity and privacy.
    P,
}

/// The only version of TLS to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[value(name = "1.2")]
    V1_2,
    /// TLS 1.3 (RFC 8446).
    #[value(name = "1.3")]
    V1_3,
}

/// The options of a session.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `None`: TLS, or X-SafeTP1 with a known key where no TLS is listed.
    pub(crate) mechanism: Option<Mechanism>,
    /// No protection at all, by `--insecure-clear-text`.
    pub(crate) insecure_clear_text: bool,
    pub(crate) level: DataLevel,
    /// The largest protected block under X-SafeTP1.
    pub(crate) block_size: BlockSize,
    /// The server opens the data connections.
    pub(crate) active: bool,
    /// The time limit on each step.
    pub(crate) timeout: Duration,
    /// A PEM file of the certificates to trust in place of the system's.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) tls_version: Option<TlsVersion>,
    pub(crate) known_servers: KnownServers,
    /// An unknown X-SafeTP1 key is stored without asking.
    pub(crate) accept_new_key: bool,
    pub(crate) dialogue: Dialogue,
}
