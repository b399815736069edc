//! A range of data ports that is always within its bounds.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

/// The first port that a data connection may use: firewalls and RFC 2577 §3 refuse lower ones.
pub const FIRST_UNPRIVILEGED: u16 = 1024;

/// A closed range of unprivileged TCP ports, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Reason why two numbers are not a [`PortRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortRangeError {
    /// The first port is under 1024.
    #[error("data ports start at {0}, but must be 1024 or higher: firewalls and clients refuse lower ones")]
    Privileged(u16),
    /// The last port comes before the first.
    #[error("the last data port ({last}) comes before the first ({first})")]
    Reversed {
        /// The lower bound that was given.
        first: u16,
        /// The upper bound that was given.
        last: u16,
    },
}

impl PortRange {
    /// The data ports of an example.
    #[cfg(any(test, feature = "example"))]
    pub(crate) const EXAMPLE: Self = Self { first: 28000, last: 28019 };

    /// The range from `first` to `last`, both included.
    pub fn new(first: u16, last: u16) -> Result<Self, PortRangeError> {
        if first < FIRST_UNPRIVILEGED {
            return Err(PortRangeError::Privileged(first));
        }
        if last < first {
            return Err(PortRangeError::Reversed { first, last });
        }
        Ok(Self { first, last })
    }

    /// The lowest port.
    pub fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub fn last(self) -> u16 {
        self.last
    }

    /// Number of ports, 1 to 64512.
    pub fn count(self) -> u16 {
        self.last - self.first + 1
    }

    /// Returns true if `port` is in the range.
    pub fn contains(self, port: u16) -> bool {
        self.ports().contains(&port)
    }

    /// Every port, ascending.
    pub fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[derive(Serialize, Deserialize)]
struct Bounds {
    first: u16,
    last: u16,
}

impl TryFrom<Bounds> for PortRange {
    type Error = PortRangeError;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::new(bounds.first, bounds.last)
    }
}

impl From<PortRange> for Bounds {
    fn from(range: PortRange) -> Self {
        Self { first: range.first, last: range.last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_one_port_holds_that_port() {
        let range = PortRange::new(28000, 28000).unwrap();
        assert_eq!((range.count(), range.contains(28000), range.contains(28001)), (1, true, false));
    }

    #[test]
    fn ports_under_1024_and_reversed_bounds_are_refused_with_their_numbers() {
        assert_eq!(PortRange::new(1023, 2000), Err(PortRangeError::Privileged(1023)));
        let reversed = PortRange::new(3000, 2999).unwrap_err();
        assert_eq!(reversed.to_string(), "the last data port (2999) comes before the first (3000)");
    }

    #[test]
    fn a_file_with_a_wrong_range_is_refused() {
        assert!(serde_json::from_str::<PortRange>(r#"{"first":20,"last":21}"#).is_err());
    }
}
