//! State that the operator keeps in memory only: which logins are in force on which server, hashes that no Secret
//! contains yet, and counts of attempts. The first reconciles after a start restore all of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::Stream;
use kube::{core::DeserializeGuard, runtime::reflector::ObjectRef};
use safetp_config::ftpd::{PasswordHash, User};
use safetp_crds::SafeTPUser;
use tokio::sync::mpsc;

use crate::users::logins::{Rejection, Source};

/// Namespace and name.
pub type Key = (String, String);

/// A SafeTPUser as the server's last reconcile saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// UID of the SafeTPUser.
    pub uid: String,
    /// Generation of the SafeTPUser that the reconcile read.
    pub generation: Option<i64>,
    pub rejection: Option<Rejection>,
    /// The account in the ftpd's file, unless the user was rejected.
    pub account: Option<User>,
    /// True once every pod of the server has loaded the account.
    pub in_force: bool,
}

/// The logins of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerLogins {
    /// UID of the server: logins of an earlier server of the same name do not count.
    pub server: String,
    /// Logins by the name of the SafeTPUser.
    pub logins: BTreeMap<String, Login>,
    /// Reason why some pods have not loaded the logins yet; `None` if all have.
    pub waiting: Option<String>,
}

/// The operator's memory, shared by all reconciles.
pub struct Registry {
    inner: Mutex<Inner>,
    touched_users: mpsc::UnboundedSender<UserRef>,
}

/// A reference to a user, as its controller's queue accepts it.
pub type UserRef = ObjectRef<DeserializeGuard<SafeTPUser>>;

#[derive(Default)]
struct Inner {
    servers: HashMap<Key, ServerLogins>,
    hashes: HashMap<(String, String, String), PasswordHash>,
    attempts: HashMap<Key, u32>,
    unclosed: HashMap<Key, BTreeSet<String>>,
}

