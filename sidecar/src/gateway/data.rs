//! Data connections: who waits for one, who gets it, and the octets that go over it.

pub(super) mod accept;
mod blocks;
pub(super) mod budget;
mod copy;
mod descriptor;
mod handshake;
pub(super) mod ports;
mod stream;
pub(super) mod transfer;
mod waiting_room;
pub(super) mod wire;
pub(super) mod withheld;

use tokio_rustls::server::TlsStream;

use super::tls::TicketId;
pub(super) use handshake::{Handshake, Terms};
use wire::Wire;
use withheld::Withheld;

/// A data connection that has come.
#[derive(Debug)]
pub(super) enum Connection {
    /// Nothing has gone over it yet.
    Plain(Wire),
    /// It shakes hands already.
    Shaking(Handshake),
    /// Its handshake is done and has proved by this ticket whose it is.
    Proven(Box<TlsStream<Withheld>>, TicketId),
}
