//! The client's control connection: in the clear, then protected, the same to whoever reads and writes.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// How long the last words to a client may take.
const GOODBYE_TIME: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) enum ClientStream {
    Clear(TcpStream),
    Protected(Box<TlsStream<TcpStream>>),
    /// Being upgraded, or lost while that was tried.
    Gone,
}

impl ClientStream {
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer).await,
            Self::Protected(stream) => stream.read(buffer).await,
            Self::Gone => Ok(0),
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets).await,
            Self::Protected(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The clear connection, for an upgrade.
    pub(super) fn take_clear(&mut self) -> Option<TcpStream> {
        match std::mem::replace(self, Self::Gone) {
            Self::Clear(stream) => Some(stream),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Says that this is the end and waits a moment for the client's: a close with unread octets would become a reset,
    /// and a reset can overtake the last reply.
    pub(super) async fn say_goodbye(mut self) {
        let goodbye = async {
            match &mut self {
                Self::Clear(stream) => stream.shutdown().await?,
                Self::Protected(stream) => stream.shutdown().await?,
                Self::Gone => {}
            }
            let mut rest = [0; 512];
            while self.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // The client may be gone already; there is nobody left to tell.
        let _ = tokio::time::timeout(GOODBYE_TIME, goodbye).await;
    }
}
