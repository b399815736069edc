//! Requests for a data port, and what tells the expected connection from others.

use std::{net::IpAddr, time::Duration};

/// Time that PASV waits for a free port before 425.
pub const QUEUE_TIME: Duration = Duration::from_secs(5);

/// Number of a session, unique in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Number of a user, which stands for the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserId(pub u64);

/// Peers whose connection a slot waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpectedPeer {
    /// This address alone: other sessions may wait on the same port for theirs.
    Exactly(IpAddr),
    /// Any address: the port is held alone.
    Anyone,
}

impl ExpectedPeer {
    pub(super) fn is(self, address: IpAddr) -> bool {
        self == Self::Anyone || self == Self::Exactly(address)
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self == Self::Anyone || other == Self::Anyone || self == other
    }
}

/// Properties of the connection that a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Peer that it comes from.
    pub peer: ExpectedPeer,
    /// Condition under which it must prove its session by a TLS ticket.
    pub ticket: Ticket,
    /// Address of the session's control connection. A connection from there that proves nothing may be the client's.
    pub client: IpAddr,
    /// Time to wait for another connection after one that may have been the client's proved nothing: it may have been a
    /// stranger's, or the only one that will ever come. Counted from the transfer's command on, since no client has to
    /// connect before it.
    pub patience: Duration,
}

/// A dropped connection that did not prove itself to be the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// Address that it came from.
    pub peer: IpAddr,
    /// Session whose ticket it showed.
    pub shown: Option<SessionId>,
}

/// Condition under which a connection must prove its session by a TLS ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    /// It cannot: no other session may wait for the same peer on the same port.
    Never,
    /// If several sessions wait for the same peer on the same port.
    WhenShared,
    /// In any case.
    Always,
}

impl Claim {
    pub(super) fn conflicts(self, other: Self) -> bool {
        let told_apart = self.ticket != Ticket::Never && other.ticket != Ticket::Never;
        !told_apart && self.peer.overlaps(other.peer)
    }
}

/// A request for a data port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Session that waits for the connection.
    pub session: SessionId,
    /// Its user: all sessions of one user share a part of the ports.
    pub user: UserId,
    /// Properties that tell the connection from others.
    pub claim: Claim,
    /// Time that the port waits for it.
    pub slot_time: Duration,
}
