//! What the server refused, and transfers that did not end well.

use crate::{
    failure::{ConnectionError, LocalError, SecurityError},
    text::ServerText,
};

/// The server said no, or what is asked for makes no sense to it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// By a reply.
    #[error("the server refused {command}: {reply}")]
    Reply {
        /// What was asked.
        command: String,
        /// What it said.
        reply: ServerText,
    },
    /// A reply that says nothing of use.
    #[error("the server's reply to {command} is of no use: {reply}")]
    Senseless {
        /// What was asked.
        command: String,
        /// What it said.
        reply: ServerText,
    },
    /// What is here and what is there do not belong together.
    #[error("{0}")]
    Mismatch(String),
}

/// A transfer that did not end well. What came of it is never under the name that it should have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Incomplete {
    /// The server says so.
    #[error("the transfer is not complete: {0}")]
    Reply(ServerText),
    /// The end of the data is not the end of the file.
    #[error("the transfer is not complete: the data ended without {0}")]
    Truncated(&'static str),
    /// The server had more than came.
    #[error("the transfer is not complete: {received} octets came, the server has {size}")]
    Short {
        /// How many came.
        received: u64,
        /// How many there are.
        size: u64,
    },
    /// The data connection broke.
    #[error("the transfer is not complete: the data connection broke: {0}")]
    Broken(String),
    /// The data connection stood still.
    #[error("the transfer is not complete: no octet moved for {0} s")]
    Stalled(u64),
    /// The control connection went away before the server's word on the transfer.
    #[error("the transfer is not confirmed: {0}")]
    Unconfirmed(#[source] ConnectionError),
}

/// What goes wrong on a data connection, before the server's own word on it is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// See [`Incomplete`].
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// See [`SecurityError`].
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// See [`LocalError`].
    #[error(transparent)]
    Local(#[from] LocalError),
}
