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

/// The control connection of a plain FTP client.
#[derive(Debug)]
pub(super) struct Local {
    stream: TcpStream,
    lines: LineDecoder,
    client: Client,
    own: SocketAddr,
}

/// The client's identity, which a data connection must share with its control connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The address that it connects from.
    pub(super) address: IpAddr,
    /// The UID that owns its end of the connection.
    pub(super) user: u32,
}

impl Local {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (peer, own) = (stream.peer_addr()?, stream.local_addr()?);
        let unknown = || io::Error::other("the kernel does not report the user of the connection");
        let user = owner::of_connection(peer, own)?.ok_or_else(unknown)?;
        let client = Client { address: peer.ip(), user };
        Ok(Self { stream, lines: LineDecoder::for_commands(MAX_LINE), client, own })
    }

    /// The identity of the client.
    pub(super) fn client(&self) -> Client {
        self.client
    }

    /// The address of the proxy that the client has connected to.
    pub(super) fn own(&self) -> IpAddr {
        self.own.ip()
    }

    /// The next line; `None` when the client is gone. Cancel-safe.
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

    /// Returns whether the client has closed this connection, as a killed one does. Consumes no input.
    pub(super) fn is_gone(&self) -> bool {
        let mut octet = [MaybeUninit::uninit()];
        // Asks the kernel, since the runtime may not have been notified yet.
        match SockRef::from(&self.stream).peek(&mut octet) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Sends a reply. That the client is gone is reported by the next [`Local::next_line`].
    pub(super) async fn reply(&mut self, reply: &Reply) {
        let _ = self.stream.write_all(&reply.encode()).await;
    }

    /// Sends a 421 with the reason why the session has ended.
    pub(super) async fn tell_end(&mut self, failure: &Failure) {
        self.reply(&Reply::new(421, failure.to_string())).await;
        let _ = self.stream.shutdown().await;
    }
}
