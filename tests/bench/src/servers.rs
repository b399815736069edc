//! The servers, each started afresh from a configuration of our own, on loopback, and ended by its process id.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};

use crate::{
    args::Args,
    client::{self, Client, Version},
    place::Place,
    processes::{Processes, SERVER_CORE, on_core, wait_until},
};

mod packages;
mod pure_ftpd;
mod safetp;
mod vsftpd;

/// Whom Debian's servers serve files as: a user that every Debian has, with a home that exists.
const DAEMON: (u32, u32) = (1, 1);

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ours: gateway and ftpd.
    Safetp,
    /// Debian's pure-ftpd.
    PureFtpd,
    /// Debian's vsftpd.
    Vsftpd,
}

impl Kind {
    pub(crate) const ALL: &'static [Self] = &[Self::Safetp, Self::PureFtpd, Self::Vsftpd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Safetp => "SafeTP",
            Self::PureFtpd => "pure-ftpd",
            Self::Vsftpd => "vsftpd",
        }
    }

    /// Whether data connections can resume the control connection's session: pure-ftpd gives no tickets in TLS 1.3.
    fn resumes(self, version: Version) -> bool {
        self != Self::PureFtpd || version == Version::Tls12
    }

    /// The version that will be measured; a package that is missing is fetched now.
    pub(crate) fn prepare(self, args: &Args) -> Result<String> {
        match self {
            Self::Safetp => safetp::prepare(&args.binaries),
            Self::PureFtpd => packages::prepare("pure-ftpd", &args.peers),
            Self::Vsftpd => packages::prepare("vsftpd", &args.peers),
        }
    }
}

/// A server that serves.
pub(crate) struct Server {
    pub(crate) place: Place,
    pub(crate) processes: Processes,
    pub(crate) trust: client::Trust,
    port: u16,
}

impl Server {
    /// Starts it on its core, and waits for its greeting.
    pub(crate) fn start(kind: Kind, args: &Args) -> Result<Self> {
        let place = Place::new(&args.files)?;
        let mut processes = Processes::default();
        let port = on_core(SERVER_CORE, || match kind {
            Kind::Safetp => safetp::start(&place, &args.binaries, &mut processes),
            Kind::PureFtpd => pure_ftpd::start(&place, &packages::root("pure-ftpd", &args.peers), &mut processes),
            Kind::Vsftpd => vsftpd::start(&place, &packages::root("vsftpd", &args.peers), &mut processes),
        })
        .with_context(|| format!("failed to start {}", kind.name()))?;
        let trust = place.trust(args.tls, kind.resumes(args.tls))?;
        wait_until(&format!("{} to greet", kind.name()), || {
            processes.check()?;
            Ok(client::greets(port))
        })
        .with_context(|| logs(&place))?;
        Ok(Self { place, processes, trust, port })
    }

    pub(crate) fn login(&self) -> Result<Client> {
        Client::login(self.port, &self.trust).with_context(|| logs(&self.place))
    }
}

/// Starts a program with its output in a log.
fn spawn(command: &mut Command, place: &Place, log: &str, processes: &mut Processes) -> Result<()> {
    let file = place.log(log)?;
    command.stdin(std::process::Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let program = command.get_program().to_string_lossy().into_owned();
    processes.add(command.spawn().with_context(|| format!("failed to run {program}"))?);
    Ok(())
}

fn logs(place: &Place) -> String {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        is_log.then(|| std::fs::read_to_string(&path).unwrap_or_default())
    };
    let entries = std::fs::read_dir(place.path("")).into_iter().flatten();
    format!("the server's logs:\n{}", entries.filter_map(read).collect::<String>())
}

/// The path as an argument or a line of a configuration.
fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
