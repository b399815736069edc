//! The TCP socket of a data connection, and how much of what was sent over it has arrived.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use nix::{getsockopt_impl, sockopt_impl, sys::socket::getsockopt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// States of a socket, as `tcp_states.h` numbers them: our end is acknowledged in the first two, the last is closed.
const FIN_WAIT2: u8 = 5;
const TIME_WAIT: u8 = 6;
const CLOSE: u8 = 7;
/// Pauses between two looks at what has arrived: the kernel does not wake a program that waits for acknowledgements.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// The first words of `struct tcp_info`, up to `tcpi_bytes_acked` and `tcpi_bytes_received` (Linux 4.1).
type InfoWords = [u64; 17];

sockopt_impl!(TcpInfo, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, InfoWords);

/// A connection that counts what is sent.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// Octets given to the kernel, in the kernel's own count.
    sent: u64,
}

/// Octets that went over a connection, in the kernel's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Sent by us and received by the peer's system.
    pub(crate) acknowledged: u64,
    /// Sent by the peer and received by our system.
    pub(crate) received: u64,
}

/// Octets that the peer's system has acknowledged (RFC 9293 §3.4), whether its program has read them or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Acknowledged {
    octets: u64,
    state: u8,
}

impl Acknowledged {
    fn covers(self, sent: u64) -> bool {
        self.octets >= sent || matches!(self.state, FIN_WAIT2 | TIME_WAIT)
    }
}

impl Wire {
    /// A connection that the client has opened.
    pub(crate) fn accepted(stream: TcpStream) -> Self {
        Self { stream, sent: 0 }
    }

    /// A connection that the gateway has opened: the kernel counts its SYN as an octet.
    pub(crate) fn dialled(stream: TcpStream) -> Self {
        Self { stream, sent: 1 }
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.stream
    }

    /// A mark for [`Self::has_arrived`]: all that was sent until now.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns true once everything up to the mark has arrived, and an error if it never will.
    pub(crate) fn has_arrived(&self, mark: u64) -> io::Result<bool> {
        let acknowledged = self.acknowledged()?;
        match acknowledged.covers(mark) {
            false if acknowledged.state == CLOSE => Err(io::ErrorKind::ConnectionReset.into()),
            arrived => Ok(arrived),
        }
    }

    /// Waits until everything up to the mark has arrived.
    pub(crate) async fn wait_for_arrival(&self, mark: u64) -> io::Result<()> {
        let mut pauses = pauses();
        while !self.has_arrived(mark)? {
            tokio::time::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
        }
        Ok(())
    }

    pub(crate) fn traffic(&self) -> io::Result<Traffic> {
        let [.., acknowledged, received] = getsockopt(&self.stream, TcpInfo)?;
        Ok(Traffic { acknowledged, received })
    }

    fn acknowledged(&self) -> io::Result<Acknowledged> {
        let [first, .., octets, _] = getsockopt(&self.stream, TcpInfo)?;
        let [state, ..] = first.to_ne_bytes();
        Ok(Acknowledged { octets, state })
    }
}

/// Pauses between looks at what has arrived, longer each time: a round trip takes from 0.1 to 300 ms.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_PAUSE), |pause| Some((*pause * 2).min(LONGEST_PAUSE)))
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, octets))?;
        self.sent += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, octets))?;
        self.sent += count as u64;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
