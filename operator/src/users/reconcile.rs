//! Reconciles a SafeTPUser: reports in its status whether it can log in on each of its servers. The account itself is
//! written with the server, by the reconcile of the SafeTPServer.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{Api, Client, ResourceExt as _, core::DeserializeGuard, runtime::controller::Action};
use safetp_crds::{SafeTPServer, SafeTPUser, SafeTPUserStatus, status::UserServer};

use crate::{
    cluster,
    conditions::{Progress, Reason, Verdict, build_conditions},
    context::Context,
    events::publish,
    identity::{LoginName, Namespace, ServerKey, ServerName, Uid, UserName},
    reconcile::{DEADLINE, ReconcileError, readable, run},
    registry::{Login, ServerLogins},
    status::{StatusError, update_status},
};

const RETRY: Duration = Duration::from_secs(5);

/// Failure of a reconcile. The name of the variant is a label of the metrics.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("failed to read SafeTPServer {name}: {}", cluster::text(source))]
    Server { name: ServerName, source: kube::Error },
    #[error(transparent)]
    Status(#[from] StatusError),
    #[error("failed to finish within {} seconds", DEADLINE.as_secs())]
    Deadline,
}

impl ReconcileError for UserError {
    fn deadline() -> Self {
        Self::Deadline
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Server { .. } => "server",
            Self::Status(_) => "status",
            Self::Deadline => "deadline",
        }
    }
}

/// Reports in the user's status whether it can log in.
pub async fn reconcile(
    user: Arc<DeserializeGuard<SafeTPUser>>,
    context: Arc<Context>,
) -> Result<Action, Arc<UserError>> {
    run(&context.metrics, "user", reconcile_any(&user, &context)).await
}

/// Schedules the next attempt after an error.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the controller requires")]
pub fn error_policy(user: Arc<DeserializeGuard<SafeTPUser>>, error: &Arc<UserError>, _: Arc<Context>) -> Action {
    tracing::warn!(user = %user.name_any(), %error, "reconcile failed");
    Action::requeue(RETRY)
}

async fn reconcile_any(user: &DeserializeGuard<SafeTPUser>, context: &Context) -> Result<Action, UserError> {
    let Some(user) = readable(&context.client, user).await? else { return Ok(Action::await_change()) };
    let mut servers = Vec::new();
    for name in &user.spec.servers {
        let server = ServerKey { namespace: Namespace::of(&user.metadata), name: ServerName::from(name.as_str()) };
        let uid = find_server(&context.client, &server).await?;
        if uid.is_none() {
            context.registry.forget(&server);
        }
        let logins = context.registry.logins(&server).filter(|known| Some(&known.server) == uid.as_ref());
        let state = state(user, &server.name, uid.is_some(), logins.as_ref());
        servers.push((server.name, state));
    }
    // After a start of the operator the servers' logins are unknown for a moment: the status is left as it is.
    let unknown = servers.iter().any(|(_, state)| matches!(state, State::Unknown(_)));
    if unknown && user.status.as_ref().and_then(|status| status.observed_generation) == user.metadata.generation {
        return Ok(Action::requeue(RETRY));
    }
    let (verdict, status) = build_status(user, &servers, Timestamp::now());
    if update_status(&context.client, user, &status).await? {
        publish(&context.recorder, user, &verdict).await;
    }
    Ok(if unknown { Action::requeue(RETRY) } else { Action::await_change() })
}

/// Returns the UID of a server, if it exists.
async fn find_server(client: &Client, server: &ServerKey) -> Result<Option<Uid>, UserError> {
    let api: Api<SafeTPServer> = Api::namespaced(client.clone(), server.namespace.as_str());
    let found = api.get_metadata_opt(server.name.as_str()).await;
    found
        .map(|found| found.map(|found| Uid::of(&found.metadata)))
        .map_err(|source| UserError::Server { name: server.name.clone(), source })
}

/// State of the login on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    InForce,
    Waiting(String),
    Rejected { reason: Reason, message: String },
    Unknown(String),
}

fn state(user: &SafeTPUser, server: &ServerName, exists: bool, logins: Option<&ServerLogins>) -> State {
    if !exists {
        let message = format!("SafeTPServer {server} does not exist in this namespace; create it or fix spec.servers");
        return State::Rejected { reason: Reason::ServerMissing, message };
    }
    let current = |login: &&Login| login.uid == Uid::of(&user.metadata) && login.generation == user.metadata.generation;
    let not_seen = || format!("waiting for SafeTPServer {server} to include the login");
    let Some(logins) = logins else { return State::Unknown(not_seen()) };
    let Some(login) = logins.logins.get(&UserName::of(&user.metadata)).filter(current) else {
        return State::Waiting(not_seen());
    };
    match (&login.rejection, login.in_force) {
        (Some(rejection), _) => State::Rejected { reason: rejection.reason, message: rejection.message.clone() },
        (None, true) => State::InForce,
        (None, false) => {
            let what = logins.waiting.as_deref().unwrap_or("the pods are about to load the login");
            State::Waiting(format!("SafeTPServer {server}: {what}"))
        }
    }
}

