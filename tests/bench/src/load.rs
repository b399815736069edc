//! What each server has to do in one turn, and what that took.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::{
    client::Client,
    metric::{Metric, Sample},
    place::LARGE,
    processes::{CLIENT_CORE, on_core},
    servers::Server,
};

/// What is small here: a file that a sensor or a shop sends.
const SMALL: u64 = 4 * 1024;
const MEBIBYTE: u64 = 1024 * 1024;

/// A part of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Sessions that do nothing.
    Idle,
    /// One large file to the client.
    Download,
    /// One large file from the client.
    Upload,
    /// One session behind the other.
    Logins,
    /// Small files, up and then down.
    Files,
    /// What X-SafeTP1 encrypts with, in memory and without a server.
    Cipher,
}

impl Part {
    /// In the order of a turn: what an idle session needs must not hide in what an earlier part has left.
    pub(crate) const ALL: &'static [Self] =
        &[Self::Idle, Self::Download, Self::Upload, Self::Logins, Self::Files, Self::Cipher];
}

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// How often each server has its turn.
    pub(crate) rounds: usize,
    /// Of the file that is downloaded and of the one that is uploaded.
    pub(crate) mebibytes: u64,
    /// Sessions that are logged in and idle, all at once.
    pub(crate) idle_sessions: u32,
    /// Logins, one behind the other.
    pub(crate) logins: u32,
    /// Files of 4 KiB, one behind the other in one session.
    pub(crate) files: u32,
    /// How long each cipher has its turn.
    pub(crate) cipher: Duration,
}

/// What one kind of work took.
struct Cost {
    /// Of the server's processes.
    cpu: Duration,
    elapsed: Duration,
}

impl Load {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        mebibytes: 1024,
        idle_sessions: 1000,
        logins: 500,
        files: 500,
        cipher: Duration::from_secs(1),
    };
    pub(crate) const QUICK: Self =
        Self { rounds: 1, mebibytes: 16, idle_sessions: 10, logins: 5, files: 5, cipher: Duration::from_millis(20) };

    /// Gives a freshly started server its turn.
    pub(crate) fn run(&self, server: &Server, parts: &[Part]) -> Result<Sample> {
        on_core(CLIENT_CORE, || {
            let mut sample = Sample::default();
            for part in Part::ALL.iter().filter(|part| parts.contains(part)) {
                match part {
                    Part::Idle => self.idle(server, &mut sample)?,
                    Part::Download => self.download(server, &mut sample)?,
                    Part::Upload => self.upload(server, &mut sample)?,
                    Part::Logins => self.log_in(server, &mut sample)?,
                    Part::Files => self.move_small_files(server, &mut sample)?,
                    Part::Cipher => {}
                }
            }
            Ok(sample)
        })
    }

    fn idle(&self, server: &Server, sample: &mut Sample) -> Result<()> {
        // The first session makes what all others share.
        server.login()?.quit()?;
        let before = server.processes.memory()?;
        let sessions: Vec<Client> = (0..self.idle_sessions).map(|_| server.login()).collect::<Result<_>>()?;
        let grown = server.processes.memory()?.saturating_sub(before);
        sample.set(Metric::IdleMemory, float(grown) / f64::from(self.idle_sessions));
        sessions.into_iter().try_for_each(Client::quit)
    }

    fn download(&self, server: &Server, sample: &mut Sample) -> Result<()> {
        server.place.write_large(self.mebibytes)?;
        let mut client = server.login()?;
        let length = self.mebibytes * MEBIBYTE;
        let cost = measure(server, || {
            let count = client.download(LARGE)?;
            ensure!(count == length, "{count} octets came instead of {length}");
            Ok(())
        })?;
        sample.set(Metric::DownloadCpu, cost.cpu.as_secs_f64() * 1024.0 / float(self.mebibytes));
        sample.set(Metric::DownloadRate, float(self.mebibytes) / cost.elapsed.as_secs_f64());
        client.quit()
    }

    fn upload(&self, server: &Server, sample: &mut Sample) -> Result<()> {
        let mut client = server.login()?;
        let length = self.mebibytes * MEBIBYTE;
        let cost = measure(server, || client.upload("uploaded", length))?;
        sample.set(Metric::UploadCpu, cost.cpu.as_secs_f64() * 1024.0 / float(self.mebibytes));
        sample.set(Metric::UploadRate, float(self.mebibytes) / cost.elapsed.as_secs_f64());
        let stored = std::fs::metadata(server.place.home().join("uploaded"))?.len();
        ensure!(stored == length, "{stored} octets were stored instead of {length}");
        client.quit()
    }

    fn log_in(&self, server: &Server, sample: &mut Sample) -> Result<()> {
        let cost = measure(server, || (0..self.logins).try_for_each(|_| server.login()?.quit()))?;
        sample.set(Metric::LoginCpu, cost.cpu.as_secs_f64() * 1000.0 / f64::from(self.logins));
        sample.set(Metric::LoginRate, f64::from(self.logins) / cost.elapsed.as_secs_f64());
        Ok(())
    }

    fn move_small_files(&self, server: &Server, sample: &mut Sample) -> Result<()> {
        let mut client = server.login()?;
        let stored = measure(server, || (0..self.files).try_for_each(|n| client.upload(&format!("small-{n}"), SMALL)))?;
        let fetched = measure(server, || {
            (0..self.files).try_for_each(|n| {
                let count = client.download(&format!("small-{n}"))?;
                ensure!(count == SMALL, "{count} octets came instead of {SMALL}");
                Ok(())
            })
        })?;
        let files = f64::from(self.files);
        sample.set(Metric::SmallUploadRate, files / stored.elapsed.as_secs_f64());
        sample.set(Metric::SmallUploadCpu, stored.cpu.as_secs_f64() * 1000.0 / files);
        sample.set(Metric::SmallDownloadRate, files / fetched.elapsed.as_secs_f64());
        sample.set(Metric::SmallDownloadCpu, fetched.cpu.as_secs_f64() * 1000.0 / files);
        client.quit()
    }
}

/// The server's work ends a little after the client's: a process for each connection has to end as well.
fn measure(server: &Server, work: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let processes = server.processes.count()?;
    let before = server.processes.cpu()?;
    let started = Instant::now();
    work()?;
    let elapsed = started.elapsed();
    server.processes.settle(processes)?;
    Ok(Cost { cpu: server.processes.cpu()?.saturating_sub(before), elapsed })
}

/// Exact for all that is counted here.
#[expect(clippy::cast_precision_loss, reason = "octets and KiB of one machine's memory are below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
