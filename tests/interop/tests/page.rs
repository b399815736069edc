//! docs/clients.md: its table is what the tests have seen.
//!
//! `SAFETP_WRITE_PAGE=1 cargo test -p safetp-interop` writes it again.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use crate::program::sources;

const BEGIN: &str = "<!-- begin: written by tests/interop -->\n";
const END: &str = "<!-- end -->";
const HEAD: &str = "| client | protection | session reuse | ports by | WhenOffered | Required | remarks |\n\
                    |---|---|---|---|---|---|---|\n";

/// The clients in the page's order.
pub(crate) const CLIENTS: [&str; 7] =
    ["curl", "lftp", "Python ftplib", "Apache Commons Net", "jlaffaye/ftp", "safetp", "X-SafeTP1 in Python"];

/// Compares the rows of one client with the page, or puts them there.
pub(crate) fn check(client: &str, rows: &[String]) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(path()).unwrap();
    if std::env::var_os("SAFETP_WRITE_PAGE").is_some() {
        fs::write(path(), with_rows(&page, client, rows)).unwrap();
        return;
    }
    let (_, old, _) = parts(&page);
    let old: Vec<_> = old.lines().filter(|row| client_of(row) == client).collect();
    assert_eq!(
        old.join("\n"),
        rows.join("\n"),
        "{client} does not do what docs/clients.md says; SAFETP_WRITE_PAGE=1 writes it again"
    );
}

#[test]
fn the_page_tells_of_all_clients_that_are_tested_and_of_no_other() {
    let page = fs::read_to_string(path()).unwrap();
    let (_, table, _) = parts(&page);
    let mut seen: Vec<_> = table.lines().skip(2).map(client_of).collect();
    seen.dedup();
    assert_eq!(seen, CLIENTS);
}

fn path() -> PathBuf {
    sources("../../docs/clients.md")
}

/// What is before the table, the table, and what is behind it.
fn parts(page: &str) -> (&str, &str, &str) {
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    (before, table, after)
}

fn with_rows(page: &str, client: &str, rows: &[String]) -> String {
    let (before, table, after) = parts(page);
    let kept = table.lines().skip(2).filter(|row| client_of(row) != client);
    let mut all: Vec<_> = kept.chain(rows.iter().map(String::as_str)).collect();
    all.sort_by_key(|row| CLIENTS.iter().position(|client| *client == client_of(row)));
    format!("{before}{BEGIN}{HEAD}{}\n{END}{after}", all.join("\n"))
}

fn client_of(row: &str) -> &str {
    row.split('|').nth(1).unwrap_or_default().trim()
}
