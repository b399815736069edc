//! Start of a server's program, with its output in a log.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{place::Place, processes::Processes};

/// The user and group that Debian's servers serve files as: every Debian has them, with a home that exists.
pub(super) const DAEMON: (u32, u32) = (1, 1);

/// Starts a program with its output in a log.
pub(super) fn spawn(command: &mut Command, place: &Place, log: &str, processes: &mut Processes) -> Result<()> {
    let file = place.log(log)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let program = command.get_program().to_string_lossy().into_owned();
    processes.add(command.spawn().with_context(|| format!("failed to run {program}"))?);
    Ok(())
}

/// The path as an argument or a line of a configuration.
pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
