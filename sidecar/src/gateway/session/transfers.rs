//! A session's data port, its data connection and its transfer: what the core requests and what comes of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use safetp_config::gateway::DataBinding;
use safetp_protocol::{
    data_ports::{Claim, ExpectedPeer, Ticket},
    session::{DataSecurity, Failure, Route, Transfer},
};
use tokio::{sync::oneshot, task::JoinError};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{data::RunningTransfer, driver::SessionDriver};
use crate::gateway::data::{
    connection::DataConnection,
    handshake::{Handshake, Terms},
    ports::PortNews,
    transfer::{self, Job, Opening, Outcome},
};

/// Time that a transfer waits for another connection after one that proved nothing (see [`Claim::patience`]): the
/// client may be one that cannot resume, and gets its answer soon.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same for a client that has resumed before: the connection that proved nothing was hardly its own.
const PATIENCE_WITH_PROVEN: Duration = Duration::from_secs(20);

impl SessionDriver {
    pub(crate) fn request_port(&mut self) {
        self.data.early = None;
        self.ports.request(self.claim(), self.stall());
    }

    /// Gives up the port, and a connection that came to it before its transfer.
    pub(crate) fn release_port(&mut self) {
        self.data.early = None;
        self.ports.release();
    }

    /// The claim on the next data connection. Where it must show a ticket, its address does not matter.
    fn claim(&self) -> Claim {
        let history = self.data.history;
        let (peer, ticket) = match self.settings.config.security.data_binding {
            DataBinding::Never => (ExpectedPeer::Anyone, Ticket::Never),
            _ if !self.core.data_connection_can_resume() => (ExpectedPeer::Exactly(self.peer), Ticket::Never),
            DataBinding::Required => (ExpectedPeer::Anyone, Ticket::Always),
            DataBinding::WhenOffered if self.ports.mixes_tickets() => (ExpectedPeer::Exactly(self.peer), Ticket::Never),
            DataBinding::WhenOffered => (ExpectedPeer::Exactly(self.peer), history.ticket(Instant::now())),
        };
        let proven = ticket == Ticket::Always && history.has_resumed();
        let patience = if proven { PATIENCE_WITH_PROVEN } else { PATIENCE };
        Claim { peer, ticket, client: self.peer, patience }
    }

    pub(crate) fn start_transfer(&mut self, transfer: Transfer) {
        let Some(descriptor) = self.backend.take_descriptor() else {
            return self.core.handle_transfer_ended(Err(Failure::NoDescriptor), Instant::now());
        };
        let opening = match transfer.route {
            Route::Passive => self.await_connection(),
            Route::Active(address) => Opening::Dialled(address),
        };
        let cancel = CancellationToken::new();
        let job = Job {
            transfer,
            descriptor,
            opening,
            terms: self.terms(),
            keys: self.core.data_keys().cloned(),
            share: self.gateway.budget.share(),
            metrics: Arc::clone(&self.gateway.metrics),
            stall: self.stall(),
            require_close_notify: self.requires_close_notify(),
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(transfer::run(job).in_current_span());
        self.data.running = Some(RunningTransfer { transfer, cancel, task });
    }

    fn requires_close_notify(&self) -> bool {
        let uploads = &self.settings.config.uploads;
        self.core.login().map_or(uploads.require_close_notify, |login| uploads.require_close_notify_of(login))
    }

    fn await_connection(&mut self) -> Opening {
        let (wanted, connection) = oneshot::channel();
        if let Some(connection) = self.data.early.take() {
            // The receiver is still in this function, so this cannot fail.
            drop(wanted.send(Ok(connection)));
        } else {
            self.data.wanted = Some(wanted);
            self.ports.expect_connection();
        }
        Opening::Awaited(connection)
    }

    /// Terms of TLS on data connections, where the control connection is under TLS.
    fn terms(&self) -> Option<Terms> {
        let binding = self.settings.config.security.data_binding;
        self.identity.clone().map(|identity| Terms { identity, session: self.id, binding })
    }

    /// Lets the handshake begin on a connection that comes before its transfer.
    fn begin_early(&self, connection: DataConnection) -> DataConnection {
        match (connection, self.terms().filter(|_| self.core.data_connection_can_resume())) {
            (DataConnection::Plain(wire), Some(terms)) => DataConnection::Handshaking(Handshake::begin(wire, terms)),
            (connection, _) => connection,
        }
    }

    pub(crate) fn handle_port_news(&mut self, news: PortNews, now: Instant) {
        match news {
            PortNews::Granted(port) => self.core.handle_port(Some(port), now),
            PortNews::Refused => self.core.handle_port(None, now),
            PortNews::Expired => self.lose_port(Failure::NoConnection),
            PortNews::Unproven => {
                self.data.history.note_failure(now);
                self.lose_port(match self.settings.config.security.data_binding {
                    DataBinding::Required => Failure::NotBound,
                    DataBinding::WhenOffered | DataBinding::Never => Failure::Unproven,
                });
            }
            PortNews::Connected(connection) => match self.data.wanted.take() {
                // If the transfer has ended meanwhile, the connection is dropped with it.
                Some(wanted) => drop(wanted.send(Ok(connection))),
                None => self.data.early = Some(self.begin_early(connection)),
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

    pub(crate) fn handle_transferred(&mut self, outcome: Result<Outcome, JoinError>, now: Instant) {
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "a transfer's task failed");
            Outcome { result: Err(Failure::Internal), moved: 0, ticket: None }
        });
        if let Some(running) = self.data.running.take() {
            if running.transfer.security == DataSecurity::Tls {
                self.data.history.note(outcome.ticket, outcome.result.is_ok(), running.transfer.verb.is_upload());
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
