//! The end of APPE, and of REST and STOR onto a file that is there: the tail, which was written aside, joins the file.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// Writes `tail` behind the `length` octets of `base`, and both are on the disk. If that fails, `base` is as long as it
/// was.
pub(super) fn append(mut base: &File, length: u64, tail: &File) -> io::Result<()> {
    base.seek(SeekFrom::Start(length))?;
    let joined = copy(tail, base).and_then(|()| base.sync_data());
    if joined.is_err() {
        base.set_len(length)?;
    }
    joined
}

/// Fills the empty file `fresh` with the first `length` octets of `base` and with `tail`. The beginning shares its
/// blocks with `base` where the file system can do that.
pub(super) fn rebuild(mut fresh: &File, mut base: &File, length: u64, tail: &File) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(fresh, base).is_ok() {
        fresh.set_len(length)?;
    } else {
        base.seek(SeekFrom::Start(0))?;
        io::copy(&mut base.take(length), &mut fresh)?;
    }
    fresh.seek(SeekFrom::Start(length))?;
    copy(tail, fresh)?;
    fresh.sync_data()
}

/// By `copy_file_range`, so that the octets stay in the kernel, or on the file server.
fn copy(mut tail: &File, mut into: &File) -> io::Result<()> {
    tail.seek(SeekFrom::Start(0))?;
    io::copy(&mut tail, &mut into).map(drop)
}
