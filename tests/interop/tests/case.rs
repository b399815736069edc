//! The cases of a client, and their outcomes.

use std::fmt;

use safetp_config::gateway::{DataBinding, Mechanism};

/// The protection of a session.
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

/// The settings in which runs of a client differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) protection: Protection,
    /// Whether data connections resume the control connection's TLS session; without meaning for X-SafeTP1.
    pub(crate) reuse: bool,
    pub(crate) passive: Passive,
}

/// The outcome of a session of [`crate::stage::TRANSFERS`] data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Transfers that the gateway counted as complete.
    pub(crate) transfers: u64,
    pub(crate) proof: Proof,
    pub(crate) end: End,
}

/// The proof by which the gateway accepted data connections as the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The keys of X-SafeTP1.
    Keys,
    /// All resumed the session's TLS.
    Resumed,
    /// Some did: how many depends on which data ports came twice, or on timing.
    PartlyResumed,
    /// The peer's address.
    Address,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With everything transferred.
    Done,
    /// By a reply with an error code.
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
        match self.end {
            End::Done => write!(formatter, "works, {}", self.proof),
            End::Refused(code) => write!(formatter, "{code} at transfer {}", self.transfers + 1),
            End::GivenUp => write!(formatter, "gives up at transfer {}", self.transfers + 1),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Keys => "by keys",
            Self::Resumed => "all resumed",
            Self::PartlyResumed => "some resumed",
            Self::Address => "none resumed",
        })
    }
}

/// Both policies that ask for a proof.
pub(crate) const BINDINGS: [DataBinding; 2] = [DataBinding::WhenOffered, DataBinding::Required];
