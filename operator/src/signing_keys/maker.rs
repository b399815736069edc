//! Generates DSA keys in the background and hands each to the reconcile of its server.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use super::{MadeKey, generate};
use crate::registry::Key;

/// Generates keys in the background, one at a time, so that a thousand new servers leave a processor to those that run.
///
/// A key is remembered until it is in the cluster: if a reconcile breaks off, the next one continues with the same key.
#[derive(Clone)]
pub struct KeyMaker {
    shared: Arc<Shared>,
}

struct Shared {
    generate: Generate,
    making: Mutex<HashMap<Key, Making>>,
    turn: Semaphore,
}

type Generate = Box<dyn Fn() -> Result<MadeKey, String> + Send + Sync>;

/// The key of one server; `made` is `None` while it is being generated.
struct Making {
    uid: String,
    made: Option<MadeKey>,
}

impl Default for KeyMaker {
    fn default() -> Self {
        Self::new(generate)
    }
}

impl KeyMaker {
    /// Creates a maker that takes its keys from `generate`, which may block for seconds.
    pub fn new<E: Display>(generate: impl Fn() -> Result<MadeKey, E> + Send + Sync + 'static) -> Self {
        let generate = Box::new(move || generate().map_err(|error| error.to_string()));
        let shared = Shared { generate, making: Mutex::default(), turn: Semaphore::new(1) };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the key of the server with this UID, or `None` until it is generated; the first call starts that. A key
    /// for an earlier server of the same name is discarded.
    pub fn ask(&self, server: &Key, uid: &str) -> Option<MadeKey> {
        let mut making = self.shared.lock();
        if let Some(known) = making.get(server).filter(|known| known.uid == uid) {
            return known.made.clone();
        }
        making.insert(server.clone(), Making { uid: uid.to_owned(), made: None });
        drop(making);
        tokio::spawn(make(Arc::clone(&self.shared), server.clone(), uid.to_owned()));
        None
    }

    /// Forgets a key that is in the cluster now or no longer needed.
    pub fn forget(&self, server: &Key) {
        self.shared.lock().remove(server);
    }
}

async fn make(shared: Arc<Shared>, server: Key, uid: String) {
    // The semaphore is never closed.
    let Ok(_turn) = shared.turn.acquire().await else { return };
    if !shared.wants(&server, &uid) {
        return;
    }
    tracing::info!(namespace = %server.0, server = %server.1, "generating a DSA key");
    let worker = Arc::clone(&shared);
    let made = tokio::task::spawn_blocking(move || (worker.generate)()).await;
    let made = made.unwrap_or_else(|_| Err("the thread that generates keys panicked".to_owned()));
    shared.store(&server, &uid, made);
}

impl Shared {
    fn wants(&self, server: &Key, uid: &str) -> bool {
        self.lock().get(server).is_some_and(|making| making.uid == uid)
    }

    /// Stores the outcome. After an error the next call of `ask` starts again.
    fn store(&self, server: &Key, uid: &str, made: Result<MadeKey, String>) {
        let mut making = self.lock();
        let Some(waiting) = making.get_mut(server).filter(|waiting| waiting.uid == uid) else { return };
        match made {
            Ok(made) => waiting.made = Some(made),
            Err(error) => {
                tracing::warn!(namespace = %server.0, server = %server.1, %error, "failed to generate a DSA key");
                making.remove(server);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Making>> {
        // A thread that panics while it holds the lock leaves nothing half changed.
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn server() -> Key {
        ("ftp".to_owned(), "files".to_owned())
    }

    /// A maker whose keys are those that the test sends, in the order of the requests.
    fn maker() -> (KeyMaker, mpsc::Sender<Result<&'static str, String>>) {
        let (sender, receiver) = mpsc::channel::<Result<&'static str, String>>();
        let receiver = Mutex::new(receiver);
        let generate = move || {
            let next = receiver.lock().unwrap().recv().map_err(|error| error.to_string())??;
            Ok::<_, String>(MadeKey { pem: next.to_owned().into(), fingerprint: next.to_owned() })
        };
        (KeyMaker::new(generate), sender)
    }

    async fn made(maker: &KeyMaker, uid: &str) -> String {
        loop {
            match maker.ask(&server(), uid) {
                Some(key) => return key.fingerprint,
                None => tokio::task::yield_now().await,
            }
        }
    }

    #[tokio::test]
    async fn a_key_is_generated_once_and_remembered_until_it_is_stored() {
        let (maker, keys) = maker();
        assert!(maker.ask(&server(), "u1").is_none());
        keys.send(Ok("first")).unwrap();
        keys.send(Ok("second")).unwrap();
        assert_eq!(made(&maker, "u1").await, "first");
        assert_eq!(made(&maker, "u1").await, "first");
        maker.forget(&server());
        assert_eq!(made(&maker, "u1").await, "second");
    }

    #[tokio::test]
    async fn a_server_recreated_under_the_same_name_gets_its_own_key() {
        let (maker, keys) = maker();
        assert!(maker.ask(&server(), "u1").is_none());
        assert!(maker.ask(&server(), "u2").is_none());
        keys.send(Ok("first")).unwrap();
        keys.send(Ok("second")).unwrap();
        let key = made(&maker, "u2").await;
        assert!(maker.ask(&server(), "u2").is_some_and(|again| again.fingerprint == key));
    }

    #[tokio::test]
    async fn a_failed_generation_is_retried() {
        let (maker, keys) = maker();
        assert!(maker.ask(&server(), "u1").is_none());
        keys.send(Err("no randomness".to_owned())).unwrap();
        keys.send(Ok("second")).unwrap();
        assert_eq!(made(&maker, "u1").await, "second");
    }
}
