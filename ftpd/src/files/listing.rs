//! LIST, NLST and MLSD: a directory read piece by piece, so that a million entries take no more memory than a thousand.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt as _,
    time::SystemTime,
};

use cap_std::fs::{Dir, ReadDir};

use super::{
    Home, Refusal, VirtualPath,
    facts::{Entry, Facts, Rights},
    path::PARTS_DIR,
    pattern::Pattern,
    tree::{Next, Tree},
    work::Cancelled,
};
use crate::name_encoding::NameEncoding;

/// Entries that are read in one go. A directory of at most so many is listed in the order of names, a larger one in
/// the order of names within each go.
const BATCH: usize = 2048;

/// How one line looks.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// LIST.
    Long,
    /// NLST: the directory that was asked for goes in front of each name, so that the client can send the lines back as
    /// they are (RFC 1123 §4.1.2.7).
    Names,
    /// MLSD.
    Facts { facts: Facts, rights: Rights },
}

/// What a client wants listed, and how.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) form: Form,
    /// The path as the client gave it.
    pub(crate) asked: Vec<u8>,
    /// Whether directories are gone down into. Patterns name what they fit and nothing below.
    pub(crate) recursive: bool,
    /// How the client reads names.
    pub(crate) names: NameEncoding,
}

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing {
    wanted: Wanted,
    path: VirtualPath,
    /// Only names that fit, where the client gave a pattern.
    pattern: Option<Pattern>,
    source: Source,
    tree: Option<Box<Tree>>,
    /// The line with the name of the directory whose entries come next, as `ls -R` has it.
    header: Vec<u8>,
    /// What goes in front of each name of an NLST.
    prefix: Vec<u8>,
    now: i64,
}

#[derive(Debug)]
enum Source {
    Directory(Dir, Box<ReadDir>),
    Single(Box<Entry>),
    Finished,
}

/// Opens what is to be listed. A file is listed as its own only entry, but for MLSD (RFC 3659 §7.2.1).
pub(crate) fn open(home: &Home, path: &VirtualPath, wanted: Wanted) -> Result<Listing, Refusal> {
    match (home.metadata(path), &wanted.form) {
        (Ok(metadata), _) if metadata.is_dir() => directory(home, path, wanted),
        (Ok(_), Form::Facts { .. }) => Err(Refusal::file(path)(io::ErrorKind::NotADirectory.into())),
        (Ok(metadata), _) => {
            let name = path.name().unwrap_or_default().to_owned();
            Ok(Listing::new(wanted, path, Source::Single(Box::new(Entry { name, metadata })), None))
        }
        (Err(error), Form::Facts { .. }) => Err(error),
        (Err(error), _) => matching(home, path, wanted, error),
    }
}

fn directory(home: &Home, path: &VirtualPath, wanted: Wanted) -> Result<Listing, Refusal> {
    let tree = wanted.recursive.then(|| Box::new(Tree::new(home.clone(), path.clone())));
    let mut listing = Listing::new(wanted, path, entries(home.open_dir(path)?, path)?, tree);
    listing.prefix = prefix(&listing.wanted.asked, true);
    if listing.tree.is_some() && matches!(listing.wanted.form, Form::Long) {
        listing.header = [heading(&listing.wanted.asked).as_slice(), b":\r\n"].concat();
    }
    Ok(listing)
}

/// `mget *.txt` of old clients comes as `NLST *.txt`.
fn matching(home: &Home, path: &VirtualPath, wanted: Wanted, error: Refusal) -> Result<Listing, Refusal> {
    let Some(pattern) = Pattern::parse(path.name().unwrap_or_default())? else { return Err(error) };
    let parent = path.parent();
    let source = entries(home.open_dir(&parent)?, &parent)?;
    Ok(Listing { pattern: Some(pattern), ..Listing::new(wanted, &parent, source, None) })
}

fn entries(dir: Dir, path: &VirtualPath) -> Result<Source, Refusal> {
    let entries = dir.entries().map_err(Refusal::file(path))?;
    Ok(Source::Directory(dir, Box::new(entries)))
}

impl Listing {
    fn new(wanted: Wanted, path: &VirtualPath, source: Source, tree: Option<Box<Tree>>) -> Self {
        let prefix = prefix(&wanted.asked, false);
        Self { wanted, path: path.clone(), pattern: None, source, tree, header: Vec::new(), prefix, now: now() }
    }

    /// The next lines, with their ends, of one directory at the most. None of a batch may fit the pattern:
    /// [`Self::is_finished`] reports the end. It blocks on the volume; once cancelled it stops early, with what it has.
    pub(crate) fn next_batch(&mut self, cancelled: &Cancelled) -> Result<Vec<u8>, Refusal> {
        let (header, prefix, names) = (std::mem::take(&mut self.header), self.prefix.clone(), self.wanted.names);
        let mut lines = names.encode(&header).into_owned();
        for entry in self.batch(cancelled)? {
            lines.extend_from_slice(&names.encode(&self.line(&prefix, &entry)));
            lines.extend_from_slice(b"\r\n");
        }
        Ok(lines)
    }

