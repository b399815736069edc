//! Parts, the unfinished uploads: their names, their locks and their removal.
//!
//! A part that is being written has a random name, which no other upload can collide with, not even one of a pod on
//! another node whose locks do not reach here. An interrupted one has the name by which the next REST of its target
//! looks for it; what a crash left under its random name is found by that name's beginning ([`PartName`]).
//!
//! A part is locked by `flock` on the open file, not in memory: another replica may share the volume. Whoever opened a
//! part believes the lock only after seeing that the name still leads to the file that was locked.

use std::{
    ffi::OsStr,
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

use super::{
    Home, VirtualPath,
    part_name::{APPEND, Base, PartName},
    path::PARTS_DIR,
};

const FILE_MODE: u32 = 0o640;
/// How often a name is drawn, should somebody lock each fresh part at once.
const DRAWS: u8 = 8;

/// A part that this session alone works on, until dropped.
#[derive(Debug)]
pub(crate) struct Part {
    pub(super) file: File,
    dir: Dir,
    name: PartName,
    identity: (u64, u64),
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

    /// How many octets of the file come before those of the part.
    pub(super) fn after(&self) -> u64 {
        self.name.base.map_or(0, |base| base.after)
    }

    /// The device of the directory that it lies in. Its own can be another one on an overlay.
    pub(super) fn device(&self) -> io::Result<u64> {
        Ok(self.dir.dir_metadata()?.dev())
    }

    /// Whether its name still leads to it.
    fn is_in_place(&self) -> io::Result<bool> {
        let named = existing(self.dir.symlink_metadata(self.name.to_string()))?;
        Ok(named.is_some_and(|named| identity(&named) == self.identity))
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        if self.is_in_place()? { existing(self.dir.remove_file(self.name.to_string())).map(drop) } else { Ok(()) }
    }

    /// Gives the part the name `to` in `parent`, unless its own name leads to another file by now.
    pub(super) fn rename_to(&self, parent: &Dir, to: impl AsRef<OsStr>) -> io::Result<()> {
        if !self.is_in_place()? {
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        self.dir.rename(self.name.to_string(), parent, to.as_ref())
    }

    /// Leaves the part for a later REST, in the place of an older one.
    pub(super) fn keep(&self) -> io::Result<()> {
        if self.length()? == 0 {
            return self.remove();
        }
        self.rename_to(&self.dir, self.name.kept().to_string())
    }

    /// Removes what an earlier upload of the same name left, now that this one is whole.
    pub(super) fn remove_kept(&self) -> io::Result<()> {
        existing(self.dir.remove_file(&self.name.stem)).map(drop)
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

/// A fresh, empty part for `target`, or for what follows `base` there.
pub(super) fn create(home: &Home, target: &VirtualPath, base: Option<Base>) -> io::Result<Part> {
    draw(open_or_make_dir(home)?, PartName { stem: stem(home, target), random: None, base })
}

/// A fresh, empty part for what will follow whatever is there.
pub(super) fn create_append(home: &Home) -> io::Result<Part> {
    draw(open_or_make_dir(home)?, PartName { stem: APPEND.into(), random: None, base: None })
}

fn draw(dir: Dir, mut name: PartName) -> io::Result<Part> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(FILE_MODE);
    for _ in 0..DRAWS {
        name.random = Some(random()?);
        let file = dir.open_with(name.to_string(), &options)?;
        match flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let identity = identity(&file.metadata()?);
                return Ok(Part { file, dir, name, identity });
            }
            // Somebody looks at it just now. Nobody removes an empty part but its owner.
            Err(rustix::io::Errno::WOULDBLOCK) => dir.remove_file(name.to_string())?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

fn random() -> io::Result<String> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets)?;
    Ok(hex::encode(octets))
}

/// The newest part for `target` that nobody works on, of those not older than the file that has the name: an upload
/// that became whole later has made the others worthless.
pub(super) fn newest(home: &Home, target: &VirtualPath, whole: Option<&Metadata>) -> io::Result<Found> {
    let Some(dir) = open_existing_dir(home)? else { return Ok(Found::Nothing) };
    let stem = stem(home, target);
    let mut found = Found::Nothing;
    let mut newest = whole.and_then(|whole| whole.modified().ok());
    for entry in dir.entries()? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(PartName::parse) else { continue };
        if name.stem != stem || !name.base.is_none_or(|base| whole.is_some_and(|whole| is_of(whole, base))) {
            continue;
        }
        let Some(metadata) = existing(entry.metadata())? else { continue };
        let modified = metadata.modified().ok();
        if modified < newest {
            continue;
        }
        match lock_existing(&dir, name)? {
            Some(part) => (found, newest) = (Found::Part(part), modified),
            None if matches!(found, Found::Nothing) => found = Found::InUse,
            None => {}
        }
    }
    Ok(found)
}

/// Makes a part that was found this upload's own, under a random name.
pub(super) fn claim(mut part: Part) -> io::Result<Part> {
    let name = PartName { random: Some(random()?), ..part.name.clone() };
    part.rename_to(&part.dir, name.to_string())?;
    part.name = name;
    Ok(part)
}

fn is_of(whole: &Metadata, base: Base) -> bool {
    (whole.ino(), whole.len()) == (base.inode, base.length)
}

/// What became of the wish to remove the parts of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// There were some.
    Some,
    /// There are some, and all are being worked on.
    InUse,
    /// There was none.
    Nothing,
}