fn build_status(user: &SafeTPUser, servers: &[(ServerName, State)], now: Timestamp) -> (Verdict, SafeTPUserStatus) {
    let verdict = judge(user, servers);
    let previous = user.status.clone().unwrap_or_default();
    let status = SafeTPUserStatus {
        conditions: build_conditions(&previous.conditions, &verdict, user.metadata.generation, now),
        observed_generation: user.metadata.generation,
        servers: servers.iter().map(|(name, state)| user_server(name, state)).collect(),
    };
    (verdict, status)
}

fn judge(user: &SafeTPUser, servers: &[(ServerName, State)]) -> Verdict {
    let rejected = servers.iter().find_map(|(_, state)| match state {
        State::Rejected { reason, message } => Some(Verdict::stalled(*reason, message)),
        _ => None,
    });
    let waiting = servers.iter().find_map(|(_, state)| match state {
        State::Waiting(message) | State::Unknown(message) => {
            Some(Verdict::reconciling(Reason::ConfigurationPending, message))
        }
        _ => None,
    });
    rejected.or(waiting).unwrap_or_else(|| {
        let login = LoginName::of(user);
        let names = user.spec.servers.join(", ");
        Verdict::new(Progress::Ready, Reason::InForce, format!("{login} can log in on {names}"))
    })
}

fn user_server(name: &ServerName, state: &State) -> UserServer {
    let message = match state {
        State::InForce => None,
        State::Waiting(message) | State::Unknown(message) | State::Rejected { message, .. } => Some(message.clone()),
    };
    UserServer { name: name.to_string(), ready: *state == State::InForce, message }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use safetp_crds::{SafeTPUserSpec, UserFiles, UserUploads, user::SecretKey};

    use super::*;
    use crate::users::logins::Rejection;

    fn user() -> SafeTPUser {
        let spec = SafeTPUserSpec {
            servers: vec!["files".into(), "more".into()],
            username: None,
            password_secret_ref: SecretKey { name: "pw".into(), key: "password".into() },
            home: None,
            read_only: false,
            files: UserFiles::default(),
            uploads: UserUploads::default(),
        };
        let mut user = SafeTPUser::new("alice", spec);
        user.metadata.uid = Some("u".into());
        user.metadata.generation = Some(3);
        user
    }

    fn logins(generation: i64, rejection: Option<Rejection>, in_force: bool) -> ServerLogins {
        let login = Login { uid: Uid::from("u"), generation: Some(generation), rejection, account: None, in_force };
        let waiting = (!in_force).then(|| "waiting for pod files-0-0".to_owned());
        ServerLogins { server: Uid::from("s"), logins: BTreeMap::from([(UserName::from("alice"), login)]), waiting }
    }

    fn verdict(states: [State; 2]) -> Verdict {
        let [first, second] = states;
        let servers = [(ServerName::from("files"), first), (ServerName::from("more"), second)];
        build_status(&user(), &servers, Timestamp::UNIX_EPOCH).0
    }

    #[test]
    fn a_user_is_ready_only_when_every_server_accepts_it() {
        let in_force = || state(&user(), &ServerName::from("files"), true, Some(&logins(3, None, true)));
        assert_eq!(verdict([in_force(), in_force()]).progress, Progress::Ready);
        let waiting = state(&user(), &ServerName::from("more"), true, Some(&logins(3, None, false)));
        let verdict = verdict([in_force(), waiting]);
        assert_eq!(verdict.reason, Reason::ConfigurationPending);
        assert!(verdict.message.contains("waiting for pod files-0-0"), "{}", verdict.message);
    }

    #[test]
    fn the_login_of_an_older_generation_does_not_count() {
        let old = state(&user(), &ServerName::from("files"), true, Some(&logins(2, None, true)));
        assert!(matches!(old, State::Waiting(_)));
        assert!(matches!(state(&user(), &ServerName::from("files"), true, None), State::Unknown(_)));
    }

    #[test]
    fn a_missing_server_and_a_rejection_stall_the_user() {
        let missing = state(&user(), &ServerName::from("files"), false, None);
        let fine = || state(&user(), &ServerName::from("more"), true, Some(&logins(3, None, true)));
        let said = verdict([missing, fine()]);
        assert_eq!((said.reason, said.progress), (Reason::ServerMissing, Progress::Stalled));
        let rejection = Rejection { reason: Reason::SecretMissing, message: "Secret pw does not exist".into() };
        let rejected = state(&user(), &ServerName::from("files"), true, Some(&logins(3, Some(rejection), false)));
        assert_eq!(verdict([fine(), rejected]).reason, Reason::SecretMissing);
    }
}
