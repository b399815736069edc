//! The dialogue with the server as the person sees it (`-v`, `-a`): never with a password.

use std::io::{self, Write as _};

use safetp_protocol::reply::Reply;

use crate::{session::CommandLine, text::printable};

/// Characters of a long message that are shown.
const SHORT: usize = 24;

/// The parts of the dialogue that are shown on stderr.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dialogue {
    /// Every command and every reply.
    pub(crate) all: bool,
    /// The messages of AUTH and ADAT, in full.
    pub(crate) adats: bool,
}

impl Dialogue {
    /// Shows a command that is sent.
    pub(super) fn command(self, command: &CommandLine) {
        let text = command.to_string();
        match text.strip_prefix("ADAT ") {
            Some(adat) => self.adat("> ADAT ", adat),
            None if self.all => print(&format!("> {text}")),
            None => {}
        }
    }

    /// Shows a reply that has arrived.
    pub(super) fn reply(self, reply: &Reply) {
        if let Some(adat) = reply.text().strip_prefix(b"ADAT=") {
            return self.adat(&format!("< {} ADAT=", reply.code()), &printable(adat));
        }
        if self.all {
            String::from_utf8_lossy(&reply.encode())
                .lines()
                .for_each(|line| print(&format!("< {}", printable(line.as_bytes()))));
        }
    }

    fn adat(self, before: &str, adat: &str) {
        match (self.adats, self.all, adat.get(..SHORT)) {
            (false, true, Some(start)) => print(&format!("{before}{start}...")),
            (true, _, _) | (_, true, None) => print(&format!("{before}{adat}")),
            (false, false, _) => {}
        }
    }
}

fn print(line: &str) {
    // Where stderr is closed there is no other place to report it.
    let _ = writeln!(io::stderr(), "{line}");
}
