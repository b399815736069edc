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
    pattern: Option<OsString>,
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

/// `mget *.txt` of old clients comes as `NLST *.txt`.
fn matching(home: &Home, path: &VirtualPath, form: Form, error: Refusal) -> Result<Listing, Refusal> {
    match path.name() {
        Some(pattern) if pattern.as_bytes().iter().any(|octet| matches!(octet, b'*' | b'?')) => {
            directory(home, &path.parent(), form, Some(pattern.to_owned()))
        }
        _ => Err(error),
    }
}

fn directory(home: &Home, path: &VirtualPath, form: Form, pattern: Option<OsString>) -> Result<Listing, Refusal> {
    let dir = home.open_dir(path)?;
    let entries = dir.entries().map_err(Refusal::file(path))?;
    let source = Source::Directory(dir, Box::new(entries));
    Ok(Listing { form, of_directory: pattern.is_none(), pattern, source, now: now() })
}

impl Listing {
    /// The next lines, with their ends; empty when all has been said. It blocks on the volume.
    pub(crate) fn next_batch(&mut self) -> io::Result<Vec<u8>> {
        while !matches!(self.source, Source::Finished) {
            let lines = self.lines()?;
            if !lines.is_empty() {
                return Ok(lines);
            }
        }
        Ok(Vec::new())
    }

    /// Whether nothing is left.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.source, Source::Finished)
    }

    fn lines(&mut self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for entry in self.batch()? {
            out.extend_from_slice(&self.line(&entry));
            out.extend_from_slice(b"\r\n");
        }
        Ok(out)
    }

    fn batch(&mut self) -> io::Result<Vec<Entry>> {
        let pattern = self.pattern.as_deref();
        match std::mem::replace(&mut self.source, Source::Finished) {
            Source::Finished => Ok(Vec::new()),
            Source::Single(entry) => Ok(vec![*entry]),
            Source::Directory(dir, mut entries) => {
                let (names, more) = next_names(&mut entries, pattern)?;
                let batch = names.into_iter().filter_map(|name| entry(&dir, name)).collect();
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

fn next_names(entries: &mut ReadDir, pattern: Option<&OsStr>) -> io::Result<(Vec<OsString>, bool)> {
    let mut names = Vec::new();
    for _ in 0..BATCH {
        let Some(entry) = entries.next() else {
            names.sort_unstable();
            return Ok((names, false));
        };
        let name = Some(entry?.file_name()).filter(|name| can_be_listed(name));
        names.extend(name.filter(|name| pattern.is_none_or(|pattern| fits(pattern, name))));
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

/// Shell patterns with `*` and `?`, in time linear in the name for each star.
fn fits(pattern: &OsStr, name: &OsStr) -> bool {
    let pattern: Vec<char> = symbols(pattern).collect();
    let mut reachable = vec![false; pattern.len() + 1];
    close_over_stars(&pattern, &mut reachable, 0);
    for character in symbols(name) {
        let mut next = vec![false; pattern.len() + 1];
        for (at, token) in pattern.iter().enumerate().filter(|(at, _)| reachable.get(*at) == Some(&true)) {
            match token {
                '*' => close_over_stars(&pattern, &mut next, at),
                token if *token == '?' || *token == character => close_over_stars(&pattern, &mut next, at + 1),
                _ => {}
            }
        }
        reachable = next;
    }
    reachable.last() == Some(&true)
}

/// What `?` stands for one of: a character, or an octet that is not part of one. Such octets get code points of a
/// private use plane, which names do not use.
fn symbols(name: &OsStr) -> impl Iterator<Item = char> {
    let stray = |octet: &u8| char::from_u32(0x10_F000 + u32::from(*octet)).unwrap_or_default();
    name.as_bytes().utf8_chunks().flat_map(move |chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(stray)))
}

/// Marks `at`, and what lies behind the stars that begin there: a star may stand for nothing.
fn close_over_stars(pattern: &[char], reachable: &mut [bool], at: usize) {
    for (position, mark) in reachable.iter_mut().enumerate().skip(at) {
        *mark = true;
        if pattern.get(position) != Some(&'*') {
            break;
        }
    }
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

    #[test]
    fn names_of_a_listing_lead_from_where_the_client_stands() {
        let all = [("", true), (".", true), ("d", true), ("d/", true), ("/", true), ("d/*.c", false), ("f", false)];
        let prefixes =
            all.map(|(asked, of_directory)| String::from_utf8(prefix(asked.as_bytes(), of_directory)).unwrap());
        assert_eq!(prefixes, ["", "", "d/", "d/", "/", "d/", ""]);
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let fits = |pattern: &str, name: &str| fits(pattern.as_ref(), name.as_ref());
        for (pattern, name) in [("*", ""), ("*.txt", "a.txt"), ("a*b*c", "axxbxbc"), ("?", "ä"), ("a**", "a")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.txt", "a.txt~"), ("?", ""), ("a*b", "ac"), ("ab", "a")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn an_octet_that_is_not_utf8_is_one_character_of_a_pattern() {
        let name = OsStr::from_bytes(b"caf\xe9.txt");
        assert!(fits("caf?.txt".as_ref(), name) && fits(name, name));
        assert!(!fits("caf??.txt".as_ref(), name) && !fits(OsStr::from_bytes(b"caf\xe8.txt"), name));
    }
}
