//! `kubectl get --watch`: the values of a field, in their order.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use safetp_e2e::scenario::Namespace;

/// Longer than anything that is waited for takes, so that a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than the operator takes to see a change and to report that it is not in force yet.
const QUIET: Duration = Duration::from_secs(5);

/// A running watch; ends with the value.
pub(crate) struct Watch {
    kubectl: Child,
    lines: Receiver<String>,
}

impl Watch {
    /// Watches one `jsonpath` of an object; its first line is the value now.
    pub(crate) fn start(namespace: &Namespace, what: &str, path: &str) -> Result<Self> {
        let mut kubectl = namespace.cluster().testbed().kubectl();
        kubectl.args(["get", what, "-n", namespace.name(), "--watch", "-o", &format!("jsonpath={path}{{\"\\n\"}}")]);
        let mut kubectl = kubectl.stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(kubectl.stdout.take().context("no output")?);
        let (sender, lines) = channel();
        // Ends with kubectl, or when the watch is dropped.
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut watch = Self { kubectl, lines };
        watch.next()?; // from here on nothing is missed
        Ok(watch)
    }

    /// The next value.
    pub(crate) fn next(&mut self) -> Result<String> {
        self.lines.recv_timeout(PATIENCE).context("the watch ended, or nothing changed for two minutes")
    }

    /// Reads until a value is `wanted`.
    pub(crate) fn until(&mut self, wanted: &str) -> Result<()> {
        while self.next()? != wanted {}
        Ok(())
    }

    /// Waits until nothing changes any more, which must be at `wanted`. A change that is in force at once may never
    /// show as one that is not.
    pub(crate) fn settles_at(&mut self, wanted: &str) -> Result<()> {
        let mut last = wanted.to_owned();
        loop {
            let patience = if last == wanted { QUIET } else { PATIENCE };
            match self.lines.recv_timeout(patience) {
                Ok(value) => last = value,
                Err(RecvTimeoutError::Timeout) if last == wanted => return Ok(()),
                Err(_) => bail!("stayed at {last:?} instead of {wanted:?}"),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
