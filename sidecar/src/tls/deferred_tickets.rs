//! Tickets of TLS 1.3 on data connections, sent when they cannot do harm.
//!
//! A server sends them right after the handshake. A client that only writes does not read them; when it closes its
//! connection, its system sees something unread, sends a reset, and discards what it has not sent yet (RFC 1122
//! §4.2.2.13): the upload would be cut short. So they wait for the first octets of a download, or for the end of an
//! upload: a client that still reads gets them, and for the others they do no harm.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::Wire;

/// RFC 8446 §5.1. Under TLS 1.2 a ticket is a part of the handshake, in a record of another type, and must not wait.
const APPLICATION_DATA: u8 = 23;

/// Mark that what TLS writes from now on may be a ticket.
pub(crate) type Signal = Arc<AtomicBool>;

/// A connection that holds back what TLS writes after [`Signal`] is set until it is released.
#[derive(Debug)]
pub(crate) struct DeferredTickets {
    stream: Wire,
    signal: Signal,
    state: Deferral,
}

#[derive(Debug)]
enum Deferral {
    /// No ticket has been written.
    Open,
    /// Tickets wait here.
    Keeping(Vec<u8>),
    /// The tickets are being sent, from this octet on.
    Sending(Vec<u8>, usize),
    /// Everything is written at once, as on any other connection.
    Released,
}

impl DeferredTickets {
    pub(crate) fn new(stream: Wire) -> Self {
        Self { stream, signal: Signal::default(), state: Deferral::Open }
    }

    pub(crate) fn signal(&self) -> Signal {
        Arc::clone(&self.signal)
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.stream
    }

    /// Sends what is kept before what is written next.
    pub(crate) fn release(&mut self) {
        self.state = match std::mem::replace(&mut self.state, Deferral::Released) {
            Deferral::Keeping(tickets) => Deferral::Sending(tickets, 0),
            Deferral::Sending(tickets, sent) => Deferral::Sending(tickets, sent),
            Deferral::Open | Deferral::Released => Deferral::Released,
        };
    }

    /// Returns true for octets to be kept: they begin with a record that may be a ticket.
    fn keeps(&self, octets: &[u8]) -> bool {
        match self.state {
            Deferral::Open => self.signal.load(Ordering::Relaxed) && octets.first() == Some(&APPLICATION_DATA),
            Deferral::Keeping(_) => true,
            Deferral::Sending(..) | Deferral::Released => false,
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        match &mut self.state {
            Deferral::Keeping(tickets) => tickets.extend_from_slice(octets),
            state => *state = Deferral::Keeping(octets.to_vec()),
        }
    }

    fn poll_send_kept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Deferral::Sending(tickets, sent) = &mut self.state {
            let rest = tickets.get(*sent..).unwrap_or_default();
            if rest.is_empty() {
                self.state = Deferral::Released;
                break;
            }
            *sent += ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for DeferredTickets {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for DeferredTickets {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.keeps(octets) {
            self.keep(octets);
            return Poll::Ready(Ok(octets.len()));
        }
        ready!(self.poll_send_kept(context))?;
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = octets.iter().find(|slice| !slice.is_empty()).map(|slice| &**slice).unwrap_or_default();
        if self.keeps(first) {
            for slice in octets {
                self.keep(slice);
            }
            return Poll::Ready(Ok(octets.iter().map(|slice| slice.len()).sum()));
        }
        ready!(self.poll_send_kept(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_kept(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_kept(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
