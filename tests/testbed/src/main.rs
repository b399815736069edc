//! `testbed`: starts and ends the cluster that the demo and the tests use.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use safetp_testbed::{Error, Result, Testbed, complain, forward, say};

/// A real Kubernetes on this machine, in network namespaces of its own.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds what is missing and starts the cluster unless it runs.
    Up,
    /// Ends the cluster and removes everything that it created.
    Down,
    /// Reports whether it runs.
    Status,
    /// Loads image archives into its nodes.
    Load {
        /// Archives in OCI layout.
        archives: Vec<PathBuf>,
    },
    /// Starts a registry of images that the nodes pull from, and prints its address.
    Registry,
    /// Joins a port of this machine's loopback with the API server (started by `up`).
    #[command(hide = true)]
    Forward {
        /// The port.
        #[arg(long)]
        port: u16,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Up => drop(Testbed::up(&this_program()?)?),
        Command::Down => Testbed::down()?,
        Command::Status => say(&format!("running; KUBECONFIG={}", Testbed::attach()?.kubeconfig().display())),
        Command::Registry => say(&Testbed::attach()?.registry()?),
        Command::Load { archives } => load(&archives)?,
        Command::Forward { port } => forward::to_api_server(port)?,
    }
    Ok(())
}

fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|source| Error::Io { doing: "find this program".to_owned(), source })
}

fn load(archives: &[PathBuf]) -> Result<()> {
    let testbed = Testbed::attach()?;
    archives.iter().try_for_each(|archive| testbed.load_image(archive))
}
