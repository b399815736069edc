//! Paths as clients see them: absolute, below their own root, already free of `.` and `..`.

use std::{fmt, path::Path};

/// The directory of unfinished uploads. Its name is hidden at every depth, for one user's home can lie in another's.
pub(crate) const PARTS_DIR: &str = ".safetp-parts";

/// Why an argument is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPath {
    #[error("A name cannot hold NUL, CR or LF.")]
    ControlOctet,
    #[error("{PARTS_DIR} is this server's own name.")]
    Reserved,
}

/// An absolute path below the session's root, without `.`, `..` or empty components; the root is the empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct VirtualPath(Vec<String>);

impl VirtualPath {
    /// The session's root.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// `argument` as seen from this directory. `..` is taken away lexically and stops at the root, as clients expect
    /// of `CDUP`; that links lead nowhere outside is the business of [`super::Home`].
    pub(crate) fn join(&self, argument: &str) -> Result<Self, BadPath> {
        if argument.contains(['\0', '\r', '\n']) {
            return Err(BadPath::ControlOctet);
        }
        let mut components = if argument.starts_with('/') { Vec::new() } else { self.0.clone() };
        for component in argument.split('/') {
            match component {
                "" | "." => {}
                ".." => drop(components.pop()),
                PARTS_DIR => return Err(BadPath::Reserved),
                name => components.push(name.to_owned()),
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
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The path relative to the root's descriptor, never empty.
    pub(crate) fn relative(&self) -> impl AsRef<Path> + use<> {
        if self.0.is_empty() { String::from(".") } else { self.0.join("/") }
    }

    /// Whether this is the session's root.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// In the form of a 257 reply: quotation marks doubled (RFC 959, appendix II).
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.to_string().replace('"', "\"\""))
    }
}

impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|component| write!(f, "/{component}"))
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
        assert_eq!(VirtualPath::root().join("a\"b").unwrap().quoted(), "\"/a\"\"b\"");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_the_result_holds_no_way_up(from in "[a-c./]{0,12}", argument in "\\PC{0,40}|[a-c./]{0,20}") {
            let Ok(path) = VirtualPath::root().join(&from).and_then(|from| from.join(&argument)) else { return Ok(()) };
            let relative = path.relative();
            let relative = relative.as_ref();
            prop_assert!(relative.is_relative());
            prop_assert!(!relative.components().any(|part| matches!(part, std::path::Component::ParentDir)));
        }

        #[test]
        fn a_path_read_back_is_the_same_path(argument in "[a-c./ ]{0,20}") {
            let path = VirtualPath::root().join(&argument).unwrap();
            prop_assert_eq!(VirtualPath::root().join(&path.to_string()).unwrap(), path);
        }
    }
}
