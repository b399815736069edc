//! Logins whose uploads were turned away for want of `close_notify`: for the administrator, who may know the client.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Enough to see that a whole kind of client is concerned.
const MAX_LOGINS: usize = 100;

/// Logins since the start of this process.
#[derive(Debug, Default)]
pub(super) struct Unclosed(Mutex<BTreeSet<String>>);

impl Unclosed {
    pub(super) fn note(&self, login: &str) {
        let mut logins = self.lock();
        if logins.len() >= MAX_LOGINS || logins.contains(login) {
            return;
        }
        tracing::warn!(
            user = login,
            "an upload without close_notify was turned away: set uploads.requireCloseNotify: false for this user if its client never sends it"
        );
        logins.insert(login.to_owned());
    }

    pub(super) fn logins(&self) -> BTreeSet<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Nothing in here can be half changed when a thread panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_login_is_noted_once_and_not_without_end() {
        let unclosed = Unclosed::default();
        for number in 0..2 * MAX_LOGINS {
            unclosed.note(&format!("user-{:03}", number / 2 * 2));
            unclosed.note("again");
        }
        assert_eq!(unclosed.logins().len(), MAX_LOGINS);
        assert!(unclosed.logins().contains("again"));
    }
}
