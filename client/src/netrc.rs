//! `~/.netrc`: names and passwords by host, as ftp, curl and lftp read it.

use std::{
    env,
    fs::File,
    io::{self, Read as _},
    iter::Peekable,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    str::Chars,
};

use zeroize::Zeroizing;

use crate::{failure::LocalError, url::Host};

/// The entry of one host.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct NetrcEntry {
    pub(crate) login: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
}

/// Reads the file; `None` where there is none. A file that another user owns or others can read is refused.
pub(crate) fn read(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, LocalError> {
    let Some(path) = file.map(Path::to_owned).or_else(default_file) else { return Ok(None) };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => return Ok(None),
        Err(error) => return Err(LocalError::file("read", &path)(error)),
    };
    // Of the open file, since the path may lead to another file by now.
    let metadata = file.metadata().map_err(LocalError::file("read", &path))?;
    if let Some((reason, advice)) = objection(metadata.uid(), metadata.mode(), rustix::process::geteuid().as_raw()) {
        return Err(LocalError::Unfit { path, reason: reason.into(), advice });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(LocalError::file("read", &path))?;
    Ok(Some(text))
}

/// The reason why a file with this owner and mode is refused, with advice; `None` for a safe one.
fn objection(owner: u32, mode: u32, user: u32) -> Option<(&'static str, &'static str)> {
    if owner != user {
        return Some((
            "another user owns it and controls who logs in",
            "Become its owner, or give another file with --netrc FILE.",
        ));
    }
    (mode & 0o077 != 0)
        .then_some(("others can read or write it, and it contains passwords", "Remove their permissions: chmod 600."))
}

/// The first entry for this host and, where one is named, this user; `default` matches every host and ends the search.
pub(crate) fn find(text: &str, host: &Host, user: Option<&str>) -> Option<NetrcEntry> {
    let host = host.to_string();
    let mut words = Words { chars: text.chars().peekable() };
    let mut current: Option<NetrcEntry> = None;
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" => {
                if let Some(entry) = current.take().filter(|entry| entry.is_for(user)) {
                    return Some(entry);
                }
                let is_ours = word.as_str() == "default" || words.next()?.eq_ignore_ascii_case(&host);
                current = is_ours.then(NetrcEntry::default);
            }
            "macdef" => words.skip_macro(),
            "login" => set(&mut current, words.next(), |entry, word| entry.login = Some(word.to_string())),
            "password" => set(&mut current, words.next(), |entry, word| entry.password = Some(word)),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    current.filter(|entry| entry.is_for(user))
}

impl NetrcEntry {
    fn is_for(&self, user: Option<&str>) -> bool {
        match (user, &self.login) {
            (Some(user), Some(login)) => user == login,
            _ => true,
        }
    }
}

fn default_file() -> Option<PathBuf> {
    Some(env::home_dir()?.join(".netrc"))
}

fn set(
    entry: &mut Option<NetrcEntry>,
    word: Option<Zeroizing<String>>,
    set: impl FnOnce(&mut NetrcEntry, Zeroizing<String>),
) {
    if let (Some(entry), Some(word)) = (entry, word) {
        set(entry, word);
    }
}

/// Words separated by white space. Quotation marks enclose white space; a backslash escapes the next character.
struct Words<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Zeroizing<String>> {
        loop {
            while self.chars.next_if(|char| char.is_whitespace()).is_some() {}
            if self.chars.next_if_eq(&'#').is_none() {
                break;
            }
            while self.chars.next().is_some_and(|char| char != '\n') {}
        }
        self.chars.peek()?;
        let mut word = Zeroizing::new(String::new());
        let quoted = self.chars.next_if_eq(&'"').is_some();
        while let Some(char) = self.chars.next_if(|char| quoted || !char.is_whitespace()) {
            match char {
                '"' if quoted => break,
                '\\' => word.extend(self.chars.next()),
                char => word.push(char),
            }
        }
        Some(word)
    }

    /// A macro ends at an empty line.
    fn skip_macro(&mut self) {
        let mut at_line_start = false;
        for char in self.chars.by_ref() {
            if char == '\n' && at_line_start {
                return;
            }
            at_line_start = char == '\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use proptest::prelude::*;

    use super::*;

    const FILE: &str = r#"
        # a comment
        machine files.example.org login alice password wonder#land
        machine files.example.org
            login bob
            account x
            password "two words \" and a mark"
        macdef init
        machine files.example.org login mallory

        machine 192.0.2.1 password only
        default login anonymous password me@
        machine behind.example.org login never
    "#;

    /// Login and password in one text, with a question mark for what the entry does not have.
    fn found(host: &str, user: Option<&str>) -> Option<String> {
        let text = FILE.replace("        macdef", "macdef").replace("\n\n        machine 192", "\n\nmachine 192");
        let entry = find(&text, &host.parse().unwrap(), user)?;
        let password = entry.password.as_deref().map_or("?", String::as_str);
        Some(format!("{} {password}", entry.login.as_deref().unwrap_or("?")))
    }

    #[test]
    fn the_first_entry_of_a_host_counts_unless_a_user_is_named() {
        assert_eq!(found("FILES.example.org", None), Some("alice wonder#land".into()));
        assert_eq!(found("files.example.org", Some("bob")), Some("bob two words \" and a mark".into()));
    }

    #[test]
    fn an_entry_without_a_login_is_for_everyone() {
        assert_eq!(found("192.0.2.1", Some("alice")), Some("? only".into()));
    }

    #[test]
    fn default_stands_for_every_host_and_ends_the_search() {
        assert_eq!(found("other.example.org", None), Some("anonymous me@".into()));
        assert_eq!(found("behind.example.org", None), Some("anonymous me@".into()));
        assert_eq!(found("other.example.org", Some("alice")), None);
    }

    #[test]
    fn entries_inside_a_macro_are_ignored() {
        assert_eq!(found("files.example.org", Some("mallory")), None);
    }

    #[test]
    fn a_file_of_another_user_is_refused_whatever_its_mode() {
        assert!(objection(1000, 0o100_600, 1000).is_none());
        for (owner, mode) in [(1001, 0o100_600), (0, 0o100_400), (1000, 0o100_604), (1000, 0o100_620)] {
            assert!(objection(owner, mode, 1000).is_some(), "{owner} {mode:o}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("netrc");
        fs::write(&path, FILE).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read(Some(&path)).unwrap_err().to_string().contains("others"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(Some(&path)).unwrap().is_some());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(machine |login |password |macdef |default |[a\"\\\\# \n]){0,12}") {
            let _ = find(&text, &"a".parse().unwrap(), None);
        }
    }
}
