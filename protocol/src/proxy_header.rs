//! The PROXY protocol, versions 1 and 2: what a load balancer writes in front of a connection to say who is at its
//! other end (haproxy's `proxy-protocol.txt`, sections 2.1 and 2.2).
//!
//! Whoever may write such a header may claim any address, so that it is only to be looked for where a proxy that is
//! trusted connects, and then it must be there. No program uses it yet: it waits for the gateway to accept load
//! balancers that send such headers, and is fuzzed until then.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// The longest header of version 1, its CRLF included.
pub const MAX_V1: usize = 107;
/// Octets that may follow the first 16 of version 2: the addresses, and what else a proxy has to tell. The standard
/// knows no bound but that of the field; proxies of today need a few hundred.
pub const MAX_V2_BODY: usize = 4096;

const V1_PREFIX: &[u8] = b"PROXY ";
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD: usize = 16;
/// `PROXY UNKNOWN` with its CRLF: no header of any version is shorter.
const SHORTEST: usize = 15;

/// A header: for whom the proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The proxy speaks for itself, for example to see whether we live. The connection's own addresses hold.
    Local,
    /// The proxy speaks for someone, and cannot say for whom in IP addresses. The connection's own addresses hold.
    Unknown,
    /// The proxy speaks for `source`, who dialled `destination`. IPv4-mapped addresses are already IPv4.
    Proxied {
        /// The client.
        source: SocketAddr,
        /// The address that the client dialled.
        destination: SocketAddr,
    },
}

/// Progress in reading a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderProgress {
    /// Complete; the octets after the first `length` are the client's.
    Done {
        /// The header.
        header: ProxyHeader,
        /// Number of its octets.
        length: usize,
    },
    /// At least so many more octets belong to it, never 0: a reader that takes no more than these takes none of the
    /// client's.
    More(usize),
}

/// Reason for which octets are not a header. The connection is then of no use: its client is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    /// No header begins like this.
    #[error("the connection does not begin with a PROXY protocol header")]
    NoHeader,
    /// A line of version 1 that does not end in time, or a body of version 2 beyond [`MAX_V2_BODY`].
    #[error("the header of the PROXY protocol is too long")]
    TooLong,
    /// A malformed line of version 1.
    #[error("the line of the PROXY protocol is damaged")]
    BadLine,
    /// Version 2, but neither LOCAL nor PROXY, or another version.
    #[error("the header of the PROXY protocol has an unknown version or command")]
    UnknownCommand,
    /// Version 2 with a family or transport that no TCP connection has.
    #[error("the header of the PROXY protocol has an unknown address family or transport")]
    UnknownFamily,
    /// Version 2 with fewer octets than its addresses have.
    #[error("the header of the PROXY protocol has no room for its addresses")]
    TooShort,
}

impl ProxyHeader {
    /// Looks for a header at the beginning of `octets`: all that the connection has brought so far.
    pub fn parse(octets: &[u8]) -> Result<HeaderProgress, ProxyHeaderError> {
        if octets.starts_with(V1_PREFIX) && octets.len() >= SHORTEST {
            return parse_line(octets);
        }
        if octets.starts_with(V2_SIGNATURE) {
            return parse_binary(octets);
        }
        let possible =
            V1_PREFIX.starts_with(octets) || octets.starts_with(V1_PREFIX) || V2_SIGNATURE.starts_with(octets);
        if possible { Ok(HeaderProgress::More(SHORTEST - octets.len())) } else { Err(ProxyHeaderError::NoHeader) }
    }
}

fn parse_line(octets: &[u8]) -> Result<HeaderProgress, ProxyHeaderError> {
    let window = octets.get(..MAX_V1).unwrap_or(octets);
    let Some(end) = window.iter().position(|octet| *octet == b'\n') else {
        if window.len() == MAX_V1 {
            return Err(ProxyHeaderError::TooLong);
        }
        // CR and LF are still to come, or LF alone.
        return Ok(HeaderProgress::More(if window.ends_with(b"\r") { 1 } else { 2 }.min(MAX_V1 - window.len())));
    };
    let line = window.get(V1_PREFIX.len()..end).and_then(|line| line.strip_suffix(b"\r"));
    let line = line.and_then(|line| std::str::from_utf8(line).ok()).ok_or(ProxyHeaderError::BadLine)?;
    let header = parse_fields(line).ok_or(ProxyHeaderError::BadLine)?;
    Ok(HeaderProgress::Done { header, length: end + 1 })
}

