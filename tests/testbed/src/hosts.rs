//! The hosts of the test bed: network namespaces, and commands and connections in them.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::AsFd as _,
    process::Command,
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{Doing as _, Result};

/// A host: one network namespace. All addresses are from ranges that are reserved for documentation (RFC 5737).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// The switch that joins the hosts of the public network.
    Fabric,
    /// The control plane.
    ControlPlane,
    /// The first node.
    Node1,
    /// The second node.
    Node2,
    /// A client on the public network, on the same link as the nodes.
    Client,
    /// A router with NAT between the public network and [`Host::Far`], that lets in replies to requests from inside
    /// only.
    Firewall,
    /// A client behind the firewall.
    Far,
}

impl Host {
    /// All of them, in the order in which they are created.
    pub const ALL: [Self; 7] =
        [Self::Fabric, Self::ControlPlane, Self::Node1, Self::Node2, Self::Client, Self::Firewall, Self::Far];

    /// The name of its network namespace.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Fabric => "stp-fabric",
            Self::ControlPlane => "stp-cp",
            Self::Node1 => "stp-node1",
            Self::Node2 => "stp-node2",
            Self::Client => "stp-client",
            Self::Firewall => "stp-firewall",
            Self::Far => "stp-far",
        }
    }

    /// The host's own address.
    pub fn address(self) -> Ipv4Addr {
        match self {
            Self::Fabric => Ipv4Addr::LOCALHOST,
            Self::ControlPlane => Ipv4Addr::new(203, 0, 113, 10),
            Self::Node1 => Ipv4Addr::new(203, 0, 113, 11),
            Self::Node2 => Ipv4Addr::new(203, 0, 113, 12),
            Self::Client => Ipv4Addr::new(203, 0, 113, 20),
            Self::Firewall => Ipv4Addr::new(203, 0, 113, 30),
            Self::Far => Ipv4Addr::new(198, 51, 100, 20),
        }
    }

    /// A command that runs on this host. Only the network is the host's: `nsenter`, since `ip netns exec` would create
    /// a mount namespace too, in which the volumes of pods vanish.
    pub fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace())).arg("--").arg(program);
        command
    }

    /// Connects from this host; the connection can then be used anywhere in this process.
    pub fn connect(self, to: SocketAddr) -> Result<TcpStream> {
        let doing = format!("connect from {} to {to}", self.namespace());
        self.inside(|| TcpStream::connect_timeout(&to, Duration::from_secs(10)))?.doing(doing)
    }

    /// Runs `work` in a thread of this host. A socket belongs to the host that it was created on for good.
    pub fn inside<T: Send>(self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let doing = format!("enter the network of {}: is the test bed up?", self.namespace());
        let namespace = File::open(format!("/run/netns/{}", self.namespace())).doing(&doing)?;
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).map(|()| work())
            });
            thread.join().unwrap_or(Err(rustix::io::Errno::INTR)).map_err(io::Error::from)
        })
        .doing(&doing)
    }
}
