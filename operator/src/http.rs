//! The HTTP endpoints `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Serves until `stop`. A process that waits for the lead is ready too.
pub async fn serve(listen: SocketAddr, metrics: Metrics, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(|| async { "ok" }))
        .route("/metrics", get(show))
        .with_state(metrics);
    let listener = TcpListener::bind(listen).await?;
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn show(State(metrics): State<Metrics>) -> Result<String, StatusCode> {
    metrics.encode().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