impl Registry {
    /// Creates an empty registry, and the stream of users whose state has changed.
    pub fn new() -> (Self, impl Stream<Item = UserRef> + Send + 'static) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let stream = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|user| (user, receiver))
        });
        (Self { inner: Mutex::default(), touched_users: sender }, stream)
    }

    /// Returns the logins of a server, or `None` before its first reconcile.
    pub fn logins(&self, server: &Key) -> Option<ServerLogins> {
        self.lock().servers.get(server).cloned()
    }

    /// Stores the logins that a server's reconcile found, and queues the users for whom something changed. With `keep`,
    /// a login whose account did not change stays in force while others wait for theirs.
    pub fn set_logins(&self, server: &Key, mut new: ServerLogins, keep: bool) {
        let mut inner = self.lock();
        let old = inner.servers.remove(server);
        if let Some(old) = old.as_ref().filter(|_| keep) {
            keep_in_force(old, &mut new);
        }
        inner.servers.insert(server.clone(), new.clone());
        drop(inner);
        for name in changed(old.as_ref(), &new) {
            // The receiver lives as long as the user controller; at shutdown the message may be lost.
            let _ = self.touched_users.send(UserRef::new(name).within(&server.0));
        }
    }

    /// Returns the servers of `namespace` that have the login of this user now.
    pub fn servers_with(&self, namespace: &str, user: &str) -> Vec<String> {
        let inner = self.lock();
        let has = |(key, state): &(&Key, &ServerLogins)| key.0 == namespace && state.logins.contains_key(user);
        inner.servers.iter().filter(has).map(|(key, _)| key.1.clone()).collect()
    }

    /// Forgets a server that was deleted.
    pub fn forget(&self, server: &Key) {
        let mut inner = self.lock();
        inner.servers.remove(server);
        inner.attempts.remove(server);
        inner.unclosed.remove(server);
    }

    /// Returns how often in a row a server has been waited for, including this time; 0 and a new start if not
    /// `waiting`.
    pub fn count_attempt(&self, server: &Key, waiting: bool) -> u32 {
        let mut inner = self.lock();
        if !waiting {
            inner.attempts.remove(server);
            return 0;
        }
        let attempts = inner.attempts.entry(server.clone()).or_default();
        *attempts = attempts.saturating_add(1);
        *attempts
    }

    /// Returns how often in a row a server has been waited for so far.
    pub fn attempts(&self, server: &Key) -> u32 {
        self.lock().attempts.get(server).copied().unwrap_or(0)
    }

    /// Stores the logins of a server whose uploads were rejected, and returns those that are new.
    pub fn note_unclosed(&self, server: &Key, logins: BTreeSet<String>) -> Vec<String> {
        if logins.is_empty() {
            return Vec::new();
        }
        let mut inner = self.lock();
        let known = inner.unclosed.entry(server.clone()).or_default();
        logins.into_iter().filter(|login| known.insert(login.clone())).collect()
    }

    /// Returns the hash that was computed from a source before, if it is remembered.
    pub fn remembered_hash(&self, source: &Source) -> Option<PasswordHash> {
        self.lock().hashes.get(&hash_key(source)).cloned()
    }

    /// Forgets hashes that a Secret in the cluster contains now.
    pub fn forget_hashes<'a>(&self, sources: impl IntoIterator<Item = &'a Source>) {
        let mut inner = self.lock();
        for source in sources {
            inner.hashes.remove(&hash_key(source));
        }
    }

    pub fn remember_hash(&self, source: &Source, hash: PasswordHash) {
        self.lock().hashes.insert(hash_key(source), hash);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panics while it holds the lock leaves nothing half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash_key(source: &Source) -> (String, String, String) {
    (source.secret.clone(), source.version.clone(), source.key.clone())
}

fn keep_in_force(old: &ServerLogins, new: &mut ServerLogins) {
    if old.server != new.server {
        return;
    }
    for (name, login) in &mut new.logins {
        let same = |old: &&Login| old.uid == login.uid && old.account == login.account && login.account.is_some();
        login.in_force |= old.logins.get(name).filter(same).is_some_and(|old| old.in_force);
    }
}

fn changed<'a>(old: Option<&'a ServerLogins>, new: &'a ServerLogins) -> Vec<&'a str> {
    let empty = BTreeMap::new();
    let before = old.map_or(&empty, |old| &old.logins);
    let text_changed = old.is_none_or(|old| old.waiting != new.waiting);
    let differs =
        |(name, login): &(&String, &Login)| before.get(*name) != Some(*login) || (text_changed && !login.in_force);
    let changed = new.logins.iter().filter(differs).map(|(name, _)| name);
    let gone = old.map(|old| &old.logins).into_iter().flatten().map(|(name, _)| name);
    let gone = gone.filter(|name| !new.logins.contains_key(*name));
    changed.chain(gone).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    fn logins(names: &[&str], waiting: Option<&str>) -> ServerLogins {
        let login = |name: &&str| {
            let in_force = waiting.is_none();
            let login =
                Login { uid: (*name).to_owned(), generation: Some(1), rejection: None, account: None, in_force };
            ((*name).to_owned(), login)
        };
        ServerLogins {
            server: "s".to_owned(),
            logins: names.iter().map(login).collect(),
            waiting: waiting.map(str::to_owned),
        }
    }

    fn key() -> Key {
        ("ftp".to_owned(), "files".to_owned())
    }

    #[tokio::test]
    async fn only_users_for_whom_something_changed_are_queued() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&key(), logins(&["alice", "bob"], None), false);
        registry.set_logins(&key(), logins(&["alice", "bob"], None), false);
        registry.set_logins(&key(), logins(&["bob"], None), false);
        drop(registry);
        let queued: Vec<_> = stream.map(|user| user.name).collect().await;
        assert_eq!(queued, ["alice", "bob", "alice"]);
    }

    #[test]
    fn a_login_whose_uploads_are_rejected_is_new_once_for_each_server() {
        let (registry, _stream) = Registry::new();
        let logins = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(registry.note_unclosed(&key(), logins(&["alice"])), ["alice"]);
        assert_eq!(registry.note_unclosed(&key(), logins(&["alice", "bob"])), ["bob"]);
        let other = ("ftp".to_owned(), "other".to_owned());
        assert_eq!(registry.note_unclosed(&other, logins(&["alice"])), ["alice"]);
        registry.forget(&key());
        assert_eq!(registry.note_unclosed(&key(), logins(&["alice"])), ["alice"]);
    }

    #[tokio::test]
    async fn all_users_are_queued_when_the_pods_have_loaded_their_logins() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&key(), logins(&["alice"], Some("waiting for pod files-0-0")), false);
        registry.set_logins(&key(), logins(&["alice"], None), false);
        drop(registry);
        assert_eq!(stream.count().await, 2);
    }
}
