//! The statuses that the operator writes. All fields are optional: the operator may be older than its reader.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// State of the server, as the operator last observed it.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafeTPServerStatus {
    /// Conditions: `Ready` always; `Reconciling` or `Stalled` only while true; `DataBinding` only while data
    /// connections are weakly bound to their sessions; `Confinement` only while the kernel of a node supports Landlock
    /// not at all or in part.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Address that clients connect to and that PASV replies carry: an IP address or a DNS name, without a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Origin of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_reason: Option<String>,
    /// Ports that clients connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<Ports>,
    /// Rule for a firewall in front of the server, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall: Option<String>,
    /// TLS certificate in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStatus>,
    /// Other identities by which clients recognise the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityStatus>,
    /// Volume that holds the files, and whether it remains when the server is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Number of pods that exist.
    #[serde(default)]
    pub replicas: i32,
    /// Number of pods that serve clients.
    #[serde(default)]
    pub ready_replicas: i32,
    /// Label selector of the pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// Ports that clients connect to.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// Control port.
    pub control: i32,
    /// Lowest data port.
    pub data_first: i32,
    /// Highest data port.
    pub data_last: i32,
    /// Data ports as one word, for example `28000-28019`.
    #[serde(default)]
    pub data: String,
}

/// TLS certificate of a server.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// SHA-256 fingerprint of the certificate (of its DER form), as clients show it.
    pub fingerprint_sha256: String,
    /// End of the certificate's validity, in RFC 3339 format.
    pub not_after: String,
}

/// Identities of a server beside its TLS certificate.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityStatus {
    /// Fingerprint of the DSA key, as clients of X-SafeTP1 show it: `SHA256:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsa_key_fingerprint: Option<String>,
}

/// State of the login, as the operator last observed it.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SafeTPUserStatus {
    /// Conditions: `Ready` always; `Reconciling` or `Stalled` only while true.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// State of the login on each server in `spec.servers`.
    #[serde(default)]
    pub servers: Vec<UserServer>,
}

/// State of a login on one server.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserServer {
    /// Name of the server.
    pub name: String,
    /// True if every pod of the server accepts the login as it is specified now.
    pub ready: bool,
    /// Reason why the login is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
