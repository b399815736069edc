//! TYPE A: lines end in CRLF on the wire (RFC 959 §3.1.1.1) and in LF in files.

/// Converts what is stored to what is sent. A CRLF that is stored stays one: a file that came from Windows by TYPE I
/// must not get a second CR.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToWire {
    after_cr: bool,
}

impl ToWire {
    /// Appends the converted octets to `wire`.
    pub fn convert(&mut self, stored: &[u8], wire: &mut Vec<u8>) {
        for &octet in stored {
            if octet == b'\n' && !self.after_cr {
                wire.push(b'\r');
            }
            wire.push(octet);
            self.after_cr = octet == b'\r';
        }
    }
}

/// Converts what is sent to what is stored. A CR without LF is data.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromWire {
    held_cr: bool,
}

impl FromWire {
    /// Appends the converted octets to `stored`.
    pub fn convert(&mut self, wire: &[u8], stored: &mut Vec<u8>) {
        for &octet in wire {
            if self.held_cr && octet != b'\n' {
                stored.push(b'\r');
            }
            self.held_cr = octet == b'\r';
            if !self.held_cr {
                stored.push(octet);
            }
        }
    }

    /// The end has come: a CR that was held back is data after all.
    pub fn finish(&mut self, stored: &mut Vec<u8>) {
        if std::mem::take(&mut self.held_cr) {
            stored.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to_wire(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut converter, mut wire) = (ToWire::default(), Vec::new());
        for piece in pieces {
            converter.convert(piece, &mut wire);
        }
        wire
    }

    fn from_wire(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut converter, mut stored) = (FromWire::default(), Vec::new());
        for piece in pieces {
            converter.convert(piece, &mut stored);
        }
        converter.finish(&mut stored);
        stored
    }

    #[test]
    fn a_line_end_cut_in_two_is_still_one() {
        assert_eq!(from_wire(&[b"a\r", b"\nb"]), b"a\nb");
        assert_eq!(to_wire(&[b"a\r", b"\nb\n"]), b"a\r\nb\r\n");
    }

    #[test]
    fn a_cr_alone_is_data_also_at_the_end() {
        assert_eq!(from_wire(&[b"a\rb\r", b"\r", b"\nc\r"]), b"a\rb\r\nc\r");
    }

    proptest! {
        #[test]
        fn a_file_of_unix_lines_comes_back_as_it_was(text in "[a-c\n]{0,40}", cut in 1usize..5) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            let wire = to_wire(&pieces);
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            prop_assert_eq!(from_wire(&pieces), text.as_bytes());
        }

        #[test]
        fn cuts_change_nothing(octets in "[a\r\n]{0,40}", cut in 1usize..5) {
            let octets = octets.as_bytes();
            let pieces: Vec<&[u8]> = octets.chunks(cut).collect();
            prop_assert_eq!(to_wire(&pieces), to_wire(&[octets]));
            prop_assert_eq!(from_wire(&pieces), from_wire(&[octets]));
        }
    }
}
