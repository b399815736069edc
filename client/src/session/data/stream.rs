//! The octets of one data connection: in the clear, by TLS, or as blocks of X-SafeTP1.
//!
//! Nothing here decides that a file is complete. [`DataStream::receive`] reports the authentic end of a download and
//! [`DataStream::finish`] sends that of an upload; the server's reply to the command counts as well (see `conclude`).

use std::{future::Future, io, mem::MaybeUninit, time::Duration};

use safetp_protocol::security::safetp1::{Block, Opener, Sealer, TransferNumber, Unverified};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::Protection;
use crate::{
    failure::{ConnectionError, DataError, Failure, Incomplete, Result, SecurityError},
    session::{
        Session,
        security::{Security, tls},
        timeout::within,
    },
    url::Server,
};

/// Octets that are moved over a data connection at a time.
pub(crate) const CHUNK: usize = 128 * 1024;
/// The time limit on the server to close its side after ours.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// The direction of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Download: RETR, LIST, ...
    FromServer,
    /// Upload: STOR, ...
    ToServer,
}

/// One data connection.
#[derive(Debug)]
pub(crate) struct DataStream {
    channel: DataChannel,
    server: Server,
    limit: Duration,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum DataChannel {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Sealing(TcpStream, Sealer),
    Opening(BufReader<TcpStream>, Opener),
}

impl DataStream {
    /// Protects a connected data connection as its session has agreed. `number` is that of the command that opened it,
    /// under X-SafeTP1.
    pub(super) async fn begin(
        session: &Session,
        stream: TcpStream,
        direction: Direction,
        number: Option<TransferNumber>,
    ) -> Result<Self> {
        let limit = session.options.timeout;
        let channel = match (&session.protection, &session.security, number) {
            (Protection::Tls, Security::Tls(connector), _) => {
                let connected = within(limit, connector.connect(stream)).await?;
                DataChannel::Tls(Box::new(connected.map_err(|error| tls::failure(&session.server, error))?))
            }
            (Protection::Blocks { keys, level, size }, _, Some(number)) => match direction {
                Direction::ToServer => DataChannel::Sealing(stream, keys.sealer(number, *level, *size)),
                Direction::FromServer => {
                    let stream = BufReader::with_capacity(CHUNK, stream);
                    DataChannel::Opening(stream, keys.opener(number, *level, *size))
                }
            },
            (Protection::Clear, _, _) => DataChannel::Clear(stream),
            // Clear text in place of what was agreed must not be possible, whatever else is wrong here.
            (Protection::Unset | Protection::Tls | Protection::Blocks { .. }, _, _) => {
                return Err(ConnectionError::Closed.into());
            }
        };
        Ok(Self { channel, server: session.server.clone(), limit, buffer: vec![0; CHUNK] })
    }

