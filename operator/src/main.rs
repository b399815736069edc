//! The binary: arguments, logs and signals. The operator itself is [`safetp_operator::run()`].

use anyhow::Context as _;
use clap::Parser;
use safetp_operator::{RunArgs, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Runs SafeTP servers on Kubernetes.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Log in JSON format.
    #[arg(long, env = "SAFETP_LOG_JSON")]
    log_json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    start_logging(args.log_json);
    // For the client of the Kubernetes API, which uses the process's default; an error means that it is set already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stop = stop_on_signal().context("failed to listen for signals")?;
    run(args.run, stop).await
}

fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { builder.json().init() } else { builder.init() }
}

fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}
