//! `spec.security`: mechanisms, keys, and the least protection that a client must use.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Protection of the connections.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "!has(self.xSafetp1.keySecretRef) || self.mechanisms.exists(name, name == 'X-SafeTP1')"
).message(
    "security.xSafetp1.keySecretRef is a key for X-SafeTP1, which security.mechanisms does not list; set mechanisms: \
     [TLS, X-SafeTP1], or leave keySecretRef out"
))]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// Security mechanisms that clients may use, in the order in which FEAT offers them. Default: `[TLS]`.
    #[serde(default = "tls")]
    #[x_kube(validation = Rule::new("self.size() >= 1").message(
        "security.mechanisms is empty; set for example mechanisms: [TLS]"
    ))]
    #[x_kube(validation = Rule::new("self.all(name, self.exists_one(other, other == name))").message(
        "security.mechanisms lists a mechanism twice; set for example mechanisms: [TLS, X-SafeTP1]"
    ))]
    #[schemars(length(max = 8))]
    pub mechanisms: Vec<Mechanism>,
    /// Least protection that a client must use.
    #[serde(default)]
    pub minimum: Minimum,
    /// TLS certificate of the server. Default: self-signed.
    #[serde(default)]
    pub certificate: Certificate,
    /// DSA key of X-SafeTP1, if `mechanisms` lists it. Default: generated once by the operator, in the Secret
    /// `<server>-dsa`.
    #[serde(default)]
    pub x_safetp1: XSafeTp1,
    /// Permission for clients to end TLS on the control connection (CCC, RFC 2228), so that firewalls in between can
    /// read PASV and PORT. All further commands are then sent in the clear; files are not. Default: `Denied`.
    #[serde(default)]
    pub clear_command_channel: Permission,
    /// Proof that a data connection belongs to its control connection. `Required`: it must resume the TLS session of
    /// its control connection. `WhenOffered`: a client that has resumed once must always do so; others are identified
    /// by their address. `Never`: only the port tells sessions apart. Default: `WhenOffered`.
    #[serde(default)]
    pub data_binding: DataBinding,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            mechanisms: tls(),
            minimum: Minimum::default(),
            certificate: Certificate::default(),
            x_safetp1: XSafeTp1::default(),
            clear_command_channel: Permission::default(),
            data_binding: DataBinding::default(),
        }
    }
}

fn tls() -> Vec<Mechanism> {
    vec![Mechanism::Tls]
}

/// Security mechanism, by its AUTH name.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// TLS 1.2 and 1.3 (RFC 4217).
    #[serde(rename = "TLS")]
    Tls,
    /// Triple-DES, SHA-1 and DSA, for clients that support nothing newer.
    #[serde(rename = "X-SafeTP1")]
    SafeTp1,
}

/// Permission for something that weakens protection.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// It is refused.
    #[default]
    Denied,
    /// It is accepted.
    Allowed,
}

/// DSA key of X-SafeTP1. Default: generated once by the operator, in the Secret `<server>-dsa`.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XSafeTp1 {
    /// Secret in this namespace with the key `dsa.key`: a DSA private key of 1024 or 2048 bits in PKCS#8 PEM format
    /// (`-----BEGIN PRIVATE KEY-----`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<SecretName>,
}

/// Least protection that a client must use, for each channel.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Minimum {
    /// Encryption of commands, including passwords: `Required`, or `Optional` to leave it to the client. Default:
    /// `Required`.
    #[serde(default)]
    pub control: Requirement,
    /// Encryption of files and listings: `Required`, or `Optional` to leave it to the client. Default: `Required`.
    #[serde(default)]
    pub data: Requirement,
}

/// Obligation to encrypt a channel.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Commands that need the channel are refused without encryption.
    #[default]
    Required,
    /// The client decides.
    Optional,
}

/// Proof that a data connection belongs to its control connection.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataBinding {
    /// Every protected data connection must resume the TLS session of its control connection.
    Required,
    /// A client that has resumed its session once must always do so; others are identified by their address.
    #[default]
    WhenOffered,
    /// Only the port tells sessions apart.
    // Not `Off`: that is a boolean in YAML 1.1, which kubectl reads.
    Never,
}

/// Source of the TLS certificate. Default: self-signed.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!(has(self.secretRef) && has(self.selfSigned))").message(
    "security.certificate has both secretRef and selfSigned; keep one of them"
))]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Secret in this namespace with the keys `tls.crt` and `tls.key`, in the format of cert-manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// Certificate that the operator issues and renews; its CA is in the Secret `<server>-ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_signed: Option<SelfSigned>,
}

/// Reference to a Secret in this namespace.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretName {
    /// Name of the Secret.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// Certificate from the server's own CA. It has no settings yet.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
pub struct SelfSigned {}
