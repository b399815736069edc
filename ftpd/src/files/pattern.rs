//! Shell patterns in NLST and LIST: `mget *.txt` of old clients comes as `NLST *.txt`.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use super::Refusal;

/// Characters of a pattern, runs of stars counted once: as long as a name can be.
const MAX_LENGTH: usize = 255;

/// A pattern of `*` (any characters) and `?` (one character).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<char>);

impl Pattern {
    /// Returns `None` for a text without wildcards, which is a name.
    pub(super) fn parse(text: &OsStr) -> Result<Option<Self>, Refusal> {
        if !symbols(text).any(|symbol| matches!(symbol, '*' | '?')) {
            return Ok(None);
        }
        let mut pattern: Vec<char> = symbols(text).collect();
        pattern.dedup_by(|next, before| *next == '*' && *before == '*');
        if pattern.len() > MAX_LENGTH {
            return Err(Refusal::Arguments(
                "A pattern has at most 255 characters; ask for fewer, or list the directory.",
            ));
        }
        Ok(Some(Self(pattern)))
    }

    /// Matches a whole name. A mismatch returns to the last star only, since what an earlier one could take the last
    /// one can take too: at most one comparison for each pair of characters, whatever the stars.
    pub(super) fn fits(&self, name: &OsStr) -> bool {
        let mut name = symbols(name);
        let mut pattern = self.0.as_slice();
        let mut retry = None;
        loop {
            let (of_pattern, of_name) = (pattern.split_first(), name.clone().next());
            match (of_pattern, of_name) {
                (Some(('*', rest)), _) => {
                    pattern = rest;
                    retry = Some((rest, name.clone()));
                }
                (Some((token, rest)), Some(character)) if *token == '?' || *token == character => {
                    pattern = rest;
                    name.next();
                }
                (None, None) => return true,
                (_, _) => {
                    // The last star takes one character more.
                    let Some((rest, from)) = &mut retry else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    (pattern, name) = (rest, from.clone());
                }
            }
        }
    }
}

/// What `?` stands for one of: a character, or an octet that is not part of one. Such octets get code points of a
/// private use plane, which names do not use.
fn symbols(name: &OsStr) -> impl Iterator<Item = char> + Clone {
    let stray = |octet: &u8| char::from_u32(0x10_F000 + u32::from(*octet)).unwrap_or_default();
    name.as_bytes().utf8_chunks().flat_map(move |chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(stray)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Option<Pattern>, Refusal> {
        Pattern::parse(text.as_ref())
    }

    fn fits(pattern: &str, name: &str) -> bool {
        parse(pattern).unwrap().unwrap().fits(name.as_ref())
    }

    #[test]
    fn an_octet_that_is_not_utf8_is_one_character() {
        let name = OsStr::from_bytes(b"caf\xe9.txt");
        let fits = |pattern: &[u8]| Pattern::parse(OsStr::from_bytes(pattern)).unwrap().unwrap().fits(name);
        assert!(fits(b"caf?.txt") && fits(b"caf\xe9*"));
        assert!(!fits(b"caf??.txt") && !fits(b"caf\xe8*"));
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name) in [("*", ""), ("*.txt", "a.txt"), ("a*b*c", "axxbxbc"), ("?", "ä"), ("a**", "a")] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.txt", "a.txt~"), ("?", ""), ("a*b", "ac"), ("?b", "b"), ("*?", "")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_text_without_wildcards_is_a_name() {
        assert_eq!(parse("report.txt").unwrap(), None);
    }

    #[test]
    fn a_run_of_stars_counts_as_one_and_a_long_pattern_is_refused() {
        assert_eq!(parse(&("*".repeat(4000) + "X")).unwrap(), parse("*X").unwrap());
        assert!(parse(&"?".repeat(MAX_LENGTH)).is_ok());
        assert!(matches!(parse(&"?".repeat(MAX_LENGTH + 1)), Err(Refusal::Arguments(_))));
    }

    /// By definition, in exponential time.
    fn matches_by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, _) => name.is_empty(),
            (Some(('*', rest)), _) => (0..=name.len()).any(|taken| matches_by_definition(rest, &name[taken..])),
            (Some((token, rest)), Some((character, others))) => {
                (*token == '?' || token == character) && matches_by_definition(rest, others)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn matching_follows_the_definition(pattern in "[ab?*]{0,7}[*?]", name in "[ab]{0,8}") {
            let parsed = parse(&pattern).unwrap().unwrap();
            let characters: Vec<char> = name.chars().collect();
            prop_assert_eq!(parsed.fits(name.as_ref()), matches_by_definition(&parsed.0, &characters));
        }
    }
}
