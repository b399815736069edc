//! Turns planned logins into accounts by computing the hashes that are missing.

use std::collections::BTreeMap;

use safetp_config::ftpd::PasswordHash;

use super::{
    hash::{self, HashError},
    logins::{Accounts, Password, Planned, Source},
};
use crate::{
    identity::UserName,
    registry::{Login, Registry},
};

/// The accounts of a server, and the outcome for each user.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// Accounts for the ftpd.
    pub accounts: Accounts,
    pub logins: BTreeMap<UserName, Login>,
}

/// Computes the hashes that are missing. Each is remembered in memory at once, so that a reconcile which exceeds its
/// deadline with very many new users continues there the next time.
pub async fn resolve(planned: Vec<Planned>, registry: &Registry) -> Result<Resolved, HashError> {
    let mut resolved = Resolved::default();
    for Planned { user, outcome } in planned {
        let rejection = match outcome {
            Ok(account) => {
                let password = hashed(&account.password, &account.source, registry).await?;
                resolved.accounts.insert(&user, account, password);
                None
            }
            Err(rejection) => Some(rejection),
        };
        let account = rejection.is_none().then(|| resolved.accounts.users.get(user.login.as_str()).cloned()).flatten();
        let login = Login { uid: user.uid, generation: user.generation, rejection, account, in_force: false };
        resolved.logins.insert(user.name, login);
    }
    Ok(resolved)
}

async fn hashed(password: &Password, source: &Source, registry: &Registry) -> Result<PasswordHash, HashError> {
    let plain = match password {
        Password::Hashed(hash) => return Ok(hash.clone()),
        Password::Plain(plain) => plain.clone(),
    };
    if let Some(hash) = registry.remembered_hash(source) {
        return Ok(hash);
    }
    let hash = tokio::task::spawn_blocking(move || hash::compute(&plain)).await.map_err(|_| HashError::Thread)??;
    registry.remember_hash(source, hash.clone());
    Ok(hash)
}
