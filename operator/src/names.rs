//! Names, labels and annotations of the objects that the operator creates for a server.

use std::collections::BTreeMap;

use crate::identity::{Namespace, ServerKey};

/// Field manager of every write.
pub const FIELD_MANAGER: &str = "safetp-operator";
/// Label with the server that an object belongs to. A claim that outlived its server is found again by it.
pub const SERVER_LABEL: &str = "safetp.io/server";
/// Label with the number of a pod's replica.
pub const SHARD_LABEL: &str = "safetp.io/shard";
/// Annotation with the digest of the object that was applied last, so that an unchanged object costs no request.
pub const APPLIED_ANNOTATION: &str = "safetp.io/applied";
const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Selector of every object that this operator creates.
pub const MANAGED_SELECTOR: &str = "app.kubernetes.io/managed-by=safetp-operator";

/// Names of one server's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub server: ServerKey,
}

impl Names {
    /// The namespace of all objects.
    pub fn namespace(&self) -> &Namespace {
        &self.server.namespace
    }

    /// The Service with all ports.
    pub fn service(&self) -> String {
        self.server.name.to_string()
    }

    /// The StatefulSet of the only replica.
    pub fn stateful_set(&self) -> String {
        format!("{}-0", self.server.name)
    }

    /// `ServiceAccount`, `Role`, `RoleBinding` and `ConfigMap` of the gateway.
    pub fn gateway(&self) -> String {
        format!("{}-gateway", self.server.name)
    }

    /// The Secret with the certificate that the gateway presents.
    pub fn tls(&self) -> String {
        format!("{}-tls", self.server.name)
    }

    /// The Secret with the CA's certificate alone, for clients.
    pub fn ca(&self) -> String {
        format!("{}-ca", self.server.name)
    }

    /// The Secret with the CA's private key, never mounted.
    pub fn ca_key(&self) -> String {
        format!("{}-ca-key", self.server.name)
    }

    /// The Secret with the DSA key of X-SafeTP1, if the operator generated it.
    pub fn dsa(&self) -> String {
        format!("{}-dsa", self.server.name)
    }

    /// The Secret with the ftpd's files.
    pub fn users(&self) -> String {
        format!("{}-users", self.server.name)
    }

    /// The claim that is created for the server.
    pub fn claim(&self) -> String {
        format!("{}-data", self.server.name)
    }

    /// The labels of every object.
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            ("app.kubernetes.io/name", "safetp"),
            ("app.kubernetes.io/instance", self.server.name.as_str()),
            (MANAGED_BY_LABEL, FIELD_MANAGER),
            (SERVER_LABEL, self.server.name.as_str()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    }

    /// The labels that select the server's pods. They can never change, because a StatefulSet's selector cannot.
    pub fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(SERVER_LABEL.to_owned(), self.server.name.to_string())])
    }

    /// The selector of the server's pods, as text.
    pub fn selector_text(&self) -> String {
        format!("{SERVER_LABEL}={}", self.server.name)
    }
}
