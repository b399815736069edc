//! The client's control connection: in the clear, then protected, the same to whoever reads and writes.

use std::{
    future::poll_fn,
    io::{self, Read as _},
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::records::Records;

/// Octets read at once: a login's worth of pipelined commands.
const PIECE: usize = 2048;
/// How long the last words to a client may take.
const GOODBYE_TIME: Duration = Duration::from_secs(2);
/// How long a client may take to end TLS behind CCC.
const CLEARING_TIME: Duration = Duration::from_secs(10);
/// Octets that a client may send after CCC before it ends TLS: a few commands, where most send none.
const MOST_BEFORE_CLEAR: usize = 8 * 1024;

#[derive(Debug)]
pub(super) enum ClientStream {
    Clear(TcpStream),
    Protected(Box<TlsStream<Records>>),
    /// Being upgraded, or lost while that was tried.
    Gone,
}

impl ClientStream {
    /// What has come; nothing at the end. While nothing comes no buffer is held: most sessions are idle.
    pub(super) async fn read(&mut self) -> io::Result<Vec<u8>> {
        poll_fn(|context| {
            let mut buffer = [0; PIECE];
            let mut buffer = ReadBuf::new(&mut buffer);
            ready!(match self {
                Self::Clear(stream) => Pin::new(stream).poll_read(context, &mut buffer),
                Self::Protected(stream) => Pin::new(stream).poll_read(context, &mut buffer),
                Self::Gone => Poll::Ready(Ok(())),
            })?;
            Poll::Ready(Ok(buffer.filled().to_vec()))
        })
        .await
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

    /// Ends TLS from both sides and goes on in the clear. What is returned came protected, before the client's end.
    pub(super) async fn stop_tls(&mut self) -> io::Result<Vec<u8>> {
        let Self::Protected(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let (stream, rest) = tokio::time::timeout(CLEARING_TIME, clear(*stream)).await.map_err(io::Error::from)??;
        *self = Self::Clear(stream);
        Ok(rest)
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
            while !self.read().await?.is_empty() {}
            io::Result::Ok(())
        };
        // The client may be gone already; there is nobody left to tell.
        let _ = tokio::time::timeout(GOODBYE_TIME, goodbye).await;
    }
}

/// Some clients do not answer with a `close_notify` of their own, but with their next command.
async fn clear(mut stream: TlsStream<Records>) -> io::Result<(TcpStream, Vec<u8>)> {
    stream.get_mut().1.send_close_notify();
    stream.flush().await?;
    let mut rest = Vec::new();
    let mut buffer = [0; 512];
    while stream.get_ref().0.continues().await? {
        let mut count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        // All that its record brought: the next one may never come.
        while count > 0 {
            rest.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if rest.len() > MOST_BEFORE_CLEAR {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "too much came after CCC before the end of TLS",
                ));
            }
            count = decrypted(&mut stream, &mut buffer)?;
        }
    }
    Ok((stream.into_inner().0.into_inner(), rest))
}

/// Octets that TLS has ready; 0 where there are none now.
fn decrypted(stream: &mut TlsStream<Records>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream.get_mut().1.reader().read(buffer) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}
