//! A capture of the wire at a host in between.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use safetp_testbed::Host;

use crate::files::Workplace;

/// A running tcpdump.
pub struct Capture {
    tcpdump: Child,
    file: PathBuf,
    // Holds the file.
    _workplace: Workplace,
}

impl Capture {
    /// Captures all that goes through `host` from the moment when this returns.
    pub fn start(host: Host) -> Result<Self> {
        let workplace = Workplace::new()?;
        let file = workplace.path("packets.pcap");
        let mut command = host.command("tcpdump");
        // As root: it would otherwise change to a user who cannot write there.
        command.args(["-Z", "root", "-i", "any", "-s", "0", "-U", "-B", "65536", "-w"]).arg(&file).arg("tcp");
        let mut tcpdump = command.stderr(Stdio::piped()).spawn().context("failed to start tcpdump")?;
        let mut said = BufReader::new(tcpdump.stderr.take().context("no output")?);
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            ensure!(said.read_line(&mut line)? > 0, "tcpdump ended");
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(Self { tcpdump, file, _workplace: workplace })
    }

    /// Ends the capture; returns the octets of all packets with their headers.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let pid = self.tcpdump.id().to_string();
        // On SIGINT it writes what it holds.
        std::process::Command::new("kill").args(["-INT", &pid]).status()?;
        self.tcpdump.wait()?;
        Ok(std::fs::read(&self.file)?)
    }
}

/// Whether `octets` are anywhere in the packets.
pub fn contains(packets: &[u8], octets: &[u8]) -> bool {
    packets.windows(octets.len()).any(|window| window == octets)
}
