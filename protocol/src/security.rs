//! Protection of a session: the mechanism of the control channel, PBSZ and PROT.

mod rfc2228;
pub mod safetp1;

pub use rfc2228::{DataProtection, Mechanism, Protection};
