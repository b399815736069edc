//! The plain client's control connection.

use std::{
    io,
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr},
};

use safetp_protocol::{
    line::{Line, LineDecoder, MAX_LINE},
    reply::Reply,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::owner;
use crate::failure::Failure;

/// A plain FTP client.
#[derive(Debug)]
pub(super) struct Local {
    stream: TcpStream,
    lines: LineDecoder,
    client: Client,
    own: SocketAddr,
}

/// Who is on the other end: what a data connection must have in common with its control connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The address that it comes from.
    pub(super) address: IpAddr,
    /// The user of this machine who runs it.
    pub(super) user: u32,
}

impl Local {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (peer, own) = (stream.peer_addr()?, stream.local_addr()?);
        let nobody = || io::Error::other("this machine does not tell whose it is");
        let user = owner::of_connection(peer, own)?.ok_or_else(nobody)?;
        let client = Client { address: peer.ip(), user };
        Ok(Self { stream, lines: LineDecoder::for_commands(MAX_LINE), client, own })
    }

    /// Who the client is.
    pub(super) fn client(&self) -> Client {
        self.client
    }

    /// The address that the client has reached the proxy by.
    pub(super) fn own(&self) -> IpAddr {
        self.own.ip()
    }

    /// The next line; `None` when the client is gone. May be cancelled without losing one.
    pub(super) async fn next_line(&mut self) -> Option<Line> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(line) = self.lines.next_line() {
                return Some(line);
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.lines.push(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Whether the client has closed this connection, as one does that is killed. Lines that wait are left waiting.
    pub(super) fn is_gone(&self) -> bool {
        let mut octet = [MaybeUninit::uninit()];
        // Asks the system, since the runtime may not have heard of it yet.
        match SockRef::from(&self.stream).peek(&mut octet) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// A client that is gone does not hear it, which [`Local::next_line`] then tells.
    pub(super) async fn reply(&mut self, reply: &Reply) {
        let _ = self.stream.write_all(&reply.encode()).await;
    }

    /// Why there is no session any more.
    pub(super) async fn tell_end(&mut self, failure: &Failure) {
        self.reply(&Reply::new(421, failure.to_string())).await;
        let _ = self.stream.shutdown().await;
    }
}
