//! The servers, each started afresh from a configuration of our own, on loopback, and ended by its process id.

use anyhow::{Context as _, Result};

use crate::{
    args::Args,
    client::{Client, Target},
    kind::Kind,
    place::Place,
    processes::{Processes, SERVER_CORE, on_core, wait_until},
};

mod packages;
mod pure_ftpd;
mod safetp;
mod spawn;
mod vsftpd;

/// A server that serves.
pub(crate) struct Server {
    pub(crate) place: Place,
    pub(crate) processes: Processes,
    target: Target,
}

/// The version that will be measured; a package that is missing is fetched now.
pub(crate) fn prepare(kind: Kind, args: &Args) -> Result<String> {
    match kind {
        Kind::Safetp => safetp::prepare(&args.binaries),
        Kind::PureFtpd => packages::prepare("pure-ftpd", &args.peers),
        Kind::Vsftpd => packages::prepare("vsftpd", &args.peers),
    }
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
        let target = place.target(port, args.tls, kind.resumes(args.tls))?;
        wait_until(&format!("{} to greet", kind.name()), || {
            processes.check()?;
            Ok(target.greets())
        })
        .with_context(|| logs(&place))?;
        Ok(Self { place, processes, target })
    }

    pub(crate) fn log_in(&self) -> Result<Client> {
        self.target.log_in().with_context(|| logs(&self.place))
    }
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
