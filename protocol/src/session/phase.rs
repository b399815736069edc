//! Phases of a session, each with what it waits for.

use super::current_transfer::CurrentTransfer;
use crate::{reply::Reply, security::DataProtection};

/// The event that a session is waiting for.
#[derive(Debug)]
pub(super) enum Phase {
    /// The backend's 220.
    Starting,
    /// The 220 of a backend connection that knows nothing of what was said in the clear.
    Restarting,
    /// The next command.
    Ready,
    /// The TLS handshake, after which data connections are as the name of the mechanism implies.
    Handshaking(DataProtection),
    /// The answer to message 2 of X-SafeTP1, which takes a while to compute.
    Negotiating,
    /// The end of TLS after CCC.
    Clearing,
    /// The backend's reply to one command.
    Asking,
    /// A place among the users. The backend's welcome is sent after it.
    Admitting(Reply),
    /// A data port for PASV or EPSV.
    AwaitingPort(PassiveKind),
    /// The end of a transfer.
    Transferring(CurrentTransfer),
    /// Nothing: all is over but the flushing.
    Closed,
}

/// Command that asked for a data port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PassiveKind {
    Pasv,
    Epsv,
}
