//! TLS on control and data connections, and how a data connection proves whose it is. It knows nothing of the gateway
//! that uses it.

pub(crate) mod deferred_tickets;
mod error;
mod identity;
pub(crate) mod records;
mod tickets;

pub use error::IdentityError;
pub(crate) use error::connection_text;
pub use identity::Identity;
pub(crate) use identity::{Accepted, CONTROL_TICKETS, DATA_TICKETS, HANDSHAKE_TIME, Unresumed};
pub(crate) use tickets::TicketId;
pub use tickets::Tickets;
