//! From the pod's own Service. The operator may be down meanwhile.

use std::pin::pin;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Service;
use kube::{
    Api, Client,
    runtime::{WatchStreamExt as _, watcher},
};
use safetp_config::address::{ExternalAddress, Ingress, choose};
use tokio::sync::watch;

use super::{RETRY, tell};

/// Watches for ever. An API server that cannot be reached changes nothing: the last known address stands.
pub(super) async fn run(name: String, namespace: String, found: watch::Sender<Option<ExternalAddress>>) {
    loop {
        // The token and the CA are files that may come later than this container.
        match Client::try_default().await {
            Ok(client) => follow(client, &name, &namespace, &found).await,
            Err(error) => tracing::error!(%error, "failed to set up the client of the Kubernetes API"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn follow(client: Client, name: &str, namespace: &str, found: &watch::Sender<Option<ExternalAddress>>) {
    let services: Api<Service> = Api::namespaced(client, namespace);
    // By name in the field selector: the Role allows no other watch.
    let mut changes = pin!(watcher::watch_object(services, name).default_backoff());
    while let Some(change) = changes.next().await {
        match change {
            Ok(service) => apply(service.as_ref(), found),
            Err(error) => {
                tracing::warn!(
                    error = text(&error),
                    service = name,
                    "the watch of the Service broke; it is tried again"
                );
            }
        }
    }
}

/// What the API server says; kube's own text has the Debug form of its whole answer in it.
fn text(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => format!("{} ({})", status.message, status.reason),
        other => other.to_string(),
    }
}

fn apply(service: Option<&Service>, found: &watch::Sender<Option<ExternalAddress>>) {
    match choose(&ingress(service)) {
        Some(choice) => tell(found, Some(choice.address), choice.reason),
        None => tell(found, None, "the Service has no load balancer address"),
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
    use super::*;

    fn service(status: &serde_json::Value) -> Service {
        serde_json::from_value(serde_json::json!({"metadata": {"name": "files"}, "status": status})).unwrap()
    }

    #[test]
    fn an_address_comes_moves_and_goes_with_the_services_status() {
        let (found, known) = watch::channel(None);
        let address = || known.borrow().as_ref().map(ExternalAddress::to_string);
        for (ip, expected) in [("203.0.113.7", "203.0.113.7"), ("203.0.113.8", "203.0.113.8")] {
            apply(Some(&service(&serde_json::json!({"loadBalancer": {"ingress": [{"ip": ip}]}}))), &found);
            assert_eq!(address().as_deref(), Some(expected));
        }
        apply(Some(&service(&serde_json::json!({"loadBalancer": {}}))), &found);
        assert_eq!(address(), None);
    }

    #[test]
    fn a_deleted_service_has_no_address() {
        let (found, known) = watch::channel(Some(ExternalAddress::parse("203.0.113.7")));
        apply(None, &found);
        assert_eq!(*known.borrow(), None);
    }
}
