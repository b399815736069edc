//! The errors of the test bed.

use std::{fmt::Display, io};

/// Why an operation of the test bed failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused an operation.
    #[error("failed to {doing}: {source}")]
    Io {
        /// The operation.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
    /// A program failed.
    #[error("failed to {doing}:\n{detail}")]
    Failed {
        /// The operation.
        doing: String,
        /// The end of what the program printed, and where the rest is.
        detail: String,
    },
    /// The machine lacks something that the test bed cannot install.
    #[error("{0}")]
    Missing(String),
    /// Something did not happen in time.
    #[error("timed out after {seconds} s waiting for {what}; {hint}")]
    TimedOut {
        /// The event that was waited for.
        what: String,
        /// The limit, in seconds.
        seconds: u64,
        /// Where to look for the cause.
        hint: String,
    },
}

/// The result of every operation of the test bed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds the operation to an error of the system.
pub(crate) trait Doing<T> {
    /// Turns an I/O error into [`Error::Io`].
    fn doing(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl Display) -> Result<T> {
        self.map_err(|source| Error::Io { doing: doing.to_string(), source: source.into() })
    }
}
