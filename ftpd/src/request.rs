//! A line from the gateway: a client's command as it was relayed, or the gateway's own word.

use safetp_config::ftpd::{COMPLETE, DIGEST, FAILED, FILE_WRITE, PEER, STORAGE_FULL};
use safetp_protocol::command::{Command, CommandError};

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// XPEER.
    Peer(String),
    /// XDIGEST.
    Digest,
    /// XCOMPLETE.
    Complete,
    /// XFAILED.
    Failed(Cause),
    /// Anything that a client can say.
    Client(Command),
}

/// Why a transfer failed, as far as it matters for what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No space was left for the next octets.
    Full,
    /// The volume did not take the octets.
    Volume,
    /// The client, or the way to it.
    Other,
}

impl Cause {
    fn parse(reason: &[u8]) -> Self {
        match reason.trim_ascii() {
            reason if reason == STORAGE_FULL.as_bytes() => Self::Full,
            reason if reason == FILE_WRITE.as_bytes() => Self::Volume,
            _ => Self::Other,
        }
    }
}

/// Why a line is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRequest {
    #[error("That line is too long.")]
    TooLong,
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Request {
    /// Reads one line without its end. The dialect's verbs stand beside the client's, for the gateway's parser knows
    /// none of them and so never relays one.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, BadRequest> {
        let (verb, argument) = match line.iter().position(|octet| *octet == b' ') {
            Some(at) => line.split_at(at),
            None => (line, [].as_slice()),
        };
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        if is(PEER) {
            return Ok(Self::Peer(String::from_utf8_lossy(argument).trim().to_owned()));
        }
        Ok(match verb {
            _ if is(COMPLETE) => Self::Complete,
            _ if is(FAILED) => Self::Failed(Cause::parse(argument)),
            _ if is(DIGEST) => Self::Digest,
            _ => Self::Client(Command::parse(line)?),
        })
    }
}

impl BadRequest {
    /// The reply's code.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::TooLong => 500,
            Self::Command(error) => error.reply_code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use safetp_protocol::session::Failure;

    use super::*;

    #[test]
    fn the_gateways_own_words_are_told_from_the_clients() {
        assert_eq!(Request::parse(b"XCOMPLETE"), Ok(Request::Complete));
        assert_eq!(Request::parse(b"xpeer 192.0.2.1 7"), Ok(Request::Peer("192.0.2.1 7".into())));
        let failed = |reason: &str| Request::parse(format!("XFAILED {reason}").as_bytes());
        assert_eq!(Request::parse(b"XFAILED"), Ok(Request::Failed(Cause::Other)));
        assert_eq!(failed(Failure::Truncated.name()), Ok(Request::Failed(Cause::Other)));
        assert_eq!(failed(Failure::StorageFull.name()), Ok(Request::Failed(Cause::Full)));
        assert_eq!(failed(Failure::FileWrite.name()), Ok(Request::Failed(Cause::Volume)));
        assert_eq!(Request::parse(b"NOOP"), Ok(Request::Client(Command::Noop)));
    }
}
