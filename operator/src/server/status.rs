//! What a server's status says. Pure.

use jiff::Timestamp;
use k8s_openapi::{api::core::v1::PersistentVolumeClaim, apimachinery::pkg::apis::meta::v1::Condition};
use kube::ResourceExt as _;
use safetp_config::{address::ExternalAddress, gateway::DataBinding, ports::PortRange, status::Landlock};
use safetp_crds::{
    SafeTPServer, SafeTPServerStatus,
    status::{CertificateStatus, Ports, SecurityStatus},
};

use super::{
    apply::Applied,
    decide::{address::Addressing, certificate::Material, ports::PortPlan, signing_key::SigningMaterial},
    objects::describe_storage,
    observe::probe::Seen,
    validate::ValidatedServer,
};
use crate::conditions::{Progress, Reason, Verdict, build_conditions, build_notice};

const DATA_BINDING: &str = "DataBinding";
const WEAK: &str = "data connections were accepted that neither a TLS ticket nor an address of their own ties to their session, so another client of the same address could have taken their place; where all clients resume TLS sessions type security.dataBinding: Required, or let their addresses through with exposure.externalTrafficPolicy: Local";

const CONFINEMENT: &str = "Confinement";
const PARTIAL: &str = "the kernel of a node that runs this server has an older Landlock: it keeps gateway and ftpd from other files (Linux 5.13), but not the gateway from other TCP ports (6.7), or both from other processes' abstract sockets and signals (6.12); the server works, and pod.nodeSelector can keep it on nodes with a newer kernel";
const MISSING: &str = "the kernel of a node that runs this server has no Landlock, or has it switched off: mounts, users and the seccomp filter alone keep gateway and ftpd from other files, and nothing but network policies keeps the gateway from other TCP ports; the server works, and Linux 5.13 or newer with landlock in its list of security modules (lsm=) adds the fence";

/// What is in force, as far as it is known.
pub(super) struct Facts<'a> {
    /// The server.
    pub server: &'a ValidatedServer,
    /// What was applied.
    pub applied: &'a Applied,
    /// Its ports.
    pub ports: PortPlan,
    /// Its address.
    pub addressing: &'a Addressing,
    /// Its certificate.
    pub material: &'a Material,
    /// Its DSA key, where X-SafeTP1 is listed.
    pub signing: Option<&'a SigningMaterial>,
    /// What its pods have seen.
    pub seen: Seen,
}

/// What the pods say.
pub(super) enum PodsVerdict {
    /// All serve, and everything is in force in them.
    InForce,
    /// There are none yet, or not all are ready.
    Pending(String),
    /// They serve, but with older settings.
    Lagging(String),
}

/// The one thing that Ready says, the most fundamental trouble first.
pub(super) fn judge(
    facts: &Facts<'_>,
    claim: Option<&PersistentVolumeClaim>,
    trouble: Option<&str>,
    pods: PodsVerdict,
) -> Verdict {
    let unusable = facts.material.problem.as_ref().or_else(|| facts.signing?.problem.as_ref());
    if let Some(problem) = unusable {
        return problem.clone();
    }
    if facts.server.replicas == 0 {
        return stopped(&pods);
    }
    if let (PodsVerdict::Pending(_), Some(trouble)) = (&pods, trouble) {
        let name = claim.map_or_else(|| facts.server.names.claim(), PersistentVolumeClaim::name_any);
        return Verdict::reconciling(
            Reason::ClaimPending,
            format!("PersistentVolumeClaim {name} is Pending: {trouble}"),
        );
    }
    let Some(known) = &facts.addressing.known else { return no_address(facts, pods) };
    match pods {
        PodsVerdict::InForce => Verdict::new(
            Progress::Ready,
            Reason::Serving,
            format!("clients reach the server at {} port {}", known.address, facts.ports.control),
        ),
        PodsVerdict::Pending(message) => Verdict::reconciling(Reason::PodPending, message),
        PodsVerdict::Lagging(message) => Verdict::reconciling(Reason::ConfigurationPending, message),
    }
}

/// What was asked for is so: Ready, as a Deployment without replicas is Available.
fn stopped(pods: &PodsVerdict) -> Verdict {
    match pods {
        PodsVerdict::Pending(_) => {
            Verdict::reconciling(Reason::Stopping, "spec.replicas is 0: waiting for the pod to end")
        }
        PodsVerdict::InForce | PodsVerdict::Lagging(_) => Verdict::new(
            Progress::Ready,
            Reason::Stopped,
            "spec.replicas is 0: the server is stopped, its address and files are kept; type replicas: 1 to start it",
        ),
    }
}

