//! PORT and EPRT: an address and a port, in two spellings. Whether to dial there is for others to decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ActiveTarget;

/// RFC 959 §4.1.2: `h1,h2,h3,h4,p1,p2`.
pub(super) fn port(text: &str) -> Option<ActiveTarget> {
    let numbers: Vec<u8> = text.split(',').map(octet).collect::<Option<_>>()?;
    let [a, b, c, d, high, low] = numbers.try_into().ok()?;
    let address = Ipv4Addr::new(a, b, c, d);
    Some(ActiveTarget::Address((address, u16::from_be_bytes([high, low])).into()))
}

/// RFC 2428 §2: `|protocol|address|port|`, with any printable character for the bar.
pub(super) fn eprt(text: &str) -> Option<ActiveTarget> {
    let bar = text.chars().next().filter(|bar| ('!'..='~').contains(bar))?;
    let fields: Vec<&str> = text.split(bar).collect();
    let &["", protocol, address, port, ""] = fields.as_slice() else { return None };
    let address = match protocol {
        "1" => IpAddr::V4(address.parse::<Ipv4Addr>().ok()?),
        "2" => IpAddr::V6(address.parse::<Ipv6Addr>().ok()?),
        other if !other.is_empty() && other.bytes().all(|octet| octet.is_ascii_digit()) => {
            return Some(ActiveTarget::OtherProtocol);
        }
        _ => return None,
    };
    Some(ActiveTarget::Address(SocketAddr::new(address, digits(port)?)))
}

fn octet(text: &str) -> Option<u8> {
    digits(text.trim())
}

/// `parse` alone would take a sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ActiveTarget {
        ActiveTarget::Address(text.parse().unwrap())
    }

    #[test]
    fn port_is_six_octets() {
        assert_eq!(port("192,0,2,7,7,208"), Some(address("192.0.2.7:2000")));
        for wrong in ["192,0,2,7,7", "192,0,2,7,7,208,1", "192,0,2,7,7,256", "192,0,2,-7,7,2", "a,b,c,d,e,f", ""] {
            assert_eq!(port(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn eprt_names_its_family() {
        assert_eq!(eprt("|1|192.0.2.7|2000|"), Some(address("192.0.2.7:2000")));
        assert_eq!(eprt("|2|2001:db8::7|2000|"), Some(address("[2001:db8::7]:2000")));
        assert_eq!(eprt("!1!192.0.2.7!2000!"), Some(address("192.0.2.7:2000")));
        assert_eq!(eprt("|3|whatever|2000|"), Some(ActiveTarget::OtherProtocol));
        for wrong in
            ["|1|2001:db8::7|2000|", "|2|192.0.2.7|2000|", "|1|192.0.2.7|65536|", "|1|192.0.2.7|2000", "||a|1|", ""]
        {
            assert_eq!(eprt(wrong), None, "{wrong}");
        }
    }
}
