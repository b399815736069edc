//! HASH (draft-bryan-ftpext-hash-02), and RANG for it alone (draft-bryan-ftp-range-08): RETR and STOR have REST.

use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::answer::Answer;
use crate::{
    files::{
        Refusal,
        hash::{Hashing, Range},
    },
    session::Session,
};

/// All sessions together hash on one thread, in turns: a processor that hashes moves nobody's files.
static TURNS: Semaphore = Semaphore::const_new(1);
/// A client waits for a reply no longer than some minutes, and so does the gateway.
const TIME: Duration = Duration::from_mins(2);

/// `RANG first last` holds for the next HASH; `RANG 1 0` means the whole file again.
pub(super) fn rang(session: &mut Session, argument: &str) -> Result<Answer, Refusal> {
    session.range = None;
    let usage = || Refusal::Arguments("RANG needs the first octet and the last; RANG 1 0 means all.");
    let (first, last) = argument.split_once(' ').ok_or_else(usage)?;
    let (first, last) = (number(first).ok_or_else(usage)?, number(last).ok_or_else(usage)?);
    if (first, last) == (1, 0) {
        return Ok(Answer::reply(350, "The next HASH is of the whole file."));
    }
    if first > last {
        return Err(usage());
    }
    session.range = Some(Range { first, last });
    Ok(Answer::reply(350, format!("The next HASH is of the octets {first} to {last}.")))
}

pub(super) async fn hash(session: &mut Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let range = session.range.take();
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    let began = Instant::now();
    let mut hashing = session.blocking(move || Hashing::begin(&account.home, &path, range)).await?;
    while !hashing.is_finished() {
        if began.elapsed() > TIME {
            return Err(Refusal::HashTooLong);
        }
        // Fair: whoever has had its turn waits behind all others.
        let turn = TURNS.acquire().await.map_err(|_| Refusal::Internal)?;
        let step = move || {
            // Held by the work itself: it ends after this session if the client hangs up.
            let _turn = turn;
            hashing.step()
        };
        hashing = session.blocking(step).await?;
    }
    Ok(Answer::reply(213, hashing.into_line()))
}

/// `OPTS HASH` names the algorithm, `OPTS HASH SHA-256` chooses it.
pub(super) fn opts(algorithm: &str) -> Result<Answer, Refusal> {
    match algorithm.to_ascii_uppercase().as_str() {
        "" | "SHA-256" => Ok(Answer::reply(200, "SHA-256")),
        _ => Err(Refusal::Arguments("Only SHA-256 is served; it stays selected.")),
    }
}

fn number(text: &str) -> Option<u64> {
    // `parse` alone would take a sign.
    text.parse().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()))
}
