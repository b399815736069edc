//! The contents of replies: sizes, times, paths, features, entries of a directory. None of it is trusted.

use safetp_protocol::reply::Reply;

use crate::text::ServerText;

/// A reply as people see it: its code and the text of its last line.
pub(crate) fn shown(reply: &Reply) -> ServerText {
    ServerText::new([reply.code().to_string().as_bytes(), b" ", reply.text()].concat())
}

/// The size in a 213 to SIZE (RFC 3659 §4), in octets.
pub(crate) fn size(reply: &Reply) -> Option<u64> {
    let text = std::str::from_utf8(reply.text()).ok()?.trim();
    text.parse().ok().filter(|_| reply.code().number() == 213)
}

/// The time in a 213 to MDTM (RFC 3659 §3), in UTC.
pub(crate) fn modified(reply: &Reply) -> Option<jiff::Timestamp> {
    let text = std::str::from_utf8(reply.text()).ok()?;
    timestamp(text.trim()).filter(|_| reply.code().number() == 213)
}

/// A time of RFC 3659 §2.3, with or without a fraction of a second.
fn timestamp(text: &str) -> Option<jiff::Timestamp> {
    let date = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S%.f", text).ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The path in a 257 (RFC 959, appendix II): between quotation marks; one inside of it is doubled.
pub(crate) fn directory(reply: &Reply) -> Option<ServerText> {
    let mut octets = reply.text().iter().copied().skip_while(|octet| *octet != b'"').skip(1).peekable();
    let mut path = Vec::new();
    while let Some(octet) = octets.next() {
        if octet == b'"' && octets.next_if_eq(&b'"').is_none() {
            return Some(ServerText::new(path));
        }
        path.push(octet);
    }
    None
}

/// The features of a server (FEAT, RFC 2389).
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {
    lines: Vec<String>,
}

impl Features {
    /// Reads the reply to FEAT; a negative one lists no features.
    pub(super) fn of(reply: &Reply) -> Self {
        if !reply.code().is_success() {
            return Self::default();
        }
        let lines = reply.inner_lines().map(|line| String::from_utf8_lossy(line).trim().to_ascii_uppercase());
        Self { lines: lines.collect() }
    }

    /// Returns whether the feature is listed.
    pub(crate) fn lists(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.split(' ').next() == Some(name))
    }

    /// Returns whether this algorithm of HASH is the selected one (asterisk); `None` if it is not listed.
    pub(super) fn hash(&self, algorithm: &str) -> Option<bool> {
        let mut algorithms =
            self.lines.iter().filter_map(|line| line.strip_prefix("HASH ")).flat_map(|list| list.split(';'));
        let listed = algorithms.find(|listed| listed.strip_suffix('*').unwrap_or(listed) == algorithm)?;
        Some(listed.ends_with('*'))
    }

    /// Returns whether AUTH is listed with this mechanism. Some servers list several in one line.
    pub(super) fn lists_auth(&self, mechanism: &str) -> bool {
        let arguments = self.lines.iter().filter_map(|line| line.strip_prefix("AUTH "));
        arguments.flat_map(|line| line.split([';', ',', ' '])).any(|name| name == mechanism)
    }
}

/// One entry of a directory (RFC 3659 §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// In octets, if the server reports it.
    pub(crate) size: Option<u64>,
    /// The time of the last change, if the server reports it.
    pub(crate) modified: Option<jiff::Timestamp>,
    pub(crate) name: ServerText,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    /// A directory inside of the listed one.
    Directory,
    /// The listed directory itself or its parent.
    Itself,
    /// A link, a device, or another type of the server's system.
    Other,
}

