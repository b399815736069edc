//! Work that a session asks of its driver.

use std::net::SocketAddr;

use crate::{
    command::TransferVerb,
    security::safetp1::{BlockSize, Level, TransferNumber},
};

/// Work for the driver, to be done in the order in which it is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the client.
    ToClient(Vec<u8>),
    /// Write this to the backend.
    ToBackend(Vec<u8>),
    /// Flush, then do the server's side of a TLS handshake, then [`super::Session::handle_protected`]. Nothing that the
    /// client sent before is left over: it would be read as if it had come protected.
    StartTls,
    /// Flush, send TLS's `close_notify` and await the client's, then [`super::Session::handle_cleared`]. What the
    /// client sends after its own is in the clear, and not a single octet of it may be lost.
    StopTls,
    /// Give up the backend's connection and open another, then [`super::Session::handle_backend_restarted`].
    RestartBackend,
    /// Take the question by [`super::Session::take_question`], have it answered, then
    /// [`super::Session::handle_answer`].
    Negotiate,
    /// The backend has let a user in: find the session a place among the users, then
    /// [`super::Session::handle_admission`].
    Admit,
    /// Give up the data port or connection of this session if it has one, get a new port, then
    /// [`super::Session::handle_port`].
    RequestPort,
    /// Give up the data port or connection of this session.
    ReleasePort,
    /// Move octets between the descriptor of the 150 that has just come and the data connection, then
    /// [`super::Session::handle_transfer_ended`].
    StartTransfer(Transfer),
    /// Close the descriptor of the 150 that has just come: the transfer has failed already.
    DropDescriptor,
    /// Break the transfer off; its end is reported as any other.
    AbortTransfer,
    /// For logs and metrics; nothing has to be done.
    Event(Event),
}

/// One transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its verb.
    pub verb: TransferVerb,
    /// Direction in which its data connection is dialled.
    pub route: Route,
    /// Protection of its data connection.
    pub security: DataSecurity,
    /// Whether lines are converted. Listings have their line ends already.
    pub convert: bool,
}

/// Direction in which a data connection is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// By the client, to the port that the session holds.
    Passive,
    /// By the gateway, to this address.
    Active(SocketAddr),
}

/// Protection of one data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataSecurity {
    /// None.
    Clear,
    /// TLS.
    Tls,
    /// Blocks of X-SafeTP1, with the keys of [`super::Session::data_keys`].
    Blocks {
        /// Whether they are encrypted.
        level: Level,
        /// Number of the command that opened the transfer.
        number: TransferNumber,
        /// Size that they may have.
        size: BlockSize,
    },
}

impl DataSecurity {
    /// Whether X-SafeTP1 protects the connection.
    pub(super) fn is_blocks(self) -> bool {
        matches!(self, Self::Blocks { .. })
    }
}

/// Events for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The backend took the password of this user.
    LoggedIn(String),
    /// The backend refused it.
    LoginRefused(String),
    /// PASV or EPSV found no free data port in time.
    NoDataPort,
}
