//! From the annotation that the operator writes onto the pod, as the file that the kubelet makes of it.

use std::path::{Path, PathBuf};

use safetp_config::{address::ExternalAddress, paths};
use tokio::sync::watch;

use super::tell;
use crate::watch_dir::DirectoryWatch;

pub(super) async fn run(directory: PathBuf, found: watch::Sender<Option<ExternalAddress>>) {
    let watch = DirectoryWatch::new(&directory);
    loop {
        read(&directory.join(paths::ADDRESS_FILE), &found);
        watch.changed().await;
    }
}

fn read(file: &Path, found: &watch::Sender<Option<ExternalAddress>>) {
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => tell(found, None, "the pod's annotation is empty"),
        Ok(text) => tell(found, Some(ExternalAddress::parse(text.trim())), "the pod's annotation"),
        // Not a word of the operator's, so the last known address stands.
        Err(error) => tracing::warn!(%error, file = %file.display(), "failed to read the address file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_no_address_and_a_missing_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(paths::ADDRESS_FILE);
        let (found, known) = watch::channel(None);
        std::fs::write(&file, "192.0.2.5\n").unwrap();
        read(&file, &found);
        assert_eq!(*known.borrow(), Some(ExternalAddress::parse("192.0.2.5")));
        std::fs::remove_file(&file).unwrap();
        read(&file, &found);
        assert_eq!(*known.borrow(), Some(ExternalAddress::parse("192.0.2.5")));
        std::fs::write(&file, "").unwrap();
        read(&file, &found);
        assert_eq!(*known.borrow(), None);
    }
}
