//! A line from the gateway: a client's command as it was relayed, or the gateway's own word.

use safetp_protocol::{
    command::{Command, CommandError},
    dialect::{BadPeer, Word},
};

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The gateway's own.
    Word(Word),
    /// Anything that a client can say.
    Client(Command),
}

/// Why a line is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRequest {
    #[error("That line is too long.")]
    TooLong,
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("{0}.")]
    Peer(#[from] BadPeer),
}

impl Request {
    /// Reads one line without its end.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        match Word::parse(line) {
            Some(word) => Ok(Self::Word(word?)),
            None => Ok(Self::Client(Command::parse(line)?)),
        }
    }
}

impl BadRequest {
    /// The reply's code.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::TooLong => 500,
            Self::Peer(_) => 501,
            Self::Command(error) => error.reply_code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_own_words_are_told_from_the_clients() {
        assert_eq!(Request::parse(b"XCOMPLETE"), Ok(Request::Word(Word::Complete)));
        assert_eq!(Request::parse(b"XPEER 192.0.2.1").unwrap_err().code(), 501);
        assert_eq!(Request::parse(b"NOOP"), Ok(Request::Client(Command::Noop)));
    }
}
