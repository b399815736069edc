//! Sees that the kubelet swapped the configuration's `..data` link.

use std::sync::Arc;

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

use crate::settings::Settings;

/// Reloads `settings` at every change in their directory, for as long as the future is polled.
///
/// The directory is watched, not the files: the kubelet never touches those, it renames a link beside them.
pub(crate) async fn follow(settings: Arc<Settings>) -> notify::Result<()> {
    let changed = Arc::new(Notify::new());
    let _watcher = watcher(&settings, Arc::clone(&changed))?;
    loop {
        // What changed between the first reading and the watch is seen by this reading.
        let settings = Arc::clone(&settings);
        if tokio::task::spawn_blocking(move || settings.reload_or_keep()).await.is_err() {
            tracing::error!("reading the configuration ended abnormally");
        }
        changed.notified().await;
    }
}

fn watcher(settings: &Settings, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_reading(event.kind)) {
            return;
        }
        changed.notify_one();
    })?;
    watcher.watch(settings.directory(), RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

/// Reading the files is an event too: heeding it would reload for ever.
fn is_reading(kind: EventKind) -> bool {
    kind.is_access() && kind != EventKind::Access(AccessKind::Close(AccessMode::Write))
}
