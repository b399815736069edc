//! `spec.backend` and `spec.retain`: the storage of the files.

use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity;

/// Storage of the files.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// Embedded FTP server, with its files on a volume. Default: a claim of 10Gi of the cluster's default storage
    /// class.
    #[serde(default)]
    pub embedded: EmbeddedBackend,
}

/// Volume of the embedded server. Default: a claim of 10Gi of the cluster's default storage class.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "(has(self.volumeClaim) ? 1 : 0) + (has(self.existingClaim) ? 1 : 0) + (has(self.emptyDir) ? 1 : 0) <= 1"
).message("backend.embedded has more than one of volumeClaim, existingClaim and emptyDir; keep one of them"))]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedBackend {
    /// Spec of the claim `<server>-data`, which is created if it does not exist. Defaults of its fields:
    /// `ReadWriteOnce`, 10Gi, the cluster's default storage class.
    #[serde(default, deserialize_with = "quantity::within", skip_serializing_if = "Option::is_none")]
    pub volume_claim: Option<PersistentVolumeClaimSpec>,
    /// Name of an existing claim in this namespace, which the operator neither creates nor deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub existing_claim: Option<String>,
    /// Volume that is deleted with its pod, and the files with it: for tests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDir>,
}

/// An `emptyDir` volume.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmptyDir {
    /// Maximum size of its content. Default: no limit.
    #[serde(default, deserialize_with = "quantity::single", skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}

/// Reclaim policy of the claim with the files, applied when the server is deleted.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retain {
    /// The claim remains, and a new server of the same name adopts it.
    #[default]
    Retain,
    /// The claim is deleted with the server.
    Delete,
}
