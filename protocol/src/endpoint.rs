//! Addresses and ports of data connections on the wire: 227 and PORT (RFC 959), 229 and EPRT (RFC 2428), each written
//! and read here alone.
//!
//! Writing is strict, in the form that every peer takes; reading takes what peers in the field send. Whether an address
//! may be dialled is for the caller to decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use crate::reply::Reply;

/// The argument of PORT or EPRT: an address at which the client wants to be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveTarget {
    /// IPv4 or IPv6.
    Address(SocketAddr),
    /// A network protocol other than IPv4 and IPv6, which gets 522 (RFC 2428 §2).
    OtherProtocol,
}

/// The reply to PASV: 227 with the six numbers in parentheses (RFC 959 §4.1.2, appendix I).
pub fn pasv_reply(endpoint: SocketAddrV4) -> Reply {
    Reply::new(227, format!("Entering Passive Mode ({}).", port_argument(endpoint)))
}

/// Reads the text of a 227: the first run of digits and commas. Not every server writes the parentheses (RFC 1123
/// §4.1.2.6). Port 0 is not an endpoint.
pub fn read_pasv_reply(text: &[u8]) -> Option<SocketAddrV4> {
    let text = std::str::from_utf8(text).ok()?;
    let numbers = text.split(|char: char| !char.is_ascii_digit() && char != ',').find(|part| part.contains(','))?;
    read_port(numbers).filter(|endpoint| endpoint.port() > 0)
}

/// The reply to EPSV: 229, which carries a port and no address (RFC 2428 §3).
pub fn epsv_reply(port: u16) -> Reply {
    Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)"))
}

/// Reads the text of a 229: `(|||port|)` at its end, with any delimiter (RFC 2428 §3). Port 0 is not a port.
pub fn read_epsv_reply(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, inside) = text.rsplit_once('(')?;
    let (inside, _) = inside.split_once(')')?;
    let delimiter = inside.chars().next()?;
    let fields: Vec<&str> = inside.split(delimiter).collect();
    let &["", "", "", port, ""] = fields.as_slice() else { return None };
    digits(port).filter(|port| *port > 0)
}

/// The argument of PORT: `h1,h2,h3,h4,p1,p2` (RFC 959 §4.1.2).
pub fn port_argument(endpoint: SocketAddrV4) -> String {
    let [a, b, c, d] = endpoint.ip().octets();
    let [high, low] = endpoint.port().to_be_bytes();
    format!("{a},{b},{c},{d},{high},{low}")
}

/// Reads the argument of PORT; spaces around a number do no harm.
pub fn read_port(argument: &str) -> Option<SocketAddrV4> {
    let octets: Vec<u8> = argument.split(',').map(|number| digits(number.trim())).collect::<Option<_>>()?;
    let [a, b, c, d, high, low] = octets.try_into().ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
}

/// The argument of EPRT: `|protocol|address|port|` (RFC 2428 §2).
pub fn eprt_argument(endpoint: SocketAddr) -> String {
    let protocol = if endpoint.is_ipv4() { 1 } else { 2 };
    format!("|{protocol}|{}|{}|", endpoint.ip(), endpoint.port())
}

