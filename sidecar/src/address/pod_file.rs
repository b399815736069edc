//! The address in the pod's annotation, which the operator writes and the kubelet shows as a file.

use std::path::{Path, PathBuf};

use safetp_config::{address::ExternalAddress, paths};
use safetp_program::watch::VolumeWatch;

use super::learned::{self, Learned};

pub(crate) async fn run(directory: PathBuf, learned: Learned) {
    let watch = VolumeWatch::new(&directory);
    loop {
        read(&directory.join(paths::ADDRESS_FILE), &learned);
        watch.changed().await;
    }
}

fn read(file: &Path, learned: &Learned) {
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => learned::note(learned, None, "the pod's annotation is empty"),
        Ok(text) => {
            learned::note(learned, Some(ExternalAddress::parse(text.trim())), "the pod's annotation");
        }
        // This says nothing about the address, so the last one stays.
        Err(error) => tracing::warn!(%error, file = %file.display(), "failed to read the address file"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[test]
    fn an_empty_file_means_no_address_and_a_missing_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(paths::ADDRESS_FILE);
        let (learned, known) = watch::channel(None);
        std::fs::write(&file, "192.0.2.5\n").unwrap();
        read(&file, &learned);
        assert_eq!(*known.borrow(), Some(ExternalAddress::parse("192.0.2.5")));
        std::fs::remove_file(&file).unwrap();
        read(&file, &learned);
        assert_eq!(*known.borrow(), Some(ExternalAddress::parse("192.0.2.5")));
        std::fs::write(&file, "").unwrap();
        read(&file, &learned);
        assert_eq!(*known.borrow(), None);
    }
}
