//! The machine that was measured on, and how busy it was otherwise.

use std::fs;

use anyhow::{Context as _, Result};

use crate::processes::Stat;

/// The machine's class, not its name.
pub(crate) fn describe(rounds: usize) -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let models = || processors.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = models().next().map_or("a processor", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let cores = models().count();
    let times =
        if rounds == 1 { "one round".to_owned() } else { format!("median of {rounds} rounds (lowest-highest)") };
    Ok(format!("{model}, {cores} cores, Linux {kernel}; {times}"))
}

/// The load of all other processes from a moment on: it takes caches and cores from what is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others {
    before: Ticks,
}

/// Clock ticks of all cores since the machine has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    all: u64,
    busy: u64,
    /// Of this process and of its children that have ended.
    ours: u64,
}

impl Others {
    pub(crate) fn from_now() -> Result<Self> {
        Ok(Self { before: Ticks::now()? })
    }

    /// Describes it in a sentence.
    pub(crate) fn share(self) -> Result<String> {
        let percent = self.before.percent_of_others(Ticks::now()?);
        Ok(format!("meanwhile others used {percent} % of the machine"))
    }
}

impl Ticks {
    fn now() -> Result<Self> {
        let machine = fs::read_to_string("/proc/stat")?;
        let own = fs::read_to_string("/proc/self/stat")?;
        let (all, busy) = machine.lines().next().and_then(sums).context("/proc/stat has another form")?;
        let own = Stat::parse(&own).context("/proc/self/stat has another form")?;
        Ok(Self { all, busy, ours: own.ticks })
    }

    fn percent_of_others(self, later: Self) -> u64 {
        let others = (later.busy - self.busy).saturating_sub(later.ours - self.ours);
        others * 100 / (later.all - self.all).max(1)
    }
}

/// The sums of all ticks and of the busy ones, from the line of all cores: user, nice, system, idle, iowait, irq,
/// softirq, steal; what follows is already counted as user (`proc_stat(5)`).
fn sums(line: &str) -> Option<(u64, u64)> {
    let times: Vec<u64> = line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let all: u64 = times.iter().sum();
    let idle: u64 = times.get(3..5)?.iter().sum();
    Some((all, all - idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_idle_nor_ours_is_others() {
        assert_eq!(sums("cpu  10 1 20 50 5 2 3 9 4 0"), Some((100, 45)));
        let before = Ticks { all: 1000, busy: 300, ours: 20 };
        assert_eq!(before.percent_of_others(Ticks { all: 1200, busy: 400, ours: 50 }), 35);
    }
}
