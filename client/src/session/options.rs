//! How a session is to be: what the command line says, as types.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;
use safetp_protocol::security::safetp1::BlockSize;

use crate::{known_servers::KnownServers, session::Dialogue};

/// What protects the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// RFC 4217.
    Tls,
    /// docs/x-safetp1.md.
    #[value(name = "x-safetp1")]
    SafeTp1,
}

/// RFC 2228's protection of data connections; E is offered by no mechanism here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataLevel {
    /// In the clear.
    C,
    /// With integrity alone; X-SafeTP1 only.
    S,
    /// With integrity and privacy.
    P,
}

/// A version of TLS, where only one is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsVersion {
    /// RFC 5246.
    #[value(name = "1.2")]
    V1_2,
    /// RFC 8446.
    #[value(name = "1.3")]
    V1_3,
}

/// How a session is to be.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// What protects the session; none: TLS, or X-SafeTP1 with a known key where no TLS is listed.
    pub(crate) mechanism: Option<Mechanism>,
    /// The person has said so in as many words: no protection at all.
    pub(crate) insecure_clear_text: bool,
    /// The protection of data connections.
    pub(crate) level: DataLevel,
    /// The largest block under X-SafeTP1.
    pub(crate) block_size: BlockSize,
    /// The server dials this client for data.
    pub(crate) active: bool,
    /// How long any one step may take.
    pub(crate) timeout: Duration,
    /// Certificates of the CAs to trust, in place of the system's.
    pub(crate) ca: Option<PathBuf>,
    /// The only version of TLS to speak.
    pub(crate) tls_version: Option<TlsVersion>,
    /// The keys that are known.
    pub(crate) known_servers: KnownServers,
    /// An unknown key is stored without a question.
    pub(crate) accept_new_key: bool,
    /// What of the dialogue is shown.
    pub(crate) dialogue: Dialogue,
}
