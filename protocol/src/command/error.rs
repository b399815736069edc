//! Errors in command lines, and the replies to them.

use crate::reply::Reply;

/// Reason for which a line is not a command. None of these ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The line does not begin with a verb.
    #[error("this line is not a command")]
    NoVerb,
    /// CR, LF or NUL inside of the argument.
    #[error("an argument must not contain CR, LF or NUL")]
    HarmfulArgument,
    /// The verb needs an argument.
    #[error("this command needs an argument")]
    NoArgument,
    /// The argument is not of the form that the verb wants.
    #[error("invalid argument for this command")]
    BadArgument,
    /// The argument should be base64 and is not (RFC 4648 §4).
    #[error("the argument is not base64")]
    NotBase64,
    /// The type, by its letter, is not offered.
    #[error("only TYPE A and TYPE I are offered")]
    TypeNotOffered,
}

impl CommandError {
    /// The code of the reply to such a line (RFC 959 §4.2.2).
    pub fn reply_code(self) -> u16 {
        match self {
            Self::NoVerb => 500,
            Self::HarmfulArgument | Self::NoArgument | Self::BadArgument | Self::NotBase64 => 501,
            Self::TypeNotOffered => 504,
        }
    }

    /// The reply to such a line.
    pub(crate) fn reply(self) -> Reply {
        Reply::new(self.reply_code(), format!("Not understood: {self}."))
    }
}
