//! RETR: an opened file at the octet where the transfer begins.

use std::{
    io::{Seek as _, SeekFrom},
    os::fd::OwnedFd,
};

use super::{Home, Refusal, VirtualPath};

/// A file ready to be read by the gateway.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) file: OwnedFd,
    /// Of the whole file.
    pub(crate) length: u64,
}

/// Opens `path` positioned at `start`, which may be the file's end but not beyond.
pub(crate) fn open(home: &Home, path: &VirtualPath, start: u64) -> Result<Download, Refusal> {
    let (file, metadata) = home.open_file(path)?;
    let mut file = file.into_std();
    let length = metadata.len();
    if start > length {
        return Err(Refusal::RestartTooFar { wanted: start, length });
    }
    if start > 0 {
        file.seek(SeekFrom::Start(start)).map_err(Refusal::file(path))?;
    }
    Ok(Download { file: file.into(), length })
}
