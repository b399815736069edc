//! The units that a man in the middle can tell apart without any key: lines, TLS records, blocks of X-SafeTP1.

/// How the octets of one direction of a connection are divided into units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Control connections: lines, and TLS records after `AUTH TLS` and its 234.
    Control,
    /// TLS records (RFC 8446 section 5.1).
    Records,
    /// X-SafeTP1's blocks (docs/x-safetp1.md, section 6).
    Blocks,
    /// None that is known: whatever comes.
    Raw,
}

/// The kind of a unit, as far as its framing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line that nothing protects.
    ClearLine,
    /// `ENC` or `632`.
    ProtectedLine,
    /// A TLS record with this type.
    Record(u8),
    /// A block of X-SafeTP1.
    Block,
    /// Octets without a form.
    Raw,
}

/// The type of TLS's `change_cipher_spec`, which TLS 1.3 sends for old firewalls only.
pub const CHANGE_CIPHER_SPEC: u8 = 20;

/// TLS: type, version, length.
const RECORD_HEADER: usize = 5;
/// X-SafeTP1: length.
const BLOCK_HEADER: usize = 4;
const MAX_BLOCK: usize = 65536;

/// One unit as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its kind.
    pub kind: Kind,
    /// All of it, its framing included.
    pub octets: Vec<u8>,
}

/// Splits octets into units.
#[derive(Debug)]
pub struct Splitter {
    framing: Framing,
    buffer: Vec<u8>,
}

impl Unit {
    /// The octets that frame the rest: the verb or the code, the record's or the block's header.
    pub fn header_length(&self) -> usize {
        match self.kind {
            Kind::ClearLine | Kind::ProtectedLine => {
                self.octets.iter().position(|octet| is_separator(*octet)).unwrap_or(0) + 1
            }
            Kind::Record(_) => RECORD_HEADER,
            Kind::Block => BLOCK_HEADER,
            Kind::Raw => 1,
        }
        .min(self.octets.len())
    }
}

/// The octet after a verb or a code.
fn is_separator(octet: u8) -> bool {
    matches!(octet, b' ' | b'-')
}

impl Splitter {
    /// For one direction of one connection.
    pub fn new(framing: Framing) -> Self {
        Self { framing, buffer: Vec::new() }
    }

    /// Takes what has come.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole unit.
    pub fn next_unit(&mut self) -> Option<Unit> {
        let unit = match self.framing {
            Framing::Control => self.line(),
            Framing::Records => self.record(),
            Framing::Blocks => self.block(),
            Framing::Raw => None,
        };
        unit.or_else(|| self.raw())
    }

    /// The octets that are left when the sender has ended: at most the beginning of a unit.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    fn line(&mut self) -> Option<Unit> {
        let end = self.buffer.iter().position(|octet| *octet == b'\n')? + 1;
        let octets: Vec<_> = self.buffer.drain(..end).collect();
        if octets.starts_with(b"AUTH TLS") || octets.starts_with(b"234") {
            self.framing = Framing::Records;
        }
        let is_protected = octets.starts_with(b"ENC ") || octets.starts_with(b"632");
        Some(Unit { kind: if is_protected { Kind::ProtectedLine } else { Kind::ClearLine }, octets })
    }

    fn record(&mut self) -> Option<Unit> {
        let header: [u8; RECORD_HEADER] = *self.buffer.first_chunk()?;
        let [kind, major, _, high, low] = header;
        if !(20..=24).contains(&kind) || major != 3 {
            self.framing = Framing::Raw;
            return None;
        }
        self.whole(RECORD_HEADER + usize::from(u16::from_be_bytes([high, low])), Kind::Record(kind))
    }

    fn block(&mut self) -> Option<Unit> {
        let length = u32::from_be_bytes(*self.buffer.first_chunk()?);
        if let Ok(length @ 1..=MAX_BLOCK) = usize::try_from(length) {
            return self.whole(BLOCK_HEADER + length, Kind::Block);
        }
        self.framing = Framing::Raw;
        None
    }

    fn whole(&mut self, length: usize, kind: Kind) -> Option<Unit> {
        (self.buffer.len() >= length).then(|| Unit { kind, octets: self.buffer.drain(..length).collect() })
    }

    fn raw(&mut self) -> Option<Unit> {
        (self.framing == Framing::Raw && !self.buffer.is_empty())
            .then(|| Unit { kind: Kind::Raw, octets: std::mem::take(&mut self.buffer) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(framing: Framing, octets: &[u8]) -> Vec<(Kind, usize)> {
        let mut splitter = Splitter::new(framing);
        // Octet by octet: where a segment ends must not matter.
        let units = octets.iter().filter_map(|octet| {
            splitter.push(&[*octet]);
            splitter.next_unit()
        });
        units.map(|unit| (unit.kind, unit.header_length())).collect()
    }

    #[test]
    fn records_follow_the_line_that_asks_for_them() {
        let octets = b"AUTH TLS\r\n\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x01c";
        let wanted = [(Kind::ClearLine, 5), (Kind::Record(22), 5), (Kind::Record(23), 5)];
        assert_eq!(kinds(Framing::Control, octets), wanted);
    }

    #[test]
    fn a_protected_line_is_known_by_its_verb_or_code() {
        let octets = b"220 a\r\nENC YQ==\r\n632-YQ==\r\n632 YQ==\r\n";
        let protected = (Kind::ProtectedLine, 4);
        assert_eq!(kinds(Framing::Control, octets), [(Kind::ClearLine, 4), protected, protected, protected]);
    }

    #[test]
    fn blocks_carry_their_length() {
        assert_eq!(kinds(Framing::Blocks, b"\0\0\0\x02ab\0\0\0\x01c"), [(Kind::Block, 4), (Kind::Block, 4)]);
    }

    #[test]
    fn octets_without_a_form_pass_as_they_come() {
        assert_eq!(kinds(Framing::Records, b"GET /").len(), 1);
    }
}
