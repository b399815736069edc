//! The first stage: checks a spec. The rules of the CRD reject most mistakes earlier; they are repeated here because an
//! older CRD may still be installed. Pure.

mod ports;
mod security;
mod server;

pub use server::{BlockRequest, CertificateSource, KeySource, PortRequest, Storage, ValidatedServer};

use std::{collections::BTreeMap, net::IpAddr};

use safetp_config::gateway;
use safetp_crds::{
    NAME_MAX, NameEncoding, SafeTPServer, SafeTPServerSpec,
    server::{EmbeddedBackend, Limits},
};

use self::{
    ports::port_request,
    security::{active_mode, certificate, security, signing_key},
};
use crate::{
    identity::{ServerKey, Uid},
    names::Names,
};

/// Everything that is wrong with a spec, in sentences that say what to set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidSpec(pub Vec<String>);

/// Checks a server, and reports all of its mistakes at once.
pub fn validate(server: &SafeTPServer) -> Result<ValidatedServer, InvalidSpec> {
    let spec = &server.spec;
    let meta = &server.metadata;
    let mut problems = Vec::new();
    let name = meta.name.clone().unwrap_or_default();
    check_name(&name, &mut problems);
    let replicas = check(replicas(spec), &mut problems);
    check(address(spec.exposure.address.as_deref()), &mut problems);
    let ports = check(port_request(spec), &mut problems);
    let security = check(security(&spec.security), &mut problems);
    let certificate = check(certificate(&spec.security), &mut problems);
    let signing_key = check(signing_key(&spec.security), &mut problems);
    let active_mode = check(active_mode(spec), &mut problems);
    let storage = check(storage(&spec.backend.embedded), &mut problems);
    let (
        Some(replicas),
        Some(ports),
        Some(security),
        Some(certificate),
        Some(signing_key),
        Some(active_mode),
        Some(storage),
    ) = (replicas, ports, security, certificate, signing_key, active_mode, storage)
    else {
        return Err(InvalidSpec(problems));
    };
    if !problems.is_empty() {
        return Err(InvalidSpec(problems));
    }
    Ok(ValidatedServer {
        names: Names { server: ServerKey::of(meta) },
        uid: Uid::of(meta),
        generation: meta.generation,
        replicas,
        exposure: spec.exposure.clone(),
        ports,
        security,
        certificate,
        signing_key,
        active_mode,
        storage,
        retain: spec.retain,
        limits: limits(&spec.limits),
        name_encoding: Some(spec.files.name_encoding).filter(|encoding| *encoding != NameEncoding::Utf8),
        uploads: gateway::Uploads { require_close_notify: spec.uploads.require_close_notify, logins: BTreeMap::new() },
        drain_seconds: unsigned(spec.drain.grace_period_seconds),
        pod: spec.pod.clone(),
    })
}

fn check<T>(result: Result<T, String>, problems: &mut Vec<String>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

fn check_name(name: &str, problems: &mut Vec<String>) {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() > NAME_MAX {
        problems.push(format!(
            "metadata.name has {} characters, but at most {NAME_MAX} fit, because other names are derived from it",
            name.len()
        ));
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) || name.ends_with('-') {
        problems.push(format!("metadata.name {name:?} must begin with a letter and hold only a-z, 0-9 and -"));
    }
}

fn replicas(spec: &SafeTPServerSpec) -> Result<i32, String> {
    match spec.replicas {
        0 | 1 => Ok(spec.replicas),
        other => Err(format!("replicas is {other}, but several replicas are not supported yet; set replicas: 1")),
    }
}

fn address(address: Option<&str>) -> Result<(), String> {
    match address {
        Some(text) if text.parse::<IpAddr>().is_err() && !is_host_name(text) => Err(format!(
            "exposure.address is {text:?}, but must be an IP address or a DNS name, without a port; set for example \
             address: 203.0.113.7 or address: ftp.example.org"
        )),
        _ => Ok(()),
    }
}

/// A name as of RFC 1123 §2.1. Its last label is never a number, so that `300.1.1.1` is a broken address and not a
/// name.
fn is_host_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(is_label) && !text.rsplit('.').next().is_some_and(is_number)
}

fn storage(backend: &EmbeddedBackend) -> Result<Storage, String> {
    let storage = [
        backend.volume_claim.clone().map(|claim| Storage::Claim(Box::new(claim))),
        backend.existing_claim.clone().map(Storage::Existing),
        backend.empty_dir.clone().map(|dir| Storage::EmptyDir(dir.size_limit)),
    ];
    let mut chosen = storage.into_iter().flatten();
    match (chosen.next(), chosen.next()) {
        (Some(_), Some(_)) => {
            Err("backend.embedded has more than one of volumeClaim, existingClaim and emptyDir; keep one of them"
                .to_owned())
        }
        (Some(storage), None) => Ok(storage),
        (None, _) => Ok(Storage::Claim(Box::default())),
    }
}

fn limits(limits: &Limits) -> gateway::Limits {
    gateway::Limits {
        sessions: unsigned(limits.sessions),
        sessions_per_peer: unsigned(limits.sessions_per_peer),
        idle_seconds: unsigned(limits.idle_seconds),
        login_seconds: unsigned(limits.login_seconds),
        data_seconds: unsigned(limits.data_seconds),
    }
}

/// A number of the spec; the schema already rejects negative ones.
fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
pub mod tests;
