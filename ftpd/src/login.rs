//! Passwords: checked at the same cost whoever asks, by at most two at once.

use std::time::Duration;

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

/// How failed logins are slowed down.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Waited after the first failure of a session; twice as long after each further one.
    pub first_delay: Duration,
    /// Failures after which the session ends.
    pub tries: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { first_delay: Duration::from_millis(250), tries: 5 }
    }
}

impl Throttle {
    /// How long the answer to the `failures`-th failure is held back.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.first_delay.saturating_mul(1 << failures.saturating_sub(1).min(6))
    }
}

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
    use std::time::Instant;

    use super::*;

    #[test]
    fn nobodys_hash_is_read_and_costs_a_real_check() {
        let parsed = PasswordHash::new(NOBODYS_HASH).unwrap();
        assert_eq!(parsed.params.get_decimal("m"), Some(19_456));
        let begin = Instant::now();
        assert!(!fits(NOBODYS_HASH, b"anything"));
        assert!(begin.elapsed() > Duration::from_millis(1));
    }

    #[test]
    fn each_failure_doubles_the_delay_up_to_a_bound() {
        let throttle = Throttle { first_delay: Duration::from_millis(10), tries: 5 };
        let delays: Vec<u128> = [1, 2, 3, 100].map(|failures| throttle.delay(failures).as_millis()).to_vec();
        assert_eq!(delays, [10, 20, 40, 640]);
    }
}
