//! Passwords: checked at the same cost whoever asks, by at most two at once.

use argon2::{
    Argon2,
    password_hash::{PasswordVerifier as _, phc::PasswordHash},
};
use safetp_config::ftpd::User;
use tokio::sync::Semaphore;

/// Each check takes 19 MiB, so strangers must not decide how many run.
const AT_ONCE: usize = 2;

/// What an unknown name is checked against, with the operator's parameters: the time must not tell whether a name
/// exists. No password leads to this hash.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks passwords.
#[derive(Debug)]
pub(crate) struct Doorkeeper(Semaphore);

impl Default for Doorkeeper {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Doorkeeper {
    /// Whether `password` opens this account; nobody's account is opened by none.
    pub(crate) async fn admits(&self, account: Option<&User>, password: Vec<u8>) -> bool {
        let hash = account.map_or_else(|| NOBODYS_HASH.to_owned(), |user| user.password.0.clone());
        let Ok(_place) = self.0.acquire().await else { return false };
        let fits = tokio::task::spawn_blocking(move || fits(&hash, &password)).await.unwrap_or(false);
        fits && account.is_some()
    }
}

fn fits(hash: &str, password: &[u8]) -> bool {
    match PasswordHash::new(hash) {
        Ok(hash) => Argon2::default().verify_password(password, &hash).is_ok(),
        Err(error) => {
            tracing::error!(%error, "a password hash of the operator cannot be read");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nobodys_hash_is_read_and_costs_a_real_check() {
        let parsed = PasswordHash::new(NOBODYS_HASH).unwrap();
        assert_eq!(parsed.params.get_decimal("m"), Some(19_456));
        let begin = Instant::now();
        assert!(!fits(NOBODYS_HASH, b"anything"));
        assert!(begin.elapsed() > Duration::from_millis(1));
    }
}
