//! The external address: learned while running, known until it is really gone.

use std::{path::Path, sync::Arc};

use safetp_config::{
    address::ExternalAddress,
    gateway::{AddressSource, GatewayConfig},
};
use safetp_protocol::session::Announced;
use tokio::sync::watch;

use crate::metrics::Metrics;

mod learned;
mod pod_file;
mod resolve;
mod service;

/// The announced address as it changes: what clients dial, with the octets that 227 needs.
pub type Announcements = watch::Receiver<Option<Announced>>;

/// Learns the address from the configured source for as long as the process lives.
pub fn spawn(config: &GatewayConfig, pod_info: &Path) -> Announcements {
    let (learned, to_resolve) = watch::channel(None);
    match config.address.clone() {
        AddressSource::Service { name, namespace } => {
            tokio::spawn(service::run(name, namespace, learned));
        }
        AddressSource::PodAnnotation => {
            tokio::spawn(pod_file::run(pod_info.to_owned(), learned));
        }
        AddressSource::Pinned { address } => {
            learned.send_replace(Some(ExternalAddress::parse(&address)));
        }
    }
    let (announced, announcements) = watch::channel(None);
    tokio::spawn(resolve::run(to_resolve, announced));
    announcements
}

/// Shows in the metrics whether an address is known.
pub async fn watch_metric(mut announcements: Announcements, metrics: Arc<Metrics>) {
    loop {
        metrics.address_known.set(announcements.borrow_and_update().is_some().into());
        if announcements.changed().await.is_err() {
            return;
        }
    }
}
