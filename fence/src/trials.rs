//! Trials from inside of what must not be possible.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    process::Command,
};

use rustix::{
    fs::MemfdFlags,
    io::Errno,
    net::{AddressFamily, SocketType, socket},
};

use safetp_config::status::Landlock;

use crate::{
    calls::Calls,
    error::ShutInError,
    reach::{Dial, Reach},
    shut_in::shut_in,
};

/// One thing that a program which is shut in must not be able to do, or still must.
#[derive(Debug)]
pub struct Trial {
    /// Name of the attempt, for the report.
    pub what: &'static str,
    /// The kernel's answer.
    pub outcome: io::Result<()>,
    /// The answer that the fences in force must give.
    pub expected: Expected,
}

/// The answer that the fences in force must give to a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// They refuse it.
    Refused,
    /// They let it through.
    Allowed,
    /// Either: the kernel lacks the fence that would refuse it.
    Unknown,
}

impl Expected {
    fn refused_if(fenced: bool) -> Self {
        if fenced { Self::Refused } else { Self::Unknown }
    }
}

impl Trial {
    /// Returns true if the answer is the expected one. A failure for another reason than the fences proves nothing.
    pub fn passed(&self) -> bool {
        match self.expected {
            Expected::Refused => self.outcome.as_ref().is_err_and(is_fence),
            Expected::Allowed => self.outcome.is_ok(),
            Expected::Unknown => true,
        }
    }
}

/// The answers of Landlock (`EACCES`, `EPERM`, between mounts `EXDEV`) and of the filters (`EPERM`, `ENOSYS`).
fn is_fence(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied || error.raw_os_error() == Some(Errno::NOSYS.raw_os_error())
}

/// Reason why a program is not shown to be shut in.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The fences could not be applied.
    #[error(transparent)]
    ShutIn(#[from] ShutInError),
    /// The report could not be written.
    #[error("failed to write: {0}")]
    Write(#[from] io::Error),
    /// Something was possible that must not be, or the other way round.
    #[error("not as the fences must answer: {0}")]
    Failed(String),
}

/// Shuts this thread in as `reach` and `calls` say, tries to get out, and writes a line for each attempt.
pub fn try_out(reach: &Reach, calls: Calls, mut out: impl Write) -> Result<(), TrialError> {
    let bait = Bait::new().map_err(ShutInError::from)?;
    let landlock = shut_in(reach, calls)?;
    writeln!(out, "landlock: {landlock:?}")?;
    let mut failed = Vec::new();
    for trial in bait.trials(reach, calls, landlock) {
        match &trial.outcome {
            Ok(()) => writeln!(out, "{}: possible", trial.what)?,
            Err(error) => writeln!(out, "{}: refused ({error})", trial.what)?,
        }
        if !trial.passed() {
            failed.push(trial.what);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(TrialError::Failed(failed.join(", "))) }
}

/// Descriptors that are opened before the fences are applied, to be tried within them.
#[derive(Debug)]
pub struct Bait {
    /// As the ftpd hands over a file for a download: the mode would let its holder write.
    for_reading: File,
}

impl Bait {
    /// Opens everything.
    pub fn new() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("bait", MemfdFlags::CLOEXEC)?);
        Ok(Self { for_reading: File::open(path_of(&file))? })
    }

    /// Tries everything once.
    pub fn trials(&self, reach: &Reach, calls: Calls, landlock: Landlock) -> Vec<Trial> {
        let always = |what, outcome| Trial { what, outcome, expected: Expected::Refused };
        let mut all: Vec<_> = sockets(calls).collect();
        all.push(always("another program", exec()));
        all.push(always("another process", Command::new("/proc/self/exe").spawn().map(drop)));
        all.push(Trial {
            what: "a file outside",
            outcome: fs::read("/proc/self/status").map(drop),
            expected: Expected::refused_if(landlock != Landlock::Missing),
        });
        all.push(Trial { what: "random octets", outcome: random(), expected: Expected::Allowed });
        if calls == Calls::Relay {
            let again = OpenOptions::new().write(true).open(path_of(&self.for_reading));
            all.push(always("a descriptor for reading opened again for writing", again.map(drop)));
            all.push(always("a new file", File::create("/proc/self/outside").map(drop)));
            all.extend(ports(reach, landlock));
        }
        all
    }
}

fn path_of(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Takes random octets as a program does: what works differs between one that is linked statically and one that is not.
fn random() -> io::Result<()> {
    getrandom::fill(&mut [0; 32]).map_err(|error| io::Error::other(error.to_string()))
}

/// Returns only if the call is refused; the program that would run instead fails, and the check with it.
fn exec() -> io::Result<()> {
    Err(Command::new("/proc/self/exe").arg("escaped").exec())
}

const OTHERS: &[(&str, AddressFamily, SocketType)] = &[
    ("a packet socket", AddressFamily::PACKET, SocketType::RAW),
    ("a netlink socket", AddressFamily::NETLINK, SocketType::RAW),
    ("a socket to the hypervisor", AddressFamily::VSOCK, SocketType::STREAM),
];
const IP: &[(&str, AddressFamily, SocketType)] = &[
    ("a TCP socket", AddressFamily::INET, SocketType::STREAM),
    ("a UDP socket", AddressFamily::INET, SocketType::DGRAM),
    ("a raw socket", AddressFamily::INET, SocketType::RAW),
    ("a TCP socket (IPv6)", AddressFamily::INET6, SocketType::STREAM),
    ("a UDP socket (IPv6)", AddressFamily::INET6, SocketType::DGRAM),
];

fn sockets(calls: Calls) -> impl Iterator<Item = Trial> {
    let ip = if calls == Calls::Files { IP } else { &[] };
    ip.iter().chain(OTHERS).map(|(what, family, kind)| Trial {
        what,
        outcome: socket(*family, *kind, None).map(drop).map_err(io::Error::from),
        expected: Expected::Refused,
    })
}

/// Landlock restricts TCP since its fourth version (Linux 6.7), so less than all of it may not have that.
fn ports(reach: &Reach, landlock: Landlock) -> impl Iterator<Item = Trial> {
    let expected = Expected::refused_if(landlock == Landlock::Full);
    let other = |ports: &[u16]| (1024..=u16::MAX).rev().find(|port| !ports.contains(port)).unwrap_or(u16::MAX);
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, other(&reach.listen))).map(drop);
    let listen = Trial { what: "listening on another port", outcome: listen, expected };
    let dial = match &reach.dial {
        Dial::Any => None,
        Dial::Ports(ports) => {
            let outcome = TcpStream::connect((Ipv4Addr::LOCALHOST, other(ports))).map(drop);
            Some(Trial { what: "dialling another port", outcome, expected })
        }
    };
    [Some(listen), dial].into_iter().flatten()
}
