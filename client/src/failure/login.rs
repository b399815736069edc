//! Failures of the login (exit code 5).

use crate::text::ServerText;

/// The reason why the user is not logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The server refused USER or PASS.
    #[error("login of {user} failed: {reply}")]
    Refused { user: String, reply: ServerText },
    /// The password does not fit into the one line of PASS.
    #[error("the password of {user} cannot be sent: it contains a line end or a NUL")]
    Unsendable { user: String },
    /// The server asks for a password and none is known.
    #[error("no password for {user}, and no terminal to ask for one")]
    NoPassword { user: String },
    /// No user name is known.
    #[error("no user name given")]
    NoUser,
}

impl LoginError {
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "Check the user name, and the password in SAFETP_PASSWORD or ~/.netrc.",
            Self::Unsendable { .. } => "Correct SAFETP_PASSWORD or ~/.netrc.",
            Self::NoPassword { .. } => "Set the variable SAFETP_PASSWORD, or add the password to ~/.netrc.",
            Self::NoUser => "Give it in the URL, safetp://NAME@host/, or in ~/.netrc.",
        }
    }
}
