//! Why a run fails: whose fault it is, what to do next, and the exit code that says so to a script.

use std::{
    io,
    path::{Path, PathBuf},
};

mod connection;
mod security;
mod transfer;

pub use connection::ConnectionError;
pub use security::SecurityError;
pub use transfer::{DataError, Incomplete, Refusal};

use crate::text::ServerText;

/// What most functions here return.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Everything that can end a command, one variant for each exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
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

/// The user was not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server said so.
    #[error("{user} was not let in: {reply}")]
    Refused {
        /// Who wanted to log in.
        user: String,
        /// What the server said.
        reply: ServerText,
    },
    /// PASS is one line.
    #[error("the password of {user} cannot be sent: it has a line end or a NUL in it")]
    Unsendable {
        /// Who wanted to log in.
        user: String,
    },
    /// The server wants a password and there is none.
    #[error("a password for {user} is needed, and there is no terminal to ask at")]
    NoPassword {
        /// Who wanted to log in.
        user: String,
    },
    /// Nobody said who logs in.
    #[error("nobody said who logs in")]
    NoUser,
}

/// A file of this machine.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The system said no.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system lets us, but it would not be right.
    #[error("{}: {reason}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The terminal, or what stands in for it.
    #[error("failed to {action}: {source}")]
    Terminal {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl Failure {
    /// The exit code: a promise to scripts, written down in `--help` and docs/client.md.
    pub fn exit_code(&self) -> u8 {
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
    pub fn advice(&self) -> Option<String> {
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

impl LoginError {
    fn advice(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "Check the name, and the password in SAFETP_PASSWORD or ~/.netrc.",
            Self::Unsendable { .. } => "Correct SAFETP_PASSWORD or ~/.netrc.",
            Self::NoPassword { .. } => "Put it into the variable SAFETP_PASSWORD or into ~/.netrc.",
            Self::NoUser => "Write the name into the URL, safetp://NAME@host/, or into ~/.netrc.",
        }
    }
}

impl LocalError {
    /// For `map_err`: what was tried on which file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err`: what was tried at the terminal.
    pub(crate) fn terminal(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Terminal { action, source }
    }

    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Unfit { advice, .. } => Some(advice),
            Self::File { .. } | Self::Terminal { .. } => None,
        }
    }
}
