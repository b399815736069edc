//! The last stage: reports the outcome in the server's status, to its users, and by an event when the reason changed.

mod build;
mod judge;
mod notices;

pub use build::{StatusInputs, build_status, build_status_of_verdict};
pub use judge::judge;

use safetp_crds::{SafeTPServer, SafeTPServerStatus};

use super::schedule::is_short_wait;
use crate::{
    conditions::{Progress, Reason, Verdict, ready_reason},
    context::Context,
    events::publish,
    identity::{ServerKey, Uid},
    registry::{Login, ServerLogins},
    status::{StatusError, update_status},
    users::Resolved,
};

/// Reports the outcome of a reconcile. `resolved` are the logins, if they were decided this time.
pub async fn report(
    context: &Context,
    server: &SafeTPServer,
    resolved: Option<Resolved>,
    verdict: &Verdict,
    status: &SafeTPServerStatus,
) -> Result<(), StatusError> {
    let before = server.status.as_ref().and_then(|status| ready_reason(&status.conditions));
    let changed = before != ready_reason(&status.conditions);
    let written = update_status(&context.client, server, status).await?;
    report_to_users(context, server, resolved, verdict);
    if written && changed {
        publish(&context.recorder, server, verdict).await;
    }
    Ok(())
}

fn report_to_users(context: &Context, server: &SafeTPServer, resolved: Option<Resolved>, verdict: &Verdict) {
    let key = ServerKey::of(&server.metadata);
    // A stopped server is Ready, for that is what its spec asks; its logins are not.
    let ready = verdict.progress == Progress::Ready && verdict.reason != Reason::Stopped;
    let waiting = (!ready).then(|| verdict.message.clone());
    let logins = match resolved {
        Some(resolved) => resolved.logins,
        // Nothing was decided about logins this time: those that are known wait for the server.
        None => context.registry.logins(&key).map(|known| known.logins).unwrap_or_default(),
    };
    let set = |(name, login): (_, Login)| {
        let in_force = ready && login.rejection.is_none();
        (name, Login { in_force, ..login })
    };
    let logins =
        ServerLogins { server: Uid::of(&server.metadata), logins: logins.into_iter().map(set).collect(), waiting };
    context.registry.set_logins(&key, logins, is_short_wait(verdict.reason));
}

#[cfg(test)]
mod tests;
