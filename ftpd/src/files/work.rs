//! Bounds on file work, which blocks on the volume and so runs on threads that all sessions share.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;

/// Pieces of work of one user at once: enough for a volume that syncs many small files together, and an eighth of the
/// threads (512), so that a user whose files hang does not stop the others.
const AT_ONCE_PER_USER: usize = 64;

/// The share that each user with a session has.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<HashMap<String, Weak<Semaphore>>>);

impl Shares {
    /// The work of one more session of this user.
    pub(crate) fn work_of(&self, user: &str) -> Work {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user = shares.get(user).and_then(Weak::upgrade).unwrap_or_else(|| {
            shares.retain(|_, share| share.strong_count() > 0);
            let share = Arc::new(Semaphore::new(AT_ONCE_PER_USER));
            shares.insert(user.to_owned(), Arc::downgrade(&share));
            share
        });
        Work { user, session: Arc::new(Semaphore::new(1)) }
    }
}

/// File work of one session: one piece at a time, within the share of its user.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    user: Arc<Semaphore>,
    session: Arc<Semaphore>,
}

/// Set once nobody waits for a piece of work any more: the session ended, or the client sent ABOR.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Work whose length a client decides looks here between its steps.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sets the flag when the future that waits for the work is dropped.
struct CancelOnDrop(Cancelled);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl Work {
    /// Runs work that ends soon, and to its end even if the client hangs up. One hop for each command keeps small files
    /// fast.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_cancellable(|_| work()).await
    }

    /// Runs work that can take long. Its places are free only when it has really ended: who hangs up and comes again
    /// does not get others.
    pub(crate) async fn run_cancellable<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Cancelled) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let places = (place(&self.session).await?, place(&self.user).await?);
        let owner = CancelOnDrop(Cancelled::default());
        let cancelled = owner.0.clone();
        let work = move || {
            let _places = places;
            work(&cancelled)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Internal))
    }
}

async fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    Arc::clone(places).acquire_owned().await.map_err(|_| Refusal::Internal)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::{sync::oneshot, task::JoinHandle};

    use super::*;

    /// Work that runs until it is let go, told that it has begun.
    async fn stuck(work: Work) -> (JoinHandle<Result<(), Refusal>>, mpsc::Sender<()>) {
        let (begun, has_begun) = oneshot::channel();
        let (go, let_go) = mpsc::channel();
        let task = tokio::spawn(async move {
            work.run(move || {
                begun.send(()).unwrap();
                let _ = let_go.recv();
                Ok(())
            })
            .await
        });
        has_begun.await.unwrap();
        (task, go)
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_told_and_frees_its_place_only_when_it_ends() {
        let work = Shares::default().work_of("alice");
        let (begun, has_begun) = oneshot::channel();
        let (told, was_told) = oneshot::channel();
        let waiting = tokio::spawn({
            let work = work.clone();
            async move {
                work.run_cancellable(move |cancelled| {
                    begun.send(()).unwrap();
                    while !cancelled.is_set() {
                        std::thread::yield_now();
                    }
                    told.send(()).unwrap();
                    Ok(())
                })
                .await
            }
        });
        has_begun.await.unwrap();
        assert_eq!(work.session.available_permits(), 0);
        waiting.abort();
        was_told.await.unwrap();
        work.run(|| Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn a_session_does_one_piece_of_work_at_a_time() {
        let work = Shares::default().work_of("alice");
        let (task, go) = stuck(work.clone()).await;
        let second = tokio::spawn(async move { work.run(|| Ok(())).await });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(go);
        task.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_user_whose_work_hangs_keeps_nobody_else_waiting() {
        let shares = Shares::default();
        let mut hanging = Vec::new();
        for _ in 0..AT_ONCE_PER_USER {
            hanging.push(stuck(shares.work_of("mallory")).await);
        }
        let own = shares.work_of("mallory");
        assert_eq!(own.user.available_permits(), 0);
        shares.work_of("alice").run(|| Ok(())).await.unwrap();
        for (task, go) in hanging {
            drop(go);
            task.await.unwrap().unwrap();
        }
        own.run(|| Ok(())).await.unwrap();
    }

    #[test]
    fn a_share_is_forgotten_with_the_last_session() {
        let shares = Shares::default();
        drop(shares.work_of("alice"));
        let _bob = shares.work_of("bob");
        assert_eq!(shares.0.lock().unwrap().len(), 1);
    }
}
