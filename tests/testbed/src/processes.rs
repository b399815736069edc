//! The programs that keep running: started with a log, recorded by pid *and* start time, so that a
//! process that has been given the same number since is never killed.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    command::{failed_with_log, wait_until},
    error::{Doing as _, Result},
    layout::{Layout, run, write},
};

/// Starts `command` as the program `name` of the cluster; it outlives this process.
pub(crate) fn start(layout: &Layout, name: &str, command: &mut Command) -> Result<()> {
    let log = File::create(layout.log(name)).doing(format_args!("write the log of {name}"))?;
    let other = log.try_clone().doing("share a log")?;
    let child = command.stdin(Stdio::null()).stdout(log).stderr(other).process_group(0).spawn();
    let child = child.doing(format_args!("start {name}"))?;
    let started = start_time(child.id()).unwrap_or_default();
    write(&record(name), format!("{} {started}", child.id()))
}

/// Whether the program `name` was started and still runs.
pub(crate) fn running(name: &str) -> bool {
    recorded(&record(name)).is_some()
}

/// Waits until a program that was started is ready; one that ended instead is an error at once, with the end of its
/// log.
pub(crate) fn wait_ready(layout: &Layout, name: &str, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
    let log = layout.log(name);
    let mut works = false;
    wait_until(&format!("a ready {name}"), limit, &format!("see {}", log.display()), || {
        works = ready();
        works || !running(name)
    })?;
    if works { Ok(()) } else { Err(failed_with_log(&format!("keep {name} running"), &log)) }
}

/// Ends every recorded program, and waits until it is gone.
pub(crate) fn stop_all() -> Result<()> {
    let records = std::fs::read_dir(run("processes")).into_iter().flatten().flatten();
    for path in records.map(|entry| entry.path()) {
        if let Some(pid) = recorded(&path) {
            stop(pid, &path.to_string_lossy())?;
        }
        std::fs::remove_file(&path).doing(format_args!("forget {}", path.display()))?;
    }
    Ok(())
}

/// Ends the process `pid` at once: the cluster's state is thrown away, so nothing has to be saved.
pub(crate) fn stop(pid: u32, name: &str) -> Result<()> {
    if let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended already.
        let _ = kill_process(id, Signal::KILL);
    }
    wait_until(&format!("the end of {name} (pid {pid})"), Duration::from_secs(10), "check `ps`", || gone(pid))
}

fn record(name: &str) -> PathBuf {
    run("processes").join(name)
}

fn recorded(path: &PathBuf) -> Option<u32> {
    let text = std::fs::read_to_string(path).ok()?;
    let (pid, started) = text.split_once(' ')?;
    let pid = pid.parse().ok()?;
    (start_time(pid)? == started && !gone(pid)).then_some(pid)
}

/// Field 22 of `/proc/PID/stat`: the start time in clock ticks since boot. The name before it may hold anything.
fn start_time(pid: u32) -> Option<String> {
    stat_field(pid, 19)
}

/// Whether a process has ended; a zombie has.
fn gone(pid: u32) -> bool {
    stat_field(pid, 0).is_none_or(|state| state == "Z")
}

fn stat_field(pid: u32, after_name: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(after_name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_not_taken_for_the_recorded_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let me = std::process::id();
        std::fs::write(&path, format!("{me} {}", start_time(me).unwrap())).unwrap();
        assert_eq!(recorded(&path), Some(me));
        std::fs::write(&path, format!("{me} 1")).unwrap();
        assert_eq!(recorded(&path), None);
    }
}
