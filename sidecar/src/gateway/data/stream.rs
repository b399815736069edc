//! One data connection: in the clear, under TLS, or in blocks of X-SafeTP1.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::server::TlsStream;

use super::blocks::BlockStream;
use crate::{
    gateway::listen,
    tls::deferred_tickets::DeferredTickets,
    wire::{self, Wire},
};

#[derive(Debug)]
pub(crate) enum DataStream {
    Clear(Wire),
    Protected(Box<TlsStream<DeferredTickets>>),
    Blocks(Box<BlockStream>),
}

impl DataStream {
    /// Reads some octets. 0 is the client's own end, and an authentic one where the connection is protected: there any
    /// other is `UnexpectedEof`.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer).await,
            Self::Protected(stream) => stream.read(buffer).await,
            Self::Blocks(stream) => stream.read(buffer).await,
        }
    }

    /// Takes some of these octets and returns how many. Nothing is lost if the future is dropped.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(octets).await,
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.write(octets).await
            }
            Self::Blocks(stream) => stream.write(octets).await,
        }
    }

    /// Octets that have arrived at the client, with those of TLS itself.
    pub(crate) fn arrived(&self) -> u64 {
        self.wire().traffic().map(|traffic| traffic.acknowledged).unwrap_or_default()
    }

    /// Octets that have come from the client, with those of TLS itself.
    pub(crate) fn received(&self) -> u64 {
        self.wire().traffic().map(|traffic| traffic.received).unwrap_or_default()
    }

    /// Ends our side, authentically where the connection is protected, so that the client knows that nothing is
    /// missing. Nothing is lost if the future is dropped. Returns the mark (see [`Wire::has_arrived`]) after the last
    /// octet that the client needs: X-SafeTP1's last block is one of those, a `close_notify` is not.
    pub(crate) async fn shutdown(&mut self) -> io::Result<u64> {
        match self {
            Self::Clear(_) => {}
            Self::Protected(stream) => {
                stream.get_mut().0.release();
                stream.flush().await?;
            }
            Self::Blocks(stream) => stream.finish().await?,
        }
        let mark = self.wire().sent();
        // A client that has everything may have closed already; whether it has everything shows in what has arrived.
        let _ = match self {
            Self::Clear(stream) => stream.shutdown().await,
            Self::Protected(stream) => stream.shutdown().await,
            Self::Blocks(stream) => stream.wire_mut().shutdown().await,
        };
        Ok(mark)
    }

    /// Waits until the client has everything, after [`Self::shutdown`] and with its mark. It has when its system has
    /// acknowledged all that was sent. A client that closes needs only what is before the mark: one that knows a file's
    /// size leaves our `close_notify` unread, and its close is a reset.
    pub(crate) async fn wait_for_arrival(&mut self, mark: u64) -> io::Result<()> {
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

    /// Reads up to the client's end of any kind.
    async fn wait_for_end(&mut self) {
        let mut rest = [0; 512];
        while self.read_past_end(&mut rest).await.is_ok_and(|count| count > 0) {}
    }

    /// Reads on below the blocks: under X-SafeTP1 a downloading client sends nothing at all, not even a last block.
    async fn read_past_end(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocks(stream) => stream.wire_mut().read(buffer).await,
            other => other.read(buffer).await,
        }
    }

    /// Ends the connection with a reset, so that the client does not take the transfer for complete.
    pub(crate) fn break_off(self) {
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
