//! The connection to the embedded ftpd over its Unix socket (see `safetp_protocol::dialect`): lines both ways,
//! descriptors from the ftpd to the gateway.

use std::{
    collections::VecDeque,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::Path,
};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::{io::Interest, net::UnixStream};

/// Octets read at once.
const PIECE: usize = 2048;
/// Descriptors received in one message: the dialect sends one, and the kernel closes those for which there is no room.
const DESCRIPTORS: usize = 4;

/// One session's connection to the ftpd.
#[derive(Debug)]
pub(crate) struct FtpdConnection {
    stream: UnixStream,
    descriptors: VecDeque<OwnedFd>,
}

impl FtpdConnection {
    pub(crate) async fn open(socket: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(socket).await?, descriptors: VecDeque::new() })
    }

    /// Reads some octets, none at the end; descriptors that came with them wait for [`Self::take_descriptor`]. Nothing
    /// is lost if the future is dropped, and while nothing comes no buffer is held.
    pub(crate) async fn read(&mut self) -> io::Result<Vec<u8>> {
        let Self { stream, descriptors } = self;
        stream.async_io(Interest::READABLE, || receive(stream, descriptors)).await
    }

    pub(crate) async fn write(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let written = self.stream.async_io(Interest::WRITABLE, || self.stream.try_write(octets)).await?;
            octets = octets.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes the descriptor that came with the last 150.
    pub(crate) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }
}

fn receive(stream: &UnixStream, descriptors: &mut VecDeque<OwnedFd>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; PIECE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(stream, &mut [IoSliceMut::new(&mut buffer)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(buffer.get(..message.bytes).unwrap_or_default().to_vec())
}
