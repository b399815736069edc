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
    work::Cancelled,
};

/// Entries that are read in one go. A directory of at most so many is listed in the order of names, a larger one in
/// the order of names within each go.
const BATCH: usize = 2048;

/// How one line looks.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// LIST.
    Long,
    /// NLST, with the path that was asked for: its directory goes in front of each name, so that the client can send the
    /// lines back as they are (RFC 1123 §4.1.2.7).
    Names { asked: Vec<u8> },
    /// MLSD.
    Facts { facts: Facts, rights: Rights },
}

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing {
    form: Form,
    /// Only names that fit, where the client gave a pattern.
    pattern: Option<Pattern>,
    /// The path that was asked for is the directory itself, not something in it.
    of_directory: bool,
    source: Source,
    now: i64,
}

#[derive(Debug)]
enum Source {
    Directory(Dir, Box<ReadDir>),
    Single(Box<Entry>),
    Finished,
}

/// Opens what is to be listed. A file is listed as its own only entry, but for MLSD (RFC 3659 §7.2.1).
pub(crate) fn open(home: &Home, path: &VirtualPath, form: Form) -> Result<Listing, Refusal> {
    match (home.metadata(path), &form) {
        (Ok(metadata), _) if metadata.is_dir() => directory(home, path, form, None),
        (Ok(_), Form::Facts { .. }) => Err(Refusal::file(path)(io::ErrorKind::NotADirectory.into())),
        (Ok(metadata), _) => {
            let name = path.name().unwrap_or_default().to_owned();
            let source = Source::Single(Box::new(Entry { name, metadata }));
            Ok(Listing { form, pattern: None, of_directory: false, source, now: now() })
        }
        (Err(error), Form::Facts { .. }) => Err(error),
        (Err(error), _) => matching(home, path, form, error),
    }
}

fn matching(home: &Home, path: &VirtualPath, form: Form, error: Refusal) -> Result<Listing, Refusal> {
    match Pattern::parse(path.name().unwrap_or_default())? {
        Some(pattern) => directory(home, &path.parent(), form, Some(pattern)),
        None => Err(error),
    }
}

fn directory(home: &Home, path: &VirtualPath, form: Form, pattern: Option<Pattern>) -> Result<Listing, Refusal> {
    let dir = home.open_dir(path)?;
    let entries = dir.entries().map_err(Refusal::file(path))?;
    let source = Source::Directory(dir, Box::new(entries));
    Ok(Listing { form, of_directory: pattern.is_none(), pattern, source, now: now() })
}

impl Listing {
    /// The next lines, with their ends. None of a batch may fit the pattern: [`Self::is_finished`] tells the end. It
    /// blocks on the volume; once cancelled it stops early, with whatever it has.
    pub(crate) fn next_batch(&mut self, cancelled: &Cancelled) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for entry in self.batch(cancelled)? {
            lines.extend_from_slice(&self.line(&entry));
            lines.extend_from_slice(b"\r\n");
        }
        Ok(lines)
    }

    /// Whether nothing is left.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.source, Source::Finished)
    }

    fn batch(&mut self, cancelled: &Cancelled) -> io::Result<Vec<Entry>> {
        let pattern = self.pattern.as_ref();
        match std::mem::replace(&mut self.source, Source::Finished) {
            Source::Finished => Ok(Vec::new()),
            Source::Single(entry) => Ok(vec![*entry]),
            Source::Directory(dir, mut entries) => {
                let (names, more) = next_names(&mut entries, pattern, cancelled)?;
                let wanted = names.into_iter().take_while(|_| !cancelled.is_set());
                let batch = wanted.filter_map(|name| entry(&dir, name)).collect();
                if more {
                    self.source = Source::Directory(dir, entries);
                }
                Ok(batch)
            }
        }
    }

    fn line(&self, entry: &Entry) -> Vec<u8> {
        match &self.form {
            Form::Long => entry.long_line(self.now),
            Form::Names { asked } => [prefix(asked, self.of_directory).as_slice(), entry.name.as_bytes()].concat(),
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
        let open = || open(&home, &VirtualPath::root(), Form::Names { asked: Vec::new() }).unwrap();
        let cancelled = Cancelled::default();
        assert_eq!(open().next_batch(&cancelled).unwrap(), b"file\r\n");
        cancelled.set();
        assert_eq!(open().next_batch(&cancelled).unwrap(), b"");
    }
}
