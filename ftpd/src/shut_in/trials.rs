//! Tries from inside what must not be possible.

use std::{fs, io, process::Command};

use rustix::net::{AddressFamily, SocketType, socket};

use super::{Fences, Landlock};

/// One thing that a process which is shut in must not be able to do.
#[derive(Debug)]
pub struct Trial {
    /// What was tried.
    pub what: &'static str,
    /// What the kernel said to it.
    pub outcome: io::Result<()>,
    /// Whether the fences in force must refuse it.
    pub must_fail: bool,
}

impl Trial {
    /// Whether it went as it must.
    pub fn passed(&self) -> bool {
        self.outcome.is_err() || !self.must_fail
    }
}

const SOCKETS: &[(&str, AddressFamily, SocketType)] = &[
    ("a TCP socket", AddressFamily::INET, SocketType::STREAM),
    ("a UDP socket", AddressFamily::INET, SocketType::DGRAM),
    ("a raw socket", AddressFamily::INET, SocketType::RAW),
    ("a TCP socket (IPv6)", AddressFamily::INET6, SocketType::STREAM),
    ("a UDP socket (IPv6)", AddressFamily::INET6, SocketType::DGRAM),
    ("a packet socket", AddressFamily::PACKET, SocketType::RAW),
    ("a netlink socket", AddressFamily::NETLINK, SocketType::RAW),
    ("a socket to the hypervisor", AddressFamily::VSOCK, SocketType::STREAM),
];

/// Tries everything once.
pub fn trials(fences: Fences) -> Vec<Trial> {
    let sockets = SOCKETS.iter().map(|(what, family, kind)| Trial {
        what,
        outcome: socket(*family, *kind, None).map(drop).map_err(io::Error::from),
        must_fail: true,
    });
    let program = Command::new("/proc/self/exe").arg("--version").output().map(drop);
    let file = fs::read("/proc/self/status").map(drop);
    let others = [
        Trial { what: "another program", outcome: program, must_fail: true },
        Trial { what: "a file outside", outcome: file, must_fail: fences.landlock != Landlock::Missing },
    ];
    sockets.chain(others).collect()
}
