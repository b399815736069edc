//! The fourth stage: builds the objects of a server as they should be. Pure.

mod claim;
mod files;
mod inputs;
mod pod;
mod rbac;
mod secrets;
mod service;
mod stateful_set;
mod volumes;

pub use claim::describe_storage;
pub use files::Expected;
pub use inputs::BuildError;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    rbac::v1::{Role, RoleBinding},
};

use self::inputs::BuildInputs;
use super::{decide::Decided, gather::Live};
use crate::images::Images;

/// The desired state of an object.
#[derive(Clone, Debug)]
pub enum Desired<K> {
    /// It exists and is like this.
    Object(Box<K>),
    /// It does not exist.
    Absent,
    /// It stays as it is, if it exists.
    Unchanged,
}

/// Every object, ready to be applied.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub service: Service,
    pub service_account: ServiceAccount,
    pub role: Desired<Role>,
    pub role_binding: Desired<RoleBinding>,
    pub config_map: Desired<ConfigMap>,
    pub ca_key: Desired<Secret>,
    pub ca: Desired<Secret>,
    pub tls: Desired<Secret>,
    /// A DSA key that has just been generated: created if there is none.
    pub signing_key: Desired<Secret>,
    pub users: Secret,
    pub claim: Desired<PersistentVolumeClaim>,
    pub stateful_set: Desired<StatefulSet>,
    /// The digests that a pod reports once it has loaded all of this.
    pub expected: Expected,
}

/// Builds every object of a server.
pub fn build(decided: &Decided<'_>, live: &Live, images: &Images) -> Result<Prepared, BuildError> {
    let inputs = &BuildInputs::new(decided, live, images);
    let files = files::build_files(inputs)?;
    // A certificate or key that cannot be used must not take pods down that have a good one: they stay as they are.
    let no_certificate = inputs.certificate.problem.is_some();
    let hold = inputs.has_pods && (no_certificate || inputs.signing_key.is_some_and(|key| key.problem.is_some()));
    let secret =
        |secret: Option<Secret>| if inputs.has_pods && no_certificate { Desired::Unchanged } else { secret.into() };
    Ok(Prepared {
        service: service::build_service(inputs),
        service_account: rbac::build_service_account(inputs),
        role: rbac::build_role(inputs).into(),
        role_binding: rbac::build_role_binding(inputs).into(),
        config_map: if hold { Desired::Unchanged } else { Some(files::build_config_map(inputs, &files)).into() },
        ca_key: secret(secrets::build_authority_key(inputs)),
        ca: secret(secrets::build_authority(inputs)),
        tls: secret(secrets::build_certificate(inputs)),
        // Never taken away while the server lives, not even when X-SafeTP1 is off for a while: clients remember it.
        signing_key: secrets::build_signing_key(inputs)
            .map_or(Desired::Unchanged, |key| Desired::Object(Box::new(key))),
        users: secrets::build_users(inputs, &files),
        claim: claim::build_claim(inputs).map_or(Desired::Unchanged, |claim| Desired::Object(Box::new(claim))),
        stateful_set: if hold { Desired::Unchanged } else { Some(stateful_set::build_stateful_set(inputs)).into() },
        expected: files.expected,
    })
}

impl<K> From<Option<K>> for Desired<K> {
    fn from(object: Option<K>) -> Self {
        object.map_or(Self::Absent, |object| Self::Object(Box::new(object)))
    }
}

#[cfg(test)]
mod tests;
