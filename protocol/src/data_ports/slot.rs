//! One session's wait for a connection.

use std::{net::IpAddr, time::Instant};

use super::request::{Claim, SessionId, Unproven, UserId};

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) claim: Claim,
    pub(super) until: Instant,
    /// A connection that may have been its client's has proved nothing.
    pub(super) doubted: bool,
    /// Its client has begun the transfer.
    pub(super) awaited: bool,
}

impl Slot {
    pub(super) fn awaits(&self, peer: IpAddr, now: Instant) -> bool {
        self.claim.peer.is(peer) && now < self.until
    }

    /// Whether this connection may have been the client's, so that perhaps no better one comes.
    pub(super) fn is_client(&self, unproven: Unproven) -> bool {
        unproven.peer == self.claim.client || unproven.shown == Some(self.session)
    }
}
