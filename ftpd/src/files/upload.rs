//! STOR and APPE: what comes is written aside by the gateway and reaches its target only when it is whole.

use std::{
    ffi::OsString,
    io::{self, Seek as _, SeekFrom},
    os::fd::{AsFd as _, BorrowedFd},
};

use cap_fs_ext::OpenOptionsFollowExt as _;
use cap_std::fs::{Dir, File, Metadata, MetadataExt as _, OpenOptions};
use rustix::fs::{FlockOperation, Timespec, Timestamps, UTIME_NOW, flock, futimens};

use super::{
    Home, Refusal, VirtualPath,
    home::sync_dir,
    join,
    part_name::Base,
    parts::{self, Found, Part},
    space,
    targets::{Alone, Key, Target},
};

/// An upload under way, and the place that waits for it.
#[derive(Debug)]
pub(crate) struct Upload {
    home: Home,
    path: VirtualPath,
    part: Part,
    place: Place,
    target: Target,
    end: End,
}

/// What becomes of the octets that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// They are the file.
    Replace,
    /// They are added to whatever is there by then.
    Append,
    /// They follow the first octets of the file that was there at the beginning, if it still is.
    Continue,
}

/// How the gateway's part of an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every octet came.
    Whole,
    /// What came is good, and more would have come.
    Broken,
    /// The volume is full, or the quota.
    Full,
    /// The volume failed: what it holds of the upload is uncertain.
    Spoilt,
}

/// Begins STOR at `start`, as REST gave it.
pub(crate) fn store(home: &Home, path: &VirtualPath, start: u64) -> Result<Upload, Refusal> {
    let place = Place::find(home, path)?;
    let (part, end) = match start {
        0 => (parts::create(home, path, None).map_err(Refusal::store(path))?, End::Replace),
        _ => restart(home, path, &place, start)?,
    };
    place.into_upload(home, path, part, end)
}

/// Begins APPE. A part that is the only thing of its name is continued: its length was told as the file's, and clients
/// resume by SIZE and APPE, too.
pub(crate) fn append(home: &Home, path: &VirtualPath) -> Result<Upload, Refusal> {
    let failed = || Refusal::store(path);
    let place = Place::find(home, path)?;
    let found = match place.whole {
        Some(_) => {
            // What cannot be written to is refused before anything is sent.
            home.root().open_with(path.relative(), OpenOptions::new().write(true)).map_err(failed())?;
            Found::Nothing
        }
        None => parts::newest(home, path, None).map_err(failed())?,
    };
    let (part, end) = match found {
        Found::Part(part) => {
            let length = part.length().map_err(failed())?;
            (resume(path, part, length)?, End::Replace)
        }
        Found::InUse | Found::Nothing => (parts::create_append(home).map_err(failed())?, End::Append),
    };
    place.into_upload(home, path, part, end)
}

/// A part, if there is one, is what the client means: it is newer than the whole file, and continuing the whole file
/// instead would join the beginning of one version to the end of another.
fn restart(home: &Home, path: &VirtualPath, place: &Place, start: u64) -> Result<(Part, End), Refusal> {
    let whole = place.whole.as_ref();
    let length = whole.map_or(0, Metadata::len);
    match parts::newest(home, path, whole).map_err(Refusal::store(path))? {
        Found::Part(part) if start >= part.after() => {
            // The whole file's length is what SIZE told: who restarts there takes its octets for those of the part.
            if whole.is_some() && start == length && start != part.after() {
                return Err(Refusal::OtherVersion(path.clone()));
            }
            let end = if part.after() == 0 { End::Replace } else { End::Continue };
            Ok((resume(path, part, start)?, end))
        }
        Found::InUse => Err(Refusal::Busy(path.clone())),
        Found::Part(_) | Found::Nothing if start > length => Err(Refusal::RestartTooFar { wanted: start, length }),
        Found::Part(_) | Found::Nothing => {
            let base = whole.map(|whole| Base { after: start, inode: whole.ino(), length });
            Ok((parts::create(home, path, base).map_err(Refusal::store(path))?, End::Continue))
        }
    }
}

