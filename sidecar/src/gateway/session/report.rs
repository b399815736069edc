//! A session's events in logs and metrics.

use safetp_protocol::session::{DataSecurity, Event, Failure, Route, Transfer};

use super::driver::SessionDriver;
use crate::{
    gateway::data::transfer::Outcome,
    metrics::{Binding, Metrics},
};

impl SessionDriver {
    pub(crate) fn note(&mut self, event: &Event) {
        let metrics = &self.gateway.metrics;
        match event {
            Event::LoggedIn(user) => {
                self.ports.log_in(user);
                note_login(metrics, user, "ok");
            }
            Event::LoginRefused(user) => note_login(metrics, user, "refused"),
            Event::NoDataPort => {
                metrics.data_port_refusals.inc();
                tracing::warn!("no data port became free in time: the range is too small for this load");
            }
        }
    }

    pub(crate) fn note_transfer(&self, transfer: Transfer, outcome: Outcome) {
        let Outcome { result, moved, ticket } = outcome;
        let (verb, failure) = (transfer.verb.as_str(), result.err());
        self.gateway.metrics.transfer(transfer, failure, moved);
        if failure.is_none() {
            self.gateway.metrics.binding(self.binding(transfer, ticket.is_some()));
        }
        if failure == Some(Failure::Truncated)
            && transfer.security == DataSecurity::Tls
            && let Some(login) = self.core.login()
        {
            self.gateway.unclosed.note(login);
        }
        let blame = failure.map(|failure| failure.blame().name());
        tracing::info!(verb, octets = moved, failure = failure.map(Failure::name), blame, "transfer ended");
    }

    /// The evidence by which a data connection was taken for this session's.
    fn binding(&self, transfer: Transfer, resumed: bool) -> Binding {
        match (transfer.security, transfer.route) {
            (DataSecurity::Blocks { .. }, _) => Binding::Keys,
            (DataSecurity::Tls, _) if resumed => Binding::Resumed,
            (_, Route::Active(_)) => Binding::Dialled,
            (_, Route::Passive) if self.settings.config.real_client_addresses => Binding::Address,
            (_, Route::Passive) => Binding::Weak,
        }
    }
}

fn note_login(metrics: &Metrics, user: &str, result: &'static str) {
    metrics.login(result);
    tracing::info!(user, result, "login");
}
