//! The volume, and in it the one directory that a session can reach.

use std::{
    collections::BTreeMap,
    io,
    os::fd::AsFd,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use cap_std::{
    ambient_authority,
    fs::{Dir, DirBuilder, DirBuilderExt as _, File, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _},
};
use rustix::fs::{Mode, Timespec, Timestamps, UTIME_OMIT};

use super::{
    path::{BadPath, VirtualPath},
    refusal::Refusal,
    targets::Targets,
};

/// New directories: their group may look, for pods that share the volume by group.
const DIRECTORY_MODE: u32 = 0o750;

/// Everybody's files.
#[derive(Clone, Debug)]
pub(crate) struct Volume(Arc<Everything>);

#[derive(Debug)]
struct Everything {
    dir: Dir,
    targets: Arc<Targets>,
    /// Every home that was opened, by its path, and whose: unfinished uploads lie in them.
    homes: Mutex<BTreeMap<String, String>>,
    /// Unfinished uploads were looked for to make space, and there was none.
    no_more_parts: AtomicBool,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error("its path is unusable: {0}")]
    Path(#[from] BadPath),
    #[error("failed to open or make it: {0}")]
    Io(#[from] io::Error),
}

impl Volume {
    /// Opens the volume: the only path of this process that is not confined.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        let (targets, homes, no_more_parts) = Default::default();
        Ok(Self(Arc::new(Everything { dir, targets, homes, no_more_parts })))
    }

    /// Opens the home of an account, and makes it if this is the first login.
    pub(crate) fn home(&self, home: &str, user: &str) -> Result<Home, HomeError> {
        let path = VirtualPath::root().join(home)?;
        match self.0.dir.open_dir(path.relative()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_home(&path)?,
            opened => drop(opened?),
        }
        self.existing_home(home, user)
    }

    /// Creates a home and the directories above it, and syncs all of them: without, a file that was answered 226 could
    /// be lost with its directory.
    fn make_home(&self, path: &VirtualPath) -> io::Result<()> {
        self.0.dir.create_dir_with(path.relative(), DirBuilder::new().recursive(true).mode(DIRECTORY_MODE))?;
        let mut above = path.clone();
        while !above.is_root() {
            above = above.parent();
            sync_dir(&self.0.dir.open_dir(above.relative())?)?;
        }
        Ok(())
    }

    /// The home, if it is there already.
    pub(crate) fn existing_home(&self, home: &str, user: &str) -> Result<Home, HomeError> {
        let path = VirtualPath::root().join(home)?;
        let root = self.0.dir.open_dir(path.relative())?;
        if self.homes().insert(home.to_owned(), user.to_owned()).is_none() {
            self.note_part();
        }
        Ok(Home(Arc::new(Inner { volume: self.clone(), root, user: user.to_owned() })))
    }

    /// Every home that was opened since the start and is still there.
    pub(super) fn known_homes(&self) -> Vec<Home> {
        let homes = self.homes().clone();
        homes.iter().filter_map(|(home, user)| self.existing_home(home, user).ok()).collect()
    }

    pub(super) fn targets(&self) -> &Arc<Targets> {
        &self.0.targets
    }

    /// Unfinished uploads were looked for in vain, and none was left since.
    pub(super) fn has_no_more_parts(&self) -> bool {
        self.0.no_more_parts.load(Ordering::Relaxed)
    }

    pub(super) fn note_no_more_parts(&self) {
        self.0.no_more_parts.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_part(&self) {
        self.0.no_more_parts.store(false, Ordering::Relaxed);
    }

    fn homes(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The root of a session. Every name is resolved below this descriptor by the kernel (`RESOLVE_BENEATH`), so neither
/// `..` nor a link leads outside, whatever changes in the meantime.
#[derive(Clone, Debug)]
pub(crate) struct Home(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    volume: Volume,
    root: Dir,
    user: String,
}

impl Home {
    pub(super) fn root(&self) -> &Dir {
        &self.0.root
    }

    pub(super) fn volume(&self) -> &Volume {
        &self.0.volume
    }

    pub(super) fn user(&self) -> &str {
        &self.0.user
    }

    /// What `path` is, links followed.
    pub(crate) fn metadata(&self, path: &VirtualPath) -> Result<Metadata, Refusal> {
        self.root().metadata(path.relative()).map_err(Refusal::file(path))
    }

    /// Proves that a session may stand in `path`.
    pub(crate) fn enter(&self, path: &VirtualPath) -> Result<(), Refusal> {
        self.open_dir(path).map(drop)
    }

    pub(super) fn open_dir(&self, path: &VirtualPath) -> Result<Dir, Refusal> {
        self.root().open_dir(path.relative()).map_err(Refusal::file(path))
    }

    /// Opens a regular file for reading.
    pub(super) fn open_file(&self, path: &VirtualPath) -> Result<(File, Metadata), Refusal> {
        let (file, metadata) = self.open_any(path)?;
        if metadata.is_dir() { Err(Refusal::IsDirectory(path.clone())) } else { Ok((file, metadata)) }
    }

    /// Opens a regular file or a directory, so that whatever is done with it cannot hit another of its name.
    fn open_any(&self, path: &VirtualPath) -> Result<(File, Metadata), Refusal> {
        // Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = self
            .root()
            .open_with(path.relative(), OpenOptions::new().read(true).custom_flags(flags))
            .map_err(Refusal::file(path))?;
        let metadata = file.metadata().map_err(Refusal::file(path))?;
        if metadata.is_file() || metadata.is_dir() {
            Ok((file, metadata))
        } else {
            Err(Refusal::NotRegular(path.clone()))
        }
    }

    /// RFC 959 MKD.
    pub(crate) fn make_dir(&self, path: &VirtualPath) -> Result<(), Refusal> {
        path.check_new_name()?;
        let mut builder = DirBuilder::new();
        builder.mode(DIRECTORY_MODE);
        self.root().create_dir_with(path.relative(), &builder).map_err(Refusal::file(path))?;
        self.sync_entry(path).map_err(Refusal::file(path))
    }

    /// Brings to the disk that `path` is there, or not there any more.
    fn sync_entry(&self, path: &VirtualPath) -> io::Result<()> {
        sync_dir(&self.root().open_dir(path.parent().relative())?)
    }

    /// RFC 959 RMD.
    pub(crate) fn remove_dir(&self, path: &VirtualPath) -> Result<(), Refusal> {
        not_root(path)?;
        self.root().remove_dir(path.relative()).map_err(Refusal::file(path))
    }

    /// Whether RNFR may name `path`. A link that leads nowhere can be renamed too.
    pub(crate) fn renamable(&self, path: &VirtualPath) -> Result<(), Refusal> {
        not_root(path)?;
        self.root().symlink_metadata(path.relative()).map(drop).map_err(Refusal::file(path))
    }

    /// RFC 959 RNTO.
    pub(crate) fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), Refusal> {
        not_root(to)?;
        to.check_new_name()?;
        self.root().rename(from.relative(), self.root(), to.relative()).map_err(Refusal::store(to))?;
        // The new name first: after a crash between the two the file has both, and not none.
        self.sync_entry(to).map_err(Refusal::store(to))?;
        if from.parent() == to.parent() { Ok(()) } else { self.sync_entry(from).map_err(Refusal::store(to)) }
    }

    /// Sets when `path` was last modified, in seconds since 1970.
    pub(crate) fn set_modified(&self, path: &VirtualPath, seconds: i64) -> Result<(), Refusal> {
        let (file, _) = self.open_any(path)?;
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: seconds, tv_nsec: 0 },
        };
        rustix::fs::futimens(file.as_fd(), &times).map_err(|error| Refusal::file(path)(error.into()))
    }

    /// Sets the permission bits of `path` and tells all that it has then. This process is the owner, so the owner keeps
    /// access: an account that shuts itself out could not undo it. Set-id and sticky bits stay: they are the
    /// administrator's, and a directory's make what is created in it belong to the volume's group.
    pub(crate) fn set_mode(&self, path: &VirtualPath, wanted: u32) -> Result<u32, Refusal> {
        let (file, metadata) = self.open_any(path)?;
        let owner = if metadata.is_dir() { 0o700 } else { 0o600 };
        let mode = (metadata.mode() & 0o7000) | (wanted & 0o777) | owner;
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode))
            .map_err(|error| Refusal::file(path)(error.into()))?;
        Ok(mode)
    }
}

/// A descriptor of its own: the one that names are resolved by (`O_PATH`) cannot be synced.
pub(super) fn sync_dir(dir: &Dir) -> io::Result<()> {
    dir.open(".")?.sync_all()
}

/// Refuses the root, which nothing may remove or rename.
pub(super) fn not_root(path: &VirtualPath) -> Result<(), Refusal> {
    if path.is_root() { Err(Refusal::Root(path.clone())) } else { Ok(()) }
}
