//! The objects of a server, as they should be. Pure.

mod claim;
mod files;
mod pod;
mod rbac;
mod secrets;
mod service;
mod stateful_set;
mod volumes;

pub use claim::describe_storage;
pub use files::Expected;
pub use secrets::previous_accounts;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{address::Addressing, certificate::Material, ports::PortPlan, validate::ValidatedServer};
use crate::{images::Images, owned::owner, users::logins::Accounts};

/// Why an object could not be built.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {file}: {source}")]
pub struct BuildError {
    /// The file of the pod.
    pub file: &'static str,
    /// Why.
    pub source: serde_json::Error,
}

/// All that the objects are made of.
#[derive(Clone, Copy)]
pub struct Ingredients<'a> {
    /// The server.
    pub server: &'a ValidatedServer,
    /// Its ports.
    pub ports: PortPlan,
    /// Its address.
    pub addressing: &'a Addressing,
    /// Its certificate.
    pub material: &'a Material,
    /// Its logins.
    pub accounts: &'a Accounts,
    /// What its pods run.
    pub images: &'a Images,
    /// The claim that is there.
    pub claim: Option<&'a PersistentVolumeClaim>,
}

/// Every object, ready to be applied. What is `None` must not exist.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// All ports.
    pub service: Service,
    /// The gateway's identity.
    pub service_account: ServiceAccount,
    /// What it may read.
    pub role: Option<Role>,
    /// That it may.
    pub role_binding: Option<RoleBinding>,
    /// `gateway.json`.
    pub config_map: ConfigMap,
    /// The CA's key.
    pub ca_key: Option<Secret>,
    /// The CA for clients.
    pub ca: Option<Secret>,
    /// The self-signed certificate.
    pub tls: Option<Secret>,
    /// `ftpd.json` and `users.json`.
    pub users: Secret,
    /// The claim, when the operator makes it.
    pub claim: Option<PersistentVolumeClaim>,
    /// The pod's template.
    pub stateful_set: StatefulSet,
    /// What a pod that acts on all of this says.
    pub expected: Expected,
}

/// Builds everything.
pub fn build(from: &Ingredients<'_>) -> Result<Prepared, BuildError> {
    let files = files::build_files(from)?;
    Ok(Prepared {
        service: service::build_service(from),
        service_account: rbac::build_service_account(from),
        role: rbac::build_role(from),
        role_binding: rbac::build_role_binding(from),
        config_map: files::build_config_map(from, &files),
        ca_key: secrets::build_authority_key(from),
        ca: secrets::build_authority(from),
        tls: secrets::build_certificate(from),
        users: secrets::build_users(from, &files),
        claim: claim::build_claim(from),
        stateful_set: stateful_set::build_stateful_set(from),
        expected: files.expected,
    })
}

impl Ingredients<'_> {
    /// Metadata of an object that belongs to the server.
    fn meta(&self, name: String) -> ObjectMeta {
        let names = &self.server.names;
        ObjectMeta {
            name: Some(name),
            namespace: Some(names.namespace.clone()),
            labels: Some(names.labels()),
            owner_references: Some(vec![owner(&names.server, &self.server.uid)]),
            ..ObjectMeta::default()
        }
    }
}

#[cfg(test)]
mod tests;
