//! One data connection, in the clear, by TLS or in blocks.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::{blocks::BlockStream, withheld::Withheld};
use crate::gateway::listen;

/// How long a client may take to close its side after a download. One that waits for the 226 first gets it then.
const CLOSE_TIME: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) enum DataStream {
    Clear(TcpStream),
    Protected(Box<TlsStream<Withheld>>),
    Blocks(Box<BlockStream>),
}

impl DataStream {
    /// 0 is the client's own end, and an authentic one where the connection is protected: there any other is
    /// `UnexpectedEof`.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer).await,
            Self::Protected(stream) => stream.read(buffer).await,
            Self::Blocks(stream) => stream.read(buffer).await,
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets).await,
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.write_all(octets).await
            }
            Self::Blocks(stream) => stream.write(octets).await,
        }
    }

    /// Ends our side, authentically where the connection is protected, so that the client knows that nothing is missing.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.flush().await?;
                stream.shutdown().await
            }
            Self::Blocks(stream) => stream.shutdown().await,
        }
    }

    /// After [`Self::shutdown`]: waits a moment for the client's end, which it sends when all has arrived. A reset
    /// instead means that something did not.
    pub(super) async fn wait_for_end(&mut self) -> io::Result<()> {
        let mut rest = [0; 512];
        let end = async {
            loop {
                match self.read_past_end(&mut rest).await {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    // Many clients answer a close_notify by closing at once: it was the end of their reading.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        tokio::time::timeout(CLOSE_TIME, end).await.unwrap_or(Ok(()))
    }

    /// Under X-SafeTP1 a downloading client sends nothing at all, not even a last block.
    async fn read_past_end(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(stream) => stream.tcp_mut().read(buffer).await,
            other => other.read(buffer).await,
        }
    }

    /// Ends the connection so that the client cannot take it for a whole one.
    pub(super) fn break_off(self) {
        listen::reset_on_close(match &self {
            Self::Clear(stream) => stream,
            Self::Protected(stream) => stream.get_ref().0.tcp(),
            Self::Blocks(stream) => stream.tcp(),
        });
    }
}
