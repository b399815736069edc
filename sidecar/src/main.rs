//! The sidecar's program: the order in which its parts start, and what ends it.

use std::{io, num::NonZero, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Parser as _;
use safetp_fence::{Landlock, try_out};
use safetp_program::limits::raise_descriptor_limit;
use safetp_sidecar::{
    address,
    admin::{self, Admin},
    args::{Args, Command},
    drain::{self, Phase},
    gateway::{self, Bound},
    metrics::Metrics,
    settings::{SettingsWatcher, read_config},
    shut_in,
    tls::Tickets,
};
use tokio::sync::watch;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    args.log.start();
    match args.command.unwrap_or_default() {
        Command::Serve => start(&args),
        Command::Check { .. } => {
            let config = read_config(&args.gateway_dir).context("failed to read the configuration")?;
            Ok(try_out(&args.reach(&config), shut_in::CALLS, io::stdout())?)
        }
    }
}

/// Does everything that is impossible once the process is shut in, shuts it in, and creates threads after that: only
/// those that are created later are shut in as well.
fn start(args: &Args) -> anyhow::Result<()> {
    // First, since the answer is in files that cannot be read once shut in.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    raise_descriptor_limit().context("failed to raise the limit of open files")?;
    // For the client of the Kubernetes API, which uses the process's default.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Before the process is shut in: the source of random numbers opens files at its first use.
    let tickets = Tickets::new().context("failed to create ticket keys")?;
    let config = read_config(&args.gateway_dir).context("failed to start")?;
    let landlock = safetp_fence::shut_in(&args.reach(&config), shut_in::CALLS).context("failed to shut itself in")?;
    tracing::info!(%landlock, seccomp = ?shut_in::CALLS, "shut in");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("failed to start threads")?;
    runtime.block_on(serve(args, tickets, landlock))
}

async fn serve(args: &Args, tickets: Tickets, landlock: Landlock) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
    let watcher =
        SettingsWatcher::start(&args.gateway_dir, tickets, Arc::clone(&metrics)).context("failed to start")?;
    let settings = watcher.subscribe();
    let config = settings.borrow().config.clone();
    let address = address::spawn(&config, &args.pod_info_dir);
    tokio::spawn(address::watch_metric(address.clone(), Arc::clone(&metrics)));
    tokio::spawn(watcher.run());

    let (drain, phase) = watch::channel(Phase::Serving);
    let bound = Bound::new(&config, settings.clone(), address.clone(), phase, Arc::clone(&metrics))?;
    let listener = gateway::listen(config.admin_port)?;
    let admin = Admin { settings: settings.clone(), address, gateway: bound.gateway(), metrics, landlock };
    tokio::spawn(admin::serve(listener, admin));

    let time = move || Duration::from_secs(settings.borrow().config.drain_seconds.into());
    let draining = tokio::spawn(drain::run(drain, time));
    tracing::info!(server = config.server, control = bound.control_port(), data = %bound.data_ports(), "serving");
    bound.serve().await;
    draining.abort();
    tracing::info!("all sessions have ended");
    Ok(())
}
