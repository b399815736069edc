//! The network: namespaces of our own, joined by a bridge in one of them. Nothing is changed on the machine's own.

use std::{path::Path, process::Command};

use crate::{
    command::{capture, feed},
    error::Result,
    hosts::Host,
};

/// The addresses of pods; each node has the part with its own number.
pub(crate) const POD_RANGE: &str = "10.244.0.0/16";
/// The addresses of Services.
pub(crate) const SERVICE_RANGE: &str = "10.96.0.0/16";
/// The first Service address: the API server's own.
pub(crate) const API_SERVICE: &str = "10.96.0.1";
/// The addresses of the load balancer.
pub(crate) const BALANCER_RANGE: &str = "203.0.113.200-203.0.113.249";

/// A stateful firewall with NAT and no FTP helper: as most clients have. Only connections from inside pass.
const FIREWALL: &str = "
table ip firewall {
    chain pass { type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname inside ct state new accept
    }
    chain translate { type nat hook postrouting priority 100;
        oifname eth0 masquerade
    }
}";

/// The pods' range on one node.
pub(crate) fn pod_range(node: Host) -> String {
    let number = if node == Host::Node1 { 1 } else { 2 };
    format!("10.244.{number}.0/24")
}

/// Creates all hosts and the links between them.
pub(crate) fn create() -> Result<()> {
    for host in Host::ALL {
        ip(&["netns", "add", host.namespace()])?;
        ip_on(host, "link set lo up")?;
    }
    ip_on(Host::Fabric, "link add switch type bridge")?;
    ip_on(Host::Fabric, "link set switch up")?;
    for host in [Host::ControlPlane, Host::Node1, Host::Node2, Host::Client, Host::Firewall] {
        plug(host)?;
    }
    create_far_network()?;
    create_routes()
}

/// Removes all hosts; the links between them go, too.
pub(crate) fn remove() -> Result<()> {
    for host in Host::ALL.into_iter().filter(|host| exists(*host)) {
        ip(&["netns", "delete", host.namespace()])?;
    }
    Ok(())
}

/// Whether the host exists.
pub(crate) fn exists(host: Host) -> bool {
    Path::new("/run/netns").join(host.namespace()).exists()
}

fn plug(host: Host) -> Result<()> {
    let port = host.namespace();
    ip(&["-n", port, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", Host::Fabric.namespace()])?;
    ip_on(Host::Fabric, &format!("link set {port} master switch up"))?;
    ip_on(host, &format!("address add {}/24 dev eth0", host.address()))?;
    ip_on(host, "link set eth0 up")
}

fn create_far_network() -> Result<()> {
    let (firewall, far) = (Host::Firewall.namespace(), Host::Far.namespace());
    ip(&["-n", firewall, "link", "add", "inside", "type", "veth", "peer", "name", "eth0", "netns", far])?;
    ip_on(Host::Firewall, "address add 198.51.100.1/24 dev inside")?;
    ip_on(Host::Firewall, "link set inside up")?;
    ip_on(Host::Far, &format!("address add {}/24 dev eth0", Host::Far.address()))?;
    ip_on(Host::Far, "link set eth0 up")?;
    ip_on(Host::Far, "route add default via 198.51.100.1")?;
    forward(Host::Firewall)?;
    feed("load the firewall's rules", Host::Firewall.command("nft").args(["-f", "-"]), FIREWALL.as_bytes()).map(drop)
}

fn create_routes() -> Result<()> {
    let cluster = [Host::ControlPlane, Host::Node1, Host::Node2];
    for host in cluster {
        forward(host)?;
        // A packet to a Service needs some route before kube-proxy gives it its real target.
        ip_on(host, &format!("route add default via {}", Host::Firewall.address()))?;
        for node in [Host::Node1, Host::Node2].into_iter().filter(|node| *node != host) {
            ip_on(host, &format!("route add {} via {}", pod_range(node), node.address()))?;
        }
    }
    Ok(())
}

fn forward(host: Host) -> Result<()> {
    let mut sysctl = host.command("sysctl");
    capture("enable forwarding on a host", sysctl.args(["-qw", "net.ipv4.ip_forward=1"])).map(drop)
}

fn ip_on(host: Host, arguments: &str) -> Result<()> {
    let mut all = vec!["-n", host.namespace()];
    all.extend(arguments.split(' '));
    ip(&all)
}

fn ip(arguments: &[&str]) -> Result<()> {
    capture(&format!("set up the network (ip {})", arguments.join(" ")), Command::new("ip").args(arguments)).map(drop)
}
