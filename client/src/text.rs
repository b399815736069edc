//! Text from a server, which must not control the terminal that it is shown on.

use std::fmt;

/// Octets from a server. The only way to text is `printable`: there is no other `Display`, and no conversion to `str`
/// or `String`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerText(Vec<u8>);

impl ServerText {
    /// Takes octets as they were received.
    pub(crate) fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// The octets unchanged, for a file or a program, never for a terminal.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The octets as text in which nothing can move the cursor, change colours, start a line, or reorder or hide the text
/// around it.
pub(crate) fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for char in String::from_utf8_lossy(octets).chars() {
        if is_harmless(char) { text.push(char) } else { text.extend(char.escape_default()) }
    }
    text
}

/// Letters, marks, symbols and spaces are harmless; control and format characters (bidirectional ones, those without a
/// width), line separators, and unassigned code points are not.
fn is_harmless(char: char) -> bool {
    match char {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' => false,
        // The table of the standard library decides on the rest. It escapes a combining mark only where none can
        // combine.
        char => {
            let spaced = char.is_whitespace() && !char.is_control();
            spaced || ['a', char].iter().collect::<String>().escape_debug().count() == 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_in_a_name_is_escaped() {
        assert_eq!(printable(b"a\x1b[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
        assert_eq!(printable("gr\u{fc}n \u{9b}".as_bytes()), "gr\u{fc}n \\u{9b}");
        assert_eq!(printable(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn bidirectional_and_invisible_characters_are_escaped() {
        for char in
            "\u{202e}\u{202a}\u{2066}\u{2069}\u{200e}\u{61c}\u{200b}\u{feff}\u{2028}\u{2029}\u{85}\u{e0041}\u{ad}"
                .chars()
        {
            let shown = printable(format!("exe.{char}txt").as_bytes());
            assert_eq!(shown, format!("exe.{}txt", char.escape_default()));
        }
    }

    #[test]
    fn names_in_every_script_are_unchanged() {
        for name in
            ["it's \"a\" \\ b", "Zürich", "Zu\u{308}rich", "報告\u{3000}書.pdf", "отчёт", "تقرير", "🚀", "a\u{a0}b"]
        {
            assert_eq!(printable(name.as_bytes()), name);
        }
    }

    #[test]
    fn display_and_debug_of_server_text_are_escaped() {
        let text = ServerText::new(*b"\x1b[2J");
        assert_eq!(format!("{text} {text:?}"), "\\u{1b}[2J \\u{1b}[2J");
    }
}
