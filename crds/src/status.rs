//! What the operator reports. All optional: a status is written by an operator that may be older than its reader.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a server.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafeTPServerStatus {
    /// `Ready`, and `Reconciling` or `Stalled` while they are true; `DataBinding` while it is weak;
    /// `Confinement` while the kernel of a node has no Landlock, or less than all of it.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The address that clients dial and are told: an IP address or a DNS name, without a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_reason: Option<String>,
    /// The ports that clients need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<Ports>,
    /// One line for the administrator of a firewall in front of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<String>,
    /// The certificate in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStatus>,
    /// What clients know the server by, beside the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityStatus>,
    /// Where the files are, and what stays when the server is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Pods that exist.
    #[serde(default)]
    pub replicas: i32,
    /// Pods that serve.
    #[serde(default)]
    pub ready_replicas: i32,
    /// The label selector of the pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// The ports that clients need.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// The control port.
    pub control: i32,
    /// The lowest data port.
    pub data_first: i32,
    /// The highest data port.
    pub data_last: i32,
    /// The data ports as one word, such as `28000-28019`.
    #[serde(default)]
    pub data: String,
}

/// A certificate.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// SHA-256 of the certificate (DER), as clients show it.
    pub fingerprint_sha256: String,
    /// When it ends.
    pub not_after: String,
}

/// What clients know the server by, beside the certificate.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityStatus {
    /// The fingerprint of the DSA key, as clients of X-SafeTP1 show it: `SHA256:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsa_key_fingerprint: Option<String>,
}

/// The state of a login.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafeTPUserStatus {
    /// `Ready`, and `Reconciling` or `Stalled` while they are true.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Every server that the login is for.
    #[serde(default)]
    pub servers: Vec<UserServer>,
}

/// A login on one server.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserServer {
    /// The server's name.
    pub name: String,
    /// Whether every pod of the server accepts the login as it is written now.
    pub ready: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
