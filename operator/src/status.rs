//! Writes statuses by server-side apply: of servers, of users, and of resources that this version cannot parse.

use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta},
};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::{error_boundary::InvalidObject, object::HasStatus},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cluster,
    conditions::{Reason, Verdict, build_conditions},
    names::FIELD_MANAGER,
};

/// Failure to write a status.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the status: {}", cluster::text(.0))]
pub struct StatusError(#[from] kube::Error);

/// Writes the status of a resource if it differs from the one that was read. Returns whether it was written.
pub async fn update_status<K>(client: &Client, resource: &K, status: &K::Status) -> Result<bool, StatusError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + HasStatus,
    K::Status: Serialize + PartialEq,
{
    if resource.status() == Some(status) {
        return Ok(false);
    }
    apply_status::<K>(client, resource.meta(), status).await
}

/// Sets Ready=False on a resource that this version cannot parse, unless it says so already.
pub async fn report_unreadable<K>(client: &Client, invalid: &InvalidObject) -> Result<(), StatusError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    let meta = &invalid.metadata;
    let (Some(namespace), Some(name)) = (meta.namespace.as_deref(), meta.name.as_deref()) else { return Ok(()) };
    tracing::warn!(%namespace, %name, kind = %K::kind(&()), error = %invalid.error, "cannot parse a resource");
    let verdict = Verdict::stalled(
        Reason::Unreadable,
        format!(
            "this version of the operator cannot parse the resource: {}; fix it, or install the chart safetp-crds of \
             the operator's version",
            invalid.error
        ),
    );
    let live = untyped::<K>(client, namespace).get_opt(name).await?;
    let previous = live.map(|live| conditions_of(&live)).unwrap_or_default();
    let conditions = build_conditions(&previous, &verdict, meta.generation, Timestamp::now());
    if conditions != previous {
        let status = json!({"conditions": conditions, "observedGeneration": meta.generation});
        apply_status::<K>(client, meta, &status).await?;
    }
    Ok(())
}

fn conditions_of(resource: &DynamicObject) -> Vec<Condition> {
    let conditions = resource.data.get("status").and_then(|status| status.get("conditions"));
    conditions.and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default()
}

async fn apply_status<K>(client: &Client, meta: &ObjectMeta, status: &impl Serialize) -> Result<bool, StatusError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    let (Some(namespace), Some(name)) = (meta.namespace.as_deref(), meta.name.as_deref()) else { return Ok(false) };
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let patch = status_patch::<K>(meta, status);
    match untyped::<K>(client, namespace).patch_status(name, &parameters, &Patch::Apply(&patch)).await {
        Ok(_) => Ok(true),
        // Deleted since it was read, and perhaps created again: the new one gets a status of its own.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn status_patch<K: Resource<DynamicType = ()>>(meta: &ObjectMeta, status: &impl Serialize) -> Value {
    json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": meta.name, "uid": meta.uid},
        "status": status,
    })
}

/// The API of a kind without its schema, so that a response that does not parse is not a failure.
fn untyped<K>(client: &Client, namespace: &str) -> Api<DynamicObject>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<K>(&()))
}

#[cfg(test)]
mod tests {
    use safetp_crds::SafeTPServer;

    use super::*;

    #[test]
    fn a_patch_names_the_resource_and_is_pinned_to_its_uid() {
        let meta =
            ObjectMeta { name: Some("files".into()), uid: Some("u".into()), generation: Some(3), ..Default::default() };
        let expected = json!({
            "apiVersion": "safetp.io/v1alpha1",
            "kind": "SafeTPServer",
            "metadata": {"name": "files", "uid": "u"},
            "status": {"replicas": 1},
        });
        assert_eq!(status_patch::<SafeTPServer>(&meta, &json!({"replicas": 1})), expected);
    }

    #[test]
    fn conditions_of_another_version_are_read_as_none() {
        let mut resource = DynamicObject::new("files", &ApiResource::erase::<SafeTPServer>(&()));
        assert!(conditions_of(&resource).is_empty());
        resource.data = json!({"status": {"conditions": [{"type": "Ready"}]}});
        assert!(conditions_of(&resource).is_empty());
    }
}
