//! The address inside the signed message.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// A server's address as message 3 carries it: an IPv6 address, or an IPv4 address as IPv4-mapped.
///
/// An IPv4 address and its IPv4-mapped form are equal, so a client that dialled either compares the same octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerIp([u8; Self::LENGTH]);

impl ServerIp {
    pub(super) const LENGTH: usize = 16;

    /// The address as it is on the wire.
    pub fn octets(self) -> [u8; Self::LENGTH] {
        self.0
    }
}

impl From<[u8; ServerIp::LENGTH]> for ServerIp {
    fn from(octets: [u8; Self::LENGTH]) -> Self {
        Self(octets)
    }
}

impl From<IpAddr> for ServerIp {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self(v4.to_ipv6_mapped().octets()),
            IpAddr::V6(v6) => Self(v6.octets()),
        }
    }
}

impl From<ServerIp> for IpAddr {
    /// The canonical address: IPv4 where the octets are IPv4-mapped.
    fn from(address: ServerIp) -> Self {
        Ipv6Addr::from(address.0).to_canonical()
    }
}

impl fmt::Display for ServerIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ServerIp {
        ServerIp::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn ipv4_is_ten_zero_octets_two_of_ff_and_the_address() {
        let octets = address("192.0.2.7").octets();
        assert_eq!(octets, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7]);
        assert_eq!(address("192.0.2.7").to_string(), "192.0.2.7");
    }

    #[test]
    fn an_ipv4_mapped_address_is_the_ipv4_address() {
        assert_eq!(address("::ffff:192.0.2.7"), address("192.0.2.7"));
        assert_eq!(IpAddr::from(address("::ffff:192.0.2.7")), "192.0.2.7".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn an_ipv6_address_stays_what_it_is() {
        assert_eq!(address("2001:db8::1").to_string(), "2001:db8::1");
        assert_ne!(address("2001:db8::1"), address("2001:db8::2"));
    }
}
