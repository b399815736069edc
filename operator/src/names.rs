//! The names and labels of everything that is made for a server.

use std::collections::BTreeMap;

/// The one field manager of every write.
pub const FIELD_MANAGER: &str = "safetp-operator";
/// Label: the server that an object is for. A claim is found by it again after its server was deleted.
pub const SERVER_LABEL: &str = "safetp.io/server";
/// Label: the number of the replica that a pod is.
pub const SHARD_LABEL: &str = "safetp.io/shard";
/// Annotation: the digest of what was applied last, so that an unchanged object costs no request.
pub const APPLIED_ANNOTATION: &str = "safetp.io/applied";
const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Selects every object that this operator makes.
pub const MANAGED_SELECTOR: &str = "app.kubernetes.io/managed-by=safetp-operator";

/// The names that belong to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The namespace of all of them.
    pub namespace: String,
    /// The server, and its Service.
    pub server: String,
}

impl Names {
    /// The names of the server `server` in `namespace`.
    pub fn new(namespace: impl Into<String>, server: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), server: server.into() }
    }

    /// The Service that carries every port.
    pub fn service(&self) -> String {
        self.server.clone()
    }

    /// The StatefulSet of the only replica.
    pub fn stateful_set(&self) -> String {
        format!("{}-0", self.server)
    }

    /// `ServiceAccount`, `Role`, `RoleBinding` and `ConfigMap` of the gateway.
    pub fn gateway(&self) -> String {
        format!("{}-gateway", self.server)
    }

    /// The Secret with the certificate that the gateway shows.
    pub fn tls(&self) -> String {
        format!("{}-tls", self.server)
    }

    /// The Secret with the CA's certificate alone, for clients.
    pub fn ca(&self) -> String {
        format!("{}-ca", self.server)
    }

    /// The Secret with the CA's private key, never mounted.
    pub fn ca_key(&self) -> String {
        format!("{}-ca-key", self.server)
    }

    /// The Secret with the DSA key of X-SafeTP1, where the operator made it.
    pub fn dsa(&self) -> String {
        format!("{}-dsa", self.server)
    }

    /// The Secret with the ftpd's files.
    pub fn users(&self) -> String {
        format!("{}-users", self.server)
    }

    /// The claim that is made for the server.
    pub fn claim(&self) -> String {
        format!("{}-data", self.server)
    }

    /// The labels of every object.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            ("app.kubernetes.io/name", "safetp"),
            ("app.kubernetes.io/instance", self.server.as_str()),
            (MANAGED_BY_LABEL, FIELD_MANAGER),
            (SERVER_LABEL, self.server.as_str()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    }

    /// The labels that select the server's pods; a StatefulSet can never change them.
    pub fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(SERVER_LABEL.to_owned(), self.server.clone())])
    }

    /// The selector as text.
    pub fn selector_text(&self) -> String {
        format!("{SERVER_LABEL}={}", self.server)
    }
}
