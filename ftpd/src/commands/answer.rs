//! What the session sends after a command.

use safetp_protocol::reply::Reply;

use crate::{files::Refusal, transfer::Transfer};

/// The answer to one command.
#[derive(Debug)]
pub(crate) enum Answer {
    /// One reply.
    Reply(Reply),
    /// A 150 with a descriptor, and a reply when the gateway has said how it went.
    Transfer(Box<Transfer>),
    /// A reply and the end of the session.
    Goodbye(Reply),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Reply(refusal.into())
    }
}

impl Answer {
    pub(super) fn reply(code: u16, text: impl Into<Vec<u8>>) -> Self {
        Self::Reply(Reply::new(code, text))
    }
}
