//! What a name stands for: SIZE, MDTM, MLST and HASH all speak of the same thing, the one that REST continues.

use std::io;

use cap_std::fs::{File, Metadata};

use super::{
    Home, Refusal, VirtualPath,
    parts::{self, Found, Part},
};

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Standing {
    /// A file, directory or whatever else has the name. RETR sends it, so its size must be the one that SIZE tells
    /// (RFC 3659 §4), also while a newer upload of the name lies unfinished.
    Whole(Metadata),
    /// Nothing has the name, and REST and STOR would continue this upload.
    Part(Part, Metadata),
}

/// Finds what `path` stands for. While all parts of a name without a file are being written, that is
/// [`Refusal::Busy`].
pub(crate) fn of(home: &Home, path: &VirtualPath) -> Result<Standing, Refusal> {
    let missing = match home.metadata(path) {
        Ok(metadata) => return Ok(Standing::Whole(metadata)),
        Err(Refusal::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => source,
        Err(refusal) => return Err(refusal),
    };
    match parts::newest(home, path, None).map_err(Refusal::file(path))? {
        Found::Part(part) => {
            let metadata = part.file.metadata().map_err(Refusal::file(path))?;
            Ok(Standing::Part(part, metadata))
        }
        Found::InUse => Err(Refusal::Busy(path.clone())),
        Found::Nothing => Err(Refusal::file(path)(missing)),
    }
}

impl Standing {
    pub(crate) fn metadata(&self) -> &Metadata {
        match self {
            Self::Whole(metadata) | Self::Part(_, metadata) => metadata,
        }
    }

    /// The octets that REST counts: those of a regular file or of a part.
    pub(crate) fn open(self, home: &Home, path: &VirtualPath) -> Result<Octets, Refusal> {
        match self {
            Self::Whole(_) => {
                let (file, metadata) = home.open_file(path)?;
                Ok(Octets { file, length: metadata.len(), _part: None })
            }
            Self::Part(part, metadata) => {
                let file = part.file.try_clone().map_err(Refusal::file(path))?;
                Ok(Octets { file, length: metadata.len(), _part: Some(part) })
            }
        }
    }
}

/// An opened file or part.
#[derive(Debug)]
pub(crate) struct Octets {
    pub(crate) file: File,
    pub(crate) length: u64,
    /// Held, so that nobody continues the part while it is read.
    _part: Option<Part>,
}
