//! The fifth stage: applies the objects to the cluster, and deletes those that are no longer needed. An object that is
//! as it should be costs no request.

use std::fmt::Debug;

use k8s_openapi::{NamespaceResourceScope, api::apps::v1::StatefulSet};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    gather::Live,
    objects::{Desired, Expected, Prepared},
};
use crate::{
    cluster,
    conditions::{Reason, Verdict},
    identity::Namespace,
    names::FIELD_MANAGER,
    owned::{is_in_force, stamp},
};

/// The API server's words for a namespace that is being deleted.
const TERMINATING: &str = "because it is being terminated";
/// The API server's words for a node port outside the cluster's range.
const OUTSIDE_RANGE: &str = "provided port is not in the valid range";
/// The API server's words for a node port that another Service has.
const ALLOCATED: &str = ": provided port is already allocated";

/// Failure to apply an object. `what` is its kind, namespace and name.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another Service took a node port in the meantime.
    #[error("failed to get node port {0}: it is already allocated")]
    PortTaken(u16),
    /// The API server rejects the object, and would again.
    #[error("failed to apply {what}: the API server rejects it: {message}")]
    Rejected { what: String, message: String },
    /// The namespace is being deleted, and the server with it.
    #[error("failed to apply {what}: the namespace is being deleted")]
    NamespaceTerminating { what: String },
    /// Any other failure, which a retry may mend.
    #[error("failed to apply {what}: {}", cluster::text(source))]
    Kube { what: String, source: kube::Error },
    /// An object cannot be written as JSON.
    #[error("failed to write {what} as JSON: {source}")]
    Json { what: String, source: serde_json::Error },
}

/// The objects in the cluster after they were applied. Only [`apply`] creates one, so nothing is observed or reported
/// before.
pub struct Applied {
    stateful_set: StatefulSet,
    expected: Expected,
}

impl Applied {
    /// The pod's template and its progress.
    pub fn stateful_set(&self) -> &StatefulSet {
        &self.stateful_set
    }

    /// The digests that a pod reports once it has loaded everything.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// The outcome of applying `prepared` to an empty cluster.
    #[cfg(test)]
    pub fn of(prepared: &Prepared) -> Self {
        Self { stateful_set: StatefulSet::default(), expected: prepared.expected.clone() }
    }
}

impl ApplyError {
    /// Content of Ready if a retry alone cannot help; `None` if it may.
    pub fn verdict(&self) -> Option<Verdict> {
        let Self::Rejected { what, message } = self else { return None };
        let reason = if message.contains(OUTSIDE_RANGE) { Reason::PortsUnavailable } else { Reason::Refused };
        Some(Verdict::stalled(reason, format!("the API server rejects {what}: {message}")))
    }
}

/// Applies everything. The Service goes first: where a node port is taken, nothing else has changed yet.
pub async fn apply(
    client: &Client,
    namespace: &Namespace,
    live: Live,
    prepared: Prepared,
) -> Result<Applied, ApplyError> {
    let applier = Applier { client, namespace };
    let Prepared {
        service,
        service_account,
        role,
        role_binding,
        config_map,
        ca_key,
        ca,
        tls,
        signing_key,
        users,
        claim,
        stateful_set,
        expected,
    } = prepared;
    applier.put(live.service, service).await?;
    applier.put(live.service_account, service_account).await?;
    applier.settle(live.role, role).await?;
    applier.settle(live.role_binding, role_binding).await?;
    // The CA before what it signed: a leaf whose CA was lost would have to be replaced.
    applier.settle(live.ca_key, ca_key).await?;
    applier.settle(live.ca, ca).await?;
    applier.settle(live.tls, tls).await?;
    applier.create_once(live.signing_key, signing_key).await?;
    applier.put(live.users, users).await?;
    applier.settle(live.config_map, config_map).await?;
    applier.settle(live.claim, claim).await?;
    let stateful_set = Box::pin(applier.settle(live.stateful_set, stateful_set)).await?.unwrap_or_default();
    Ok(Applied { stateful_set, expected })
}

struct Applier<'a> {
    client: &'a Client,
    namespace: &'a Namespace,
}

impl Applier<'_> {
    async fn settle<K>(&self, live: Option<K>, wanted: Desired<K>) -> Result<Option<K>, ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        match (live, wanted) {
            (live, Desired::Object(desired)) => self.put(live, *desired).await.map(Some),
            (Some(live), Desired::Absent) => self.delete(&live).await.map(|()| None),
            (live, Desired::Unchanged) => Ok(live),
            (None, Desired::Absent) => Ok(None),
        }
    }

    async fn put<K>(&self, live: Option<K>, desired: K) -> Result<K, ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        let what = self.what(&desired);
        let json =
            |object: &K| serde_json::to_value(object).map_err(|source| ApplyError::Json { what: what.clone(), source });
        let mut wanted = json(&desired)?;
        stamp(&mut wanted);
        if let Some(live) = live {
            if is_in_force(&json(&live)?, &wanted) {
                return Ok(live);
            }
            pin(&mut wanted, live.meta().uid.as_deref());
        }
        tracing::info!(object = %what, "applying");
        let api: Api<K> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let applied = api.patch(&desired.name_any(), &parameters, &Patch::Apply(&wanted)).await;
        applied.map_err(|source| explain(what, source))
    }

    /// Creates what is never replaced. If another writer was faster this fails, and the next reconcile reads theirs.
    async fn create_once<K>(&self, live: Option<K>, wanted: Desired<K>) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        let (None, Desired::Object(desired)) = (live, wanted) else { return Ok(()) };
        let what = self.what(&*desired);
        tracing::info!(object = %what, "creating");
        let api: Api<K> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        api.create(&parameters, &desired).await.map(|_| ()).map_err(|source| explain(what, source))
    }

    async fn delete<K>(&self, live: &K) -> Result<(), ApplyError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let what = self.what(live);
        tracing::info!(object = %what, "deleting an object that is no longer needed");
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: live.uid(), ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        let api: Api<K> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        match api.delete(&live.name_any(), &parameters).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(source) => Err(ApplyError::Kube { what, source }),
        }
    }

    fn what<K: Resource<DynamicType = ()>>(&self, object: &K) -> String {
        format!("{} {}/{}", K::kind(&()), self.namespace, object.name_any())
    }
}

/// Has the API server reject the patch if the object that was compared is gone and another one has its name.
fn pin(wanted: &mut Value, uid: Option<&str>) {
    let meta = wanted.get_mut("metadata").and_then(Value::as_object_mut);
    if let (Some(meta), Some(uid)) = (meta, uid) {
        meta.insert("uid".to_owned(), Value::String(uid.to_owned()));
    }
}

fn explain(what: String, source: kube::Error) -> ApplyError {
    match &source {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => match taken_port(&status.message) {
            Some(port) => ApplyError::PortTaken(port),
            None if status.message.contains(TERMINATING) => ApplyError::NamespaceTerminating { what },
            None => ApplyError::Rejected { what, message: status.message.clone() },
        },
        _ => ApplyError::Kube { what, source },
    }
}

/// The number in the API server's `Invalid value: 30003: provided port is already allocated`.
fn taken_port(message: &str) -> Option<u16> {
    let (before, _) = message.split_once(ALLOCATED)?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_that_was_taken_is_read_from_the_refusal() {
        let message = "Service \"files\" is invalid: spec.ports[3].nodePort: Invalid value: 30003: provided port is \
                       already allocated";
        assert_eq!(taken_port(message), Some(30_003));
        assert_eq!(
            taken_port("spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range"),
            None
        );
    }
}
