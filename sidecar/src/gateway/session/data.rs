//! State of a session's data connection and its transfer.

use safetp_protocol::session::{Failure, Transfer};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;

use super::resumption_history::ResumptionHistory;
use crate::gateway::data::{connection::DataConnection, transfer::Outcome};

/// The session's data connection, wherever it is at the moment.
#[derive(Default)]
pub(crate) struct SessionData {
    /// The connection, if it came before the transfer's command.
    pub(crate) early: Option<DataConnection>,
    /// Where the transfer waits for the connection.
    pub(crate) wanted: Option<oneshot::Sender<Result<DataConnection, Failure>>>,
    pub(crate) running: Option<RunningTransfer>,
    pub(crate) history: ResumptionHistory,
}

/// A transfer in its task.
pub(crate) struct RunningTransfer {
    pub(crate) transfer: Transfer,
    pub(crate) cancel: CancellationToken,
    pub(crate) task: JoinHandle<Outcome>,
}

impl SessionData {
    /// Waits for the end of the transfer; for ever while there is none.
    pub(crate) async fn outcome(&mut self) -> Result<Outcome, JoinError> {
        match &mut self.running {
            Some(running) => (&mut running.task).await,
            None => std::future::pending().await,
        }
    }

    /// Cancels the transfer, if there is one.
    pub(crate) fn cancel(&self) {
        if let Some(running) = &self.running {
            running.cancel.cancel();
        }
    }
}
