//! What the name of an unfinished upload says of it.

use std::fmt;

/// The stem of octets that will be appended to whatever is there: no REST can mean them.
pub(super) const APPEND: &str = "append";

/// `<stem>[.<random>][+<after>+<inode>+<length>]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartName {
    /// Stands for the user and the path.
    pub(super) stem: String,
    /// While the upload runs. Without it, the part was left for a later REST.
    pub(super) random: Option<String>,
    /// The file that the octets continue; without it they are the beginning.
    pub(super) base: Option<Base>,
}

/// The file that an upload continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// How many of its octets come before those of the part.
    pub(super) after: u64,
    pub(super) inode: u64,
    pub(super) length: u64,
}

impl PartName {
    /// `None` for what is not the name of a part.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split('+');
        let name = words.next()?;
        let (stem, random) = name.split_once('.').map_or((name, None), |(stem, random)| (stem, Some(random)));
        let numbers: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        let base = match *numbers.as_slice() {
            [] => None,
            [after, inode, length] => Some(Base { after, inode, length }),
            _ => return None,
        };
        Some(Self { stem: stem.to_owned(), random: random.map(str::to_owned), base })
    }

    /// As it is called once the upload has broken off.
    pub(super) fn kept(&self) -> Self {
        Self { random: None, ..self.clone() }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stem)?;
        if let Some(random) = &self.random {
            write!(f, ".{random}")?;
        }
        if let Some(Base { after, inode, length }) = self.base {
            write!(f, "+{after}+{inode}+{length}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_read_back_is_the_same_name() {
        let base = Some(Base { after: 4, inode: 77, length: u64::MAX });
        for (random, base) in [(None, None), (Some("0af3"), None), (None, base), (Some("0af3"), base)] {
            let name = PartName { stem: "c0ffee".into(), random: random.map(str::to_owned), base };
            assert_eq!(PartName::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn what_is_not_the_name_of_a_part_is_none() {
        for text in ["a+1", "a+1+2+x", "a+1+2+3+4"] {
            assert_eq!(PartName::parse(text), None, "{text}");
        }
    }
}
