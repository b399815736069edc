//! What Ready reports once everything is applied. Pure.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt as _;

use crate::{
    conditions::{Progress, Reason, Verdict},
    server::{decide::Decided, gather::Gathered, observe::Rollout},
};

/// Decides the content of Ready: the most fundamental problem comes first.
pub fn judge(decided: &Decided<'_>, gathered: &Gathered, rollout: &Rollout) -> Verdict {
    let certificate = decided.certificate().problem.as_ref();
    if let Some(problem) = certificate.or_else(|| decided.signing_key()?.problem.as_ref()) {
        return problem.clone();
    }
    if decided.server().replicas == 0 {
        return stopped(rollout);
    }
    if let (Rollout::Pending(_), Some(trouble)) = (rollout, &gathered.claim_trouble) {
        let claim = gathered.live.claim.as_ref();
        let name = claim.map_or_else(|| decided.server().names.claim(), PersistentVolumeClaim::name_any);
        let message = format!("PersistentVolumeClaim {name} is Pending: {trouble}");
        return Verdict::reconciling(Reason::ClaimPending, message);
    }
    let Some(known) = &decided.addressing().known else { return no_address(decided, rollout) };
    match rollout {
        Rollout::InForce => Verdict::new(
            Progress::Ready,
            Reason::Serving,
            format!("clients reach the server at {} port {}", known.address, decided.ports().control),
        ),
        Rollout::Pending(message) => Verdict::reconciling(Reason::PodPending, message),
        Rollout::Lagging(message) => Verdict::reconciling(Reason::ConfigurationPending, message),
    }
}

/// Ready, since that is what was asked for, as a Deployment without replicas is Available.
fn stopped(rollout: &Rollout) -> Verdict {
    match rollout {
        Rollout::Pending(_) => Verdict::reconciling(Reason::Stopping, "spec.replicas is 0: waiting for the pod to end"),
        Rollout::InForce | Rollout::Lagging(_) => Verdict::new(
            Progress::Ready,
            Reason::Stopped,
            "spec.replicas is 0: the server is stopped, its address and files are kept; set replicas: 1 to start it",
        ),
    }
}

fn no_address(decided: &Decided<'_>, rollout: &Rollout) -> Verdict {
    let on_nodes = decided.ports().on_nodes;
    match rollout {
        Rollout::Pending(message) if on_nodes => Verdict::reconciling(Reason::PodPending, message),
        _ if on_nodes => Verdict::reconciling(Reason::AddressPending, "the pod's node publishes no address yet"),
        _ => Verdict::reconciling(
            Reason::AddressPending,
            format!(
                "waiting for the load balancer to give Service {} an address; if none comes, this cluster may have no \
                 load balancer: then set exposure.type: NodePort",
                decided.server().names.service()
            ),
        ),
    }
}
