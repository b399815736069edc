//! Our own client, `safetp`, on a host of the test bed.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use safetp_testbed::Host;

use crate::{clients::run, files::Workplace};

/// The client for one user of one server.
pub struct Safetp {
    host: Host,
    server: SocketAddr,
    password: String,
    workplace: Workplace,
}

impl Safetp {
    /// Alice, on `host`, without a known key, accepting the first that she is shown.
    pub fn new(host: Host, server: SocketAddr, password: &str) -> Result<Self> {
        Ok(Self { host, server, password: password.to_owned(), workplace: Workplace::new()? })
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("safetp://alice@{}/{path}", self.server)
    }

    /// The file with the keys of known servers.
    pub fn known_servers(&self) -> PathBuf {
        self.workplace.path("known_servers")
    }

    /// Stores a file under X-SafeTP1.
    pub fn put(&self, local: &Path, remote: &str) -> Result<String> {
        run(self.command("put")?.arg(local).args([self.url(remote).as_str(), "--mechanism", "x-safetp1"]))
    }

    /// Fetches a file under X-SafeTP1.
    pub fn get(&self, remote: &str, local: &Path) -> Result<String> {
        run(self.command("get")?.arg(self.url(remote)).arg(local).args(["--mechanism", "x-safetp1"]))
    }

    /// The program, with alice's password and a file of known servers of its own.
    fn command(&self, what: &str) -> Result<Command> {
        let mut command = self.host.command(program()?);
        command.arg(what);
        command.env("SAFETP_PASSWORD", &self.password).stdin(Stdio::null());
        command.arg("--known-servers").arg(self.known_servers()).arg("--accept-new-key");
        Ok(command)
    }

    /// `safetp proxy` on the host's loopback interface.
    pub fn proxy(&self, arguments: &[&str]) -> Result<Proxy> {
        let mut command = self.command("proxy")?;
        command.args(["--listen", "127.0.0.1:0", &format!("safetp://{}", self.server)]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start safetp proxy")?;
        let output = child.stdout.take().context("no output")?;
        let mut first = String::new();
        BufReader::new(output).read_line(&mut first)?;
        let port: u16 = first.trim().parse().with_context(|| format!("safetp proxy printed no port: {first:?}"))?;
        Ok(Proxy { child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }
}

/// A running `safetp proxy`; ended on drop.
pub struct Proxy {
    child: Child,
    /// The address for plain clients.
    pub address: SocketAddr,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that `make e2e` has built beside the tests' own programs.
fn program() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let folder = tests.ancestors().find(|folder| folder.join("safetp").is_file());
    let program = folder.map(|folder| folder.join("safetp")).unwrap_or_default();
    ensure!(program.is_file(), "safetp is not built: cargo build -p safetp-client");
    Ok(program)
}
