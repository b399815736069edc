//! The binary: arguments, logs and signals. The operator itself is [`safetp_operator::run()`].

use anyhow::Context as _;
use clap::Parser;
use safetp_operator::{RunArgs, run};
use safetp_program::{log::LogArgs, signals};
use tokio_util::sync::CancellationToken;

/// Runs SafeTP servers on Kubernetes.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    args.log.start();
    // For the client of the Kubernetes API, which uses the process's default; an error means that it is set already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stop = stop_on_signal().context("failed to listen for signals")?;
    run(args.run, stop).await
}

fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (requested, token) = (signals::stop_requested()?, stop.clone());
    tokio::spawn(async move {
        requested.await;
        token.cancel();
    });
    Ok(stop)
}
