//! The dialect that the gateway and the embedded ftpd speak over their Unix socket: its words, written and read.
//!
//! Plain FTP (RFC 959, 2389, 3659), with these differences; all of it stays inside the pod:
//! * The gateway opens one connection per client session, gets `220`, and may send [`Word::Peer`] once before USER.
//! * There are no data connections. The `150` that answers RETR, STOR, APPE, LIST, NLST or MLSD carries one file
//!   descriptor (`SCM_RIGHTS`) on the first octet of its line: the opened file itself, positioned where the transfer
//!   begins, or for a listing the reading end of a stream. PASV, EPSV, PORT, EPRT, AUTH, PBSZ and PROT are unknown.
//! * After the `150` the ftpd waits for the gateway to say how it went: [`Word::Complete`] or [`Word::Failed`]. Only
//!   then does it finish (rename an upload into place, or keep its part) and send the final reply, which the gateway
//!   passes on. A connection that ends instead means [`Cause::Other`]. While finishing takes long, `150` comes again
//!   now and then: the gateway continues to wait and passes none of them on.
//! * TYPE is known but changes nothing on the descriptor: the gateway converts TYPE A.
//! * [`Word::Digest`] is answered with the digest of the configuration that is in force, and with how far the ftpd is
//!   shut in ([`DigestAnswer`]).
//!
//! The gateway's parser of client commands ([`crate::command`]) knows none of these words, and so never relays one.

use std::{fmt, net::IpAddr, str::FromStr as _};

use crate::{command::split_verb, data_ports::SessionId};

const PEER: &str = "XPEER";
const DIGEST: &str = "XDIGEST";
const COMPLETE: &str = "XCOMPLETE";
const FAILED: &str = "XFAILED";

/// Words that the gateway sends on its own behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// `XPEER <client address> <gateway session id>`, answered by 200.
    Peer(Peer),
    /// `XDIGEST`: allowed before login, answered by 200 and a [`DigestAnswer`].
    Digest,
    /// `XCOMPLETE`: every octet of the transfer was delivered, and its end was authentic.
    Complete,
    /// `XFAILED <cause>`: the transfer broke off.
    Failed(Cause),
}

/// The client of a session, for the ftpd's log and login throttle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address.
    pub address: IpAddr,
    /// The gateway's session.
    pub session: SessionId,
}

/// Cause of a failed transfer, as far as it decides what is kept of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No space was left for the next octets. What was received is removed, or the volume would stay full.
    StorageFull,
    /// Writing to the file failed. What was received is removed, since it cannot be trusted.
    FileWrite,
    /// The client, or the way to it. What was received is kept for `REST`.
    Other,
}

/// XPEER without an address and a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{PEER} needs an address and a session")]
pub struct BadPeer;

impl Word {
    /// Reads a line without its end. None for a line that is not a word of the dialect.
    pub fn parse(line: &[u8]) -> Option<Result<Self, BadPeer>> {
        let (verb, argument) = split_verb(line);
        let word = match String::from_utf8_lossy(verb).to_ascii_uppercase().as_str() {
            PEER => Peer::parse(argument).map(Self::Peer).ok_or(BadPeer),
            DIGEST => Ok(Self::Digest),
            COMPLETE => Ok(Self::Complete),
            FAILED => Ok(Self::Failed(Cause::parse(argument))),
            _ => return None,
        };
        Some(word)
    }

    /// The line, with its end.
    pub fn line(self) -> Vec<u8> {
        format!("{self}\r\n").into_bytes()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(peer) => write!(f, "{PEER} {peer}"),
            Self::Digest => f.write_str(DIGEST),
            Self::Complete => f.write_str(COMPLETE),
            Self::Failed(cause) => write!(f, "{FAILED} {}", cause.name()),
        }
    }
}

impl Peer {
    fn parse(argument: &[u8]) -> Option<Self> {
        let (address, session) = std::str::from_utf8(argument).ok()?.trim().split_once(' ')?;
        Some(Self { address: IpAddr::from_str(address).ok()?, session: SessionId(session.parse().ok()?) })
    }
}

/// As logs show it.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.session.0)
    }
}

impl Cause {
    const ALL: [Self; 3] = [Self::StorageFull, Self::FileWrite, Self::Other];

    fn name(self) -> &'static str {
        match self {
            Self::StorageFull => "storage_full",
            Self::FileWrite => "file_write",
            Self::Other => "other",
        }
    }

    fn parse(argument: &[u8]) -> Self {
        let named = |cause: &Self| cause.name().as_bytes() == argument.trim_ascii();
        Self::ALL.into_iter().find(named).unwrap_or(Self::Other)
    }
}

/// The text of the 200 that answers [`Word::Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestAnswer<'a> {
    /// Digest of the configuration in force.
    pub digest: &'a str,
    /// Name of the degree to which Landlock is in force, if stated.
    pub landlock: Option<&'a str>,
}

impl<'a> DigestAnswer<'a> {
    /// Reads the text of the reply. None without a digest.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        Some(Self { digest: words.next()?, landlock: words.next() })
    }
}

impl fmt::Display for DigestAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digest)?;
        self.landlock.map_or(Ok(()), |landlock| write!(f, " {landlock}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;

    fn peer(address: &str) -> Word {
        Word::Peer(Peer { address: address.parse().unwrap(), session: SessionId(7) })
    }

    #[test]
    fn every_word_is_read_as_it_was_written_and_is_not_a_client_command() {
        let causes = Cause::ALL.map(Word::Failed);
        for word in [peer("192.0.2.1"), peer("2001:db8::1"), Word::Digest, Word::Complete].into_iter().chain(causes) {
            let line = word.line();
            let line = line.strip_suffix(b"\r\n").unwrap();
            assert_eq!(Word::parse(line), Some(Ok(word)));
            assert_eq!(Command::parse(line), Ok(Command::Unknown));
        }
    }

    #[test]
    fn the_case_of_a_verb_and_an_unknown_cause_do_not_matter() {
        assert_eq!(Word::parse(b"xpeer 192.0.2.1 7"), Some(Ok(peer("192.0.2.1"))));
        for line in ["XFAILED", "xfailed ", "XFAILED of the moon"] {
            assert_eq!(Word::parse(line.as_bytes()), Some(Ok(Word::Failed(Cause::Other))));
        }
    }

    #[test]
    fn xpeer_without_its_arguments_is_an_error_and_other_lines_are_not_words() {
        for line in ["XPEER", "XPEER 192.0.2.1", "XPEER 192.0.2.1 x", "XPEER here 7", "XPEER 192.0.2.1:21 7"] {
            assert_eq!(Word::parse(line.as_bytes()), Some(Err(BadPeer)));
        }
        for line in ["", "NOOP", "XPEERS 192.0.2.1 7", "XCOMPLETED"] {
            assert_eq!(Word::parse(line.as_bytes()), None);
        }
    }

    #[test]
    fn the_answer_with_the_digest_is_read_as_it_was_written() {
        for landlock in [Some("Full"), None] {
            let answer = DigestAnswer { digest: "sha256:00", landlock };
            assert_eq!(DigestAnswer::parse(&answer.to_string()), Some(answer));
        }
        assert_eq!(DigestAnswer::parse(""), None);
    }
}