impl Entry {
    /// Parses one line of MLSD or MLST: facts, a space, the name.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let space = line.iter().position(|octet| *octet == b' ')?;
        let (facts, name) = line.split_at_checked(space)?;
        let facts = String::from_utf8_lossy(facts).into_owned();
        let fact = |wanted: &str| {
            let pairs = facts.split(';').filter_map(|fact| fact.split_once('='));
            pairs.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value).next()
        };
        let kind = match fact("type").map(str::to_ascii_lowercase).as_deref() {
            Some("dir") => EntryKind::Directory,
            Some("cdir" | "pdir") => EntryKind::Itself,
            Some("file") | None => EntryKind::File,
            Some(_) => EntryKind::Other,
        };
        let name = name.strip_prefix(b" ").filter(|name| !name.is_empty())?;
        let size = fact("size").and_then(|size| size.parse().ok());
        // Whole seconds are enough for people.
        let modified = fact("modify").and_then(timestamp);
        let modified = modified.and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok());
        Some(Self { kind, size, modified, name: ServerText::new(name) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_may_have_a_fraction_of_a_second() {
        let time = |text: &str| modified(&Reply::new(213, text)).map(|time| time.to_string());
        assert_eq!(time("20240229235959"), Some("2024-02-29T23:59:59Z".into()));
        assert_eq!(time("20240229235959.25"), Some("2024-02-29T23:59:59.25Z".into()));
        assert_eq!(time("20240229"), None);
    }

    #[test]
    fn doubled_quotation_marks_in_257_are_single_ones() {
        let path = |text: &str| directory(&Reply::new(257, text));
        assert_eq!(path(r#""/a ""b""" is the current directory"#), Some(ServerText::new(r#"/a "b""#)));
        assert_eq!(path("/a is the current directory"), None);
    }

    #[test]
    fn mechanisms_are_found_in_one_line_or_several() {
        let features = |lines: &[&str]| {
            let lines = lines.iter().map(|line| line.as_bytes().to_vec());
            Features::of(&Reply::with_lines(211, "Features:", lines, "End"))
        };
        assert!(features(&["AUTH TLS", "AUTH X-SafeTP1"]).lists_auth("X-SAFETP1"));
        assert!(features(&["AUTH SSL;TLS;"]).lists_auth("TLS"));
        assert!(!features(&["AUTH X-SafeTP1"]).lists_auth("TLS"));
        assert!(features(&["MLST type*;size*;"]).lists("MLST"));
        assert!(!Features::of(&Reply::new(500, "?")).lists("MLST"));
    }

    #[test]
    fn the_selected_hash_has_an_asterisk() {
        let hash = |line: &str| {
            let lines = [line.as_bytes().to_vec()];
            Features::of(&Reply::with_lines(211, "Features:", lines, "End")).hash("SHA-256")
        };
        assert_eq!(hash("HASH SHA-256*;SHA-1"), Some(true));
        assert_eq!(hash("HASH SHA-256*"), Some(true));
        assert_eq!(hash("HASH SHA-1*;SHA-256;"), Some(false));
        assert_eq!(hash("HASH SHA-1*;SHA-2567"), None);
        assert_eq!(hash("MLST size*;"), None);
    }

    #[test]
    fn an_mlsd_line_gives_kind_size_time_and_a_name_with_spaces() {
        let entry = Entry::parse(b"Type=file;Size=12;Modify=20240229235959.123; a b; c").unwrap();
        assert_eq!((entry.kind, entry.size, entry.name.octets()), (EntryKind::File, Some(12), &b"a b; c"[..]));
        assert_eq!(entry.modified.unwrap().to_string(), "2024-02-29T23:59:59Z");
        assert_eq!(Entry::parse(b"type=cdir; .").unwrap().kind, EntryKind::Itself);
        assert_eq!(Entry::parse(b"type=file;"), None);
    }

    proptest! {
        #[test]
        fn no_reply_makes_a_parser_panic(line: Vec<u8>, text in "[0-9(),|\" a]{0,30}") {
            let _ = Entry::parse(&line);
            let reply = Reply::new(213, text);
            let _ = (size(&reply), modified(&reply), directory(&reply));
        }
    }
}
