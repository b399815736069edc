//! Changes in a directory that the kubelet keeps up to date.

use std::{path::Path, sync::Arc, time::Duration};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

/// The longest time between two looks. Not every file system reports changes (inotify), and a node can run out of
/// watches.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// A watch on one directory. It is on the directory and not on its files, which the kubelet never touches: it swaps a
/// link beside them (see [`volume`](crate::volume)).
#[derive(Debug)]
pub struct VolumeWatch {
    changed: Arc<Notify>,
    look_anyway: Duration,
    _watcher: Option<RecommendedWatcher>,
}

impl VolumeWatch {
    /// Watches `directory` from now on, so what is read after this call is never older than what a change reports.
    /// Where that fails, the log says so, and every ten seconds counts as a change.
    pub fn new(directory: &Path) -> Self {
        Self::with_interval(directory, LOOK_ANYWAY)
    }

    fn with_interval(directory: &Path, look_anyway: Duration) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watch(directory, Arc::clone(&changed));
        if let Err(error) = &watcher {
            let directory = directory.display();
            tracing::warn!(%directory, %error, "failed to watch a directory; changes are seen seconds later");
        }
        Self { changed, look_anyway, _watcher: watcher.ok() }
    }

    /// Returns when something may have changed since the last call.
    pub async fn changed(&self) {
        // That time has passed is as good a reason to look as any.
        let _ = tokio::time::timeout(self.look_anyway, self.changed.notified()).await;
    }
}

fn watch(directory: &Path, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_reading(event.kind)) {
            return;
        }
        changed.notify_one();
    })?;
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Our own reading is an event too: taken for a change, it would lead to the next one for ever.
fn is_reading(kind: EventKind) -> bool {
    kind.is_access() && kind != EventKind::Access(AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use std::{fs, os::unix::fs::symlink};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);
    const NEVER: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_swapped_link_is_a_change() {
        let volume = tempfile::tempdir().unwrap();
        let volume = volume.path();
        symlink("..1", volume.join("..data")).unwrap();
        let watch = VolumeWatch::with_interval(volume, NEVER);
        symlink("..2", volume.join("..data_tmp")).unwrap();
        fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
        tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_watched_is_looked_at_in_intervals() {
        let missing = Path::new("/nonexistent");
        assert!(watch(missing, Arc::default()).is_err());
        let watch = VolumeWatch::with_interval(missing, Duration::from_millis(1));
        for _ in 0..3 {
            tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap();
        }
        assert_eq!(VolumeWatch::new(missing).look_anyway, LOOK_ANYWAY);
    }

    #[test]
    fn reading_a_file_is_not_a_change_and_writing_it_is() {
        let close = |mode| EventKind::Access(AccessKind::Close(mode));
        assert!(is_reading(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(is_reading(close(AccessMode::Read)));
        assert!(!is_reading(close(AccessMode::Write)));
    }
}