fn no_address(facts: &Facts<'_>, pods: PodsVerdict) -> Verdict {
    match pods {
        PodsVerdict::Pending(message) if facts.ports.on_nodes => Verdict::reconciling(Reason::PodPending, message),
        _ if facts.ports.on_nodes => {
            Verdict::reconciling(Reason::AddressPending, "the pod's node publishes no address yet")
        }
        _ => Verdict::reconciling(
            Reason::AddressPending,
            format!(
                "waiting for the load balancer to give Service {} an address; if none comes, this cluster may have no load balancer: then type exposure.type: NodePort",
                facts.server.names.service()
            ),
        ),
    }
}

/// The whole status.
pub(super) fn build_status(
    facts: &Facts<'_>,
    verdict: &Verdict,
    previous: &SafeTPServerStatus,
    now: Timestamp,
) -> SafeTPServerStatus {
    let set = facts.applied.stateful_set.status.clone().unwrap_or_default();
    let known = facts.addressing.known.as_ref();
    let data = facts.ports.data;
    let mut conditions = build_conditions(&previous.conditions, verdict, facts.server.generation, now);
    conditions.extend(data_binding(facts, &previous.conditions, now));
    conditions.extend(confinement(facts, &previous.conditions, now));
    SafeTPServerStatus {
        conditions,
        observed_generation: facts.server.generation,
        address: known.map(|known| known.address.to_string()),
        address_reason: known.map(|known| known.reason.clone()),
        ports: Some(Ports {
            control: i32::from(facts.ports.control),
            data_first: i32::from(data.first()),
            data_last: i32::from(data.last()),
            data: data.to_string(),
        }),
        firewall: known.map(|known| firewall(&known.address, facts.ports.control, data)),
        certificate: facts.material.facts.as_ref().map(|facts| CertificateStatus {
            fingerprint_sha256: facts.fingerprint.clone(),
            not_after: facts.not_after.to_string(),
        }),
        security: facts
            .signing
            .and_then(|signing| signing.fingerprint.clone())
            .map(|fingerprint| SecurityStatus { dsa_key_fingerprint: Some(fingerprint) }),
        claim: Some(describe_storage(facts.server)),
        replicas: set.replicas,
        ready_replicas: set.ready_replicas.unwrap_or(0),
        selector: Some(facts.server.names.selector_text()),
    }
}

/// Pods count from their start, so what one of them said stays said until all have begun anew.
fn data_binding(facts: &Facts<'_>, previous: &[Condition], now: Timestamp) -> Option<Condition> {
    if facts.server.security.data_binding != DataBinding::WhenOffered {
        return None;
    }
    match facts.seen.weak {
        Some(true) => Some(build_notice(previous, DATA_BINDING, Reason::Weak, WEAK, facts.server.generation, now)),
        Some(false) => None,
        None => standing_notice(previous, DATA_BINDING),
    }
}

/// The node's kernel decides, and a pod may move to another node: what the last pods said stands until all have spoken.
fn confinement(facts: &Facts<'_>, previous: &[Condition], now: Timestamp) -> Option<Condition> {
    let (reason, message) = match facts.seen.landlock {
        Some(Landlock::Full) => return None,
        Some(Landlock::Partial) => (Reason::LandlockPartial, PARTIAL),
        Some(Landlock::Missing) => (Reason::LandlockMissing, MISSING),
        None => return standing_notice(previous, CONFINEMENT),
    };
    Some(build_notice(previous, CONFINEMENT, reason, message, facts.server.generation, now))
}

fn standing_notice(previous: &[Condition], kind: &str) -> Option<Condition> {
    previous.iter().find(|condition| condition.type_ == kind).cloned()
}

fn firewall(address: &ExternalAddress, control: u16, data: PortRange) -> String {
    format!("allow tcp to {address} ports {control} and {data} (stateful, inbound only)")
}

/// The status of a server about which nothing new is known but the verdict.
pub(super) fn build_status_of_verdict(server: &SafeTPServer, verdict: &Verdict, now: Timestamp) -> SafeTPServerStatus {
    let previous = server.status.clone().unwrap_or_default();
    let mut conditions = build_conditions(&previous.conditions, verdict, server.metadata.generation, now);
    conditions
        .extend([DATA_BINDING, CONFINEMENT].iter().filter_map(|kind| standing_notice(&previous.conditions, kind)));
    SafeTPServerStatus { conditions, observed_generation: server.metadata.generation, ..previous }
}

#[cfg(test)]
mod tests;
