//! Parameters that commands set for the transfers to come (RFC 959 §4.1.2).

use super::output::Route;
use crate::command::Type;

/// Parameters of the next transfer.
#[derive(Debug, Default)]
pub(super) struct TransferParameters {
    /// Direction in which its data connection is dialled; none before PASV, EPSV, PORT or EPRT.
    pub(super) route: Option<Route>,
    /// TYPE, as the backend has confirmed it.
    pub(super) transfer_type: Type,
    /// Octets to skip (REST).
    pub(super) rest: u64,
    /// EPSV ALL was said.
    pub(super) epsv_only: bool,
}
