//! The operator from its arguments to its end: leader election, and the controllers while it leads.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context, controllers, http, images::Images, leader::Candidate, metrics::Metrics, registry::Registry,
};

/// Arguments of [`run()`].
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// Images of the pods.
    #[command(flatten)]
    pub images: Images,
    /// Address and port of the health and metrics endpoints.
    #[arg(long, env = "SAFETP_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Namespace of the Lease by which one of several operators leads: the operator's own.
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// Name of the Lease.
    #[arg(long, env = "SAFETP_LEASE", default_value = "safetp-operator")]
    pub lease: String,
    /// Identity of this process in the Lease; it must differ between the operators.
    #[arg(long, env = "POD_NAME", default_value = "safetp-operator")]
    pub identity: String,
}

/// Waits for the lead, then runs the controllers until `stop`. Fails if the cluster cannot be reached or the lead is
/// lost; the process must then end, because another one may lead already.
pub async fn run(args: RunArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let client = Client::try_default().await.context("failed to find the cluster")?;
    let metrics = Metrics::default();
    let endpoints = tokio::spawn(http::serve(args.listen, metrics.clone(), stop.clone()));
    let candidate = Candidate::new(client.clone(), &args.namespace, &args.lease, &args.identity);
    if candidate.acquire(&stop).await {
        metrics.set_leading(true);
        tracing::info!(identity = %args.identity, "leading");
        lead(client, args.images, metrics, &candidate, &stop).await?;
    }
    endpoints.await.context("failed to serve health and metrics")?.context("failed to serve health and metrics")
}

/// Runs the controllers for as long as this process leads.
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
    candidate.release().await.context("failed to release the Lease")
}
