//! The address in the status of the pod's own Service, which the sidecar watches by itself: no address waits for the
//! operator.

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Service;
use kube::{
    Api, Client,
    runtime::{WatchStreamExt as _, watcher},
};
use safetp_config::address::service::choose;

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
    match service.and_then(choose) {
        Some(choice) => learned::note(learned, Some(choice.address), choice.reason),
        None => learned::note(learned, None, "the Service has no load balancer address"),
    }
}

#[cfg(test)]
mod tests {
    use safetp_config::address::ExternalAddress;
    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::*;

    fn service(kind: &str, load_balancer: &Value) -> Service {
        let (spec, status) = (json!({"type": kind}), json!({"loadBalancer": load_balancer}));
        serde_json::from_value(json!({"metadata": {"name": "files"}, "spec": spec, "status": status})).unwrap()
    }

    #[test]
    fn the_address_follows_the_services_status() {
        let (learned, known) = watch::channel(None);
        let address = || known.borrow().as_ref().map(ExternalAddress::to_string);
        for (ip, expected) in [("203.0.113.7", "203.0.113.7"), ("203.0.113.8", "203.0.113.8")] {
            apply(Some(&service("LoadBalancer", &json!({"ingress": [{"ip": ip}]}))), &learned);
            assert_eq!(address().as_deref(), Some(expected));
        }
        apply(Some(&service("LoadBalancer", &json!({}))), &learned);
        assert_eq!(address(), None);
    }

    #[test]
    fn an_address_published_for_an_earlier_type_of_the_service_is_not_announced() {
        let (learned, known) = watch::channel(None);
        let ingress = json!({"ingress": [{"ip": "203.0.113.7"}]});
        apply(Some(&service("LoadBalancer", &ingress)), &learned);
        assert!(known.borrow().is_some());
        apply(Some(&service("NodePort", &ingress)), &learned);
        assert_eq!(*known.borrow(), None);
    }

    #[test]
    fn a_deleted_service_has_no_address() {
        let (learned, known) = watch::channel(Some(ExternalAddress::parse("203.0.113.7")));
        apply(None, &learned);
        assert_eq!(*known.borrow(), None);
    }
}
