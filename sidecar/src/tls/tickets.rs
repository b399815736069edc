//! Session tickets that name the FTP session they were issued to: by them a data connection proves whose it is.

use std::{
    hash::{DefaultHasher, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::server::ProducesTickets;
use safetp_protocol::data_ports::SessionId;

use super::deferred_tickets::Signal;

/// The session number of tickets that belong to no session. Sessions are numbered from 1.
const NO_SESSION: u64 = 0;

/// Key of all tickets of this process. It outlives every certificate, so that the sessions of the last one still prove
/// their data connections under the next.
#[derive(Clone, Debug)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// Fresh keys.
    pub fn new() -> Result<Self, rustls::Error> {
        rustls::crypto::aws_lc_rs::Ticketer::new().map(Self)
    }

    /// How long a ticket is valid from its issue.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.0.lifetime().into())
    }
}

/// The ticket that a resumption has shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumed {
    /// The session whose ticket it was; none for a ticket that belongs to no session.
    pub(crate) session: Option<SessionId>,
    pub(crate) ticket: TicketId,
}

/// Hash of a ticket, which tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketId(pub(crate) u64);

impl TicketId {
    fn of(ticket: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(ticket);
        Self(hasher.finish())
    }
}

/// The session to which the tickets belong that a connection issues.
#[derive(Debug)]
pub(crate) enum Owner {
    /// This session: the connection is its control connection.
    Control(SessionId),
    /// This session if the connection resumes it, which the mark rules out once the key has signed; else none. A
    /// stranger who was once taken for the client must not get what proves it the next time.
    Data(SessionId, Arc<AtomicBool>),
    /// The session whose ticket was shown: nothing but its resumption succeeds.
    Shown,
}

/// Tickets of one connection: all that it issues carry its session's id, and it notes the id in the one that it is
/// shown. Created for each connection, since nothing in a handshake says whose it is.
#[derive(Debug)]
pub(crate) struct SessionTickets {
    inner: Tickets,
    owner: Owner,
    seen: AtomicU64,
    ticket: AtomicU64,
    /// The client has shown a session of TLS 1.2 that it can use again on its next data connection.
    continues_tls12: AtomicBool,
    signal: Signal,
}

impl SessionTickets {
    pub(crate) fn new(inner: Tickets, owner: Owner, signal: Signal) -> Self {
        Self {
            inner,
            owner,
            seen: AtomicU64::new(NO_SESSION),
            ticket: AtomicU64::new(0),
            continues_tls12: AtomicBool::new(false),
            signal,
        }
    }

    /// The session whose ticket was shown.
    pub(crate) fn shown(&self) -> Option<SessionId> {
        Some(SessionId(self.seen.load(Ordering::Relaxed))).filter(|session| session.0 != NO_SESSION)
    }

    pub(crate) fn resumed(&self) -> Resumed {
        Resumed { session: self.shown(), ticket: TicketId(self.ticket.load(Ordering::Relaxed)) }
    }

    fn owner(&self) -> u64 {
        let seen = self.seen.load(Ordering::Relaxed);
        match &self.owner {
            Owner::Control(session) => session.0,
            Owner::Data(session, signed) if seen != session.0 || signed.load(Ordering::Relaxed) => NO_SESSION,
            Owner::Data(..) | Owner::Shown => seen,
        }
    }
}

impl ProducesTickets for SessionTickets {
    /// Under TLS 1.2 the client continues with the ticket it has shown. OpenSSL with its session cache on, as Ruby uses
    /// it, discards a session whose resumption brings another ticket, and would not resume the next time.
    fn enabled(&self) -> bool {
        !self.continues_tls12.load(Ordering::Relaxed)
    }

    fn lifetime(&self) -> u32 {
        self.inner.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.signal.store(true, Ordering::Relaxed);
        self.inner.0.encrypt(&[&self.owner().to_be_bytes(), plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.inner.0.decrypt(cipher)?;
        let (session, plain) = plain.split_first_chunk::<8>()?;
        self.seen.store(u64::from_be_bytes(*session), Ordering::Relaxed);
        self.ticket.store(TicketId::of(cipher).0, Ordering::Relaxed);
        let is_lasting = match &self.owner {
            // Its ticket is of an earlier session: this one needs its own.
            Owner::Control(_) => false,
            Owner::Data(own, _) => own.0 == u64::from_be_bytes(*session),
            Owner::Shown => true,
        };
        self.continues_tls12.store(is_lasting && is_tls12(plain), Ordering::Relaxed);
        Some(plain.to_vec())
    }
}

/// Reads the version in a session as rustls writes it: a flag for a server name, that name after its length, the
/// version.
fn is_tls12(session: &[u8]) -> bool {
    let version = match session {
        [0, version @ ..] => Some(version),
        [1, length, rest @ ..] => rest.get(usize::from(*length)..),
        _ => None,
    };
    version.is_some_and(|version| version.starts_with(&[3, 3]))
}
