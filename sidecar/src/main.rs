//! The gateway's program: what starts in which order, and what ends it.

use std::{
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser as _;
use safetp_sidecar::{
    address,
    admin::{self, Admin},
    args::Args,
    drain::{self, Phase},
    gateway::{self, Gateway, Tickets},
    metrics::Metrics,
    settings::Keeper,
};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    start_log(args.log_json);
    // Each session holds a handful of descriptors, and the soft limit is often 1024 for the sake of programs that use
    // `select`.
    rlimit::increase_nofile_limit(u64::MAX).context("failed to raise the limit of open files")?;
    // For the client of the Kubernetes API, which asks for the process's default.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let metrics = Arc::new(Metrics::default());
    let tickets = Tickets::new().context("failed to make ticket keys")?;
    let keeper = Keeper::start(&args.gateway_dir, tickets, Arc::clone(&metrics)).context("failed to start")?;
    let settings = keeper.subscribe();
    let config = settings.borrow().config.clone();
    let address = address::spawn(&config, &args.pod_info_dir);
    tokio::spawn(address::watch_metric(address.clone(), Arc::clone(&metrics)));
    tokio::spawn(keeper.run());

    let (drain, phase) = watch::channel(Phase::Serving);
    let bound = Gateway::bind(&config, settings.clone(), address.clone(), phase, Arc::clone(&metrics))?;
    let listener = gateway::listen(config.admin_port)?;
    let admin = Admin { settings: settings.clone(), address, gateway: bound.gateway(), metrics };
    tokio::spawn(admin::serve(listener, admin));

    let time = move || Duration::from_secs(settings.borrow().config.drain_seconds.into());
    let draining = tokio::spawn(drain::run(drain, time));
    tracing::info!(server = config.server, control = bound.control_port(), data = %bound.data_ports(), "serving");
    bound.serve().await;
    draining.abort();
    tracing::info!("all sessions have ended");
    Ok(())
}

fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours);
    if json { log.json().init() } else { log.init() }
}