fn parse_fields(line: &str) -> Option<ProxyHeader> {
    let mut fields = line.split(' ');
    match fields.next()? {
        // What follows is to be ignored.
        "UNKNOWN" => Some(ProxyHeader::Unknown),
        "TCP4" => parse_addresses::<Ipv4Addr>(fields),
        "TCP6" => parse_addresses::<Ipv6Addr>(fields),
        _ => None,
    }
}

fn parse_addresses<'a, A: FromStr + Into<IpAddr>>(mut fields: impl Iterator<Item = &'a str>) -> Option<ProxyHeader> {
    let [source, destination] = [fields.next()?.parse::<A>().ok()?, fields.next()?.parse::<A>().ok()?];
    let [source_port, destination_port] = [port(fields.next()?)?, port(fields.next()?)?];
    // One field more is one too many.
    if fields.next().is_some() {
        return None;
    }
    Some(proxied((source.into(), source_port), (destination.into(), destination_port)))
}

/// Decimal, and with neither a sign nor leading zeros, which `parse` alone would take.
fn port(field: &str) -> Option<u16> {
    let plain = field.bytes().all(|octet| octet.is_ascii_digit()) && (field == "0" || !field.starts_with('0'));
    field.parse().ok().filter(|_| plain)
}

fn parse_binary(octets: &[u8]) -> Result<HeaderProgress, ProxyHeaderError> {
    let Some((head, rest)) = octets.split_first_chunk::<V2_HEAD>() else {
        return Ok(HeaderProgress::More(V2_HEAD - octets.len()));
    };
    let [.., version_and_command, family, high, low] = *head;
    let local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return Err(ProxyHeaderError::UnknownCommand),
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_V2_BODY {
        return Err(ProxyHeaderError::TooLong);
    }
    let Some(body) = rest.get(..length) else {
        return Ok(HeaderProgress::More(length - rest.len()));
    };
    let header = if local { ProxyHeader::Local } else { of_family(family, body)? };
    Ok(HeaderProgress::Done { header, length: V2_HEAD + length })
}

/// Reads the addresses; what follows them (TLVs) is for others.
fn of_family(family: u8, body: &[u8]) -> Result<ProxyHeader, ProxyHeaderError> {
    let header = match family {
        // Not said, and Unix sockets: nothing that could be compared with an IP address.
        0x00 | 0x31 => Some(ProxyHeader::Unknown),
        0x11 => binary_addresses::<4>(body),
        0x21 => binary_addresses::<16>(body),
        _ => return Err(ProxyHeaderError::UnknownFamily),
    };
    header.ok_or(ProxyHeaderError::TooShort)
}

/// Source, destination, source port, destination port.
fn binary_addresses<const LENGTH: usize>(body: &[u8]) -> Option<ProxyHeader>
where
    IpAddr: From<[u8; LENGTH]>,
{
    let (source, rest) = body.split_first_chunk::<LENGTH>()?;
    let (destination, rest) = rest.split_first_chunk::<LENGTH>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let destination_port = rest.first_chunk::<2>()?;
    let end = |address: &[u8; LENGTH], port: &[u8; 2]| (IpAddr::from(*address), u16::from_be_bytes(*port));
    Some(proxied(end(source, source_port), end(destination, destination_port)))
}

