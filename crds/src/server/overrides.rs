use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, LocalObjectReference, ResourceRequirements, Toleration};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::quantity;

/// Additions to the pods. What the server needs to work and to stay shut in cannot be overridden.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodOverrides {
    /// Resources of the gateway, the container that encrypts. `claims` are not supported.
    #[serde(default, deserialize_with = "quantity::within", skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Labels that a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that are tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Rules about where pods run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// More annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('safetp.io/'))").message("pod.annotations: the prefix safetp.io/ is the operator's own; take another name"))]
    pub annotations: BTreeMap<String, String>,
    /// More labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('safetp.io/') && !key.startsWith('app.kubernetes.io/'))").message("pod.labels: the prefixes safetp.io/ and app.kubernetes.io/ are the operator's own; take another name"))]
    pub labels: BTreeMap<String, String>,
    /// Secrets for pulling the images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The priority class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
}
