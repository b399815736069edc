//! The operations of the man in the middle, each at one unit of one stream.

use crate::stream::Stream;

/// An operation on one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// One bit of its header is changed.
    FlipHeader,
    /// One bit of what follows the header is changed.
    FlipBody,
    /// It is left out.
    Drop,
    /// It is sent twice.
    Duplicate,
    /// The next one is sent before it.
    Swap,
    /// It is cut inside, and the connection ends there.
    Truncate,
    /// It is cut inside, and the connection is reset.
    TruncateAndReset,
    /// Random octets come before it.
    InsertNoise,
    /// Random octets in the framing of a unit come before it.
    InsertUnit,
    /// The connection ends after it.
    Cut,
    /// In its place comes the unit with its number from the session's first data connection.
    Replay,
    /// A line in the clear comes after it.
    Inject(&'static str),
    /// It and all that follows are withheld for good.
    Stall,
}

/// One case's intervention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tampering {
    /// The stream.
    pub stream: Stream,
    /// The unit, from 0 on. For the insertions one more than the last is the end.
    pub index: usize,
    /// The operation.
    pub operation: Operation,
    /// Decides on the bit, the cut, the noise.
    pub seed: u64,
}

impl Operation {
    /// Whether the unit itself still arrives unchanged, and what follows it is hit.
    pub fn acts_after(self) -> bool {
        matches!(self, Self::Duplicate | Self::Cut | Self::Inject(_))
    }

    /// Whether something is added before the unit, so that it can be added before the end as well.
    pub fn inserts(self) -> bool {
        matches!(self, Self::InsertNoise | Self::InsertUnit)
    }
}

impl Tampering {
    /// The first unit that does not arrive as it was sent, or not in its place.
    pub fn first_hit(&self) -> usize {
        self.index + usize::from(self.operation.acts_after())
    }
}
