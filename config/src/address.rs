//! Which of a Service's addresses is announced: decided here once, for the operator's status and the gateway's PASV.

use std::{fmt, net::IpAddr};

/// One entry of `status.loadBalancer.ingress[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// `ip`, when the load balancer publishes addresses.
    pub ip: Option<String>,
    /// `hostname`, when it publishes a name (AWS).
    pub hostname: Option<String>,
}

/// An address that clients dial: an IP address or a DNS name, never with a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExternalAddress {
    /// A literal address.
    Ip(IpAddr),
    /// A name, resolved by whoever needs octets.
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

/// The address that was chosen, and the sentence for `status.addressReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The address.
    pub address: ExternalAddress,
    /// Why this one.
    pub reason: &'static str,
}

/// Chooses among what a load balancer published: a public IPv4 address before a private one (clients of 227 need
/// IPv4), before IPv6, before a name. `None` while nothing usable is published.
pub fn choose(ingress: &[Ingress]) -> Option<Choice> {
    ingress.iter().filter_map(candidate).min_by_key(|(rank, _)| *rank).map(|(_, choice)| choice)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    PublicV4,
    PrivateV4,
    V6,
    Name,
}

fn candidate(ingress: &Ingress) -> Option<(Rank, Choice)> {
    let ip = ingress.ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    if let Some(ip) = ip {
        let (rank, reason) = rank(ip);
        return Some((rank, Choice { address: ExternalAddress::Ip(ip), reason }));
    }
    let name = ingress.hostname.clone().filter(|name| !name.is_empty())?;
    let reason = "the load balancer publishes a name";
    Some((Rank::Name, Choice { address: ExternalAddress::Name(name), reason }))
}

fn rank(ip: IpAddr) -> (Rank, &'static str) {
    match ip {
        IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() || v4.is_loopback() => {
            (Rank::PrivateV4, "the load balancer's private IPv4 address: reachable inside its network only")
        }
        IpAddr::V4(_) => (Rank::PublicV4, "the load balancer's IPv4 address"),
        IpAddr::V6(_) => (Rank::V6, "the load balancer's IPv6 address: clients must use EPSV"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ingress {
        Ingress { ip: Some(text.into()), hostname: None }
    }

    fn name(text: &str) -> Ingress {
        Ingress { ip: None, hostname: Some(text.into()) }
    }

    fn chosen(ingress: &[Ingress]) -> Option<String> {
        choose(ingress).map(|choice| choice.address.to_string())
    }

    #[test]
    fn nothing_published_is_no_address() {
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[Ingress { ip: Some("not an address".into()), hostname: Some(String::new()) }]), None);
    }

    #[test]
    fn a_public_ipv4_address_wins_wherever_it_stands() {
        let all = [name("lb.example.org"), ip("2001:db8::1"), ip("10.0.0.1"), ip("203.0.113.7")];
        assert_eq!(chosen(&all).as_deref(), Some("203.0.113.7"));
        assert_eq!(chosen(&all[..3]).as_deref(), Some("10.0.0.1"));
        assert_eq!(chosen(&all[..2]).as_deref(), Some("2001:db8::1"));
        assert_eq!(chosen(&all[..1]).as_deref(), Some("lb.example.org"));
    }

    #[test]
    fn of_two_equals_the_first_published_stays() {
        assert_eq!(chosen(&[ip("203.0.113.8"), ip("203.0.113.7")]).as_deref(), Some("203.0.113.8"));
    }
}
