//! The driver: one reconcile of one server, stage by stage. Ports are decided, built and applied again until the API
//! server accepts them, for it alone knows which are free.

use std::sync::Arc;

use jiff::Timestamp;
use kube::{Resource as _, core::DeserializeGuard, runtime::controller::Action};
use safetp_config::gateway::Uploads;
use safetp_crds::{SafeTPServer, SafeTPServerStatus};

use super::{
    apply::{Applied, ApplyError, apply},
    decide::{Decided, Decision, decide},
    error::ServerError,
    gather::{Gathered, gather},
    objects::build,
    observe::{Observed, observe},
    schedule::{STALLED_RETRY, after_error, next_look},
    status::{StatusInputs, build_status, build_status_of_verdict, judge, report},
    validate::validate,
};
use crate::{
    conditions::{Progress, Reason, Verdict},
    context::Context,
    events::warn,
    identity::ServerKey,
    reconcile::{readable, run},
    users::Resolved,
};

/// Brings one server to the state that its resource asks for.
pub async fn reconcile(
    server: Arc<DeserializeGuard<SafeTPServer>>,
    context: Arc<Context>,
) -> Result<Action, Arc<ServerError>> {
    run(&context.metrics, "server", Box::pin(reconcile_any(&server, &context))).await
}

/// When to try again after an error.
#[expect(clippy::needless_pass_by_value, reason = "the controller calls it so")]
pub fn error_policy(
    server: Arc<DeserializeGuard<SafeTPServer>>,
    error: &Arc<ServerError>,
    context: Arc<Context>,
) -> Action {
    let server = ServerKey::of(server.meta());
    tracing::warn!(%server, %error, "reconcile failed");
    Action::requeue(after_error(context.registry.count_attempt(&server, true)))
}

async fn reconcile_any(server: &DeserializeGuard<SafeTPServer>, context: &Context) -> Result<Action, ServerError> {
    let Some(server) = readable(&context.client, server).await? else { return Ok(Action::await_change()) };
    let key = ServerKey::of(&server.metadata);
    Box::pin(Reconcile { context, server, key, now: Timestamp::now() }.run()).await
}

struct Reconcile<'a> {
    context: &'a Context,
    server: &'a SafeTPServer,
    key: ServerKey,
    now: Timestamp,
}

impl Reconcile<'_> {
    /// Runs the stages. Each takes what the earlier ones returned, so that none can be left out or moved.
    async fn run(&self) -> Result<Action, ServerError> {
        let valid = match validate(self.server) {
            Ok(valid) => valid,
            Err(invalid) => return self.stop(Verdict::stalled(Reason::InvalidSpec, invalid.to_string()), None).await,
        };
        let gathered = Box::pin(gather(&self.context.client, &valid)).await?;
        let (registry, key_generator) = (&self.context.registry, &self.context.key_generator);
        let mut decided = match decide(&valid, &gathered, registry, key_generator, self.now).await? {
            Decision::Proceed(decided) => decided,
            Decision::Stop { verdict, resolved } => return self.stop(verdict, resolved).await,
        };
        let applied = match Box::pin(self.build_and_apply(&mut decided, &gathered)).await {
            Ok(applied) => applied,
            // The server is deleted with its namespace, so there is nothing to report.
            Err(ServerError::Apply(ApplyError::NamespaceTerminating { .. })) => {
                return Ok(Action::requeue(STALLED_RETRY));
            }
            Err(error) => match error.verdict() {
                Some(verdict) => return self.stop(verdict, Some(decided.into_resolved())).await,
                None => return Err(error),
            },
        };
        registry.forget_hashes(decided.accounts().sources.values());
        let attempt = registry.attempts(&self.key);
        let observed = observe(self.context, &decided, &applied, &gathered.pods, attempt).await?;
        self.warn_of_unclosed_uploads(&decided, &observed).await;
        let verdict = judge(&decided, &gathered, &observed.rollout);
        let inputs = StatusInputs { decided: &decided, applied: &applied, reported: observed.conditions };
        let previous = self.server.status.clone().unwrap_or_default();
        let status = build_status(&inputs, &verdict, &previous, self.now);
        let due = decided.certificate().due();
        self.finish(&verdict, &status, Some(decided.into_resolved()), due).await
    }

    async fn build_and_apply(&self, decided: &mut Decided<'_>, gathered: &Gathered) -> Result<Applied, ServerError> {
        loop {
            let prepared = build(decided, &gathered.live, &self.context.images)?;
            let namespace = decided.server().names.namespace();
            match Box::pin(apply(&self.context.client, namespace, gathered.live.clone(), prepared)).await {
                Err(ApplyError::PortTaken(port)) => decided.choose_other_ports(port)?,
                result => return Ok(result?),
            }
        }
    }

    /// Ends a reconcile about whose server nothing new is known but the verdict.
    async fn stop(&self, verdict: Verdict, resolved: Option<Resolved>) -> Result<Action, ServerError> {
        let status = build_status_of_verdict(self.server, &verdict, self.now);
        self.finish(&verdict, &status, resolved, None).await
    }

    async fn finish(
        &self,
        verdict: &Verdict,
        status: &SafeTPServerStatus,
        resolved: Option<Resolved>,
        due: Option<Timestamp>,
    ) -> Result<Action, ServerError> {
        report(self.context, self.server, resolved, verdict, status).await?;
        let attempt = self.context.registry.count_attempt(&self.key, verdict.progress == Progress::Reconciling);
        Ok(Action::requeue(next_look(verdict, attempt, due, self.now)))
    }

    /// Publishes an event for each login whose upload was rejected, the first time that this is seen.
    async fn warn_of_unclosed_uploads(&self, decided: &Decided<'_>, observed: &Observed) {
        let logins = decided.accounts().close_notify.clone();
        let uploads = Uploads { logins, ..decided.server().uploads.clone() };
        let unclosed = observed.unclosed.iter().filter(|login| uploads.require_close_notify_of(login.as_str()));
        for login in self.context.registry.note_unclosed(&self.key, unclosed.cloned().collect()) {
            let note = format!(
                "an upload of the login {login} ended without TLS close_notify, so it may have been cut short and was \
                 rejected (426); if its client never sends close_notify set spec.uploads.requireCloseNotify: false in \
                 the SafeTPUser of this login"
            );
            warn(&self.context.recorder, self.server, Reason::UploadNotClosed, &note).await;
        }
    }
}
