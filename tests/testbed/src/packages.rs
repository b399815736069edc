//! Debian packages that the cluster and the tests need, installed by name where they are missing.

use std::process::Command;

use crate::{
    command::logged,
    error::{Error, Result},
    layout::Layout,
    progress::step,
};

/// The packages for the cluster and the tests on it.
pub(crate) const CLUSTER: [&str; 22] = [
    "busybox-static",
    "ca-certificates",
    "conntrack",
    "containernetworking-plugins",
    "curl",
    "ethtool",
    "gcc",
    "iproute2",
    "ipset",
    "iptables",
    "jq",
    "kmod",
    "lftp",
    "libc6-dev",
    "libseccomp-dev",
    "nftables",
    "openssl",
    "pkg-config",
    "python3",
    "socat",
    "tcpdump",
    "util-linux",
];

/// Fails unless run as root, and says how to do so.
pub(crate) fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let sentence =
        "the test bed creates network namespaces, mounts and cgroups, so it must run as root: try `sudo make cluster`";
    Err(Error::Missing(sentence.to_owned()))
}

/// Installs missing packages; says what to do where it cannot.
pub(crate) fn install(layout: &Layout, packages: &[&str]) -> Result<()> {
    let missing: Vec<_> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if Command::new("apt-get").arg("--version").output().is_err() {
        return Err(Error::Missing(format!(
            "apt-get is missing; install the programs of these Debian packages: {names}"
        )));
    }
    step(&format!("installing {names}"), || {
        logged("update the package lists", apt().arg("update"), &layout.log("apt-update"))?;
        let install = ["install", "-y", "--no-install-recommends"];
        logged("install packages", apt().args(install).args(&missing), &layout.log("apt-install"))
    })
}

fn installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
    asked.is_ok_and(|output| output.stdout == b"installed")
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}
