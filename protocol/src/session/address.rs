//! The external address, and whether it is still the one that the client dialled.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

/// The address that is announced at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The address or name as the load balancer or the user states it. Another text is another address, while a name
    /// stays the same whatever it resolves to.
    pub text: String,
    /// The octets for 227; a name may not resolve, and some servers have IPv6 only.
    pub v4: Option<Ipv4Addr>,
    /// The same where it has, or is, an IPv6 address.
    pub v6: Option<Ipv6Addr>,
}

/// The external address as one session sees it.
#[derive(Debug)]
pub(super) struct Address {
    /// Announced when the client connected, so what it has dialled.
    dialled: Option<Announced>,
    current: Option<Announced>,
    moved_at: Option<Instant>,
}

impl Address {
    pub(super) fn new(current: Option<Announced>) -> Self {
        Self { dialled: current.clone(), current, moved_at: None }
    }

    /// Another address is announced, or none.
    pub(super) fn change(&mut self, current: Option<Announced>, now: Instant) {
        self.current = current;
        // A client that came while none was known has dialled an address all the same: the first that becomes known.
        self.dialled = self.dialled.take().or_else(|| self.current.clone());
        self.moved_at = self.has_moved().then(|| self.moved_at.unwrap_or(now));
    }

    pub(super) fn current(&self) -> Option<&Announced> {
        self.current.as_ref()
    }

    /// Whether another address is announced than the client has dialled.
    pub(super) fn has_moved(&self) -> bool {
        match (&self.dialled, &self.current) {
            (Some(dialled), Some(current)) => dialled.text != current.text,
            _ => false,
        }
    }

    /// The moment at which the address moved away from the client.
    pub(super) fn moved_at(&self) -> Option<Instant> {
        self.moved_at
    }

    /// Families in which the server can be reached, IPv4 and IPv6; both where that is not known.
    pub(super) fn families(&self) -> (bool, bool) {
        match &self.current {
            Some(Announced { v4: Some(_), v6, .. }) => (true, v6.is_some()),
            Some(Announced { v4: None, v6: Some(_), .. }) => (false, true),
            _ => (true, true),
        }
    }

    /// The address that a client at `peer` has dialled, as far as that is known here.
    pub(super) fn dialled_from(&self, peer: IpAddr) -> Option<IpAddr> {
        let address = self.current.as_ref()?;
        let (v4, v6) = (address.v4.map(IpAddr::V4), address.v6.map(IpAddr::V6));
        let (first, second) = if peer.is_ipv6() { (v6, v4) } else { (v4, v6) };
        first.or(second)
    }
}
