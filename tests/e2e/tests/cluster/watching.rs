//! `kubectl get --watch`: what an object went through, as it went through it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Stdio},
};

use anyhow::{Context as _, Result};
use safetp_e2e::scenario::Namespace;

/// A running watch; ends with the value.
pub(crate) struct Watch {
    kubectl: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Watches one `jsonpath` of an object; its first line is the value now.
    pub(crate) fn start(namespace: &Namespace, what: &str, path: &str) -> Result<Self> {
        let mut kubectl = namespace.cluster().testbed().kubectl();
        kubectl.args(["get", what, "-n", namespace.name(), "--watch", "-o", &format!("jsonpath={path}{{\"\\n\"}}")]);
        let mut kubectl = kubectl.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(kubectl.stdout.take().context("no output")?).lines();
        let mut watch = Self { kubectl, lines };
        watch.next()?; // from here on nothing is missed
        Ok(watch)
    }

    /// The next value.
    pub(crate) fn next(&mut self) -> Result<String> {
        Ok(self.lines.next().context("the watch ended")??)
    }

    /// Reads until a value is `wanted`.
    pub(crate) fn until(&mut self, wanted: &str) -> Result<()> {
        while self.next()? != wanted {}
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
