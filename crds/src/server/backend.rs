use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity;

/// What keeps the files.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// The embedded server on a volume.
    #[serde(default)]
    pub embedded: EmbeddedBackend,
}

/// The volume of the embedded server. Nothing said: a claim of 10Gi of the cluster's default class.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "(has(self.volumeClaim) ? 1 : 0) + (has(self.existingClaim) ? 1 : 0) + (has(self.emptyDir) ? 1 : 0) <= 1"
).message("backend.embedded has more than one of volumeClaim, existingClaim and emptyDir; keep one of them"))]
#[serde(rename_all = "camelCase")]
pub struct EmbeddedBackend {
    /// The spec of the claim `<server>-data`, which is made when it is not there. What is left out: `ReadWriteOnce`,
    /// 10Gi, the cluster's default class.
    #[serde(default, deserialize_with = "quantity::within", skip_serializing_if = "Option::is_none")]
    pub volume_claim: Option<PersistentVolumeClaimSpec>,
    /// The name of a claim of this namespace, which the operator neither makes nor deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub existing_claim: Option<String>,
    /// A volume that is gone with its pod: for trying things out only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDir>,
}

/// An `emptyDir`.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmptyDir {
    /// The most that it may hold.
    #[serde(default, deserialize_with = "quantity::single", skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}

/// What happens to people's files when the server is deleted.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retain {
    /// The claim stays, and a server made again under the same name adopts it.
    #[default]
    Retain,
    /// The claim is deleted with the server.
    Delete,
}
