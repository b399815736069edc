//! Takes everything down, whatever state a run was left in, and verifies that nothing is left.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cgroups,
    command::capture,
    error::{Doing as _, Error, Result},
    hosts::Host,
    layout::{RUN, STATE},
    network,
    node::{NODES, socket},
    processes,
};

/// Ends and removes everything that a cluster created. Does nothing where there is none.
pub(crate) fn all() -> Result<()> {
    processes::stop_all()?;
    for node in NODES {
        stop_shims(node)?;
        cgroups::remove(node)?;
    }
    unmount_below(&[RUN, STATE])?;
    network::remove()?;
    for folder in [RUN, STATE].map(Path::new).into_iter().filter(|folder| folder.exists()) {
        // Nothing may be mounted there any more: removing files through a mount would reach into something else.
        std::fs::remove_dir_all(folder).doing(format_args!("remove {}", folder.display()))?;
    }
    verify()
}

/// A container's shim outlives containerd on purpose; its command line names the socket that it belongs to.
fn stop_shims(node: Host) -> Result<()> {
    let socket = socket(node).display().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        if line.contains("containerd-shim-runc-v2") && line.contains(&socket) {
            processes::stop(pid, "a container's shim")?;
        }
    }
    Ok(())
}

/// Mounts lie on each other and in each other: the newest goes first.
fn unmount_below(folders: &[&str]) -> Result<()> {
    for path in mounts_below(folders).into_iter().rev() {
        let doing = format!("unmount {}", path.display());
        capture(&doing, Command::new("umount").arg("--lazy").arg(&path))?;
    }
    Ok(())
}

fn mounts_below(folders: &[&str]) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    points.filter(|point| folders.iter().any(|folder| point.starts_with(folder))).collect()
}

fn verify() -> Result<()> {
    let mounts = mounts_below(&[RUN, STATE]);
    let groups = NODES.into_iter().flat_map(cgroups::left);
    let hosts = Host::ALL.into_iter().filter(|host| network::exists(*host)).map(|host| host.namespace().into());
    let left: Vec<String> =
        mounts.into_iter().chain(groups).chain(hosts).map(|path: PathBuf| path.display().to_string()).collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::Failed { doing: "take the test bed down; these are left".to_owned(), detail: left.join("\n") })
}
