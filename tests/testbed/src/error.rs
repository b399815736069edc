use std::{fmt::Display, io};

/// Why the test bed could not do something, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused an operation.
    #[error("failed to {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
    /// A program ended with an error, or could not do what it was told.
    #[error("failed to {doing}:\n{detail}")]
    Failed {
        /// What was being done.
        doing: String,
        /// The end of what the program printed, and where the rest is.
        detail: String,
    },
    /// The machine lacks something that the test bed cannot bring.
    #[error("{0}")]
    Missing(String),
    /// Something did not come about in time.
    #[error("{what} did not happen within {seconds} s; {hint}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// Where to look.
        hint: String,
    },
}

/// What everything here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what was being done when the system refused it.
pub(crate) trait Doing<T> {
    /// Turns an I/O error into [`Error::Io`].
    fn doing(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl Display) -> Result<T> {
        self.map_err(|source| Error::Io { doing: doing.to_string(), source: source.into() })
    }
}
