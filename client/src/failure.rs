//! The reasons why a run fails: whose fault it is, what to do next, and the exit code for scripts.

mod connection;
mod local;
mod login;
mod security;
mod transfer;

pub(crate) use connection::ConnectionError;
pub(crate) use local::LocalError;
pub(crate) use login::LoginError;
pub(crate) use security::SecurityError;
pub(crate) use transfer::{DataError, Incomplete, Refusal};

use crate::url::UrlError;

/// The result of most functions of this crate.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The reason why a command failed, one variant for each exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server refused, or its file does not match the local one.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The command line, or a line at the prompt, is invalid.
    #[error("{0}")]
    Usage(String),
    /// The server could not be reached, or the connection was lost.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A security check failed.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A transfer began and is incomplete.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// A local file or the terminal could not be used.
    #[error(transparent)]
    Local(#[from] LocalError),
}

impl Failure {
    /// The exit code: a promise to scripts, documented in `--help` and docs/client.md.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Connection(_) => 3,
            Self::Security(_) => 4,
            Self::Login(_) => 5,
            Self::Incomplete(_) => 6,
            Self::Local(_) => 7,
        }
    }

    /// The advice on what to do next, where there is one.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Refused(_) => None,
            Self::Usage(_) => Some("`safetp help` lists the commands and options.".into()),
            Self::Connection(error) => error.advice(),
            Self::Security(error) => error.advice(),
            Self::Login(error) => Some(error.advice().into()),
            Self::Incomplete(_) => {
                Some("Try again; with --continue, get and put transfer only what is missing.".into())
            }
            Self::Local(error) => error.advice().map(Into::into),
        }
    }
}

/// An invalid URL is an invalid command line.
impl From<UrlError> for Failure {
    fn from(error: UrlError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Incomplete(error) => error.into(),
            DataError::Security(error) => error.into(),
            DataError::Local(error) => error.into(),
        }
    }
}
