//! Which logins the server accepts, and the hashes of their passwords.

use k8s_openapi::api::core::v1::Secret;
use safetp_config::{ftpd::Users, paths};

use crate::{
    registry::Registry,
    server::{gather::Gathered, validate::ValidatedServer},
    users::{
        Resolved,
        hash::HashError,
        logins::{Previous, Sources, plan},
        resolve,
    },
};

/// The key of the users' Secret that tells where its hashes came from: kept beside them, mounted nowhere.
pub const SOURCES_FILE: &str = "sources.json";

/// Decides about every user that names the server. Passwords whose hashes are not known yet are hashed, off this
/// thread.
pub async fn decide_logins(
    server: &ValidatedServer,
    gathered: &Gathered,
    registry: &Registry,
) -> Result<Resolved, HashError> {
    let previous = previous_accounts(gathered.live.users.as_ref());
    let planned = plan(gathered.users.clone(), &gathered.secrets, &previous, &server.names.server.name);
    resolve(planned, registry).await
}

/// Reads the users' Secret. Content that does not parse counts as absent: it is then written again.
fn previous_accounts(secret: Option<&Secret>) -> Previous {
    let content = |key: &str| secret.and_then(|secret| secret.data.as_ref()?.get(key)).map(|value| value.0.as_slice());
    let users = content(paths::USERS_FILE).and_then(|json| Users::parse(json).ok()).unwrap_or_default();
    let sources: Sources = content(SOURCES_FILE).and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
    Previous { users, sources }
}
