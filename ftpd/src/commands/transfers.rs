//! RETR, STOR, APPE, REST, ALLO, ABOR (RFC 959 §4.1.3, RFC 3659 §5).

use safetp_protocol::reply::Reply;

use super::Answer;
use crate::{
    files::{Refusal, VirtualPath, download, space, upload},
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
    let upload = session
        .blocking(move || {
            let upload = upload::store(&account.home, &path, start)?;
            // Only now: the part that it continues is in use and stays.
            space::make_way_if_short(&account.home);
            Ok(upload)
        })
        .await?;
    receive(session, &name, upload)
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
    let opening = Reply::new(150, [b"Receiving ", name, b"."].concat());
    let work = session.account()?.work.clone();
    Ok(Answer::Transfer(Box::new(Transfer::Upload { opening, upload: Box::new(upload), work })))
}