/// The part itself, cut where the client continues.
fn resume(path: &VirtualPath, part: Part, start: u64) -> Result<Part, Refusal> {
    let failed = || Refusal::store(path);
    let length = part.after() + part.length().map_err(failed())?;
    if start > length {
        return Err(Refusal::RestartTooFar { wanted: start, length });
    }
    let mut part = parts::claim(part).map_err(failed())?;
    let position = start - part.after();
    part.file.set_len(position).map_err(failed())?;
    part.file.seek(SeekFrom::Start(position)).map_err(failed())?;
    Ok(part)
}

impl Upload {
    /// What the gateway writes to.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.part.file.as_fd()
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Whether REST can continue what came, should the upload break off.
    pub(crate) fn is_resumable(&self) -> bool {
        self.end != End::Append
    }

    /// Gives the octets their place, or leaves them for a later REST, or takes them away.
    pub(crate) fn conclude(self, ending: Ending) -> Result<(), Refusal> {
        let refusal = match ending {
            Ending::Whole => match self.finish() {
                Ok(()) => return Ok(()),
                Err(refusal) => Some(refusal),
            },
            Ending::Broken | Ending::Full | Ending::Spoilt => None,
        };
        let full = ending == Ending::Full || refusal.as_ref().is_some_and(Refusal::is_full);
        let spoilt = ending == Ending::Spoilt || refusal.as_ref().is_some_and(Refusal::is_volume_failure);
        if let Err(error) = self.leave(full, spoilt) {
            tracing::warn!(path = %self.path, %error, "what is left of an upload could not be put in order");
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Octets that a sync did not bring to the disk are not there, whatever a later reading says: they never become the
    /// beginning of another upload. On a full volume nothing stays that nobody can see.
    fn leave(&self, full: bool, spoilt: bool) -> io::Result<()> {
        let length = self.part.length().unwrap_or_default();
        if full || spoilt || !self.is_resumable() || length == 0 {
            self.part.remove()?;
        } else {
            self.part.keep()?;
            space::handle_kept(&self.home)?;
        }
        // At the next try it needs more than it got.
        if full { space::make_way(&self.home, length.saturating_mul(2)) } else { Ok(()) }
    }

    fn finish(&self) -> Result<(), Refusal> {
        match self.end {
            End::Replace => self.replace(),
            End::Append => self.join(None),
            End::Continue => self.join(Some(self.part.after())),
        }
    }

    /// The octets are on the disk before they get the real name, so that a crash leaves the old file or the new one and
    /// never an empty one.
    fn replace(&self) -> Result<(), Refusal> {
        let failed = || Refusal::store(&self.path);
        if let Some(whole) = &self.place.whole {
            // Whoever was let in by the permissions of the old file stays so.
            self.part.file.set_permissions(whole.permissions()).map_err(failed())?;
        }
        self.part.file.sync_data().map_err(failed())?;
        let alone = self.target.alone();
        if alone.was_appended_to() {
            return self.refuse_to_overwrite();
        }
        self.become_the_file(&alone)
    }

    /// Clients that appended were told 226, and this upload began before.
    fn refuse_to_overwrite(&self) -> Result<(), Refusal> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        // As a part that is older than the file it would be worthless, and REST would continue the file.
        futimens(self.part.file.as_fd(), &times).map_err(|error| Refusal::store(&self.path)(error.into()))?;
        Err(Refusal::AppendedTo(self.path.clone()))
    }

    fn become_the_file(&self, _alone: &Alone<'_>) -> Result<(), Refusal> {
        let failed = || Refusal::store(&self.path);
        self.part.rename_to(&self.place.parent, &self.place.name).map_err(failed())?;
        if let Err(error) = self.part.remove_kept() {
            tracing::warn!(path = %self.path, %error, "an older part stays until it is swept");
        }
        sync_dir(&self.place.parent).map_err(failed())
    }

    /// Adds the octets to the file after `at` octets, or at its end.
    fn join(&self, at: Option<u64>) -> Result<(), Refusal> {
        let failed = || Refusal::store(&self.path);
        let mut alone = self.target.alone();
        match self.place.open(&self.home, &self.path).map_err(failed())? {
            None if at.is_some() => return Err(Refusal::Replaced(self.path.clone())),
            None => {
                self.part.file.sync_data().map_err(failed())?;
                self.become_the_file(&alone)?;
            }
            Some((file, metadata)) => {
                let length = metadata.len();
                if at.is_some() && !self.place.is_unchanged(&metadata) {
                    return Err(Refusal::Replaced(self.path.clone()));
                }
                match at.filter(|at| *at < length) {
                    Some(at) => self.rebuild(&file, &metadata, at)?,
                    None => join::append(&file.into_std(), length, &self.tail()?).map_err(failed())?,
                }
                self.part.remove().map_err(failed())?;
            }
        }
        alone.note_append();
        Ok(())
    }

    /// The file up to `at`, then the octets, as one new file.
    fn rebuild(&self, file: &File, metadata: &Metadata, at: u64) -> Result<(), Refusal> {
        let failed = || Refusal::store(&self.path);
        let fresh = parts::create_append(&self.home).map_err(failed())?;
        let base = file.try_clone().and_then(|base| Ok((base.into_std(), fresh.file.try_clone()?.into_std())));
        let (base, into) = base.map_err(failed())?;
        let built = join::rebuild(&into, &base, at, &self.tail()?).and_then(|()| {
            fresh.file.set_permissions(metadata.permissions())?;
            fresh.rename_to(&self.place.parent, &self.place.name)
        });
        if built.is_err() {
            fresh.remove().map_err(failed())?;
        }
        built.and_then(|()| sync_dir(&self.place.parent)).map_err(failed())
    }

    fn tail(&self) -> Result<std::fs::File, Refusal> {
        Ok(self.part.file.try_clone().map_err(Refusal::store(&self.path))?.into_std())
    }
}

/// Where an upload will end.
#[derive(Debug)]
struct Place {
    /// Held open, so that renaming a directory above does not move the upload's end elsewhere.
    parent: Dir,
    name: OsString,
    /// The file that has the name at the beginning.
    whole: Option<Metadata>,
}

impl Place {
    fn find(home: &Home, path: &VirtualPath) -> Result<Self, Refusal> {
        let name = path.name().ok_or_else(|| Refusal::StoreName(path.clone()))?;
        let parent = home.root().open_dir(path.parent().relative()).map_err(Refusal::store(path))?;
        let whole = match home.root().metadata(path.relative()) {
            Ok(metadata) if metadata.is_file() => Some(metadata),
            Ok(_) => return Err(Refusal::StoreName(path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.check_new_name()?;
                None
            }
            Err(error) => return Err(Refusal::store(path)(error)),
        };
        Ok(Self { parent, name: name.into(), whole })
    }

    fn into_upload(self, home: &Home, path: &VirtualPath, part: Part, end: End) -> Result<Upload, Refusal> {
        let failed = || Refusal::store(path);
        let directory = self.parent.dir_metadata().map_err(failed())?;
        if directory.dev() != part.device().map_err(failed())? {
            part.remove().map_err(failed())?;
            return Err(failed()(io::ErrorKind::CrossesDevices.into()));
        }
        let key = Key { directory: (directory.dev(), directory.ino()), name: self.name.clone() };
        let target = home.volume().targets().enter(key);
        Ok(Upload { home: home.clone(), path: path.clone(), part, place: self, target, end })
    }

    /// The file that has the name now, locked against pods that share the volume.
    fn open(&self, home: &Home, path: &VirtualPath) -> io::Result<Option<(File, Metadata)>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let Some(named) = existing(self.parent.symlink_metadata(&self.name))? else { return Ok(None) };
        if !named.is_file() && !named.is_symlink() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = if named.is_symlink() {
            home.root().open_with(path.relative(), &options)?
        } else {
            self.parent.open_with(&self.name, options.follow(cap_fs_ext::FollowSymlinks::No))?
        };
        flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive)?;
        let metadata = file.metadata()?;
        // Between the two, another pod may have given the name to another file.
        let still = self.parent.symlink_metadata(&self.name)?;
        if still.ino() != named.ino() || !(named.is_symlink() || named.ino() == metadata.ino()) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Some((file, metadata)))
    }

    fn is_unchanged(&self, now: &Metadata) -> bool {
        let marks = |file: &Metadata| (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
        self.whole.as_ref().is_some_and(|before| marks(before) == marks(now))
    }
}

fn existing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
