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

use crate::{
    identity::{LoginName, Namespace, ServerKey, ServerName, Uid, UserName},
    users::logins::{Rejection, Source},
};

/// A SafeTPUser as the server's last reconcile saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// UID of the SafeTPUser.
    pub uid: Uid,
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
    pub server: Uid,
    pub logins: BTreeMap<UserName, Login>,
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
    servers: HashMap<ServerKey, ServerLogins>,
    hashes: HashMap<Source, PasswordHash>,
    attempts: HashMap<ServerKey, u32>,
    unclosed: HashMap<ServerKey, BTreeSet<LoginName>>,
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
    pub fn logins(&self, server: &ServerKey) -> Option<ServerLogins> {
        self.lock().servers.get(server).cloned()
    }

    /// Stores the logins that a server's reconcile found, and queues the users for whom something changed. With `keep`,
    /// a login whose account did not change stays in force while others wait for theirs.
    pub fn set_logins(&self, server: &ServerKey, mut new: ServerLogins, keep: bool) {
        let mut inner = self.lock();
        let old = inner.servers.remove(server);
        if let Some(old) = old.as_ref().filter(|_| keep) {
            keep_in_force(old, &mut new);
        }
        inner.servers.insert(server.clone(), new.clone());
        drop(inner);
        for name in changed(old.as_ref(), &new) {
            // The receiver lives as long as the user controller; at shutdown the message may be lost.
            let _ = self.touched_users.send(UserRef::new(name.as_str()).within(server.namespace.as_str()));
        }
    }

    /// Returns the servers of `namespace` that have the login of this user now.
    pub fn servers_with(&self, namespace: &Namespace, user: &UserName) -> Vec<ServerName> {
        let inner = self.lock();
        let has = |(server, known): &(&ServerKey, &ServerLogins)| {
            server.namespace == *namespace && known.logins.contains_key(user)
        };
        inner.servers.iter().filter(has).map(|(server, _)| server.name.clone()).collect()
    }

    /// Forgets a server that was deleted.
    pub fn forget(&self, server: &ServerKey) {
        let mut inner = self.lock();
        inner.servers.remove(server);
        inner.attempts.remove(server);
        inner.unclosed.remove(server);
    }

    /// Returns how often in a row a server has been waited for, including this time; 0 and a new start if not
    /// `waiting`.
    pub fn count_attempt(&self, server: &ServerKey, waiting: bool) -> u32 {
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
    pub fn attempts(&self, server: &ServerKey) -> u32 {
        self.lock().attempts.get(server).copied().unwrap_or(0)
    }

    /// Stores the logins of a server whose uploads were rejected, and returns those that are new.
    pub fn note_unclosed(&self, server: &ServerKey, logins: BTreeSet<LoginName>) -> Vec<LoginName> {
        if logins.is_empty() {
            return Vec::new();
        }
        let mut inner = self.lock();
        let known = inner.unclosed.entry(server.clone()).or_default();
        logins.into_iter().filter(|login| known.insert(login.clone())).collect()
    }

    /// Returns the hash that was computed from a source before, if it is remembered.
    pub fn remembered_hash(&self, source: &Source) -> Option<PasswordHash> {
        self.lock().hashes.get(source).cloned()
    }

    /// Forgets hashes that a Secret in the cluster contains now.
    pub fn forget_hashes<'a>(&self, sources: impl IntoIterator<Item = &'a Source>) {
        let mut inner = self.lock();
        for source in sources {
            inner.hashes.remove(source);
        }
    }

    pub fn remember_hash(&self, source: &Source, hash: PasswordHash) {
        self.lock().hashes.insert(source.clone(), hash);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panics while it holds the lock leaves nothing half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

fn changed<'a>(old: Option<&'a ServerLogins>, new: &'a ServerLogins) -> Vec<&'a UserName> {
    let empty = BTreeMap::new();
    let before = old.map_or(&empty, |old| &old.logins);
    let text_changed = old.is_none_or(|old| old.waiting != new.waiting);
    let differs =
        |(name, login): &(&UserName, &Login)| before.get(*name) != Some(*login) || (text_changed && !login.in_force);
    let changed = new.logins.iter().filter(differs).map(|(name, _)| name);
    let gone = old.map(|old| &old.logins).into_iter().flatten().map(|(name, _)| name);
    let gone = gone.filter(|name| !new.logins.contains_key(*name));
    changed.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;

    fn logins(names: &[&str], waiting: Option<&str>) -> ServerLogins {
        let login = |name: &&str| {
            let in_force = waiting.is_none();
            let login = Login { uid: Uid::from(*name), generation: Some(1), rejection: None, account: None, in_force };
            (UserName::from(*name), login)
        };
        ServerLogins {
            server: Uid::from("s"),
            logins: names.iter().map(login).collect(),
            waiting: waiting.map(str::to_owned),
        }
    }

    fn server(name: &str) -> ServerKey {
        ServerKey { namespace: Namespace::from("ftp"), name: ServerName::from(name) }
    }

    #[tokio::test]
    async fn only_users_for_whom_something_changed_are_queued() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&server("files"), logins(&["alice", "bob"], None), false);
        registry.set_logins(&server("files"), logins(&["alice", "bob"], None), false);
        registry.set_logins(&server("files"), logins(&["bob"], None), false);
        drop(registry);
        let queued: Vec<_> = stream.map(|user| user.name).collect().await;
        assert_eq!(queued, ["alice", "bob", "alice"]);
    }

    #[test]
    fn a_login_whose_uploads_are_rejected_is_new_once_for_each_server() {
        let (registry, _stream) = Registry::new();
        let note = |server: &ServerKey, logins: &[&str]| {
            let new = registry.note_unclosed(server, logins.iter().copied().map(LoginName::from).collect());
            new.iter().map(LoginName::to_string).collect::<Vec<_>>()
        };
        assert_eq!(note(&server("files"), &["alice"]), ["alice"]);
        assert_eq!(note(&server("files"), &["alice", "bob"]), ["bob"]);
        assert_eq!(note(&server("other"), &["alice"]), ["alice"]);
        registry.forget(&server("files"));
        assert_eq!(note(&server("files"), &["alice"]), ["alice"]);
    }

    #[tokio::test]
    async fn all_users_are_queued_when_the_pods_have_loaded_their_logins() {
        let (registry, stream) = Registry::new();
        registry.set_logins(&server("files"), logins(&["alice"], Some("waiting for pod files-0-0")), false);
        registry.set_logins(&server("files"), logins(&["alice"], None), false);
        drop(registry);
        assert_eq!(stream.count().await, 2);
    }
}
