//! The end of a transfer. [`Session::confirm_complete`] is the one place that decides whether it is complete: its data
//! connection must have ended authentically, and the server must have said 2yz.

use super::{DataStream, Direction};
use crate::{
    failure::{DataError, Failure, Incomplete, Result},
    session::{CommandLine, Session, replies::shown},
};

/// The largest listing in octets: a million names fit, a server that never stops does not.
const MAX_LISTING: usize = 256 * 1024 * 1024;

impl Session {
    /// Fetches a listing.
    pub(crate) async fn list(&mut self, command: &CommandLine) -> Result<Vec<u8>> {
        let prepared = self.prepare().await?;
        let mut data = self.open(prepared, command, Direction::FromServer).await?;
        let mut listing = Vec::new();
        let ended = receive_listing(&mut data, &mut listing).await;
        self.close_and_confirm(data, ended).await?;
        Ok(listing)
    }

    /// Closes the data connection of a download that has ended, or breaks off one of a transfer that failed, and then
    /// decides as [`Session::confirm_complete`] does.
    pub(crate) async fn close_and_confirm(&mut self, data: DataStream, ended: Result<(), DataError>) -> Result<()> {
        if ended.is_ok() {
            data.close().await;
        } else {
            data.abort();
        }
        self.confirm_complete(ended).await
    }

    /// Decides whether a transfer is complete, by how its data connection `ended` and by the server's reply to it.
    pub(crate) async fn confirm_complete(&mut self, ended: Result<(), DataError>) -> Result<()> {
        let reply = self.reply().await;
        match (ended, reply) {
            (Ok(()), Ok(reply)) if reply.code().is_success() => Ok(()),
            (Ok(()), Ok(reply)) => Err(Incomplete::Reply(shown(&reply)).into()),
            (Ok(()), Err(Failure::Connection(error))) => Err(Incomplete::Unconfirmed(error).into()),
            (Ok(()), Err(error)) => Err(error),
            // The server has seen it break as well, and may know why.
            (Err(DataError::Incomplete(Incomplete::Broken(_))), Ok(reply)) if !reply.code().is_success() => {
                Err(Incomplete::Reply(shown(&reply)).into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

async fn receive_listing(data: &mut DataStream, listing: &mut Vec<u8>) -> Result<(), DataError> {
    loop {
        match data.receive().await? {
            [] => return Ok(()),
            octets => listing.extend_from_slice(octets),
        }
        if listing.len() > MAX_LISTING {
            return Err(Incomplete::Broken("the listing does not end".into()).into());
        }
    }
}
