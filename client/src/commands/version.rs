//! The version of a remote file, and the comparison of its beginning with a local file.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    str::FromStr,
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{
    failure::{LocalError, Result},
    session::{CHUNK, CommandLine, Session, modified, size},
    url::RemotePath,
};

/// A version of a file: its size and its time, as far as the server reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: Option<u64>,
    pub(super) time: Option<Timestamp>,
}

/// The text is not a version.
#[derive(Debug)]
pub(super) struct NoVersion;

impl Version {
    /// Asks the server for the current version of a file.
    pub(super) async fn ask(session: &mut Session, path: &RemotePath) -> Result<Self> {
        let about = |verb| CommandLine::with(verb, path.argument().as_ref());
        let size = size(&session.ask(&about("SIZE")).await?);
        let time = modified(&session.ask(&about("MDTM")).await?);
        Ok(Self { size, time })
    }
}

/// `SIZE TIME`, with a hyphen for what the server did not report.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size {
            Some(size) => write!(f, "{size} ")?,
            None => f.write_str("- ")?,
        }
        match self.time {
            Some(time) => write!(f, "{time}"),
            None => f.write_str("-"),
        }
    }
}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        fn field<T: FromStr>(text: &str) -> Result<Option<T>, NoVersion> {
            if text == "-" { Ok(None) } else { text.parse().map(Some).map_err(|_| NoVersion) }
        }
        let (size, time) = text.trim_end().split_once(' ').ok_or(NoVersion)?;
        Ok(Self { size: field(size)?, time: field(time)? })
    }
}

/// Compares the first `length` octets of the local and the remote file by SHA-256; `None` where the server has no HASH.
/// Moves the position in the local file.
pub(super) async fn have_same_beginning(
    session: &mut Session,
    path: &RemotePath,
    here: (&mut File, &Path),
    length: u64,
) -> Result<Option<bool>> {
    let Some(there) = session.file_hash(path, length).await? else { return Ok(None) };
    let (file, name) = here;
    let here = hash(file, length).map_err(LocalError::file("read", name))?;
    Ok(Some(here == there))
}

fn hash(file: &mut File, length: u64) -> io::Result<[u8; 32]> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut rest = file.take(length);
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_version_is_read_back_from_its_text() {
        for text in ["12 2026-01-01T00:00:00.25Z", "- 2026-01-01T00:00:00Z", "12 -", "- -"] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        for text in ["", "12", "x -", "12 now", "-1 -"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_hash_starts_at_octet_0_at_any_file_position() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        assert_eq!(hash(&mut file, 3).unwrap(), <[u8; 32]>::from(Sha256::digest(b"abc")));
    }
}
