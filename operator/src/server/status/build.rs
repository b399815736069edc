//! What a server's status says. Pure.

use jiff::Timestamp;
use safetp_config::{address::ExternalAddress, ports::PortRange};
use safetp_crds::{
    SafeTPServer, SafeTPServerStatus,
    status::{CertificateStatus, Ports, SecurityStatus},
};

use super::notices::{build_notices, standing_notices};
use crate::{
    conditions::{Verdict, build_conditions},
    server::{apply::Applied, decide::Decided, objects::describe_storage, observe::PodConditions},
};

/// Results of the earlier stages, on which a status reports.
pub struct StatusInputs<'a> {
    pub decided: &'a Decided<'a>,
    pub applied: &'a Applied,
    /// States that pods report beside their rollout.
    pub reported: PodConditions,
}

/// The whole status of a server that has been applied.
pub fn build_status(
    inputs: &StatusInputs<'_>,
    verdict: &Verdict,
    previous: &SafeTPServerStatus,
    now: Timestamp,
) -> SafeTPServerStatus {
    let StatusInputs { decided, applied, reported } = *inputs;
    let (server, ports) = (decided.server(), decided.ports());
    let set = applied.stateful_set().status.clone().unwrap_or_default();
    let known = decided.addressing().known.as_ref();
    let mut conditions = build_conditions(&previous.conditions, verdict, server.generation, now);
    conditions.extend(build_notices(server, reported, &previous.conditions, now));
    let fingerprint = decided.signing_key().and_then(|key| key.fingerprint.clone());
    SafeTPServerStatus {
        conditions,
        observed_generation: server.generation,
        address: known.map(|known| known.address.to_string()),
        address_reason: known.map(|known| known.reason.clone()),
        ports: Some(Ports {
            control: i32::from(ports.control),
            data_first: i32::from(ports.data.first()),
            data_last: i32::from(ports.data.last()),
            data: ports.data.to_string(),
        }),
        firewall: known.map(|known| firewall(&known.address, ports.control, ports.data)),
        certificate: decided.certificate().facts.as_ref().map(|facts| CertificateStatus {
            fingerprint_sha256: facts.fingerprint.clone(),
            not_after: facts.not_after.to_string(),
        }),
        security: fingerprint.map(|fingerprint| SecurityStatus { dsa_key_fingerprint: Some(fingerprint) }),
        claim: Some(describe_storage(server)),
        replicas: set.replicas,
        ready_replicas: set.ready_replicas.unwrap_or(0),
        selector: Some(server.names.selector_text()),
    }
}

/// The status of a server about which nothing new is known but the verdict.
pub fn build_status_of_verdict(server: &SafeTPServer, verdict: &Verdict, now: Timestamp) -> SafeTPServerStatus {
    let previous = server.status.clone().unwrap_or_default();
    let mut conditions = build_conditions(&previous.conditions, verdict, server.metadata.generation, now);
    conditions.extend(standing_notices(&previous.conditions));
    SafeTPServerStatus { conditions, observed_generation: server.metadata.generation, ..previous }
}

fn firewall(address: &ExternalAddress, control: u16, data: PortRange) -> String {
    format!("allow tcp to {address} ports {control} and {data} (stateful, inbound only)")
}
