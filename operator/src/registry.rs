//! What the running operator knows and the cluster need not keep: which logins are in force where. All of it is found
//! out again by the first reconcile after a start.

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

/// A user as the server's last reconcile saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The UID of the SafeTPUser.
    pub uid: String,
    /// The generation that was taken into account.
    pub generation: Option<i64>,
    /// Why it cannot log in, if so.
    pub rejection: Option<Rejection>,
    /// What the ftpd is told about it.
    pub account: Option<User>,
    /// Whether every pod of the server acts on that.
    pub in_force: bool,
}

/// The logins of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerLogins {
    /// The UID of the server: what was known of an earlier one of its name counts for nothing.
    pub server: String,
    /// By the name of the SafeTPUser.
    pub logins: BTreeMap<String, Login>,
    /// Why not every pod has them yet, or `None` when all have.
    pub waiting: Option<String>,
}

/// The operator's memory.
pub struct Registry {
    inner: Mutex<Inner>,
    touched_users: mpsc::UnboundedSender<UserRef>,
}

/// A reference to a user, as its controller's queue takes it.
pub type UserRef = ObjectRef<DeserializeGuard<SafeTPUser>>;

#[derive(Default)]
struct Inner {
    servers: HashMap<Key, ServerLogins>,
    hashes: HashMap<(String, String, String), PasswordHash>,
    attempts: HashMap<Key, u32>,
    unclosed: HashMap<Key, BTreeSet<String>>,
}

impl Registry {
    /// An empty memory, and the stream of users whose state changed.
    pub fn new() -> (Self, impl Stream<Item = UserRef> + Send + 'static) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let stream = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|user| (user, receiver))
        });
        (Self { inner: Mutex::default(), touched_users: sender }, stream)
    }

    /// What is known of a server, `None` before its first reconcile.
    pub fn logins(&self, server: &Key) -> Option<ServerLogins> {
        self.lock().servers.get(server).cloned()
    }

    /// Notes what a server's reconcile found, and wakes up the users for whom something changed. A login whose account
    /// did not change stays in force while others wait for theirs (`keep`).
    pub fn set_logins(&self, server: &Key, mut new: ServerLogins, keep: bool) {
        let mut inner = self.lock();
        let old = inner.servers.remove(server);
        if let Some(old) = old.as_ref().filter(|_| keep) {
            keep_in_force(old, &mut new);
        }
        inner.servers.insert(server.clone(), new.clone());
        drop(inner);
        for name in changed(old.as_ref(), &new) {
            // The receiver lives as long as the user controller; at shutdown nobody needs to hear.
            let _ = self.touched_users.send(UserRef::new(name).within(&server.0));
        }
    }

    /// The servers of `namespace` that have the login of this user at the moment.
    pub fn servers_with(&self, namespace: &str, user: &str) -> Vec<String> {
        let inner = self.lock();
        let has = |(key, state): &(&Key, &ServerLogins)| key.0 == namespace && state.logins.contains_key(user);
        inner.servers.iter().filter(has).map(|(key, _)| key.1.clone()).collect()
    }

    /// Forgets a server that is gone.
    pub fn forget(&self, server: &Key) {
        let mut inner = self.lock();
        inner.servers.remove(server);
        inner.attempts.remove(server);
        inner.unclosed.remove(server);
    }

    /// How often in a row a server has been waited for, counting this time; or back to the beginning.
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

    /// How often in a row a server has been waited for so far.
    pub fn attempts(&self, server: &Key) -> u32 {
        self.lock().attempts.get(server).copied().unwrap_or(0)
    }

    /// Notes logins of a server whose uploads were turned away, and tells those that are new.
    pub fn note_unclosed(&self, server: &Key, logins: BTreeSet<String>) -> Vec<String> {
        if logins.is_empty() {
            return Vec::new();
        }
        let mut inner = self.lock();
        let known = inner.unclosed.entry(server.clone()).or_default();
        logins.into_iter().filter(|login| known.insert(login.clone())).collect()
    }

    /// The hash that was computed of a source before.
    pub fn remembered_hash(&self, source: &Source) -> Option<PasswordHash> {
        self.lock().hashes.get(&hash_key(source)).cloned()
    }

    /// Forgets hashes that are in the cluster now.
    pub fn forget_hashes<'a>(&self, sources: impl IntoIterator<Item = &'a Source>) {
        let mut inner = self.lock();
        for source in sources {
            inner.hashes.remove(&hash_key(source));
        }
    }

    /// Remembers a hash.
    pub fn remember_hash(&self, source: &Source, hash: PasswordHash) {
        self.lock().hashes.insert(hash_key(source), hash);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here can be half changed when a thread panics.
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
    async fn only_users_for_whom_something_changed_are_woken_up() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&key(), logins(&["alice", "bob"], None), false);
        registry.set_logins(&key(), logins(&["alice", "bob"], None), false);
        registry.set_logins(&key(), logins(&["bob"], None), false);
        drop(registry);
        let woken: Vec<_> = stream.map(|user| user.name).collect().await;
        assert_eq!(woken, ["alice", "bob", "alice"]);
    }

    #[test]
    fn a_login_whose_uploads_are_turned_away_is_new_once_for_each_server() {
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
    async fn all_users_hear_when_the_pods_have_caught_up() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&key(), logins(&["alice"], Some("waiting for pod files-0-0")), false);
        registry.set_logins(&key(), logins(&["alice"], None), false);
        drop(registry);
        assert_eq!(stream.count().await, 2);
    }
}
