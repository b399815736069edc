//! Octets of a stranger on a terminal: what they may look like there.

/// The octets as text in which nothing can move the cursor, change colours or begin a line.
pub(crate) fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for char in String::from_utf8_lossy(octets).chars() {
        if char.is_control() { text.extend(char.escape_default()) } else { text.push(char) }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_in_a_name_is_shown_and_not_obeyed() {
        assert_eq!(printable(b"a\x1b[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
        assert_eq!(printable("gr\u{fc}n \u{9b}".as_bytes()), "gr\u{fc}n \\u{9b}");
        assert_eq!(printable(b"\xff"), "\u{fffd}");
    }
}
