//! From the 150 to the final reply: a descriptor goes to the gateway, and its word decides what becomes of it.

use std::{
    io,
    os::{fd::AsFd as _, unix::net::UnixStream as StdUnixStream},
    pin::pin,
    time::Duration,
};

use safetp_protocol::{
    command::Command,
    dialect::{Cause, Word},
    reply::Reply,
};
use tokio::{io::AsyncWriteExt as _, net::UnixStream};

use crate::{
    connection::{Connection, Lost},
    files::{
        Home, Refusal, Work,
        download::Download,
        listing::Listing,
        space,
        upload::{Ending, Upload},
        work::Cancelled,
    },
    request::Request,
};

/// How often a running upload looks for the space that is left.
const SPACE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the gateway learns that the end of an upload still takes work. It waits five minutes.
const SIGN_OF_LIFE: Duration = Duration::from_mins(1);

/// A transfer that is ready to begin.
#[derive(Debug)]
pub(crate) enum Transfer {
    /// RETR.
    Download { opening: Reply, download: Download },
    /// STOR and APPE.
    Upload { opening: Reply, upload: Box<Upload>, work: Work },
    /// LIST, NLST and MLSD, with the lines that were read already.
    Listing { opening: Reply, listing: Box<Listing>, first: Vec<u8>, work: Work },
}

/// What the gateway said of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Complete,
    Failed(Cause),
    Aborted,
}

impl Outcome {
    /// Of an upload.
    fn ending(self) -> Ending {
        match self {
            Self::Complete => Ending::Whole,
            Self::Failed(Cause::StorageFull) => Ending::Full,
            Self::Failed(Cause::FileWrite) => Ending::Spoilt,
            Self::Failed(Cause::Other) | Self::Aborted => Ending::Broken,
        }
    }
}

impl Transfer {
    /// Runs the transfer and returns its final reply. Dropped, or on a lost connection, it has failed: a part stays.
    pub(crate) async fn run(self, connection: &mut Connection) -> Result<Reply, Lost> {
        match self {
            Self::Download { opening, download } => {
                connection.send_with(&opening, download.file.as_fd()).await?;
                drop(download);
                let outcome = outcome(connection).await?;
                conclude(connection, outcome, done("Transfer complete."), broken("The transfer broke off.")).await
            }
            Self::Upload { opening, upload, work } => receive(connection, &opening, upload, &work).await,
            Self::Listing { opening, listing, first, work } => list(connection, &opening, listing, first, &work).await,
        }
    }
}

fn done(text: &'static str) -> Reply {
    Reply::new(226, text)
}

fn broken(text: &'static str) -> Reply {
    Reply::new(426, text)
}

/// Chooses the final reply. An aborted transfer has two: its own, and the one to ABOR (RFC 959 §4.1.3).
async fn conclude(
    connection: &mut Connection,
    outcome: Outcome,
    complete: Reply,
    failed: Reply,
) -> Result<Reply, Lost> {
    match outcome {
        Outcome::Complete => Ok(complete),
        Outcome::Failed(_) => Ok(failed),
        Outcome::Aborted => {
            connection.send(&failed).await?;
            Ok(done("Aborted."))
        }
    }
}

/// The gateway's word. Whatever else comes while a transfer runs is answered without harm to it.
async fn outcome(connection: &mut Connection) -> Result<Outcome, Lost> {
    loop {
        let reply = match connection.request().await? {
            Ok(Request::Word(Word::Complete)) => return Ok(Outcome::Complete),
            Ok(Request::Word(Word::Failed(cause))) => return Ok(Outcome::Failed(cause)),
            Ok(Request::Client(Command::Abor)) => return Ok(Outcome::Aborted),
            Ok(Request::Client(Command::Noop)) => Reply::new(200, "A transfer is running."),
            Ok(Request::Client(Command::Stat)) => Reply::new(211, "A transfer is running."),
            Ok(_) => Reply::new(503, "A transfer is running: wait for its end, or send ABOR."),
            Err(bad) => Reply::new(bad.code(), bad.to_string()),
        };
        connection.send(&reply).await?;
    }
}

