//! The end of every reconcile: the status, the users, an event, and when to look again.

use std::time::Duration;

use kube::{ResourceExt as _, runtime::controller::Action};
use safetp_crds::{SafeTPServer, SafeTPServerStatus};

use super::reconcile::{RESYNC, ServerError};
use crate::{
    conditions::{Progress, Reason, Verdict},
    context::Context,
    events::publish,
    registry::{Key, Login, ServerLogins},
    status::update_status,
    users::Resolved,
};

/// Others' objects, whose disappearance is not watched, are looked for again after this.
pub(super) const STALLED_RETRY: Duration = Duration::from_secs(15);

/// Tells everybody: the status, the users, and people by an event when the reason changed.
pub(super) async fn finish(
    context: &Context,
    server: &SafeTPServer,
    resolved: Option<Resolved>,
    verdict: &Verdict,
    status: SafeTPServerStatus,
) -> Result<Action, ServerError> {
    let key = (server.namespace().unwrap_or_default(), server.name_any());
    let changed = reason(server.status.as_ref()) != reason(Some(&status));
    let written = update_status(&context.client, server, &status).await?;
    tell_users(context, server, &key, resolved, verdict);
    if written && changed {
        publish(&context.recorder, server, verdict).await;
    }
    let attempt = context.registry.count_attempt(&key, verdict.progress == Progress::Reconciling);
    Ok(match verdict.progress {
        Progress::Ready => Action::requeue(RESYNC),
        Progress::Stalled => Action::requeue(STALLED_RETRY),
        Progress::Reconciling => {
            let limit = if is_short_wait(verdict) { 2 } else { 10 };
            Action::requeue(backoff(attempt, Duration::from_secs(limit)))
        }
    })
}

fn reason(status: Option<&SafeTPServerStatus>) -> Option<&str> {
    let ready = status?.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    Some(ready.reason.as_str())
}

fn tell_users(context: &Context, server: &SafeTPServer, key: &Key, resolved: Option<Resolved>, verdict: &Verdict) {
    let ready = verdict.progress == Progress::Ready && verdict.reason != Reason::Stopped;
    let waiting = (!ready).then(|| verdict.message.clone());
    let logins = match resolved {
        Some(resolved) => resolved.logins,
        // Nothing was decided about logins this time: those that are known wait for the server.
        None => context.registry.logins(key).map(|known| known.logins).unwrap_or_default(),
    };
    let set = |(name, login): (String, Login)| {
        let in_force = ready && login.rejection.is_none();
        (name, Login { in_force, ..login })
    };
    let server = server.uid().unwrap_or_default();
    let logins = ServerLogins { server, logins: logins.into_iter().map(set).collect(), waiting };
    // While only new settings or a key are on their way, the pods go on serving everybody else as before.
    context.registry.set_logins(key, logins, is_short_wait(verdict));
}

fn is_short_wait(verdict: &Verdict) -> bool {
    matches!(verdict.reason, Reason::ConfigurationPending | Reason::KeyPending)
}

/// 200 ms, doubled each time.
pub(super) fn backoff(attempt: u32, limit: Duration) -> Duration {
    let doubled = Duration::from_millis(200).saturating_mul(1 << attempt.saturating_sub(1).min(12));
    doubled.min(limit)
}
