//! The Secrets: CA, certificate, DSA key and users.

use k8s_openapi::{ByteString, api::core::v1::Secret};
use safetp_config::paths;

use super::{files::Files, inputs::BuildInputs};
use crate::server::decide::{
    certificate::{AUTHORITY_FILE, AUTHORITY_KEY_FILE},
    logins::SOURCES_FILE,
};

pub fn build_authority_key(inputs: &BuildInputs<'_>) -> Option<Secret> {
    let authority = &inputs.certificate.issued.as_ref()?.authority;
    let data = [(AUTHORITY_FILE, authority.certificate.as_str()), (AUTHORITY_KEY_FILE, authority.key.as_str())];
    Some(secret(inputs, inputs.server.names.ca_key(), "Opaque", &data))
}

pub fn build_authority(inputs: &BuildInputs<'_>) -> Option<Secret> {
    let authority = &inputs.certificate.issued.as_ref()?.authority;
    Some(secret(inputs, inputs.server.names.ca(), "Opaque", &[(AUTHORITY_FILE, authority.certificate.as_str())]))
}

pub fn build_certificate(inputs: &BuildInputs<'_>) -> Option<Secret> {
    let leaf = &inputs.certificate.issued.as_ref()?.leaf;
    let data = [(paths::CERTIFICATE_FILE, leaf.certificate.as_str()), (paths::PRIVATE_KEY_FILE, leaf.key.as_str())];
    Some(secret(inputs, inputs.server.names.tls(), "kubernetes.io/tls", &data))
}

/// Only for a key that has just been generated: one that is in the cluster is never written again.
pub fn build_signing_key(inputs: &BuildInputs<'_>) -> Option<Secret> {
    let made = inputs.signing_key?.made.as_ref()?;
    Some(secret(inputs, inputs.server.names.dsa(), "Opaque", &[(paths::DSA_KEY_FILE, made.pem.as_str())]))
}

pub fn build_users(inputs: &BuildInputs<'_>, files: &Files) -> Secret {
    let data = [
        (paths::FTPD_FILE, files.ftpd.as_str()),
        (paths::USERS_FILE, files.users.as_str()),
        (SOURCES_FILE, files.sources.as_str()),
    ];
    secret(inputs, inputs.server.names.users(), "Opaque", &data)
}

fn secret(inputs: &BuildInputs<'_>, name: String, kind: &str, data: &[(&str, &str)]) -> Secret {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
    Secret {
        metadata: inputs.meta(name),
        type_: Some(kind.to_owned()),
        data: Some(data.collect()),
        ..Secret::default()
    }
}
