//! Reasons for which a transfer fails: the fault, the client's reply and the ftpd's cause of each.

use crate::{dialect::Cause, pace::LEAST_RATE, reply::Reply};

/// The party at fault: the first question of a person who reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The client or the network before it.
    Client,
    /// The file server or its storage.
    Backend,
    /// The configuration, or a firewall.
    Configuration,
    /// The gateway.
    Internal,
}

impl Blame {
    /// The name for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Backend => "backend",
            Self::Configuration => "configuration",
            Self::Internal => "internal",
        }
    }
}

/// Reason for which a transfer failed. Its name is the metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// No data connection came.
    #[error("no data connection came in time: a firewall may block the data ports")]
    NoConnection,
    /// The TLS handshake on the data connection failed.
    #[error("the TLS handshake on the data connection failed")]
    Handshake,
    /// The data connection did not prove that it belongs to this session.
    #[error("the data connection does not resume this session's TLS session")]
    NotBound,
    /// Connections came, and none of them proved to be this session's.
    #[error("no data connection proved to be this session's by its TLS session; try again, or connect again")]
    Unproven,
    /// The client could not be dialled in active mode.
    #[error("the client could not be dialled: a firewall may be in the way; use PASV or EPSV")]
    Unreachable,
    /// An upload ended without TLS's `close_notify`, or without X-SafeTP1's last block.
    #[error("the data connection ended without close_notify or the last block, so the upload may be truncated")]
    Truncated,
    /// A record or block did not verify.
    #[error("data on the data connection did not verify: it was changed in transit")]
    Tampered,
    /// The data connection broke.
    #[error("the data connection broke")]
    ConnectionLost,
    /// Fewer octets moved than [`LEAST_RATE`] wants.
    #[error("the data connection moved fewer than {rate} octets a second over {seconds} seconds", rate = LEAST_RATE)]
    Stalled {
        /// The window.
        seconds: u32,
    },
    /// The client sent ABOR.
    #[error("the transfer was aborted")]
    Aborted,
    /// The gateway shuts down, and its time for running transfers is over.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// The file could not be read.
    #[error("the file server could not read the file")]
    FileRead,
    /// The file could not be written.
    #[error("the file server could not write the file")]
    FileWrite,
    /// No space is left, or the quota is used up.
    #[error("the file server has no space left for this file")]
    StorageFull,
    /// The backend's 150 came without its descriptor.
    #[error("the file server did not hand over a file")]
    NoDescriptor,
    /// A bug.
    #[error("the gateway failed")]
    Internal,
}

impl Failure {
    /// The name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoConnection => "no_connection",
            Self::Handshake => "handshake",
            Self::NotBound => "not_bound",
            Self::Unproven => "unproven",
            Self::Unreachable => "unreachable",
            Self::Truncated => "truncated",
            Self::Tampered => "tampered",
            Self::ConnectionLost => "connection_lost",
            Self::Stalled { .. } => "stalled",
            Self::Aborted => "aborted",
            Self::ShuttingDown => "shutting_down",
            Self::FileRead => "file_read",
            Self::FileWrite => "file_write",
            Self::StorageFull => "storage_full",
            Self::NoDescriptor => "no_descriptor",
            Self::Internal => "internal",
        }
    }

    /// The cause as the ftpd gets it.
    pub fn cause(self) -> Cause {
        match self {
            Self::StorageFull => Cause::StorageFull,
            Self::FileWrite => Cause::FileWrite,
            Self::NoConnection
            | Self::Handshake
            | Self::NotBound
            | Self::Unproven
            | Self::Unreachable
            | Self::Truncated
            | Self::Tampered
            | Self::ConnectionLost
            | Self::Stalled { .. }
            | Self::Aborted
            | Self::ShuttingDown
            | Self::FileRead
            | Self::NoDescriptor
            | Self::Internal => Cause::Other,
        }
    }

    /// The party at fault.
    pub fn blame(self) -> Blame {
        match self {
            Self::NoConnection | Self::Unreachable => Blame::Configuration,
            Self::Handshake
            | Self::NotBound
            | Self::Unproven
            | Self::Truncated
            | Self::Tampered
            | Self::ConnectionLost
            | Self::Stalled { .. }
            | Self::Aborted => Blame::Client,
            Self::FileRead | Self::FileWrite | Self::StorageFull | Self::NoDescriptor => Blame::Backend,
            Self::ShuttingDown | Self::Internal => Blame::Internal,
        }
    }

    /// The last reply of the transfer.
    pub fn reply(self) -> Reply {
        let code = match self {
            Self::NoConnection | Self::Unproven | Self::Unreachable => 425,
            Self::Handshake | Self::NotBound => 522,
            Self::StorageFull => 452,
            Self::FileRead | Self::FileWrite | Self::NoDescriptor | Self::Internal => 451,
            Self::Truncated
            | Self::Tampered
            | Self::ConnectionLost
            | Self::Stalled { .. }
            | Self::Aborted
            | Self::ShuttingDown => 426,
        };
        let text = self.to_string();
        let mut letters = text.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        Reply::new(code, capital.into_iter().chain(letters).chain(['.']).collect::<String>())
    }
}
