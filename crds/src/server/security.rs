use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What protects the connections.
#[derive(KubeSchema, Clone, Debug, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.xSafetp1.keySecretRef) || self.mechanisms.exists(name, name == 'X-SafeTP1')").message(
    "security.xSafetp1.keySecretRef is the key of X-SafeTP1, which security.mechanisms does not list; type mechanisms: [TLS, X-SafeTP1], or leave keySecretRef out"
))]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// The mechanisms that clients may use, in the order in which FEAT offers them.
    #[serde(default = "tls")]
    #[x_kube(validation = Rule::new("self.size() >= 1").message("security.mechanisms is empty; type for example: [TLS]"))]
    #[x_kube(validation = Rule::new("self.all(name, self.exists_one(other, other == name))").message("security.mechanisms names a mechanism twice; type for example: [TLS, X-SafeTP1]"))]
    #[schemars(length(max = 8))]
    pub mechanisms: Vec<Mechanism>,
    /// The lowest protection that is accepted.
    #[serde(default)]
    pub minimum: Minimum,
    /// The server's certificate.
    #[serde(default)]
    pub certificate: Certificate,
    /// The key of X-SafeTP1, where the mechanism is listed.
    #[serde(default)]
    pub x_safetp1: XSafeTp1,
    /// Whether a client may take the protection off its control connection under TLS (CCC, RFC 2228), so that firewalls
    /// on its way can read PASV and PORT. The commands that follow are sent in the clear; files are not.
    #[serde(default)]
    pub clear_command_channel: Permission,
    /// How strictly a data connection must prove that it belongs to its control connection.
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

/// A security mechanism, by its AUTH name.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mechanism {
    /// TLS 1.2 and 1.3 (RFC 4217).
    #[serde(rename = "TLS")]
    Tls,
    /// Triple-DES, SHA-1 and DSA, for clients that speak nothing newer.
    #[serde(rename = "X-SafeTP1")]
    SafeTp1,
}

/// Whether something that weakens protection is allowed.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// It is refused.
    #[default]
    Denied,
    /// It is accepted.
    Allowed,
}

/// The key of X-SafeTP1. Nothing said: made once by the operator, in the Secret `<server>-dsa`.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct XSafeTp1 {
    /// A Secret of the server's namespace with the key `dsa.key`: a DSA private key of 1024 or 2048 bits, PKCS#8 in PEM
    /// (`-----BEGIN PRIVATE KEY-----`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<SecretName>,
}

/// The lowest protection that is accepted, for each channel.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Minimum {
    /// Whether commands, and with them passwords, must be encrypted.
    #[serde(default)]
    pub control: Requirement,
    /// Whether files and listings must be encrypted.
    #[serde(default)]
    pub data: Requirement,
}

/// Whether protection may be left out.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Nothing works without it.
    #[default]
    Required,
    /// The client decides.
    Optional,
}

/// How a data connection proves its session.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataBinding {
    /// Every protected data connection must resume the TLS session.
    Required,
    /// A client that can resume must go on doing so; others are known by their address.
    #[default]
    WhenOffered,
    /// Only the port tells sessions apart. (`Off` would be a boolean in YAML 1.1, which kubectl reads.)
    Never,
}

/// Where the certificate comes from. Nothing said: self-signed.
#[derive(KubeSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!(has(self.secretRef) && has(self.selfSigned))").message(
    "security.certificate has both secretRef and selfSigned; keep one of them"
))]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// A Secret of the server's namespace with the keys `tls.crt` and `tls.key`, as cert-manager makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// Issued and renewed by the operator; the CA is in the Secret `<server>-ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_signed: Option<SelfSigned>,
}

/// A Secret of the same namespace.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretName {
    /// The Secret's name.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// A certificate from the server's own CA. There is nothing to choose yet.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
pub struct SelfSigned {}
