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

pub(super) use claim::describe_storage;
pub(super) use files::Expected;
pub(super) use inputs::BuildError;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    rbac::v1::{Role, RoleBinding},
};

use self::inputs::BuildInputs;
use super::{decide::Decided, gather::Live};
use crate::images::Images;

/// What should become of an object.
#[derive(Clone, Debug)]
pub(crate) enum Wanted<K> {
    /// It should be so.
    Object(Box<K>),
    /// It should not be.
    Nothing,
    /// It stays as it is, if it is.
    AsItIs,
}

/// Every object, ready to be applied.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// All ports.
    pub service: Service,
    /// The gateway's identity.
    pub service_account: ServiceAccount,
    /// What it may read.
    pub role: Wanted<Role>,
    /// That it may.
    pub role_binding: Wanted<RoleBinding>,
    /// `gateway.json`.
    pub config_map: Wanted<ConfigMap>,
    /// The CA's key.
    pub ca_key: Wanted<Secret>,
    /// The CA for clients.
    pub ca: Wanted<Secret>,
    /// The self-signed certificate.
    pub tls: Wanted<Secret>,
    /// A DSA key that was just made: put there if there is none.
    pub signing_key: Wanted<Secret>,
    /// `ftpd.json` and `users.json`.
    pub users: Secret,
    /// The claim, when the operator makes it.
    pub claim: Wanted<PersistentVolumeClaim>,
    /// The pod's template.
    pub stateful_set: Wanted<StatefulSet>,
    /// What a pod that acts on all of this says.
    pub expected: Expected,
}

/// Builds every object of a server.
pub(super) fn build(decided: &Decided<'_>, live: &Live, images: &Images) -> Result<Prepared, BuildError> {
    let from = &BuildInputs::new(decided, live, images);
    let files = files::build_files(from)?;
    // A certificate or key that cannot be used must not take pods down that have a good one: they stay as they are.
    let no_certificate = from.certificate.problem.is_some();
    let hold = from.has_pods && (no_certificate || from.signing_key.is_some_and(|key| key.problem.is_some()));
    let secret = |secret: Option<Secret>| if from.has_pods && no_certificate { Wanted::AsItIs } else { secret.into() };
    Ok(Prepared {
        service: service::build_service(from),
        service_account: rbac::build_service_account(from),
        role: rbac::build_role(from).into(),
        role_binding: rbac::build_role_binding(from).into(),
        config_map: if hold { Wanted::AsItIs } else { Some(files::build_config_map(from, &files)).into() },
        ca_key: secret(secrets::build_authority_key(from)),
        ca: secret(secrets::build_authority(from)),
        tls: secret(secrets::build_certificate(from)),
        // Never taken away while the server lives, not even when X-SafeTP1 is off for a while: clients remember it.
        signing_key: secrets::build_signing_key(from).map_or(Wanted::AsItIs, |key| Wanted::Object(Box::new(key))),
        users: secrets::build_users(from, &files),
        claim: claim::build_claim(from).map_or(Wanted::AsItIs, |claim| Wanted::Object(Box::new(claim))),
        stateful_set: if hold { Wanted::AsItIs } else { Some(stateful_set::build_stateful_set(from)).into() },
        expected: files.expected,
    })
}

impl<K> From<Option<K>> for Wanted<K> {
    fn from(object: Option<K>) -> Self {
        object.map_or(Self::Nothing, |object| Self::Object(Box::new(object)))
    }
}

#[cfg(test)]
mod tests;
