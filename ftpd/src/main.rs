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
use safetp_program::{limits::raise_descriptor_limit, log::LogArgs, signals};

/// The embedded FTP server of SafeTP: serves files to the gateway of its pod over a Unix socket.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The Unix socket for the gateway.
    #[arg(long, env = "SAFETP_FTPD_SOCKET", global = true, default_value = paths::FTPD_SOCKET)]
    socket: PathBuf,
    /// The directory of ftpd.json and users.json.
    #[arg(long, env = "SAFETP_FTPD_DIR", global = true, default_value = paths::FTPD_DIR)]
    config: PathBuf,
    /// The volume with people's files.
    #[arg(long, env = "SAFETP_DATA_DIR", global = true, default_value = paths::DATA_DIR)]
    data: PathBuf,
    #[command(flatten)]
    log: LogArgs,
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
    let args = Args::parse();
    args.log.start();
    let result = match args.command.unwrap_or_default() {
        Command::Serve => serve(args),
        Command::Check { shut_in: false } => check::greeting(&args.socket).map_err(anyhow::Error::from),
        Command::Check { shut_in: true } => {
            try_out(&args.reach(), shut_in::CALLS, io::stdout()).map_err(anyhow::Error::from)
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

impl Args {
    fn reach(&self) -> Reach {
        shut_in::reach(&self.data, &self.socket, &self.config)
    }
}

fn serve(args: Args) -> anyhow::Result<()> {
    // Asked for first: the answer is in files that cannot be read once shut in.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    raise_descriptor_limit().context("failed to raise the limit of open files")?;
    // The gateway has the group of the files, so only their owner may write to them, whatever the runtime's own mask.
    umask(Mode::WGRP | Mode::WOTH);
    let landlock = safetp_fence::shut_in(&args.reach(), shut_in::CALLS).context("failed to shut itself in")?;
    tracing::info!(?landlock, seccomp = ?shut_in::CALLS, "shut in");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("failed to start threads")?;
    runtime.block_on(async {
        let options = Options {
            socket: args.socket,
            config: args.config,
            data: args.data,
            throttle: Throttle::default(),
            sweep_every: SWEEP_INTERVAL,
            landlock,
        };
        let server = Server::start(options)?;
        let stop = signals::stop_requested().context("failed to listen for signals")?;
        tracing::info!("serving");
        server.run(stop).await;
        Ok(())
    })
}
