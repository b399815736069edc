//! The embedded ftpd's binary: arguments, log, shutting in, serving.

use std::{io, num::NonZero, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use rustix::{fs::Mode, process::umask};
use safetp_config::paths;
use safetp_fence::{Reach, try_out};
use safetp_ftpd::{
    check,
    server::{Options, Server, Throttle},
    shut_in,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The embedded FTP server of SafeTP: serves files to the gateway of its pod over a Unix socket.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The Unix socket for the gateway.
    #[arg(long, global = true, default_value = paths::FTPD_SOCKET)]
    socket: PathBuf,
    /// The directory of ftpd.json and users.json.
    #[arg(long, global = true, default_value = paths::FTPD_DIR)]
    config: PathBuf,
    /// The volume with people's files.
    #[arg(long, global = true, default_value = paths::DATA_DIR)]
    data: PathBuf,
}

/// Parts are kept for hours: one stays at most a few minutes longer.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);

#[derive(Clone, Copy, Debug, Default, Subcommand)]
enum Command {
    /// Serve until SIGTERM, then until the last session has ended.
    #[default]
    Serve,
    /// Exit 0 if the server of this container greets.
    Check {
        /// Instead: shut this process in as the server is, and exit 0 if it cannot get out.
        #[arg(long)]
        shut_in: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let result = match arguments.command.unwrap_or_default() {
        Command::Serve => serve(arguments),
        Command::Check { shut_in: false } => check::greeting(&arguments.socket).map_err(anyhow::Error::from),
        Command::Check { shut_in: true } => {
            try_out(&arguments.reach(), shut_in::CALLS, io::stdout()).map_err(anyhow::Error::from)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "failed");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn reach(&self) -> Reach {
        shut_in::reach(&self.data, &self.socket, &self.config)
    }
}

fn serve(arguments: Arguments) -> anyhow::Result<()> {
    // Asked for first: the answer is in files that cannot be read once shut in.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    // Each session holds a handful of descriptors, and the soft limit is often 1024 for the sake of programs that use
    // `select`.
    rlimit::increase_nofile_limit(u64::MAX).context("failed to raise the limit of open files")?;
    // The gateway has the group of the files, so only their owner may write to them, whatever the runtime's own mask.
    umask(Mode::WGRP | Mode::WOTH);
    let landlock = safetp_fence::shut_in(&arguments.reach(), shut_in::CALLS).context("failed to shut itself in")?;
    tracing::info!(?landlock, seccomp = ?shut_in::CALLS, "shut in");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("failed to start threads")?;
    runtime.block_on(async {
        let options = Options {
            socket: arguments.socket,
            config: arguments.config,
            data: arguments.data,
            throttle: Throttle::default(),
            sweep_every: SWEEP_INTERVAL,
            landlock,
        };
        let server = Server::start(options)?;
        let mut stop = signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
        tracing::info!("serving");
        let stopped = async move {
            stop.recv().await;
        };
        server.run(stopped).await;
        Ok(())
    })
}