    /// Whether nothing is left.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.source, Source::Finished)
    }

    /// How many directories of the tree could not be read, and so are missing.
    pub(crate) fn unread(&self) -> usize {
        self.tree.as_ref().map_or(0, |tree| tree.unread())
    }

    fn batch(&mut self, cancelled: &Cancelled) -> Result<Vec<Entry>, Refusal> {
        let pattern = self.pattern.as_ref();
        match std::mem::replace(&mut self.source, Source::Finished) {
            Source::Finished => Ok(Vec::new()),
            Source::Single(entry) => Ok(vec![*entry]),
            Source::Directory(dir, mut entries) => {
                let names = next_names(&mut entries, pattern, cancelled);
                let (names, more) = names.map_err(Refusal::file(&self.path))?;
                let wanted = names.into_iter().take_while(|_| !cancelled.is_set());
                let batch: Vec<Entry> = wanted.filter_map(|name| entry(&dir, name)).collect();
                if let Some(tree) = &mut self.tree {
                    tree.note(&dir, &batch)?;
                }
                if more {
                    self.source = Source::Directory(dir, entries);
                } else {
                    self.go_down()?;
                }
                Ok(batch)
            }
        }
    }

    /// To the next directory of the tree, if there is a tree and one is left.
    fn go_down(&mut self) -> Result<(), Refusal> {
        let Some(Next { dir, path, below }) = self.tree.as_mut().and_then(|tree| tree.next()) else { return Ok(()) };
        match self.wanted.form {
            Form::Long => self.header = [b"\r\n", under(&self.wanted.asked, &below).as_slice(), b":\r\n"].concat(),
            Form::Names | Form::Facts { .. } => {
                self.prefix = [prefix(&self.wanted.asked, true).as_slice(), &below, b"/"].concat();
            }
        }
        self.source = entries(dir, &path)?;
        self.path = path;
        Ok(())
    }

    fn line(&self, prefix: &[u8], entry: &Entry) -> Vec<u8> {
        match &self.wanted.form {
            Form::Long => entry.long_line(self.now),
            Form::Names => [prefix, entry.name.as_bytes()].concat(),
            Form::Facts { facts, rights } => entry.facts_line(facts, *rights),
        }
    }
}

fn next_names(
    entries: &mut ReadDir,
    pattern: Option<&Pattern>,
    cancelled: &Cancelled,
) -> io::Result<(Vec<OsString>, bool)> {
    let mut names = Vec::new();
    for _ in (0..BATCH).take_while(|_| !cancelled.is_set()) {
        let Some(entry) = entries.next() else {
            names.sort_unstable();
            return Ok((names, false));
        };
        let name = Some(entry?.file_name()).filter(|name| can_be_listed(name));
        names.extend(name.filter(|name| pattern.is_none_or(|pattern| pattern.fits(name))));
    }
    names.sort_unstable();
    Ok((names, true))
}

/// A name with a line end in it could be neither listed nor asked for.
fn can_be_listed(name: &OsStr) -> bool {
    name != PARTS_DIR && !name.as_bytes().iter().any(|octet| matches!(octet, b'\r' | b'\n'))
}

/// What the name leads to; where it leads nowhere, or outside, the link itself. `None`: gone in the meantime.
fn entry(dir: &Dir, name: OsString) -> Option<Entry> {
    let itself = dir.symlink_metadata(&name).ok()?;
    let metadata = if itself.is_symlink() { dir.metadata(&name).unwrap_or(itself) } else { itself };
    Some(Entry { name, metadata })
}

/// How the directory that was asked for is called above its entries.
fn heading(asked: &[u8]) -> Vec<u8> {
    match asked.strip_suffix(b"/") {
        None if asked.is_empty() => b".".to_vec(),
        Some(stripped) if !stripped.is_empty() => stripped.to_vec(),
        _ => asked.to_vec(),
    }
}

/// The same for a directory below it.
fn under(asked: &[u8], below: &[u8]) -> Vec<u8> {
    let heading = heading(asked);
    [heading.strip_suffix(b"/").unwrap_or(&heading), b"/", below].concat()
}

/// What goes in front of a name so that it leads from where the client stands.
fn prefix(asked: &[u8], of_directory: bool) -> Vec<u8> {
    match asked.iter().rposition(|octet| *octet == b'/') {
        _ if asked == b"." => Vec::new(),
        _ if of_directory && !asked.is_empty() && !asked.ends_with(b"/") => [asked, b"/"].concat(),
        Some(slash) => asked.get(..=slash).unwrap_or_default().to_vec(),
        None => Vec::new(),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Volume;

    #[test]
    fn names_of_a_listing_lead_from_where_the_client_stands() {
        let all = [("", true), (".", true), ("d", true), ("d/", true), ("/", true), ("d/*.c", false), ("f", false)];
        let prefixes =
            all.map(|(asked, of_directory)| String::from_utf8(prefix(asked.as_bytes(), of_directory)).unwrap());
        assert_eq!(prefixes, ["", "", "d/", "d/", "/", "d/", ""]);
    }

    #[test]
    fn a_cancelled_listing_reads_no_further() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "").unwrap();
        let home = Volume::open(directory.path()).unwrap().home("", "alice").unwrap();
        let open = || {
            let names = NameEncoding::default();
            let wanted = Wanted { form: Form::Names, asked: Vec::new(), recursive: false, names };
            open(&home, &VirtualPath::root(), wanted).unwrap()
        };
        let cancelled = Cancelled::default();
        assert_eq!(open().next_batch(&cancelled).unwrap(), b"file\r\n");
        cancelled.set();
        assert_eq!(open().next_batch(&cancelled).unwrap(), b"");
    }
}
