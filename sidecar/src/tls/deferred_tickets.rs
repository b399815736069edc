//! Tickets of TLS 1.3 on data connections, sent when they cannot do harm.
//!
//! A server sends them right behind the handshake. A client that only writes does not read them; when it closes its
//! connection, its system sees something unread, sends a reset, and forgets what it has not sent yet (RFC 1122
//! §4.2.2.13): the upload would be cut short. So they wait for the first octets of a download, or for the end of an
//! upload, where whoever still reads gets them, and nobody else is hurt.

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

use super::wire::Wire;

/// RFC 8446 §5.1. Under TLS 1.2 a ticket is a part of the handshake, in a record of another type, and must not wait.
const APPLICATION_DATA: u8 = 23;

/// Says that what TLS writes from now on may be a ticket.
pub(in crate::gateway) type Signal = Arc<AtomicBool>;

/// A connection that keeps back what TLS writes behind [`Signal`] until it is released.
#[derive(Debug)]
pub(in crate::gateway) struct Withheld {
    stream: Wire,
    signal: Signal,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing of the kind has come.
    Open,
    /// Tickets wait here.
    Keeping(Vec<u8>),
    /// They are being sent, from this octet on.
    Sending(Vec<u8>, usize),
    /// All is as on any other connection.
    Released,
}

impl Withheld {
    pub(in crate::gateway) fn new(stream: Wire) -> Self {
        Self { stream, signal: Signal::default(), state: State::Open }
    }

    pub(in crate::gateway) fn signal(&self) -> Signal {
        Arc::clone(&self.signal)
    }

    pub(in crate::gateway) fn wire(&self) -> &Wire {
        &self.stream
    }

    /// What is kept goes out before what is written next.
    pub(super) fn release(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Released) {
            State::Keeping(tickets) => State::Sending(tickets, 0),
            State::Sending(tickets, sent) => State::Sending(tickets, sent),
            State::Open | State::Released => State::Released,
        };
    }

    /// Whether these octets are to be kept: they begin with a record that may be a ticket.
    fn keeps(&self, octets: &[u8]) -> bool {
        match self.state {
            State::Open => self.signal.load(Ordering::Relaxed) && octets.first() == Some(&APPLICATION_DATA),
            State::Keeping(_) => true,
            State::Sending(..) | State::Released => false,
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        match &mut self.state {
            State::Keeping(tickets) => tickets.extend_from_slice(octets),
            state => *state = State::Keeping(octets.to_vec()),
        }
    }

    fn poll_send_kept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let State::Sending(tickets, sent) = &mut self.state {
            let rest = tickets.get(*sent..).unwrap_or_default();
            if rest.is_empty() {
                self.state = State::Released;
                break;
            }
            *sent += ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Withheld {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Withheld {
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
