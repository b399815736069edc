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

/// A data connection that has come.
#[derive(Debug)]
pub(super) enum Connection {
    /// Nothing has gone over it yet.
    Plain(TcpStream),
    /// Its handshake is done and has proved whose it is.
    Proven(Box<TlsStream<TcpStream>>),
}
