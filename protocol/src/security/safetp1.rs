//! X-SafeTP1: the mechanism of SafeTP for RFC 2228, both sides of it. `docs/x-safetp1.md` is its normative text.
//!
//! [`server`] and [`client`] are the exchange of AUTH and ADAT; each step consumes the one before, so the order is in
//! the types. What comes out is [`Secured`]: the [`Control`] connection's protection and the [`DataKeys`] of all data
//! connections. Messages go in and out as octets; their base64 and their reply codes are the caller's.
//!
//! Randomness is injected, and the caller answers for its quality. Nothing here allocates by a length that a peer has
//! sent: every message is bounded by the octets that the caller has already read, every number in it by the lengths in
//! [`wire_profile`], every block by [`BlockSize`].

mod address;
pub mod client;
mod control;
mod counter;
mod data;
mod elgamal;
mod fingerprint;
mod keys;
mod messages;
mod protector;
mod public_key;
pub mod server;
mod signing_key;
pub mod wire_profile;

#[cfg(test)]
mod tests;

pub use address::ServerIp;
pub use control::{Control, Opened};
pub use counter::Exhausted;
pub use data::{Block, BlockSize, DataKeys, Level, Opener, SealError, Sealer, TransferNumber};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use protector::Unverified;
pub use public_key::{KeyError, PublicKey};
pub use signing_key::{KeySize, SigningKey};
pub use wire_profile::Malformed;

use keys::{MasterKey, Side, make_keys};

/// Result of a finished exchange, as one side sees it.
#[derive(Debug)]
pub struct Secured {
    /// The control connection, from the first command after 235 on.
    pub control: Control,
    /// The keys of every data connection of this session.
    pub data: DataKeys,
}

impl Secured {
    /// Both sides' protection as `side` sees it: it seals with its own keys and opens with the other's.
    fn new(master: &MasterKey, side: Side) -> Self {
        let keys = make_keys(master);
        let (sealing, opening) = match side {
            Side::Client => (&keys.client, &keys.server),
            Side::Server => (&keys.server, &keys.client),
        };
        Self { control: Control::new(side, sealing, opening), data: DataKeys::new(sealing, opening) }
    }
}