/// Reads the argument of EPRT, with any printable character as its delimiter (RFC 2428 §2).
pub fn read_eprt(argument: &str) -> Option<ActiveTarget> {
    let delimiter = argument.chars().next().filter(|delimiter| ('!'..='~').contains(delimiter))?;
    let fields: Vec<&str> = argument.split(delimiter).collect();
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

/// A decimal number; `parse` alone would take a sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> ActiveTarget {
        ActiveTarget::Address(text.parse().unwrap())
    }

    #[test]
    fn pasv_and_epsv_replies_have_the_form_of_their_rfcs() {
        let pasv = pasv_reply("192.0.2.7:2000".parse().unwrap());
        assert_eq!(pasv.encode(), b"227 Entering Passive Mode (192,0,2,7,7,208).\r\n");
        assert_eq!(epsv_reply(2000).encode(), b"229 Entering Extended Passive Mode (|||2000|)\r\n");
    }

    #[test]
    fn the_numbers_of_227_need_no_parentheses() {
        let read = |text: &str| read_pasv_reply(text.as_bytes()).map(|endpoint| endpoint.to_string());
        assert_eq!(read("Entering Passive Mode (10,0,0,1,39,17)."), Some("10.0.0.1:10001".into()));
        assert_eq!(read("=127,0,0,1,4,0"), Some("127.0.0.1:1024".into()));
        assert_eq!(read("Entering Passive Mode 10,0,0,1,39,17"), Some("10.0.0.1:10001".into()));
        for wrong in ["(10,0,0,1,0,0)", "(10,0,0,1,256,0)", "(1,2,3)", "(1,2,3,4,5,6,7)", "ok", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_port_of_229_may_have_any_delimiter() {
        let read = |text: &str| read_epsv_reply(text.as_bytes());
        assert_eq!(read("Entering Extended Passive Mode (|||40001|)"), Some(40001));
        assert_eq!(read("ok (!!!40001!)"), Some(40001));
        assert_eq!(read("(RFC 2428) ok (|||40001|)."), Some(40001));
        for wrong in ["ok (|||0|)", "ok (|||x|)", "ok (|||65536|)", "ok (||40001|)", "ok", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn port_is_six_octets() {
        let expected = "192.0.2.7:2000".parse().ok();
        assert_eq!(read_port("192,0,2,7,7,208"), expected);
        assert_eq!(read_port(" 192, 0,2,7 ,7,208"), expected);
        for wrong in ["192,0,2,7,7", "192,0,2,7,7,208,1", "192,0,2,7,7,256", "192,0,2,-7,7,2", "a,b,c,d,e,f", ""] {
            assert_eq!(read_port(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn eprt_states_its_protocol_and_its_delimiter() {
        assert_eq!(read_eprt("|1|192.0.2.7|2000|"), Some(target("192.0.2.7:2000")));
        assert_eq!(read_eprt("|2|2001:db8::7|2000|"), Some(target("[2001:db8::7]:2000")));
        assert_eq!(read_eprt("!1!192.0.2.7!2000!"), Some(target("192.0.2.7:2000")));
        assert_eq!(read_eprt("|3|whatever|2000|"), Some(ActiveTarget::OtherProtocol));
        for wrong in
            ["|1|2001:db8::7|2000|", "|2|192.0.2.7|2000|", "|1|192.0.2.7|65536|", "|1|192.0.2.7|2000", "||a|1|", ""]
        {
            assert_eq!(read_eprt(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_endpoint_is_read_as_it_was_written(v4: [u8; 4], v6: u128, port in 1u16..) {
            let endpoint = SocketAddrV4::new(v4.into(), port);
            prop_assert_eq!(read_pasv_reply(pasv_reply(endpoint).text()), Some(endpoint));
            prop_assert_eq!(read_epsv_reply(epsv_reply(port).text()), Some(port));
            prop_assert_eq!(read_port(&port_argument(endpoint)), Some(endpoint));
            for endpoint in [endpoint.into(), SocketAddr::new(Ipv6Addr::from_bits(v6).into(), port)] {
                prop_assert_eq!(read_eprt(&eprt_argument(endpoint)), Some(ActiveTarget::Address(endpoint)));
            }
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in "[0-9(),|!a-f:. ]{0,40}", octets: Vec<u8>) {
            let _ = (read_pasv_reply(text.as_bytes()), read_epsv_reply(text.as_bytes()));
            let _ = (read_pasv_reply(&octets), read_epsv_reply(&octets));
            let _ = (read_port(&text), read_eprt(&text));
        }

        #[test]
        fn every_endpoint_that_was_read_survives_writing(
            port in "[0-9]{1,3}(,[0-9]{1,3}){5}", eprt in "\\|[12]\\|[0-9a-f:.]{2,15}\\|[0-9]{1,5}\\|",
        ) {
            if let Some(endpoint) = read_port(&port) {
                prop_assert_eq!(read_port(&port_argument(endpoint)), Some(endpoint));
            }
            if let Some(ActiveTarget::Address(endpoint)) = read_eprt(&eprt) {
                prop_assert_eq!(read_eprt(&eprt_argument(endpoint)), Some(ActiveTarget::Address(endpoint)));
            }
        }
    }
}
