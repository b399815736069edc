//! From a spec that somebody wrote to one that cannot be wrong. The CRD's own rules refuse most of it earlier; they are
//! repeated here because an older definition may still be installed. Pure.

use std::net::IpAddr;

use k8s_openapi::{api::core::v1::PersistentVolumeClaimSpec, apimachinery::pkg::api::resource::Quantity};
use safetp_config::{
    gateway,
    ports::{PortRange, PortRangeError},
};
use safetp_crds::{
    NAME_MAX, SafeTPServer, SafeTPServerSpec,
    server::{
        DataBinding, DataPorts, EmbeddedBackend, Exposure, ExposureType, Limits, Mechanism, PodOverrides, Requirement,
        Retain, Security,
    },
};

use super::node_ports::BlockRequest;
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
    /// Where the files are.
    pub storage: Storage,
    /// What becomes of the claim.
    pub retain: Retain,
    /// Upper bounds.
    pub limits: gateway::Limits,
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
    let storage = check(storage(&spec.backend.embedded), &mut problems);
    let (Some(replicas), Some(ports), Some(security), Some(certificate), Some(storage)) =
        (replicas, ports, security, certificate, storage)
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
        storage,
        retain: spec.retain,
        limits: limits(&spec.limits),
        uploads: gateway::Uploads { require_close_notify: spec.uploads.require_close_notify },
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

/// A digit in front means an address: `203.0.113.7:21` and `300.1.1.1` must not pass as names.
fn address(address: Option<&str>) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let name = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(allowed);
    match address {
        Some(text) if text.parse::<IpAddr>().is_err() && !name(text) => Err(format!(
            "exposure.address is {text:?}, but must be an IP address or a DNS name, without a port; type for example: 203.0.113.7 or ftp.example.org"
        )),
        _ => Ok(()),
    }
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

fn security(security: &Security) -> Result<gateway::Security, String> {
    if security.mechanisms.is_empty() {
        return Err("security.mechanisms is empty; type for example mechanisms: [TLS]".to_owned());
    }
    let requirement = |requirement| match requirement {
        Requirement::Required => gateway::Requirement::Required,
        Requirement::Optional => gateway::Requirement::Optional,
    };
    let mechanisms = security.mechanisms.iter().map(|mechanism| match mechanism {
        Mechanism::Tls => gateway::Mechanism::Tls,
    });
    Ok(gateway::Security {
        mechanisms: mechanisms.collect(),
        control: requirement(security.minimum.control),
        data: requirement(security.minimum.data),
        data_binding: match security.data_binding {
            DataBinding::Required => gateway::DataBinding::Required,
            DataBinding::WhenOffered => gateway::DataBinding::WhenOffered,
            DataBinding::Off => gateway::DataBinding::Off,
        },
        clear_command_channel: false,
    })
}

