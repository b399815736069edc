//! The command line: what is measured, beside which servers, and where the result goes.

use std::path::PathBuf;

use crate::{
    client::Version,
    kind::Kind,
    load::{Load, Part},
};

/// Measures SafeTP beside other FTP servers.
#[derive(Debug, clap::Parser)]
#[command(name = "safetp-bench", version)]
pub(crate) struct Args {
    /// One short round: shows that everything works, and its numbers mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Servers to measure [default: all].
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Parts of each turn [default: all].
    #[arg(long = "part", value_delimiter = ',')]
    parts: Vec<Part>,
    /// Directory of safetp-sidecar and safetp-ftpd.
    #[arg(long, default_value = "target/release")]
    pub(crate) binaries: PathBuf,
    /// Directory that the packages of the other servers are fetched and unpacked into.
    #[arg(long, default_value = "target/bench/peers")]
    pub(crate) peers: PathBuf,
    /// Directory for the files that are served; memory, so that no disk is measured.
    #[arg(long, default_value = "/dev/shm")]
    pub(crate) files: PathBuf,
    /// Page whose text between the two markers is replaced by the table.
    #[arg(long)]
    pub(crate) page: Option<PathBuf>,
    /// Version of TLS on all connections.
    #[arg(long, default_value = "1.3")]
    pub(crate) tls: Version,
    /// Number of rounds [default: 5, with --quick 1].
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
}

impl Args {
    pub(crate) fn kinds(&self) -> &[Kind] {
        if self.only.is_empty() { Kind::ALL } else { &self.only }
    }

    pub(crate) fn parts(&self) -> &[Part] {
        if self.parts.is_empty() { Part::ALL } else { &self.parts }
    }

    pub(crate) fn load(&self) -> Load {
        let load = if self.quick { Load::QUICK } else { Load::FULL };
        Load { rounds: self.rounds.unwrap_or(load.rounds), ..load }
    }
}
