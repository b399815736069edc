//! RETR, STOR, APPE, STOU, REST, ALLO, ABOR (RFC 959 §4.1.3, RFC 3659 §5).

use jiff::Timestamp;
use safetp_protocol::reply::Reply;

use super::answer::Answer;
use crate::{
    files::{Refusal, VirtualPath, download, facts::compact_time, space, upload},
    session::{Account, Session},
    transfer::Transfer,
};

pub(super) fn rest(session: &mut Session, start: u64) -> Answer {
    session.restart = start;
    Answer::reply(350, format!("The next transfer begins at {start}."))
}

pub(super) async fn retr(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (account, path, start) = begin(session, argument)?;
    let name = path.octets();
    let download = session.blocking(move || download::open(&account.home, &path, start)).await?;
    let length = format!(" ({} bytes).", download.length);
    let opening = Reply::new(150, [b"Sending ", name.as_slice(), length.as_bytes()].concat());
    Ok(Answer::Transfer(Box::new(Transfer::Download { opening, download })))
}

pub(super) async fn stor(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (account, path, start) = begin(session, argument)?;
    let name = path.octets();
    let upload = store(session, account, path, start).await?;
    receive(session, &name, upload)
}

async fn store(session: &Session, account: Account, path: VirtualPath, start: u64) -> Result<upload::Upload, Refusal> {
    session
        .blocking(move || {
            let upload = upload::store(&account.home, &path, start)?;
            // Only now: the part that it continues is in use and stays.
            space::make_way_if_short(&account.home);
            Ok(upload)
        })
        .await
}

/// REST before APPE means nothing (RFC 3659 §5.3): the end is where APPE begins.
pub(super) async fn appe(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (account, path, _) = begin(session, argument)?;
    let name = path.octets();
    let upload = session
        .blocking(move || {
            let upload = upload::append(&account.home, &path)?;
            space::make_way_if_short(&account.home);
            Ok(upload)
        })
        .await?;
    receive(session, &name, upload)
}

/// The server finds the name, and tells it in the form that RFC 1123 §4.1.2.9 gives. Scanners send no argument; what
/// others send is what the name is made from.
pub(super) async fn stou(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let name = unique_name(argument)?;
    let (account, path, start) = begin(session, &name)?;
    let upload = store(session, account, path, start).await?;
    let opening = Reply::new(150, [b"FILE: ", name.as_slice()].concat());
    begin_upload(session, opening, upload)
}

/// `scan.pdf` becomes `scan-20260102030405-9f86d081884c7d65.pdf`. The octets are random, so that uploads that run at
/// the same time cannot get one name.
fn unique_name(wanted: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (directory, file) = wanted.split_at(wanted.iter().rposition(|octet| *octet == b'/').map_or(0, |at| at + 1));
    let end = file.iter().rposition(|octet| *octet == b'.').filter(|at| *at > 0).unwrap_or(file.len());
    let (stem, extension) = file.split_at(end);
    let stem = if stem.is_empty() { b"upload".as_slice() } else { stem };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| Refusal::Internal)?;
    let unique = format!("-{}-{}", compact_time(Timestamp::now().as_second()), hex::encode(random));
    Ok([directory, stem, unique.as_bytes(), extension].concat())
}

/// Space is taken as octets come; the number is only checked to be one. RFC 959 has 202 for this, which some clients
/// take for a refusal.
pub(super) fn allo(argument: &str) -> Result<Answer, Refusal> {
    let size = argument.split(' ').next().unwrap_or_default();
    if size.parse::<u64>().is_err() {
        return Err(Refusal::Arguments("ALLO needs a number of octets."));
    }
    Ok(Answer::reply(200, "Space is taken as the file comes."))
}

pub(super) fn abor() -> Answer {
    Answer::reply(226, "No transfer is running.")
}

/// A REST holds for the next transfer only, whether that one succeeds or not.
fn begin(session: &mut Session, argument: &[u8]) -> Result<(Account, VirtualPath, u64), Refusal> {
    let start = std::mem::take(&mut session.restart);
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    Ok((account, path, start))
}

fn receive(session: &Session, name: &[u8], upload: upload::Upload) -> Result<Answer, Refusal> {
    begin_upload(session, Reply::new(150, [b"Receiving ", name, b"."].concat()), upload)
}

fn begin_upload(session: &Session, opening: Reply, upload: upload::Upload) -> Result<Answer, Refusal> {
    let work = session.account()?.work.clone();
    Ok(Answer::Transfer(Box::new(Transfer::Upload { opening, upload: Box::new(upload), work })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_name_keeps_directory_and_extension() {
        for (wanted, begin, end) in
            [("", "upload-20", ""), ("a/scan.pdf", "a/scan-20", ".pdf"), (".x", ".x-20", ""), ("a/", "a/upload-20", "")]
        {
            let name = String::from_utf8(unique_name(wanted.as_bytes()).unwrap()).unwrap();
            assert!(name.starts_with(begin) && name.ends_with(end), "{name}");
            assert_ne!(name.as_bytes(), unique_name(wanted.as_bytes()).unwrap());
        }
    }
}
