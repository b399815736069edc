//! One cgroup for each node, so that all processes of its pods can be found and ended.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    command::wait_until,
    error::{Doing as _, Result},
    hosts::Host,
    layout::create_folder,
    processes,
};

const ROOT: &str = "/sys/fs/cgroup";

/// Creates the node's cgroup in every hierarchy of this machine (version 1), or in the only one (version 2).
pub(crate) fn create(node: Host) -> Result<()> {
    for hierarchy in hierarchies() {
        let group = hierarchy.join(node.namespace());
        create_folder(&group)?;
        // A new cpuset is empty, and nothing can run in an empty one.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            copy(&hierarchy.join(file), &group.join(file))?;
        }
    }
    Ok(())
}

/// Ends everything in the node's cgroups and removes them.
pub(crate) fn remove(node: Host) -> Result<()> {
    for hierarchy in hierarchies() {
        remove_below(&hierarchy.join(node.namespace()))?;
    }
    Ok(())
}

/// The cgroups of the node that are still there.
pub(crate) fn left(node: Host) -> Vec<PathBuf> {
    hierarchies().into_iter().map(|hierarchy| hierarchy.join(node.namespace())).filter(|group| group.exists()).collect()
}

fn hierarchies() -> Vec<PathBuf> {
    let root = PathBuf::from(ROOT);
    if root.join("cgroup.controllers").exists() {
        return vec![root];
    }
    let folders = std::fs::read_dir(&root).into_iter().flatten().flatten().map(|entry| entry.path());
    // Two names can be one hierarchy (cpu and cpu,cpuacct): links would create its groups twice.
    folders.filter(|path| !path.is_symlink() && path.join("cgroup.procs").exists()).collect()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    match std::fs::read(from) {
        Ok(content) if to.exists() => std::fs::write(to, content).doing(format_args!("write {}", to.display())),
        _ => Ok(()), // no such controller in this hierarchy
    }
}

fn remove_below(group: &Path) -> Result<()> {
    let entries = std::fs::read_dir(group).into_iter().flatten().flatten().map(|entry| entry.path());
    for child in entries.filter(|path| path.is_dir()) {
        remove_below(&child)?;
    }
    for line in std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
        if let Ok(pid) = line.parse() {
            processes::stop(pid, "a container's process")?;
        }
    }
    // The kernel releases a group a moment after its last process: until then it is busy.
    let what = format!("the end of {}", group.display());
    wait_until(&what, Duration::from_secs(10), "look at its cgroup.procs", || {
        !group.exists() || std::fs::remove_dir(group).is_ok()
    })
}
