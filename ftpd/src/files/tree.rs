//! `LIST -R`: the directories that a listing goes down into, in the order of `ls -R`.
//!
//! What waits are names, one sorted list for each level, and no directory above is held open: so a tree costs little
//! memory and no descriptors, however slowly the client reads.

use std::{ffi::OsString, os::unix::ffi::OsStrExt as _, vec};

use cap_std::fs::Dir;

use super::{Home, Refusal, VirtualPath, facts::Entry};

/// Deeper than people build trees, and shallow enough that the kernel's `PATH_MAX` is not what ends the listing.
const MAX_DEPTH: usize = 32;
/// A second or two of work for the volume. A client that wants more can list the directories one by one.
const MAX_ENTRIES: usize = 100_000;
/// Directories that are known and not yet listed: what bounds the memory, some 300 octets each at the most.
const MAX_WAITING: usize = 10_000;

/// How far a recursive listing has come.
#[derive(Debug)]
pub(super) struct Tree {
    home: Home,
    /// The directory that is being listed, and those in it that were seen so far.
    path: VirtualPath,
    below: Vec<OsString>,
    /// What waits, the deepest level last.
    levels: Vec<(VirtualPath, vec::IntoIter<OsString>)>,
    entries: usize,
    waiting: usize,
    unread: usize,
}

/// The next directory of a tree.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) dir: Dir,
    pub(super) path: VirtualPath,
    /// Its path below the directory that was asked for, as octets.
    pub(super) below: Vec<u8>,
}

impl Tree {
    pub(super) fn new(home: Home, path: VirtualPath) -> Self {
        Self { home, path, below: Vec::new(), levels: Vec::new(), entries: 0, waiting: 0, unread: 0 }
    }

    /// Takes note of entries of the present directory. Links are not followed: they could lead round in circles.
    pub(super) fn note(&mut self, dir: &Dir, entries: &[Entry]) -> Result<(), Refusal> {
        let is_own = |entry: &&Entry| {
            entry.metadata.is_dir() && dir.symlink_metadata(&entry.name).is_ok_and(|itself| itself.is_dir())
        };
        let directories = entries.iter().filter(is_own).map(|entry| entry.name.clone());
        let before = self.below.len();
        self.below.extend(directories);
        self.waiting += self.below.len() - before;
        self.entries += entries.len();
        let is_deepest = self.levels.len() + 1 >= MAX_DEPTH && !self.below.is_empty();
        if is_deepest || self.entries > MAX_ENTRIES || self.waiting > MAX_WAITING {
            return Err(Refusal::TreeTooLarge);
        }
        Ok(())
    }

    /// How many directories could not be opened, and so are missing.
    pub(super) fn unread(&self) -> usize {
        self.unread
    }

    /// The directory after the present one, which has been listed whole.
    pub(super) fn next(&mut self) -> Option<Next> {
        let mut below = std::mem::take(&mut self.below);
        below.sort_unstable();
        self.levels.push((self.path.clone(), below.into_iter()));
        loop {
            let (parent, names) = self.levels.last_mut()?;
            let Some(name) = names.next() else {
                self.levels.pop();
                continue;
            };
            self.waiting -= 1;
            let opened = parent.join(name.as_bytes()).map_err(Refusal::from);
            match opened.and_then(|path| self.home.open_dir(&path).map(|dir| (path, dir))) {
                Ok((path, dir)) => {
                    let below = self.below_root(&path);
                    self.path = path.clone();
                    return Some(Next { dir, path, below });
                }
                Err(_) => self.unread += 1,
            }
        }
    }

    fn below_root(&self, path: &VirtualPath) -> Vec<u8> {
        let root = self.levels.first().map(|(root, _)| root.clone()).unwrap_or_default();
        let octets = path.octets();
        let begin = if root.is_root() { 0 } else { root.octets().len() };
        octets.get(begin + 1..).unwrap_or_default().to_vec()
    }
}
