//! ls: the listing of a directory or of one file.

use std::io::{self, IsTerminal as _, Write as _};

use crate::{
    failure::{Failure, LocalError, Result},
    session::{CommandLine, Entry, EntryKind, Session},
    text::ServerText,
    url::RemotePath,
};

/// Prints a directory, or the one file that the path names: names alone, or with kind, size and time.
pub(crate) async fn ls(session: &mut Session, path: &RemotePath, long: bool) -> Result<()> {
    let lines: Vec<_> = if session.features().lists("MLST") {
        entries(session, path).await?.iter().map(|entry| entry.line(long)).collect()
    } else {
        let command = CommandLine::with(if long { "LIST" } else { "NLST" }, path.argument().as_ref());
        session
            .list(&command)
            .await?
            .split(|octet| *octet == b'\n')
            .map(|line| ServerText::new(without_cr(line)))
            .collect()
    };
    print(&lines).map_err(LocalError::terminal("write the listing"))?;
    Ok(())
}

async fn entries(session: &mut Session, path: &RemotePath) -> Result<Vec<Entry>> {
    let listed = session.list(&CommandLine::with("MLSD", path.argument().as_ref())).await;
    let listing = match listed {
        // RFC 3659 §7.2.1: MLSD of a file gets 501; many servers reply 550.
        Err(Failure::Refused(refusal)) => return one_file(session, path).await.ok_or_else(|| refusal.into()),
        listed => listed?,
    };
    let entries = listing.split(|octet| *octet == b'\n').filter_map(|line| Entry::parse(without_cr(line)));
    let mut entries: Vec<_> = entries.filter(|entry| entry.kind != EntryKind::Itself).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The one entry of a path that is not a directory, by MLST.
async fn one_file(session: &mut Session, path: &RemotePath) -> Option<Vec<Entry>> {
    let reply = session.ask(&CommandLine::with("MLST", path.argument().as_ref())).await.ok()?;
    let entry = Entry::parse(reply.inner_lines().next()?.trim_ascii_start())?;
    (reply.code().is_success() && entry.kind == EntryKind::File).then(|| vec![entry])
}

impl Entry {
    fn line(&self, long: bool) -> ServerText {
        let mut line = Vec::new();
        if long {
            let kind = match self.kind {
                EntryKind::Directory | EntryKind::Itself => 'd',
                EntryKind::File => '-',
                EntryKind::Other => '?',
            };
            let size = self.size.map_or_else(|| "-".into(), |size| size.to_string());
            let time = self.modified.map_or_else(|| "-".into(), |time| time.to_string());
            line.extend_from_slice(format!("{kind} {size:>14} {time:>20} ").as_bytes());
        }
        line.extend_from_slice(self.name.octets());
        if self.kind == EntryKind::Directory {
            line.push(b'/');
        }
        ServerText::new(line)
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Writes names unchanged to a file or a pipe, and escaped to a terminal.
fn print(lines: &[ServerText]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let is_terminal = out.is_terminal();
    for line in lines.iter().filter(|line| !line.octets().is_empty()) {
        if is_terminal { writeln!(out, "{line}")? } else { out.write_all(&[line.octets(), b"\n"].concat())? }
    }
    out.flush()
}
