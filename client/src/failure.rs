//! Why a run fails: whose fault it is, what to do next, and the exit code that says so to a script.

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

/// What most functions here return.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Everything that can end a command, one variant for each exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server said no, or asked for what this client cannot do.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The command line, or a line at the prompt, cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// The server was not reached, or was lost.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The server, or what came from it, is not what it should be.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The user was not let in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A transfer began and did not end well.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// This machine's files.
    #[error(transparent)]
    Local(#[from] LocalError),
}

impl Failure {
    /// The exit code: a promise to scripts, written down in `--help` and docs/client.md.
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

    /// What to do next, where that is known.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Refused(_) => None,
            Self::Usage(_) => Some("`safetp help` shows what can be said.".into()),
            Self::Connection(error) => error.advice(),
            Self::Security(error) => error.advice(),
            Self::Login(error) => Some(error.advice().into()),
            Self::Incomplete(_) => Some("Try again; with --continue, get and put send only what is missing.".into()),
            Self::Local(error) => error.advice().map(Into::into),
        }
    }
}

/// A wrong URL is a wrong command line.
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
