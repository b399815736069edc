//! STOR and APPE: a part is written by the gateway and takes the real name only when it is whole.

use std::{
    ffi::OsString,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::fd::{AsFd as _, BorrowedFd},
};

use cap_std::{
    fs::{Dir, Metadata, Permissions},
    time::SystemTime,
};

use super::{
    Home, Refusal, VirtualPath,
    parts::{self, Found, Part},
};

/// A part under way, and the place that waits for it.
#[derive(Debug)]
pub(crate) struct Upload {
    part: Part,
    /// Held open, so that renaming a directory above does not move the upload's end elsewhere.
    parent: Dir,
    name: OsString,
    path: VirtualPath,
    /// Of the file that is replaced: whoever was let in by its permissions stays so.
    permissions: Option<Permissions>,
}

/// Begins STOR at `start`, as REST gave it.
pub(crate) fn store(home: &Home, path: &VirtualPath, start: u64) -> Result<Upload, Refusal> {
    let place = Place::find(home, path)?;
    let part = if start == 0 { fresh(home, path)? } else { continued(home, path, &place, start)? };
    Ok(place.into_upload(part, path))
}

/// Begins APPE: on a copy, so that the file stays as it is until the transfer is whole.
pub(crate) fn append(home: &Home, path: &VirtualPath) -> Result<Upload, Refusal> {
    let place = Place::find(home, path)?;
    let part = fresh(home, path)?;
    if let Some(length) = place.length() {
        copy_whole(home, path, &part, length)?;
    }
    Ok(place.into_upload(part, path))
}

impl Upload {
    /// What the gateway writes to.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.part.file.as_fd()
    }

    /// Gives the part its real name. Its octets are on the disk before that, so that a crash leaves the old file or the
    /// new one and never an empty one.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        let failed = || Refusal::store(&self.path);
        if let Some(permissions) = &self.permissions {
            self.part.file.set_permissions(permissions.clone()).map_err(failed())?;
        }
        self.part.file.sync_data().map_err(failed())?;
        self.part.dir.rename(&self.part.name, &self.parent, &self.name).map_err(failed())?;
        // A descriptor of its own: the one that names are resolved by (O_PATH) cannot be synced.
        self.parent.open(".").and_then(|parent| parent.sync_all()).map_err(failed())
    }

    /// Keeps what came for a later REST, or nothing if nothing came.
    pub(crate) fn keep(&self) -> io::Result<()> {
        if self.part.length()? == 0 {
            self.part.remove()?;
        }
        Ok(())
    }
}

/// Where an upload will end.
struct Place {
    parent: Dir,
    name: OsString,
    /// The file that has the name now.
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
        Ok(Self { parent, name: name.to_owned(), whole })
    }

    fn length(&self) -> Option<u64> {
        self.whole.as_ref().map(Metadata::len)
    }

    fn modified(&self) -> Option<SystemTime> {
        self.whole.as_ref().and_then(|metadata| metadata.modified().ok())
    }

    fn into_upload(self, part: Part, path: &VirtualPath) -> Upload {
        let permissions = self.whole.map(|metadata| metadata.permissions());
        Upload { part, parent: self.parent, name: self.name, path: path.clone(), permissions }
    }
}

fn fresh(home: &Home, path: &VirtualPath) -> Result<Part, Refusal> {
    parts::create(home, path).map_err(Refusal::store(path))?.ok_or_else(|| Refusal::Busy(path.clone()))
}

/// A part, if there is one, is what the client means: it is newer than the whole file, and continuing the whole file
/// instead would join the beginning of one version to the end of another.
fn continued(home: &Home, path: &VirtualPath, place: &Place, start: u64) -> Result<Part, Refusal> {
    match parts::newest(home, path, place.modified()).map_err(Refusal::store(path))? {
        Found::Part(part) => cut(path, part, start),
        Found::InUse => Err(Refusal::Busy(path.clone())),
        Found::Nothing => continued_on_copy(home, path, place, start),
    }
}

fn cut(path: &VirtualPath, mut part: Part, start: u64) -> Result<Part, Refusal> {
    let length = part.length().map_err(Refusal::store(path))?;
    if start > length {
        return Err(Refusal::RestartTooFar { wanted: start, length });
    }
    part.file.set_len(start).map_err(Refusal::store(path))?;
    part.file.seek(SeekFrom::Start(start)).map_err(Refusal::store(path))?;
    Ok(part)
}

fn continued_on_copy(home: &Home, path: &VirtualPath, place: &Place, start: u64) -> Result<Part, Refusal> {
    let length = place.length().unwrap_or_default();
    if start > length {
        return Err(Refusal::RestartTooFar { wanted: start, length });
    }
    let part = fresh(home, path)?;
    copy_whole(home, path, &part, start)?;
    cut(path, part, start)
}

/// Shares the file's blocks with the part where the file system can, else copies the first `length` octets. The part's
/// position ends up behind them.
fn copy_whole(home: &Home, path: &VirtualPath, part: &Part, length: u64) -> Result<(), Refusal> {
    let (whole, _) = home.open_file(path)?;
    let mut into = part.file.try_clone().map_err(Refusal::store(path))?.into_std();
    if rustix::fs::ioctl_ficlone(&into, &whole).is_err() {
        io::copy(&mut whole.into_std().take(length), &mut into).map_err(Refusal::store(path))?;
    }
    into.seek(SeekFrom::End(0)).map_err(Refusal::store(path))?;
    Ok(())
}
