//! One data connection, in the clear, by TLS or in blocks.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::server::TlsStream;

use super::{
    blocks::BlockStream,
    wire::{self, Wire},
    withheld::Withheld,
};
use crate::gateway::listen;

#[derive(Debug)]
pub(super) enum DataStream {
    Clear(Wire),
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

    /// Takes some of these octets, and tells how many. Nothing is lost if the future is dropped.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(octets).await,
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.write(octets).await
            }
            Self::Blocks(stream) => stream.write(octets).await,
        }
    }

    /// Octets that have arrived at the client, TLS's own among them.
    pub(super) fn arrived(&self) -> u64 {
        self.wire().traffic().map(|traffic| traffic.acknowledged).unwrap_or_default()
    }

    /// Octets that have come from the client, TLS's own among them.
    pub(super) fn received(&self) -> u64 {
        self.wire().traffic().map(|traffic| traffic.received).unwrap_or_default()
    }

    /// Ends our side, authentically where the connection is protected, so that the client knows that nothing is missing.
    /// Nothing is lost if the future is dropped. Tells the mark (see [`Wire::has_arrived`]) behind the last octet that the client cannot do without: X-SafeTP1's
    /// last block belongs to those, a `close_notify` does not.
    pub(super) async fn shutdown(&mut self) -> io::Result<u64> {
        match self {
            Self::Clear(_) => {}
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.flush().await?;
            }
            Self::Blocks(stream) => stream.finish().await?,
        }
        let mark = self.wire().sent();
        // A client that has everything may have closed already. Whether it has, what has arrived tells.
        let _ = match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Protected(stream) => stream.shutdown().await,
            Self::Blocks(stream) => stream.wire_mut().shutdown().await,
        };
        Ok(mark)
    }

    /// After [`Self::shutdown`], with its mark: waits until the client has everything. It has when its system has
    /// acknowledged all that was sent. A client that closes needs only what is before the mark: one that knows a file's
    /// size leaves our `close_notify` unread, and its close is a reset.
    pub(super) async fn wait_for_arrival(&mut self, mark: u64) -> io::Result<()> {
        let all = self.wire().sent();
        for pause in wire::pauses() {
            if tokio::time::timeout(pause, self.wait_for_end()).await.is_ok() {
                break;
            }
            match self.wire().has_arrived(all) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // The connection has ended meanwhile.
                Err(_) => break,
            }
        }
        // An end by itself proves nothing: it may cross what is still on its way.
        self.wire().wait_for_arrival(mark).await
    }

    /// Reads up to the client's end, of whatever kind it is.
    async fn wait_for_end(&mut self) {
        let mut rest = [0; 512];
        while self.read_past_end(&mut rest).await.is_ok_and(|count| count > 0) {}
    }

    /// Under X-SafeTP1 a downloading client sends nothing at all, not even a last block.
    async fn read_past_end(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(stream) => stream.wire_mut().read(buffer).await,
            other => other.read(buffer).await,
        }
    }

    /// Ends the connection so that the client cannot take it for a whole one.
    pub(super) fn break_off(self) {
        listen::reset_on_close(self.wire().tcp());
    }

    fn wire(&self) -> &Wire {
        match self {
            Self::Clear(stream) => stream,
            Self::Protected(stream) => stream.get_ref().0.wire(),
            Self::Blocks(stream) => stream.wire(),
        }
    }
}
