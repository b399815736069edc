//! Unfinished uploads: where they lie, who works on them, when they are thrown away.
//!
//! A part is locked by `flock` on the open file, not in memory: another replica may share the volume. Whoever opened a
//! part believes the lock only after seeing that the name still leads to the file that was locked.

use std::{
    io,
    os::fd::AsFd as _,
    time::{Duration, SystemTime},
};

use cap_fs_ext::DirExt as _;
use cap_std::{
    fs::{Dir, DirBuilder, DirBuilderExt as _, File, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _},
    time::SystemTime as CapTime,
};
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::{Home, VirtualPath, path::PARTS_DIR};

/// Simultaneous uploads of one name, and parts of it that are kept.
const SLOTS: u8 = 16;
const FILE_MODE: u32 = 0o640;

/// A part that this session alone works on, until dropped.
#[derive(Debug)]
pub(crate) struct Part {
    pub(super) file: File,
    pub(super) dir: Dir,
    pub(super) name: String,
}

impl Drop for Part {
    fn drop(&mut self) {
        // The gateway may still hold a duplicate, which would keep the lock: it is given back by word.
        let _ = flock(self.file.as_fd(), FlockOperation::Unlock);
    }
}

impl Part {
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        self.dir.remove_file(&self.name)
    }
}

/// What became of the wish to continue a part.
#[derive(Debug)]
pub(super) enum Found {
    /// The newest part of that name.
    Part(Part),
    /// There are parts, and all are being worked on.
    InUse,
    /// There is none.
    Nothing,
}

/// A fresh, empty part for `target`. The newest part that nobody works on makes way for it; `None`: too many uploads of
/// this name at once.
pub(super) fn create(home: &Home, target: &VirtualPath) -> io::Result<Option<Part>> {
    let dir = open_or_make_dir(home)?;
    let stem = stem(home, target);
    for slot in 0..SLOTS {
        if let Some(part) = create_in_slot(&dir, slot_name(&stem, slot))? {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

fn create_in_slot(dir: &Dir, name: String) -> io::Result<Option<Part>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(FILE_MODE);
    let mut created = dir.open_with(&name, &options);
    if is(&created, io::ErrorKind::AlreadyExists) {
        let Some(old) = lock_existing(dir, &name)? else { return Ok(None) };
        // Removed, not truncated: a descriptor that the gateway still holds must not write into the new part.
        old.remove()?;
        created = dir.open_with(&name, &options);
    }
    if is(&created, io::ErrorKind::AlreadyExists) {
        return Ok(None);
    }
    lock(dir, name, created?)
}

/// The newest part for `target` that nobody works on, of those not older than `since`: an upload that became whole
/// later has made the others worthless.
pub(super) fn newest(home: &Home, target: &VirtualPath, since: Option<CapTime>) -> io::Result<Found> {
    let Some(dir) = open_existing_dir(home)? else { return Ok(Found::Nothing) };
    let stem = stem(home, target);
    let mut found = Found::Nothing;
    let mut newest = since;
    for slot in 0..SLOTS {
        let name = slot_name(&stem, slot);
        let Some(metadata) = existing(dir.symlink_metadata(&name))? else { continue };
        let modified = metadata.modified().ok();
        if modified < newest {
            continue;
        }
        match lock_existing(&dir, &name)? {
            Some(part) => (found, newest) = (Found::Part(part), modified),
            None if matches!(found, Found::Nothing) => found = Found::InUse,
            None => {}
        }
    }
    Ok(found)
}

/// Removes the parts for `target` that nobody works on.
pub(super) fn remove(home: &Home, target: &VirtualPath) -> io::Result<Found> {
    loop {
        match newest(home, target, None)? {
            Found::Part(part) => part.remove()?,
            found => return Ok(found),
        }
    }
}

/// Looks for parts that nobody continued for as long as given. A failure does not stop what this came along with.
pub(crate) fn sweep_if_due(home: &Home, keep: Option<Duration>) {
    if let Some(keep) = keep
        && let Err(error) = sweep(home, keep)
    {
        tracing::warn!(user = home.user(), %error, "unfinished uploads could not be looked through");
    }
}

/// Removes the parts of this home that nobody touched for `keep`.
fn sweep(home: &Home, keep: Duration) -> io::Result<()> {
    let Some(dir) = open_existing_dir(home)? else { return Ok(()) };
    let now = SystemTime::now();
    for entry in dir.entries()? {
        let entry = entry?;
        let Some(metadata) = existing(entry.metadata())? else { continue };
        if !is_older(&metadata, now, keep) {
            continue;
        }
        let Ok(name) = entry.file_name().into_string() else { continue };
        if let Some(part) = lock_existing(&dir, &name)? {
            existing(part.remove())?;
            tracing::info!(
                user = home.user(),
                part = name,
                "an unfinished upload was not continued in time and is gone"
            );
        }
    }
    Ok(())
}

fn is_older(metadata: &Metadata, now: SystemTime, keep: Duration) -> bool {
    let age = metadata.modified().ok().map(CapTime::into_std).and_then(|modified| now.duration_since(modified).ok());
    age.is_some_and(|age| age > keep)
}

fn lock_existing(dir: &Dir, name: &str) -> io::Result<Option<Part>> {
    let Some(file) = existing(dir.open_with(name, OpenOptions::new().read(true).write(true)))? else {
        return Ok(None);
    };
    lock(dir, name.to_owned(), file)
}

fn lock(dir: &Dir, name: String, file: File) -> io::Result<Option<Part>> {
    match flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    // Between opening and locking, the one who held it may have renamed it into place.
    let still_there = existing(dir.symlink_metadata(&name))?
        .zip(Some(file.metadata()?))
        .is_some_and(|(named, opened)| (named.dev(), named.ino()) == (opened.dev(), opened.ino()));
    Ok(if still_there { Some(Part { file, dir: dir.try_clone()?, name }) } else { None })
}

fn open_or_make_dir(home: &Home) -> io::Result<Dir> {
    if let Some(dir) = open_existing_dir(home)? {
        return Ok(dir);
    }
    let made = home.root().create_dir_with(PARTS_DIR, DirBuilder::new().mode(0o750));
    if !is(&made, io::ErrorKind::AlreadyExists) {
        made?;
    }
    home.root().open_dir(PARTS_DIR)
}

fn open_existing_dir(home: &Home) -> io::Result<Option<Dir>> {
    existing(home.root().open_dir_nofollow(PARTS_DIR))
}

fn existing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn is<T>(result: &io::Result<T>, kind: io::ErrorKind) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == kind)
}

/// The user is part of the name, so that two accounts with one home never continue each other's uploads.
fn stem(home: &Home, target: &VirtualPath) -> String {
    let mut hash = Sha256::new();
    hash.update(home.user().as_bytes());
    hash.update([0]);
    hash.update(target.octets());
    hex::encode(hash.finalize())
}

fn slot_name(stem: &str, slot: u8) -> String {
    format!("{stem}.{slot}")
}
