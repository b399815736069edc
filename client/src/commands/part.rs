//! LOCAL.part, an incomplete file, and LOCAL.part.source, a note of the version that it is the beginning of.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, io::Errno};
use tempfile::NamedTempFile;

use super::version::Version;
use crate::failure::LocalError;

/// An incomplete file, locked.
pub(super) struct Part {
    pub(super) file: File,
    pub(super) path: PathBuf,
    destination: PathBuf,
    /// Its size when it was opened, in octets.
    pub(super) start: u64,
}

impl Part {
    /// Opens and locks the part of `destination`. Without `resume` it is emptied.
    pub(super) fn open(destination: PathBuf, resume: bool) -> Result<Self, LocalError> {
        let path = with_suffix(&destination, ".part");
        let mut file = open(&path)?;
        let failed = |action| LocalError::file(action, &path);
        lock(&file, &path)?;
        if !resume {
            file.set_len(0).map_err(failed("empty"))?;
        }
        let start = file.seek(SeekFrom::End(0)).map_err(failed("read"))?;
        Ok(Self { file, path, destination, start })
    }

    /// The version that it is the beginning of; `None` without a note.
    pub(super) fn source(&self) -> Option<Version> {
        fs::read_to_string(self.note()).ok()?.parse().ok()
    }

    /// Notes the version that it is the beginning of, before its first octet arrives.
    pub(super) fn remember(&self, version: &Version) -> Result<(), LocalError> {
        let note = self.note();
        let written = || -> io::Result<()> {
            // A new file replaces what has the name now, perhaps a link, which must not be written through.
            let mut new = NamedTempFile::new_in(directory(&note))?;
            writeln!(new, "{version}")?;
            new.persist(&note)?;
            Ok(())
        };
        written().map_err(LocalError::file("write", &note))
    }

    /// Gives the complete file its name, and syncs file and directory.
    pub(super) fn complete(self) -> Result<(), LocalError> {
        self.file.sync_data().map_err(LocalError::file("write", &self.path))?;
        fs::rename(&self.path, &self.destination).map_err(LocalError::file("rename", &self.path))?;
        // A note that stays says nothing about the next part, which begins by writing its own.
        let _ = fs::remove_file(self.note());
        let directory = directory(&self.destination);
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(LocalError::file("write", directory))
    }

    fn note(&self) -> PathBuf {
        with_suffix(&self.path, ".source")
    }
}

/// Opens or creates the part. A link in its place would let its creator choose which file is overwritten.
fn open(path: &Path) -> Result<File, LocalError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    // Opening a FIFO in its place must not block.
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = options.open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => unfit(path, "is a symbolic link, which may lead to any file"),
        _ => LocalError::file("open", path)(error),
    })?;
    let metadata = file.metadata().map_err(LocalError::file("read", path))?;
    if !metadata.is_file() {
        return Err(unfit(path, "is not a regular file"));
    }
    if metadata.nlink() > 1 {
        return Err(unfit(path, "has another hard link, which may be any file"));
    }
    Ok(file)
}

fn unfit(path: &Path, reason: &str) -> LocalError {
    let advice = "Remove it, or choose another name.";
    LocalError::Unfit { path: path.to_owned(), reason: reason.into(), advice }
}

/// Locks the part, since two writers would mix their files.
fn lock(file: &File, path: &Path) -> Result<(), LocalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(LocalError::Unfit {
            path: path.to_owned(),
            reason: "another safetp is writing to it".into(),
            advice: "Wait for it, or choose another name.",
        }),
        Err(TryLockError::Error(error)) => Err(LocalError::file("lock", path)(error)),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_part_is_opened_through_no_link_of_either_kind() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("precious"), b"precious").unwrap();
        symlink(path("precious"), path("soft.part")).unwrap();
        fs::hard_link(path("precious"), path("hard.part")).unwrap();
        symlink(path("nothing"), path("dangling.part")).unwrap();
        for name in ["soft", "hard", "dangling"] {
            for resume in [false, true] {
                let error = Part::open(path(name), resume).err().unwrap();
                assert!(matches!(error, LocalError::Unfit { .. }), "{name}: {error}");
            }
        }
        assert_eq!(fs::read(path("precious")).unwrap(), b"precious");
        assert!(!path("nothing").exists());
    }

    #[test]
    fn a_note_replaces_a_link_and_writes_nothing_through_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("precious"), b"precious").unwrap();
        symlink(path("precious"), path("file.part.source")).unwrap();
        let part = Part::open(path("file"), false).unwrap();
        let version: Version = "12 2026-01-01T00:00:00Z".parse().unwrap();
        part.remember(&version).unwrap();
        assert_eq!(part.source(), Some(version));
        assert_eq!(fs::read(path("precious")).unwrap(), b"precious");
        part.complete().unwrap();
        assert!(path("file").exists() && !path("file.part").exists() && !path("file.part.source").exists());
    }
}
