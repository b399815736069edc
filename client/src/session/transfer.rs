//! How a transfer ends: by what came over the data connection and by what the server says to it. Both must be well.

use super::{CommandLine, DataStream, Direction, Session, replies::shown};
use crate::failure::{DataError, Failure, Incomplete, Result};

/// A listing of a directory with a million names fits, a server that never ends does not.
const MAX_LISTING: usize = 256 * 1024 * 1024;

impl Session {
    /// The octets of a listing.
    pub(crate) async fn list(&mut self, command: &CommandLine) -> Result<Vec<u8>> {
        let prepared = self.prepare().await?;
        let mut data = self.open(prepared, command, Direction::FromServer).await?;
        let mut listing = Vec::new();
        let outcome = receive_listing(&mut data, &mut listing).await;
        self.conclude(data, outcome).await?;
        Ok(listing)
    }

    /// The server's word on a transfer from it, or on one to it that broke.
    pub(crate) async fn conclude(&mut self, data: DataStream, outcome: Result<(), DataError>) -> Result<()> {
        if outcome.is_ok() {
            data.close().await;
        } else {
            data.abort();
        }
        self.confirm(outcome).await
    }

    /// The server's word on a transfer whose data connection is closed.
    pub(crate) async fn confirm(&mut self, outcome: Result<(), DataError>) -> Result<()> {
        let reply = self.reply().await;
        match (outcome, reply) {
            (Ok(()), Ok(reply)) if reply.code().is_success() => Ok(()),
            (Ok(()), Ok(reply)) => Err(Incomplete::Reply(shown(&reply)).into()),
            (Ok(()), Err(Failure::Connection(error))) => Err(Incomplete::Unconfirmed(error).into()),
            (Ok(()), Err(error)) => Err(error),
            // The server, too, saw it break, and may know why.
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

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Incomplete(error) => error.into(),
            DataError::Security(error) => error.into(),
            DataError::Local(error) => error.into(),
        }
    }
}
