use crate::{
    command::{TransferVerb, Type},
    security::DataProtection,
};

/// What a session wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the client.
    ToClient(Vec<u8>),
    /// Write this to the backend.
    ToBackend(Vec<u8>),
    /// Flush, then do the server's side of a TLS handshake, then [`super::Session::handle_protected`]. Nothing that the
    /// client sent before is left over: it would be read as if it had come protected.
    StartTls,
    /// Give up the data port or connection of this session if it has one, get a new port, then
    /// [`super::Session::handle_port`].
    RequestPort,
    /// Give up the data port or connection of this session.
    ReleasePort,
    /// Move octets between the descriptor of the 150 that has just come and the data connection of the port, then
    /// [`super::Session::handle_transfer_ended`].
    StartTransfer(Transfer),
    /// Close the descriptor of the 150 that has just come: nobody wants it any more.
    DropDescriptor,
    /// Break the transfer off; its end is told as any other.
    AbortTransfer,
    /// For logs and metrics; nothing has to be done.
    Event(Event),
    /// Flush and close both connections and whatever is left of a transfer.
    Close,
}

/// One transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What it is.
    pub verb: TransferVerb,
    /// How its data connection is protected.
    pub protection: DataProtection,
    /// Whether lines are converted. Listings have their line ends already.
    pub convert: bool,
}

impl Transfer {
    pub(super) fn new(verb: TransferVerb, protection: DataProtection, transfer_type: Type) -> Self {
        Self { verb, protection, convert: verb.is_file() && transfer_type == Type::Ascii }
    }
}

/// What logs and metrics want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The backend took the password of this user.
    LoggedIn(String),
    /// The backend refused it.
    LoginRefused(String),
    /// PASV or EPSV found no free data port in time.
    NoDataPort,
}
