//! docs/clients.md: its tables are written and compared by the tests.
//!
//! `SAFETP_WRITE_PAGE=1 cargo test -p safetp-interop` writes it again.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use crate::program::sources;

const END: &str = "<!-- end -->";

/// One table of the page.
pub(crate) struct Table {
    begin: &'static str,
    head: &'static str,
    /// Its clients, in the page's order.
    clients: &'static [&'static str],
}

/// Sessions of ten data connections.
pub(crate) const SESSIONS: Table = Table {
    begin: "<!-- begin: written by tests/interop -->\n",
    head: "| client | protection | session reuse | ports by | WhenOffered | Required | remarks |\n\
           |---|---|---|---|---|---|---|\n",
    clients: &[
        "curl",
        "lftp",
        "Python ftplib",
        "Apache Commons Net",
        "jlaffaye/ftp",
        "basic-ftp",
        "Perl Net::FTP",
        "Ruby net/ftp",
        "safetp",
        "X-SafeTP1 in Python",
    ],
};

/// Programs that connect as often as they like, or do not show their dialogue.
pub(crate) const TOOLS: Table = Table {
    begin: "<!-- begin: tools, written by tests/interop -->\n",
    head: "| client | stores | fetches | lists | another's certificate | Required | remarks |\n\
           |---|---|---|---|---|---|---|\n",
    clients: &["rclone", "PHP", "wget"],
};

impl Table {
    /// Compares the rows of one client with the page, or writes them into it.
    pub(crate) fn check(&self, client: &str, rows: &[String]) {
        static WRITING: Mutex<()> = Mutex::new(());
        let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let page = fs::read_to_string(path()).unwrap();
        if std::env::var_os("SAFETP_WRITE_PAGE").is_some() {
            fs::write(path(), self.with_rows(&page, client, rows)).unwrap();
            return;
        }
        let (_, old, _) = self.parts(&page);
        let old: Vec<_> = old.lines().filter(|row| client_of(row) == client).collect();
        assert_eq!(
            old.join("\n"),
            rows.join("\n"),
            "{client} does not do what docs/clients.md says; SAFETP_WRITE_PAGE=1 writes it again"
        );
    }

    /// The text before the table, the table, and the text after it.
    fn parts<'a>(&self, page: &'a str) -> (&'a str, &'a str, &'a str) {
        let (before, rest) = page.split_once(self.begin).unwrap();
        let (table, after) = rest.split_once(END).unwrap();
        (before, table, after)
    }

    fn with_rows(&self, page: &str, client: &str, rows: &[String]) -> String {
        let (before, table, after) = self.parts(page);
        let kept = table.lines().skip(2).filter(|row| client_of(row) != client);
        let mut all: Vec<_> = kept.chain(rows.iter().map(String::as_str)).collect();
        all.sort_by_key(|row| self.clients.iter().position(|client| *client == client_of(row)));
        format!("{before}{}{}{}\n{END}{after}", self.begin, self.head, all.join("\n"))
    }
}

#[test]
fn the_page_lists_exactly_the_tested_clients() {
    let page = fs::read_to_string(path()).unwrap();
    for table in [SESSIONS, TOOLS] {
        let (_, rows, _) = table.parts(&page);
        let mut seen: Vec<_> = rows.lines().skip(2).map(client_of).collect();
        seen.dedup();
        assert_eq!(seen, table.clients);
    }
}

fn path() -> PathBuf {
    sources("../../docs/clients.md")
}

fn client_of(row: &str) -> &str {
    row.split('|').nth(1).unwrap_or_default().trim()
}
