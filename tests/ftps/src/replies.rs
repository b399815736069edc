//! Replies as a client reads them (RFC 959 §4.2).

use std::{fmt, io};

use safetp_protocol::reply::{self, ReplyDecoder, ReplyError};

/// One reply, of one line or more.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its three digits.
    pub code: u16,
    /// All of it as it came over the wire. Octets that are not UTF-8 are replaced.
    pub wire: String,
}

/// Why a reply did not come.
#[derive(Debug, thiserror::Error)]
pub enum NoReply {
    /// An orderly end, with nothing before it.
    #[error("the server closed the control connection")]
    Closed,
    /// Nothing came for 30 s.
    #[error("no reply came in time")]
    TimedOut,
    /// A reset, or an end of TLS that is not authentic.
    #[error("the control connection failed")]
    Failed(#[source] io::Error),
    /// Octets that are not a reply.
    #[error("not a reply")]
    Malformed(#[source] ReplyError),
}

impl Reply {
    /// The text of its last line.
    pub fn text(&self) -> &str {
        self.wire.lines().last().and_then(|line| line.get(4..)).unwrap_or_default()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.wire.trim_end())
    }
}

impl From<reply::Reply> for Reply {
    fn from(reply: reply::Reply) -> Self {
        Self { code: reply.code().number(), wire: String::from_utf8_lossy(&reply.encode()).into_owned() }
    }
}

/// Reads the next reply from a control connection.
pub(crate) fn read(stream: &mut impl io::Read, decoder: &mut ReplyDecoder) -> Result<Reply, NoReply> {
    let mut buffer = [0; 1024];
    loop {
        if let Some(reply) = decoder.next_reply().map_err(NoReply::Malformed)? {
            return Ok(reply.into());
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(NoReply::Closed),
            Ok(count) => decoder.push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(NoReply::TimedOut),
            Err(error) => return Err(NoReply::Failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use super::*;

    #[test]
    fn a_reply_of_several_lines_is_read_whole_and_its_text_is_that_of_the_last() {
        let wire = "211-Features:\r\n MDTM\r\n 211 of something\r\n211 End.\r\n200 Next.\r\n";
        let (mut stream, mut decoder) = (wire.as_bytes(), ReplyDecoder::default());
        let features = read(&mut stream, &mut decoder).unwrap();
        assert_eq!((features.code, features.text()), (211, "End."));
        assert!(features.wire.contains(" MDTM\r\n"), "{features:?}");
        assert_eq!(read(&mut stream, &mut decoder).unwrap().wire, "200 Next.\r\n");
        assert!(matches!(read(&mut stream, &mut decoder), Err(NoReply::Closed)));
    }

    #[test]
    fn what_is_not_a_reply_is_an_error() {
        let answer = read(&mut "HTTP/1.1 400 Bad Request\r\n".as_bytes(), &mut ReplyDecoder::default());
        assert!(matches!(answer, Err(NoReply::Malformed(_))), "{answer:?}");
    }
}
