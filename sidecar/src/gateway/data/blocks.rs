//! A data connection under X-SafeTP1: octets in authenticated blocks, the last of which is the end.

use std::io;

use safetp_protocol::security::safetp1::{Block, BlockSize, DataKeys, Level, Opener, Sealer, TransferNumber};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::Wire;

/// Octets of a block's length field (RFC 2228 §5).
const HEADER: usize = 4;
/// Sealed octets that are gathered before they are written: the cipher takes about 2 ms for them.
const GATHERED: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct BlockStream {
    stream: Wire,
    opener: Opener,
    sealer: Sealer,
    /// Octets received: opened ones that wait to be read, or the beginning of a block.
    incoming: Incoming,
    outgoing: Vec<u8>,
    /// Octets of `outgoing` that are sent.
    flushed: usize,
    /// The last block is sealed.
    finished: bool,
}

#[derive(Debug, Default)]
struct Incoming {
    block: Vec<u8>,
    /// Octets of `block` received so far.
    filled: usize,
    /// Range of `block` that is opened and not yet read.
    payload: std::ops::Range<usize>,
    ended: bool,
}

impl BlockStream {
    pub(crate) fn new(stream: Wire, keys: &DataKeys, level: Level, number: TransferNumber, size: BlockSize) -> Self {
        let (opener, sealer) = (keys.opener(number, level, size), keys.sealer(number, level, size));
        Self {
            stream,
            opener,
            sealer,
            incoming: Incoming::default(),
            outgoing: Vec::new(),
            flushed: 0,
            finished: false,
        }
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.stream
    }

    pub(crate) fn wire_mut(&mut self) -> &mut Wire {
        &mut self.stream
    }

    /// Reads some octets. 0 is the authentic end; any other end is `UnexpectedEof`, and a block that does not verify is
    /// `InvalidData`. Nothing is lost if the future is dropped.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.incoming.payload.is_empty() {
            if self.incoming.ended {
                return Ok(0);
            }
            self.receive_block().await?;
        }
        let Incoming { block, payload, .. } = &mut self.incoming;
        let octets = block.get(payload.clone()).unwrap_or_default();
        let count = octets.len().min(buffer.len());
        for (place, octet) in buffer.iter_mut().zip(octets) {
            *place = *octet;
        }
        payload.start += count;
        Ok(count)
    }

    async fn receive_block(&mut self) -> io::Result<()> {
        self.fill(HEADER).await?;
        let header = self.incoming.block.first_chunk().copied().unwrap_or_default();
        let length = self.opener.block_length(header).map_err(unverified)?;
        self.fill(HEADER + length).await?;
        let Incoming { block, filled, payload, ended } = &mut self.incoming;
        let body = block.get_mut(HEADER..HEADER + length).unwrap_or_default();
        match self.opener.open(body).map_err(unverified)? {
            Block::Payload(octets) => *payload = HEADER..HEADER + octets.len(),
            Block::End => *ended = true,
        }
        *filled = 0;
        // A block after the last would mean that it was not the last.
        if *ended && self.stream.tcp().try_read(&mut [0]).is_ok_and(|count| count > 0) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Reads until the first `wanted` octets of the block have been received.
    async fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let Incoming { block, filled, .. } = &mut self.incoming;
        if block.len() < wanted {
            block.resize(wanted, 0);
        }
        while *filled < wanted {
            let count = self.stream.read(block.get_mut(*filled..wanted).unwrap_or_default()).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *filled += count;
        }
        Ok(())
    }

    /// Takes some of these octets and returns how many. Nothing is lost if the future is dropped.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() >= GATHERED {
            self.flush().await?;
        }
        let mut taken = 0;
        for payload in octets.chunks(self.sealer.payload_size()) {
            self.sealer.seal(payload, &mut self.outgoing).map_err(io::Error::other)?;
            taken += payload.len();
            if self.outgoing.len() >= GATHERED {
                break;
            }
        }
        Ok(taken)
    }

    /// Sends the last block. Nothing is lost if the future is dropped.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        if !self.finished {
            self.sealer.finish(&mut self.outgoing).map_err(io::Error::other)?;
            self.finished = true;
        }
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        while let Some(rest) = self.outgoing.get(self.flushed..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.flushed += count,
            }
        }
        self.outgoing.clear();
        self.flushed = 0;
        Ok(())
    }
}

fn unverified(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
