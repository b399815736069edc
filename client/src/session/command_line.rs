//! Commands as they are sent: one line each, whatever a name contains.

use std::fmt;

use safetp_protocol::command::Argument;
use zeroize::Zeroizing;

use crate::text::printable;

/// One command, without its line end. Wiped after use, since it may hold a password.
#[derive(Clone)]
pub(crate) struct CommandLine(Zeroizing<Vec<u8>>);

impl CommandLine {
    /// A verb without an argument.
    pub(crate) fn verb(verb: &str) -> Self {
        Self(Zeroizing::new(verb.as_bytes().to_vec()))
    }

    /// A verb with its argument, if there is one.
    pub(crate) fn with(verb: &str, argument: Option<&Argument>) -> Self {
        argument.map_or_else(|| Self::verb(verb), |argument| Self::joined(verb, argument.as_bytes()))
    }

    /// A verb with an argument that this client has generated, such as a number or base64.
    pub(crate) fn of(verb: &str, text: impl fmt::Display) -> Self {
        Self::joined(verb, text.to_string().as_bytes())
    }

    /// PASS; `None` if the password does not fit into one line.
    pub(crate) fn pass(password: &str) -> Option<Self> {
        is_harmless(password.as_bytes()).then(|| Self::joined("PASS", password.as_bytes()))
    }

    /// A line from another program, unchanged; `None` if it is more than one line.
    pub(crate) fn relayed(line: &[u8]) -> Option<Self> {
        is_harmless(line).then(|| Self(Zeroizing::new(line.to_vec())))
    }

    /// The octets, without a line end.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn joined(verb: &str, argument: &[u8]) -> Self {
        Self(Zeroizing::new([verb.as_bytes(), b" ", argument].concat()))
    }

    fn is_secret(&self) -> bool {
        self.0.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"PASS") || verb.eq_ignore_ascii_case(b"ACCT"))
    }
}

/// Returns whether the octets stay one line on the wire.
pub(crate) fn is_harmless(octets: &[u8]) -> bool {
    !octets.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret() { f.write_str("PASS ****") } else { f.write_str(&printable(&self.0)) }
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let ours = CommandLine::pass("secret").unwrap();
        let relayed = CommandLine::relayed(b"pass secret").unwrap();
        for command in [ours, relayed] {
            assert_eq!(format!("{command} {command:?}"), "PASS **** PASS ****");
        }
    }

    #[test]
    fn a_command_of_more_than_one_line_is_refused() {
        assert!(CommandLine::relayed(b"DELE a\rDELE b").is_none());
        assert!(CommandLine::pass("a\nb").is_none());
    }
}
