//! Origins of connections, by which limits on strangers count.

use std::net::{IpAddr, Ipv6Addr};

/// The host part of an IPv6 address: a subscriber has a /64 and can change these bits for every connection (RFC 4291
/// §2.5.4).
const IPV6_HOST_BITS: u32 = 64;

/// One origin: an address; of an IPv6 address the /64. An IPv4-mapped address is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> IPV6_HOST_BITS << IPV6_HOST_BITS))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn an_ipv6_subnet_is_one_origin_and_an_ipv4_address_too() {
        assert_eq!(origin("2001:db8:1:2::3"), origin("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(origin("2001:db8:1:2::3"), origin("2001:db8:1:3::3"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("192.0.2.1"), origin("::ffff:192.0.2.1"));
    }
}
