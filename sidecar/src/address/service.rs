//! The address in the status of the pod's own Service, which the sidecar watches by itself: no address waits for the
//! operator.

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Service;
use kube::{
    Api, Client,
    runtime::{WatchStreamExt as _, watcher},
};
use safetp_config::address::{Ingress, choose};

use super::learned::{self, Learned};

/// Pause before the client of the Kubernetes API is set up again.
const RETRY: Duration = Duration::from_secs(2);

/// Watches for ever. An API server that cannot be reached changes nothing: the last known address stays.
pub(crate) async fn run(name: String, namespace: String, learned: Learned) {
    loop {
        // The token and the CA are files that may come later than this container.
        match Client::try_default().await {
            Ok(client) => follow(client, &name, &namespace, &learned).await,
            Err(error) => tracing::error!(%error, "failed to set up the client of the Kubernetes API"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn follow(client: Client, name: &str, namespace: &str, learned: &Learned) {
    let services: Api<Service> = Api::namespaced(client, namespace);
    // By name in the field selector: the Role allows no other watch.
    let mut changes = pin!(watcher::watch_object(services, name).default_backoff());
    while let Some(change) = changes.next().await {
        match change {
            Ok(service) => apply(service.as_ref(), learned),
            Err(error) => {
                tracing::warn!(
                    error = text(&error),
                    service = name,
                    "the watch of the Service broke and is started again"
                );
            }
        }
    }
}

/// Message of the API server; kube's own text has the Debug form of its whole answer in it.
fn text(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => format!("{} ({})", status.message, status.reason),
        other => other.to_string(),
    }
}

fn apply(service: Option<&Service>, learned: &Learned) {
    match choose(&ingress(service)) {
        Some(choice) => learned::note(learned, Some(choice.address), choice.reason),
        None => learned::note(learned, None, "the Service has no load balancer address"),
    }
}

fn ingress(service: Option<&Service>) -> Vec<Ingress> {
    let status = service.and_then(|service| service.status.as_ref());
    let published = status.and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    let entries = published.into_iter().flatten();
    entries.map(|entry| Ingress { ip: entry.ip.clone(), hostname: entry.hostname.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use safetp_config::address::ExternalAddress;
    use tokio::sync::watch;

    use super::*;

    fn service(status: &serde_json::Value) -> Service {
        serde_json::from_value(serde_json::json!({"metadata": {"name": "files"}, "status": status})).unwrap()
    }

    #[test]
    fn the_address_follows_the_services_status() {
        let (learned, known) = watch::channel(None);
        let address = || known.borrow().as_ref().map(ExternalAddress::to_string);
        for (ip, expected) in [("203.0.113.7", "203.0.113.7"), ("203.0.113.8", "203.0.113.8")] {
            apply(Some(&service(&serde_json::json!({"loadBalancer": {"ingress": [{"ip": ip}]}}))), &learned);
            assert_eq!(address().as_deref(), Some(expected));
        }
        apply(Some(&service(&serde_json::json!({"loadBalancer": {}}))), &learned);
        assert_eq!(address(), None);
    }

    #[test]
    fn a_deleted_service_has_no_address() {
        let (learned, known) = watch::channel(Some(ExternalAddress::parse("203.0.113.7")));
        apply(None, &learned);
        assert_eq!(*known.borrow(), None);
    }
}
