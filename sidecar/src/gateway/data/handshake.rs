//! The handshake on a data connection that is known for its session's.

use std::{sync::Arc, time::Duration};

use safetp_config::gateway::DataBinding;
use safetp_protocol::{data_ports::SessionId, session::Failure};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{stream::DataStream, wire::Wire};
use crate::gateway::tls::{self, HANDSHAKE_TIME, Identity, TicketId};

/// A connection whose handshake is done, and the ticket by which it proved its session.
pub(super) type Opened = (DataStream, Option<TicketId>);

/// How the data connections of a session are protected by TLS.
#[derive(Clone, Debug)]
pub(in crate::gateway) struct Terms {
    /// What the control connection was protected with.
    pub(in crate::gateway) identity: Arc<Identity>,
    pub(in crate::gateway) session: SessionId,
    pub(in crate::gateway) binding: DataBinding,
}

/// A handshake that began before its transfer, broken off when dropped.
#[derive(Debug)]
pub(in crate::gateway) struct Handshake(AbortOnDropHandle<Result<Opened, Failure>>);

impl Handshake {
    /// Answers the client as soon as it speaks: some clients shake hands before they send the transfer's command, and
    /// would wait for ever. The others are silent until then, for as long as their session allows.
    pub(in crate::gateway) fn begin(wire: Wire, terms: Terms) -> Self {
        let handshake = async move {
            wire.tcp().readable().await.map_err(|_| Failure::ConnectionLost)?;
            terms.shake_hands(wire, HANDSHAKE_TIME).await
        };
        Self(AbortOnDropHandle::new(tokio::spawn(handshake.in_current_span())))
    }

    /// Waits for the end of the handshake.
    pub(super) async fn finish(self, time: Duration) -> Result<Opened, Failure> {
        let finished = tokio::time::timeout(time.min(HANDSHAKE_TIME), self.0).await.map_err(|_| Failure::Handshake)?;
        finished.map_err(|error| {
            tracing::error!(%error, "the task of a handshake failed");
            Failure::Internal
        })?
    }
}

impl Terms {
    pub(super) async fn shake_hands(&self, wire: Wire, time: Duration) -> Result<Opened, Failure> {
        let accepted = self.identity.accept_data(wire, self.session, time).await.map_err(|error| {
            tracing::debug!(error = tls::connection_text(&error), "the TLS handshake on a data connection failed");
            Failure::Handshake
        })?;
        let own = accepted.resumed.filter(|resumed| resumed.session == Some(self.session));
        let ticket = own.map(|resumed| resumed.ticket);
        let stream = DataStream::Protected(Box::new(accepted.stream));
        // Where resumption is not demanded, the ticket of another session of the same client is as good as none: clients
        // with several sessions keep their tickets in one place. The peer's address was compared on accept.
        if self.binding == DataBinding::Required && ticket.is_none() {
            stream.break_off();
            return Err(Failure::NotBound);
        }
        Ok((stream, ticket))
    }
}
