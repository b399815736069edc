//! A data connection between its accept and its transfer.

use tokio_rustls::server::TlsStream;

use super::handshake::Handshake;
use crate::{
    tls::{TicketId, deferred_tickets::DeferredTickets},
    wire::Wire,
};

/// A data connection that has been accepted or dialled.
#[derive(Debug)]
pub(crate) enum DataConnection {
    /// Nothing has gone over it yet.
    Plain(Wire),
    /// Its handshake has begun.
    Handshaking(Handshake),
    /// Its handshake is done and has proved by this ticket whose it is.
    Proven(Box<TlsStream<DeferredTickets>>, TicketId),
}
