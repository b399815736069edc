//! The drain after SIGTERM: idle sessions end first, then those that transfer, then the rest.

use std::time::Duration;

use safetp_program::signals;
use tokio::sync::watch;

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

/// Waits until the process is asked to end, then goes through the phases. `time` is called when the drain begins, so
/// that the newest configuration counts.
pub async fn run(phase: watch::Sender<Phase>, time: impl FnOnce() -> Duration) -> std::io::Result<()> {
    signals::stop_requested()?.await;
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
