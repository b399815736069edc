//! One reconcile of one server, in the order in which it runs: validate the spec, gather the objects in the cluster,
//! decide (conflicts, logins, signing key, address, certificate, ports), build the objects, apply them, observe the
//! pods, and report the status. Ports are decided, built and applied again until the API server accepts them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    core::DeserializeGuard,
    runtime::controller::Action,
};
use safetp_config::gateway::Uploads;
use safetp_crds::SafeTPServer;
use serde_json::json;

use super::{
    apply::{Applied, ApplyError, apply},
    decide::{
        address::{Addressing, find_address},
        certificate::{Material, decide_certificate},
        conflicts::find_conflict,
        node_ports::NoBlock,
        ports::{PortPlan, plan_ports},
        signing_key::{SigningKeyFound, SigningMaterial, being_made, find_signing_key},
    },
    finish::{STALLED_RETRY, backoff, finish},
    gather::{GatherError, Gathered, gather},
    objects::{BuildError, Ingredients, build, previous_accounts},
    observe::{
        pods::{alive, missing_annotations, serving_pods},
        probe::{Seen, Survey},
    },
    status::{Facts, PodsVerdict, build_status, build_status_of_verdict, judge},
    validate::{ValidatedServer, validate},
};
use crate::{
    certs::{IssueError, renewal},
    cluster,
    conditions::{Progress, Reason, Verdict},
    context::Context,
    events::warn,
    names::FIELD_MANAGER,
    reconcile::{ReconcileError, readable, run},
    registry::Key,
    status::StatusError,
    users::{Resolved, hash::HashError, logins::plan, resolve},
};

/// Everything is looked at again after this time, in case an event was missed. This writes nothing.
pub(super) const RESYNC: Duration = Duration::from_secs(600);
/// The number of attempts, a power of two, after which a pod is asked again to look at its files: some three seconds.
const FIRST_NUDGE: u32 = 4;
/// The API server's words for a namespace on its way out: the server goes with it, so there is nothing to say.
const TERMINATING: &str = "because it is being terminated";
/// How many blocks of node ports are tried in one go.
const MAX_BLOCKS: usize = 200;

/// Why a reconcile failed. The variant's name is the metric's label.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Reading.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Certificates.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// Passwords.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Files.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Node ports.
    #[error(transparent)]
    NoBlock(#[from] NoBlock),
    /// Writing.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Annotating a pod.
    #[error("failed to annotate pod {pod}: {}", cluster::text(source))]
    Annotate {
        /// The pod.
        pod: String,
        /// Why.
        source: kube::Error,
    },
    /// The status.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// Too slow.
    #[error("failed to finish within 30 seconds")]
    Deadline,
}

impl ReconcileError for ServerError {
    fn deadline() -> Self {
        Self::Deadline
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Gather(_) => "gather",
            Self::Issue(_) => "issue",
            Self::Hash(_) => "hash",
            Self::Build(_) => "build",
            Self::NoBlock(_) => "ports",
            Self::Apply(_) => "apply",
            Self::Annotate { .. } => "annotate",
            Self::Status(_) => "status",
            Self::Deadline => "deadline",
        }
    }
}

/// Brings one server to what its resource says.
pub async fn reconcile(
    server: Arc<DeserializeGuard<SafeTPServer>>,
    context: Arc<Context>,
) -> Result<Action, Arc<ServerError>> {
    run(&context.metrics, "server", Box::pin(reconcile_any(&server, &context))).await
}

#[expect(clippy::needless_pass_by_value, reason = "the controller calls it so")]
/// When to try again after an error: soon at first, and never tighter than the cluster can bear.
pub fn error_policy(
    server: Arc<DeserializeGuard<SafeTPServer>>,
    error: &Arc<ServerError>,
    context: Arc<Context>,
) -> Action {
    let key = (server.namespace().unwrap_or_default(), server.name_any());
    tracing::warn!(namespace = %key.0, server = %key.1, %error, "reconcile failed");
    Action::requeue(backoff(context.registry.count_attempt(&key, true), Duration::from_secs(30)))
}

async fn reconcile_any(server: &DeserializeGuard<SafeTPServer>, context: &Context) -> Result<Action, ServerError> {
    let Some(server) = readable(&context.client, server).await? else { return Ok(Action::await_change()) };
    let now = Timestamp::now();
    match validate(server) {
        Ok(valid) => Box::pin(Reconcile { context, server, valid: &valid, now }.run()).await,
        Err(invalid) => {
            let verdict = Verdict::stalled(Reason::InvalidSpec, invalid.to_string());
            finish(context, server, None, &verdict, build_status_of_verdict(server, &verdict, now)).await
        }
    }
}

