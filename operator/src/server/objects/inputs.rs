//! What the objects of a server are built from.

use k8s_openapi::{api::core::v1::PersistentVolumeClaim, apimachinery::pkg::apis::meta::v1::ObjectMeta};

use crate::{
    images::Images,
    owned::owner,
    server::{
        decide::{
            Decided, address::Addressing, certificate::ServerCertificate, ports::PortPlan,
            signing_key::ServerSigningKey,
        },
        gather::Live,
        validate::ValidatedServer,
    },
    users::logins::Accounts,
};

/// Failure to build an object.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {file}: {source}")]
pub struct BuildError {
    pub file: &'static str,
    pub source: serde_json::Error,
}

/// Inputs from which the objects of a server are built.
pub struct BuildInputs<'a> {
    pub server: &'a ValidatedServer,
    pub ports: PortPlan,
    pub addressing: &'a Addressing,
    pub certificate: &'a ServerCertificate,
    /// `None` where X-SafeTP1 is not listed.
    pub signing_key: Option<&'a ServerSigningKey>,
    pub accounts: &'a Accounts,
    pub images: &'a Images,
    /// True if the StatefulSet exists.
    pub has_pods: bool,
    /// The claim, if it exists.
    pub claim: Option<&'a PersistentVolumeClaim>,
}

impl<'a> BuildInputs<'a> {
    /// The inputs for a server about which everything is decided.
    pub fn new(decided: &'a Decided<'_>, live: &'a Live, images: &'a Images) -> Self {
        Self {
            server: decided.server(),
            ports: decided.ports(),
            addressing: decided.addressing(),
            certificate: decided.certificate(),
            signing_key: decided.signing_key(),
            accounts: decided.accounts(),
            images,
            has_pods: live.stateful_set.is_some(),
            claim: live.claim.as_ref(),
        }
    }

    /// The metadata of an object that belongs to the server.
    pub fn meta(&self, name: String) -> ObjectMeta {
        let names = &self.server.names;
        ObjectMeta {
            name: Some(name),
            namespace: Some(names.namespace().to_string()),
            labels: Some(names.labels()),
            owner_references: Some(vec![owner(&names.server.name, &self.server.uid)]),
            ..ObjectMeta::default()
        }
    }
}
