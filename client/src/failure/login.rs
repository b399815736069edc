//! The user was not logged in.

use crate::text::ServerText;

/// The user was not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
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

impl LoginError {
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "Check the name, and the password in SAFETP_PASSWORD or ~/.netrc.",
            Self::Unsendable { .. } => "Correct SAFETP_PASSWORD or ~/.netrc.",
            Self::NoPassword { .. } => "Put it into the variable SAFETP_PASSWORD or into ~/.netrc.",
            Self::NoUser => "Write the name into the URL, safetp://NAME@host/, or into ~/.netrc.",
        }
    }
}
