//! Conditions beside Ready, which they leave as it is: `DataBinding` and `Confinement`. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use safetp_config::{gateway::DataBinding, status::Landlock};

use crate::{
    conditions::{Reason, build_notice},
    server::{observe::PodConditions, validate::ValidatedServer},
};

const DATA_BINDING: &str = "DataBinding";
const WEAK: &str = "data connections were accepted that neither a TLS ticket nor an address of their own ties to \
                    their session, so another client of the same address could have taken their place; where all \
                    clients resume TLS sessions set security.dataBinding: Required, or let their addresses through \
                    with exposure.externalTrafficPolicy: Local";

const CONFINEMENT: &str = "Confinement";
const PARTIAL: &str = "the kernel of a node that runs this server has an older Landlock: it keeps gateway and ftpd \
                       from other files (Linux 5.13), but not the gateway from other TCP ports (6.7), or both from \
                       other processes' abstract sockets and signals (6.12); the server works, and pod.nodeSelector \
                       can keep it on nodes with a newer kernel";
const MISSING: &str = "the kernel of a node that runs this server has no Landlock, or has it disabled: mounts, users \
                       and the seccomp filter alone keep gateway and ftpd from other files, and nothing but network \
                       policies keeps the gateway from other TCP ports; the server works, and Linux 5.13 or newer \
                       with landlock in its list of security modules (lsm=) adds the fence";

/// The conditions that follow from what pods report.
pub fn build_notices(
    server: &ValidatedServer,
    reported: PodConditions,
    previous: &[Condition],
    now: Timestamp,
) -> impl Iterator<Item = Condition> {
    let data_binding = data_binding(server, reported, previous, now);
    data_binding.into_iter().chain(confinement(server, reported, previous, now))
}

/// The conditions that stay while nothing new is known.
pub fn standing_notices(previous: &[Condition]) -> impl Iterator<Item = Condition> {
    [DATA_BINDING, CONFINEMENT].into_iter().filter_map(|kind| standing_notice(previous, kind))
}

/// Pods count from their start, so a weak binding that one of them reported stands until all have started anew.
fn data_binding(
    server: &ValidatedServer,
    reported: PodConditions,
    previous: &[Condition],
    now: Timestamp,
) -> Option<Condition> {
    if server.security.data_binding != DataBinding::WhenOffered {
        return None;
    }
    match reported.weak {
        Some(true) => Some(build_notice(previous, DATA_BINDING, Reason::Weak, WEAK, server.generation, now)),
        Some(false) => None,
        None => standing_notice(previous, DATA_BINDING),
    }
}

/// The node's kernel decides, and a pod may move to another node: the last reports stand until all pods have answered.
fn confinement(
    server: &ValidatedServer,
    reported: PodConditions,
    previous: &[Condition],
    now: Timestamp,
) -> Option<Condition> {
    let (reason, message) = match reported.landlock {
        Some(Landlock::Full) => return None,
        Some(Landlock::Partial) => (Reason::LandlockPartial, PARTIAL),
        Some(Landlock::Missing) => (Reason::LandlockMissing, MISSING),
        None => return standing_notice(previous, CONFINEMENT),
    };
    Some(build_notice(previous, CONFINEMENT, reason, message, server.generation, now))
}

fn standing_notice(previous: &[Condition], kind: &str) -> Option<Condition> {
    previous.iter().find(|condition| condition.type_ == kind).cloned()
}
