//! What the core wants done to the control connection's protection.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use rustls::{ProtocolVersion, crypto::SupportedKxGroup};
use safetp_config::gateway::Backend;
use tokio::task::spawn_blocking;

use super::{Task, habit::Habit};
use crate::gateway::{backend::embedded::Connection, client::ClientStream, records::Records};

impl Task {
    pub(super) async fn start_tls(&mut self) -> io::Result<()> {
        let Some(stream) = self.client.take_clear() else { return Err(io::ErrorKind::NotConnected.into()) };
        // The newest certificate, but for the whole session the same one.
        let identity = self.gateway.settings.borrow().identity.clone().ok_or(io::ErrorKind::NotFound)?;
        let stream = Records::new(stream, self.settings.config.security.clear_command_channel);
        let left = self.core.poll_timeout().map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        let accepted = identity.accept_control(stream, self.id, left).await.inspect_err(|_| {
            self.gateway.metrics.tls_handshake_failures.inc();
        })?;
        let tls = accepted.stream.get_ref().1;
        let lapse = Instant::now() + identity.ticket_lifetime();
        self.data.habit = Habit::new(tls.protocol_version() == Some(ProtocolVersion::TLSv1_3), lapse);
        self.gateway.metrics.tls_handshake(tls.negotiated_key_exchange_group().map(SupportedKxGroup::name));
        if let Some(resumed) = accepted.resumed {
            self.ports.note_mixed_tickets(resumed.session);
        }
        self.client = ClientStream::Protected(Box::new(accepted.stream));
        self.identity = Some(identity);
        self.core.handle_protected(Instant::now());
        Ok(())
    }

    pub(super) async fn stop_tls(&mut self) -> io::Result<()> {
        let rest = self.client.stop_tls().await?;
        let now = Instant::now();
        self.core.handle_client_bytes(&rest, now);
        self.core.handle_cleared(now);
        Ok(())
    }

    /// The ftpd takes the end of the old connection for the end of its session, and knows nothing of it on the new one.
    pub(super) async fn restart_backend(&mut self) {
        let Backend::Embedded { socket } = &self.settings.config.backend;
        match Connection::open(Path::new(socket)).await {
            Ok(backend) => {
                self.backend = backend;
                self.core.handle_backend_restarted(Instant::now());
            }
            Err(error) => {
                tracing::error!(%error, "failed to reach the ftpd again after AUTH");
                self.core.handle_backend_lost();
            }
        }
    }

    /// Computes beside the other sessions, and not more at once than there are processors.
    pub(super) async fn negotiate(&mut self) -> io::Result<()> {
        let Some(question) = self.core.take_question() else { return Ok(()) };
        let permit = self.gateway.exchanges.acquire().await.map_err(io::Error::other)?;
        let answer = spawn_blocking(move || question.answer(&mut UnwrapErr(SysRng))).await?;
        drop(permit);
        self.core.handle_answer(answer, Instant::now());
        Ok(())
    }
}
