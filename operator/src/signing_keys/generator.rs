//! Generates DSA keys in the background and hands each to the reconcile of its server.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use super::{NewKey, generate};
use crate::identity::{ServerKey, Uid};

/// Generates keys in the background, one at a time, so that a thousand new servers leave a processor to those that run.
///
/// A key is remembered until it is in the cluster: if a reconcile breaks off, the next one continues with the same key.
#[derive(Clone)]
pub struct KeyGenerator {
    shared: Arc<Shared>,
}

struct Shared {
    generate: Generate,
    pending: Mutex<HashMap<ServerKey, Pending>>,
    turn: Semaphore,
}

type Generate = Box<dyn Fn() -> Result<NewKey, String> + Send + Sync>;

/// The key of one server; `generated` is `None` while it is being generated.
struct Pending {
    uid: Uid,
    generated: Option<NewKey>,
}

impl Default for KeyGenerator {
    fn default() -> Self {
        Self::new(generate)
    }
}

impl KeyGenerator {
    /// Creates a generator that takes its keys from `generate`, which may block for seconds.
    pub fn new<E: Display>(generate: impl Fn() -> Result<NewKey, E> + Send + Sync + 'static) -> Self {
        let generate = Box::new(move || generate().map_err(|error| error.to_string()));
        let shared = Shared { generate, pending: Mutex::default(), turn: Semaphore::new(1) };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the key of the server with this UID, or `None` until it is generated; the first call starts that. A key
    /// for an earlier server of the same name is discarded.
    pub fn ask(&self, server: &ServerKey, uid: &Uid) -> Option<NewKey> {
        let mut pending = self.shared.lock();
        if let Some(known) = pending.get(server).filter(|known| known.uid == *uid) {
            return known.generated.clone();
        }
        pending.insert(server.clone(), Pending { uid: uid.clone(), generated: None });
        drop(pending);
        tokio::spawn(generate_key(Arc::clone(&self.shared), server.clone(), uid.clone()));
        None
    }

    /// Forgets a key that is in the cluster now or no longer needed.
    pub fn forget(&self, server: &ServerKey) {
        self.shared.lock().remove(server);
    }
}

async fn generate_key(shared: Arc<Shared>, server: ServerKey, uid: Uid) {
    // The semaphore is never closed.
    let Ok(_turn) = shared.turn.acquire().await else { return };
    if !shared.wants(&server, &uid) {
        return;
    }
    tracing::info!(%server, "generating a DSA key");
    let worker = Arc::clone(&shared);
    let generated = tokio::task::spawn_blocking(move || (worker.generate)()).await;
    let generated = generated.unwrap_or_else(|_| Err("the thread that generates keys panicked".to_owned()));
    shared.store(&server, &uid, generated);
}

impl Shared {
    fn wants(&self, server: &ServerKey, uid: &Uid) -> bool {
        self.lock().get(server).is_some_and(|pending| pending.uid == *uid)
    }

    /// Stores the outcome. After an error the next call of `ask` starts again.
    fn store(&self, server: &ServerKey, uid: &Uid, generated: Result<NewKey, String>) {
        let mut pending = self.lock();
        let Some(waiting) = pending.get_mut(server).filter(|waiting| waiting.uid == *uid) else { return };
        match generated {
            Ok(generated) => waiting.generated = Some(generated),
            Err(error) => {
                tracing::warn!(%server, %error, "failed to generate a DSA key");
                pending.remove(server);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ServerKey, Pending>> {
        // A thread that panics while it holds the lock leaves nothing half changed.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::identity::{Namespace, ServerName};

    fn server() -> ServerKey {
        ServerKey { namespace: Namespace::from("ftp"), name: ServerName::from("files") }
    }

    /// A generator whose keys are those that the test sends, in the order of the requests.
    fn generator() -> (KeyGenerator, mpsc::Sender<Result<&'static str, String>>) {
        let (sender, receiver) = mpsc::channel::<Result<&'static str, String>>();
        let receiver = Mutex::new(receiver);
        let generate = move || {
            let next = receiver.lock().unwrap().recv().map_err(|error| error.to_string())??;
            Ok::<_, String>(NewKey { pem: next.to_owned().into(), fingerprint: next.to_owned() })
        };
        (KeyGenerator::new(generate), sender)
    }

    async fn generated(generator: &KeyGenerator, uid: &str) -> String {
        loop {
            match generator.ask(&server(), &Uid::from(uid)) {
                Some(key) => return key.fingerprint,
                None => tokio::task::yield_now().await,
            }
        }
    }

    #[tokio::test]
    async fn a_key_is_generated_once_and_remembered_until_it_is_stored() {
        let (generator, keys) = generator();
        assert!(generator.ask(&server(), &Uid::from("u1")).is_none());
        keys.send(Ok("first")).unwrap();
        keys.send(Ok("second")).unwrap();
        assert_eq!(generated(&generator, "u1").await, "first");
        assert_eq!(generated(&generator, "u1").await, "first");
        generator.forget(&server());
        assert_eq!(generated(&generator, "u1").await, "second");
    }

    #[tokio::test]
    async fn a_server_recreated_under_the_same_name_gets_its_own_key() {
        let (generator, keys) = generator();
        assert!(generator.ask(&server(), &Uid::from("u1")).is_none());
        assert!(generator.ask(&server(), &Uid::from("u2")).is_none());
        keys.send(Ok("first")).unwrap();
        keys.send(Ok("second")).unwrap();
        let key = generated(&generator, "u2").await;
        assert!(generator.ask(&server(), &Uid::from("u2")).is_some_and(|again| again.fingerprint == key));
    }

    #[tokio::test]
    async fn a_failed_generation_is_retried() {
        let (generator, keys) = generator();
        assert!(generator.ask(&server(), &Uid::from("u1")).is_none());
        keys.send(Err("no randomness".to_owned())).unwrap();
        keys.send(Ok("second")).unwrap();
        assert_eq!(generated(&generator, "u1").await, "second");
    }
}
