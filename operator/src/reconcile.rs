//! The frame of every reconcile: its deadline, its metric, and the resources that need no reconcile.

use std::{sync::Arc, time::Duration};

use k8s_openapi::NamespaceResourceScope;
use kube::{Client, Resource, core::DeserializeGuard, runtime::controller::Action};

use crate::{
    metrics::Metrics,
    status::{StatusError, report_unreadable},
};

/// Maximum duration of one reconcile: the client of the Kubernetes API retries by itself, and for very long.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// An error that ends a reconcile.
pub trait ReconcileError {
    /// The error of a reconcile that took longer than its deadline.
    fn deadline() -> Self;

    /// The label of the metric.
    fn label(&self) -> &'static str;
}

/// Runs one reconcile of `controller` within its deadline, and counts it.
pub async fn run<E: ReconcileError>(
    metrics: &Metrics,
    controller: &'static str,
    reconcile: impl Future<Output = Result<Action, E>>,
) -> Result<Action, Arc<E>> {
    let timer = metrics.start(controller);
    let result = tokio::time::timeout(DEADLINE, reconcile).await.unwrap_or_else(|_| Err(E::deadline()));
    timer.stop(result.as_ref().err().map(ReconcileError::label));
    result.map_err(Arc::new)
}

/// Returns the resource to reconcile. `None` for one that is being deleted, and for one that this version cannot parse,
/// whose status then reports that.
pub async fn readable<'a, K>(client: &Client, resource: &'a DeserializeGuard<K>) -> Result<Option<&'a K>, StatusError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match &resource.0 {
        Ok(readable) => Ok(Some(readable).filter(|readable| readable.meta().deletion_timestamp.is_none())),
        Err(invalid) => report_unreadable::<K>(client, invalid).await.map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct TooSlow;

    impl ReconcileError for TooSlow {
        fn deadline() -> Self {
            Self
        }

        fn label(&self) -> &'static str {
            "deadline"
        }
    }

    #[tokio::test]
    async fn an_error_is_counted_by_its_label() {
        let metrics = Metrics::default();
        let ended = run(&metrics, "server", std::future::ready(Err(TooSlow::deadline()))).await;
        assert_eq!(ended.unwrap_err(), Arc::new(TooSlow));
        let counted = "safetp_operator_reconciles_total{controller=\"server\",result=\"deadline\"} 1";
        assert!(metrics.encode().unwrap().contains(counted));
    }
}
