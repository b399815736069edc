//! The end in order: first whoever is idle, then whoever is transferring, then the rest.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not at all.
    Serving,
    /// New and idle sessions get 421, running transfers go on.
    Draining,
    /// What is still running is broken off.
    Over,
}

/// Waits for SIGTERM (or SIGINT, for people at a terminal), then goes through the phases. `time` is asked when the
/// drain begins, so that the newest configuration counts.
pub async fn run(phase: watch::Sender<Phase>, time: impl FnOnce() -> Duration) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drain(&phase, time()).await;
    Ok(())
}

/// Goes through the phases.
pub async fn drain(phase: &watch::Sender<Phase>, time: Duration) {
    tracing::info!(seconds = time.as_secs(), "draining: running transfers may finish");
    phase.send_replace(Phase::Draining);
    tokio::time::sleep(time).await;
    phase.send_replace(Phase::Over);
}
