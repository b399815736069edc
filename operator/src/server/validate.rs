//! From a spec that somebody wrote to one that cannot be wrong. The CRD's own rules refuse most of it earlier; they are
//! repeated here because an older definition may still be installed. Pure.

mod security;

use std::{collections::BTreeMap, net::IpAddr};

use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use safetp_config::{
    gateway,
    ports::{PortRange, PortRangeError},
};
use safetp_crds::{
    NAME_MAX, NameEncoding, SafeTPServer, SafeTPServerSpec,
    server::{DataPorts, EmbeddedBackend, Exposure, ExposureType, Limits, PodOverrides, Retain},
};

use self::security::{active_mode, certificate, security, signing_key};
use super::decide::node_ports::BlockRequest;
use crate::names::Names;

const DEFAULT_CONTROL_PORT: u16 = 21;
const DEFAULT_FIRST_PORT: u16 = 28_000;
const MAX_PER_REPLICA: i32 = 1000;

/// A server whose spec holds together.
#[derive(Clone, Debug)]
pub(super) struct ValidatedServer {
    /// Its names.
    pub names: Names,
    /// Its UID: what it makes belongs to this.
    pub uid: String,
    /// The generation of the spec.
    pub generation: Option<i64>,
    /// 0 or 1.
    pub replicas: i32,
    /// How it is reached.
    pub exposure: Exposure,
    /// Its ports, or what to look for.
    pub ports: PortRequest,
    /// What protects connections.
    pub security: gateway::Security,
    /// Where the certificate comes from.
    pub certificate: CertificateSource,
    /// Where the DSA key comes from, if X-SafeTP1 is listed.
    pub signing_key: Option<KeySource>,
    /// Whether clients are dialled.
    pub active_mode: Option<gateway::ActiveMode>,
    /// Where the files are.
    pub storage: Storage,
    /// What becomes of the claim.
    pub retain: Retain,
    /// Upper bounds.
    pub limits: gateway::Limits,
    /// How clients write names, where that is not UTF-8.
    pub name_encoding: Option<NameEncoding>,
    /// How uploads end.
    pub uploads: gateway::Uploads,
    /// Seconds for running transfers.
    pub drain_seconds: u32,
    /// Additions to the pods.
    pub pod: PodOverrides,
}

/// Ports that the user chose, or a block that has to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PortRequest {
    /// These.
    Fixed {
        /// The control port.
        control: u16,
        /// The data ports.
        data: PortRange,
    },
    /// Node ports, to be had from the cluster.
    Block(BlockRequest),
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CertificateSource {
    /// The operator issues it.
    SelfSigned,
    /// A Secret of somebody else.
    Secret(String),
}

/// Where the DSA key of X-SafeTP1 comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeySource {
    /// The operator makes it, once.
    Generated,
    /// A Secret of somebody else.
    Secret(String),
}

/// Where the files are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Storage {
    /// On a claim that the operator makes.
    Claim(Box<PersistentVolumeClaimSpec>),
    /// On a claim that is there.
    Existing(String),
    /// Nowhere for long.
    EmptyDir(Option<Quantity>),
}

/// Everything that is wrong, in sentences that say what to type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(super) struct InvalidSpec(pub Vec<String>);

/// Checks a server.
pub(super) fn validate(server: &SafeTPServer) -> Result<ValidatedServer, InvalidSpec> {
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
        names: Names::new(meta.namespace.clone().unwrap_or_default(), name),
        uid: meta.uid.clone().unwrap_or_default(),
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
            "metadata.name has {} characters, but at most {NAME_MAX} fit, because other names are made from it",
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
        other => Err(format!("replicas is {other}, but several replicas are not supported yet; type replicas: 1")),
    }
}

fn address(address: Option<&str>) -> Result<(), String> {
    match address {
        Some(text) if text.parse::<IpAddr>().is_err() && !is_host_name(text) => Err(format!(
            "exposure.address is {text:?}, but must be an IP address or a DNS name, without a port; type for example: 203.0.113.7 or ftp.example.org"
        )),
        _ => Ok(()),
    }
}

/// A name as of RFC 1123 §2.1. Its last label is never a number, so that `300.1.1.1` is half an address and no name.
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

fn port_request(spec: &SafeTPServerSpec) -> Result<PortRequest, String> {
    let ports = &spec.data_ports;
    if !(1..=MAX_PER_REPLICA).contains(&ports.per_replica) {
        return Err(format!("dataPorts.perReplica is {}, but must be from 1 to {MAX_PER_REPLICA}", ports.per_replica));
    }
    let control = spec.control_port.map(|port| number(port, "controlPort")).transpose()?;
    match spec.exposure.kind {
        ExposureType::LoadBalancer => fixed_ports(control.unwrap_or(DEFAULT_CONTROL_PORT), ports),
        ExposureType::NodePort => node_ports(control, ports),
    }
}

fn fixed_ports(control: u16, ports: &DataPorts) -> Result<PortRequest, String> {
    let first = ports.first.map_or(Ok(DEFAULT_FIRST_PORT), |first| number(first, "dataPorts.first"))?;
    let last = i32::from(first) + ports.per_replica - 1;
    let last = u16::try_from(last).map_err(|_| {
        format!("dataPorts would end at {last}, beyond port 65535; type a lower first or a smaller perReplica")
    })?;
    let data = range(first, last)?;
    let reserved = match ports.last {
        Some(end) => range(first, number(end, "dataPorts.last")?)?,
        None => data,
    };
    if reserved.last() < data.last() {
        return Err(does_not_fit(ports.per_replica, reserved));
    }
    if reserved.contains(control) {
        return Err(format!(
            "controlPort {control} lies inside dataPorts {reserved}: a port can be one of the two only; leave controlPort out for port 21, or move dataPorts.first"
        ));
    }
    Ok(PortRequest::Fixed { control, data })
}

fn node_ports(control: Option<u16>, ports: &DataPorts) -> Result<PortRequest, String> {
    let first = ports.first.map(|first| number(first, "dataPorts.first")).transpose()?;
    let last = ports.last.map(|last| number(last, "dataPorts.last")).transpose()?;
    let request = BlockRequest { first, last, data: u16::try_from(ports.per_replica).unwrap_or(u16::MAX), control };
    let bounds = request.bounds();
    let bounds = range(bounds.0, bounds.1)?;
    if u32::from(bounds.count()) < u32::from(request.size()) {
        return Err(does_not_fit(ports.per_replica, bounds));
    }
    Ok(PortRequest::Block(request))
}

fn does_not_fit(per_replica: i32, bounds: PortRange) -> String {
    format!(
        "dataPorts.perReplica is {per_replica}, which does not fit into the {} ports {bounds}; type a smaller perReplica or a higher last",
        bounds.count()
    )
}

fn number(port: i32, field: &str) -> Result<u16, String> {
    match u16::try_from(port) {
        Ok(0) | Err(_) => Err(format!("{field} is {port}, which is no port; type a number from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

fn range(first: u16, last: u16) -> Result<PortRange, String> {
    PortRange::new(first, last).map_err(|error| match error {
        PortRangeError::Privileged(_) => format!("{error}; type for example first: {DEFAULT_FIRST_PORT}"),
        PortRangeError::Reversed { .. } => format!("{error}; exchange dataPorts.first and dataPorts.last"),
    })
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

/// Negative numbers are refused by the schema already.
fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
pub(super) mod tests;