fn proxied(source: (IpAddr, u16), destination: (IpAddr, u16)) -> ProxyHeader {
    let canonical = |(address, port): (IpAddr, u16)| SocketAddr::new(address.to_canonical(), port);
    ProxyHeader::Proxied { source: canonical(source), destination: canonical(destination) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn done(octets: &[u8]) -> (ProxyHeader, usize) {
        match ProxyHeader::parse(octets) {
            Ok(HeaderProgress::Done { header, length }) => (header, length),
            other => panic!("{other:?}"),
        }
    }

    fn from_to(source: &str, destination: &str) -> ProxyHeader {
        ProxyHeader::Proxied { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [V2_SIGNATURE, &[command, family], &length, body].concat()
    }

    const V4_BODY: [u8; 12] = [192, 0, 2, 1, 203, 0, 113, 7, 0xdc, 0x04, 0, 21];

    #[test]
    fn a_line_names_both_ends_and_what_follows_is_the_clients() {
        let line = b"PROXY TCP4 192.0.2.1 203.0.113.7 56324 21\r\nAUTH TLS\r\n";
        assert_eq!(done(line), (from_to("192.0.2.1:56324", "203.0.113.7:21"), line.len() - 10));
        let line = b"PROXY TCP6 2001:db8::1 2001:db8::7 0 65535\r\n";
        assert_eq!(done(line), (from_to("[2001:db8::1]:0", "[2001:db8::7]:65535"), line.len()));
    }

    #[test]
    fn an_unknown_client_is_not_an_error() {
        assert_eq!(done(b"PROXY UNKNOWN\r\n"), (ProxyHeader::Unknown, 15));
        assert_eq!(done(b"PROXY UNKNOWN ffff:: x y z\r\n").0, ProxyHeader::Unknown);
    }

    #[test]
    fn the_longest_line_is_read_and_a_longer_one_is_not_waited_for() {
        let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_V1 - 16));
        assert_eq!(done(longest.as_bytes()), (ProxyHeader::Unknown, MAX_V1));
        let longer = format!("PROXY UNKNOWN {}", "x".repeat(MAX_V1 - 14));
        assert_eq!(ProxyHeader::parse(longer.as_bytes()), Err(ProxyHeaderError::TooLong));
    }

    #[test]
    fn a_damaged_line_is_refused() {
        for line in [
            "PROXY TCP4 192.0.2.1 203.0.113.7 56324\r\n",
            "PROXY TCP4 192.0.2.1 203.0.113.7 56324 21 \r\n",
            "PROXY TCP4 192.0.2.1 203.0.113.7 56324 21\n",
            "PROXY TCP4 192.0.2.1  203.0.113.7 56324 21\r\n",
            "PROXY TCP4 2001:db8::1 2001:db8::7 56324 21\r\n",
            "PROXY TCP6 192.0.2.1 203.0.113.7 56324 21\r\n",
            "PROXY TCP4 192.0.2.1 203.0.113.7 056324 21\r\n",
            "PROXY TCP4 192.0.2.1 203.0.113.7 +5632 21\r\n",
            "PROXY TCP4 192.0.2.1 203.0.113.7 65536 21\r\n",
            "PROXY tcp4 192.0.2.1 203.0.113.7 56324 21\r\n",
            "PROXY  UNKNOWN\r\n",
            "PROXY UNKNOWN \u{e9}\n",
        ] {
            assert_eq!(ProxyHeader::parse(line.as_bytes()), Err(ProxyHeaderError::BadLine), "{line:?}");
        }
    }

    #[test]
    fn version_2_names_both_ends_and_its_tlvs_are_skipped() {
        let wanted = from_to("192.0.2.1:56324", "203.0.113.7:21");
        assert_eq!(done(&binary(0x21, 0x11, &V4_BODY)), (wanted, 28));
        let with_tlv = [&V4_BODY[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        assert_eq!(done(&binary(0x21, 0x11, &with_tlv)), (wanted, 34));
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        let mapped = |address: Ipv4Addr| address.to_ipv6_mapped().octets();
        let [source, destination] = [mapped([192, 0, 2, 1].into()), mapped([203, 0, 113, 7].into())];
        let body = [&source[..], &destination, &[0xdc, 0x04, 0, 21]].concat();
        assert_eq!(done(&binary(0x21, 0x21, &body)).0, from_to("192.0.2.1:56324", "203.0.113.7:21"));
    }

    #[test]
    fn local_and_unspecified_leave_the_connections_own_addresses() {
        assert_eq!(done(&binary(0x20, 0x00, &[])), (ProxyHeader::Local, 16));
        assert_eq!(done(&binary(0x20, 0x77, &V4_BODY)), (ProxyHeader::Local, 28));
        assert_eq!(done(&binary(0x21, 0x00, b"tlv")), (ProxyHeader::Unknown, 19));
        assert_eq!(done(&binary(0x21, 0x31, &[0; 216])), (ProxyHeader::Unknown, 232));
    }

    #[test]
    fn unknown_versions_commands_and_families_are_refused() {
        let refused = |octets: &[u8]| ProxyHeader::parse(octets).unwrap_err();
        assert_eq!(refused(&binary(0x22, 0x11, &V4_BODY)), ProxyHeaderError::UnknownCommand);
        assert_eq!(refused(&binary(0x11, 0x11, &V4_BODY)), ProxyHeaderError::UnknownCommand);
        assert_eq!(refused(&binary(0x21, 0x12, &V4_BODY)), ProxyHeaderError::UnknownFamily);
        assert_eq!(refused(&binary(0x21, 0x11, &V4_BODY[..11])), ProxyHeaderError::TooShort);
        assert_eq!(refused(&binary(0x21, 0x21, &V4_BODY)), ProxyHeaderError::TooShort);
        assert_eq!(refused(&binary(0x21, 0x11, &[0; MAX_V2_BODY + 1])[..V2_HEAD]), ProxyHeaderError::TooLong);
    }

    #[test]
    fn anything_else_is_refused_at_its_first_wrong_octet() {
        for octets in [&b"A"[..], b"AUTH TLS\r\n", b"PROXYTCP4", b"\r\n\r\n\0\r\nQUIT\r", b"\r\nX", b"\x16\x03\x01"] {
            assert_eq!(ProxyHeader::parse(octets), Err(ProxyHeaderError::NoHeader), "{octets:?}");
        }
    }

    fn header() -> impl Strategy<Value = Vec<u8>> {
        let line = (any::<SocketAddr>(), any::<u16>()).prop_map(|(end, port)| {
            let (family, address) = (if end.is_ipv4() { 4 } else { 6 }, end.ip());
            format!("PROXY TCP{family} {address} {address} {} {port}\r\n", end.port()).into_bytes()
        });
        let family = prop_oneof![Just(0x00), Just(0x11), Just(0x21)];
        let body = prop::collection::vec(any::<u8>(), 36..300);
        let binary = (0x20..=0x21u8, family, body).prop_map(|(command, family, body)| binary(command, family, &body));
        prop_oneof![line, binary]
    }

    proptest! {
        #[test]
        fn reading_only_what_is_asked_for_takes_nothing_after_the_header(header in header(), payload: Vec<u8>) {
            let wire = [&header[..], &payload].concat();
            let mut read = 0;
            let length = loop {
                match ProxyHeader::parse(&wire[..read]).unwrap() {
                    HeaderProgress::More(count) => {
                        prop_assert!(count > 0);
                        read += count;
                        prop_assert!(read <= header.len(), "{read} of {}", header.len());
                    }
                    HeaderProgress::Done { length, .. } => break length,
                }
            };
            prop_assert_eq!(length, header.len());
            // Read at once, with all that follows, it is the same header.
            prop_assert_eq!(ProxyHeader::parse(&wire), ProxyHeader::parse(&header));
        }

        #[test]
        fn no_octets_are_waited_for_beyond_the_limits(
            start in prop_oneof![Just(V1_PREFIX), Just(V2_SIGNATURE), Just(&b""[..])], rest: Vec<u8>,
        ) {
            let octets = [start, &rest].concat();
            if let Ok(HeaderProgress::More(count)) = ProxyHeader::parse(&octets) {
                let limit = if start == V1_PREFIX { MAX_V1 } else { V2_HEAD + MAX_V2_BODY };
                prop_assert!(octets.len() + count <= limit);
            }
        }
    }
}