/// Removes the parts for `target` that nobody works on.
pub(super) fn remove(home: &Home, target: &VirtualPath) -> io::Result<Removed> {
    let stem = stem(home, target);
    let mut removed = Removed::Nothing;
    for part in list(home)?.iter().filter(|part| part.name.stem == stem) {
        if remove_listed(home, part, "its name was deleted")? {
            removed = Removed::Some;
        } else if removed == Removed::Nothing {
            removed = Removed::InUse;
        }
    }
    Ok(removed)
}

/// One part as it lies there.
#[derive(Debug)]
pub(super) struct Listed {
    name: PartName,
    pub(super) length: u64,
    pub(super) modified: SystemTime,
}

impl Listed {
    #[cfg(test)]
    pub(super) fn of_length(length: u64) -> Self {
        let name = PartName { stem: String::new(), random: None, base: None };
        Self { name, length, modified: SystemTime::UNIX_EPOCH }
    }

    /// Whether it was left for a later REST. What has a random name may be in use.
    pub(super) fn is_kept(&self) -> bool {
        self.name.random.is_none()
    }
}

/// Every part in a home.
pub(super) fn list(home: &Home) -> io::Result<Vec<Listed>> {
    let Some(dir) = open_existing_dir(home)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let Some(metadata) = existing(entry.metadata())? else { continue };
        let Some(name) = entry.file_name().to_str().and_then(PartName::parse) else { continue };
        let modified = metadata.modified().map_or(SystemTime::UNIX_EPOCH, CapTime::into_std);
        all.push(Listed { name, length: metadata.len(), modified });
    }
    Ok(all)
}

/// Removes a listed part unless somebody works on it, and tells whether it did.
pub(super) fn remove_listed(home: &Home, listed: &Listed, why: &'static str) -> io::Result<bool> {
    let Some(dir) = open_existing_dir(home)? else { return Ok(false) };
    let Some(part) = lock_existing(&dir, listed.name.clone())? else { return Ok(false) };
    part.remove()?;
    let (user, octets) = (home.user(), listed.length);
    tracing::info!(user, part = %listed.name, octets, why, "an unfinished upload is gone");
    Ok(true)
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
    let now = SystemTime::now();
    let old = |part: &Listed| now.duration_since(part.modified).is_ok_and(|age| age > keep);
    for part in list(home)?.iter().filter(|part| old(part)) {
        remove_listed(home, part, "not continued in time")?;
    }
    Ok(())
}

fn lock_existing(dir: &Dir, name: PartName) -> io::Result<Option<Part>> {
    let path = name.to_string();
    let Some(file) = existing(dir.open_with(&path, OpenOptions::new().read(true).write(true)))? else {
        return Ok(None);
    };
    match flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    // Between opening and locking, the one who held it may have renamed it into place.
    let identity = identity(&file.metadata()?);
    let still_there = existing(dir.symlink_metadata(&path))?.is_some_and(|named| self::identity(&named) == identity);
    Ok(if still_there { Some(Part { file, dir: dir.try_clone()?, name, identity }) } else { None })
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn open_or_make_dir(home: &Home) -> io::Result<Dir> {
    if let Some(dir) = open_existing_dir(home)? {
        return Ok(dir);
    }
    let made = home.root().create_dir_with(PARTS_DIR, DirBuilder::new().mode(0o750));
    if made.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists) {
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

/// The user is part of the name, so that two accounts with one home never continue each other's uploads.
fn stem(home: &Home, target: &VirtualPath) -> String {
    let mut hash = Sha256::new();
    hash.update(home.user().as_bytes());
    hash.update([0]);
    hash.update(target.octets());
    hex::encode(hash.finalize())
}
