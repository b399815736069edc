//! The processes of a server: their CPU time and memory as the kernel counts them, and the core they run on.

use std::{
    collections::HashMap,
    fs,
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{CpuSet, sched_setaffinity},
};

/// The core of the servers.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of the client.
pub(crate) const CLIENT_CORE: usize = 1;

/// The unit of times in `/proc`: `USER_HZ` is 100 on every architecture that Debian has.
const TICK: Duration = Duration::from_millis(10);
/// Longer than anything that is waited for here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks at a condition.
const INTERVAL: Duration = Duration::from_millis(5);

/// The processes of one server: those that were started, and all that descend from them. They end with it.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    roots: Vec<Child>,
}

/// One process, from `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    parent: i32,
    /// Of this process and of its children that have ended, in clock ticks.
    pub(crate) ticks: u64,
}

impl Processes {
    pub(crate) fn add(&mut self, child: Child) {
        self.roots.push(child);
    }

    /// CPU time of all of them so far, including those that have ended.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let ticks: u64 = self.tree()?.iter().map(|(_, stat)| stat.ticks).sum();
        Ok(TICK.saturating_mul(ticks.try_into()?))
    }

    /// Memory of all of them in KiB, of shared pages their share (PSS).
    pub(crate) fn memory(&self) -> Result<u64> {
        self.tree()?.iter().map(|(pid, _)| pss(*pid)).sum()
    }

    /// Number of processes.
    pub(crate) fn count(&self) -> Result<usize> {
        Ok(self.tree()?.len())
    }

    /// Waits until at most `count` are left, and until none of them is about to end.
    pub(crate) fn settle(&self, count: usize) -> Result<()> {
        wait_until("the server's processes to end", || Ok(self.count()? <= count))
    }

    /// Fails with the log if one that was started has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        for child in &mut self.roots {
            if let Some(status) = child.try_wait()? {
                bail!("a server ended by itself: {status}");
            }
        }
        Ok(())
    }

    fn tree(&self) -> Result<Vec<(i32, Stat)>> {
        let mut all = all_processes()?;
        let mut found = Vec::new();
        let mut wanted: Vec<i32> =
            self.roots.iter().map(|child| Pid::from_child(child).as_raw_nonzero().get()).collect();
        while let Some(pid) = wanted.pop() {
            wanted.extend(all.iter().filter(|(_, stat)| stat.parent == pid).map(|(child, _)| *child));
            found.extend(all.remove(&pid).map(|stat| (pid, stat)));
        }
        Ok(found)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (pid, _) in self.tree().unwrap_or_default() {
            if let Some(pid) = Pid::from_raw(pid) {
                // It may have ended meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        for child in &mut self.roots {
            let _ = child.wait();
        }
    }
}

/// Does something with this thread on a core; what is started there stays there.
pub(crate) fn on_core<T>(core: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = rustix::thread::sched_getaffinity(None)?;
    let mut set = CpuSet::new();
    set.set(core);
    // A machine with one core, or a container that may use another: measured as it is.
    let moved = before.is_set(core) && sched_setaffinity(None, &set).is_ok();
    let result = work();
    if moved {
        sched_setaffinity(None, &before)?;
    }
    result
}

/// Asks again and again until the condition holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !condition()? {
        if Instant::now() > deadline {
            bail!("timed out waiting for {what}");
        }
        std::thread::sleep(INTERVAL); // between two looks at a condition that has a deadline
    }
    Ok(())
}

fn all_processes() -> Result<HashMap<i32, Stat>> {
    let entries = fs::read_dir("/proc").context("failed to read /proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // One that ended between these two steps is left out.
    Ok(pids
        .filter_map(|pid: i32| Some((pid, Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect())
}

fn pss(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("failed to read the memory of process {pid}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    line.trim_end_matches("kB").trim().parse().context("Pss is not a number")
}

impl Stat {
    /// After the name, which may hold anything, `)` included: state, parent, ..., and as 14th to 17th field of all the
    /// times of the process and of its children, in user and system mode (`proc_pid_stat(5)`).
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let parent = fields.get(1)?.parse().ok()?;
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
        Some(Self { parent, ticks })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn times_of_ended_children_count_and_names_may_hold_brackets() {
        let line = "7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 1 2 30 400 20 0 1 0 0";
        assert_eq!(Stat::parse(line), Some(Stat { parent: 3, ticks: 433 }));
    }

    #[test]
    fn grandchildren_belong_to_a_server_and_end_with_it() {
        let mut processes = Processes::default();
        processes.add(Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap());
        wait_until("a grandchild", || Ok(processes.count()? == 2)).unwrap();
        let pids: Vec<i32> = processes.tree().unwrap().into_iter().map(|(pid, _)| pid).collect();
        assert!(processes.memory().unwrap() > 0);
        drop(processes);
        // A zombie has ended, too.
        let ended =
            |pid: &i32| fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
        wait_until("their end", || Ok(pids.iter().all(ended))).unwrap();
    }
}
