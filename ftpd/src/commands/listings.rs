//! LIST, NLST, STAT (RFC 959 §4.1.3), MLSD and MLST (RFC 3659 §7).

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use safetp_protocol::reply::Reply;

use super::{answer::Answer, argument::split_at_space, parameters::letter};
use crate::{
    files::{
        Refusal,
        facts::{Entry, Rights},
        listing::{self, Form, Listing, Wanted},
        standing::{self, Standing},
        work::Cancelled,
    },
    name_encoding::NameEncoding,
    session::Session,
    transfer::Transfer,
};

/// STAT of a directory goes over the control connection, which is not made for long listings.
const STAT_LINES: usize = 200;

pub(super) async fn list(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (options, path) = split_options(argument);
    begin(session, path, Form::Long, is_recursive(options)).await
}

pub(super) async fn nlst(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (options, path) = split_options(argument);
    begin(session, path, Form::Names, is_recursive(options)).await
}

pub(super) async fn mlsd(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let form = Form::Facts { facts: session.facts.clone(), rights: session.rights()? };
    begin(session, argument, form, false).await
}

async fn begin(session: &mut Session, argument: &[u8], form: Form, recursive: bool) -> Result<Answer, Refusal> {
    session.restart = 0;
    let account = session.account()?.clone();
    let path = account.path(argument)?;
    let wanted = Wanted { form, asked: argument.to_vec(), recursive, names: session.names() };
    let work = account.work.clone();
    // One batch and no more before the 150: from there on, ABOR ends it.
    let (listing, first) = work
        .run_cancellable(move |cancelled| {
            let mut listing = Box::new(listing::open(&account.home, &path, wanted)?);
            let first = listing.next_batch(cancelled)?;
            Ok((listing, first))
        })
        .await?;
    let opening = Reply::new(150, "Here comes the listing.");
    Ok(Answer::Transfer(Box::new(Transfer::Listing { opening, listing, first, work })))
}

pub(super) async fn mlst(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.path(argument)?;
    let (facts, rights) = (session.facts.clone(), session.rights()?);
    let line = session
        .blocking(move || {
            let (metadata, rights) = match standing::of(&account.home, &path)? {
                Standing::Whole(metadata) => (metadata, rights),
                Standing::Part(_, metadata) => (metadata, Rights::Resume),
            };
            let entry = Entry { name: OsString::from_vec(path.octets()), metadata };
            Ok(entry.facts_line(&facts, rights))
        })
        .await?;
    Ok(Answer::Reply(Reply::with_lines(250, "Facts:", [line], "End.")))
}

/// STAT with a path.
pub(super) async fn stat(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let (options, argument) = split_options(argument);
    let path = account.path(argument)?;
    // The whole reply is encoded when it is sent.
    let names = NameEncoding::default();
    let wanted = Wanted { form: Form::Long, asked: argument.to_vec(), recursive: is_recursive(options), names };
    let work = account.work.clone();
    let lines = work
        .run_cancellable(move |cancelled| {
            let mut listing = listing::open(&account.home, &path, wanted)?;
            first_lines(&mut listing, cancelled)
        })
        .await?;
    Ok(Answer::Reply(Reply::with_lines(213, "Status:", lines, "End.")))
}

fn first_lines(listing: &mut Listing, cancelled: &Cancelled) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    while lines.len() < STAT_LINES && !listing.is_finished() && !cancelled.is_set() {
        let batch = listing.next_batch(cancelled)?;
        let more = batch.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        lines.extend(more.take(STAT_LINES - lines.len()).map(<[u8]>::to_vec));
    }
    if lines.len() == STAT_LINES {
        lines.push(b"... use LIST for all".to_vec());
    }
    Ok(lines)
}

/// STAT without a path.
pub(super) fn status(session: &Session) -> Result<Answer, Refusal> {
    let account = session.account()?;
    let lines = [
        format!("Logged in as {}", account.name).into_bytes(),
        [b"Current directory ", account.directory.octets().as_slice()].concat(),
        format!("TYPE {}, MODE S, STRU F", letter(session.representation)).into_bytes(),
    ];
    Ok(Answer::Reply(Reply::with_lines(211, "SafeTP embedded FTP server", lines, "End.")))
}

/// Options of `ls`, which clients send in front of the path, and the path.
fn split_options(argument: &[u8]) -> (&[u8], &[u8]) {
    let mut path = argument;
    while path.starts_with(b"-") {
        path = split_at_space(path).map_or(&[], |(_, after)| after);
    }
    argument.split_at(argument.len() - path.len())
}

/// All other options ask for what is the case anyway.
fn is_recursive(options: &[u8]) -> bool {
    options.contains(&b'R')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_ls_are_no_part_of_the_path() {
        for (argument, path) in [("-la", ""), ("-l -a dir", "dir"), ("dir -l", "dir -l"), ("", ""), ("-a  x", " x")] {
            assert_eq!(split_options(argument.as_bytes()).1, path.as_bytes(), "{argument}");
        }
    }

    #[test]
    fn only_options_ask_for_a_tree() {
        let asks = |argument: &str| is_recursive(split_options(argument.as_bytes()).0);
        assert_eq!(
            ["-R", "-laR x", "-l -R", "-l README", "R -R", ""].map(asks),
            [true, true, true, false, false, false]
        );
    }
}
