//! A session's data port, its data connection and its transfer.

use std::{sync::Arc, time::Instant};

use safetp_config::gateway::DataBinding;
use safetp_protocol::{
    data_ports::{Claim, Peer, Ticket},
    session::{DataSecurity, Failure, Route, Transfer},
};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Task, habit::Habit};
use crate::gateway::data::{
    self,
    ports::PortNews,
    transfer::{self, Job, Opening, Outcome},
};

/// The session's data connection, wherever it is at the moment.
#[derive(Default)]
pub(super) struct Data {
    /// Connected before the transfer's command.
    pub(super) early: Option<data::Connection>,
    /// The transfer waits for it.
    pub(super) wanted: Option<oneshot::Sender<Result<data::Connection, Failure>>>,
    pub(super) running: Option<Running>,
    pub(super) habit: Habit,
}

pub(super) struct Running {
    pub(super) transfer: Transfer,
    pub(super) cancel: CancellationToken,
    pub(super) task: JoinHandle<Outcome>,
}

impl Data {
    /// How the transfer went; never, while there is none.
    pub(super) async fn outcome(&mut self) -> Result<Outcome, JoinError> {
        match &mut self.running {
            Some(running) => (&mut running.task).await,
            None => std::future::pending().await,
        }
    }
}

impl Task {
    pub(super) fn request_port(&mut self) {
        self.data.early = None;
        self.ports.request(self.claim(), self.stall());
    }

    /// Where only a ticket counts, it is the client's address that does not.
    fn claim(&self) -> Claim {
        let resumable = self.core.data_connection_can_resume();
        match (self.settings.config.security.data_binding, self.data.habit.resumes()) {
            (DataBinding::Off, _) => Claim { peer: Peer::Anyone, ticket: Ticket::Never },
            (DataBinding::Required, _) if resumable => Claim { peer: Peer::Anyone, ticket: Ticket::Always },
            (DataBinding::WhenOffered, true) if resumable => {
                Claim { peer: Peer::Exactly(self.peer), ticket: Ticket::WhenShared }
            }
            _ => Claim { peer: Peer::Exactly(self.peer), ticket: Ticket::Never },
        }
    }

    pub(super) fn start_transfer(&mut self, transfer: Transfer) {
        let Some(descriptor) = self.backend.take_descriptor() else {
            return self.core.handle_transfer_ended(Err(Failure::NoDescriptor), Instant::now());
        };
        let opening = match transfer.route {
            Route::Passive => self.await_connection(),
            Route::Active(address) => Opening::Dialled(address),
        };
        let cancel = CancellationToken::new();
        let job = Job {
            session: self.id,
            transfer,
            descriptor,
            opening,
            identity: self.identity.clone(),
            keys: self.core.data_keys().cloned(),
            binding: self.settings.config.security.data_binding,
            share: self.gateway.budget.share(),
            metrics: Arc::clone(&self.gateway.metrics),
            stall: self.stall(),
            require_close_notify: self.settings.config.uploads.require_close_notify,
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(transfer::run(job).in_current_span());
        self.data.running = Some(Running { transfer, cancel, task });
    }

    fn await_connection(&mut self) -> Opening {
        let (wanted, connection) = oneshot::channel();
        match self.data.early.take() {
            // The receiver is right here.
            Some(connection) => drop(wanted.send(Ok(connection))),
            None => self.data.wanted = Some(wanted),
        }
        Opening::Awaited(connection)
    }

    pub(super) fn handle_port_news(&mut self, news: PortNews, now: Instant) {
        match news {
            PortNews::Granted(port) => self.core.handle_port(Some(port), now),
            PortNews::Refused => self.core.handle_port(None, now),
            PortNews::Expired => self.lose_port(Failure::NoConnection),
            PortNews::Unproven => {
                self.data.habit.note_failure();
                self.lose_port(match self.settings.config.security.data_binding {
                    DataBinding::Required => Failure::NotBound,
                    DataBinding::WhenOffered | DataBinding::Off => Failure::Unproven,
                });
            }
            PortNews::Connected(connection) => match self.data.wanted.take() {
                // Should the transfer have ended meanwhile, the connection goes with it.
                Some(wanted) => drop(wanted.send(Ok(connection))),
                None => self.data.early = Some(connection),
            },
        }
    }

    fn lose_port(&mut self, failure: Failure) {
        if let Some(wanted) = self.data.wanted.take() {
            // Its transfer may have ended meanwhile.
            let _ = wanted.send(Err(failure));
        }
        self.core.handle_port_expired();
    }

    pub(super) fn handle_transferred(&mut self, outcome: Result<Outcome, JoinError>, now: Instant) {
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "a transfer's task failed");
            Outcome { result: Err(Failure::Internal), moved: 0, ticket: None }
        });
        if let Some(running) = self.data.running.take() {
            if outcome.result.is_ok() && running.transfer.security == DataSecurity::Tls {
                self.data.habit.note(outcome.ticket, running.transfer.verb.is_upload());
            }
            self.note_transfer(running.transfer, outcome);
        }
        if self.data.wanted.take().is_some() {
            // Its connection never came.
            self.ports.release();
        }
        self.core.handle_transfer_ended(outcome.result, now);
    }
}
