//! Whose login it is, as far as limits are concerned.

use std::net::{IpAddr, Ipv6Addr};

/// The host part of an IPv6 address: a subscriber has a /64 and can change these bits for every login (RFC 4291
/// §2.5.4).
const IPV6_HOST_BITS: u32 = 64;

/// The address that logins come from; of an IPv6 address the /64. All logins of sessions whose gateway did not tell an
/// address have one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin(Option<IpAddr>);

impl Origin {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> IPV6_HOST_BITS << IPV6_HOST_BITS))
            }
            v4 @ IpAddr::V4(_) => v4,
        }))
    }
}

/// A login's origin and the digest of its name: names of unknown length are not worth keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) origin: Origin,
    pub(super) name: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        Origin::of(Some(address.parse().unwrap()))
    }

    #[test]
    fn an_ipv6_subnet_is_one_origin_and_an_ipv4_address_too() {
        assert_eq!(origin("2001:db8:1:2::3"), origin("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(origin("2001:db8:1:2::3"), origin("2001:db8:1:3::3"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("192.0.2.1"), origin("::ffff:192.0.2.1"));
    }
}
