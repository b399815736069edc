//! The gateway's connection: lines in, replies and descriptors out.

use std::{
    future,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsFd as _, BorrowedFd},
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::UnixStream,
};

use safetp_protocol::{
    line::{Line, LineDecoder, MAX_LINE},
    reply::Reply,
};

use crate::{
    name_encoding::NameEncoding,
    request::{BadRequest, Request},
};

/// Few octets at a time: whatever is read is cut into lines at once, and these are kept.
const READ_SIZE: usize = 512;

/// Octets that are taken while a command is being answered. The gateway sends none before the answer but while a
/// transfer runs; whoever sends more is not read, nor missed, until then.
const MAX_AHEAD: usize = 4096;

/// The gateway has gone: whatever ran in this session has failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    #[error("the gateway closed the connection")]
    Closed,
    #[error("failed to speak with the gateway: {0}")]
    Io(#[from] io::Error),
}

/// One session's connection with the gateway.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    lines: LineDecoder,
    /// Octets that came before the command before them was answered.
    ahead: usize,
    names: NameEncoding,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> Self {
        // What the gateway relays is free of telnet already; an octet 255 would be a name's.
        Self { stream, lines: LineDecoder::for_replies(MAX_LINE), ahead: 0, names: NameEncoding::default() }
    }

    /// The next line as a command. Cancelling loses nothing: what was read stays in the decoder.
    pub(crate) async fn request(&mut self) -> Result<Result<Request, BadRequest>, Lost> {
        self.ahead = 0;
        loop {
            match self.lines.next_line() {
                Some(Line::Whole(line)) => return Ok(Request::parse(&line)),
                Some(Line::TooLong) => return Ok(Err(BadRequest::TooLong)),
                None => drop(self.read().await?),
            }
        }
    }

    /// Resolves when the gateway has gone, which is how it says that its client has. Cancelling loses nothing: commands
    /// that come meanwhile wait in the decoder.
    pub(crate) async fn lost(&mut self) -> Lost {
        while self.ahead < MAX_AHEAD {
            match self.read().await {
                Ok(length) => self.ahead += length,
                Err(lost) => return lost,
            }
        }
        future::pending().await
    }

    async fn read(&mut self) -> Result<usize, Lost> {
        loop {
            self.stream.readable().await?;
            // On the stack and only now: a session that says nothing holds no buffer.
            let mut octets = [0; READ_SIZE];
            match self.stream.try_read(&mut octets) {
                Ok(0) => return Err(Lost::Closed),
                Ok(length) => {
                    self.lines.push(octets.get(..length).unwrap_or_default());
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// How names go out in the replies to come.
    pub(crate) fn set_names(&mut self, names: NameEncoding) {
        self.names = names;
    }

    /// Sends a reply.
    pub(crate) async fn send(&mut self, reply: &Reply) -> Result<(), Lost> {
        Ok(self.stream.write_all(&self.wire(reply)).await?)
    }

    fn wire(&self, reply: &Reply) -> Vec<u8> {
        if self.names == NameEncoding::default() {
            return reply.encode();
        }
        reply.clone().map_texts(|text| self.names.encode(text).into_owned()).encode()
    }

    /// Sends a reply whose first octet carries `descriptor` (`SCM_RIGHTS`).
    pub(crate) async fn send_with(&mut self, reply: &Reply, descriptor: BorrowedFd<'_>) -> Result<(), Lost> {
        let line = self.wire(reply);
        let sent =
            self.stream.async_io(Interest::WRITABLE, || send_descriptor(&self.stream, &line, descriptor)).await?;
        // The descriptor went with the first octet: what the socket did not take follows as plain octets.
        let rest = line.get(sent..).unwrap_or_default();
        Ok(self.stream.write_all(rest).await?)
    }
}

fn send_descriptor(stream: &UnixStream, line: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    Ok(sendmsg(stream.as_fd(), &[IoSlice::new(line)], &mut control, SendFlags::NOSIGNAL)?)
}
