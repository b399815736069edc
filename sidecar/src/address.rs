//! The external address: learned while running, known until it is really gone.

use std::{path::Path, time::Duration};

use safetp_config::{
    address::ExternalAddress,
    gateway::{AddressSource, GatewayConfig},
};
use safetp_protocol::session::Announced;
use tokio::sync::watch;

use crate::metrics::Metrics;

mod dns;
mod pod_file;
mod service;

/// How long to wait before asking a source again that has failed.
const RETRY: Duration = Duration::from_secs(2);

/// Where the address is told: what dials want, with the octets that 227 wants.
pub type Announcements = watch::Receiver<Option<Announced>>;

/// Learns the address from the configured source for as long as the process lives.
pub fn spawn(config: &GatewayConfig, pod_info: &Path) -> Announcements {
    let (found, learned) = watch::channel(None);
    match config.address.clone() {
        AddressSource::Service { name, namespace } => {
            tokio::spawn(service::run(name, namespace, found));
        }
        AddressSource::PodAnnotation => {
            tokio::spawn(pod_file::run(pod_info.to_owned(), found));
        }
        AddressSource::Pinned { address } => {
            found.send_replace(Some(ExternalAddress::parse(&address)));
        }
    }
    let (announce, announced) = watch::channel(None);
    tokio::spawn(dns::run(learned, announce));
    announced
}

/// Shows in the metrics whether an address is known.
pub async fn watch_metric(mut announced: Announcements, metrics: std::sync::Arc<Metrics>) {
    loop {
        metrics.address_known.set(announced.borrow_and_update().is_some().into());
        if announced.changed().await.is_err() {
            return;
        }
    }
}

/// Sends only what is news, and logs it.
fn tell(sender: &watch::Sender<Option<ExternalAddress>>, address: Option<ExternalAddress>, reason: &str) {
    sender.send_if_modified(|known| {
        if *known == address {
            return false;
        }
        let shown = address.as_ref().map(ToString::to_string);
        tracing::info!(address = shown, reason, "the external address has changed");
        *known = address;
        true
    });
}
