//! The drain after SIGTERM: idle sessions end first, then those that transfer, then the rest.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Phase of the drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No drain has begun.
    Serving,
    /// New and idle sessions get 421, running transfers continue.
    Draining,
    /// The time is over: transfers that still run are broken off.
    Over,
}

/// Waits for SIGTERM (or SIGINT, from a terminal), then goes through the phases. `time` is called when the drain
/// begins, so that the newest configuration counts.
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

/// Goes through the phases, with this time for running transfers.
pub async fn drain(phase: &watch::Sender<Phase>, time: Duration) {
    tracing::info!(seconds = time.as_secs(), "draining: running transfers may finish");
    phase.send_replace(Phase::Draining);
    tokio::time::sleep(time).await;
    phase.send_replace(Phase::Over);
}
