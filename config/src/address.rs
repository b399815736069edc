//! The address that clients dial.

use std::{fmt, net::IpAddr};

#[cfg(feature = "service")]
pub mod service;

/// An address that clients dial: an IP address or a DNS name, never with a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExternalAddress {
    /// A literal address.
    Ip(IpAddr),
    /// A DNS name, which the gateway resolves.
    Name(String),
}

impl ExternalAddress {
    /// An IP address if the text is one, else a name.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Ip)
    }
}

impl fmt::Display for ExternalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}
