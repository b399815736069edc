//! The user who owns a socket, as reported by the kernel through `NETLINK_SOCK_DIAG` (`sock_diag(7)`).
//!
//! Unix sockets have `SO_PEERCRED`, TCP has no equivalent. /proc/net/tcp has the same data, but lists every connection
//! of the machine, may miss one while others come and go, and has IPv4 clients on IPv6 sockets in another file. This
//! asks for one socket and gets one answer.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

// linux/netlink.h, linux/sock_diag.h, linux/socket.h, net/tcp_states.h.
const NLM_F_REQUEST: u16 = 1;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const INET: u8 = 2;
const INET6: u8 = 10;
const TCP: u8 = 6;
const LISTEN: u8 = 10;
const REQUEST_LENGTH: u32 = 72;
/// Octets of the answer, without attributes, of which none are requested.
const ANSWER_LENGTH: usize = 88;

/// The user who owns the socket that is bound to `end` and connected to `other`; `None` if there is none, or it is
/// closed.
pub(super) fn of_connection(end: SocketAddr, other: SocketAddr) -> io::Result<Option<u32>> {
    Ok(ask(end, other)?.filter(|socket| !socket.listens && socket.other_port == other.port()).map(|socket| socket.user))
}

/// The user who listens on this address.
pub(super) fn of_listener(address: SocketAddr) -> io::Result<Option<u32>> {
    let unspecified = match address {
        SocketAddr::V4(_) => IpAddr::from([0; 4]),
        SocketAddr::V6(_) => IpAddr::from([0; 16]),
    };
    Ok(ask(address, SocketAddr::new(unspecified, 0))?.filter(|socket| socket.listens).map(|socket| socket.user))
}

#[derive(Debug, PartialEq, Eq)]
struct Socket {
    user: u32,
    listens: bool,
    other_port: u16,
}

fn ask(end: SocketAddr, other: SocketAddr) -> io::Result<Option<Socket>> {
    let kernel =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    send(&kernel, &request(end, other), SendFlags::empty())?;
    let mut answer = [0; 1024];
    let (count, _) = recv(&kernel, &mut answer[..], RecvFlags::empty())?;
    Ok(answer.get(..count).and_then(socket))
}

/// `nlmsghdr` and `inet_diag_req_v2`.
fn request(end: SocketAddr, other: SocketAddr) -> Vec<u8> {
    let family = if end.is_ipv4() { INET } else { INET6 };
    let every_state = u32::MAX;
    [
        &REQUEST_LENGTH.to_ne_bytes()[..],
        &SOCK_DIAG_BY_FAMILY.to_ne_bytes(),
        &NLM_F_REQUEST.to_ne_bytes(),
        &[0; 8],
        &[family, TCP, 0, 0],
        &every_state.to_ne_bytes(),
        &end.port().to_be_bytes(),
        &other.port().to_be_bytes(),
        &address(end.ip()),
        &address(other.ip()),
        &[0; 4],
        // No cookie: any socket with these addresses.
        &[0xff; 8],
    ]
    .concat()
}

fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// Parses `nlmsghdr` and `inet_diag_msg`; `None` for an error message, and for a socket that its user has closed, which
/// has no owner.
fn socket(answer: &[u8]) -> Option<Socket> {
    let answer = answer.first_chunk::<ANSWER_LENGTH>()?;
    let [_, _, _, _, kind_a, kind_b, ..] = *answer;
    let inode = u32::from_ne_bytes(*answer.last_chunk()?);
    if u16::from_ne_bytes([kind_a, kind_b]) != SOCK_DIAG_BY_FAMILY || inode == 0 {
        return None;
    }
    Some(Socket {
        user: u32::from_ne_bytes(*answer.get(80..)?.first_chunk()?),
        listens: *answer.get(17)? == LISTEN,
        other_port: u16::from_be_bytes(*answer.get(22..)?.first_chunk()?),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_owner_of_either_end_is_found() {
        let me = rustix::process::geteuid().as_raw();
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
            let listener = TcpListener::bind((ip, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let stream = TcpStream::connect(address).unwrap();
            let end = stream.local_addr().unwrap();
            assert_eq!(of_connection(end, address).unwrap(), Some(me));
            assert_eq!(of_listener(address).unwrap(), Some(me));
            assert_eq!(of_connection(end, end).unwrap(), None);
            assert_eq!(of_connection(address, SocketAddr::new(ip, 0)).unwrap(), None);
            assert_eq!(of_listener(end).unwrap(), None);
        }
    }

    #[test]
    fn a_closed_connection_has_no_owner() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let end = stream.local_addr().unwrap();
        drop(stream);
        assert_eq!(of_connection(end, address).unwrap(), None);
    }

    #[test]
    fn malformed_answers_have_no_owner() {
        assert_eq!(socket(&[]), None);
        assert_eq!(socket(&[0; ANSWER_LENGTH]), None);
        assert_eq!(socket(&[20; ANSWER_LENGTH - 1]), None);
    }
}