fn certificate(security: &Security) -> Result<CertificateSource, String> {
    let certificate = &security.certificate;
    match (&certificate.secret_ref, &certificate.self_signed) {
        (Some(_), Some(_)) => {
            Err("security.certificate has both secretRef and selfSigned; keep one of them".to_owned())
        }
        (Some(secret), None) => Ok(CertificateSource::Secret(secret.name.clone())),
        (None, _) => Ok(CertificateSource::SelfSigned),
    }
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
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A server with this spec, named files in ftp.
    pub(in crate::server) fn server(spec: Value) -> SafeTPServer {
        let mut server = SafeTPServer::new("files", serde_json::from_value(spec).unwrap());
        server.metadata.namespace = Some("ftp".into());
        server.metadata.uid = Some("uid-1".into());
        server.metadata.generation = Some(1);
        server
    }

    fn problem(spec: Value) -> String {
        validate(&server(spec)).unwrap_err().to_string()
    }

    fn ports(spec: Value) -> PortRequest {
        validate(&server(spec)).unwrap().ports
    }

    #[test]
    fn an_empty_spec_is_a_safe_server() {
        let valid = validate(&server(json!({}))).unwrap();
        assert_eq!(valid.security.control, gateway::Requirement::Required);
        assert_eq!(valid.security.data, gateway::Requirement::Required);
        assert_eq!(valid.certificate, CertificateSource::SelfSigned);
        assert_eq!(valid.retain, Retain::Retain);
        assert_eq!(valid.replicas, 1);
        let data = PortRange::new(28_000, 28_019).unwrap();
        assert_eq!(valid.ports, PortRequest::Fixed { control: 21, data });
    }

    #[test]
    fn the_reserved_range_may_be_larger_than_what_is_used() {
        let spec = json!({"dataPorts": {"first": 28000, "perReplica": 20, "last": 28999}});
        let data = PortRange::new(28_000, 28_019).unwrap();
        assert_eq!(ports(spec), PortRequest::Fixed { control: 21, data });
    }

    #[test]
    fn wrong_ports_are_answered_with_what_to_type() {
        assert!(problem(json!({"dataPorts": {"first": 1000}})).contains("must be 1024 or higher"));
        assert!(problem(json!({"dataPorts": {"first": 3000, "last": 2000}})).contains("exchange dataPorts.first"));
        assert!(problem(json!({"dataPorts": {"first": 3000, "last": 3004}})).contains("does not fit into the 5 ports"));
        assert!(problem(json!({"dataPorts": {"first": 65530}})).contains("beyond port 65535"));
        assert!(problem(json!({"dataPorts": {"perReplica": 0}})).contains("must be from 1 to 1000"));
        assert!(problem(json!({"controlPort": 28005})).contains("lies inside dataPorts 28000-28019"));
        assert!(problem(json!({"controlPort": 70000})).contains("which is no port"));
        let in_reserve = json!({"controlPort": 28500, "dataPorts": {"first": 28000, "last": 28999}});
        assert!(problem(in_reserve).contains("lies inside dataPorts 28000-28999"));
    }

    #[test]
    fn an_address_has_no_port_and_is_no_half_of_one() {
        for wrong in ["203.0.113.7:21", "300.1.1.1", "", "a b"] {
            assert!(problem(json!({"exposure": {"address": wrong}})).contains("without a port"), "{wrong}");
        }
        for right in ["203.0.113.7", "2001:db8::1", "ftp.example.org"] {
            assert!(validate(&server(json!({"exposure": {"address": right}}))).is_ok(), "{right}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let all = problem(json!({"replicas": 2, "controlPort": 0, "security": {"mechanisms": []}}));
        for part in ["several replicas", "controlPort is 0", "mechanisms is empty"] {
            assert!(all.contains(part), "{all}");
        }
    }

    #[test]
    fn node_ports_are_a_block_inside_the_bounds_that_were_given() {
        let spec = json!({"exposure": {"type": "NodePort"}, "dataPorts": {"first": 30100, "last": 30199}});
        let request = BlockRequest { first: Some(30_100), last: Some(30_199), data: 20, control: None };
        assert_eq!(ports(spec), PortRequest::Block(request));
        let narrow = json!({"exposure": {"type": "NodePort"}, "dataPorts": {"first": 30100, "last": 30119}});
        assert!(problem(narrow).contains("does not fit"), "the control port needs one more");
        let own = json!({"exposure": {"type": "NodePort"}, "controlPort": 30021, "dataPorts": {"first": 30100, "last": 30119}});
        assert!(matches!(ports(own), PortRequest::Block(_)));
    }

    #[test]
    fn names_that_cannot_be_a_service_are_refused() {
        for name in ["1files", "a.b", "-a", "a-"] {
            let mut server = server(json!({}));
            server.metadata.name = Some(name.into());
            assert!(validate(&server).is_err(), "{name}");
        }
        let mut long = server(json!({}));
        long.metadata.name = Some("a".repeat(46));
        assert!(validate(&long).unwrap_err().to_string().contains("at most 45"));
    }

    #[test]
    fn two_places_for_the_files_are_refused() {
        let both = json!({"backend": {"embedded": {"existingClaim": "a", "emptyDir": {}}}});
        assert!(problem(both).contains("keep one of them"));
    }
}
