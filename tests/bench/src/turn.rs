//! One turn of a server: all parts of the load, and what each took.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::{
    client::Client,
    load::{Load, Part},
    metric::{Metric, Sample},
    place::LARGE,
    processes::{CLIENT_CORE, on_core},
    servers::Server,
};

/// The size of a small file: one that a sensor or a shop sends.
const SMALL: u64 = 4 * 1024;
const MEBIBYTE: u64 = 1024 * 1024;

/// The cost of one kind of work.
struct Cost {
    /// Of the server's processes.
    cpu: Duration,
    elapsed: Duration,
}

/// Gives a freshly started server its turn.
pub(crate) fn run(load: &Load, server: &Server, parts: &[Part]) -> Result<Sample> {
    on_core(CLIENT_CORE, || {
        let mut sample = Sample::default();
        for part in Part::ALL.iter().filter(|part| parts.contains(part)) {
            match part {
                Part::Idle => idle(load, server, &mut sample)?,
                Part::Download => download(load, server, &mut sample)?,
                Part::Upload => upload(load, server, &mut sample)?,
                Part::Logins => log_in(load, server, &mut sample)?,
                Part::Files => move_small_files(load, server, &mut sample)?,
                Part::Cipher => {}
            }
        }
        Ok(sample)
    })
}

fn idle(load: &Load, server: &Server, sample: &mut Sample) -> Result<()> {
    // The first session creates what all others share.
    server.log_in()?.quit()?;
    let before = server.processes.memory()?;
    let sessions: Vec<Client> = (0..load.idle_sessions).map(|_| server.log_in()).collect::<Result<_>>()?;
    let grown = server.processes.memory()?.saturating_sub(before);
    sample.set(Metric::IdleMemory, float(grown) / f64::from(load.idle_sessions));
    sessions.into_iter().try_for_each(Client::quit)
}

fn download(load: &Load, server: &Server, sample: &mut Sample) -> Result<()> {
    server.place.write_large(load.mebibytes)?;
    let mut client = server.log_in()?;
    let length = load.mebibytes * MEBIBYTE;
    let cost = measure(server, || {
        let count = client.download(LARGE)?;
        ensure!(count == length, "{count} octets came instead of {length}");
        Ok(())
    })?;
    sample.set(Metric::DownloadCpu, cost.cpu.as_secs_f64() * 1024.0 / float(load.mebibytes));
    sample.set(Metric::DownloadRate, float(load.mebibytes) / cost.elapsed.as_secs_f64());
    client.quit()
}

fn upload(load: &Load, server: &Server, sample: &mut Sample) -> Result<()> {
    let mut client = server.log_in()?;
    let length = load.mebibytes * MEBIBYTE;
    let cost = measure(server, || client.upload("uploaded", length))?;
    sample.set(Metric::UploadCpu, cost.cpu.as_secs_f64() * 1024.0 / float(load.mebibytes));
    sample.set(Metric::UploadRate, float(load.mebibytes) / cost.elapsed.as_secs_f64());
    let stored = std::fs::metadata(server.place.home().join("uploaded"))?.len();
    ensure!(stored == length, "{stored} octets were stored instead of {length}");
    client.quit()
}

fn log_in(load: &Load, server: &Server, sample: &mut Sample) -> Result<()> {
    let cost = measure(server, || (0..load.logins).try_for_each(|_| server.log_in()?.quit()))?;
    sample.set(Metric::LoginCpu, cost.cpu.as_secs_f64() * 1000.0 / f64::from(load.logins));
    sample.set(Metric::LoginRate, f64::from(load.logins) / cost.elapsed.as_secs_f64());
    Ok(())
}

fn move_small_files(load: &Load, server: &Server, sample: &mut Sample) -> Result<()> {
    let mut client = server.log_in()?;
    let stored = measure(server, || (0..load.files).try_for_each(|n| client.upload(&format!("small-{n}"), SMALL)))?;
    let fetched = measure(server, || {
        (0..load.files).try_for_each(|n| {
            let count = client.download(&format!("small-{n}"))?;
            ensure!(count == SMALL, "{count} octets came instead of {SMALL}");
            Ok(())
        })
    })?;
    let files = f64::from(load.files);
    sample.set(Metric::SmallUploadRate, files / stored.elapsed.as_secs_f64());
    sample.set(Metric::SmallUploadCpu, stored.cpu.as_secs_f64() * 1000.0 / files);
    sample.set(Metric::SmallDownloadRate, files / fetched.elapsed.as_secs_f64());
    sample.set(Metric::SmallDownloadCpu, fetched.cpu.as_secs_f64() * 1000.0 / files);
    client.quit()
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
