//! Tells when something in a directory that the kubelet writes may have changed.

use std::{path::Path, sync::Arc, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// How often to look without being told: not every file system tells, and there may be no watch left to have.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// A watch on one directory: the kubelet swaps the link `..data` in it, so all files change at once.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    changed: Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

impl DirectoryWatch {
    pub(crate) fn new(directory: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watch(directory, Arc::clone(&changed));
        if let Err(error) = &watcher {
            let directory = directory.display();
            tracing::warn!(%directory, %error, "failed to watch a directory: changes are seen seconds later");
        }
        Self { changed, _watcher: watcher.ok() }
    }

    /// Returns when something may have changed since the last call.
    pub(crate) async fn changed(&self) {
        // Elapsed is as good a reason to look as any.
        let _ = tokio::time::timeout(LOOK_ANYWAY, self.changed.notified()).await;
    }
}

fn watch(directory: &Path, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Our own reading is an event, too.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        changed.notify_one();
    })?;
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
