//! Protection of the control connection: its beginning and its end.

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

use super::{driver::SessionDriver, resumption_history::ResumptionHistory};
use crate::{
    gateway::{backend::FtpdConnection, client::ClientStream},
    tls::records::Records,
};

impl SessionDriver {
    pub(crate) async fn start_tls(&mut self) -> io::Result<()> {
        let Some(stream) = self.client.take_clear() else { return Err(io::ErrorKind::NotConnected.into()) };
        // The newest certificate, and the same for the whole session.
        let identity = self.gateway.settings.borrow().identity.clone().ok_or(io::ErrorKind::NotFound)?;
        let stream = Records::new(stream, self.settings.config.security.clear_command_channel);
        let left = self.core.poll_timeout().map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        let accepted = identity.accept_control(stream, self.id, left).await.inspect_err(|_| {
            self.gateway.metrics.tls_handshake_failures.inc();
        })?;
        let tls = accepted.stream.get_ref().1;
        let expiry = Instant::now() + identity.ticket_lifetime();
        self.data.history = ResumptionHistory::new(tls.protocol_version() == Some(ProtocolVersion::TLSv1_3), expiry);
        self.gateway.metrics.tls_handshake(tls.negotiated_key_exchange_group().map(SupportedKxGroup::name));
        if let Some(resumed) = accepted.resumed {
            self.ports.note_mixed_tickets(resumed.session);
        }
        self.client = ClientStream::Protected(Box::new(accepted.stream));
        self.identity = Some(identity);
        self.core.handle_protected(Instant::now());
        Ok(())
    }

    pub(crate) async fn stop_tls(&mut self) -> io::Result<()> {
        let rest = self.client.stop_tls().await?;
        let now = Instant::now();
        self.core.handle_client_bytes(&rest, now);
        self.core.handle_cleared(now);
        Ok(())
    }

    /// Opens a new connection to the ftpd, which ends the session on the old one and knows nothing of it on the new
    /// one.
    pub(crate) async fn restart_backend(&mut self) {
        let Backend::Embedded { socket } = &self.settings.config.backend;
        match FtpdConnection::open(Path::new(socket)).await {
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

    /// Computes the next step of an exchange in a thread of its own, at most as many at once as there are processors.
    pub(crate) async fn negotiate(&mut self) -> io::Result<()> {
        let Some(question) = self.core.take_question() else { return Ok(()) };
        let permit = self.gateway.exchanges.acquire().await.map_err(io::Error::other)?;
        let answer = spawn_blocking(move || question.answer(&mut UnwrapErr(SysRng))).await?;
        drop(permit);
        self.core.handle_answer(answer, Instant::now());
        Ok(())
    }
}
