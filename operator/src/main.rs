//! The binary: telemetry, configuration, leadership, controllers, shutdown.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use clap::Parser;
use kube::Client;
use safetp_operator::{
    context::Context, controllers, http, images::Images, leader::Candidate, metrics::Metrics, registry::Registry,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Runs SafeTP servers on Kubernetes.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    images: Images,
    /// Where health and metrics are served.
    #[arg(long, env = "SAFETP_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// The namespace of the Lease: the operator's own.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    namespace: String,
    /// The name of the Lease.
    #[arg(long, env = "SAFETP_LEASE", default_value = "safetp-operator")]
    lease: String,
    /// This process among its copies.
    #[arg(long, env = "POD_NAME", default_value = "safetp-operator")]
    identity: String,
    /// Log as JSON.
    #[arg(long, env = "SAFETP_LOG_JSON")]
    log_json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    start_logging(args.log_json);
    // For the client of the Kubernetes API, which asks for the process's default; an error means that it is set.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stop = stop_on_signal().context("failed to listen for signals")?;
    let client = Client::try_default().await.context("failed to find the cluster")?;
    let metrics = Metrics::default();
    let server = tokio::spawn(http::serve(args.listen, metrics.clone(), stop.clone()));
    let candidate = Candidate::new(client.clone(), &args.namespace, &args.lease, &args.identity);
    if candidate.acquire(&stop).await {
        metrics.set_leading(true);
        tracing::info!(identity = %args.identity, "leading");
        lead(client, args.images, metrics, &candidate, &stop).await?;
    }
    server.await.context("failed to serve health and metrics")?.context("failed to serve health and metrics")
}

/// Runs the controllers for as long as this process leads. An error ends the process: another one may lead already.
async fn lead(
    client: Client,
    images: Images,
    metrics: Metrics,
    candidate: &Candidate,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (registry, touched_users) = Registry::new();
    let context = Arc::new(Context::new(client, images, registry, metrics));
    let controllers = controllers::run(context, touched_users, stop.clone());
    tokio::pin!(controllers);
    tokio::select! {
        () = &mut controllers => {}
        kept = candidate.keep(stop) => {
            kept.context("failed to stay the leader")?;
            controllers.await;
        }
    }
    candidate.release().await.context("failed to give up the lead")
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
