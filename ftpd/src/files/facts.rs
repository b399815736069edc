//! What a file is, in the two forms that clients read: RFC 3659 §7 facts and the lines of `ls -l`.

use std::{ffi::OsString, fmt::Write as _, os::unix::ffi::OsStrExt as _};

use cap_std::fs::{Metadata, MetadataExt as _};
use jiff::{Timestamp, tz::TimeZone};

/// How long `ls -l` shows the time of day before it shows the year.
const RECENT_SECONDS: i64 = 182 * 24 * 60 * 60;

/// One fact that MLSD and MLST can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Type,
    Size,
    Modify,
    Perm,
    Unique,
    Mode,
}

impl Fact {
    pub(crate) const ALL: [Self; 6] = [Self::Type, Self::Size, Self::Modify, Self::Perm, Self::Unique, Self::Mode];

    /// The name in FEAT, OPTS and listings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Size => "size",
            Self::Modify => "modify",
            Self::Perm => "perm",
            Self::Unique => "unique",
            Self::Mode => "UNIX.mode",
        }
    }
}

/// The facts that a session wants, in the order of [`Fact::ALL`] (OPTS MLST, RFC 3659 §7.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts(Vec<Fact>);

impl Default for Facts {
    fn default() -> Self {
        Self(Fact::ALL.to_vec())
    }
}

impl Facts {
    /// From `OPTS MLST type;size;`: unknown names are ignored, none selects none.
    pub(crate) fn select(wanted: &str) -> Self {
        let asked = |fact: &Fact| wanted.split(';').any(|name| name.trim().eq_ignore_ascii_case(fact.name()));
        Self(Fact::ALL.into_iter().filter(asked).collect())
    }

    /// For FEAT: every fact, the selected ones starred.
    pub(crate) fn feature(&self) -> String {
        let star = |fact: &Fact| if self.0.contains(fact) { "*" } else { "" };
        Fact::ALL.iter().fold(String::from("MLST "), |text, fact| text + fact.name() + star(fact) + ";")
    }

    /// The selected names, as the reply to OPTS MLST repeats them.
    pub(crate) fn names(&self) -> String {
        self.0.iter().fold(String::new(), |text, fact| text + fact.name() + ";")
    }
}

/// What may be done, as far as the account decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    Read,
    Write,
    /// Of an upload that broke off: to write on, or to remove it.
    Resume,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) metadata: Metadata,
}

impl Entry {
    /// `type=file;size=3; name` (RFC 3659 §7.2).
    pub(crate) fn facts_line(&self, facts: &Facts, rights: Rights) -> Vec<u8> {
        let mut line = String::with_capacity(96 + self.name.len());
        for fact in &facts.0 {
            self.push_fact(&mut line, *fact, rights);
        }
        line.push(' ');
        self.after(line)
    }

    fn push_fact(&self, line: &mut String, fact: Fact, rights: Rights) {
        let metadata = &self.metadata;
        let name = fact.name();
        // Writing to a String cannot fail.
        let _ = match fact {
            Fact::Size if !metadata.is_file() => Ok(()),
            Fact::Type => write!(line, "{name}={};", kind(metadata)),
            Fact::Size => write!(line, "{name}={};", metadata.len()),
            Fact::Modify => write!(line, "{name}={};", compact_time(metadata.mtime())),
            Fact::Perm => write!(line, "{name}={};", permissions(metadata, rights)),
            Fact::Unique => write!(line, "{name}={:x}g{:x};", metadata.dev(), metadata.ino()),
            Fact::Mode => write!(line, "{name}={:04o};", metadata.mode() & 0o7777),
        };
    }

    /// The line of `ls -l`, as every client since 1985 parses it.
    pub(crate) fn long_line(&self, now: i64) -> Vec<u8> {
        let metadata = &self.metadata;
        self.after(format!(
            "{}{} {:>3} ftp      ftp      {:>12} {} ",
            kind_letter(metadata),
            mode_letters(metadata.mode()),
            metadata.nlink(),
            metadata.len(),
            long_time(metadata.mtime(), now),
        ))
    }

    /// The name's octets, whatever they are, after `text`.
    fn after(&self, text: String) -> Vec<u8> {
        let mut line = text.into_bytes();
        line.extend_from_slice(self.name.as_bytes());
        line
    }
}

/// `YYYYMMDDHHMMSS` in UTC (RFC 3659 §2.3).
pub(crate) fn compact_time(seconds: i64) -> String {
    in_utc(seconds, "%Y%m%d%H%M%S")
}

/// Reads `YYYYMMDDHHMMSS[.sss]`; the fraction is left out.
pub(crate) fn parse_compact_time(text: &str) -> Option<i64> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if whole.len() != 14 || !whole.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", whole).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

fn long_time(seconds: i64, now: i64) -> String {
    let age = now.saturating_sub(seconds);
    // A time in the future shows its year as well: clients would take it for last year's.
    let format = if (-60..RECENT_SECONDS).contains(&age) { "%b %e %H:%M" } else { "%b %e  %Y" };
    in_utc(seconds, format)
}

fn in_utc(seconds: i64, format: &str) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC);
    time.strftime(format).to_string()
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "dir"
    } else if metadata.is_file() {
        "file"
    } else if metadata.is_symlink() {
        "OS.unix=symlink"
    } else {
        "OS.unix=special"
    }
}

fn kind_letter(metadata: &Metadata) -> char {
    match metadata.mode() & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    }
}

fn mode_letters(mode: u32) -> String {
    let letter = |bit: u32, letter: char| if mode & bit == 0 { '-' } else { letter };
    [
        letter(0o400, 'r'),
        letter(0o200, 'w'),
        letter(0o100, 'x'),
        letter(0o040, 'r'),
        letter(0o020, 'w'),
        letter(0o010, 'x'),
        letter(0o004, 'r'),
        letter(0o002, 'w'),
        letter(0o001, 'x'),
    ]
    .into_iter()
    .collect()
}

/// RFC 3659 §7.5.5.
fn permissions(metadata: &Metadata, rights: Rights) -> &'static str {
    match (metadata.is_dir(), metadata.is_file(), rights) {
        (true, _, Rights::Write) => "cdeflmp",
        (true, _, Rights::Read | Rights::Resume) => "el",
        (_, true, Rights::Write) => "adfrw",
        (_, true, Rights::Read) => "r",
        (_, true, Rights::Resume) => "adw",
        (_, _, Rights::Write) => "df",
        (_, _, Rights::Read | Rights::Resume) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_read_back_is_the_same_time() {
        assert_eq!(compact_time(1_700_000_000), "20231114221320");
        assert_eq!(parse_compact_time("20231114221320.123"), Some(1_700_000_000));
        for wrong in ["2023111422132", "20231314221320", "2023111422132x", ""] {
            assert_eq!(parse_compact_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ls_shows_the_time_of_day_of_recent_files_only() {
        let now = 1_700_000_000;
        assert_eq!(long_time(now - 60, now), "Nov 14 22:12");
        assert_eq!(long_time(now - RECENT_SECONDS, now), "May 16  2023");
        assert_eq!(long_time(now + 86_400, now), "Nov 15  2023");
    }

    #[test]
    fn opts_selects_facts_and_feat_stars_them() {
        let facts = Facts::select("SIZE;no-such;Type;");
        assert_eq!(facts.names(), "type;size;");
        assert_eq!(facts.feature(), "MLST type*;size*;modify;perm;unique;UNIX.mode;");
        assert_eq!(Facts::select("").names(), "");
    }
}
