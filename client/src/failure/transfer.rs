//! Refusals of the server (exit code 1) and incomplete transfers (exit code 6).

use crate::{
    failure::{ConnectionError, LocalError, SecurityError},
    text::ServerText,
};

/// The server refused, or its file does not match the local one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A negative reply.
    #[error("the server refused {command}: {reply}")]
    Reply { command: String, reply: ServerText },
    /// A positive reply without the expected content.
    #[error("the server's reply to {command} cannot be understood: {reply}")]
    BadReply { command: String, reply: ServerText },
    /// The local file and the server's are not versions of each other.
    #[error("{0}")]
    Mismatch(String),
}

/// An incomplete transfer. What has arrived never gets the name of the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Incomplete {
    /// The server did not confirm the transfer.
    #[error("the transfer is not complete: {0}")]
    Reply(ServerText),
    /// The data ended without the mark of an authentic end.
    #[error("the transfer is not complete: the data ended without {0}")]
    Truncated(&'static str),
    /// Fewer octets arrived than SIZE announced.
    #[error("the transfer is not complete: received {received} of {size} octets")]
    Short { received: u64, size: u64 },
    /// The data connection broke.
    #[error("the transfer is not complete: the data connection broke: {0}")]
    Broken(String),
    /// The data connection stalled for this many seconds.
    #[error("the transfer is not complete: no data for {0} s")]
    Stalled(u64),
    /// The control connection was lost before the reply that confirms the transfer.
    #[error("the transfer is not confirmed: {0}")]
    Unconfirmed(#[source] ConnectionError),
}

/// A failure of a data connection, before the server's reply to the transfer is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    #[error(transparent)]
    Security(#[from] SecurityError),
    #[error(transparent)]
    Local(#[from] LocalError),
}
