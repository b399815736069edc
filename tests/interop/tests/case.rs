//! What a client is told, and what came of it.

use std::fmt;

use safetp_config::gateway::{DataBinding, Mechanism};

/// What protects the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Tls12,
    Tls13,
    SafeTp1,
}

/// The command that opens data ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passive {
    Epsv,
    Pasv,
}

/// How one run of a client differs from another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) protection: Protection,
    /// Whether data connections resume the control connection's TLS session; without meaning for X-SafeTP1.
    pub(crate) reuse: bool,
    pub(crate) passive: Passive,
}

/// What came of a session of [`crate::stage::TRANSFERS`] data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Transfers that the gateway called complete.
    pub(crate) transfers: u64,
    /// Data connections that resumed their session's TLS.
    pub(crate) resumed: u64,
    /// Data connections that were bound by keys.
    pub(crate) keyed: u64,
    pub(crate) end: End,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With everything transferred.
    Done,
    /// By a reply that said no.
    Refused(u16),
    /// By the client, which did not wait for a reply when TLS failed on a data connection.
    GivenUp,
}

impl Protection {
    pub(crate) fn mechanism(self) -> Mechanism {
        match self {
            Self::Tls12 | Self::Tls13 => Mechanism::Tls,
            Self::SafeTp1 => Mechanism::SafeTp1,
        }
    }

    /// The number of the TLS version.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
            Self::SafeTp1 => panic!("no TLS"),
        }
    }
}

impl Passive {
    /// The code of its reply.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Epsv => "229",
            Self::Pasv => "227",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
            Self::SafeTp1 => "X-SafeTP1",
        })
    }
}

impl fmt::Display for Passive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Epsv => "EPSV",
            Self::Pasv => "PASV",
        })
    }
}

/// As a cell of the page.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { end: End::Refused(code), transfers, .. } => {
                write!(formatter, "{code} at transfer {}", transfers + 1)
            }
            Self { end: End::GivenUp, transfers, .. } => write!(formatter, "gives up at transfer {}", transfers + 1),
            Self { keyed, transfers, .. } if keyed == transfers => write!(formatter, "works, by keys"),
            Self { resumed: 0, .. } => write!(formatter, "works, none resumed"),
            Self { resumed, transfers, .. } if resumed == transfers => write!(formatter, "works, all resumed"),
            Self { resumed, .. } => write!(formatter, "works, {resumed} resumed"),
        }
    }
}

/// Both policies that ask for a proof.
pub(crate) const BINDINGS: [DataBinding; 2] = [DataBinding::WhenOffered, DataBinding::Required];