struct Reconcile<'a> {
    context: &'a Context,
    server: &'a SafeTPServer,
    valid: &'a ValidatedServer,
    now: Timestamp,
}

/// What was decided and applied.
struct Done {
    applied: Applied,
    ports: PortPlan,
    addressing: Addressing,
    material: Material,
}

impl Reconcile<'_> {
    async fn run(&self) -> Result<Action, ServerError> {
        let gathered = Box::pin(gather(&self.context.client, self.valid)).await?;
        if let Some(conflict) = find_conflict(self.valid, &gathered.live) {
            return self.stop(None, conflict).await;
        }
        let resolved = self.resolve_users(&gathered).await?;
        let signing = match self.signing_key(&gathered) {
            Ok(signing) => signing,
            Err(pending) => return self.stop(Some(resolved), pending).await,
        };
        let done = match Box::pin(self.apply_with_ports(&gathered, &resolved, signing.as_ref())).await {
            Ok(done) => done,
            Err(ServerError::NoBlock(none)) => {
                let verdict = Verdict::stalled(none.reason(), none.to_string());
                return self.stop(Some(resolved), verdict).await;
            }
            Err(ServerError::Apply(ApplyError::Refused { what, message })) => {
                if message.contains(TERMINATING) {
                    return Ok(Action::requeue(STALLED_RETRY));
                }
                let verdict = Verdict::stalled(refusal(&message), format!("the cluster refuses {what}: {message}"));
                return self.stop(Some(resolved), verdict).await;
            }
            Err(error) => return Err(error),
        };
        self.context.registry.forget_hashes(resolved.accounts.sources.values());
        self.annotate_pods(&gathered, &done, None).await?;
        let (pods, seen) = self.ask_pods(&gathered, &resolved, &done).await;
        // The kubelet may have looked a moment before the new files reached it: it is asked again, ever more rarely.
        let attempt = self.context.registry.attempts(&self.key());
        if matches!(pods, PodsVerdict::Lagging(_)) && attempt >= FIRST_NUDGE && attempt.is_power_of_two() {
            self.annotate_pods(&gathered, &done, Some(attempt)).await?;
        }
        let facts = Facts {
            server: self.valid,
            applied: &done.applied,
            ports: done.ports,
            addressing: &done.addressing,
            material: &done.material,
            signing: signing.as_ref(),
            seen,
        };
        let verdict = judge(&facts, gathered.live.claim.as_ref(), gathered.claim_trouble.as_deref(), pods);
        let previous = self.server.status.clone().unwrap_or_default();
        let status = build_status(&facts, &verdict, &previous, self.now);
        if verdict.progress == Progress::Ready {
            finish(self.context, self.server, Some(resolved), &verdict, status).await?;
            return Ok(Action::requeue(self.next_look(&done.material)));
        }
        finish(self.context, self.server, Some(resolved), &verdict, status).await
    }

    async fn stop(&self, resolved: Option<Resolved>, verdict: Verdict) -> Result<Action, ServerError> {
        let status = build_status_of_verdict(self.server, &verdict, self.now);
        finish(self.context, self.server, resolved, &verdict, status).await
    }

    async fn resolve_users(&self, gathered: &Gathered) -> Result<Resolved, ServerError> {
        let previous = previous_accounts(gathered.live.users.as_ref());
        let planned = plan(gathered.users.clone(), &gathered.secrets, &previous, &self.valid.names.server);
        Ok(resolve(planned, &self.context.registry).await?)
    }

    /// The DSA key, if the server needs one; or the verdict while it is being made.
    fn signing_key(&self, gathered: &Gathered) -> Result<Option<SigningMaterial>, Verdict> {
        let maker = &self.context.key_maker;
        let known = match find_signing_key(self.valid, gathered) {
            SigningKeyFound::Unlisted => None,
            SigningKeyFound::There(material) => Some(material),
            SigningKeyFound::Missing => {
                let made = maker.ask(&self.key(), &self.valid.uid).ok_or_else(being_made)?;
                return Ok(Some(SigningMaterial::new(self.valid, made)));
            }
        };
        maker.forget(&self.key());
        Ok(known)
    }

    /// Asks for ports until the API server agrees: it alone knows what is free.
    async fn apply_with_ports(
        &self,
        gathered: &Gathered,
        resolved: &Resolved,
        signing: Option<&SigningMaterial>,
    ) -> Result<Done, ServerError> {
        let mut used: BTreeSet<u16> = gathered.used_node_ports.clone();
        let service = gathered.live.service.as_ref();
        let addressing = find_address(self.valid, service, gathered.node.as_ref());
        let material = decide_certificate(self.valid, gathered, &addressing, self.now)?;
        for _ in 0..MAX_BLOCKS {
            let ports = plan_ports(&self.valid.ports, service, &used)?;
            let prepared = build(&Ingredients {
                server: self.valid,
                ports,
                addressing: &addressing,
                material: &material,
                signing,
                accounts: &resolved.accounts,
                images: &self.context.images,
                has_pods: gathered.live.stateful_set.is_some(),
                claim: gathered.live.claim.as_ref(),
            })?;
            let namespace = &self.valid.names.namespace;
            match Box::pin(apply(&self.context.client, namespace, gathered.live.clone(), prepared)).await {
                Ok(applied) => return Ok(Done { applied, ports, addressing, material }),
                Err(ApplyError::PortTaken(port)) => used.insert(port),
                Err(error) => return Err(error.into()),
            };
        }
        Err(NoBlock::Contended(MAX_BLOCKS).into())
    }

    async fn annotate_pods(&self, gathered: &Gathered, done: &Done, nudge: Option<u32>) -> Result<(), ServerError> {
        let digest = done.applied.expected.annotation();
        let address = done.addressing.known.as_ref().filter(|_| done.ports.on_nodes);
        let address = address.map(|known| known.address.to_string());
        for pod in alive(&gathered.pods) {
            let missing = missing_annotations(pod, &digest, address.as_deref(), nudge);
            if !missing.is_empty() {
                self.annotate(pod, &json!({"metadata": {"uid": pod.uid(), "annotations": missing}})).await?;
            }
        }
        Ok(())
    }

    async fn annotate(&self, pod: &Pod, patch: &serde_json::Value) -> Result<(), ServerError> {
        let api: Api<Pod> = Api::namespaced(self.context.client.clone(), &self.valid.names.namespace);
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match api.patch(&pod.name_any(), &parameters, &Patch::Merge(patch)).await {
            Ok(_) => Ok(()),
            // Gone, or another pod of that name: its own event comes.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(source) => Err(ServerError::Annotate { pod: pod.name_any(), source }),
        }
    }

    /// How far the pods are, and what they have seen.
    async fn ask_pods(&self, gathered: &Gathered, resolved: &Resolved, done: &Done) -> (PodsVerdict, Seen) {
        let pods = match serving_pods(&done.applied.stateful_set, &gathered.pods) {
            Ok(pods) => pods,
            Err(message) => return (PodsVerdict::Pending(message), Seen::default()),
        };
        let Some(known) = &done.addressing.known else { return (PodsVerdict::InForce, Seen::default()) };
        let expected = &done.applied.expected;
        let survey = self.context.prober.survey(&pods, done.ports.admin, expected, &known.address).await;
        let Survey { lag, seen, unclosed } = survey;
        self.tell_unclosed(unclosed, resolved).await;
        (lag.map_or(PodsVerdict::InForce, PodsVerdict::Lagging), seen)
    }

    /// An event for each login whose upload was turned away, the first time that this is seen.
    async fn tell_unclosed(&self, logins: BTreeSet<String>, resolved: &Resolved) {
        let uploads = Uploads { logins: resolved.accounts.close_notify.clone(), ..self.valid.uploads.clone() };
        let held = logins.into_iter().filter(|login| uploads.require_close_notify_of(login)).collect();
        for login in self.context.registry.note_unclosed(&self.key(), held) {
            let note = format!(
                "an upload of the login {login} ended without TLS close_notify, so it may have been cut short and was refused (426); if its client never sends close_notify set spec.uploads.requireCloseNotify: false in the SafeTPUser of this login"
            );
            warn(&self.context.recorder, self.server, Reason::UploadNotClosed, &note).await;
        }
    }

    fn key(&self) -> Key {
        (self.valid.names.namespace.clone(), self.valid.names.server.clone())
    }

    fn next_look(&self, material: &Material) -> Duration {
        let due = material.facts.as_ref().map(|facts| match material.own {
            Some(_) => renewal(facts),
            None => facts.not_after,
        });
        let left = due.and_then(|due| u64::try_from(self.now.duration_until(due).as_secs()).ok());
        left.map_or(RESYNC, |seconds| RESYNC.min(Duration::from_secs(seconds.saturating_add(1))))
    }
}

fn refusal(message: &str) -> Reason {
    if message.contains("provided port is not in the valid range") { Reason::PortsUnavailable } else { Reason::Refused }
}
