//! A resource that this version cannot read: it is told so, and all others go on.

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::error_boundary::InvalidObject,
};
use serde_json::json;

use crate::{
    conditions::{Reason, Verdict, build_conditions},
    names::FIELD_MANAGER,
};

/// Writes Ready=False onto the resource, unless it says so already.
pub async fn report_unreadable<K>(client: &Client, invalid: &InvalidObject) -> Result<(), kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    let meta = &invalid.metadata;
    let (Some(namespace), Some(name)) = (meta.namespace.as_deref(), meta.name.as_deref()) else { return Ok(()) };
    tracing::warn!(%namespace, %name, kind = %K::kind(&()), error = %invalid.error, "cannot read a resource");
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<K>(&()));
    let verdict = Verdict::stalled(
        Reason::Unreadable,
        format!(
            "this version of the operator cannot read the resource: {}; correct it, or install the definitions of the same version (chart safetp-crds)",
            invalid.error
        ),
    );
    let live = api.get_opt(name).await?;
    let status = live.and_then(|live| live.data.get("status").cloned()).unwrap_or_default();
    let previous = status.get("conditions").cloned().and_then(|list| serde_json::from_value(list).ok());
    let previous = previous.unwrap_or_else(Vec::new);
    let conditions = build_conditions(&previous, &verdict, meta.generation, jiff::Timestamp::now());
    if conditions == previous {
        return Ok(());
    }
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name},
        "status": {"conditions": conditions, "observedGeneration": meta.generation},
    });
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    api.patch_status(name, &parameters, &Patch::Apply(&patch)).await.map(|_| ())
}
