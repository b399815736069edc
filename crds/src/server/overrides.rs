//! `spec.pod`: additions to the pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, LocalObjectReference, ResourceRequirements, Toleration};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::quantity;

/// Additions to the pods. Fields that the server and its confinement depend on cannot be overridden.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodOverrides {
    /// Resources of the gateway, the container that terminates TLS. `claims` are not supported.
    #[serde(default, deserialize_with = "quantity::within", skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Labels that a node must have to run the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Scheduling constraints of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Additional annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("self.all(key, !key.startsWith('safetp.io/'))").message(
        "pod.annotations uses the prefix safetp.io/, which is reserved for the operator; choose another name"
    ))]
    pub annotations: BTreeMap<String, String>,
    /// Additional labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new(
        "self.all(key, !key.startsWith('safetp.io/') && !key.startsWith('app.kubernetes.io/'))"
    ).message(
        "pod.labels uses a prefix that is reserved for the operator, safetp.io/ or app.kubernetes.io/; choose another \
         name"
    ))]
    pub labels: BTreeMap<String, String>,
    /// Secrets in this namespace with which the images are pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
}
