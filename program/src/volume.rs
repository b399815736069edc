//! Volumes that the kubelet keeps up to date.
//!
//! Their files are links into a directory beside them, to which the link `..data` leads. For a change the kubelet
//! writes a new directory, swaps that one link and removes the old directory (Kubernetes,
//! `pkg/volume/util/atomic_writer.go`).

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The link that the kubelet swaps.
const GENERATION: &str = "..data";

/// Returns what `read` makes of the files in `volume` as they were at one moment. Files that were read one by one while
/// the link was swapped are of two generations, or gone, so `read` is called again then. A directory without that link
/// is read once.
pub fn read_at_once<T>(volume: &Path, mut read: impl FnMut() -> T) -> T {
    loop {
        let before = generation(volume);
        let files = read();
        if generation(volume) == before {
            return files;
        }
    }
}

/// Its name is of the time at which it was made, so none comes twice.
fn generation(volume: &Path) -> Option<PathBuf> {
    fs::read_link(volume.join(GENERATION)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use std::os::unix::fs::symlink;

    use super::*;

    /// As the kubelet does, each of both files with the generation's number in it.
    fn write(volume: &Path, generation: u32) {
        let directory = volume.join(format!("..{generation}"));
        fs::create_dir(&directory).unwrap();
        for file in ["first", "second"] {
            fs::write(directory.join(file), generation.to_string()).unwrap();
        }
        symlink(&directory, volume.join("..data_tmp")).unwrap();
        let old = fs::read_link(volume.join(GENERATION));
        fs::rename(volume.join("..data_tmp"), volume.join(GENERATION)).unwrap();
        if let Ok(old) = old {
            fs::remove_dir_all(old).unwrap();
        }
    }

    fn read(volume: &Path, file: &str) -> Option<String> {
        fs::read_to_string(volume.join(GENERATION).join(file)).ok()
    }

    #[test]
    fn files_that_change_between_two_readings_are_read_again() {
        let volume = tempfile::tempdir().unwrap();
        let volume = volume.path();
        write(volume, 0);
        let mut readings = 0;
        let files = read_at_once(volume, || {
            let first = read(volume, "first");
            readings += 1;
            if readings < 3 {
                write(volume, readings);
            }
            (first, read(volume, "second"))
        });
        assert_eq!((files, readings), ((Some("2".into()), Some("2".into())), 3));
    }

    #[test]
    fn files_that_are_gone_although_nothing_was_swapped_are_not_waited_for() {
        let volume = tempfile::tempdir().unwrap();
        write(volume.path(), 0);
        fs::remove_file(volume.path().join("..0/second")).unwrap();
        assert_eq!(read_at_once(volume.path(), || read(volume.path(), "second")), None);
    }

    #[test]
    fn a_directory_that_no_kubelet_keeps_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "content").unwrap();
        let content = read_at_once(directory.path(), || fs::read_to_string(directory.path().join("file")).unwrap());
        assert_eq!(content, "content");
    }
}
