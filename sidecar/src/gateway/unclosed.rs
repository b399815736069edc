//! Logins whose uploads were refused for want of `close_notify`: for the administrator, who may know the client.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Logins that are kept: enough to see that a whole kind of client is concerned.
const MAX_LOGINS: usize = 100;

/// The logins since the start of this process.
#[derive(Debug, Default)]
pub(crate) struct Unclosed(Mutex<BTreeSet<String>>);

impl Unclosed {
    pub(crate) fn note(&self, login: &str) {
        let mut logins = self.lock();
        if logins.len() >= MAX_LOGINS || logins.contains(login) {
            return;
        }
        tracing::warn!(
            user = login,
            "an upload without close_notify was refused: set uploads.requireCloseNotify: false for this user if its \
             client never sends it"
        );
        logins.insert(login.to_owned());
    }

    pub(crate) fn logins(&self) -> BTreeSet<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic cannot leave the set half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_login_is_noted_once_and_their_number_is_limited() {
        let unclosed = Unclosed::default();
        for number in 0..2 * MAX_LOGINS {
            unclosed.note(&format!("user-{:03}", number / 2 * 2));
            unclosed.note("again");
        }
        assert_eq!(unclosed.logins().len(), MAX_LOGINS);
        assert!(unclosed.logins().contains("again"));
    }
}
