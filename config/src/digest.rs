//! The digest by which operator and pod agree on what is in force.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of named files: equal on both sides exactly when the same bytes were written and loaded.
///
/// Names and contents are length-prefixed, so that moving a byte from one to the other changes the digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `files`, in the order given: both sides list them in the order of [`crate::paths`].
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut hash = Sha256::new();
        for (name, content) in files {
            for part in [name.as_bytes(), content] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        Self(hex::encode(hash.finalize()))
    }

    /// The digest in hexadecimal, 64 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_moved_from_name_to_content_changes_the_digest() {
        assert_ne!(Digest::of([("ab", b"c".as_slice())]), Digest::of([("a", b"bc".as_slice())]));
    }

    #[test]
    fn the_same_files_have_the_same_digest() {
        let files = [("a", b"1".as_slice()), ("b", b"2".as_slice())];
        assert_eq!(Digest::of(files), Digest::of(files));
    }
}
