//! HASH: the SHA-256 of a file, or of an unfinished upload, or of a range of either.

use cap_std::fs::FileExt as _;
use sha2::{Digest as _, Sha256};

use super::{
    Home, Refusal, VirtualPath,
    standing::{self, Octets},
};

/// Octets read in one step. Between two steps others have their turn, and work that nobody waits for any more ends.
const STEP: u64 = 16 << 20;
/// Octets read at once.
const CHUNK: usize = 256 << 10;

/// Octets from the first to the last, both included (draft-bryan-ftp-range-08 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A hash under way.
#[derive(Debug)]
pub(crate) struct Hashing {
    path: VirtualPath,
    octets: Octets,
    state: Sha256,
    range: Range,
    next: u64,
    /// After the last octet.
    end: u64,
}

impl Hashing {
    /// Opens what `path` stands for, to hash `range` of it or all.
    pub(crate) fn begin(home: &Home, path: &VirtualPath, range: Option<Range>) -> Result<Self, Refusal> {
        let standing = standing::of(home, path)?;
        if standing.metadata().is_dir() {
            return Err(Refusal::StoreName(path.clone()));
        }
        let octets = standing.open(home, path)?;
        let length = octets.length;
        if let Some(range) = range.filter(|range| range.last >= length) {
            return Err(Refusal::RangeTooFar { last: range.last, length });
        }
        let end = range.map_or(length, |range| range.last + 1);
        // Of an empty file all that the syntax can name is octet 0.
        let range = range.unwrap_or(Range { first: 0, last: end.saturating_sub(1) });
        Ok(Self { path: path.clone(), octets, state: Sha256::new(), range, next: range.first, end })
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.next >= self.end
    }

    /// Hashes the next octets. It blocks on the volume.
    pub(crate) fn step(mut self) -> Result<Self, Refusal> {
        let mut buffer = vec![0; CHUNK];
        let end = self.end.min(self.next.saturating_add(STEP));
        while self.next < end {
            let wanted = usize::try_from(end - self.next).map_or(CHUNK, |left| left.min(CHUNK));
            let space = buffer.get_mut(..wanted).unwrap_or_default();
            let read = self.octets.file.read_at(space, self.next).map_err(Refusal::file(&self.path))?;
            if read == 0 {
                return Err(Refusal::Changed(self.path));
            }
            self.state.update(buffer.get(..read).unwrap_or_default());
            self.next += read as u64;
        }
        Ok(self)
    }

    /// `SHA-256 0-49 169c... /name` (draft-bryan-ftpext-hash-02 §3).
    pub(crate) fn into_line(self) -> Vec<u8> {
        let Self { path, state, range, .. } = self;
        let line = format!("SHA-256 {}-{} {} ", range.first, range.last, hex::encode(state.finalize()));
        [line.as_bytes(), &path.octets()].concat()
    }
}
