//! The octets of one transfer: in the clear, by TLS, or as blocks of X-SafeTP1. An end that is not authentic is none.

use std::{future::Future, io, mem::MaybeUninit, time::Duration};

use safetp_protocol::security::safetp1::{
    Block, BlockSize, DataKeys, Level, Opener, Sealer, TransferNumber, Unverified,
};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{security::Security, security::tls, wait};
use crate::{
    failure::{ConnectionError, DataError, Failure, Incomplete, Result, SecurityError},
    url::Server,
};

/// How many octets go over a data connection at a time.
pub(crate) const CHUNK: usize = 128 * 1024;
/// How long the server may take to close its side after ours is done.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// How data connections of a session go.
#[derive(Debug)]
pub(super) enum Protection {
    /// PROT has not been said: there is no data connection yet.
    Unsaid,
    /// PROT C.
    Clear,
    /// PROT P under TLS.
    Tls,
    /// PROT S or P under X-SafeTP1.
    Blocks { keys: DataKeys, level: Level, size: BlockSize },
}

/// Which way the octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// RETR, LIST, ...
    FromServer,
    /// STOR, ...
    ToServer,
}

/// What the beginning of a data connection needs of its session.
pub(super) struct Handshake<'a> {
    pub(super) security: &'a Security,
    /// Of the command that opened it, under X-SafeTP1.
    pub(super) number: Option<TransferNumber>,
    pub(super) direction: Direction,
    pub(super) limit: Duration,
}

/// One data connection.
#[derive(Debug)]
pub(crate) struct DataStream {
    channel: Channel,
    server: Server,
    limit: Duration,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Channel {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Sealing(TcpStream, Sealer),
    Opening(BufReader<TcpStream>, Opener),
}

impl Protection {
    pub(super) async fn begin(
        &self,
        server: &Server,
        stream: TcpStream,
        handshake: Handshake<'_>,
    ) -> Result<DataStream> {
        let channel = match (self, handshake.security, handshake.number) {
            (Self::Tls, Security::Tls(connector), _) => {
                let connected = wait(handshake.limit, connector.connect(stream)).await?;
                Channel::Tls(Box::new(connected.map_err(|error| tls::failure(server, error))?))
            }
            (Self::Blocks { keys, level, size }, _, Some(number)) => match handshake.direction {
                Direction::ToServer => Channel::Sealing(stream, keys.sealer(number, *level, *size)),
                Direction::FromServer => {
                    Channel::Opening(BufReader::with_capacity(CHUNK, stream), keys.opener(number, *level, *size))
                }
            },
            (Self::Clear, _, _) => Channel::Clear(stream),
            // Clear text in place of what was agreed must not be possible, whatever else is wrong here.
            (Self::Unsaid | Self::Tls | Self::Blocks { .. }, _, _) => return Err(ConnectionError::Closed.into()),
        };
        Ok(DataStream { channel, server: server.clone(), limit: handshake.limit, buffer: vec![0; CHUNK] })
    }
}

impl DataStream {
    /// The next octets; none at the authentic end.
    pub(crate) async fn receive(&mut self) -> Result<&[u8], DataError> {
        let limit = self.limit;
        let read = match &mut self.channel {
            Channel::Clear(stream) => moving(limit, stream.read(&mut self.buffer)).await?,
            Channel::Tls(stream) => moving(limit, stream.read(&mut self.buffer)).await?,
            Channel::Opening(stream, opener) => {
                return moving(limit, open_block(stream, opener, &mut self.buffer)).await?;
            }
            Channel::Sealing(..) => Ok(0),
        };
        match read {
            Ok(count) => Ok(self.buffer.get(..count).unwrap_or_default()),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Sends octets, all of them.
    pub(crate) async fn send(&mut self, octets: &[u8]) -> Result<(), DataError> {
        let limit = self.limit;
        let sent = match &mut self.channel {
            Channel::Clear(stream) => moving(limit, stream.write_all(octets)).await?,
            Channel::Tls(stream) => moving(limit, send_tls(stream, octets)).await?,
            Channel::Sealing(stream, sealer) => {
                self.buffer.clear();
                for payload in octets.chunks(sealer.payload_size()) {
                    sealer.seal(payload, &mut self.buffer).map_err(|error| cannot_seal(&error))?;
                }
                moving(limit, stream.write_all(&self.buffer)).await?
            }
            Channel::Opening(..) => Err(io::ErrorKind::Unsupported.into()),
        };
        sent.map_err(|error| self.broken(error))
    }

    /// Says that this was all, and waits for the server to close: to close earlier, with octets unread, would be a reset
    /// that can take the last octets with it.
    pub(crate) async fn finish(mut self) -> Result<(), DataError> {
        let limit = self.limit;
        let finished = match &mut self.channel {
            Channel::Clear(stream) => moving(limit, stream.shutdown()).await?,
            Channel::Tls(stream) => moving(limit, stream.shutdown()).await?,
            Channel::Sealing(stream, sealer) => {
                self.buffer.clear();
                sealer.finish(&mut self.buffer).map_err(|error| cannot_seal(&error))?;
                moving(limit, send_last(stream, &self.buffer)).await?
            }
            Channel::Opening(..) => Ok(()),
        };
        if let Err(error) = finished {
            return Err(self.broken(error));
        }
        // What is not over by then ends with the close; the server's reply is what counts.
        let _ = tokio::time::timeout(CLOSING_TIME, self.drain()).await;
        Ok(())
    }

    /// Ends the connection so that nobody can take it for complete.
    pub(crate) fn abort(self) {
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// After the authentic end of what the server has sent.
    pub(crate) async fn close(mut self) {
        let closing = async {
            match &mut self.channel {
                Channel::Tls(stream) => stream.shutdown().await,
                _ => Ok(()),
            }
        };
        let _ = tokio::time::timeout(CLOSING_TIME, closing).await;
    }

    fn tcp(&self) -> &TcpStream {
        match &self.channel {
            Channel::Clear(stream) | Channel::Sealing(stream, _) => stream,
            Channel::Tls(stream) => stream.get_ref().0,
            Channel::Opening(stream, _) => stream.get_ref(),
        }
    }

    /// Takes the tickets that TLS 1.3 sends on a connection that only uploads, too: the next one needs them.
    async fn drain(&mut self) -> io::Result<()> {
        self.buffer.resize(CHUNK, 0);
        loop {
            let count = match &mut self.channel {
                Channel::Clear(stream) | Channel::Sealing(stream, _) => stream.read(&mut self.buffer).await?,
                Channel::Tls(stream) => stream.read(&mut self.buffer).await?,
                Channel::Opening(..) => 0,
            };
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn broken(&self, error: io::Error) -> DataError {
        if error.kind() == io::ErrorKind::UnexpectedEof && matches!(self.channel, Channel::Tls(_)) {
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

/// One block. After the last one one looks once, without waiting: octets that lie there are an error, while a reset takes
/// nothing away from a file whose end is verified, nor does silence.
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
            Err(SecurityError::Tampered("octets came behind the end of the file".into()).into())
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
        io::ErrorKind::UnexpectedEof => Incomplete::Truncated("the block that is the end of the file").into(),
        _ => Incomplete::Broken(error.to_string()).into(),
    }
}

fn unverified(_: Unverified) -> DataError {
    SecurityError::Tampered("a block of the data connection does not verify".into()).into()
}

fn cannot_seal(error: &impl ToString) -> DataError {
    Incomplete::Broken(error.to_string()).into()
}
