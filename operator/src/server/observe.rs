//! The sixth stage: how far the pods are, by what Kubernetes and the pods themselves report. Pods that have not loaded
//! the applied files are annotated first, which makes their kubelets update the mounted ones at once.

mod pods;
mod probe;

pub use probe::PodConditions;
pub use probe::Prober;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::json;

use self::{
    pods::{alive, missing_annotations, serving_pods},
    probe::ProbeReport,
};
use super::{apply::Applied, decide::Decided, schedule::is_nudge_due};
use crate::{
    cluster,
    context::Context,
    identity::{LoginName, Namespace},
    names::FIELD_MANAGER,
};

/// Failure to annotate a pod.
#[derive(Debug, thiserror::Error)]
#[error("failed to annotate pod {pod}: {}", cluster::text(source))]
pub struct AnnotateError {
    pub pod: String,
    pub source: kube::Error,
}

/// Observed state of the pods.
pub struct Observed {
    pub rollout: Rollout,
    /// Other states that the pods report.
    pub conditions: PodConditions,
    /// Logins of which a pod rejected an upload that did not end with `close_notify`.
    pub unclosed: BTreeSet<LoginName>,
}

/// How far the pods are.
pub enum Rollout {
    /// All serve, and everything is in force in them.
    InForce,
    /// There are none yet, or not all are ready.
    Pending(String),
    /// They serve, but with older settings.
    Lagging(String),
}

/// Observes the pods of a server. `attempt` counts the reconciles in a row that have waited for them.
pub async fn observe(
    context: &Context,
    decided: &Decided<'_>,
    applied: &Applied,
    pods: &[Pod],
    attempt: u32,
) -> Result<Observed, AnnotateError> {
    let annotator = Annotator::new(context, decided, applied, pods);
    annotator.annotate(None).await?;
    let observed = ask(&context.prober, decided, applied, pods).await;
    if matches!(observed.rollout, Rollout::Lagging(_)) && is_nudge_due(attempt) {
        annotator.annotate(Some(attempt)).await?;
    }
    Ok(observed)
}

async fn ask(prober: &Prober, decided: &Decided<'_>, applied: &Applied, pods: &[Pod]) -> Observed {
    let serving = match serving_pods(applied.stateful_set(), pods) {
        Ok(serving) => serving,
        Err(message) => return Observed::unasked(Rollout::Pending(message)),
    };
    let Some(known) = &decided.addressing().known else { return Observed::unasked(Rollout::InForce) };
    let report = prober.probe(&serving, decided.ports().admin, applied.expected(), &known.address).await;
    let ProbeReport { lag, conditions, unclosed } = report;
    Observed { rollout: lag.map_or(Rollout::InForce, Rollout::Lagging), conditions, unclosed }
}

impl Observed {
    /// How far pods are that were not asked.
    fn unasked(rollout: Rollout) -> Self {
        Self { rollout, conditions: PodConditions::default(), unclosed: BTreeSet::new() }
    }
}

struct Annotator<'a> {
    client: Client,
    namespace: &'a Namespace,
    pods: &'a [Pod],
    digest: String,
    /// The address that pods learn by annotation, where their node has it.
    address: Option<String>,
}

impl<'a> Annotator<'a> {
    fn new(context: &Context, decided: &'a Decided<'_>, applied: &Applied, pods: &'a [Pod]) -> Self {
        let known = decided.addressing().known.as_ref().filter(|_| decided.ports().on_nodes);
        Self {
            client: context.client.clone(),
            namespace: decided.server().names.namespace(),
            pods,
            digest: applied.expected().annotation(),
            address: known.map(|known| known.address.to_string()),
        }
    }

    /// Annotates the pods that lack something. With `nudge` the annotation differs, so that kubelets look again.
    async fn annotate(&self, nudge: Option<u32>) -> Result<(), AnnotateError> {
        for pod in alive(self.pods) {
            let missing = missing_annotations(pod, &self.digest, self.address.as_deref(), nudge);
            if !missing.is_empty() {
                self.patch(pod, &json!({"metadata": {"uid": pod.uid(), "annotations": missing}})).await?;
            }
        }
        Ok(())
    }

    async fn patch(&self, pod: &Pod, patch: &serde_json::Value) -> Result<(), AnnotateError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), self.namespace.as_str());
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match api.patch(&pod.name_any(), &parameters, &Patch::Merge(patch)).await {
            Ok(_) => Ok(()),
            // Gone, or another pod of that name: its own event comes.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(source) => Err(AnnotateError { pod: pod.name_any(), source }),
        }
    }
}
