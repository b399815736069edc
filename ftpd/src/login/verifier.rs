//! Threads of their own for argon2: file work never waits for a password, nor the other way round.

use std::{
    fmt, io,
    panic::catch_unwind,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use argon2::{
    Argon2,
    password_hash::{PasswordVerifier as _, phc::PasswordHash},
};
use safetp_config::ftpd::User;

/// Checks at once. Each takes 19 MiB, which the pod's memory limit must hold.
pub(super) const THREADS: usize = 2;

/// The hash that an unknown name is checked against, with the operator's parameters: the time must not tell whether a
/// name exists. No password leads to this hash.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password and what it is checked against.
pub(super) struct Question {
    hash: String,
    exists: bool,
    password: Vec<u8>,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(..)")
    }
}

impl Question {
    pub(super) fn new(account: Option<&User>, password: &[u8]) -> Self {
        let hash = account.map_or(NOBODYS_HASH, |user| &user.password.0);
        Self { hash: hash.to_owned(), exists: account.is_some(), password: password.to_vec() }
    }

    fn answer(&self) -> bool {
        fits(&self.hash, &self.password) && self.exists
    }
}

/// What a thread works on.
pub(super) trait Check: Send {
    fn question(&self) -> &Question;
    /// Takes the answer.
    fn conclude(self, fits: bool);
}

/// Starts the threads. They end with the sender.
pub(super) fn start<C: Check + 'static>() -> io::Result<Sender<C>> {
    let (sender, receiver) = mpsc::channel();
    let checks = Arc::new(Mutex::new(receiver));
    for _ in 0..THREADS {
        let checks = Arc::clone(&checks);
        thread::Builder::new().name("argon2".into()).spawn(move || work(&checks))?;
    }
    Ok(sender)
}

fn work<C: Check>(checks: &Mutex<Receiver<C>>) {
    loop {
        let next = checks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(check) = next else { return };
        let question = check.question();
        // A panic must not take the thread along: two of them would end all logins.
        let fits = catch_unwind(|| question.answer()).unwrap_or_else(|_| {
            tracing::error!("a password check failed");
            false
        });
        check.conclude(fits);
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
        assert!(!Question::new(None, b"anything").answer());
        assert!(begin.elapsed() > Duration::from_millis(1));
    }
}