/// The upload stays in its box: held here, it would make every idle session larger.
async fn receive(
    connection: &mut Connection,
    opening: &Reply,
    upload: Box<Upload>,
    work: &Work,
) -> Result<Reply, Lost> {
    let outcome = match connection.send_with(opening, upload.descriptor()).await {
        Ok(()) => watch_space(upload.home().clone(), work, outcome(connection)).await,
        Err(lost) => Err(lost),
    };
    let ending = outcome.as_ref().map_or(Ending::Broken, |outcome| outcome.ending());
    let broken_off = broken(match (ending, upload.is_resumable()) {
        (Ending::Full, _) => "The volume is full; nothing of this upload is kept.",
        (Ending::Spoilt, _) => "The volume failed; nothing of this upload is kept.",
        (Ending::Broken | Ending::Whole, true) => {
            "The upload broke off; what came is kept: continue with SIZE, REST and STOR."
        }
        (Ending::Broken | Ending::Whole, false) => "The upload broke off; the file is as it was.",
    });
    let concluded = work.run(move || upload.conclude(ending));
    let stored = match with_signs_of_life(connection, SIGN_OF_LIFE, concluded).await {
        Ok(()) => done("Stored."),
        Err(refusal) => refusal.into(),
    };
    conclude(connection, outcome?, stored, broken_off).await
}

/// While an upload runs, what others left behind makes way as soon as space is short.
async fn watch_space<T>(home: Home, work: &Work, transfer: impl Future<Output = T>) -> T {
    let mut transfer = pin!(transfer);
    loop {
        if let Ok(done) = tokio::time::timeout(SPACE_INTERVAL, &mut transfer).await {
            return done;
        }
        let home = home.clone();
        // It cannot fail but by a bug, which the log names; the upload is none the worse.
        let look = move || {
            space::make_way_if_short(&home);
            Ok(())
        };
        let _ = work.run(look).await;
    }
}

async fn with_signs_of_life<T>(connection: &mut Connection, every: Duration, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(every, &mut work).await {
            return done;
        }
        // What was begun is finished; that the gateway has gone is seen by the final reply.
        let _ = connection.send(&Reply::new(150, "Still writing.")).await;
    }
}

async fn list(
    connection: &mut Connection,
    opening: &Reply,
    listing: Box<Listing>,
    first: Vec<u8>,
    work: &Work,
) -> Result<Reply, Lost> {
    let (ours, theirs) = stream_pair()?;
    connection.send_with(opening, theirs.as_fd()).await?;
    drop(theirs);
    let (outcome, fed) = {
        let mut feeding = pin!(feed(ours, listing, first, work));
        let mut outcome = pin!(outcome(connection));
        let mut fed = None;
        loop {
            tokio::select! {
                // In this order: the gateway's word can only follow the end of what it was fed.
                biased;
                result = &mut feeding, if fed.is_none() => fed = Some(result),
                outcome = &mut outcome => break (outcome?, fed),
            }
        }
    };
    let complete = match fed {
        Some(Ok(0)) => done("Listing complete."),
        Some(Ok(unread)) => {
            Reply::new(226, format!("Listing complete, but for {unread} directories that cannot be read."))
        }
        Some(Err(refusal)) => refusal.into(),
        None => Refusal::Internal.into(),
    };
    conclude(connection, outcome, complete, broken("The listing broke off.")).await
}

/// Only our end is non-blocking: how the gateway reads is its own choice.
fn stream_pair() -> io::Result<(UnixStream, StdUnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

/// Writes the listing, reading further pieces only as the gateway takes them. The stream's end is the listing's. Tells
/// how many directories could not be read.
async fn feed(mut into: UnixStream, mut listing: Box<Listing>, first: Vec<u8>, work: &Work) -> Result<usize, Refusal> {
    let mut lines = first;
    loop {
        if into.write_all(&lines).await.is_err() {
            // The gateway closed its end early; its word says why.
            return Ok(0);
        }
        if listing.is_finished() {
            return Ok(listing.unread());
        }
        let next = move |cancelled: &Cancelled| {
            let lines = listing.next_batch(cancelled)?;
            Ok((listing, lines))
        };
        (listing, lines) = work.run_cancellable(next).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, sync::oneshot};

    use super::*;

    #[tokio::test]
    async fn long_work_is_announced_until_it_is_done() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours);
        let (done, work) = oneshot::channel();
        let listen = async {
            for _ in 0..3 {
                let mut line = [0; 20];
                theirs.read_exact(&mut line).await.unwrap();
                assert_eq!(&line, b"150 Still writing.\r\n");
            }
            done.send(7).unwrap();
        };
        let announced = with_signs_of_life(&mut connection, Duration::from_millis(1), work);
        assert_eq!(tokio::join!(announced, listen).0, Ok(7));
    }
}
