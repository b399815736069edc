//! The TLS handshake on a data connection whose session is known.

use std::{sync::Arc, time::Duration};

use safetp_config::gateway::DataBinding;
use safetp_protocol::{data_ports::SessionId, session::Failure};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::stream::DataStream;
use crate::{
    tls::{self, HANDSHAKE_TIME, Identity, TicketId},
    wire::Wire,
};

/// A connection whose handshake is done, and the ticket by which it proved its session.
pub(crate) type Opened = (DataStream, Option<TicketId>);

/// Terms under which TLS protects the data connections of a session.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The certificate and key of the control connection.
    pub(crate) identity: Arc<Identity>,
    pub(crate) session: SessionId,
    pub(crate) binding: DataBinding,
}

/// A handshake that began before its transfer, cancelled when dropped.
#[derive(Debug)]
pub(crate) struct Handshake(AbortOnDropHandle<Result<Opened, Failure>>);

impl Handshake {
    /// Answers the client as soon as it speaks: some clients begin the handshake before they send the transfer's
    /// command, and would wait for ever. The others are silent until then, for as long as their session allows.
    pub(crate) fn begin(wire: Wire, terms: Terms) -> Self {
        let handshake = async move {
            wire.tcp().readable().await.map_err(|_| Failure::ConnectionLost)?;
            terms.shake_hands(wire, HANDSHAKE_TIME).await
        };
        Self(AbortOnDropHandle::new(tokio::spawn(handshake.in_current_span())))
    }

    /// Waits for the end of the handshake.
    pub(crate) async fn finish(self, time: Duration) -> Result<Opened, Failure> {
        let finished = tokio::time::timeout(time.min(HANDSHAKE_TIME), self.0).await.map_err(|_| Failure::Handshake)?;
        finished.map_err(|error| {
            tracing::error!(%error, "the task of a handshake failed");
            Failure::Internal
        })?
    }
}

impl Terms {
    pub(crate) async fn shake_hands(&self, wire: Wire, time: Duration) -> Result<Opened, Failure> {
        let accepted = self.identity.accept_data(wire, self.session, time).await.map_err(|error| {
            tracing::debug!(error = tls::connection_text(&error), "the TLS handshake on a data connection failed");
            Failure::Handshake
        })?;
        let own = accepted.resumed.filter(|resumed| resumed.session == Some(self.session));
        let ticket = own.map(|resumed| resumed.ticket);
        let stream = DataStream::Protected(Box::new(accepted.stream));
        // Where resumption is not required, the ticket of another session of the same client counts as none: clients
        // with several sessions keep their tickets in one place. The peer's address was compared on accept.
        if self.binding == DataBinding::Required && ticket.is_none() {
            stream.break_off();
            return Err(Failure::NotBound);
        }
        Ok((stream, ticket))
    }
}
