//! The client's control connection, read and written alike in the clear and under TLS.

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

use crate::tls::records::Records;

/// Octets read at once: a login's worth of pipelined commands.
const PIECE: usize = 2048;
/// Time for a client to take the last reply and to close.
const GOODBYE_TIME: Duration = Duration::from_secs(2);
/// Time for a client to end TLS after CCC.
const CLEARING_TIME: Duration = Duration::from_secs(10);
/// Octets that a client may send after CCC before it ends TLS: a few commands, where most send none.
const MOST_BEFORE_CLEAR: usize = 8 * 1024;

/// The control connection of one client.
#[derive(Debug)]
pub(crate) enum ClientStream {
    Clear(TcpStream),
    Protected(Box<TlsStream<Records>>),
    /// The connection is being upgraded, or was lost in the attempt.
    Gone,
}

impl ClientStream {
    /// Reads some octets, none at the end. While nothing comes no buffer is held: most sessions are idle.
    pub(crate) async fn read(&mut self) -> io::Result<Vec<u8>> {
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

    pub(crate) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets).await,
            Self::Protected(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Takes the clear connection for an upgrade.
    pub(crate) fn take_clear(&mut self) -> Option<TcpStream> {
        match std::mem::replace(self, Self::Gone) {
            Self::Clear(stream) => Some(stream),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Ends TLS from both sides and continues in the clear. Returns the octets that came protected, before the client's
    /// end.
    pub(crate) async fn stop_tls(&mut self) -> io::Result<Vec<u8>> {
        let Self::Protected(stream) = std::mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let (stream, rest) = tokio::time::timeout(CLEARING_TIME, clear(*stream)).await.map_err(io::Error::from)??;
        *self = Self::Clear(stream);
        Ok(rest)
    }

    /// Ends our side and waits a moment for the client's end: a close with unread octets would become a reset, and a
    /// reset can overtake the last reply.
    pub(crate) async fn say_goodbye(mut self) {
        let goodbye = async {
            match &mut self {
                Self::Clear(stream) => stream.shutdown().await?,
                Self::Protected(stream) => stream.shutdown().await?,
                Self::Gone => {}
            }
            while !self.read().await?.is_empty() {}
            io::Result::Ok(())
        };
        // The client may be gone already, and then there is nothing left to do.
        let _ = tokio::time::timeout(GOODBYE_TIME, goodbye).await;
    }
}

/// Sends our `close_notify` and reads up to the client's, or up to its first octet in the clear: some clients answer
/// with their next command instead.
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
        // All octets of the record: the next record may never come.
        while count > 0 {
            rest.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if rest.len() > MOST_BEFORE_CLEAR {
                let error = "too many octets after CCC and before the end of TLS";
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            count = decrypted(&mut stream, &mut buffer)?;
        }
    }
    Ok((stream.into_inner().0.into_inner(), rest))
}

/// Reads octets that TLS has decrypted already; 0 where there are none.
fn decrypted(stream: &mut TlsStream<Records>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream.get_mut().1.reader().read(buffer) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}
