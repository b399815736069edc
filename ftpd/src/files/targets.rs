//! Where the uploads of one file meet: they finish one after the other, and learn of what was appended meanwhile.

use std::{
    collections::HashMap,
    ffi::OsString,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A file that may not exist yet: its directory, by device and inode, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) directory: (u64, u64),
    pub(super) name: OsString,
}

/// How often the file was appended to while an upload of it was under way.
type Appends = Arc<Mutex<u64>>;

/// The targets of all uploads that are under way in this process.
#[derive(Debug, Default)]
pub(super) struct Targets(Mutex<HashMap<Key, Appends>>);

impl Targets {
    /// Announces an upload of `key`, until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>, key: Key) -> Target {
        let appends = Arc::clone(lock(&self.0).entry(key.clone()).or_default());
        let begun_after = *lock(&appends);
        Target { all: Arc::clone(self), key, appends, begun_after }
    }
}

/// One upload's claim on its target.
#[derive(Debug)]
pub(super) struct Target {
    all: Arc<Targets>,
    key: Key,
    appends: Appends,
    begun_after: u64,
}

impl Target {
    /// Waits until no other upload finishes here. It blocks.
    pub(super) fn alone(&self) -> Alone<'_> {
        Alone { appends: lock(&self.appends), begun_after: self.begun_after }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let mut all = lock(&self.all.0);
        // Counted under the lock of the map, by which alone another could get hold of it: the map's and this one.
        if Arc::strong_count(&self.appends) == 2 {
            all.remove(&self.key);
        }
    }
}

/// The right to change the target.
#[derive(Debug)]
pub(super) struct Alone<'target> {
    appends: MutexGuard<'target, u64>,
    begun_after: u64,
}

impl Alone<'_> {
    /// Something was appended, and its client told 226, since this upload began.
    pub(super) fn was_appended_to(&self) -> bool {
        *self.appends != self.begun_after
    }

    pub(super) fn note_append(&mut self) {
        *self.appends += 1;
    }
}

/// What panicked under a lock here left a number or a map, either of them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { directory: (1, 2), name: name.into() }
    }

    #[test]
    fn only_uploads_that_began_before_an_append_learn_of_it() {
        let targets = Arc::new(Targets::default());
        let (early, other) = (targets.enter(key("a")), targets.enter(key("b")));
        targets.enter(key("a")).alone().note_append();
        assert!(early.alone().was_appended_to());
        assert!(!targets.enter(key("a")).alone().was_appended_to());
        assert!(!other.alone().was_appended_to());
    }

    #[test]
    fn a_target_is_forgotten_with_its_last_upload() {
        let targets = Arc::new(Targets::default());
        let (first, second) = (targets.enter(key("a")), targets.enter(key("a")));
        drop(first);
        assert_eq!(lock(&targets.0).len(), 1);
        drop(second);
        assert!(lock(&targets.0).is_empty());
    }
}
