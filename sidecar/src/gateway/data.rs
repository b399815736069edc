//! Data connections: who waits for one, who gets it, and the octets that go over it.

pub(super) mod accept;
mod blocks;
pub(super) mod budget;
mod copy;
mod descriptor;
pub(super) mod ports;
mod stream;
pub(super) mod transfer;

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::tls::{Supply, TicketId};

/// A data connection that has come.
#[derive(Debug)]
pub(super) enum Connection {
    /// Nothing has gone over it yet.
    Plain(TcpStream),
    /// Its handshake is done and has proved whose it is.
    Proven(Box<TlsStream<TcpStream>>, Exchanged),
}

/// Tickets that went over a data connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchanged {
    /// The client's, which proved its session.
    pub(super) shown: Option<TicketId>,
    /// The gateway's, for the client's next connections.
    pub(super) supply: Supply,
}
