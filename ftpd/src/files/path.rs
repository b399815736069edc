//! Paths as clients see them: absolute, below their own root, already free of `.` and `..`.
//!
//! Names are octets, as on the volume: UTF-8 by custom only. Text of a path is for logs; what a client is told are its
//! [octets](VirtualPath::octets).

use std::{
    ffi::{OsStr, OsString},
    fmt,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// The directory of unfinished uploads. Its name is hidden at every depth, for one user's home can lie in another's.
pub(crate) const PARTS_DIR: &str = ".safetp-parts";

/// Why an argument is not a usable path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPath {
    #[error("A name cannot hold NUL, CR or LF.")]
    ControlOctet,
    #[error("A new name cannot hold control characters such as tab or escape: choose another.")]
    ControlCharacter,
    #[error("{PARTS_DIR} is this server's own name.")]
    Reserved,
}

/// An absolute path below the session's root, without `.`, `..` or empty components; the root is the empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct VirtualPath(Vec<OsString>);

impl VirtualPath {
    /// The session's root.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// `argument` as seen from this directory. `..` is taken away lexically and stops at the root, as clients expect
    /// of `CDUP`; that links lead nowhere outside is the business of [`super::Home`].
    pub(crate) fn join(&self, argument: impl AsRef<[u8]>) -> Result<Self, BadPath> {
        let argument = argument.as_ref();
        if argument.iter().any(|octet| matches!(octet, b'\0' | b'\r' | b'\n')) {
            return Err(BadPath::ControlOctet);
        }
        let mut components = if argument.starts_with(b"/") { Vec::new() } else { self.0.clone() };
        for component in argument.split(|octet| *octet == b'/') {
            match component {
                b"" | b"." => {}
                b".." => drop(components.pop()),
                name if name == PARTS_DIR.as_bytes() => return Err(BadPath::Reserved),
                name => components.push(OsStr::from_bytes(name).to_owned()),
            }
        }
        Ok(Self(components))
    }

    /// The directory that holds this; the root's is itself.
    pub(crate) fn parent(&self) -> Self {
        let mut components = self.0.clone();
        components.pop();
        Self(components)
    }

    /// The last component; none for the root.
    pub(crate) fn name(&self) -> Option<&OsStr> {
        self.0.last().map(OsString::as_os_str)
    }

    /// Whether something new may get this name. A control character in it could change what a terminal shows, or break
    /// a client's parser; what has such a name already can still be fetched, renamed and removed.
    pub(crate) fn check_new_name(&self) -> Result<(), BadPath> {
        let name = self.name().unwrap_or_default().as_bytes();
        let mut characters = name.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
        if characters.any(char::is_control) { Err(BadPath::ControlCharacter) } else { Ok(()) }
    }

    /// The path relative to the root's descriptor, never empty.
    pub(crate) fn relative(&self) -> impl AsRef<Path> + use<> {
        if self.0.is_empty() { PathBuf::from(".") } else { self.0.iter().collect() }
    }

    /// Whether this is the session's root.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as the client would have to send it.
    pub(crate) fn octets(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return b"/".to_vec();
        }
        self.0.iter().flat_map(|component| [b"/", component.as_bytes()].concat()).collect()
    }

    /// In the form of a 257 reply: quotation marks doubled (RFC 959, appendix II).
    pub(crate) fn quoted(&self) -> Vec<u8> {
        let mut quoted = vec![b'"'];
        for octet in self.octets() {
            quoted.push(octet);
            quoted.extend((octet == b'"').then_some(b'"'));
        }
        quoted.push(b'"');
        quoted
    }
}

/// For logs: octets that are not UTF-8 are shown as U+FFFD.
impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.octets()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(from: &str, argument: &str) -> String {
        VirtualPath::root().join(from).unwrap().join(argument).unwrap().to_string()
    }

    #[test]
    fn dots_are_resolved_and_stop_at_the_root() {
        assert_eq!(joined("/a/b", "../c/./d//"), "/a/c/d");
        assert_eq!(joined("/a", "../../../etc"), "/etc");
        assert_eq!(joined("/a", "/x"), "/x");
        assert_eq!(joined("/a", ""), "/a");
    }

    #[test]
    fn the_parts_directory_cannot_be_named_at_any_depth() {
        for argument in [".safetp-parts", "/a/.safetp-parts/b", "x/../.safetp-parts"] {
            assert_eq!(VirtualPath::root().join(argument), Err(BadPath::Reserved), "{argument}");
        }
    }

    #[test]
    fn quotation_marks_are_doubled_in_a_257() {
        assert_eq!(VirtualPath::root().join("a\"b").unwrap().quoted(), b"\"/a\"\"b\"");
    }

    #[test]
    fn octets_that_are_not_utf8_are_kept() {
        let path = VirtualPath::root().join(b"/caf\xe9/\xff").unwrap();
        assert_eq!(path.octets(), b"/caf\xe9/\xff");
        assert_eq!(path.to_string(), "/caf\u{fffd}/\u{fffd}");
    }

    #[test]
    fn control_characters_are_refused_in_new_names_only() {
        for name in [b"a\tb".as_slice(), b"\x1b[2J", b"a\x7f", "a\u{9b}b".as_bytes(), b"\xff\x01"] {
            let path = VirtualPath::root().join(name).unwrap();
            assert_eq!(path.check_new_name(), Err(BadPath::ControlCharacter), "{path:?}");
        }
        for name in ["a\tb/plain".as_bytes(), "caf\u{e9}".as_bytes(), b"caf\xe9 \x9b", b"/"] {
            assert_eq!(VirtualPath::root().join(name).unwrap().check_new_name(), Ok(()));
        }
    }

    fn paths() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), "[a-c./]{0,20}".prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn whatever_is_asked_the_result_holds_no_way_up(from in "[a-c./]{0,12}", argument in paths()) {
            let Ok(path) = VirtualPath::root().join(&from).and_then(|from| from.join(&argument)) else { return Ok(()) };
            let relative = path.relative();
            let relative = relative.as_ref();
            prop_assert!(relative.is_relative());
            prop_assert!(!relative.components().any(|part| matches!(part, std::path::Component::ParentDir)));
        }

        #[test]
        fn a_path_read_back_is_the_same_path(argument in "[a-c./ ]{0,20}") {
            let path = VirtualPath::root().join(&argument).unwrap();
            prop_assert_eq!(VirtualPath::root().join(path.octets()).unwrap(), path);
        }
    }
}