    /// The next octets; none at the authentic end (`close_notify`, the last block; in the clear, any end).
    pub(crate) async fn receive(&mut self) -> Result<&[u8], DataError> {
        let limit = self.limit;
        let read = match &mut self.channel {
            DataChannel::Clear(stream) => moving(limit, stream.read(&mut self.buffer)).await?,
            DataChannel::Tls(stream) => moving(limit, stream.read(&mut self.buffer)).await?,
            DataChannel::Opening(stream, opener) => {
                return moving(limit, open_block(stream, opener, &mut self.buffer)).await?;
            }
            DataChannel::Sealing(..) => Ok(0),
        };
        match read {
            Ok(count) => Ok(self.buffer.get(..count).unwrap_or_default()),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Sends all of these octets.
    pub(crate) async fn send(&mut self, octets: &[u8]) -> Result<(), DataError> {
        let limit = self.limit;
        let sent = match &mut self.channel {
            DataChannel::Clear(stream) => moving(limit, stream.write_all(octets)).await?,
            DataChannel::Tls(stream) => moving(limit, send_tls(stream, octets)).await?,
            DataChannel::Sealing(stream, sealer) => {
                self.buffer.clear();
                for payload in octets.chunks(sealer.payload_size()) {
                    sealer.seal(payload, &mut self.buffer).map_err(|error| cannot_seal(&error))?;
                }
                moving(limit, stream.write_all(&self.buffer)).await?
            }
            DataChannel::Opening(..) => Err(io::ErrorKind::Unsupported.into()),
        };
        sent.map_err(|error| self.broken(error))
    }

    /// Ends an upload: sends the authentic end and waits for the server to close. Closing earlier, with octets unread,
    /// would be a reset that can take the last octets with it.
    pub(crate) async fn finish(mut self) -> Result<(), DataError> {
        let limit = self.limit;
        let finished = match &mut self.channel {
            DataChannel::Clear(stream) => moving(limit, stream.shutdown()).await?,
            DataChannel::Tls(stream) => moving(limit, stream.shutdown()).await?,
            DataChannel::Sealing(stream, sealer) => {
                self.buffer.clear();
                sealer.finish(&mut self.buffer).map_err(|error| cannot_seal(&error))?;
                moving(limit, send_last(stream, &self.buffer)).await?
            }
            DataChannel::Opening(..) => Ok(()),
        };
        if let Err(error) = finished {
            return Err(self.broken(error));
        }
        // After the limit the connection is closed anyway; the server's reply is what counts.
        let _ = tokio::time::timeout(CLOSING_TIME, self.drain()).await;
        Ok(())
    }

    /// Breaks the connection off by a reset, which the server cannot take for the end of a file.
    pub(crate) fn abort(self) {
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// Ends a download whose authentic end has been received.
    pub(crate) async fn close(mut self) {
        let closing = async {
            match &mut self.channel {
                DataChannel::Tls(stream) => stream.shutdown().await,
                _ => Ok(()),
            }
        };
        let _ = tokio::time::timeout(CLOSING_TIME, closing).await;
    }

    fn tcp(&self) -> &TcpStream {
        match &self.channel {
            DataChannel::Clear(stream) | DataChannel::Sealing(stream, _) => stream,
            DataChannel::Tls(stream) => stream.get_ref().0,
            DataChannel::Opening(stream, _) => stream.get_ref(),
        }
    }

    /// Reads to the end, and with it the tickets that TLS 1.3 sends on an upload as well: the next connection needs
    /// them.
    async fn drain(&mut self) -> io::Result<()> {
        self.buffer.resize(CHUNK, 0);
        loop {
            let count = match &mut self.channel {
                DataChannel::Clear(stream) | DataChannel::Sealing(stream, _) => stream.read(&mut self.buffer).await?,
                DataChannel::Tls(stream) => stream.read(&mut self.buffer).await?,
                DataChannel::Opening(..) => 0,
            };
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn broken(&self, error: io::Error) -> DataError {
        if error.kind() == io::ErrorKind::UnexpectedEof && matches!(self.channel, DataChannel::Tls(_)) {
            return Incomplete::Truncated("TLS's close_notify").into();
        }
        match tls::failure(&self.server, error) {
            Failure::Security(error) => error.into(),
            other => Incomplete::Broken(other.to_string()).into(),
        }
    }
}

async fn moving<T>(limit: Duration, step: impl Future<Output = T>) -> Result<T, DataError> {
    tokio::time::timeout(limit, step).await.map_err(|_| Incomplete::Stalled(limit.as_secs()).into())
}

async fn send_tls(stream: &mut TlsStream<TcpStream>, octets: &[u8]) -> io::Result<()> {
    stream.write_all(octets).await?;
    stream.flush().await
}

async fn send_last(stream: &mut TcpStream, octets: &[u8]) -> io::Result<()> {
    stream.write_all(octets).await?;
    stream.shutdown().await
}

/// Opens one block. After the last one it looks once for more, without waiting: octets there are an error. A reset or
/// silence is not, since the end of the file is verified already.
async fn open_block<'a>(
    stream: &mut BufReader<TcpStream>,
    opener: &mut Opener,
    buffer: &'a mut [u8],
) -> Result<&'a [u8], DataError> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await.map_err(|error| cut_short(&error))?;
    let length = opener.block_length(header).map_err(unverified)?;
    let block = buffer.get_mut(..length).ok_or_else(|| unverified(Unverified))?;
    stream.read_exact(block).await.map_err(|error| cut_short(&error))?;
    match opener.open(block).map_err(unverified)? {
        Block::Payload(payload) => Ok(payload),
        Block::End if holds_octets(stream) => {
            Err(SecurityError::Tampered("octets came after the end of the file".into()).into())
        }
        Block::End => Ok(&[]),
    }
}

fn holds_octets(stream: &BufReader<TcpStream>) -> bool {
    let mut octet = [MaybeUninit::uninit()];
    // Asks the system, since the runtime may not have heard of them yet.
    !stream.buffer().is_empty() || matches!(SockRef::from(stream.get_ref()).peek(&mut octet), Ok(1..))
}

fn cut_short(error: &io::Error) -> DataError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Incomplete::Truncated("the last block of the file").into(),
        _ => Incomplete::Broken(error.to_string()).into(),
    }
}

fn unverified(_: Unverified) -> DataError {
    SecurityError::Tampered("a block of the data connection does not verify".into()).into()
}

fn cannot_seal(error: &impl ToString) -> DataError {
    Incomplete::Broken(error.to_string()).into()
}
