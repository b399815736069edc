//! The signals that ask a program to end.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first SIGTERM (from the kubelet) or SIGINT (from a terminal). Both are caught from this call on.
pub fn stop_requested() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn sigterm_and_sigint_ask_for_the_end() {
        for signal in [Signal::TERM, Signal::INT] {
            let stop = stop_requested().unwrap();
            kill_process(getpid(), signal).unwrap();
            stop.await;
        }
    }
}
